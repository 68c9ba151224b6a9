"""Subjects over days: calls in; fractions, tests, onset, single genes, robustness and the design audit out."""

from pathlib import Path

import anndata as ad
import pandas as pd

from recovery_microglia.jobs.log import reporting

with reporting(*snakemake.log, reads=snakemake.input):
    from recovery_microglia.core.genes import load_signatures
    from recovery_microglia.core.json_files import read_json, write_json
    from recovery_microglia.core.sheet import sheet_frame
    from recovery_microglia.core.tables import read_table, write_table
    from recovery_microglia.timeline.settings import TimelineSettings
    from recovery_microglia.timeline.step import timeline_step

    tables, report = timeline_step(
        sheet=sheet_frame(snakemake.params.sheet),
        cells=pd.concat([pd.read_parquet(path) for path in snakemake.input.cells], ignore_index=True),
        recovered=pd.read_parquet(snakemake.input.recovered),
        recovery=read_json(Path(snakemake.input.recovery)),
        calibration=read_table(Path(snakemake.input.calibration)),
        myeloid=ad.read_h5ad(snakemake.input.clustered),
        sums={Path(path).parent.name: pd.read_parquet(path) for path in snakemake.input.sums},
        signatures=load_signatures(Path(snakemake.input.signatures[0]).parent),
        behaviour=list(snakemake.params.behaviour),
        injury_model=snakemake.params.injury_model,
        quantile=snakemake.params.quantile,
        settings=TimelineSettings(**snakemake.params.settings),
        seed=snakemake.params.seed,
        threads=snakemake.threads,
    )
    for name, table in tables.items():
        write_table(table, Path(snakemake.output[name]))
    write_json(report, Path(snakemake.output.report))
