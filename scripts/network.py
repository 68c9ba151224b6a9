"""One network of targets: its row of the table of networks in; where its file is, or why it is not there, out."""

import os
from pathlib import Path

from recovery_microglia.jobs.log import reporting

with reporting(snakemake.log[0]):
    from recovery_microglia.core.json_files import write_json
    from recovery_microglia.drivers.fetching import fetch_network
    from recovery_microglia.drivers.networks import load_resources

    resources = {own.name: own for own in load_resources(Path(snakemake.input[0]))}
    found = fetch_network(resources[snakemake.wildcards.network], mirror=os.environ.get("NETWORKS_MIRROR", ""))
    write_json(found, Path(snakemake.output[0]))
