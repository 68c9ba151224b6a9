"""The page of a data set, and the table of what its jobs cost."""

from pathlib import Path

import pandas as pd

from recovery_microglia.jobs.log import reporting

with reporting(snakemake.log[0]):
    from recovery_microglia.core.tables import write_table
    from recovery_microglia.jobs.costs import COLUMNS, read_costs
    from recovery_microglia.report import load_inputs, write_report

    costs = pd.DataFrame(read_costs(Path(path) for path in snakemake.input.costs), columns=list(COLUMNS))
    write_table(costs, Path(snakemake.output.costs))
    inputs = load_inputs(Path(snakemake.input.summary).parent, drivers=snakemake.params.drivers)
    write_report(inputs, Path(snakemake.output.page), snakemake.threads)
