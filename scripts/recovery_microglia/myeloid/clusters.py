"""Leiden clusters over a range of resolutions, and how stable each cluster is."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import takewhile
from random import Random
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from recovery_microglia.core.errors import Notice
from recovery_microglia.core.kernels import group_moments
from recovery_microglia.myeloid import space
from recovery_microglia.myeloid.integration import add_integrated

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

KEPT_SHARE = 0.8
"""Share of the cells in a resample."""
POOL = 25_000
"""Cells that resamples are drawn from; of more, so many at random: the stability of clusters then costs the same however
many cells there are."""
MIN_CELLS = 50
"""Fewer cells are one cluster: their neighbours say nothing."""
MIN_ANIMALS = 3
"""Fewer animals are not left out in turn."""
MIN_GENES = 3
"""Fewer variable genes span no space."""
COLUMNS = [
    *("resolution", "cluster", "n"),
    *("stability_jaccard", "stability_animals", "largest_animal", "ari_resolution"),
    *("top_genes", "reported"),
]


INTEGRATED = "integrated_leiden_"
"""Beginning of the names of partitions of the integrated components."""


@dataclass(frozen=True)
class ClusterSettings:
    """How the myeloid cells are clustered (``clusters`` in config.yaml).

    Attributes
    ----------
    resolutions
        Leiden resolutions that are tried.
    n_top_genes
        Variable genes; in tables of few genes no more than a fifth of them, see `n_variable`.
    n_pcs, n_neighbors
        Principal components and neighbours of the graph.
    n_resamples
        Times that 80 % of the cells are clustered anew to see which clusters come back.
    min_stability
        Mean Jaccard index that a partition must reach to be reported (Hennig: below 0.75 is no stable cluster).
    """

    resolutions: tuple[float, ...] = (0.2, 0.4, 0.6, 0.8, 1.0)
    n_top_genes: int = 2000
    n_pcs: int = 30
    n_neighbors: int = 15
    n_resamples: int = 10
    min_stability: float = 0.75


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


def _contingency(one: Ints, other: Ints, n_one: int) -> Floats:
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


def _kept_neighbours(points: Floats, indices: Ints, kept: Ints, k: int) -> Ints:
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
        nearest[lacking] = space.neighbours_of(lacking, points[kept], k)
    return nearest


def stability(
    points: Floats,
    indices: Ints,
    partitions: Mapping[float, Ints],
    settings: ClusterSettings,
    *,
    seed: int,
    animal: Ints | None = None,
    cells: Ints | None = None,
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
        graph = _igraph(space.shared_neighbour_graph(nearest))
        chosen = kept if cells is None else cells[kept]
        for resolution, labels in partitions.items():
            again = _leiden_fast(graph, resolution, seed=seed + round_)
            together = _contingency(labels[chosen], again, int(labels.max()) + 1)
            found = best_jaccard(together)
            jaccard[resolution].append(found if animal is None else np.nan_to_num(found))
            ari[resolution].append(adjusted_rand(together))
    return (
        {resolution: _mean_known(np.array(rounds)) for resolution, rounds in jaccard.items()},
        {resolution: float(np.mean(rounds)) for resolution, rounds in ari.items()},
    )


def _subset(rng: np.random.Generator, n: int, animal: Ints | None) -> Ints:
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


def top_genes(logged: sp.csr_matrix, labels: Ints, names: Collection[str], *, n: int = 8) -> list[str]:
    """Return for each cluster the genes that set it off: largest t (Welch) against all others.

    For naming clusters; cells are no replicates, so no p-value is made of it.
    """
    sums, squares = group_moments(logged, labels, int(labels.max()) + 1)
    size = np.bincount(labels).astype(np.float64)[:, None]
    genes = np.asarray(list(names))
    t = _welch(sums, squares, size, size.sum() - size)
    order = np.argsort(-t, axis=1, kind="stable")[:, :n]
    return [" ".join(genes[row[t[c, row] > 0]]) for c, row in enumerate(order)]


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


def reported(table: pd.DataFrame, min_stability: float) -> tuple[float, float, bool]:
    """Return the reported resolution, its stability, and whether that is enough.

    The stability of a partition is the mean Jaccard index of its clusters, weighted by their cells. Reported is
    the finest partition that reaches ``min_stability`` with all coarser ones; if the coarsest does not, the most
    stable one.
    """
    weighted = (table["stability_jaccard"].fillna(0) * table["n"]).groupby(table["resolution"]).sum()
    mean = (weighted / table.groupby("resolution")["n"].sum()).sort_index()
    stable = list(takewhile(lambda resolution: mean[resolution] >= min_stability, mean.index))
    chosen = float(stable[-1] if stable else mean.idxmax())
    return chosen, float(mean[chosen]), bool(mean[chosen] >= min_stability)


def n_variable(n_top_genes: int, n_genes: int) -> int:
    """Return how many variable genes to take: at most a fifth of the genes, but 500 or all there are.

    2,000 genes are a tenth of a transcriptome. Of a table of 2,600 they are nearly all, so that noise and batch
    shape the clusters: in the demo they then were the two batches, and nothing else.
    """
    return min(n_top_genes, n_genes, max(500, n_genes // 5))


def cluster(
    adata: ad.AnnData, settings: ClusterSettings, *, excluded: Collection[str] = (), seed: int = 1
) -> tuple[pd.DataFrame, list[Notice]]:
    """Cluster the cells of a merged table in place and say how stable the clusters are.

    Counts in ``X`` stay raw. Added: ``obs["leiden_<resolution>"]``, ``obs["leiden"]`` (the reported one),
    ``obsm["X_pca"]``, ``obsm["X_pca_integrated"]`` (for looking, where there is more than one library) with
    ``obs["integrated_leiden_<resolution>"]`` (for the robustness table),
    ``obsp["connectivities"]``, ``var["highly_variable"]``, ``uns["clustering"]``.

    Parameters
    ----------
    adata
        Cells × genes, raw counts as csr; obs column ``library``.
    settings
        See `ClusterSettings`.
    excluded
        Genes that must not shape the clusters (sex, dissociation, …); mitochondrial ones never do.
    seed
        Of every random step.

    Returns
    -------
    clusters
        One row a cluster and resolution, see `COLUMNS`; ``stability_jaccard`` as in `stability`,
        ``ari_resolution`` the mean adjusted Rand index of the whole partition with that of a resample.
    notices
        What could not be done, and why.
    """
    normalised = space.depth_normalised(adata.X)
    columns = _shaping(adata, normalised, settings, excluded)
    adata.var["highly_variable"] = np.isin(np.arange(adata.n_vars), columns)
    if len(columns) < MIN_GENES:
        return _not_clustered(adata, len(columns))
    logged = space.log1p(normalised)
    del normalised
    points = space.components(logged[:, columns], n_pcs=settings.n_pcs, seed=seed)
    # 2 k + 10 neighbours: that fewer than k of them stay in a resample never happens (p < 1e-9 at k = 15)
    enough = 2 * settings.n_neighbors + 10
    pool = np.sort(np.random.default_rng(seed).permutation(adata.n_obs)[:POOL])
    indices, _ = space.nearest_neighbours(points, enough, seed=seed)
    near_pool = indices if len(pool) == adata.n_obs else space.nearest_neighbours(points[pool], enough, seed=seed)[0]
    graph = space.shared_neighbour_graph(indices[:, : settings.n_neighbors])
    adata.obsm["X_pca"] = points.astype(np.float32)
    adata.obsp["connectivities"] = graph.astype(np.float32)
    whole = _igraph(graph)
    partitions = {r: leiden(whole, r, seed=seed) for r in sorted(set(map(float, settings.resolutions)))}
    jaccard, ari = stability(points[pool], near_pool, partitions, settings, seed=seed, cells=pool)
    animal = np.asarray(pd.factorize(adata.obs["subject" if "subject" in adata.obs else "library"].astype(str))[0])
    by_animal = _stability_of_animals(animal, pool, points[pool], near_pool, partitions, settings, seed)
    tables = [
        _table(r, labels, jaccard[r], by_animal[r], animal, ari[r], top_genes(logged, labels, adata.var_names))
        for r, labels in partitions.items()
    ]
    table = pd.concat(tables, ignore_index=True)
    chosen, mean, stable = reported(table, settings.min_stability)
    table["reported"] = table["resolution"] == chosen
    _write(adata, partitions, chosen)
    notices = [] if stable else [_unstable(chosen, mean, settings.min_stability)]
    notices += add_integrated(adata, seed=seed)
    _partition_integrated(adata, settings, seed=seed)
    return table, notices


def _partition_integrated(adata: ad.AnnData, settings: ClusterSettings, *, seed: int) -> None:
    """Add ``obs["integrated_leiden_<resolution>"]``: for the robustness table only, which asks what integration would do."""
    if "X_pca_integrated" not in adata.obsm:
        return
    points = adata.obsm["X_pca_integrated"].astype(np.float64)
    indices, _ = space.nearest_neighbours(points, settings.n_neighbors, seed=seed)
    graph = _igraph(space.shared_neighbour_graph(indices))
    for resolution in sorted(set(map(float, settings.resolutions))):
        labels = _leiden_fast(graph, resolution, seed=seed)
        adata.obs[f"{INTEGRATED}{resolution:g}"] = _labels(labels)


def _stability_of_animals(
    animal: Ints,
    cells: Ints,
    points: Floats,
    indices: Ints,
    partitions: Mapping[float, Ints],
    settings: ClusterSettings,
    seed: int,
) -> dict[float, Floats]:
    """Return the stability of each cluster when animals are left out; NaN with fewer than three animals."""
    if len(np.unique(animal)) < MIN_ANIMALS:
        return {resolution: np.full(int(labels.max()) + 1, np.nan) for resolution, labels in partitions.items()}
    return stability(points, indices, partitions, settings, seed=seed, animal=animal[cells], cells=cells)[0]


def _shaping(
    adata: ad.AnnData, normalised: sp.csr_matrix, settings: ClusterSettings, excluded: Collection[str]
) -> Ints:
    """Return the columns of the genes that shape the clusters; none where there are too few cells."""
    eligible = space.shaping_columns(adata.var_names, excluded)
    if adata.n_obs < MIN_CELLS:
        return eligible[:0]
    n = n_variable(settings.n_top_genes, len(eligible))
    return eligible[space.variable_genes(normalised[:, eligible], adata.obs["library"], n_top_genes=n)]


def _table(
    resolution: float, labels: Ints, jaccard: Floats, animals: Floats, animal: Ints, ari: float, genes: list[str]
) -> pd.DataFrame:
    n = np.bincount(labels)
    largest = _contingency(labels, animal, len(n)).max(axis=1) / n
    names = [str(number) for number in range(len(n))]
    return pd.DataFrame(
        dict(zip(COLUMNS, [resolution, names, n, jaccard, animals, largest, ari, genes, False], strict=True)),
        columns=COLUMNS,
    )


def _labels(labels: Ints) -> pd.Categorical:
    return pd.Categorical.from_codes(labels, [str(number) for number in range(int(labels.max(initial=-1)) + 1)])


def _write(adata: ad.AnnData, partitions: Mapping[float, Ints], chosen: float) -> None:
    for resolution, labels in partitions.items():
        adata.obs[f"leiden_{resolution:g}"] = _labels(labels)
    adata.obs["leiden"] = _labels(partitions[chosen])
    adata.uns["clustering"] = {"resolutions": np.asarray(list(partitions)), "reported_resolution": chosen}


def _not_clustered(adata: ad.AnnData, n_variable_genes: int) -> tuple[pd.DataFrame, list[Notice]]:
    """Put all cells into one cluster and say why."""
    adata.obs["leiden"] = _labels(np.zeros(adata.n_obs, dtype=np.int64))
    few_cells = f"there are {adata.n_obs}, and {MIN_CELLS} are needed"
    few_genes = f"{n_variable_genes} genes vary within libraries, and {MIN_GENES} are needed"
    text = f"The myeloid cells were not clustered: {few_cells if adata.n_obs < MIN_CELLS else few_genes}."
    return pd.DataFrame(columns=COLUMNS), [Notice("not_clustered", "warning", text)]


def _unstable(resolution: float, mean: float, min_stability: float) -> Notice:
    text = (
        f"No clustering is stable: the best (resolution {resolution:g}) comes back with a mean Jaccard index of "
        f"{mean:.2f} under resampling ({min_stability:g} is asked). The cells form a continuum or are too few."
    )
    return Notice("clusters_unstable", "warning", text)
