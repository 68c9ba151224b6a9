"""Quality of the cells of one library: metrics, filters and the sex that the genes tell."""

import numpy as np
import pandas as pd
import scipy.sparse as sp

from recovery_microglia.core.arrays import Floats, Integers
from recovery_microglia.core.errors import Notice
from recovery_microglia.core.frame_access import positions
from recovery_microglia.core.genes import Signatures, present
from recovery_microglia.core.kernels import column_group_sums, row_sums
from recovery_microglia.core.vocabulary import Severity
from recovery_microglia.library.settings import CellSettings

TARGETED_GENES = 1000
"""A matrix of fewer genes is a targeted panel: bounds on counts and genes do not apply to it."""


REFSEQ_MITOCHONDRIAL = frozenset(
    ("ND1", "ND2", "ND3", "ND4", "ND4L", "ND5", "ND6", "COX1", "COX2", "COX3", "ATP6", "ATP8", "CYTB")
)
"""Mitochondrial genes as RefSeq and the NCBI call them in mice."""


def _mitochondrial(genes: pd.Index) -> Integers:
    """Return the columns of the mitochondrial genes, under the names of GENCODE (mt-Nd1) or of RefSeq (ND1)."""
    found = np.flatnonzero(genes.str.upper().str.startswith("MT-"))
    refseq = np.flatnonzero(genes.isin(REFSEQ_MITOCHONDRIAL))
    return refseq if len(found) == 0 and len(refseq) >= 5 else found


def cell_metrics(counts: sp.csr_matrix, genes: pd.Index, signatures: Signatures) -> pd.DataFrame:
    """Return one row a cell: counts, genes, and shares in percent of groups of genes.

    Columns: n_counts, n_genes, pct_mito, pct_haemoglobin, pct_ribo, pct_dissociation, pct_myelin, xist,
    y_genes. A share is NaN where the matrix has none of the group's genes (some deposits drop mt- genes).
    """
    total = row_sums(counts)
    here = set(genes)

    def columns(name: str) -> Integers:
        return positions(genes, present(signatures.technical[name].up, here))

    groups = {
        "mito": _mitochondrial(genes),
        "haemoglobin": columns("haemoglobin"),
        "ribo": np.flatnonzero(genes.str.upper().str.match(r"RP[LS]\d")),
        "dissociation": columns("dissociation"),
        "myelin": columns("myelin"),
        "sex_female": columns("sex_female"),
        "sex_male": columns("sex_male"),
    }
    counted = dict(zip(groups, column_group_sums(counts, list(groups.values())), strict=True))

    def percent(name: str) -> Floats:
        share = 100 * counted[name] / np.maximum(total, 1)
        return share if len(groups[name]) else np.full(len(total), np.nan)

    return pd.DataFrame(
        {
            "n_counts": total,
            "n_genes": np.diff(counts.indptr).astype(np.int64),
            **{f"pct_{name}": percent(name) for name in ("mito", "haemoglobin", "ribo", "dissociation", "myelin")},
            "xist": counted["sex_female"],
            "y_genes": counted["sex_male"],
        }
    )


def _mad_bounds(values: Floats, mads: float) -> tuple[float, float]:
    """Return median ± ``mads`` scaled median absolute deviations; infinite where the values do not vary."""
    known = values[np.isfinite(values)]
    if len(known) < 20:  # too few cells to know what is usual
        return -np.inf, np.inf
    centre = float(np.median(known))
    spread = 1.4826 * float(np.median(np.abs(known - centre)))
    return (centre - mads * spread, centre + mads * spread) if spread > 0 else (-np.inf, np.inf)


def filter_cells(metrics: pd.DataFrame, settings: CellSettings, *, n_genes: int) -> tuple[pd.Series, pd.DataFrame]:
    """Say which cells are removed, and by what.

    Parameters
    ----------
    metrics
        From `cell_metrics`.
    settings
        Hard bounds and number of MADs.
    n_genes
        Genes of the matrix; a targeted panel keeps its cells whatever their counts.

    Returns
    -------
    removed_by
        Per cell the first filter it fails, or an empty string.
    filters
        One row a filter: filter, threshold_low, threshold_high, removed; without thresholds where its genes are not measured.
    """
    targeted = n_genes < TARGETED_GENES
    log_counts = np.log1p(metrics["n_counts"].to_numpy(float))
    log_genes = np.log1p(metrics["n_genes"].to_numpy(float))
    mito = metrics["pct_mito"].to_numpy(float)
    low_counts, high_counts = np.expm1(_mad_bounds(log_counts, settings.mads))
    low_genes = float(np.expm1(_mad_bounds(log_genes, settings.mads)[0]))
    low_counts = 1.0 if targeted else max(low_counts, settings.min_counts)
    low_genes = 1.0 if targeted else max(low_genes, settings.min_genes)
    # a library of very clean cells must not lose normal ones: never below a quarter of the hard bound
    high_mito = min(settings.max_pct_mito, max(_mad_bounds(mito, settings.mads)[1], settings.max_pct_mito / 4))
    rules = [
        ("low_counts", "n_counts", low_counts, np.inf),
        ("high_counts", "n_counts", -np.inf, high_counts),
        ("low_genes", "n_genes", low_genes, np.inf),
        ("high_mito", "pct_mito", -np.inf, high_mito),
        ("high_haemoglobin", "pct_haemoglobin", -np.inf, settings.max_pct_haemoglobin),
    ]
    removed_by = pd.Series("", index=metrics.index, dtype=object)
    rows = []
    for name, column, low, high in rules:
        values = metrics[column].to_numpy(float)
        fails = (values < low) | (values > high)  # NaN, where a group of genes is absent, fails nothing
        new = fails & (removed_by == "").to_numpy()
        removed_by[new] = name
        off = not np.isfinite(values).any()  # its genes are not in the matrix
        bounds = (np.nan, np.nan) if off else (low, high)
        rows.append(
            {"filter": name, "threshold_low": bounds[0], "threshold_high": bounds[1], "removed": int(new.sum())}
        )
    return removed_by, pd.DataFrame(rows)


def call_sex(metrics: pd.DataFrame, *, y_genes_measured: bool, xist_measured: bool) -> str:
    """Return female, male, mixed or unknown from *Xist* and the Y genes of a library's cells.

    A cell votes female with *Xist* and no Y gene, male with Y genes and no *Xist*. Mixed means that both
    kinds are more than a tenth of the votes: pooled animals of both sexes.
    """
    if not (y_genes_measured and xist_measured):
        return "unknown"
    female = int(((metrics["xist"] > 0) & (metrics["y_genes"] == 0)).sum())
    male = int(((metrics["y_genes"] > 0) & (metrics["xist"] == 0)).sum())
    if female + male < 20:
        return "unknown"
    share = female / (female + male)
    return "female" if share > 0.9 else "male" if share < 0.1 else "mixed"


def compare_sex(stated: str, called: str, library: str) -> list[Notice]:
    """Return an alarm where the sex genes contradict the sheet."""
    if called == "unknown" or not stated or stated == called:
        return []
    text = f"Library {library} is {stated} in the sheet, but its sex genes say {called}: mixed up, or pooled?"
    return [Notice("sex_mismatch", Severity.ALARM, text)]
