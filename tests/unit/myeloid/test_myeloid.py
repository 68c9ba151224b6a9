"""Merge, integration, pictures, and inputs too small for anything."""

import subprocess
import sys
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.typing import NDArray

from recovery_microglia import myeloid
from recovery_microglia.myeloid import components, neighbours, variable_genes
from recovery_microglia.myeloid.integration import add_integrated, morans_i

# anndata 0.13 asks pandas 3.1 for an option that is on its way out whenever it cuts a table with categories
pytestmark = pytest.mark.filterwarnings("ignore:The 'mode.chained_assignment' option is deprecated")

SHEET = pd.DataFrame(
    {
        "library": ["a", "b"],
        "subject": ["m1", "m2"],
        "day": [0.0, np.nan],
        "condition": ["naive", "injured"],
        "sex": ["female", ""],
    }
)


def library(name: str, genes: list[str], counts: NDArray[np.int64]) -> ad.AnnData:
    obs = pd.DataFrame({"library": name, "lineage": "microglia"}, index=[f"{name}:{i}" for i in range(len(counts))])
    return ad.AnnData(sp.csr_matrix(counts.astype(np.int32)), obs=obs, var=pd.DataFrame(index=genes))


def toy(n_per_group: int, n_genes: int, *, libraries: int = 2, seed: int = 0) -> ad.AnnData:
    """Three populations that differ fourfold in a tenth of the genes each."""
    rng = np.random.default_rng(seed)
    mean = np.tile(rng.gamma(0.7, 1.0, n_genes) + 0.1, (3, 1))
    for group in range(3):
        mean[group, group * n_genes // 10 : (group + 1) * n_genes // 10] *= 4
    group = np.tile(np.arange(3), n_per_group)
    adata = library("x", [f"Gene{i}" for i in range(n_genes)], rng.poisson(mean[group]))
    adata.obs["library"] = [f"lib{i % libraries}" for i in range(adata.n_obs)]
    adata.obs["group"] = group
    return adata


# ---------------------------------------------------------------- merge


def test_merge_takes_the_union_of_genes_and_keeps_every_count(tmp_path: Path) -> None:
    one = library("a", ["G1", "G2"], np.array([[1, 0], [2, 3]]))
    two = library("b", ["G3", "G2"], np.array([[5, 7]]))
    paths = []
    for part, name in ((one, "a"), (two, "b")):
        paths.append(tmp_path / f"{name}.h5ad")
        part.write_h5ad(paths[-1])
    merged = myeloid.merge(paths, SHEET)
    table = pd.DataFrame(merged.X.toarray(), index=merged.obs_names, columns=merged.var_names)
    assert table.loc["a:1"].to_dict() == {"G1": 2, "G2": 3, "G3": 0}
    assert table.loc["b:0"].to_dict() == {"G1": 0, "G2": 7, "G3": 5}
    assert merged.var["n_libraries"].to_dict() == {"G1": 1, "G2": 2, "G3": 1}
    assert merged.X.format == "csr"
    assert merged.X.dtype == np.int32
    assert merged.X.has_canonical_format


def test_merge_of_files_is_merge_of_tables(tmp_path: Path) -> None:
    parts = [library("a", ["G1", "G2"], np.eye(2)), library("b", ["G2", "G4"], np.eye(2) * 3)]
    paths = []
    for number, part in enumerate(parts):
        paths.append(tmp_path / f"{number}.h5ad")
        part.write_h5ad(paths[-1])
    from_files, from_tables = myeloid.merge(paths, SHEET), myeloid.merge(parts, SHEET)
    assert (from_files.X != from_tables.X).nnz == 0
    assert from_files.obs.astype(str).equals(from_tables.obs.astype(str))


def test_merge_does_not_change_what_it_is_given() -> None:
    part = library("a", ["G2", "G1"], np.array([[1, 2]]))
    myeloid.merge([library("b", ["G1", "G2"], np.array([[1, 1]])), part], SHEET)
    assert part.X.toarray().tolist() == [[1, 2]]
    assert list(part.obs) == ["library", "lineage"]


def test_cells_learn_what_the_sheet_says() -> None:
    parts = [library("a", ["G1"], np.ones((2, 1))), library("b", ["G1"], np.ones((1, 1)))]
    obs = myeloid.merge(parts, SHEET).obs
    assert obs["subject"].tolist() == ["m1", "m1", "m2"]
    assert np.isnan(obs["day"].iloc[2])
    assert obs["sex"].tolist() == ["female", "female", ""]  # unknown is empty, not "nan"
    assert isinstance(obs["condition"].dtype, pd.CategoricalDtype)


def test_a_library_without_cells_counts_for_its_genes_only() -> None:
    empty = library("b", ["G1", "G9"], np.zeros((0, 2)))
    merged = myeloid.merge([library("a", ["G1"], np.ones((2, 1))), empty], SHEET)
    assert merged.n_obs == 2
    assert merged.var["n_libraries"].to_dict() == {"G1": 2, "G9": 1}


def test_no_cell_in_any_library_is_an_empty_table_with_a_reason(tmp_path: Path) -> None:
    merged = myeloid.merge([library("a", ["G1", "G2"], np.zeros((0, 2)))], SHEET)
    table, notices = myeloid.cluster(merged, myeloid.ClusterSettings())
    assert (merged.shape, len(table)) == ((0, 2), 0)
    assert [notice.code for notice in notices] == ["not_clustered"]
    assert myeloid.embed(merged).columns.tolist() == ["cell", "umap1", "umap2", "integrated1", "integrated2"]
    merged.write_h5ad(tmp_path / "empty.h5ad")
    assert ad.read_h5ad(tmp_path / "empty.h5ad").n_obs == 0


def test_merging_nothing_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="no library"):
        myeloid.merge([], SHEET)


