"""Genes that go with *Igf1* within recovery cells: by animal, cells of like depth compared."""

from collections.abc import Sequence

import anndata as ad
import numpy as np
import pandas as pd
from scipy import stats

from recovery_microglia.core.anndata_access import counts_of, gene_counts, obs_of
from recovery_microglia.core.arrays import Floats, Integers
from recovery_microglia.core.frame_access import groups
from recovery_microglia.core.kernels import group_sums, row_sums
from recovery_microglia.core.statistics import benjamini_hochberg
from recovery_microglia.core.vocabulary import Status
from recovery_microglia.drivers.pseudobulks import LEAST_CELLS, UNIT

GENE = "Igf1"
STRATA = 4
"""Classes of depth within an animal; cells with and without *Igf1* are compared within a class."""
LEAST_ANIMALS = 3
LEAST_COUNTS = 10
IGF1_COLUMNS = (
    *("gene", "n_animals", "animals_up", "log2_ratio", "low", "high", "statistic", "p", "q", "made_call", "status"),
    "reason",
)


def _strata(depth: Floats) -> Integers:
    """Return the class of depth of each cell of an animal."""
    order = np.argsort(np.argsort(depth, kind="stable"), kind="stable")
    return np.asarray(order * STRATA // max(len(depth), 1), dtype=np.int64)


def _mantel_haenszel(sums: Floats, depth: Floats) -> Floats:
    """Return log2 of the Mantel-Haenszel rate ratio of each gene over the classes of depth of one animal.

    Parameters
    ----------
    sums
        Counts, without and with *Igf1* × classes × genes.
    depth
        All counts of these cells, without and with × classes.
    """
    whole = np.maximum(depth.sum(axis=0), 1)
    with_it = (sums[1] * (depth[0] / whole)[:, None]).sum(axis=0)
    without = (sums[0] * (depth[1] / whole)[:, None]).sum(axis=0)
    return np.asarray(np.log2((with_it + 0.5) / (without + 0.5)))


def igf1_genes(recovery_cells: ad.AnnData, made_call: Sequence[str]) -> pd.DataFrame:
    """Compare recovery cells with and without *Igf1* counts, within animals and classes of depth (= driver_igf1.tsv).

    A cell that is sequenced deeper shows more of every gene and *Igf1* more often; so cells are divided into four classes of
    depth (without the counts of *Igf1*), rate ratios are combined over them (Mantel and Haenszel), and their logarithms are
    tested over animals (t-test).
    """
    genes = pd.Index(recovery_cells.var_names.astype(str))
    if GENE not in genes:
        return untested("Igf1 was not measured")
    counts = counts_of(recovery_cells)
    own = gene_counts(counts, genes, GENE)
    depth = row_sums(counts).astype(float) - own
    obs = obs_of(recovery_cells)[UNIT].astype(str).reset_index(drop=True)
    found, seen = [], []
    for _, cells in groups(obs, UNIT):
        rows = cells.index.to_numpy()
        shown = own[rows] > 0
        if min(shown.sum(), (~shown).sum()) < LEAST_CELLS:
            continue
        place = shown.astype(np.int64) * STRATA + _strata(depth[rows])
        sums = group_sums(counts[rows], place, 2 * STRATA).astype(float).reshape(2, STRATA, -1)
        found.append(_mantel_haenszel(sums, np.bincount(place, depth[rows], 2 * STRATA).reshape(2, STRATA)))
        seen.append(sums.sum(axis=(0, 1)))
    if len(found) < LEAST_ANIMALS:
        return untested(
            f"{len(found)} animals with at least {LEAST_CELLS} recovery cells with Igf1 counts and {LEAST_CELLS} without; "
            f"{LEAST_ANIMALS} are needed"
        )
    ratios, total = np.array(found), np.array(seen)
    tested = (total.sum(axis=0) >= LEAST_COUNTS) & ((total > 0).sum(axis=0) >= LEAST_ANIMALS) & (genes != GENE)
    return _table(genes[tested], ratios[:, tested], made_call)


def _table(genes: pd.Index, ratios: Floats, made_call: Sequence[str]) -> pd.DataFrame:
    n = len(ratios)
    mean, error = ratios.mean(axis=0), ratios.std(axis=0, ddof=1) / np.sqrt(n)
    statistic = np.divide(mean, error, out=np.zeros_like(mean), where=error > 0)
    p = 2 * stats.t.sf(np.abs(statistic), n - 1)
    half = stats.t.ppf(0.975, n - 1) * error
    table = pd.DataFrame({
        "gene": genes, "n_animals": n, "animals_up": (ratios > 0).sum(axis=0), "log2_ratio": mean, "low": mean - half,
        "high": mean + half, "statistic": statistic, "p": p, "q": benjamini_hochberg(p),
        "made_call": genes.isin(set(made_call)), "status": Status.TESTED.value, "reason": "",
    })  # fmt: skip
    return table.sort_values(["p", "gene"], kind="stable").reset_index(drop=True)[list(IGF1_COLUMNS)]


def untested(reason: str) -> pd.DataFrame:
    """Return the table where nothing can be tested: one row with the reason."""
    row = {"gene": "", "n_animals": 0, "animals_up": 0, "made_call": False, "status": Status.NOT_TESTABLE.value}
    return pd.DataFrame([{**dict.fromkeys(IGF1_COLUMNS, np.nan), **row, "reason": reason}], columns=list(IGF1_COLUMNS))
