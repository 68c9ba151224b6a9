"""What the marker genes of the lineages say of each cell, on their own."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from recovery_microglia.core.arrays import Floats, Integers
from recovery_microglia.core.frame_access import positions
from recovery_microglia.core.genes import MYELOID, Signatures, present
from recovery_microglia.library.lineage.evidence import MeasuredCounts

Columns = Mapping[str, Integers]

SEED_EVIDENCE, SEED_MARGIN = 3.5, 2.0
"""Evidence (a z-like number) that a seed needs for its lineage, and its lead over the next lineage."""
MAX_COUNT = 3
"""A gene counts this much at most: one gene alone proves nothing."""
MIN_MARKERS = 2
"""Marker genes that a blood cell must show: *Tcf4* or *Fscn1* alone make no dendritic cell of a neuron."""
MANY_MARKERS = 4
"""Marker genes that stand in for the genes of all white blood cells."""
BLOOD = (*(name for name in MYELOID if name != "microglia"), "t_cell", "nk_cell", "b_cell")
LEUKOCYTE = (
    *("Ptprc", "Laptm5", "Fcer1g", "Lcp1", "Cd53", "Coro1a", "Rac2", "Spi1", "Cd37", "Ctss"),
    *("Arhgdib", "Cd52", "Itgb2", "Cybb", "Fyb", "Fyb1", "Cytip", "Alox5ap", "Srgn"),
)
"""Genes of all white blood cells and microglia (general knowledge, checked on GSE111527). A cell without them is
none of these, whatever else it shows: *S100a4* and *S100a6* mark macrophages, but also astrocytes there."""
MIN_LEUKOCYTE_GENES = 4


def marker_columns(signatures: Signatures, genes: pd.Index) -> dict[str, Integers]:
    """Return the columns of each lineage's markers, for lineages with at least two (or all) of them."""
    found, available = {}, set(genes)
    for name, markers in signatures.lineages.items():
        here = present(markers.up, available)
        if len(here) >= min(2, len(markers.up)):
            found[name] = positions(genes, here)
    return found


def gene_weights(signatures: Signatures, genes: pd.Index) -> Floats:
    """Return the weight of each gene: 0 for genes of microglial states, 0.2 for MHC-II, else 1."""
    markers = {gene for marker_set in signatures.lineages.values() for gene in marker_set.up}
    states = {gene for state, genes_ in signatures.states.items() if state != "homeostatic" for gene in genes_.up}
    moving = set(signatures.recovery.up) | set(signatures.context.up) | states
    technical = {gene for gene_set in signatures.technical.values() for gene in gene_set.up}
    # a marker of microglia that a state moves says microglia all the same
    blocked = (moving - set(signatures.lineages["microglia"].up)) | (technical - markers) | {"Malat1", "Xist"}
    weights = np.where(genes.isin(list(blocked)) | genes.str.match(r"mt-|MT-|Rpl|Rps"), 0.0, 1.0)
    for marker_set in signatures.lineages.values():
        mhc2 = [gene for gene, role in marker_set.roles.items() if role == "mhc2"]
        weights[genes.isin(mhc2)] = 0.2
    return weights


def capped_mean(mean: Floats) -> Floats:
    """Return the mean of a Poisson count that is cut at `MAX_COUNT`: the sum of P(X >= k) for k up to there."""
    term, below, capped = np.exp(-mean), np.zeros_like(mean), np.zeros_like(mean)
    for k in range(MAX_COUNT):
        below += term
        capped += 1 - below
        term = term * mean / (k + 1)
    return capped


def marker_evidence(
    counts: MeasuredCounts, columns: Columns, background: Floats, weights: Floats, *, min_markers: int = MIN_MARKERS
) -> Floats:
    """Return the evidence for each lineage in each cell (cells × lineages), in units of a normal deviate.

    Fewer than ``min_markers`` different genes are no evidence; what the others say, see `marker_deviates`.
    """
    return enough_markers(*marker_deviates(counts, columns, background, weights), min_markers)


def enough_markers(deviate: Floats, different: Integers, least: int) -> Floats:
    """Return the evidence where at least so many different marker genes were seen; elsewhere it cannot be positive."""
    return np.where(different >= least, deviate, np.minimum(deviate, 0))


def marker_deviates(
    counts: MeasuredCounts, columns: Columns, background: Floats, weights: Floats
) -> tuple[Floats, Integers]:
    """Return what the markers of each lineage say, and how many of them were seen (both cells × lineages).

    Signed root of the Poisson deviance of the marker counts against ``background`` (counts of each gene that a
    count of the cell brings by chance) at the cell's depth. A gene counts `MAX_COUNT` at most.
    """
    every = np.unique(np.concatenate(list(columns.values())))
    markers = counts.columns(every)  # one pass over all counts; the lineages' own are a few hundred
    shape = (counts.n_cells, len(columns))
    deviate, different = np.zeros(shape), np.zeros(shape, dtype=np.int64)
    for number, used in enumerate(columns.values()):
        part = markers[:, np.searchsorted(every, used)].astype(np.float64)
        part.data = np.minimum(part.data, MAX_COUNT)
        seen = part @ weights[used]
        expected = np.maximum(capped_mean(counts.total[:, None] * background[used]) @ weights[used], 0.02)
        with np.errstate(divide="ignore", invalid="ignore"):
            deviance = 2 * (np.where(seen > 0, seen * np.log(seen / expected), 0) - (seen - expected))
        deviate[:, number] = np.sign(seen - expected) * np.sqrt(np.maximum(deviance, 0))
        different[:, number] = np.diff(part.indptr)
    return deviate, different


def leukocyte_evidence(counts: MeasuredCounts, genes: pd.Index, background: Floats) -> Floats:
    """Return the evidence that a cell is a white blood cell or microglia; NaN where the genes are absent."""
    columns = positions(genes, present(LEUKOCYTE, set(genes)))
    if len(columns) < MIN_LEUKOCYTE_GENES:
        return np.full(counts.n_cells, np.nan)
    return marker_evidence(counts, {"leukocyte": columns}, background, np.ones(len(genes)), min_markers=1)[:, 0]


def seeds(evidence: Floats) -> Integers:
    """Return the lineage number of each clear cell, -1 for the others."""
    order = np.sort(evidence, axis=1)
    clear = (order[:, -1] >= SEED_EVIDENCE) & (order[:, -1] - order[:, -2] >= SEED_MARGIN)
    return np.where(clear, evidence.argmax(axis=1), -1)