# ---------------------------------------------------------------- integration


def test_integration_lays_batches_over_one_another() -> None:
    adata = toy(100, 20)
    rng = np.random.default_rng(1)
    points = rng.normal(size=(adata.n_obs, 5)) + 8 * adata.obs["group"].to_numpy()[:, None]
    second = (adata.obs["library"] == "lib1").to_numpy()
    points[second, 0] += 6
    adata.obsm["X_pca"] = points.astype(np.float32)
    assert add_integrated(adata, seed=1) == []
    before, _ = neighbours.nearest_neighbours(points, 15)
    after, _ = neighbours.nearest_neighbours(adata.obsm["X_pca_integrated"], 15)
    library_score, group_score = second.astype(float), adata.obs["group"].to_numpy(float)
    # before: each library is an island (1); after: neighbours are of either library
    assert morans_i(library_score, before) > 0.95
    assert myeloid.score_retention(library_score, before, after) < 0.5
    assert myeloid.score_retention(group_score, before, after) > 0.95


def test_integration_of_many_small_libraries_makes_no_clumps() -> None:
    """Harmony's own number of groups shifted each cell of the demo onto the centre of its group: forty clumps of one cell a library."""
    rng = np.random.default_rng(3)
    n, each = 24, 60
    library = np.repeat([f"lib{i}" for i in range(n)], each)
    points = rng.normal(size=(n * each, 10)) + rng.normal(0, 0.5, (n, 10)).repeat(each, axis=0)
    adata = ad.AnnData(obs=pd.DataFrame({"library": library}, index=np.arange(n * each).astype(str)))
    adata.obsm["X_pca"] = points.astype(np.float32)
    add_integrated(adata, seed=1)
    after, _ = neighbours.nearest_neighbours(adata.obsm["X_pca_integrated"], 15)
    own = float((library[after] == library[:, None]).mean())
    # mixed at random, one neighbour in 24 is of the same library (.042); clumps of one cell a library leave none (.011)
    assert 0.03 < own < 0.07


def test_one_library_is_not_integrated() -> None:
    adata = toy(30, 20, libraries=1)
    adata.obsm["X_pca"] = np.zeros((adata.n_obs, 2), dtype=np.float32)
    assert [notice.code for notice in add_integrated(adata, seed=1)] == ["not_integrated"]
    assert "X_pca_integrated" not in adata.obsm


def test_morans_i_of_a_known_chain() -> None:
    # neighbours on a line, ends with one neighbour twice; by hand: sum z_i mean(z_j) / sum z_i^2
    indices = np.array([[1, 1], [0, 2], [1, 3], [2, 2]])
    score = np.array([1.0, 2.0, 3.0, 4.0])
    centred = score - 2.5
    by_hand = sum(centred[i] * centred[indices[i]].mean() for i in range(4)) / (centred**2).sum()
    assert morans_i(score, indices) == pytest.approx(by_hand, abs=1e-12)
    assert np.isnan(morans_i(np.full(4, 0.1), indices))


def test_cells_without_a_score_do_not_count() -> None:
    indices = np.array([[1, 4], [0, 4], [3, 4], [2, 4], [0, 1]])
    score = np.array([1.0, 1.0, 0.0, 0.0, np.nan])
    assert morans_i(score, indices) == pytest.approx(1.0)


def test_retention_of_no_structure_is_missing() -> None:
    rng = np.random.default_rng(0)
    indices, _ = neighbours.nearest_neighbours(rng.normal(size=(400, 3)), 15)
    assert np.isnan(myeloid.score_retention(rng.normal(size=400), indices, indices))


# ---------------------------------------------------------------- pictures


def test_pictures_keep_populations_apart_and_repeat() -> None:
    adata = toy(40, 60, libraries=1)
    adata.obsm["X_pca"] = components.components(
        variable_genes.log1p(variable_genes.depth_normalised(adata.X)), n_pcs=10, seed=1
    )
    first, again = myeloid.embed(adata, seed=3), myeloid.embed(adata, seed=3)
    pd.testing.assert_frame_equal(first, again)
    assert first["cell"].tolist() == adata.obs_names.tolist()
    assert first[["integrated1", "integrated2"]].isna().all().all()
    near, _ = neighbours.nearest_neighbours(first[["umap1", "umap2"]].to_numpy(), 5)
    group = adata.obs["group"].to_numpy()
    # clear populations: nearly every neighbour in the picture is of one's own kind (chance: 1/3)
    assert (group[near] == group[:, None]).mean() > 0.95


def test_few_cells_or_one_place_make_no_picture() -> None:
    adata = toy(5, 20)
    adata.obsm["X_pca"] = np.random.default_rng(0).normal(size=(15, 4))
    assert myeloid.embed(adata).drop(columns="cell").isna().all().all()
    adata = toy(20, 20)
    adata.obsm["X_pca"] = np.zeros((60, 4))
    assert myeloid.embed(adata).drop(columns="cell").isna().all().all()


def test_clustering_imports_neither_umap_nor_pynndescent(root: Path) -> None:
    code = """
import sys
import test_myeloid as toys
from recovery_microglia import myeloid
table, _ = myeloid.cluster(toys.toy(40, 60), myeloid.ClusterSettings(n_resamples=2))
assert len(table)
print(sorted({"umap", "pynndescent"} & set(sys.modules)))
"""
    path = [str(root / "scripts"), str(root / "tests" / "unit" / "myeloid")]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {path}\n{code}"], capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]", done.stderr
