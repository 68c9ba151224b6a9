"""Split files that hold several libraries: each file is read once, and each library gets a file of its own."""

from pathlib import Path

from recovery_microglia.provenance import reporting

with reporting(*snakemake.log) as job:
    from recovery_microglia.readers import read_counts, split_counts

    folder, out, how = Path(snakemake.params.folder), Path(snakemake.output[0]), snakemake.params["split"]
    job.reads = [folder / file for file in snakemake.params.files]
    out.mkdir(parents=True, exist_ok=True)
    for file, keys in snakemake.params.files.items():
        options = {key: value or None for key, value in snakemake.params.formats[file].items() if key != "format"}
        counts = read_counts(
            folder / file,
            format=snakemake.params.formats[file]["format"],
            organism=snakemake.params.organism,
            **options,
        )
        parts, absent = split_counts(
            counts,
            keys,
            pattern=how.get("pattern"),
            column=how.get("column"),
            metadata=folder / how["metadata"] if "metadata" in how else None,
            barcode_column=how.get("barcode_column"),
            join=how.get("join", "barcode"),
        )
        for library, part in parts.items():
            print(f"{library}: {part.n_obs} barcodes of '{part.uns['key']}'")
            part.write_h5ad(out / f"{library}.h5ad", compression="lzf")
        for library, text in absent.items():  # told by the library's own job: one that is left out may be absent
            (out / f"{library}.h5ad.absent").write_text(f"{folder / file}: library {library}: {text}")
