"""Split files that hold several libraries: each file is read once, and each library gets a file of its own."""

from pathlib import Path

from recovery_microglia.jobs.log import reporting

with reporting(*snakemake.log) as job:
    from recovery_microglia.core.files import SOURCES, as_read
    from recovery_microglia.core.json_files import write_json
    from recovery_microglia.readers.barcode_assignment import Rule
    from recovery_microglia.readers.split import split_counts
    from recovery_microglia.readers.split_passes import write_record

    folder, out, recipes = Path(snakemake.params.folder), Path(snakemake.output[0]), snakemake.params.recipes
    files = sorted({recipe["file"] for recipe in recipes.values()})
    job.reads = [folder / file for file in files]
    out.mkdir(parents=True, exist_ok=True)
    with as_read(map(Path, snakemake.params.own)) as sources:
        for file in files:
            wanted = {library: recipe for library, recipe in recipes.items() if recipe["file"] == file}
            first = next(iter(wanted.values()))
            how = dict(first["split"])
            if "metadata" in how:
                how["metadata"] = folder / how["metadata"]
            told = split_counts(
                folder / file,
                {library: recipe["key"] for library, recipe in wanted.items()},
                Rule(**how),
                out,
                format=first["format"],
                organism=first["organism"],
                **{key: first[key] or None for key in ("genome", "layer")},
            )
            for library, (n, key) in told.written.items():
                print(f"{library}: {n} barcodes of '{key}'")
            for (
                library,
                text,
            ) in told.absent.items():  # told by the library's own job: one that is left out may be absent
                (out / f"{library}.h5ad.absent").write_text(f"{folder / file}: library {library}: {text}")
    write_json(sources, out / SOURCES)
    write_record(recipes, out)
