"""Which clusters come back when cells or animals are left out."""

from collections.abc import Mapping

import numpy as np

from recovery_microglia.core.arrays import Floats, Integers
from recovery_microglia.myeloid import neighbours
from recovery_microglia.myeloid.leiden import as_igraph, leiden_fast
from recovery_microglia.myeloid.settings import ClusterSettings

KEPT_SHARE = 0.8
"""Share of the cells in a resample."""


POOL = 25_000
"""Cells that resamples are drawn from; of more, so many at random: the stability of clusters then costs the same however
many cells there are."""


MIN_ANIMALS = 3
"""Fewer animals are not left out in turn."""


def contingency(one: Integers, other: Integers, n_one: int) -> Floats:
    """Return the number of cells in each pair of clusters; ``n_one`` rows."""
    shape = (n_one, int(other.max()) + 1)
    together = np.bincount(one * shape[1] + other, minlength=shape[0] * shape[1])
    return together.reshape(shape).astype(np.float64)


def best_jaccard(together: Floats) -> Floats:
    """Return for each row cluster its largest Jaccard index with a column cluster; NaN for an empty row."""
    rows, columns = together.sum(axis=1, keepdims=True), together.sum(axis=0, keepdims=True)
    best = (together / np.maximum(rows + columns - together, 1)).max(axis=1)
    return np.where(rows.ravel() > 0, best, np.nan)


def adjusted_rand(together: Floats) -> float:
    """Return the adjusted Rand index (Hubert and Arabie 1985) of two partitions; 1 if both are the same."""

    def pairs(n: Floats) -> float:
        return float((n * (n - 1) / 2).sum())

    both, one, other = pairs(together), pairs(together.sum(axis=1)), pairs(together.sum(axis=0))
    n = together.sum()
    expected = one * other / max(n * (n - 1) / 2, 1)
    highest = (one + other) / 2
    return 1.0 if highest == expected else (both - expected) / (highest - expected)


def _kept_neighbours(points: Floats, indices: Integers, kept: Integers, k: int) -> Integers:
    """Return the nearest ``k`` others of each kept point among the kept ones, renumbered; ``kept`` is sorted.

    Of a point whose neighbours are nearly all gone, as where they were of an animal that is left out, they are sought anew.
    """
    number = np.full(len(indices), -1)
    number[kept] = np.arange(len(kept))
    found = number[indices[kept]]
    nearest_first = np.argsort(found < 0, axis=1, kind="stable")[:, :k]
    nearest = np.take_along_axis(found, nearest_first, axis=1)
    lacking = np.flatnonzero((nearest < 0).any(axis=1))
    if len(lacking):
        nearest[lacking] = neighbours.neighbours_of(lacking, points[kept], k)
    return nearest


def stability(
    points: Floats,
    indices: Integers,
    partitions: Mapping[float, Integers],
    settings: ClusterSettings,
    *,
    seed: int,
    animal: Integers | None = None,
    cells: Integers | None = None,
) -> tuple[dict[float, Floats], dict[float, float]]:
    """Re-cluster subsets of the cells, or of the animals, and see which clusters come back.

    A cluster's stability is the mean over resamples of its best Jaccard index with a cluster of the resample
    (Hennig 2007, Computational Statistics & Data Analysis 52:258): above 0.75 stable, below 0.5 dissolved.
    Neighbours and graph are found anew in each subset; components are those of all cells.

    Parameters
    ----------
    points
        Cells × components.
    indices
        Cells × neighbours, nearest first, enough of them that ``n_neighbors`` are left when a fifth of the cells
        is gone.
    partitions
        Resolution to labels.
    settings
        Neighbours, and number of subsets.
    seed
        Of subsets and partitions.
    animal
        Number of the animal of each cell: a fifth of the animals (one at least) is left out with all their cells.
        A cluster of which nothing is left has not come back. None: a fifth of the cells is left out.
    cells
        The cells that ``points``, ``indices`` and ``animal`` are of, numbered as in ``partitions``; None: all. A cluster that none
        of them is of has no stability (NaN), or none when animals are left out (0).

    Returns
    -------
    jaccard
        Resolution to one number per cluster.
    ari
        Resolution to the mean adjusted Rand index of the partition with that of a resample.
    """
    rng = np.random.default_rng(seed)
    n = len(indices)
    jaccard: dict[float, list[Floats]] = {resolution: [] for resolution in partitions}
    ari: dict[float, list[float]] = {resolution: [] for resolution in partitions}
    for round_ in range(settings.n_resamples):
        kept = _subset(rng, n, animal)
        if len(kept) < 2:  # nearly all cells are of the animals that are left out: nothing comes back
            for resolution, labels in partitions.items():
                jaccard[resolution].append(np.zeros(int(labels.max()) + 1))
                ari[resolution].append(0.0)
            continue
        nearest = _kept_neighbours(points, indices, kept, min(settings.n_neighbors, len(kept) - 1))
        graph = as_igraph(neighbours.shared_neighbour_graph(nearest))
        chosen = kept if cells is None else cells[kept]
        for resolution, labels in partitions.items():
            again = leiden_fast(graph, resolution, seed=seed + round_)
            together = contingency(labels[chosen], again, int(labels.max()) + 1)
            found = best_jaccard(together)
            jaccard[resolution].append(found if animal is None else np.nan_to_num(found))
            ari[resolution].append(adjusted_rand(together))
    return (
        {resolution: _mean_known(np.array(rounds)) for resolution, rounds in jaccard.items()},
        {resolution: float(np.mean(rounds)) for resolution, rounds in ari.items()},
    )


def _subset(rng: np.random.Generator, n: int, animal: Integers | None) -> Integers:
    """Return the cells of a resample, sorted."""
    if animal is None:
        return np.sort(rng.choice(n, int(KEPT_SHARE * n), replace=False))
    names = np.unique(animal)
    out = rng.choice(names, max(round((1 - KEPT_SHARE) * len(names)), 1), replace=False)
    return np.flatnonzero(~np.isin(animal, out))


def _mean_known(values: Floats) -> Floats:
    """Return column means over known values; NaN where there are none (a cluster that no resample held)."""
    known = np.isfinite(values)
    n = known.sum(axis=0)
    mean: Floats = np.where(known, values, 0).sum(axis=0) / np.maximum(n, 1)
    return np.where(n > 0, mean, np.nan)
