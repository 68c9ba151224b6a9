"""Genes and activities that are associated with the state: calls and counts in, tables of contrasts out."""

from pathlib import Path

import anndata as ad
import pandas as pd

from recovery_microglia.jobs.log import reporting

with reporting(*snakemake.log, reads=snakemake.input) as job:
    from recovery_microglia.core.genes import load_signatures
    from recovery_microglia.core.json_files import read_json
    from recovery_microglia.core.sheet import sheet_frame
    from recovery_microglia.core.tables import read_table, write_table
    from recovery_microglia.drivers.networks import load_networks, load_resources
    from recovery_microglia.drivers.step import drivers_step

    cells = pd.read_parquet(snakemake.input.recovered)
    job.cells = len(cells)
    tables = drivers_step(
        sheet=sheet_frame(snakemake.params.sheet),
        cells=cells,
        recovery=read_json(Path(snakemake.input.recovery)),
        refinement=read_table(Path(snakemake.input.refinement)),
        myeloid=ad.read_h5ad(snakemake.input.clustered),
        signatures=load_signatures(Path(snakemake.input.signatures[0]).parent),
        networks=load_networks(
            load_resources(Path(snakemake.input.resources)),
            [read_json(Path(path)) for path in snakemake.input.networks],
            [Path(path) for path in snakemake.input.own_networks],
        ),
        threads=snakemake.threads,
    )
    for name, table in tables.items():
        write_table(table, Path(snakemake.output[name]))
