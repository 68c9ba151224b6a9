"""Doublets of one library by Scrublet.

Wolock, Lopez and Klein 2019, Cell Systems 8:281. scanpy has the method too, but importing scanpy costs more
than the whole job of a library, so the arithmetic stands here in numpy; a test compares the two.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from recovery_microglia.core.arrays import Bools, Floats, Integers, Singles
from recovery_microglia.core.kernels import column_moments, row_sums
from recovery_microglia.library.doublet_kernels import late_among_nearest, log_rows, square_sums

MIN_CELLS, MIN_GENES = 100, 500
"""Below, neighbours are too few or a doublet looks like its cells: no scores are given."""


AT_ONCE = 10_000
"""Cells or simulated doublets that are held densely at once; of larger libraries so many cells give the axes."""
GROUP, SEARCHED, LONELY = 200, 50, 0.02
"""Points of a group in large libraries, how many times k points are searched for k neighbours, and the share of points,
those farthest from the centre of their group, whose neighbours are looked for among all."""
MIN_SCORE = 0.15
"""No cell below is a doublet: rare kinds of cell, with few neighbours of their own, reach 0.1."""
MIN_DETECTABLE = 0.05
"""Share of the simulated doublets that must reach a score before it can serve as threshold."""
RATE_PER_CELL, MOST_EXPECTED = 8e-6, 0.3
"""Doublets expected for each cell of a library, and their largest share."""


@dataclass(frozen=True)
class Doublets:
    """Scores of the cells, and what was called.

    Attributes
    ----------
    score
        Probability-like score per cell; NaN where the method could not run.
    called
        One bool a cell.
    threshold
        Score from which a cell is called a doublet; NaN where none is called.
    reason
        Why the method could not run or call, else empty.
    """

    score: Floats
    called: Bools
    threshold: float
    reason: str


def _variable_genes(counts: sp.csr_matrix, cells: Integers, n_genes: int) -> Integers:
    """Return the genes with the highest dispersion for their mean (ranked within bins of the mean)."""
    mean, square, n_cells = column_moments(counts, cells)
    variance = square - mean**2
    seen = np.flatnonzero(n_cells >= 3)
    fano = np.log(np.maximum(variance[seen], 1e-12) / mean[seen])
    rank = np.argsort(np.argsort(mean[seen], kind="stable"), kind="stable")
    group = rank * 20 // max(len(seen), 1)
    excess = fano.copy()
    for number in np.unique(group):
        excess[group == number] -= np.median(fano[group == number])
    return np.asarray(np.sort(seen[np.argsort(-excess, kind="stable")[:n_genes]]))


def _scale(dense: Singles, sd: Singles) -> Singles:
    """Return centred expression in units of the observed cells' SD, cut at 10; in place, as a copy is 150 MB in a large library."""
    dense /= sd
    return np.clip(dense, -10, 10, out=dense)


def _axes(observed: Singles, n: int) -> Singles:
    """Return the leading principal axes of the observed (genes × n)."""
    from scipy.sparse.linalg import eigsh

    # A truncated solver: the twenty axes of 1,500 genes cost a twentieth of all of them. Fixed start, same answer.
    _, axes = eigsh(observed.T @ observed, k=n, v0=np.ones(observed.shape[1], dtype=observed.dtype))
    return np.asarray(axes)


