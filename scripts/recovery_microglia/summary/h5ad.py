"""The h5ad of the myeloid cells that others open."""

import anndata as ad
import numpy as np
import pandas as pd

from recovery_microglia.core.anndata_access import counts_of


def finished_h5ad(clustered: ad.AnnData, embedding: pd.DataFrame, recovery: pd.DataFrame) -> ad.AnnData:
    """Return all myeloid cells with raw counts in X, embedding, lineage, state, scores and calls.

    Parameters
    ----------
    clustered
        Cells × genes, raw counts in X, from the myeloid step.
    embedding
        One row a cell: cell, umap1, umap2, integrated1, integrated2.
    recovery
        One row a microglia; cells of other lineages get missing scores and calls.
    """
    adata = clustered.copy()
    adata.X = counts_of(adata).astype(np.float32)  # CELLxGENE takes float32 only; the values stay whole numbers
    points = embedding.set_index("cell").reindex(adata.obs_names)
    adata.obsm["X_umap"] = points[["umap1", "umap2"]].to_numpy(np.float32)
    if points["integrated1"].notna().any():
        adata.obsm["X_umap_integrated"] = points[["integrated1", "integrated2"]].to_numpy(np.float32)
    scored = recovery.set_index("cell").reindex(adata.obs_names)
    for column in scored.columns.difference(adata.obs.columns, sort=False):
        values = scored[column]
        adata.obs[column] = h5ad_column(values)
    for rows in (adata.obs, adata.var):
        rows.index = _plain_names(rows.index)
    for name, table in list(adata.varm.items()):
        if isinstance(table, pd.DataFrame):
            adata.varm[name] = table.set_axis(adata.var_names, axis=0)
    adata.uns["schema"] = "X holds raw counts; obs['recovery_call'] is yes, no or not called"
    return adata


def _plain_names(names: pd.Index) -> pd.Index:
    """Return names as objects: as pandas' texts they are written in a way that anndata before 0.11 and R's readers do not know."""
    plain: pd.Index = pd.Index(np.asarray(names, dtype=object), dtype=object, name=names.name)
    return plain


def h5ad_column(values: pd.Series) -> pd.Series:
    """Return a column that every reader of h5ad understands: numbers, or categories of text."""
    yes_no = (
        values.dtype == object and values.notna().any() and values.dropna().map(lambda value: type(value) is bool).all()
    )
    if pd.api.types.is_bool_dtype(values.dtype) or yes_no:
        words = {True: "yes", False: "no"}
        return values.map(words).astype("object").fillna("not called").astype("category")
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.astype("float64")
    return values.astype("object").fillna("").astype(str).astype("category")
