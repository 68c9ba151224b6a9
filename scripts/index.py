"""The page over all data sets of a run."""

from pathlib import Path

from recovery_microglia.provenance import reporting

with reporting(snakemake.log[0]):
    from recovery_microglia.outputs import read_json
    from recovery_microglia.report import write_index

    summaries = [read_json(Path(path)) for path in snakemake.input]
    write_index(summaries, Path(snakemake.output[0]))
