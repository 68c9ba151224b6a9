"""UMAP of the uncorrected and the integrated components, for looking."""

import warnings
from importlib import import_module

import anndata as ad
import numpy as np
import pandas as pd

from recovery_microglia.core.anndata_access import points_of
from recovery_microglia.core.arrays import Floats, Singles
from recovery_microglia.core.compiled import kept_compilations
from recovery_microglia.myeloid.neighbours import EXACT_UP_TO

MIN_CELLS = 30
"""Fewer cells make no picture."""


def umap(points: Floats | Singles, *, seed: int, n_neighbors: int = 15) -> Floats:
    """Return a UMAP (McInnes et al. 2018) by scanpy, points × 2; the same on any number of cores.

    Neighbours are exact up to `EXACT_UP_TO` points; the layout starts from the first two components, which keeps what
    is far apart where the components have it (Kobak and Linderman 2021) and cannot fail to converge.
    """
    import scanpy as sc

    with kept_compilations(), warnings.catch_warnings():
        warnings.simplefilter("ignore", ImportWarning)  # it says of what it does without
        import_module("umap.umap_")  # by which scanpy draws

    cells = ad.AnnData(obs=pd.DataFrame(index=np.arange(len(points)).astype(str)))
    cells.obsm["X_pca"] = points
    search = "sklearn" if len(points) <= EXACT_UP_TO else "pynndescent"
    sc.pp.neighbors(cells, n_neighbors, use_rep="X_pca", transformer=search, random_state=seed)
    sc.tl.umap(cells, init_pos="pca", maxiter=200, random_state=seed)
    return np.asarray(cells.obsm["X_umap"], dtype=np.float64)


def embed(adata: ad.AnnData, *, seed: int = 1) -> pd.DataFrame:
    """Return the coordinates of both pictures: cell, umap1, umap2, integrated1, integrated2.

    NaN where there was nothing to draw: no components, no integration, or all cells in one place.

    Parameters
    ----------
    adata
        With ``obsm["X_pca"]`` and ``obsm["X_pca_integrated"]`` where there are such.
    seed
        Of both layouts.
    """
    table = pd.DataFrame({"cell": adata.obs_names.to_numpy(str)})
    for key, name in (("X_pca", "umap"), ("X_pca_integrated", "integrated")):
        drawn = np.full((len(table), 2), np.nan)
        if key in adata.obsm and len(table) >= MIN_CELLS and np.ptp(points := points_of(adata, key)) > 0:
            drawn = umap(points, seed=seed)
        table[f"{name}1"], table[f"{name}2"] = drawn[:, 0], drawn[:, 1]
    return table
