"""UMAP of the uncorrected and the integrated components, for looking."""

import warnings

import anndata as ad
import numpy as np
import pandas as pd

from recovery_microglia.core.arrays import Floats
from recovery_microglia.myeloid.neighbours import nearest_neighbours

MIN_CELLS = 30
"""Fewer cells make no picture."""


def umap(points: Floats, *, seed: int, n_neighbors: int = 15) -> Floats:
    """Return a UMAP (McInnes et al. 2018), points × 2; the same on any number of cores.

    Neighbours are exact up to 150,000 points; the layout starts from the first two components, which keeps what
    is far apart where the components have it (Kobak and Linderman 2021) and cannot fail to converge.
    """
    indices, distances = nearest_neighbours(points, n_neighbors - 1, seed=seed)
    own = np.arange(len(points))[:, None]
    knn = np.concatenate([own, indices], axis=1), np.pad(distances, ((0, 0), (1, 0)))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Tensorflow not installed")  # its import; nothing here needs it
        warnings.filterwarnings("ignore", message=r"precomputed_knn\[2\]")  # no later points will be placed
        from umap import UMAP

        layout = UMAP(
            n_neighbors=knn[0].shape[1],
            min_dist=0.5,
            init="pca",
            n_epochs=200,
            precomputed_knn=(*knn, None),
            random_state=seed,
            n_jobs=1,
        )
        return np.asarray(layout.fit_transform(points), dtype=np.float64)


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
        if key in adata.obsm and len(table) >= MIN_CELLS and np.ptp(adata.obsm[key]) > 0:
            drawn = umap(adata.obsm[key], seed=seed)
        table[f"{name}1"], table[f"{name}2"] = drawn[:, 0], drawn[:, 1]
    return table
