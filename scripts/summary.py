"""Close a data set: summary.json, the closing tables and the h5ad that others open."""

from pathlib import Path

import anndata as ad
import pandas as pd

from recovery_microglia.jobs.log import reporting

with reporting(*snakemake.log, reads=snakemake.input) as job:
    from recovery_microglia.core.genes import load_signatures
    from recovery_microglia.core.json_files import read_json, write_json
    from recovery_microglia.core.sheet import sheet_frame
    from recovery_microglia.core.tables import read_table, write_table
    from recovery_microglia.summary.h5ad import finished_h5ad
    from recovery_microglia.summary.markers import page_tables
    from recovery_microglia.summary.provenance import checked_sources
    from recovery_microglia.summary.step import summary_step

    files = snakemake.input
    recorded = checked_sources(snakemake.params.readings, files.signatures, snakemake.params.gene_sets)
    recovered, cells = pd.read_parquet(files.recovered), pd.concat(map(pd.read_parquet, files.cells), ignore_index=True)
    job.cells = len(cells)
    truth = [Path(folder) / "truth_cells.tsv.gz" for folder in files.truth]
    tables, summary = summary_step(
        facts=dict(snakemake.params.facts),
        sheet=sheet_frame(snakemake.params.sheet),
        settings=dict(snakemake.params.settings),
        libraries=[read_json(Path(path)) for path in files.libraries],
        cells=cells,
        recovered=recovered,
        reports={name: read_json(Path(files[name])) for name in ("myeloid", "recovery", "timeline")},
        earlier={name: read_table(Path(files[name])) for name in ("onset", "clusters", "recovery_clusters")},
        truth=pd.read_csv(truth[0], sep="\t", keep_default_na=False) if truth else None,
        inputs=[Path(path) for path in files.counts],
        recorded=recorded,
    )
    adata = finished_h5ad(ad.read_h5ad(files.clustered), pd.read_parquet(files.embedding), recovered)
    gene_sets = load_signatures(Path(files.signatures[0]).parent)
    more, genes = page_tables(adata, cells, gene_sets)
    for name, table in {**tables, **more, "cells": recovered}.items():
        write_table(table, Path(snakemake.output[name]))
    genes.to_parquet(snakemake.output.genes, index=False)
    adata.write_h5ad(snakemake.output.h5ad, compression="gzip")
    write_json(summary, Path(snakemake.output.summary))
