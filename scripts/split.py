"""Split files that hold several libraries: each file is read once, in blocks, and each library gets a file of its own."""

from pathlib import Path

from recovery_microglia.provenance import reporting

with reporting(*snakemake.log) as job:
    from recovery_microglia.readers import Rule, split_counts

    folder, out, how = Path(snakemake.params.folder), Path(snakemake.output[0]), dict(snakemake.params["split"])
    job.reads = [folder / file for file in snakemake.params.files]
    out.mkdir(parents=True, exist_ok=True)
    if "metadata" in how:
        how["metadata"] = folder / how["metadata"]
    for file, keys in snakemake.params.files.items():
        options = {key: value or None for key, value in snakemake.params.formats[file].items() if key != "format"}
        told = split_counts(
            folder / file,
            keys,
            Rule(**how),
            out,
            format=snakemake.params.formats[file]["format"],
            organism=snakemake.params.organism,
            **options,
        )
        for library, (n, key) in told.written.items():
            print(f"{library}: {n} barcodes of '{key}'")
        for library, text in told.absent.items():  # told by the library's own job: one that is left out may be absent
            (out / f"{library}.h5ad.absent").write_text(f"{folder / file}: library {library}: {text}")
