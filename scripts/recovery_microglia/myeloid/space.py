"""From counts to a space in which like cells lie together: variable genes, components, neighbours.

scanpy is not imported: in a fresh process it and what it compiles for normalising and for variable genes cost ten
seconds. The tests hold these functions against scanpy.
"""

from collections.abc import Collection

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

N_BINS = 20
"""Bins of mean expression within which dispersions are compared (Seurat's default)."""


def depth_normalised(counts: sp.csr_matrix) -> sp.csr_matrix:
    """Return counts scaled to the median depth of all cells, float32; cells without counts stay empty.

    Which entries there are is shared with ``counts``, not copied: of eighty thousand cells it is half of the memory.
    """
    depth = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()
    known = depth[depth > 0]
    scale = np.divide(np.median(known) if len(known) else 0.0, depth, out=np.zeros_like(depth), where=depth > 0)
    data = counts.data.astype(np.float32)
    data *= np.repeat(scale.astype(np.float32), np.diff(counts.indptr))
    return sp.csr_matrix((data, counts.indices, counts.indptr), shape=counts.shape)


def log1p(matrix: sp.csr_matrix) -> sp.csr_matrix:
    """Return log(1 + x) of a sparse matrix; which entries there are is shared with it."""
    return sp.csr_matrix((np.log1p(matrix.data), matrix.indices, matrix.indptr), shape=matrix.shape)


def _mean_and_variance(matrix: sp.csr_matrix) -> tuple[Floats, Floats]:
    """Return mean and variance (n - 1) of each column."""
    n, n_columns = matrix.shape
    data = matrix.data.astype(np.float64)
    sums = np.bincount(matrix.indices, data, n_columns)
    squares = np.bincount(matrix.indices, data**2, n_columns)
    mean = sums / n
    return mean, np.maximum(squares - n * mean**2, 0) / max(n - 1, 1)


def normalised_dispersion(normalised: sp.csr_matrix) -> Floats:
    """Return each gene's log dispersion, standardised among genes of like mean (Satija et al. 2015).

    NaN for genes that are not seen or do not vary. A gene alone in its bin gets 1, as in Seurat and scanpy.
    """
    mean, variance = _mean_and_variance(normalised)
    seen = mean > 0
    result = np.full(len(mean), np.nan)
    if not seen.any():
        return result
    with np.errstate(divide="ignore"):
        dispersion = np.log(variance[seen] / mean[seen])
    dispersion[~np.isfinite(dispersion)] = np.nan
    table = pd.DataFrame({"dispersion": dispersion, "bin": pd.cut(np.log1p(mean[seen]), N_BINS, labels=False)})
    of_bin = table.groupby("bin")["dispersion"]
    centre, spread = of_bin.transform("mean"), of_bin.transform("std")
    alone = spread.isna()
    result[seen] = (table["dispersion"] - centre.where(~alone, 0)) / spread.where(~alone, centre)
    result[~np.isfinite(result)] = np.nan
    return result


def variable_genes(
    normalised: sp.csr_matrix, library: Collection[str], *, n_top_genes: int = 2000, min_cells: int = 30
) -> Ints:
    """Return the columns of the genes that vary within libraries, sorted.

    A gene ranks by the number of libraries among whose top genes it is, then by its mean dispersion: a
    difference between libraries alone makes no gene variable. (scanpy's flavour ``seurat`` with a batch key.)

    Parameters
    ----------
    normalised
        Cells × genes, scaled to one depth, not logged.
    library
        Library of each cell.
    n_top_genes
        Genes to return; fewer where fewer vary.
    min_cells
        Smaller libraries are left out of the vote, as a dispersion needs cells; if all are smaller, all
        cells vote as one.
    """
    names = np.asarray(library, dtype=np.str_)
    known, size = np.unique(names, return_counts=True)
    groups = [names == name for name in known[size >= min_cells]] or [np.ones(len(names), dtype=bool)]
    votes, total, n_seen = (np.zeros(normalised.shape[1]) for _ in range(3))
    for group in groups:
        dispersion = normalised_dispersion(normalised[group])
        judged = np.isfinite(dispersion)
        ranked = np.sort(dispersion[judged])[::-1]
        if len(ranked):
            votes += judged & (np.nan_to_num(dispersion) >= ranked[min(n_top_genes, len(ranked)) - 1])
        total[judged] += dispersion[judged]
        n_seen += judged
    mean = np.divide(total, n_seen, out=np.full(len(total), -np.inf), where=n_seen > 0)
    order = np.lexsort((-mean, -votes))
    order = order[n_seen[order] > 0]
    return np.sort(order[:n_top_genes])


def components(logged: sp.csr_matrix, *, n_pcs: int, seed: int) -> Floats:
    """Return principal components, cells × at most ``n_pcs``; genes are centred, not scaled."""
    from sklearn.decomposition import PCA

    smallest = min(logged.shape)
    n = min(n_pcs, smallest - 1)
    # arpack keeps the matrix sparse; it needs more rows and columns than components, so small tables go dense
    if smallest <= 200:
        found = PCA(n, svd_solver="full").fit_transform(logged.toarray().astype(np.float64))
    else:
        found = PCA(n, svd_solver="arpack", random_state=seed).fit_transform(logged)
    return np.asarray(found, dtype=np.float64)


def nearest_neighbours(points: Floats, k: int, *, seed: int = 1, exact_up_to: int = 150_000) -> tuple[Ints, Floats]:
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
        Above this many points the search is approximate (pynndescent, which compiles for a minute; of 77,000 points
        the exact 40 neighbours take half of that).
    """
    k = min(k, len(points) - 1)
    if len(points) <= exact_up_to:
        from sklearn.neighbors import NearestNeighbors

        distances, indices = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(points).kneighbors()
        return indices.astype(np.int64), np.asarray(distances, dtype=np.float64)
    from pynndescent import NNDescent  # type: ignore[import-untyped]

    found, distances = NNDescent(points, n_neighbors=k + 1, random_state=seed, n_jobs=1).neighbor_graph
    others = _others(found, np.arange(len(found)))
    shape = (len(points), k)
    return found[others].reshape(shape).astype(np.int64), distances[others].reshape(shape).astype(np.float64)


def neighbours_of(which: Ints, points: Floats, k: int) -> Ints:
    """Return the ``k`` nearest other points of some points (by their numbers), len(which) × k, nearest first."""
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=k + 1, algorithm="brute").fit(points)
    found = search.kneighbors(points[which], return_distance=False)
    return np.asarray(found[_others(found, which)], dtype=np.int64).reshape(len(which), k)


def _others(found: Ints, own: Ints) -> NDArray[np.bool_]:
    """Return which of the neighbours found are to be kept: all but the point itself.

    A point is its own nearest neighbour, but among identical points not always the first, nor always listed.
    """
    itself: NDArray[np.bool_] = found == own[:, None]
    itself[~itself.any(axis=1), -1] = True
    return ~itself


def shared_neighbour_graph(indices: Ints) -> sp.csr_matrix:
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


def shaping_columns(genes: Collection[str], excluded: Collection[str]) -> Ints:
    """Return the columns of the genes that may shape the space: not excluded, not mitochondrial."""
    left_out = set(excluded)
    return np.flatnonzero([gene not in left_out and not gene.lower().startswith("mt-") for gene in genes])
