"""The page of a data set."""

from pathlib import Path

from recovery_microglia.provenance import reporting

with reporting(snakemake.log[0]):
    from recovery_microglia.report import load_inputs, write_report

    write_report(load_inputs(Path(snakemake.input.summary).parent), Path(snakemake.output[0]))
