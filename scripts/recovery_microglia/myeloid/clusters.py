"""Leiden clusters over a range of resolutions, and how stable each cluster is."""

from collections.abc import Mapping
from itertools import takewhile

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

from recovery_microglia.core.anndata_access import counts_of, points_of
from recovery_microglia.core.arrays import Floats, Integers
from recovery_microglia.core.errors import Notice
from recovery_microglia.core.vocabulary import Severity
from recovery_microglia.myeloid import components, neighbours, variable_genes
from recovery_microglia.myeloid.cluster_genes import top_genes
from recovery_microglia.myeloid.integration import add_integrated
from recovery_microglia.myeloid.leiden import as_igraph, leiden, leiden_fast
from recovery_microglia.myeloid.settings import ClusterSettings
from recovery_microglia.myeloid.stability import MIN_ANIMALS, POOL, contingency, stability

MIN_CELLS = 50
"""Fewer cells are one cluster: their neighbours say nothing."""


MIN_GENES = 3
"""Fewer variable genes span no space."""


COLUMNS = [
    *("resolution", "cluster", "n"),
    *("stability_jaccard", "stability_animals", "largest_animal", "ari_resolution"),
    *("top_genes", "reported"),
]


INTEGRATED = "integrated_leiden_"
"""Beginning of the names of partitions of the integrated components."""


def reported(table: pd.DataFrame, min_stability: float) -> tuple[float, float, bool]:
    """Return the reported resolution, its stability, and whether that is enough.

    The stability of a partition is the mean Jaccard index of its clusters, weighted by their cells. Reported is
    the finest partition that reaches ``min_stability`` with all coarser ones; if the coarsest does not, the most
    stable one.
    """
    weighted = (table["stability_jaccard"].fillna(0) * table["n"]).groupby(table["resolution"]).sum()
    mean = (weighted / table.groupby("resolution")["n"].sum()).sort_index()
    stable = list(takewhile(lambda resolution: mean[resolution] >= min_stability, mean.index))
    chosen = float(stable[-1] if stable else mean.index[int(mean.argmax())])
    return chosen, float(mean[chosen]), bool(mean[chosen] >= min_stability)


def n_variable(n_top_genes: int, n_genes: int) -> int:
    """Return how many variable genes to take: at most a fifth of the genes, but 500 or all there are.

    2,000 genes are a tenth of a transcriptome. Of a table of 2,600 they are nearly all, so that noise and batch
    shape the clusters: in the demo they then were the two batches, and nothing else.
    """
    return min(n_top_genes, n_genes, max(500, n_genes // 5))


def cluster(adata: ad.AnnData, settings: ClusterSettings, *, seed: int = 1) -> tuple[pd.DataFrame, list[Notice]]:
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
    normalised = variable_genes.depth_normalised(counts_of(adata))
    columns = _shaping(adata, normalised, settings)
    adata.var["highly_variable"] = np.isin(np.arange(adata.n_vars), columns)
    if len(columns) < MIN_GENES:
        return _not_clustered(adata, len(columns))
    logged = variable_genes.log1p(normalised)
    del normalised
    points = components.components(logged[:, columns], n_pcs=settings.n_pcs, seed=seed)
    # 2 k + 10 neighbours: that fewer than k of them stay in a resample never happens (p < 1e-9 at k = 15)
    enough = 2 * settings.n_neighbors + 10
    pool = np.sort(np.random.default_rng(seed).permutation(adata.n_obs)[:POOL])
    indices, _ = neighbours.nearest_neighbours(points, enough, seed=seed)
    near_pool = (
        indices if len(pool) == adata.n_obs else neighbours.nearest_neighbours(points[pool], enough, seed=seed)[0]
    )
    graph = neighbours.shared_neighbour_graph(indices[:, : settings.n_neighbors])
    adata.obsm["X_pca"] = points.astype(np.float32)
    adata.obsp["connectivities"] = graph.astype(np.float32)
    whole = as_igraph(graph)
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
    points = points_of(adata, "X_pca_integrated").astype(np.float64)
    indices, _ = neighbours.nearest_neighbours(points, settings.n_neighbors, seed=seed)
    graph = as_igraph(neighbours.shared_neighbour_graph(indices))
    for resolution in sorted(set(map(float, settings.resolutions))):
        labels = leiden_fast(graph, resolution, seed=seed)
        adata.obs[f"{INTEGRATED}{resolution:g}"] = _labels(labels)


def _stability_of_animals(
    animal: Integers,
    cells: Integers,
    points: Floats,
    indices: Integers,
    partitions: Mapping[float, Integers],
    settings: ClusterSettings,
    seed: int,
) -> dict[float, Floats]:
    """Return the stability of each cluster when animals are left out; NaN with fewer than three animals."""
    if len(np.unique(animal)) < MIN_ANIMALS:
        return {resolution: np.full(int(labels.max()) + 1, np.nan) for resolution, labels in partitions.items()}
    return stability(points, indices, partitions, settings, seed=seed, animal=animal[cells], cells=cells)[0]


def _shaping(adata: ad.AnnData, normalised: sp.csr_matrix, settings: ClusterSettings) -> Integers:
    """Return the columns of the genes that shape the clusters; none where there are too few cells."""
    eligible = components.shaping_columns(adata.var_names)
    if adata.n_obs < MIN_CELLS:
        return eligible[:0]
    n = n_variable(settings.n_top_genes, len(eligible))
    return eligible[variable_genes.variable_genes(normalised[:, eligible], adata.obs["library"], n_top_genes=n)]


def _table(
    resolution: float,
    labels: Integers,
    jaccard: Floats,
    animals: Floats,
    animal: Integers,
    ari: float,
    genes: list[str],
) -> pd.DataFrame:
    n = np.bincount(labels)
    largest = contingency(labels, animal, len(n)).max(axis=1) / n
    names = [str(number) for number in range(len(n))]
    return pd.DataFrame(
        dict(zip(COLUMNS, [resolution, names, n, jaccard, animals, largest, ari, genes, False], strict=True)),
        columns=COLUMNS,
    )


def _labels(labels: Integers) -> "pd.Categorical[str]":
    return pd.Categorical.from_codes(
        labels, pd.Index([str(number) for number in range(int(labels.max(initial=-1)) + 1)])
    )


def _write(adata: ad.AnnData, partitions: Mapping[float, Integers], chosen: float) -> None:
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
    return pd.DataFrame(columns=COLUMNS), [Notice("not_clustered", Severity.WARNING, text)]


def _unstable(resolution: float, mean: float, min_stability: float) -> Notice:
    text = (
        f"No clustering is stable: the best (resolution {resolution:g}) comes back with a mean Jaccard index of "
        f"{mean:.2f} under resampling ({min_stability:g} is asked). The cells form a continuum or are too few."
    )
    return Notice("clusters_unstable", Severity.WARNING, text)
