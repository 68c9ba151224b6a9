"""Leiden clusters over a range of resolutions, and how stable each cluster is."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from recovery_microglia.errors import Notice
from recovery_microglia.myeloid import space

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

KEPT_SHARE = 0.8
"""Share of the cells in a resample."""
MIN_CELLS = 50
"""Fewer cells are one cluster: their neighbours say nothing."""
COLUMNS = ["resolution", "cluster", "n", "stability_jaccard", "ari_resolution", "top_genes"]


@dataclass(frozen=True)
class Clusters:
    """What `cluster` found.

    Attributes
    ----------
    table
        One row a cluster and resolution, see `COLUMNS`; ``stability_jaccard`` as in `stability`,
        ``ari_resolution`` the mean adjusted Rand index of the whole partition with that of a resample.
    resolution
        The reported resolution; NaN where the cells are too few to be clustered.
    notices
        What a reader must know.
    """

    table: pd.DataFrame
    resolution: float
    notices: list[Notice]


def _igraph(graph: sp.csr_matrix) -> Any:
    """Return a symmetric weighted graph as igraph's."""
    import igraph

    upper = sp.triu(graph, k=1).tocoo()
    return igraph.Graph(
        n=graph.shape[0],
        edges=np.column_stack([upper.row, upper.col]),
        edge_attrs={"weight": upper.data},
    )


def leiden(graph: Any, resolution: float, *, seed: int) -> Ints:
    """Return the reported partition: leidenalg, modularity with a resolution (Traag et al. 2019); 0 is largest."""
    import leidenalg

    found = leidenalg.find_partition(
        graph,
        leidenalg.RBConfigurationVertexPartition,
        weights="weight",
        resolution_parameter=resolution,
        seed=seed,
        n_iterations=2,
    )
    return np.asarray(found.membership, dtype=np.int64)


def _leiden_fast(graph: Any, resolution: float, *, seed: int) -> Ints:
    """Return the same kind of partition by igraph's own code, 15 times as fast: for resamples."""
    import igraph

    igraph.set_random_number_generator(Random(seed))
    found = graph.community_leiden(
        objective_function="modularity", weights="weight", resolution=resolution, n_iterations=2
    )
    return np.asarray(found.membership, dtype=np.int64)


def _contingency(one: Ints, other: Ints) -> Floats:
    """Return the number of cells in each pair of clusters."""
    shape = (int(one.max()) + 1, int(other.max()) + 1)
    return np.bincount(one * shape[1] + other, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)


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


def _kept_neighbours(indices: Ints, kept: Ints, k: int) -> Ints:
    """Return the first ``k`` neighbours among the kept points, renumbered; ``kept`` is sorted."""
    number = np.full(len(indices), -1)
    number[kept] = np.arange(len(kept))
    found = number[indices[kept]]
    nearest_first = np.argsort(found < 0, axis=1, kind="stable")[:, :k]
    nearest = np.take_along_axis(found, nearest_first, axis=1)
    # In the rare row with fewer than k kept neighbours the nearest stands for the missing ones.
    return np.where(nearest < 0, nearest[:, :1], nearest)


def stability(
    indices: Ints, partitions: Sequence[Ints], resolutions: Sequence[float], *, k: int, n_resamples: int, seed: int
) -> tuple[list[Floats], Floats]:
    """Re-cluster subsets of the cells and see which clusters come back.

    A cluster's stability is the mean over resamples of its best Jaccard index with a cluster of the resample
    (Hennig 2007, Computational Statistics & Data Analysis 52:258): above 0.75 stable, below 0.5 dissolved.
    Components are those of all cells.

    Parameters
    ----------
    indices
        Cells × neighbours, nearest first, enough of them that ``k`` are left when a fifth of the cells is gone.
    partitions, resolutions
        The partitions to judge.
    k
        Neighbours in a resample's graph.
    n_resamples
        Subsets of `KEPT_SHARE` of the cells.
    seed
        Of subsets and partitions.

    Returns
    -------
    jaccard
        One array per resolution, one number per cluster.
    ari
        Mean adjusted Rand index per resolution.
    """
    rng = np.random.default_rng(seed)
    n = len(indices)
    jaccard = [np.zeros((n_resamples, int(labels.max()) + 1)) for labels in partitions]
    ari = np.zeros((n_resamples, len(resolutions)))
    for round_ in range(n_resamples):
        kept = np.sort(rng.choice(n, int(KEPT_SHARE * n), replace=False))
        k_here = min(k, len(kept) - 1)
        graph = _igraph(space.shared_neighbour_graph(_kept_neighbours(indices, kept, k_here)))
        for at, (labels, resolution) in enumerate(zip(partitions, resolutions, strict=True)):
            again = _leiden_fast(graph, resolution, seed=seed + round_)
            together = _contingency(labels[kept], again)
            found = best_jaccard(together)
            jaccard[at][round_, : len(found)] = found
            jaccard[at][round_, len(found) :] = np.nan
            ari[round_, at] = adjusted_rand(together)
    return [_mean_known(values) for values in jaccard], ari.mean(axis=0)


