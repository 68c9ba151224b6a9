"""All data sets of a run beside each other: onsets, rises, agreement."""

from pathlib import Path

from recovery_microglia.jobs.log import reporting

with reporting(snakemake.log[0]):
    from recovery_microglia.comparison.meta_analysis import compare, of_dataset
    from recovery_microglia.core.json_files import read_json, write_json
    from recovery_microglia.core.tables import read_table, write_table

    rows = []
    for summary, timeline in zip(snakemake.input.summaries, snakemake.input.timelines, strict=True):
        rows += of_dataset(read_json(Path(summary)), read_table(Path(timeline)))
    table, sentences = compare(rows)
    write_table(table, Path(snakemake.output.table))
    write_json({"agreement": sentences}, Path(snakemake.output.report))
