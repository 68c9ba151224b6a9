"""One library: counts in; cells with quality and lineage, its myeloid cells, sums of lineages and a report out."""

from pathlib import Path

from recovery_microglia.jobs.log import reporting

with reporting(*snakemake.log) as job:
    from recovery_microglia.core.errors import InputError
    from recovery_microglia.core.files import as_read
    from recovery_microglia.core.genes import load_signatures
    from recovery_microglia.core.json_files import write_json
    from recovery_microglia.library.process import process_library, write_library
    from recovery_microglia.library.settings import CellSettings
    from recovery_microglia.readers.any_layout import read_counts

    facts, reading = snakemake.params.facts, dict(snakemake.params.reading)
    path = Path(reading.pop("path"))
    job.reads = [path]
    if (absent := Path(f"{path}.absent")).exists():
        raise InputError(absent.read_text())
    with as_read(map(Path, snakemake.params.own)) as sources:
        counts = read_counts(
            path,
            format=reading.pop("format"),
            organism=facts["organism"],
            **{key: value or None for key, value in reading.items()},
        )
    job.cells = counts.n_obs
    result = process_library(
        counts,
        facts,
        load_signatures(Path(snakemake.input.signatures[0]).parent),
        CellSettings(**snakemake.params.settings),
        seed=snakemake.params.seed,
    )
    write_library(result, *(Path(snakemake.output[name]) for name in ("cells", "myeloid", "sums")))
    write_json({**result.report, "sources": sources}, Path(snakemake.output.report))
