"""Rank-based scores of gene sets on uncorrected counts.

UCell (Andreatta and Carmona 2021, Comput Struct Biotechnol J 19:3796) is linear in the *gain* of each gene, which
is how far its rank in the cell lies before `max_rank`. So the ranks are computed once, and the scores of any
number of gene sets are one sparse product: a thousand random sets cost as much as one.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from recovery_microglia.core.arrays import Bools, Floats, Integers
from recovery_microglia.core.genes import present

BLOCK = 2_000
"""Cells that are looked at together, so that memory does not grow with what is made on the way."""


def rank_gains(counts: sp.csr_matrix, *, max_rank: int = 1500) -> sp.csr_matrix:
    """Return ``max_rank - rank`` of each detected gene in its cell (cells × genes), 0 beyond ``max_rank``.

    Parameters
    ----------
    counts
        Cells × genes, raw counts without explicit zeros.
    max_rank
        Ranks from here on count as not detected. Rank 1 is the highest count; ties share their mean rank.
    """
    counts = counts.tocsr()
    # half ranks: single precision holds them exactly
    gain = np.empty(counts.nnz, dtype=np.float32)
    for first in range(0, counts.shape[0], BLOCK):
        ends = counts.indptr[first : first + BLOCK + 1]
        gain[ends[0] : ends[-1]] = _gains(counts.data[ends[0] : ends[-1]], np.diff(ends), max_rank)
    return sp.csr_matrix((gain, counts.indices, counts.indptr), shape=counts.shape)


def _gains(data: NDArray[np.number], lengths: NDArray[np.integer], max_rank: int) -> Floats:
    """Return the gains of some cells' counts, one cell after the other with ``lengths`` counts each."""
    if len(data) == 0:
        return np.zeros(0)
    cell = np.repeat(np.arange(len(lengths)), lengths)
    order = np.lexsort((-data, cell))
    value, owner = data[order], cell[order]
    position = np.arange(len(order)) - (np.cumsum(lengths) - lengths)[owner] + 1.0
    # one tie: same cell, same count; all get the mean of its first and last position
    start = np.concatenate([[True], (value[1:] != value[:-1]) | (owner[1:] != owner[:-1])])
    first = np.flatnonzero(start)
    last = np.concatenate([first[1:], [len(order)]]) - 1
    rank = ((position[first] + position[last]) / 2)[np.cumsum(start) - 1]
    gain = np.empty(len(order))
    gain[order] = np.maximum(max_rank - rank, 0.0)
    return gain


def rank_scores(gains: sp.csr_matrix, membership: sp.csc_matrix, *, max_rank: int = 1500) -> Floats:
    """Return UCell scores between 0 and 1 (cells × sets).

    Parameters
    ----------
    gains
        From `rank_gains`.
    membership
        Genes × sets, 1 where a gene belongs to a set. An empty set scores NaN.
    """
    size = np.asarray(membership.sum(axis=0)).ravel()
    most = size * max_rank - size * (size + 1) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((gains @ membership).toarray() / np.where(size > 0, most, np.nan))


def membership(sets: Sequence[Sequence[str]], genes: pd.Index) -> sp.csc_matrix:
    """Return genes × sets with 1 where a gene belongs to a set; genes that are not there are left out."""
    # once for all sets: an index of text makes its 25,000 names anew each time it is walked through
    place = {gene: number for number, gene in enumerate(genes)}
    pairs = [(place[gene], number) for number, members in enumerate(sets) for gene in members if gene in place]
    row, column = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return sp.csc_matrix((np.ones(len(row)), (row, column)), shape=(len(genes), len(sets)))


def score_sets(
    gains: sp.csr_matrix,
    genes: pd.Index,
    sets: Mapping[str, Sequence[str]],
    *,
    max_rank: int = 1500,
    least: int = 2,
) -> pd.DataFrame:
    """Return one column a set with its score per cell; NaN where fewer than ``least`` genes exist."""
    table = pd.DataFrame(
        rank_scores(gains, membership(list(sets.values()), genes), max_rank=max_rank), columns=list(sets)
    )
    here = set(genes)
    for name, members in sets.items():
        if len(present(members, here)) < least:
            table[name] = np.nan
    return table


def thin_counts(counts: sp.csr_matrix, depth: float, *, seed: int, kept: Integers | None = None) -> sp.csr_matrix:
    """Return counts with every cell above ``depth`` thinned to about that depth (binomial, molecule by molecule).

    With ``kept`` only these columns stay as they are: the thinned counts of all other genes of a cell stand together in the first column that
    is not among them, so that depths are right and a large study has no second copy of its counts.
    """
    counts = counts.tocsr()
    total = np.asarray(counts.sum(axis=1)).ravel()
    keep = np.minimum(depth / np.maximum(total, 1), 1.0)
    rng = np.random.default_rng(seed)
    parts = []
    for first in range(0, counts.shape[0], BLOCK):
        block = counts[first : first + BLOCK].astype(np.int32)
        block.data = rng.binomial(block.data, np.repeat(keep[first : first + BLOCK], np.diff(block.indptr))).astype(
            np.int32
        )
        block.eliminate_zeros()
        parts.append(block if kept is None else _together(block, kept))
    return sp.csr_matrix(sp.vstack(parts, format="csr")) if parts else counts.astype(np.int32)


def _together(counts: sp.csr_matrix, kept: Integers) -> sp.csr_matrix:
    """Return counts whose columns other than ``kept`` are added up in the first of them, if there is one."""
    others = np.setdiff1d(np.arange(counts.shape[1]), kept)
    if not len(others):
        return counts
    place = np.full(counts.shape[1], others[0])
    place[kept] = kept
    together = sp.csr_matrix((counts.data, place[counts.indices], counts.indptr), shape=counts.shape)
    together.sum_duplicates()
    return together


def matched_sets(
    genes: Integers,
    detection: Floats,
    mean: Floats,
    allowed: Bools,
    *,
    n_sets: int,
    seed: int,
) -> list[Integers]:
    """Return random gene sets matched to a signature on expression and detection.

    Parameters
    ----------
    genes
        Columns of the signature's genes.
    detection, mean
        Share of control microglia with the gene, and its mean count, per column.
    allowed
        Columns that may be drawn (not in any signature).
    n_sets
        Number of sets; each has one gene for each signature gene, drawn from its 50 nearest in detection and mean.
    """
    pool = np.flatnonzero(allowed)
    place = np.column_stack([np.log10(detection + 1e-3), 0.5 * np.log10(mean + 1e-3)])
    rng = np.random.default_rng(seed)
    drawn = np.empty((n_sets, len(genes)), dtype=np.int64)
    for column, gene in enumerate(genes):
        distance = ((place[pool] - place[gene]) ** 2).sum(axis=1)
        near = pool[np.argsort(distance, kind="stable")[:50]]
        drawn[:, column] = rng.choice(near, n_sets)
    return [np.unique(row) for row in drawn]
