"""What the marker genes of the lineages say of each cell, on their own."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import scipy.sparse as sp

from recovery_microglia.core.arrays import Bools, Floats, Integers
from recovery_microglia.core.frame_access import positions
from recovery_microglia.core.genes import MYELOID, Signatures, present
from recovery_microglia.library.lineage.evidence import MeasuredCounts

Columns = Mapping[str, Integers]

SEED_EVIDENCE, SEED_MARGIN = 3.5, 2.0
"""Evidence (a z-like number) that a seed needs for its lineage, and its lead over the next lineage."""
POOLED_NATS, POOLED_MARGIN = 3.0, 2.0
"""The same for the mean over a cell's neighbours, in nats."""
MAX_COUNT = 3
"""A gene counts this much at most in a profile's likelihood: one gene alone proves nothing."""
LEVEL = 3e-4
"""Share of a cell's counts that a marker holds at least where it is on."""
ON, LEUKOCYTE_ON = 0.7, 0.6
"""Share of the cells of a lineage in which one of its markers is on, and a gene of all white blood cells."""
MAX_LOG_RATIO = 5.0
"""Bound on what one gene says: with `ON`, a log-likelihood ratio of 3.3."""
MIN_MARKERS = 2
"""Marker genes that a blood cell must show: *Tcf4* or *Fscn1* alone make no dendritic cell of a neuron."""
MANY_MARKERS = 4
"""Marker genes that stand in for the genes of all white blood cells."""
BLOOD = (*(name for name in MYELOID if name != "microglia"), "t_cell", "nk_cell", "b_cell")
MACROPHAGES = ("infiltrating_macrophage", "monocyte", "border_macrophage")
"""Lineages that hold the microglia's markers of the role ``myeloid`` too."""
MIN_LEUKOCYTE_GENES = 4
"""Genes of all white blood cells that must have been measured for a cell to be judged by them."""


def marker_columns(signatures: Signatures, genes: pd.Index) -> dict[str, Integers]:
    """Return the columns of each lineage's markers, for lineages with at least two (or all) of them."""
    found, available = {}, set(genes)
    for name, markers in signatures.lineages.items():
        here = present(markers.up, available)
        if len(here) >= min(2, len(markers.up)):
            found[name] = positions(genes, here)
    return found


def shared_markers(signatures: Signatures, genes: pd.Index, columns: Columns) -> dict[str, Bools]:
    """Return which markers of each lineage (see `marker_columns`) other kinds of cell hold as well, by their role."""
    roles = {name: signatures.lineages[name].roles for name in columns}
    return {
        name: np.array([roles[name].get(gene) == "shared" for gene in genes[used]]) for name, used in columns.items()
    }


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


def presence(seen: sp.csr_matrix, total: Integers, background: Floats, level: Floats, on: float) -> Floats:
    """Return what each gene says for a cell of a lineage that it marks, against ambient RNA (cells × genes, in nats).

    A gene that is on holds the share ``level`` of the cell's counts, one that is not the share ``background``; it is on
    in the share ``on`` of the lineage's cells. Poisson, the log-likelihood ratio bounded by `MAX_LOG_RATIO`.
    """
    ratio = seen.toarray() * np.log(level / background) - total[:, None] * (level - background)
    return np.asarray(np.log1p(on * np.expm1(np.minimum(ratio, MAX_LOG_RATIO))))


def as_deviate(nats: Floats) -> Floats:
    """Return a log-likelihood ratio in units of a normal deviate, its sign kept."""
    return np.asarray(np.sign(nats) * np.sqrt(2 * np.abs(nats)))


def marker_evidence(
    counts: MeasuredCounts,
    columns: Columns,
    background: Floats,
    weights: Floats,
    shared: Mapping[str, Bools],
    leukocyte: Bools,
    myeloid: Integers,
) -> tuple[Floats, Integers, Floats]:
    """Return the evidence for each lineage in nats, how many different markers speak for it, and its own evidence.

    All cells × lineages; the own evidence is that without genes that microglia and macrophages have in common.

    ``shared`` says which markers of a lineage of white blood cells other cells hold as well: these speak only in cells
    that are white blood cells (``leukocyte``), and are never counted among the different ones.
    """
    every = np.unique(np.concatenate(list(columns.values())))
    markers = counts.columns(every)  # one pass over all counts; the lineages' own are a few hundred
    level = np.maximum(LEVEL, counts.whole[every] / max(counts.whole.sum(), 1)) + background[every]
    said = presence(markers, counts.total, background[every], level, ON)
    bonus = said[:, np.searchsorted(every, myeloid)] @ weights[myeloid]
    shape = (counts.n_cells, len(columns))
    evidence, different = np.zeros(shape), np.zeros(shape, dtype=np.int64)
    for number, (name, used) in enumerate(columns.items()):
        own, common = said[:, np.searchsorted(every, used)], shared[name]
        evidence[:, number] = own[:, ~common] @ weights[used[~common]]
        evidence[:, number] += leukocyte * (own[:, common] @ weights[used[common]])
        different[:, number] = (own[:, ~common] > 0).sum(axis=1)
        if name in MACROPHAGES:
            evidence[:, number] += bonus
    alone = evidence - bonus[:, None] * np.isin(list(columns), MACROPHAGES)
    return evidence, different, alone


def enough_markers(deviate: Floats, different: Integers, least: int) -> Floats:
    """Return the evidence where at least so many different marker genes speak; elsewhere it cannot be positive."""
    return np.where(different >= least, deviate, np.minimum(deviate, 0))


def leukocyte_evidence(
    counts: sp.csr_matrix, genes: pd.Index, names: Sequence[str], total: Integers, background: Floats
) -> Floats:
    """Return the evidence that a cell is a white blood cell or microglia; NaN where the genes are absent."""
    columns = positions(genes, present(names, set(genes)))
    if len(columns) < MIN_LEUKOCYTE_GENES:
        return np.full(counts.shape[0], np.nan)
    seen = counts[:, columns]
    mean = np.asarray(seen.sum(axis=0), dtype=np.float64).ravel() / max(float(total.sum()), 1.0)
    level = np.maximum(LEVEL, mean) + background[columns]
    return as_deviate(presence(seen, total, background[columns], level, LEUKOCYTE_ON).sum(axis=1))


def seeds(evidence: Floats) -> Integers:
    """Return the lineage number of each clear cell, -1 for the others."""
    order = np.sort(evidence, axis=1)
    clear = (order[:, -1] >= SEED_EVIDENCE) & (order[:, -1] - order[:, -2] >= SEED_MARGIN)
    return np.where(clear, evidence.argmax(axis=1), -1)


def pooled_seeds(pooled: Floats, evidence: Floats, white: Bools) -> Integers:
    """Return the lineage number of each cell that its neighbourhood makes clear (nats), -1 for the others.

    ``white``: which lineages are of white blood cells. The lead over any other lineage is that of `SEED_MARGIN`: the
    neighbours of a doublet are doublets of the same two kinds.
    """
    order = np.sort(pooled, axis=1)
    best = pooled.argmax(axis=1)
    clear = (order[:, -1] >= POOLED_NATS) & (order[:, -1] - order[:, -2] >= POOLED_MARGIN)
    tissue = as_deviate(pooled[:, ~white]).max(axis=1, initial=-np.inf)
    clear &= as_deviate(order[:, -1]) - tissue >= SEED_MARGIN
    clear &= evidence[np.arange(len(best)), best] > 0
    return np.where(clear & white[best], best, -1)
