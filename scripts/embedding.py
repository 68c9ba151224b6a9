"""Embed the myeloid cells for looking (UMAP), without and with integration."""

import anndata as ad

from recovery_microglia.jobs.log import reporting

with reporting(*snakemake.log, reads=snakemake.input) as job:
    from recovery_microglia.myeloid import embed

    adata = ad.read_h5ad(snakemake.input.clustered)
    job.cells = adata.n_obs
    embed(adata, seed=snakemake.params.seed).to_parquet(snakemake.output.embedding, index=False)
