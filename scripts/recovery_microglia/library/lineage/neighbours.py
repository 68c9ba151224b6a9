"""The white blood cells of a library that are most alike, so that each is judged together with its neighbours."""

import numpy as np

from recovery_microglia.core.arrays import Floats, Integers, Singles
from recovery_microglia.core.kernels import row_sums
from recovery_microglia.library.doublet_kernels import log_rows, square_sums
from recovery_microglia.library.lineage.evidence import MeasuredCounts

NEIGHBOURS = 15
"""Cells, itself among them, that a cell is judged with."""
MIN_CELLS = 60
"""White blood cells below which there are no neighbours worth the name."""
AXES, VARIABLE = 15, 400
"""Principal axes in which cells are compared, and most variable genes used beside the markers."""
LANDMARKS = 1_500
"""Cells among which neighbours are looked for; in larger libraries so many at random."""
LEARNT = 2_000
"""Cells that give the axes."""


def neighbours(counts: MeasuredCounts, cells: Integers, markers: Integers) -> Integers:
    """Return the nearest cells of each of some cells (these × `NEIGHBOURS`, numbers of cells), itself the first.

    Parameters
    ----------
    counts
        Counts of the genes that may speak of lineages.
    cells
        Those that are compared, at least `MIN_CELLS`.
    markers
        Columns of genes that are always used.
    """
    rng = np.random.default_rng(1)
    used = counts.columns(np.union1d(markers, _variable(counts, cells)))
    target = float(np.mean(row_sums(used)[cells]))
    learnt = np.arange(len(cells)) if len(cells) <= LEARNT else np.sort(rng.choice(len(cells), LEARNT, replace=False))
    observed = log_rows(used, cells[learnt], None, target)
    mean = observed.mean(axis=0)
    observed -= mean
    sd = np.sqrt(square_sums(observed) / np.float32(len(learnt)))
    sd = np.where(sd > 0, sd, np.float32(1))
    axes = _axes(np.clip(observed / sd, -5, 5))
    points: Singles = np.vstack(
        [
            np.clip((log_rows(used, cells[rows], None, target) - mean) / sd, -5, 5) @ axes
            for rows in np.array_split(np.arange(len(cells)), max(len(cells) // 5_000, 1))
        ]
    ).astype(np.float32)
    among = (
        np.arange(len(cells))
        if len(cells) <= 2 * LANDMARKS
        else np.sort(rng.choice(len(cells), LANDMARKS, replace=False))
    )
    return np.asarray(cells[_nearest(points, among)])


def _variable(counts: MeasuredCounts, cells: Integers) -> Integers:
    """Return the genes whose variance exceeds their mean most, for their mean."""
    mean, square, _ = counts.moments(cells)
    seen = np.flatnonzero(mean * len(cells) >= 10)
    excess = (square[seen] - mean[seen] ** 2 - mean[seen]) / np.maximum(mean[seen], 0.02)
    return np.asarray(np.sort(seen[np.argsort(-excess, kind="stable")[:VARIABLE]]))


def _axes(observed: Singles) -> Singles:
    from scipy.sparse.linalg import eigsh

    n = min(AXES, observed.shape[1] - 1)
    _, axes = eigsh(observed.T @ observed, k=n, v0=np.ones(observed.shape[1], dtype=observed.dtype))
    return np.asarray(axes)


def _nearest(points: Singles, among: Integers) -> Integers:
    """Return the nearest points of each (points × `NEIGHBOURS`), itself the first."""
    near = points[among]
    half = (near**2).sum(axis=1) / 2
    found = np.empty((len(points), NEIGHBOURS), dtype=np.int64)
    found[:, 0] = np.arange(len(points))
    place = np.full(len(points), -1)
    place[among] = np.arange(len(among))
    for start in range(0, len(points), 1000):
        distance = half - points[start : start + 1000] @ near.T
        rows = np.flatnonzero(place[start : start + 1000] >= 0)
        distance[rows, place[start + rows]] = np.inf
        nearest = np.argpartition(distance, NEIGHBOURS - 2, axis=1)[:, : NEIGHBOURS - 1]
        found[start : start + 1000, 1:] = among[nearest]
    return found


def pooled(values: Floats, cells: Integers, near: Integers) -> Floats:
    """Return values with those of some cells replaced by the means over their neighbours (cells × columns)."""
    found = values.copy()
    found[cells] = values[near].mean(axis=1)
    return found
