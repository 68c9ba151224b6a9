"""Variable genes, graph, partitions and their stability, against scanpy, scikit-learn and known truth."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from test_myeloid import toy

from recovery_microglia.myeloid import (
    ClusterSettings,
    cluster,
    clusters,
    components,
    leiden,
    neighbours,
    stability,
    variable_genes,
)

pytestmark = pytest.mark.filterwarnings("ignore:The 'mode.chained_assignment' option is deprecated")

FAST = ClusterSettings(resolutions=(0.2, 1.0), n_resamples=4)


def labels_of(adata: object, column: str = "leiden") -> np.ndarray:
    return adata.obs[column].astype(str).to_numpy()  # type: ignore[attr-defined]


# ---------------------------------------------------------------- space


def test_normalising_is_scanpys() -> None:
    import scanpy as sc

    adata = toy(30, 50)
    reference = adata.copy()
    reference.X = reference.X.astype(np.float32)
    sc.pp.normalize_total(reference)
    sc.pp.log1p(reference)
    own = variable_genes.log1p(variable_genes.depth_normalised(adata.X))
    # float32
    np.testing.assert_allclose(own.toarray(), reference.X.toarray(), rtol=1e-5)


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # in scanpy
@pytest.mark.parametrize("mean", [2.0, 0.05])  # where counts are few, a library does not see every gene
def test_variable_genes_are_scanpys_seurat_by_library(mean: float) -> None:
    import scanpy as sc

    adata = toy(100, 400, libraries=3)
    rng = np.random.default_rng(0)
    rate = mean * rng.gamma(0.5, 2.0, 400) * rng.gamma(2.0, 0.5, adata.shape)
    adata.X = sp.csr_matrix(rng.poisson(rate).astype(np.int32))
    normalised = variable_genes.depth_normalised(adata.X)
    reference = ad.AnnData(variable_genes.log1p(normalised), obs=adata.obs[["library"]].astype("category"))
    found = sc.pp.highly_variable_genes(reference, n_top_genes=100, batch_key="library", inplace=False)
    own = variable_genes.variable_genes(normalised, adata.obs["library"], n_top_genes=100)
    assert own.tolist() == np.flatnonzero(found["highly_variable"]).tolist()


def test_a_difference_between_libraries_makes_no_gene_variable() -> None:
    rng = np.random.default_rng(0)
    counts = rng.poisson(2.0, (200, 60))
    counts[:, :10] = rng.negative_binomial(1, 1 / 3, (200, 10))  # vary in each library
    counts[:100, 10:20] = rng.poisson(6.0, (100, 10))  # differ between libraries
    library = ["a"] * 100 + ["b"] * 100
    found = variable_genes.variable_genes(sp.csr_matrix(counts.astype(np.float32)), library, n_top_genes=10)
    assert found.tolist() == list(range(10))


def test_tiny_libraries_do_not_choose_genes() -> None:
    adata = toy(60, 80, libraries=1)
    normalised = variable_genes.depth_normalised(adata.X)
    library = np.array(["big"] * 175 + ["tiny"] * 5)
    own = variable_genes.variable_genes(normalised, library, n_top_genes=20)
    assert own.tolist() == variable_genes.variable_genes(normalised[:175], ["big"] * 175, n_top_genes=20).tolist()
    all_tiny = np.array([f"l{i % 60}" for i in range(180)])
    assert len(variable_genes.variable_genes(normalised, all_tiny, n_top_genes=20)) == 20


def test_constant_and_absent_genes_are_not_variable() -> None:
    counts = np.random.default_rng(0).poisson(2.0, (60, 12)).astype(np.float32)
    counts[:, 3], counts[:, 4] = 1, 0
    found = variable_genes.variable_genes(sp.csr_matrix(counts), ["a"] * 60, n_top_genes=50)
    assert set(range(12)) - set(found.tolist()) == {3, 4}


@pytest.mark.parametrize("n_genes", [40, 300])
def test_components_are_those_of_the_centred_matrix(n_genes: int) -> None:
    logged = variable_genes.log1p(variable_genes.depth_normalised(toy(80, n_genes).X))
    own = components.components(logged, n_pcs=5, seed=1)
    dense = logged.toarray().astype(np.float64)
    values = np.linalg.svd(dense - dense.mean(axis=0), compute_uv=False)[:5]
    # arpack on float32
    np.testing.assert_allclose(np.linalg.norm(own, axis=0), values, rtol=1e-4)


def test_neighbours_are_scanpys() -> None:
    import scanpy as sc

    points = np.random.default_rng(0).normal(size=(200, 6))
    cells = ad.AnnData(obs=pd.DataFrame(index=np.arange(200).astype(str)), obsm={"X_pca": points})
    sc.pp.neighbors(
        cells, 16, use_rep="X_pca", transformer="sklearn", method="jaccard"
    )  # each cell itself is one of them
    theirs = cells.obsp["distances"]
    indices, distances = neighbours.nearest_neighbours(points, 15)
    assert theirs.nnz == indices.size
    np.testing.assert_array_equal(np.take_along_axis(theirs.toarray(), indices, axis=1), distances)


@pytest.mark.long  # pynndescent compiles for half a minute
def test_exact_and_approximate_neighbours_agree() -> None:
    points = np.random.default_rng(0).normal(size=(600, 5))
    points[10:14] = points[10]  # identical cells: none is its own neighbour
    exact, distance = neighbours.nearest_neighbours(points, 10)
    near, far = neighbours.nearest_neighbours(points, 10, exact_up_to=100)
    for found in (exact, near):
        assert not (found == np.arange(600)[:, None]).any()
    shared = np.mean([len(np.intersect1d(a, b)) / 10 for a, b in zip(exact, near, strict=True)])
    assert shared > 0.97  # pynndescent's recall at these sizes is 0.99
    assert np.median(far - distance) == pytest.approx(0, abs=1e-5)


def test_graph_weights_are_jaccard_of_closed_neighbourhoods() -> None:
    points = np.random.default_rng(0).normal(size=(60, 3))
    indices, _ = neighbours.nearest_neighbours(points, 6)
    graph = neighbours.shared_neighbour_graph(indices).toarray()
    around = [set(row) | {i} for i, row in enumerate(indices.tolist())]
    for i, j in ((0, int(indices[0, 0])), (7, int(indices[7, 5])), (20, int(indices[20, 2]))):
        jaccard = len(around[i] & around[j]) / len(around[i] | around[j])
        seen = (j in indices[i]) + (i in indices[j])
        assert graph[i, j] == pytest.approx(jaccard * seen / 2, abs=1e-12)
    assert (graph == graph.T).all()
    assert (graph[np.arange(60)[:, None], indices] > 0).all()


# ---------------------------------------------------------------- partitions


@pytest.mark.filterwarnings("ignore:The `igraph` implementation")  # scanpy advises the other flavour
@pytest.mark.parametrize("flavor", ["leidenalg", "igraph"])
def test_partitions_are_scanpys(flavor: str) -> None:
    import scanpy as sc

    adata = toy(80, 200)
    cluster(adata, FAST)
    own = leiden.leiden if flavor == "leidenalg" else leiden.leiden_fast
    found = own(leiden.as_igraph(adata.obsp["connectivities"]), 0.2, seed=1)
    sc.tl.leiden(adata, 0.2, obsp="connectivities", flavor=flavor, directed=False, n_iterations=2, key_added="theirs")
    together = stability.contingency(found, adata.obs["theirs"].astype(int).to_numpy(), 3)
    assert stability.adjusted_rand(together) == 1  # three clear populations; where there are none, chance decides


def test_populations_are_found_and_stable() -> None:
    from sklearn.metrics import adjusted_rand_score

    adata = toy(80, 200)
    table, notices = cluster(adata, FAST, seed=1)
    assert notices == []
    assert adjusted_rand_score(adata.obs["group"], labels_of(adata, "leiden_0.2")) > 0.98
    coarse = table[table["resolution"] == 0.2]
    assert coarse["n"].tolist() == sorted(coarse["n"], reverse=True)
    assert (coarse["stability_jaccard"] > 0.95).all()
    assert (coarse["ari_resolution"] > 0.95).all()
    assert adata.X.dtype == np.int32  # raw counts stay
    assert set(adata.obsm) == {"X_pca", "X_pca_integrated"}


def test_a_cluster_of_one_animal_is_told() -> None:
    rng = np.random.default_rng(1)
    # three populations; the third is one animal's own
    animal = np.concatenate([rng.integers(0, 5, 300), np.full(60, 4)])
    labels = np.repeat([0, 1, 2], [150, 150, 60])
    points = rng.normal(0, 0.3, (360, 3)) + 4 * np.eye(3)[labels]
    indices, _ = neighbours.nearest_neighbours(points, 40)
    settings = ClusterSettings(n_resamples=40)
    by_cells, _ = stability.stability(points, indices, {0.2: labels}, settings, seed=1)
    by_animals, _ = stability.stability(points, indices, {0.2: labels}, settings, seed=1, animal=animal)
    assert (by_cells[0.2] > 0.9).all()
    assert (by_animals[0.2][:2] > 0.9).all()
    # it comes back unless its animal, one of five, is the one left out: .8, with 40 resamples give or take .06
    assert by_animals[0.2][2] == pytest.approx(0.8, abs=0.2)
    adata = toy(80, 200)
    adata.obs["subject"] = np.where(
        np.arange(adata.n_obs) % 4 == 0, "a", np.where(np.arange(adata.n_obs) % 4 == 1, "b", "c")
    )
    table, _ = cluster(adata, FAST, seed=1)
    own = table[table["resolution"] == 0.2]
    for row in own.itertuples():
        inside = adata.obs["subject"][labels_of(adata, "leiden_0.2") == row.cluster]
        assert row.largest_animal == pytest.approx(inside.value_counts(normalize=True).max())


def test_top_genes_name_the_population() -> None:
    adata = toy(80, 200)
    table, _ = cluster(adata, FAST, seed=1)
    for row in table[table["resolution"] == 0.2].itertuples():
        group = int(adata.obs["group"][labels_of(adata, "leiden_0.2") == row.cluster].mode()[0])
        raised = {f"Gene{i}" for i in range(group * 20, group * 20 + 20)}
        assert set(row.top_genes.split()) <= raised


def test_noise_has_no_stable_clusters() -> None:
    adata = toy(100, 120)
    adata.X = sp.csr_matrix(np.random.default_rng(0).poisson(2.0, adata.shape).astype(np.int32))
    table, notices = cluster(adata, ClusterSettings(resolutions=(1.0, 2.0), n_resamples=4), seed=1)
    assert [notice.code for notice in notices] == ["clusters_unstable"]
    # Hennig: below 0.5 a cluster dissolves
    assert table["stability_jaccard"].median() < 0.5
    assert table["ari_resolution"].max() < 0.4


def test_same_seed_same_clusters() -> None:
    first, second = toy(60, 100), toy(60, 100)
    tables = [cluster(adata, FAST, seed=5)[0] for adata in (first, second)]
    pd.testing.assert_frame_equal(*tables)
    np.testing.assert_array_equal(first.obsm["X_pca"], second.obsm["X_pca"])
    np.testing.assert_array_equal(first.obsm["X_pca_integrated"], second.obsm["X_pca_integrated"])


def test_mitochondrial_genes_do_not_shape_clusters() -> None:
    adata = toy(40, 100)
    adata.var_names = ["mt-Nd1", *adata.var_names[1:]]
    cluster(adata, FAST, seed=1)
    assert not adata.var.loc["mt-Nd1", "highly_variable"]
    assert adata.var["highly_variable"].sum() == 99


def test_number_of_variable_genes_follows_the_table() -> None:
    assert clusters.n_variable(2000, 98) == 98
    assert clusters.n_variable(2000, 2600) == 520
    assert clusters.n_variable(2000, 20_000) == 2000
    assert clusters.n_variable(100, 20_000) == 100


def test_a_panel_of_few_genes_is_clustered() -> None:
    adata = toy(40, 98)
    table, _ = cluster(adata, FAST, seed=1)
    assert len(table) > 0
    assert adata.obs["leiden"].nunique() >= 3


@pytest.mark.parametrize(("n_per_group", "n_genes", "why"), [(2, 98, "there are 6"), (40, 2, "2 genes vary")])
def test_too_little_is_one_cluster_with_a_reason(n_per_group: int, n_genes: int, why: str) -> None:
    adata = toy(n_per_group, n_genes)
    table, notices = cluster(adata, FAST)
    assert table.columns.tolist() == clusters.COLUMNS
    assert len(table) == 0
    assert set(labels_of(adata)) == {"0"}
    assert [notice.code for notice in notices] == ["not_clustered"]
    assert why in notices[0].text


def test_cells_that_are_all_alike_are_not_clustered() -> None:
    adata = toy(40, 50)
    adata.X = sp.csr_matrix(np.ones(adata.shape, dtype=np.int32))
    _, notices = cluster(adata, FAST)
    assert [notice.code for notice in notices] == ["not_clustered"]


# ---------------------------------------------------------------- stability


def test_indices_of_agreement_are_scikit_learns() -> None:
    from sklearn.metrics import adjusted_rand_score, jaccard_score

    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 4, 200), rng.integers(0, 3, 200)
    together = stability.contingency(one, other, 4)
    assert stability.adjusted_rand(together) == pytest.approx(adjusted_rand_score(one, other), abs=1e-12)
    best = [max(jaccard_score(one == c, other == d) for d in range(3)) for c in range(4)]
    np.testing.assert_allclose(stability.best_jaccard(together), best, rtol=1e-12)
    assert stability.adjusted_rand(stability.contingency(one, one, 4)) == 1.0


def test_a_cluster_that_no_subset_holds_is_missing() -> None:
    together = stability.contingency(np.array([0, 0, 2]), np.array([0, 0, 1]), 4)
    np.testing.assert_array_equal(stability.best_jaccard(together), [1.0, np.nan, 1.0, np.nan])


def test_neighbours_in_a_subset_are_those_found_anew() -> None:
    points = np.random.default_rng(0).normal(size=(300, 4))
    wide, _ = neighbours.nearest_neighbours(points, 40)
    kept = np.sort(np.random.default_rng(1).choice(300, 240, replace=False))
    anew, _ = neighbours.nearest_neighbours(points[kept], 15)
    np.testing.assert_array_equal(stability._kept_neighbours(points, wide, kept, 15), anew)


def test_neighbours_without_an_animal_that_held_all_of_them_are_those_found_anew() -> None:
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(size=(100, 4)), rng.normal(size=(80, 4)) + 9])
    animal = np.repeat([0, 1, 0], [3, 97, 80])  # of the first population animal 0 has three cells
    wide, _ = neighbours.nearest_neighbours(points, 40)
    kept = np.flatnonzero(animal == 0)
    anew, _ = neighbours.nearest_neighbours(points[kept], 15)
    np.testing.assert_array_equal(stability._kept_neighbours(points, wide, kept, 15), anew)


@pytest.mark.parametrize("alone", [0, 1, 2])
def test_clusters_of_one_animal_do_not_come_back_without_it(alone: int) -> None:
    points = np.random.default_rng(1).normal(size=(80, 3))
    indices, _ = neighbours.nearest_neighbours(points, 40)
    animal = np.repeat([0, 1], [80 - alone, alone])
    labels = np.repeat([0, 1], 40)
    jaccard, ari = stability.stability(
        points, indices, {1.0: labels}, ClusterSettings(n_resamples=20), seed=1, animal=animal
    )
    assert np.isfinite(jaccard[1.0]).all()
    assert jaccard[1.0].max() < 0.9  # the rounds without animal 0 count as nothing, or as two cells
    assert ari[1.0] < 0.9


def test_the_finest_stable_resolution_is_reported() -> None:
    table = pd.DataFrame(
        {
            "resolution": [0.2, 0.2, 0.5, 0.5, 1.0, 1.0],
            "n": [90, 10, 50, 50, 50, 50],
            "stability_jaccard": [1.0, 0.0, 0.8, 0.7, 0.9, 0.5],
        }
    )
    assert clusters.reported(table, 0.75) == (0.5, pytest.approx(0.75), True)
    assert clusters.reported(table, 0.95) == (0.2, pytest.approx(0.9), False)
    table.loc[0, "stability_jaccard"] = 0.7  # the coarsest is not stable, a finer one is: told as it is
    assert clusters.reported(table, 0.75) == (0.5, pytest.approx(0.75), True)


def test_a_cell_without_counts_stays_empty() -> None:
    counts = sp.csr_matrix(np.array([[0, 0], [1, 3], [2, 2]], dtype=np.int32))
    np.testing.assert_allclose(variable_genes.depth_normalised(counts).toarray(), [[0, 0], [1, 3], [2, 2]])


def test_stability_of_a_pool_is_nearly_that_of_all_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ClusterSettings(resolutions=(0.2, 1.0), n_resamples=4)
    whole, _ = cluster(toy(300, 200), settings)
    monkeypatch.setattr(stability, "POOL", 400)
    some, _ = cluster(toy(300, 200), settings)
    # the partitions are those of all cells either way
    pd.testing.assert_frame_equal(
        some[["resolution", "cluster", "n", "top_genes"]], whole[["resolution", "cluster", "n", "top_genes"]]
    )
    coarse = whole["resolution"] == 0.2  # three populations, told apart as well by 400 cells as by 900
    np.testing.assert_allclose(some.loc[coarse, "stability_jaccard"], whole.loc[coarse, "stability_jaccard"], atol=0.02)
    assert some["stability_jaccard"].between(0, 1).all()


def test_a_cluster_of_which_the_pool_holds_no_cell_has_no_stability() -> None:
    rng = np.random.default_rng(1)
    points = np.concatenate([rng.normal(size=(60, 4)), rng.normal(size=(60, 4)) + 20, rng.normal(size=(5, 4)) - 40])
    labels = np.repeat([0, 1, 2], [60, 60, 5])
    pool = np.arange(120)
    indices, _ = neighbours.nearest_neighbours(points[pool], 40)
    settings = ClusterSettings(resolutions=(0.1,), n_resamples=3)
    jaccard, _ = stability.stability(points[pool], indices, {0.1: labels}, settings, seed=1, cells=pool)
    assert jaccard[0.1][:2].min() > 0.9
    assert np.isnan(jaccard[0.1][2])
    animal = np.repeat([0, 1, 2, 3, 4, 5], 20)
    left_out, _ = stability.stability(points[pool], indices, {0.1: labels}, settings, seed=1, cells=pool, animal=animal)
    assert left_out[0.1][2] == 0
