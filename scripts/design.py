"""What a design can show, before anything is computed: the sheet in; plain text and a table out."""

from pathlib import Path

from recovery_microglia.jobs.log import reporting

with reporting(snakemake.log[0]):
    from recovery_microglia.core.sheet import sheet_frame
    from recovery_microglia.core.tables import write_table
    from recovery_microglia.timeline.power import plan, words
    from recovery_microglia.timeline.settings import TimelineSettings

    settings = TimelineSettings(**snakemake.params.settings)
    audit, days = plan(sheet_frame(snakemake.params.sheet), settings, seed=snakemake.params.seed)
    text = words(snakemake.params.title, audit, days, settings, snakemake.params.to_check)
    write_table(days, Path(snakemake.output.table))
    Path(snakemake.output.text).write_text(text, encoding="utf-8")
