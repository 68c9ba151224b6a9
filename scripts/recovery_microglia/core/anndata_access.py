"""What stands in an AnnData, with its type.

anndata types X as one of nine kinds of array and obs as one of two kinds of table; in this package X is a csr matrix and
obs a DataFrame, from the readers on. These functions say so, check it, and copy nothing.
"""

from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from recovery_microglia.core.arrays import Floats, Singles
from recovery_microglia.core.frame_access import positions


def _checked[T](value: object, kind: type[T], name: str) -> T:
    if not isinstance(value, kind):
        raise TypeError(f"{name} of the AnnData is a {type(value).__name__}, not a {kind.__name__}")
    return value


def counts_of(adata: ad.AnnData) -> sp.csr_matrix:
    """Return X, cells × genes."""
    return _checked(adata.X, sp.csr_matrix, "X")


def gene_counts(counts: sp.csr_matrix, genes: pd.Index, gene: str) -> NDArray[Any]:
    """Return the counts of one gene that is there, one a cell."""
    return np.asarray(counts[:, int(positions(genes, [gene])[0])].todense()).ravel()


def obs_of(adata: ad.AnnData) -> pd.DataFrame:
    """Return the table of the cells."""
    return _checked(adata.obs, pd.DataFrame, "obs")


def var_of(adata: ad.AnnData) -> pd.DataFrame:
    """Return the table of the genes."""
    return _checked(adata.var, pd.DataFrame, "var")


def points_of(adata: ad.AnnData, key: str) -> Floats | Singles:
    """Return coordinates of the cells: components or a picture (``obsm[key]``)."""
    points: Floats | Singles = _checked(adata.obsm[key], np.ndarray, f"obsm['{key}']")
    return points


def soup_of(adata: ad.AnnData) -> pd.DataFrame | None:
    """Return the share of each gene in ambient RNA, genes × libraries; None where it is not known."""
    return _checked(adata.varm["soup"], pd.DataFrame, "varm['soup']") if "soup" in adata.varm else None


def read_frame(group: object) -> pd.DataFrame:
    """Read a table (obs, var) from an open h5ad, and nothing else of it."""
    return _checked(ad.io.read_elem(group), pd.DataFrame, getattr(group, "name", "table"))
