"""Single genes in single cells, as far as a page shows them: markers by lineage, the genes behind the calls.

Everything here is read from raw counts, without correction, and decides nothing: it lets a reader check what was decided.
"""

from collections.abc import Mapping, Sequence

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

from recovery_microglia.core.anndata_access import counts_of, obs_of
from recovery_microglia.core.arrays import Floats
from recovery_microglia.core.frame_access import positions
from recovery_microglia.core.genes import MYELOID, GeneSet, Signatures, present

PER_STATE = 4
"""Genes of each other state of the microglia whose counts a page shows."""
PER_LINEAGE = 4
"""Markers of each lineage that are shown, of 3 to 21."""
SUBGROUP = ("Itgax", "Igf1")
FEW_CELLS = 5
MARKER_COLUMNS = ("marker_of", "gene", "lineage", "cells", "share_detected", "mean_counts_per_10k")
STATE_COLUMNS = ("subject", "day", "condition", "state", "cells", "igf1_counts", "microglia_igf1_counts", "share")
GATE_COLUMNS = ("lineage", "runner_up", "cells", "share_of_lineage", "confidence_median", "confidence_low")


# ---------------------------------------------------------------- counts of the genes that are shown


def shown_genes(adata: ad.AnnData, signatures: Signatures) -> pd.DataFrame:
    """Return the counts that pages draw, one row a myeloid cell (= intermediate/genes.parquet).

    Parameters
    ----------
    adata
        Cells × genes, raw counts in X; obs has ``n_counts``.
    signatures
        Genes of the subgroup and of other states are returned one by one, lineage markers as sums.

    Returns
    -------
    DataFrame
        cell, n_counts, one column a present signature or context gene, and for `PER_STATE` genes of each other state (counts), ``markers_microglia`` and
        ``markers_other_myeloid`` (counts of all markers of microglia, and of the other myeloid lineages).
    """
    there = set(adata.var_names)
    named = [*signatures.recovery.up, *signatures.context.up]
    named += [gene for state in signatures.states.values() for gene in present(state.up, there)[:PER_STATE]]
    genes = list(dict.fromkeys(present(named, there)))
    own, others = _two_sides(signatures.lineages)
    table = pd.DataFrame({"cell": adata.obs_names, "n_counts": adata.obs["n_counts"].to_numpy()})
    counts = pd.DataFrame(_dense(adata, genes).astype(np.int32), columns=genes)
    table["markers_microglia"] = _dense(adata, present(own, set(adata.var_names))).sum(axis=1).astype(np.int32)
    table["markers_other_myeloid"] = _dense(adata, present(others, set(adata.var_names))).sum(axis=1).astype(np.int32)
    return pd.concat([table, counts], axis=1)


def _two_sides(lineages: Mapping[str, GeneSet]) -> tuple[list[str], list[str]]:
    """Return the markers of microglia, and those of the other myeloid lineages that are not theirs."""
    own = list(lineages["microglia"].up)
    others = {gene for name in MYELOID[1:] if name in lineages for gene in lineages[name].up}
    return own, sorted(others - set(own))


def _dense(adata: ad.AnnData, genes: Sequence[str]) -> Floats:
    """Return the counts of a few genes (cells × genes)."""
    if not len(genes):
        return np.zeros((adata.n_obs, 0))
    columns = sp.csc_matrix(counts_of(adata)[:, positions(adata.var_names, genes)])
    return np.asarray(columns.toarray(), dtype=np.float64)


# ---------------------------------------------------------------- markers by lineage


def lineage_markers(adata: ad.AnnData, signatures: Signatures) -> pd.DataFrame:
    """Return how many cells of each myeloid lineage show each marker (= lineage_markers.tsv).

    Of each lineage the `PER_LINEAGE` markers are taken that some lineage shows most, whichever it is: a choice of those
    that suit the gate would hide its mistakes. Microglia called recovery cells are a row of their own.
    """
    groups = _groups(obs_of(adata))
    sizes = groups.value_counts()
    names = [name for name in ("recovery_microglia", *MYELOID) if sizes.get(name, 0) >= FEW_CELLS]
    rows: list[tuple[object, ...]] = []
    depth = adata.obs["n_counts"].to_numpy(float)
    for marker_of, genes in _marker_groups(adata, signatures, sizes):
        counts = _dense(adata, genes)
        detected = np.array([(counts[(groups == name).to_numpy()] > 0).mean(axis=0) for name in names])
        chosen = np.argsort(-detected.max(axis=0, initial=0), kind="stable")[:PER_LINEAGE]
        for column in sorted(chosen):
            for place, name in enumerate(names):
                mine = (groups == name).to_numpy()
                mean = 1e4 * counts[mine, column].sum() / depth[mine].sum()
                rows.append((marker_of, genes[column], name, int(mine.sum()), detected[place, column], mean))
    return pd.DataFrame(rows, columns=list(MARKER_COLUMNS))