def _mean_known(values: Floats) -> Floats:
    """Return column means over known values; NaN where there are none."""
    known = np.isfinite(values)
    return np.divide(
        np.where(known, values, 0).sum(axis=0),
        known.sum(axis=0),
        out=np.full(values.shape[1], np.nan),
        where=known.any(axis=0),
    )


def top_genes(logged: sp.csr_matrix, labels: Ints, names: Collection[str], *, n: int = 8) -> list[str]:
    """Return for each cluster the genes that set it off, comma separated: largest t (Welch) against all others.

    For naming clusters; cells are no replicates, so no p-value is made of it.
    """
    of_cluster = sp.csr_matrix((np.ones(len(labels)), labels, np.arange(len(labels) + 1)))
    squared = logged.copy()
    squared.data = squared.data**2
    sums, squares = (np.asarray((of_cluster.T @ m).todense(), dtype=np.float64) for m in (logged, squared))
    size = np.bincount(labels).astype(np.float64)[:, None]
    genes = np.asarray(list(names))
    t = _welch(sums, squares, size, size.sum() - size)
    order = np.argsort(-t, axis=1, kind="stable")[:, :n]
    return [", ".join(genes[row[t[c, row] > 0]]) for c, row in enumerate(order)]


def _welch(sums: Floats, squares: Floats, n_in: Floats, n_out: Floats) -> Floats:
    """Return t of each cluster against the rest, clusters × genes; 0 where it cannot be computed."""

    def moments(total: Floats, square: Floats, n: Floats) -> tuple[Floats, Floats]:
        mean = total / np.maximum(n, 1)
        return mean, np.maximum(square / np.maximum(n, 1) - mean**2, 0) / np.maximum(n - 1, 1)

    inside, error_in = moments(sums, squares, n_in)
    outside, error_out = moments(sums.sum(axis=0) - sums, squares.sum(axis=0) - squares, n_out)
    error = np.sqrt(error_in + error_out)
    t = np.divide(inside - outside, error, out=np.zeros_like(error), where=error > 0)
    return np.where(n_out > 0, t, 0.0)


def reported(table: pd.DataFrame, min_stability: float) -> tuple[float, bool]:
    """Return the reported resolution and whether it is stable.

    The finest whose clusters, weighted by their cells, have a mean Jaccard index of at least ``min_stability``;
    if there is none, the one that comes nearest.
    """
    weighted = table["stability_jaccard"].fillna(0) * table["n"]
    mean = weighted.groupby(table["resolution"]).sum() / table.groupby("resolution")["n"].sum()
    passing = mean.index[mean >= min_stability]
    return (float(max(passing)), True) if len(passing) else (float(mean.idxmax()), False)


