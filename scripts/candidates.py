"""Candidates: the tables of genes, activities and signals in; what speaks for and against each out."""

from pathlib import Path

from recovery_microglia.jobs.log import reporting

with reporting(snakemake.log[0]):
    from recovery_microglia.core.tables import read_table, write_table
    from recovery_microglia.drivers.candidates import (
        candidates,
        encoded_by,
        load_compounds,
        load_knowledge,
        truth_table,
    )
    from recovery_microglia.drivers.networks import mouse_by_capitals

    activities = read_table(Path(snakemake.input.driver_activities))
    signals = read_table(Path(snakemake.input.driver_signals))
    table = candidates(
        genes=read_table(Path(snakemake.input.driver_genes)),
        activities=activities,
        signals=signals,
        modulators=load_knowledge(Path(snakemake.input.modulators)),
        compounds=load_compounds([Path(path) for path in snakemake.input.compounds]),
        encoding=encoded_by(load_knowledge(Path(snakemake.input.cytokines)), mouse_by_capitals()),
    )
    true = load_knowledge(*(Path(path) for path in snakemake.input.truth))
    write_table(table, Path(snakemake.output.driver_candidates))
    write_table(truth_table(true, table, signals, activities), Path(snakemake.output.driver_truth))
