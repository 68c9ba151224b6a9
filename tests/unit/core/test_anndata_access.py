from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from recovery_microglia.core.anndata_access import (
    counts_of,
    gene_counts,
    obs_of,
    points_of,
    read_frame,
    soup_of,
    var_of,
)

COUNTS = np.array([[0, 2, 0], [5, 0, 1]], dtype=np.int32)
GENES = ["Itgax", "Igf1", "Cx3cr1"]


def small(counts: object = None) -> ad.AnnData:
    obs, var = pd.DataFrame({"library": ["a", "b"]}, index=["a:1", "b:1"]), pd.DataFrame(index=GENES)
    return ad.AnnData(sp.csr_matrix(COUNTS) if counts is None else counts, obs=obs, var=var)


def test_counts_are_the_matrix_itself() -> None:
    adata = small()
    assert counts_of(adata) is adata.X
    assert gene_counts(counts_of(adata), adata.var_names, "Itgax").tolist() == [0, 5]
    assert gene_counts(counts_of(adata[1:]), adata.var_names, "Cx3cr1").tolist() == [1]
    assert (list(obs_of(adata)), list(var_of(adata).index)) == (["library"], GENES)


def test_another_kind_of_matrix_is_named() -> None:
    with pytest.raises(TypeError, match="X of the AnnData is a ndarray, not a csr_matrix"):
        counts_of(small(COUNTS.astype(np.float32)))
    with pytest.raises(TypeError, match="X of the AnnData is a csc_matrix"):
        counts_of(small(sp.csc_matrix(COUNTS)))


def test_what_is_not_there_is_none_and_of_the_wrong_kind_an_error() -> None:
    adata = small()
    assert soup_of(adata) is None
    adata.varm["soup"] = pd.DataFrame({"a": [0.1, 0.2, 0.3]}, index=GENES)
    soup = soup_of(adata)
    assert soup is not None
    assert soup["a"].tolist() == [0.1, 0.2, 0.3]
    adata.obsm["X_pca"] = np.ones((2, 3), dtype=np.float32)
    assert points_of(adata, "X_pca").dtype == np.float32
    adata.obsm["X_pca"] = sp.csr_matrix(np.ones((2, 3)))
    with pytest.raises(TypeError, match=r"obsm\['X_pca'\]"):
        points_of(adata, "X_pca")


def test_a_table_is_read_from_a_file_and_an_array_is_not_taken_for_one(tmp_path: Path) -> None:
    small().write_h5ad(tmp_path / "x.h5ad")
    with h5py.File(tmp_path / "x.h5ad") as file:
        assert read_frame(file["obs"])["library"].tolist() == ["a", "b"]
        with pytest.raises(TypeError, match="/X of the AnnData is a csr_matrix, not a DataFrame"):
            read_frame(file["X"])
