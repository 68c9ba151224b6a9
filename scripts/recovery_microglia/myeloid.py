"""All libraries of a data set together: merge, clusters and their stability, embedding (floor 4).

Only myeloid cells meet here. Clusters and embeddings are for looking and for the cluster route; no score is
computed on anything but raw counts, and integration never feeds a score.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from recovery_microglia.errors import Notice

Floats = NDArray[np.float64]

SHEET_COLUMNS = ("subject", "day", "condition", "arm", "sex", "chemistry", "batch")


@dataclass(frozen=True)
class ClusterSettings:
    """How the myeloid cells are clustered (``clusters`` in config.yaml).

    Attributes
    ----------
    resolutions
        Leiden resolutions that are tried.
    n_top_genes, n_pcs, n_neighbors
        Variable genes, principal components and neighbours of the graph.
    n_resamples
        Times that 80 % of the cells are clustered anew to see which clusters come back.
    min_stability
        Mean Jaccard index that a partition must reach to be reported (Hennig 2007: below 0.6 is no cluster).
    """

    resolutions: tuple[float, ...] = (0.2, 0.4, 0.6, 0.8, 1.0)
    n_top_genes: int = 2000
    n_pcs: int = 30
    n_neighbors: int = 15
    n_resamples: int = 10
    min_stability: float = 0.75


# ---------------------------------------------------------------- merge


def merge(paths: Sequence[Path], sheet: pd.DataFrame) -> ad.AnnData:
    """Put the myeloid cells of all libraries into one table of raw counts.

    Parameters
    ----------
    paths
        One ``myeloid.h5ad`` a library.
    sheet
        One row a library: library and the columns of `SHEET_COLUMNS`.

    Returns
    -------
    AnnData
        Cells × union of genes (a gene that a library lacks is 0 there); var ``n_libraries`` counts the libraries
        whose matrix has the gene.
    """
    parts = [ad.read_h5ad(path) for path in paths]
    genes = pd.Index(sorted(set().union(*(part.var_names for part in parts))), dtype=object)
    n_libraries = np.zeros(len(genes), dtype=np.int64)
    blocks = []
    for part in parts:
        column = genes.get_indexer(part.var_names)
        n_libraries[column] += 1
        matrix = sp.csr_matrix(part.X)
        moved = sp.csr_matrix((matrix.data, column[matrix.indices], matrix.indptr), shape=(part.n_obs, len(genes)))
        moved.sort_indices()
        blocks.append(moved)
    obs = pd.concat([part.obs for part in parts])
    facts = sheet.set_index("library")
    for name in SHEET_COLUMNS:
        obs[name] = facts.loc[obs["library"], name].to_numpy()
    obs["day"] = obs["day"].astype(float)
    # text as plain objects: h5ad of today's anndata reads them everywhere
    for name in obs.columns[[not pd.api.types.is_numeric_dtype(kind) for kind in obs.dtypes]]:
        obs[name] = obs[name].astype(str).astype("category")
    var = pd.DataFrame({"n_libraries": n_libraries}, index=genes)
    return ad.AnnData(sp.vstack(blocks, format="csr").astype(np.int32), obs=obs, var=var)


# ---------------------------------------------------------------- clusters


def _log_normalised(counts: sp.csr_matrix) -> sp.csr_matrix:
    """Return log1p of counts per 10,000."""
    total = np.maximum(np.asarray(counts.sum(axis=1)).ravel(), 1)
    scaled = sp.csr_matrix(sp.diags(1e4 / total) @ counts.astype(np.float32))
    scaled.data = np.log1p(scaled.data)
    return scaled.astype(np.float32)


def principal_components(adata: ad.AnnData, settings: ClusterSettings, *, seed: int) -> NDArray[np.float32]:
    """Return cells × principal components of the genes that vary within libraries."""
    import scanpy as sc

    work = ad.AnnData(_log_normalised(adata.X), obs=adata.obs[["library"]].copy(), var=adata.var[[]].copy())
    size = work.obs["library"].map(work.obs["library"].value_counts()).astype(int)
    # dispersions of a library of a few cells are noise; such libraries do not choose genes
    enough = (size >= 50).to_numpy()
    chooser = work[enough].copy() if enough.sum() >= 50 else work
    n_top = min(settings.n_top_genes, work.n_vars)
    if n_top < work.n_vars:
        chooser.obs["library"] = chooser.obs["library"].astype(str).astype("category")
        batch = "library" if enough.sum() >= 50 and chooser.obs["library"].nunique() > 1 else None
        found = sc.pp.highly_variable_genes(chooser, n_top_genes=n_top, batch_key=batch, inplace=False)
        work = work[:, found["highly_variable"].to_numpy()].copy()
    n_pcs = min(settings.n_pcs, work.n_obs - 1, work.n_vars - 1)
    return np.asarray(sc.pp.pca(work.X, n_comps=n_pcs, random_state=seed), dtype=np.float32)


def nearest_neighbours(points: NDArray[np.float32], k: int) -> tuple[NDArray[np.int64], Floats]:
    """Return the k nearest neighbours of each point (itself left out) and their distances; exact."""
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=min(k, len(points) - 1), algorithm="brute").fit(points)
    distance, index = search.kneighbors()
    return index.astype(np.int64), distance


def shared_neighbour_graph(index: NDArray[np.int64]) -> sp.csr_matrix:
    """Return the Jaccard index of the neighbourhoods of neighbouring cells (Levine 2015, PhenoGraph)."""
    n, k = index.shape
    rows = np.repeat(np.arange(n), k + 1)
    columns = np.column_stack([np.arange(n), index]).ravel()
    member = sp.csr_matrix((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=(n, n))
    near = sp.csr_matrix(member + member.T).astype(bool)
    shared = (member @ member.T).multiply(near)
    shared.data = shared.data / (2 * (k + 1) - shared.data)
    shared = sp.csr_matrix(shared)
    shared.setdiag(0)
    shared.eliminate_zeros()
    return shared


def _graph(weights: sp.csr_matrix) -> Any:
    import igraph as ig

    upper = sp.triu(weights, k=1).tocoo()
    graph = ig.Graph(n=weights.shape[0], edges=np.column_stack([upper.row, upper.col]), directed=False)
    graph.es["weight"] = upper.data.astype(float)
    return graph


def _leiden(weights: sp.csr_matrix, resolution: float, seed: int) -> NDArray[np.int64]:
    """Return the reported partition, by leidenalg; clusters are numbered by size."""
    import leidenalg

    found = leidenalg.find_partition(
        _graph(weights),
        leidenalg.RBConfigurationVertexPartition,
        weights="weight",
        resolution_parameter=resolution,
        n_iterations=2,
        seed=seed,
    )
    return _by_size(np.asarray(found.membership))


def _leiden_fast(weights: sp.csr_matrix, resolution: float) -> NDArray[np.int64]:
    """Return a partition by igraph's Leiden, several times faster; for resampling only."""
    graph = _graph(weights)
    found = graph.community_leiden(objective_function="modularity", weights="weight", resolution=resolution)
    return _by_size(np.asarray(found.membership))


