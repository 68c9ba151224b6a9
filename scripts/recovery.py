"""Call the recovery cells: clustered myeloid cells in; scores, calibration and calls out."""

from pathlib import Path

import anndata as ad

from recovery_microglia.jobs.log import reporting

with reporting(*snakemake.log, reads=snakemake.input) as job:
    from recovery_microglia.core.genes import load_signatures
    from recovery_microglia.core.json_files import read_json, write_json
    from recovery_microglia.core.tables import write_table
    from recovery_microglia.recovery.call import call_recovery, renamed_genes
    from recovery_microglia.recovery.settings import RecoverySettings

    result = call_recovery(
        ad.read_h5ad(snakemake.input.clustered),
        load_signatures(Path(snakemake.input.signatures[0]).parent),
        RecoverySettings(**snakemake.params.settings),
        renamed=renamed_genes(read_json(Path(path)) for path in snakemake.input.libraries),
        seed=snakemake.params.seed,
    )
    result.cells.to_parquet(snakemake.output.cells, index=False)
    job.cells = len(result.cells)
    for name, table in result.tables.items():
        write_table(table, Path(snakemake.output[name]))
    write_json(result.report, Path(snakemake.output.report))
