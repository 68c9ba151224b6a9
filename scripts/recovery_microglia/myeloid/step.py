"""The step from merged myeloid cells to clusters, for the workflow and for `tl`."""

import anndata as ad
import pandas as pd

from recovery_microglia.core.json_files import Json
from recovery_microglia.myeloid.clusters import cluster
from recovery_microglia.myeloid.repeats import repeats
from recovery_microglia.myeloid.settings import ClusterSettings


def myeloid_step(adata: ad.AnnData, settings: ClusterSettings, *, seed: int) -> tuple[pd.DataFrame, Json]:
    """Compare the libraries with each other and cluster the cells, in place; return clusters.tsv and the report."""
    alarms = repeats(adata)
    clusters, notices = cluster(adata, settings, seed=seed)
    report = {
        "n_cells": adata.n_obs,
        "variable_genes": int(adata.var["highly_variable"].sum()),
        "notices": [notice.as_dict() for notice in (*alarms, *notices)],
    }
    return clusters, report
