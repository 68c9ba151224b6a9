"""What a design can show, before anything is computed: the sheet in; plain text out."""

from pathlib import Path

import pandas as pd

from recovery_microglia.provenance import reporting

with reporting(snakemake.log[0]):
    from recovery_microglia.plan import plan, words
    from recovery_microglia.timeline import TimelineSettings

    settings = TimelineSettings(**snakemake.params.settings)
    audit, days = plan(pd.DataFrame(snakemake.params.sheet), settings, seed=snakemake.params.seed)
    text = words(snakemake.params.title, audit, days, settings, snakemake.params.to_check)
    Path(snakemake.output[0]).write_text(text, encoding="utf-8")