def _by_size(label: NDArray[np.int64]) -> NDArray[np.int64]:
    order = np.argsort(-np.bincount(label), kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[label]


def best_jaccard(reference: NDArray[np.int64], other: NDArray[np.int64]) -> Floats:
    """Return for each cluster of ``reference`` its best Jaccard index with a cluster of ``other``."""
    table = np.zeros((reference.max() + 1, other.max() + 1))
    np.add.at(table, (reference, other), 1)
    union = table.sum(axis=1, keepdims=True) + table.sum(axis=0, keepdims=True) - table
    return np.asarray((table / np.maximum(union, 1)).max(axis=1))


def adjusted_rand(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    """Return the adjusted Rand index of two partitions (Hubert and Arabie 1985)."""
    table = np.zeros((first.max() + 1, second.max() + 1))
    np.add.at(table, (first, second), 1)

    def pairs(values: Floats) -> float:
        return float((values * (values - 1) / 2).sum())

    together, rows, columns = pairs(table), pairs(table.sum(axis=1)), pairs(table.sum(axis=0))
    everything = len(first) * (len(first) - 1) / 2
    expected = rows * columns / everything if everything else 0.0
    most = (rows + columns) / 2
    return 1.0 if most == expected else (together - expected) / (most - expected)


def _stability(
    index: NDArray[np.int64], partitions: Mapping[float, NDArray[np.int64]], settings: ClusterSettings, seed: int
) -> tuple[dict[float, Floats], dict[float, float]]:
    """Return per resolution the mean best Jaccard of each cluster, and the mean ARI, over subsamples of 80 %."""
    import random

    import igraph as ig

    rng = np.random.default_rng(seed)
    ig.set_random_number_generator(random)  # igraph draws from Python's generator, which can be seeded
    random.seed(seed)
    n = len(index)
    jaccard = {r: np.zeros(label.max() + 1) for r, label in partitions.items()}
    ari = dict.fromkeys(partitions, 0.0)
    for _ in range(settings.n_resamples):
        chosen = np.sort(rng.choice(n, int(0.8 * n), replace=False))
        weights = shared_neighbour_graph(index)[chosen][:, chosen]
        for resolution, label in partitions.items():
            again = _leiden_fast(weights, resolution)
            jaccard[resolution] += _padded(best_jaccard(label[chosen], again), len(jaccard[resolution]))
            ari[resolution] += adjusted_rand(label[chosen], again)
    count = max(settings.n_resamples, 1)
    return {r: v / count for r, v in jaccard.items()}, {r: v / count for r, v in ari.items()}


def _padded(values: Floats, length: int) -> Floats:
    return np.pad(values, (0, length - len(values)))


def _top_genes(adata: ad.AnnData, label: NDArray[np.int64], n: int = 8) -> list[str]:
    """Return per cluster the genes with the largest difference in mean log expression (a label, not a test)."""
    expression = _log_normalised(adata.X)
    whole = np.asarray(expression.mean(axis=0)).ravel()
    names = adata.var_names.to_numpy(str)
    rows = []
    for cluster in range(label.max() + 1):
        own = np.asarray(expression[label == cluster].mean(axis=0)).ravel()
        rows.append(" ".join(names[np.argsort(whole - own, kind="stable")[:n]]))
    return rows


def cluster(adata: ad.AnnData, settings: ClusterSettings, *, seed: int = 1) -> tuple[pd.DataFrame, list[Notice]]:
    """Cluster the cells in place and say how stable the clusters are.

    Adds ``obs['leiden_<resolution>']``, ``obs['leiden']`` (the reported one), ``obsm['X_pca']`` and, with more than
    one library, ``obsm['X_pca_integrated']``. The reported resolution is the highest up to
    which the clusters come back with a mean Jaccard index (weighted by size) of at least ``min_stability``; else the
    most stable one.

    Returns
    -------
    clusters
        resolution, cluster, n, stability_jaccard, ari_resolution, top_genes, reported.
    notices
        Why something could not be done.
    """
    columns = ["resolution", "cluster", "n", "stability_jaccard", "ari_resolution", "top_genes", "reported"]
    if adata.n_obs < 3 * settings.n_neighbors or adata.n_vars < 10:
        adata.obs["leiden"] = pd.Categorical(["0"] * adata.n_obs)
        adata.obsm["X_pca"] = np.zeros((adata.n_obs, 2), dtype=np.float32)
        text = f"{adata.n_obs} myeloid cells and {adata.n_vars} genes are too few to cluster."
        return pd.DataFrame(columns=columns), [Notice("not_clustered", "warning", text)]
    points = principal_components(adata, settings, seed=seed)
    adata.obsm["X_pca"] = points
    index, _ = nearest_neighbours(points, settings.n_neighbors)
    weights = shared_neighbour_graph(index)
    partitions = {r: _leiden(weights, r, seed) for r in settings.resolutions}
    jaccard, ari = _stability(index, partitions, settings, seed)
    size = {r: np.bincount(label) for r, label in partitions.items()}
    mean = {r: float(np.average(jaccard[r], weights=size[r])) for r in partitions}
    stable = list(takewhile(lambda r: mean[r] >= settings.min_stability, sorted(partitions)))
    reported = stable[-1] if stable else max(mean, key=lambda r: mean[r])
    rows = []
    for r, label in partitions.items():
        adata.obs[f"leiden_{r:g}"] = pd.Categorical(label.astype(str))
        for number, genes in enumerate(_top_genes(adata, label)):
            facts = (r, str(number), int(size[r][number]), jaccard[r][number], ari[r], genes, r == reported)
            rows.append(dict(zip(columns, facts, strict=True)))
    adata.obs["leiden"] = adata.obs[f"leiden_{reported:g}"]
    notices = _integrate(adata, seed)
    if not stable:
        text = (
            f"No clustering is stable: the best (resolution {reported:g}) comes back with a mean Jaccard index of "
            f"{mean[reported]:.2f} under resampling ({settings.min_stability} is asked). They are for looking only."
        )
        notices.append(Notice("clusters_unstable", "warning", text))
    return pd.DataFrame(rows, columns=columns), notices


def _integrate(adata: ad.AnnData, seed: int) -> list[Notice]:
    """Add ``obsm['X_pca_integrated']`` by Harmony over libraries (Korsunsky 2019); for looking only."""
    if adata.obs["library"].nunique() < 2:
        return [Notice("not_integrated", "info", "One library only: there is nothing to integrate.")]
    import harmonypy

    facts = pd.DataFrame({"library": adata.obs["library"].astype(str).to_numpy()})
    points = adata.obsm["X_pca"].astype(np.float64)
    found = harmonypy.run_harmony(points, facts, ["library"], random_state=seed, verbose=False)
    corrected = np.asarray(found.Z_corr)
    adata.obsm["X_pca_integrated"] = (corrected if corrected.shape == points.shape else corrected.T).astype(np.float32)
    return []


def score_retention(score: Floats, before: NDArray[np.int64], after: NDArray[np.int64]) -> float:
    """Return how much of a score's neighbourhood structure an integrated embedding keeps.

    The correlation of each cell's score with the mean of its neighbours, after integration over before; near 1
    nothing is lost, near 0 the score's structure was erased. NaN where there was none before.
    """

    def structure(index: NDArray[np.int64]) -> float:
        mean = score[index].mean(axis=1)
        return float(np.corrcoef(score, mean)[0, 1]) if score.std() > 0 and mean.std() > 0 else float("nan")

    first = structure(before)
    return structure(after) / first if first > 0.05 else float("nan")


# ---------------------------------------------------------------- embedding


def embed(adata: ad.AnnData, *, seed: int = 1) -> pd.DataFrame:
    """Return UMAP coordinates without and with integration: cell, umap1, umap2, integrated1, integrated2.

    NaN where there are too few cells, or nothing to integrate. UMAP is for looking: no result rests on it.
    """
    table = pd.DataFrame({"cell": adata.obs_names.to_numpy(str)})
    for key, names in (("X_pca", ("umap1", "umap2")), ("X_pca_integrated", ("integrated1", "integrated2"))):
        points = _umap(adata.obsm[key], seed) if key in adata.obsm and adata.n_obs >= 30 else None
        for column, name in enumerate(names):
            table[name] = np.nan if points is None else points[:, column]
    return table


def _umap(points: NDArray[np.float32], seed: int) -> NDArray[np.float32] | None:
    if float(np.ptp(points)) == 0:
        return None
    import umap

    k = min(15, len(points) - 1)
    index, distance = nearest_neighbours(points, k - 1)
    # exact neighbours, the cell itself first: umap then compiles no approximate search
    known = np.column_stack([np.arange(len(points)), index]), np.column_stack([np.zeros(len(points)), distance])
    span = np.abs(points[:, :2]).max() or 1.0
    model = umap.UMAP(
        n_neighbors=k,
        precomputed_knn=(known[0], known[1].astype(np.float32), None),
        init=points[:, :2] / span * 10,
        n_epochs=200,
        min_dist=0.3,
        random_state=seed,
        n_jobs=1,
    )
    return np.asarray(model.fit_transform(points), dtype=np.float32)
