"""Merge the myeloid cells of all libraries and cluster them."""

from pathlib import Path

from recovery_microglia.jobs.log import reporting

with reporting(*snakemake.log, reads=snakemake.input) as job:
    from recovery_microglia.core.frames import write_frame
    from recovery_microglia.core.json_files import write_json
    from recovery_microglia.core.sheet import sheet_frame
    from recovery_microglia.myeloid import ClusterSettings, merge
    from recovery_microglia.myeloid.step import myeloid_step

    adata = merge([Path(path) for path in snakemake.input], sheet_frame(snakemake.params.sheet))
    job.cells = adata.n_obs
    settings = ClusterSettings(**snakemake.params.settings)
    clusters, report = myeloid_step(adata, settings, seed=snakemake.params.seed)
    adata.write_h5ad(snakemake.output.clustered, compression="lzf")
    write_frame(clusters, Path(snakemake.output.clusters))
    write_json(report, Path(snakemake.output.report))