def _groups(obs: pd.DataFrame) -> pd.Series:
    """Return the lineage of each cell, recovery cells apart."""
    lineage = obs["lineage"].astype(str)
    if "recovery_call" not in obs:
        return lineage
    return lineage.mask((obs["recovery_call"].astype(str) == "yes") & (lineage == "microglia"), "recovery_microglia")


def _marker_groups(adata: ad.AnnData, signatures: Signatures, sizes: pd.Series) -> list[tuple[str, list[str]]]:
    """Return the subgroup's two genes, then the markers of each myeloid lineage that was found."""
    there = set(adata.var_names)
    groups = [("subgroup", present(SUBGROUP, there))]
    groups += [
        (name, present(signatures.lineages[name].up, there))
        for name in MYELOID
        if name in signatures.lineages and sizes.get(name, 0) >= FEW_CELLS
    ]
    return [(name, genes) for name, genes in groups if genes]


# ---------------------------------------------------------------- Igf1 of the microglia


def igf1_by_state(obs: pd.DataFrame, igf1: Sequence[float] | Floats) -> pd.DataFrame:
    """Return which states of microglia hold the *Igf1* counts of each animal's microglia (= igf1_states.tsv).

    Empty where recovery cells could not be called: one of the states is theirs. Within microglia this means the same in sorted and in whole tissue.

    Parameters
    ----------
    obs
        One row a myeloid cell: lineage, subject, day, condition, state, recovery_call.
    igf1
        Counts of *Igf1*, one a cell.
    """
    microglia = (obs["lineage"].astype(str) == "microglia").to_numpy()
    call = obs["recovery_call"].astype(str)[microglia]
    if not call.isin(["yes", "no"]).any():
        return pd.DataFrame(columns=list(STATE_COLUMNS))
    cells = obs.loc[microglia, ["subject", "day", "condition"]].astype({"subject": str, "condition": str})
    state = obs.loc[microglia, "state"].astype(object).fillna("none").astype(str).replace("", "none")
    # a call is stricter than a state: what is nearest to recovery without being called is named as such
    cells["state"] = state.mask((state == "recovery") & (call != "yes"), "near_recovery").mask(
        call == "yes", "recovery"
    )
    cells["igf1_counts"] = np.asarray(igf1, dtype=float)[microglia]
    animals = ["subject", "day", "condition"]
    found = (
        cells.groupby([*animals, "state"], dropna=False, sort=True)["igf1_counts"].agg(["size", "sum"]).reset_index()
    )
    found = found.rename(columns={"size": "cells", "sum": "igf1_counts"})
    found["microglia_igf1_counts"] = found.groupby(animals, dropna=False)["igf1_counts"].transform("sum")
    found["share"] = found["igf1_counts"] / found["microglia_igf1_counts"].where(found["microglia_igf1_counts"] > 0)
    return found[list(STATE_COLUMNS)]


# ---------------------------------------------------------------- the gate


def gate_table(cells: pd.DataFrame) -> pd.DataFrame:
    """Return how clear the lineage gate was: kept cells by lineage and next likeliest one (= gate.tsv).

    Parameters
    ----------
    cells
        All called cells: removed_by (empty: kept), lineage, lineage_confidence, lineage_runner_up.
    """
    kept = cells[cells["removed_by"].astype(object).fillna("") == ""]
    frame = pd.DataFrame({
        "lineage": kept["lineage"].astype(str),
        "runner_up": kept["lineage_runner_up"].astype(object).fillna("").astype(str),
        "confidence": kept["lineage_confidence"].astype(float),
    })  # fmt: skip
    grouped = frame.groupby(["lineage", "runner_up"], sort=True)["confidence"]
    measures = grouped.agg(cells="size", confidence_median="median", confidence_low=lambda v: v.quantile(0.05))
    table = measures.reset_index()
    table["share_of_lineage"] = table["cells"] / table.groupby("lineage")["cells"].transform("sum")
    ordered = table.sort_values(["lineage", "cells"], ascending=[True, False], kind="stable", ignore_index=True)
    return ordered[list(GATE_COLUMNS)]


def page_tables(
    adata: ad.AnnData, cells: pd.DataFrame, signatures: Signatures
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Return the tables of this module by name, and the counts that pages draw.

    Parameters
    ----------
    adata
        The finished myeloid cells: raw counts in X, obs with lineage, state and calls.
    cells
        All called cells of all libraries.
    signatures
        The gene sets.
    """
    counts = shown_genes(adata, signatures)
    igf1 = counts["Igf1"].to_numpy(float) if "Igf1" in counts else np.zeros(len(counts))
    known = "Igf1" in counts and {"state", "recovery_call"} <= set(adata.obs)
    tables = {
        "gate": gate_table(cells),
        "lineage_markers": lineage_markers(adata, signatures),
        "igf1_states": igf1_by_state(obs_of(adata), igf1) if known else pd.DataFrame(columns=list(STATE_COLUMNS)),
    }
    return tables, counts