def cluster(
    adata: ad.AnnData,
    *,
    resolutions: Sequence[float] = (0.2, 0.4, 0.8, 1.2, 2.0),
    n_top_genes: int = 2000,
    n_pcs: int = 30,
    n_neighbors: int = 15,
    n_resamples: int = 20,
    min_stability: float = 0.75,
    excluded: Collection[str] = (),
    seed: int,
) -> Clusters:
    """Cluster the cells of a merged table and add what was found to it.

    Counts in ``X`` stay raw. Added: ``obs["leiden_<resolution>"]``, ``obs["leiden"]`` (the reported one),
    ``obsm["X_pca"]``, ``obsp["connectivities"]``, ``var["highly_variable"]``, ``uns["clustering"]``.

    Parameters
    ----------
    adata
        Cells × genes, raw counts as csr; obs column ``library``.
    resolutions
        Of the Leiden partitions.
    n_top_genes, n_pcs, n_neighbors
        Variable genes, components and neighbours.
    n_resamples
        Resamples that judge stability.
    min_stability
        See `reported`.
    excluded
        Genes that must not shape the clusters (sex, dissociation, …).
    seed
        Of every random step.
    """
    resolutions = sorted(set(map(float, resolutions)))
    normalised = space.depth_normalised(adata.X)
    eligible = space.column_subset(adata, excluded)
    columns = eligible[:0]
    if adata.n_obs >= MIN_CELLS:
        columns = eligible[space.variable_genes(normalised[:, eligible], adata.obs["library"], n_top_genes=n_top_genes)]
    adata.var["highly_variable"] = np.isin(np.arange(adata.n_vars), columns)
    if len(columns) < 3:
        return _too_little(adata)
    logged = space.log1p(normalised)
    adata.obsm["X_pca"] = space.components(logged[:, columns], n_pcs=n_pcs, seed=seed)
    # 2 k + 10 neighbours: that fewer than k of them stay in a resample never happens (p < 1e-9 at k = 15)
    indices, _ = space.neighbours(adata.obsm["X_pca"], 2 * n_neighbors + 10, seed=seed)
    graph = space.shared_neighbour_graph(indices[:, :n_neighbors])
    adata.obsp["connectivities"] = graph.astype(np.float32)
    whole = _igraph(graph)
    partitions = [leiden(whole, resolution, seed=seed) for resolution in resolutions]
    jaccard, ari = stability(indices, partitions, resolutions, k=n_neighbors, n_resamples=n_resamples, seed=seed)
    tables = [
        _table(resolution, labels, jaccard[at], ari[at], top_genes(logged, labels, adata.var_names))
        for at, (resolution, labels) in enumerate(zip(resolutions, partitions, strict=True))
    ]
    table = pd.concat(tables, ignore_index=True)
    resolution, stable = reported(table, min_stability)
    _write(adata, resolutions, partitions, table, resolution)
    return Clusters(table, resolution, [] if stable else [_unstable(table, resolution, min_stability)])


def _table(resolution: float, labels: Ints, jaccard: Floats, ari: float, genes: list[str]) -> pd.DataFrame:
    n = np.bincount(labels)
    names = [str(number) for number in range(len(n))]
    columns = [resolution, names, n, jaccard, ari, genes]
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def _labels(labels: Ints) -> pd.Categorical:
    return pd.Categorical.from_codes(labels, [str(number) for number in range(int(labels.max(initial=-1)) + 1)])


def _write(
    adata: ad.AnnData, resolutions: Sequence[float], partitions: Sequence[Ints], table: pd.DataFrame, chosen: float
) -> None:
    for resolution, labels in zip(resolutions, partitions, strict=True):
        adata.obs[f"leiden_{resolution:g}"] = _labels(labels)
        if resolution == chosen:
            adata.obs["leiden"] = _labels(labels)
    adata.uns["clustering"] = {
        "resolutions": np.asarray(resolutions),
        "reported_resolution": chosen,
        "stability": table,
    }


def _too_little(adata: ad.AnnData) -> Clusters:
    """Put all cells into one cluster and say why."""
    table = pd.DataFrame({column: [] for column in COLUMNS})
    adata.obs["leiden"] = _labels(np.zeros(adata.n_obs, dtype=np.int64))
    adata.uns["clustering"] = {"resolutions": np.zeros(0), "reported_resolution": float("nan")}
    why = (
        f"only {adata.n_obs} myeloid cells (at least {MIN_CELLS} are needed)"
        if adata.n_obs < MIN_CELLS
        else "fewer than three genes vary within libraries"
    )
    text = f"The myeloid cells were not clustered: {why}."
    return Clusters(table, float("nan"), [Notice("not_clustered", "warning", text)])


def _unstable(table: pd.DataFrame, resolution: float, min_stability: float) -> Notice:
    rows = table[table["resolution"] == resolution]
    mean = float((rows["stability_jaccard"] * rows["n"]).sum() / rows["n"].sum())
    text = (
        f"No clustering is stable (mean Jaccard index on resampled cells of at least {min_stability:g}): the cells "
        f"form a continuum or are too few. Resolution {resolution:g} is reported, with {mean:.2f}."
    )
    return Notice("clusters_unstable", "warning", text)
