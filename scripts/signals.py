"""Signals that may reach recovery cells: sums of lineages and calls in, ranked ligand-receptor pairs out."""

from pathlib import Path

import anndata as ad
import pandas as pd

from recovery_microglia.jobs.log import reporting

with reporting(*snakemake.log, reads=snakemake.input) as job:
    from recovery_microglia.core.frames import read_commented
    from recovery_microglia.core.json_files import read_json
    from recovery_microglia.core.sheet import sheet_frame
    from recovery_microglia.core.tables import write_table
    from recovery_microglia.drivers.signals_step import signals_step

    cells = pd.read_parquet(snakemake.input.recovered)
    job.cells = len(cells)
    found = signals_step(
        sheet=sheet_frame(snakemake.params.sheet),
        cells=cells,
        recovery=read_json(Path(snakemake.input.recovery)),
        myeloid=ad.read_h5ad(snakemake.input.clustered),
        sums={Path(path).parent.name: pd.read_parquet(path) for path in snakemake.input.sums},
        every_cell=pd.concat(
            [pd.read_parquet(path, columns=["library", "lineage", "removed_by"]) for path in snakemake.input.cells]
        ),
        corrections=read_commented(Path(snakemake.input.pairs), text=True),
    )
    write_table(found.table, Path(snakemake.output.driver_signals))
    write_table(found.dropped, Path(snakemake.output.driver_signals_dropped))