def _simulated_neighbours(
    points: Singles, n_observed: int, k: int, *, block_size: int = 4_000_000, exact_up_to: int = 20_000
) -> Floats:
    """Return for each point how many of its k nearest neighbours are simulated (``block_size`` distances at once).

    Above ``exact_up_to`` points neighbours are looked for among the points of the nearest groups only, see `_grouped`.
    """
    points = points.astype(np.float32)
    norm = (points**2).sum(axis=1)
    late = np.arange(len(points)) >= n_observed
    found = np.empty(len(points))
    everyone = np.arange(len(points))
    searches = [(everyone, everyone)] if len(points) <= exact_up_to else _grouped(points, SEARCHED * k)
    for asking, among in searches:
        near, lengths, is_late = points.take(among, axis=0), norm.take(among), late.take(among)
        block = max(block_size // len(among), 1)
        for start in range(0, len(asking), block):
            some = asking[start : start + block]
            product = (2 * points[some]) @ near.T
            found[some] = late_among_nearest(product, lengths, is_late, start=start, k=k)
    return found


def _grouped(points: Singles, n_searched: int) -> Iterator[tuple[Integers, Integers]]:
    """Yield groups of like points, and among which points their neighbours are to be looked for (themselves first).

    Groups are those of a short k-means; the nearest groups are taken until they hold ``n_searched`` points. An inverted
    file search (Jégou et al. 2011, IEEE TPAMI 33:117), but of a whole group at once, so that it is a matrix product.
    """
    rng = np.random.default_rng(1)
    centres = points[rng.choice(len(points), len(points) // GROUP, replace=False)]
    some = points[rng.choice(len(points), min(len(points), 50 * len(centres)), replace=False)]
    for _ in range(5):
        of_group = _nearest(some, centres)
        size = np.bincount(of_group, minlength=len(centres))
        kept = size > 0
        shape = len(centres), len(some)
        sums = sp.csr_matrix((np.ones(len(some), np.float32), (of_group, np.arange(len(some)))), shape=shape) @ some
        centres = np.asarray(sums[kept] / size[kept, None], dtype=np.float32)
    of_group = _nearest(points, centres)
    away = ((points - centres[of_group]) ** 2).sum(axis=1)
    lonely = away > np.quantile(away, 1 - LONELY)
    members = np.split(
        np.argsort(of_group, kind="stable"), np.cumsum(np.bincount(of_group, minlength=len(centres)))[:-1]
    )
    for number, own in enumerate(members):
        distance = ((centres - centres[number]) ** 2).sum(axis=1)
        distance[number] = -1
        nearest = np.argsort(distance, kind="stable")
        enough = int(np.searchsorted(np.cumsum([len(members[group]) for group in nearest]), n_searched)) + 1
        first = np.argsort(lonely[own], kind="stable")
        yield (
            own[first][: int((~lonely[own]).sum())],
            np.concatenate([own[first], *(members[g] for g in nearest[1:enough])]),
        )
    order = np.argsort(~lonely, kind="stable")
    yield order[: int(lonely.sum())], order


def _nearest(points: Singles, centres: Singles) -> Integers:
    """Return the number of the nearest centre of each point."""
    half = (centres**2).sum(axis=1) / 2
    blocks = range(0, len(points), 10_000)
    return np.concatenate([(half - points[start : start + 10_000] @ centres.T).argmin(axis=1) for start in blocks])


def _valley(simulated: Floats) -> float:
    """Return the deepest valley between two modes of the simulated scores; infinite where there is none.

    Scores are few levels, far apart where they are high: each level's doublets are spread over the room up to the next
    ones, as a histogram of the levels themselves has empty bins there, which are no valleys.
    """
    levels, n = np.unique(simulated, return_counts=True)
    if len(levels) < 3:
        return float("inf")
    between = (levels[1:] + levels[:-1]) / 2
    ends = np.concatenate([[2 * levels[0] - between[0]], between, [2 * levels[-1] - between[-1]]])
    bins = np.linspace(ends[0], ends[-1], 51)
    histogram = np.diff(np.interp(bins, ends, np.concatenate([[0], np.cumsum(n)])))
    smooth = np.convolve(np.pad(histogram, 3, mode="edge"), np.ones(7) / 7, mode="valid")
    lower_side = np.minimum(np.maximum.accumulate(smooth), np.maximum.accumulate(smooth[::-1])[::-1])
    valley = int(np.argmax(lower_side - smooth))
    deep = smooth[valley] < 0.6 * lower_side[valley] and lower_side[valley] > 0.1 * smooth.max()
    return float((bins[valley] + bins[valley + 1]) / 2) if deep else float("inf")


def _threshold(simulated: Floats, observed: Floats, expected: float) -> float:
    """Return the score from which a cell is a doublet; infinite where no score distinguishes doublets from cells.

    With a share ``expected`` of doublets, a score that a share s of the simulated doublets reaches is reached
    by ``expected`` x s of the cells, give or take twice the standard error of so many. The lowest score that no more
    cells reach than that is taken, or the valley of the simulated scores if that is lower, as where there are more
    doublets than expected. In a sorted library doublets look like cells: a fixed share of the top scores would then be
    ordinary cells between two states, so none is called.
    """
    levels = np.unique(simulated)
    reached = 1 - np.searchsorted(np.sort(simulated), levels) / len(simulated)
    cells = 1 - np.searchsorted(np.sort(observed), levels) / len(observed)
    most = expected * reached + 2 * np.sqrt(expected * reached / len(observed))
    fair = levels[(cells <= most) & (reached >= MIN_DETECTABLE)]
    by_rate = max(float(fair.min()), MIN_SCORE) if len(fair) else float("inf")
    valley = _valley(simulated)
    # a valley that calls a third of the library is not one between doublets and cells
    return min(by_rate, valley if (observed >= valley).mean() < 4 * expected else float("inf"))


def doublets_expected(n_cells: int, least: float) -> float:
    """Return the share of doublets expected in a library of ``n_cells`` cells, ``least`` in small ones.

    By 10x Genomics' user guides .8 % for each 1,000 cells recovered. It is not lowered for small files: they can hold a part of the
    cells that were loaded together. Never above `MOST_EXPECTED`.
    """
    return max(least, min(RATE_PER_CELL * n_cells, MOST_EXPECTED))


def find_doublets(
    counts: sp.csr_matrix,
    cells: Integers | None = None,
    *,
    expected_rate: float = 0.06,
    ratio: float = 2.0,
    n_genes: int = 1500,
    n_components: int = 20,
    seed: int = 1,
) -> Doublets:
    """Score and call the doublets of one library.

    Parameters
    ----------
    counts
        Cells × genes, raw counts.
    cells
        Rows of the cells that passed quality control; all if None. The scores are theirs, in this order.
    expected_rate
        Expected share of doublets.
    ratio
        Simulated doublets per cell; fewer in large libraries, half as many as cells, or `AT_ONCE` if that is more.
    n_genes, n_components
        Variable genes and principal components used.
    seed
        Seed of the simulated pairs.
    """
    cells = np.arange(counts.shape[0]) if cells is None else cells
    n = len(cells)
    nothing = np.full(n, np.nan), np.zeros(n, dtype=bool), float("nan")
    genes = _variable_genes(counts, cells, n_genes) if n >= MIN_CELLS else np.zeros(0, dtype=int)
    if n < MIN_CELLS:
        return Doublets(*nothing, reason=f"doublets are not looked for below {MIN_CELLS} cells")
    if len(genes) < MIN_GENES:
        return Doublets(*nothing, reason=f"doublets are not looked for with fewer than {MIN_GENES} usable genes")
    used = counts[:, genes]
    rng = np.random.default_rng(seed)
    n_simulated = int(ratio * n) if n <= AT_ONCE else max(AT_ONCE, n // 2)
    pairs = rng.integers(0, n, (n_simulated, 2))
    target = float(np.mean(row_sums(used)[cells]))
    learnt = cells if n <= AT_ONCE else np.sort(rng.choice(cells, AT_ONCE, replace=False))
    observed = log_rows(used, learnt, None, target)
    mean = observed.mean(axis=0)
    observed -= mean
    sd = np.sqrt(square_sums(observed) / np.float32(len(learnt)))
    sd = np.where(sd > 0, sd, np.float32(1))
    observed = _scale(observed, sd)
    axes = _axes(observed, n_components)
    del observed
    pieces: list[tuple[Integers, Integers | None]] = [
        (cells[start : start + AT_ONCE], None) for start in range(0, n, AT_ONCE)
    ]
    for start in range(0, n_simulated, AT_ONCE):
        left, right = cells[pairs[start : start + AT_ONCE]].T
        pieces.append((left, right))
    points = [_scale(log_rows(used, left, right, target) - mean, sd) @ axes for left, right in pieces]
    k = round(0.5 * np.sqrt(n))
    k_adjusted = round(k * (1 + n_simulated / n))
    found = _simulated_neighbours(np.vstack(points), n, k_adjusted)
    q = (found + 1) / (k_adjusted + 2)
    r = n_simulated / n
    score = q * expected_rate / r / (1 - expected_rate - q * (1 - expected_rate - expected_rate / r))
    threshold = _threshold(score[n:], score[:n], expected_rate)
    if not np.isfinite(threshold):
        reason = "no score distinguishes doublets from cells, as in a library of one kind of cell; none is called"
        return Doublets(score[:n], np.zeros(n, dtype=bool), float("nan"), reason)
    return Doublets(score[:n], score[:n] >= threshold, threshold, reason="")
