"""The page over all data sets of a run."""

from pathlib import Path

from recovery_microglia.jobs.log import reporting

with reporting(snakemake.log[0]):
    from recovery_microglia.core.json_files import read_json
    from recovery_microglia.core.tables import read_table
    from recovery_microglia.figures import forest
    from recovery_microglia.report import write_index

    summaries = [read_json(Path(path)) for path in snakemake.input.summaries]
    sentences = read_json(Path(snakemake.input.agreement))["agreement"]
    drawn = forest(read_table(Path(snakemake.input.comparison)), sentences)
    write_index(summaries, Path(snakemake.output[0]), [drawn] if drawn else [])
