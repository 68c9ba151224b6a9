"""Which barcodes of an unfiltered matrix are cells.

Two steps, as Cell Ranger 3 and later: OrdMag takes the barcodes with many counts; a Monte-Carlo test against
the ambient profile (EmptyDrops, Lun et al. 2019, Genome Biology 20:63) adds those with fewer counts whose RNA
is not what floats around.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from recovery_microglia.core.arrays import Bools, Floats, Integers
from recovery_microglia.core.errors import InputError
from recovery_microglia.core.kernels import row_sums
from recovery_microglia.core.statistics import benjamini_hochberg

EMPTY_COUNTS = 100
"""Barcodes with at most this many counts are taken for empty (EmptyDrops' default)."""


@dataclass(frozen=True)
class Called:
    """Which barcodes are cells.

    Attributes
    ----------
    mask
        One bool a barcode.
    ambient
        Share of each gene in the RNA of empty droplets, summing to one; None where there are too few.
    threshold
        Counts above which OrdMag takes every barcode.
    n_ordmag, n_added
        Cells taken by their counts, and cells added by the test against the ambient profile.
    """

    mask: Bools
    ambient: Floats | None
    threshold: float
    n_ordmag: int
    n_added: int


def looks_unfiltered(counts: sp.csr_matrix) -> bool:
    """Return whether a matrix (barcodes × genes) still holds empty droplets.

    A filtered matrix has hardly any barcode with a hundred counts or fewer; in an unfiltered one many have.
    Panels of few genes are taken as filtered: their counts are low anyway.
    """
    if counts.shape[1] < 1000 or counts.shape[0] < 500:
        return False
    total = row_sums(counts)
    return bool((total <= EMPTY_COUNTS).mean() > 0.2)


def ordmag_threshold(total: Floats) -> float:
    """Return the counts above which a barcode is a cell: a tenth of the 99th percentile of the cells' counts.

    The number of cells that the percentile needs is estimated as Cell Ranger 7 does: the number N for which
    the rule, fed with N, gives back N most closely (squared difference over N).
    """
    ranked = np.sort(total)[::-1]
    tried = np.unique(np.geomspace(20, max(len(ranked) // 2, 21), 400).astype(int))
    tried = tried[tried <= len(ranked)]
    if len(tried) == 0:
        return 1.0
    cut = np.maximum(ranked[(tried * 0.01).astype(int)] / 10, 1.0)
    got = np.searchsorted(-ranked, -cut, side="right")
    return float(cut[np.argmin((got - tried) ** 2 / tried)])


def _good_turing(pool: Integers) -> Floats:
    """Return the ambient share of each gene; unseen ones share that of the once-seen (Good-Turing)."""
    total, seen_once = pool.sum(), int((pool == 1).sum())
    unseen = pool == 0
    rest = min(max(seen_once, 1) / total, 0.5) if unseen.any() else 0.0
    share = pool / total * (1 - rest)
    share[unseen] = rest / max(unseen.sum(), 1)
    return np.asarray(share, dtype=np.float64)


def _log_likelihood(counts: sp.csr_matrix, log_share: Floats) -> Floats:
    """Return the multinomial log-likelihood of each barcode without the factorial of its total."""
    from scipy.special import gammaln

    terms = counts.copy().astype(np.float64)
    terms.data = terms.data * log_share[terms.indices] - gammaln(terms.data + 1)
    return np.asarray(terms.sum(axis=1)).ravel()


def ambient_p_values(counts: sp.csr_matrix, ambient: Floats, *, rounds: int, seed: int) -> Floats:
    """Return for each barcode the Monte-Carlo p that its RNA is ambient (Lun 2019).

    ``rounds`` series of molecules are drawn once; the first n of a series are a draw of n molecules, so that
    one series serves every total. The smallest p is 1 / (rounds + 1).
    """
    total = np.asarray(counts.sum(axis=1)).ravel().astype(int)
    log_share = np.log(np.maximum(ambient, 1e-300))
    observed = _log_likelihood(counts, log_share)
    order = np.argsort(total)
    rng = np.random.default_rng(seed)
    lower = np.zeros(len(total))
    cumulative = np.cumsum(ambient) / ambient.sum()
    for _ in range(rounds):
        genes = np.searchsorted(cumulative, rng.random(int(total.max(initial=0))))
        seen = _occurrence(genes)
        # adding molecule k of a gene turns n! into (n+1)!: the log-likelihood falls by log of its occurrence
        path = np.concatenate([[0.0], np.cumsum(log_share[genes] - np.log(seen))])
        lower[order] += path[total[order]] <= observed[order]
    return (lower + 1) / (rounds + 1)


def _occurrence(items: Integers) -> Integers:
    """Return for each item how often it has come up so far, itself included."""
    order = np.argsort(items, kind="stable")
    ranked = items[order]
    start = np.concatenate([[True], ranked[1:] != ranked[:-1]]) if len(items) else np.zeros(0, dtype=bool)
    first = np.maximum.accumulate(np.where(start, np.arange(len(items)), 0))
    found = np.empty(len(items), dtype=np.int64)
    found[order] = np.arange(len(items)) - first + 1
    return found


def call_cells(
    counts: sp.csr_matrix, *, min_counts: int = 500, rounds: int = 1000, fdr: float = 0.01, seed: int = 1
) -> Called:
    """Call the cells of an unfiltered matrix.

    Parameters
    ----------
    counts
        Barcodes × genes, raw counts.
    min_counts
        Barcodes below are never cells (500 as in Cell Ranger).
    rounds
        Monte-Carlo rounds of the ambient test.
    fdr
        False-discovery rate among the barcodes that the test adds.
    seed
        Seed of the test.

    Raises
    ------
    InputError
        No barcode has ``min_counts`` counts.
    """
    total = row_sums(counts).astype(np.float64)
    if not (total >= min_counts).any():
        most = f"the largest has {total.max(initial=0):.0f}"
        raise InputError(f"no barcode has {min_counts} counts or more ({most}): no cells")
    threshold = max(ordmag_threshold(total), float(min_counts))
    mask = total >= threshold
    n_ordmag = int(mask.sum())
    empty = total <= EMPTY_COUNTS
    pool = np.asarray(counts[empty].sum(axis=0)).ravel().astype(np.int64)
    if pool.sum() < 10_000:  # too little RNA to know the ambient profile; the rule by counts stands alone
        return Called(mask, None, threshold, n_ordmag, 0)
    ambient = _good_turing(pool)
    between = np.flatnonzero((total >= min_counts) & ~mask)
    if len(between):
        p = ambient_p_values(counts[between], ambient, rounds=rounds, seed=seed)
        mask[between[benjamini_hochberg(p) <= fdr]] = True
    return Called(mask, pool / pool.sum(), threshold, n_ordmag, int(mask.sum()) - n_ordmag)
