"""One file of a deposit: downloaded or found in place, checked, unpacked; a table of what is there out."""

import os
from pathlib import Path

from recovery_microglia.jobs.log import reporting

with reporting(snakemake.log[0]):
    from recovery_microglia.deposit.downloads import Download
    from recovery_microglia.deposit.fetch import fetch

    fetch(
        Download(**snakemake.params.file),
        Path(snakemake.params.folder),
        Path(snakemake.output[0]),
        Path(snakemake.params.record),
        mirror=os.environ.get("GEO_MIRROR", ""),
    )
