"""Simulate the demo: parameter tables and sheet in, libraries in 10x layout and their truth out."""

from pathlib import Path

from recovery_microglia.jobs.log import reporting

with reporting(*snakemake.log, reads=snakemake.input):
    from recovery_microglia.core.sheet import sheet_frame
    from recovery_microglia.simulate.libraries import simulate

    sheet = sheet_frame(snakemake.params.sheet)
    simulate(
        Path(snakemake.params.parameters),
        sheet[sheet["include"]],
        Path(snakemake.output[0]),
        cells_per_library=snakemake.params.cells_per_library,
        seed=snakemake.params.seed,
    )
