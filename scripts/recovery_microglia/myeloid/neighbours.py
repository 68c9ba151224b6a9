"""Neighbours of cells, and the graph of shared ones."""

import warnings

import numpy as np
import scipy.sparse as sp

from recovery_microglia.core.arrays import Bools, Floats, Integers, Singles
from recovery_microglia.core.compiled import kept_compilations

EXACT_UP_TO = 150_000
"""Points above which neighbours are searched for approximately: pynndescent compiles for a minute."""


def nearest_neighbours(
    points: Floats | Singles, k: int, *, seed: int = 1, exact_up_to: int = EXACT_UP_TO
) -> tuple[Integers, Floats]:
    """Return the nearest other points and their distances, both points × k, nearest first.

    Parameters
    ----------
    points
        Points × dimensions.
    k
        Neighbours per point, at most the number of points less one.
    seed
        Of the approximate search.
    exact_up_to
        Above this many points the search is approximate (pynndescent; of 77,000 points the exact 40 neighbours take
        half of the time that it compiles for).
    """
    k = min(k, len(points) - 1)
    if len(points) <= exact_up_to:
        from sklearn.neighbors import NearestNeighbors

        distances, indices = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(points).kneighbors()
        return indices.astype(np.int64), np.asarray(distances, dtype=np.float64)
    with kept_compilations():
        from pynndescent import NNDescent

    with warnings.catch_warnings():
        # a function or two hold arrays of their own, which numba does not keep: they compile in every process, as ever
        warnings.filterwarnings("ignore", message="Cannot cache compiled function")
        found, distances = NNDescent(points, n_neighbors=k + 1, random_state=seed, n_jobs=1).neighbor_graph
    others = _others(found, np.arange(len(found)))
    shape = (len(points), k)
    return found[others].reshape(shape).astype(np.int64), distances[others].reshape(shape).astype(np.float64)


def neighbours_of(which: Integers, points: Floats, k: int) -> Integers:
    """Return the ``k`` nearest other points of some points (by their numbers), len(which) × k, nearest first."""
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=k + 1, algorithm="brute").fit(points)
    found = search.kneighbors(points[which], return_distance=False)
    return np.asarray(found[_others(found, which)], dtype=np.int64).reshape(len(which), k)


def _others(found: Integers, own: Integers) -> Bools:
    """Return which of the neighbours found are to be kept: all but the point itself.

    A point is its own nearest neighbour, but among identical points not always the first, nor always listed.
    """
    itself: Bools = found == own[:, None]
    itself[~itself.any(axis=1), -1] = True
    return ~itself


def shared_neighbour_graph(indices: Integers) -> sp.csr_matrix:
    """Return the graph of neighbours, an edge's weight the Jaccard index of its ends' neighbourhoods.

    As in PhenoGraph (Levine et al. 2015), an edge that only one end sees weighs half. A point belongs to its
    own neighbourhood, so that no edge weighs nothing and no cell falls out of the graph.

    Parameters
    ----------
    indices
        Points × k, from `nearest_neighbours`.
    """
    n, k = indices.shape
    closed = np.concatenate([np.arange(n)[:, None], indices], axis=1)
    weights = np.empty((n, k))
    for column in range(k):
        shared = (closed[:, :, None] == closed[indices[:, column]][:, None, :]).sum(axis=(1, 2))
        weights[:, column] = shared / (2 * (k + 1) - shared)
    seen = sp.csr_matrix((weights.ravel(), indices.ravel(), np.arange(0, n * k + 1, k)), shape=(n, n))
    return sp.csr_matrix((seen + seen.T) / 2)
