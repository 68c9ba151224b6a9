"""Any layout of a count matrix → AnnData of raw counts (floor 2).

``read_counts`` recognises the layout by what is there, not by names alone: Cell Ranger 2 and 3 folders (gzipped or
not, with GEO prefixes), Cell Ranger h5, STARsolo, MatrixMarket with plain lists, dense text, AnnData, and tar or zip
archives of these.
"""

import glob
import re
import tempfile
from collections.abc import Mapping
from itertools import chain
from pathlib import Path

import anndata as ad
import pandas as pd

from recovery_microglia.deposit import is_archive
from recovery_microglia.descriptions import compiled_split
from recovery_microglia.errors import InputError
from recovery_microglia.genes import Organism
from recovery_microglia.readers.binary import read_10x_h5, read_anndata
from recovery_microglia.readers.counts import Table, to_anndata
from recovery_microglia.readers.opening import first_line
from recovery_microglia.readers.text import iter_rows, read_dense, read_matrix_market
from recovery_microglia.unpack import unpack

FORMATS = {
    "auto": "recognise the layout",
    "10x_mtx": "a folder or prefix with matrix.mtx, barcodes.tsv and genes.tsv or features.tsv (Cell Ranger, STARsolo)",
    "10x_h5": "Cell Ranger's h5, version 2 or 3",
    "dense": "a table of text, genes in rows or in columns",
    "h5ad": "AnnData (h5ad or zarr)",
}

_OTHERS = {
    ".xlsx": "an Excel workbook; save the table as text (csv), from the original and not from Excel, which turns genes into dates",
    ".xls": "an Excel workbook; save the table as text (csv), from the original and not from Excel, which turns genes into dates",
    ".rds": "an R object; write it from R as MatrixMarket (Matrix::writeMM with the gene and barcode lists) or h5ad",
    ".rdata": "R objects; write the counts from R as MatrixMarket (Matrix::writeMM with the gene and barcode lists) or h5ad",
    ".fastq": "reads, not counts; run Cell Ranger or STARsolo first",
    ".fq": "reads, not counts; run Cell Ranger or STARsolo first",
    ".bam": "aligned reads, not counts; run Cell Ranger or STARsolo first",
    ".sra": "reads, not counts; run Cell Ranger or STARsolo first",
}
_TEXT = (".csv", ".tsv", ".txt", ".tab", ".dge", ".counts")
_GENES = re.compile(r"(features|genes|gene_names|gene)[^/]*\.(tsv|txt|csv)(\.gz)?$", re.IGNORECASE)
_BARCODES = re.compile(r"(barcodes?|cells?)[^/]*\.(tsv|txt|csv)(\.gz)?$", re.IGNORECASE)
_MATRIX = re.compile(r"\.mtx(\.gz)?$", re.IGNORECASE)


def read_counts(
    path: Path,
    *,
    format: str = "auto",
    organism: Organism = "mouse",
    genome: str | None = None,
    layer: str | None = None,
) -> ad.AnnData:
    """Read a count matrix.

    Parameters
    ----------
    path
        A file, a folder, or the beginning of the names of several files (GEO's prefixes).
    format
        One of `FORMATS`.
    organism
        A matrix whose genes are those of another organism is refused.
    genome
        Which genome to take from a file that holds several.
    layer
        Which layer of an h5ad to take.

    Returns
    -------
    AnnData
        X raw counts (csr int32, barcodes × genes), ``obs_names`` barcodes, ``var_names`` unique current symbols,
        ``uns['reading']`` what was recognised and changed.

    Raises
    ------
    InputError
        One plain line: the file, what is wrong, what is allowed.
    """
    if format not in FORMATS:
        raise InputError(f"{path}: format '{format}' is not known; allowed: {', '.join(FORMATS)}")
    with tempfile.TemporaryDirectory(prefix="recovery-microglia-") as scratch:
        before = _stamps(path)
        table = _read(path, format, genome, layer, Path(scratch))
        if _stamps(path) != before:
            raise InputError(f"{path}: changed while it was being read; is it still being copied?")
        return to_anndata(table, organism=organism, genome=genome, where=str(path))


def _stamps(path: Path) -> list[tuple[str, int, int]]:
    """Return name, size and time of the files that a reading may take."""
    files = path.rglob("*") if path.is_dir() else path.parent.glob(f"{glob.escape(path.name)}*")
    return sorted((str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files if f.is_file())


def _bare(path: Path) -> str:
    """Return a file's name in lower case without .gz."""
    name = path.name.lower()
    return name[:-3] if name.endswith(".gz") else name


def _read(path: Path, format: str, genome: str | None, layer: str | None, scratch: Path) -> Table:
    if path.is_dir():
        return _read_folder(path, format, genome, layer, scratch)
    if not path.is_file():
        there = sorted(path.parent.glob(f"{glob.escape(path.name)}*"))
        files = [found for found in there if found.is_file()]
        if not there:
            raise InputError(f"{path}: no such file, folder or file prefix")
        if not files and len(there) == 1:
            return _read_folder(there[0], format, genome, layer, scratch, shown=path)
        if not files:
            raise InputError(
                f"{path}: several folders begin so ({', '.join(f.name for f in there[:6])}); write more of one's name"
            )
        return _read_files(files, path, format, genome, layer, scratch)
    name = _bare(path)
    if is_archive(path.name):
        unpack(path, scratch / "unpacked")
        return _read_folder(scratch / "unpacked", format, genome, layer, scratch, shown=path)
    if format == "h5ad" or name.endswith((".h5ad", ".zarr")):
        return read_anndata(path, layer)
    if format == "10x_h5" or name.endswith((".h5", ".hdf5")):
        return read_10x_h5(path, genome)
    if name.endswith(".mtx"):
        beside = [other for other in path.parent.iterdir() if other.is_file()]
        lists = all(any(kind.search(f.name) for f in beside if f != path) for kind in (_GENES, _BARCODES))
        if not lists and not first_line(path).startswith("%%MatrixMarket"):
            return read_dense(path)
        return _with_lists(path, beside)
    if format == "dense" or name.endswith(_TEXT):
        return read_dense(path)
    suffix = Path(name).suffix
    if suffix in _OTHERS:
        raise InputError(f"{path}: {_OTHERS[suffix]}")
    raise InputError(
        f"{path}: '{suffix}' is not a known ending; say the layout in the column format: {', '.join(FORMATS)}"
    )


def _read_folder(
    folder: Path, format: str, genome: str | None, layer: str | None, scratch: Path, *, shown: Path | None = None
) -> Table:
    """Read a folder; a folder that holds one folder only, or Cell Ranger's ``outs``, is looked into."""
    where = shown or folder
    if (folder / ".zgroup").exists() or (folder / "zarr.json").exists():
        return read_anndata(folder, layer)
    files = sorted(found for found in folder.iterdir() if found.is_file() and not found.name.startswith("."))
    if any(_MATRIX.search(found.name) or found.suffix in (".h5", ".h5ad") for found in files):
        return _read_files(files, where, format, genome, layer, scratch)
    inner = sorted(
        found for found in folder.iterdir() if found.is_dir() and not found.name.startswith((".", "__MACOSX"))
    )
    named = [f for f in inner if re.search(r"^outs$|^filtered|^Gene$|filtered_(gene|feature)_bc", f.name)]
    if genome and any(f.name == genome for f in inner):
        named = [f for f in inner if f.name == genome]
    chosen = named if len(named) == 1 else inner
    if len(chosen) == 1:
        return _read_folder(chosen[0], format, genome, layer, scratch, shown=where)
    if len(chosen) > 1:
        names = ", ".join(f.name for f in chosen[:8])
        raise InputError(f"{where}: several folders ({names}); name one of them in the sheet, or its genome")
    if files:
        return _read_files(files, where, format, genome, layer, scratch)
    raise InputError(f"{where}: nothing to read in this folder")


def _read_files(
    files: list[Path], where: Path, format: str, genome: str | None, layer: str | None, scratch: Path
) -> Table:
    """Read the one matrix among some files."""
    matrices = [found for found in files if _MATRIX.search(found.name)]
    if len(matrices) == 1:
        return _with_lists(matrices[0], files)
    if len(matrices) > 1:
        names = ", ".join(found.name for found in matrices[:6])
        raise InputError(f"{where}: several matrices ({names}); write the beginning of one's name in the sheet")
    single = [f for f in files if not _GENES.search(f.name) and not _BARCODES.search(f.name)]
    if len(single) == 1:
        return _read(single[0], format, genome, layer, scratch)
    names = ", ".join(found.name for found in files[:6])
    raise InputError(f"{where}: which of these is the matrix? {names}")


def _with_lists(matrix: Path, files: list[Path]) -> Table:
    """Read a MatrixMarket file with the gene and barcode lists that go with it."""
    stem = _MATRIX.sub("", matrix.name)
    stem = re.sub(r"(matrix|counts?|cells_x_genes)$", "", stem, flags=re.IGNORECASE)
    beside = [f for f in files if f.name.startswith(stem)] or files
    lists: dict[str, Path] = {}
    for what, pattern in (("genes.tsv or features.tsv", _GENES), ("barcodes.tsv", _BARCODES)):
        found = [f for f in beside if pattern.search(f.name) and f != matrix] or [
            f for f in files if pattern.search(f.name) and f != matrix
        ]
        if what.startswith("barcodes"):
            found = [f for f in found if f != lists["genes.tsv or features.tsv"]]
        if not found:
            raise InputError(f"{matrix}: there is no {what} beside it")
        lists[what] = min(found, key=lambda f: len(f.name))
    genes, barcodes = lists.values()
    return read_matrix_market(matrix, genes, barcodes, "MatrixMarket")


# ---------------------------------------------------------------- one matrix, many libraries


def split_counts(
    counts: ad.AnnData,
    libraries: Mapping[str, str],
    *,
    pattern: str | None = None,
    column: str | None = None,
    metadata: Path | None = None,
    barcode_column: str | None = None,
    join: str = "barcode",
) -> tuple[dict[str, ad.AnnData], dict[str, str]]:
    """Take a matrix that holds several libraries apart.

    Parameters
    ----------
    counts
        From `read_counts`.
    libraries
        Library to its key in the data. ``1wpi*#2`` stands for the second, in the order of the alphabet, of the keys that
        begin with 1wpi: where a deposit says how many libraries there are, but not what they are called.
    pattern
        Regular expression on the barcodes with a group named ``library``.
    column
        Column of ``obs``, or of ``metadata``, that holds the key.
    metadata, barcode_column
        Table with one row a barcode, and its column of barcodes (the first if not given). R's changes to names
        (a leading X, dots for hyphens and blanks) are seen through.
    join
        ``barcode``, or ``position``: the table's rows are the matrix's barcodes in their order.

    Returns
    -------
    parts
        Library to its counts; ``uns['key']`` is the key that it had.
    absent
        Library without a barcode to what the user is told, if the library is needed.

    Raises
    ------
    InputError
        The pattern, the column or the number of rows does not fit.
    """
    if pattern:
        key = _keys_by_pattern(counts, pattern)
    elif column and metadata:
        found = _columns_of(metadata, column, barcode_column if join == "barcode" else None)
        key = _by_position(counts, found[1], metadata) if join == "position" else _by_barcode(counts, *found, metadata)
    elif column and column in counts.obs:
        key = counts.obs[column].astype(str)
    else:
        what = f"column '{column}' is not in obs ({', '.join(counts.obs.columns) or 'no columns'})" if column else ""
        raise InputError(
            f"dataset.yaml: split: {what or 'pattern or column is needed for a file with several libraries'}"
        )
    there = sorted(set(key[key != ""]))
    parts, absent = {}, {}
    for library, name in libraries.items():
        own = _own_key(name, there)
        mine = (key == own).to_numpy()
        if mine.any():
            parts[library] = counts[mine].copy()
            parts[library].uns["key"] = own
        else:
            shown = ", ".join(there[:40])
            absent[library] = f"no barcode belongs to '{name}'; there are: {shown or 'none'}"
    return parts, absent


def _own_key(name: str, there: list[str]) -> str:
    """Return the key that a sheet's ``key`` stands for: itself, or the n-th of those with a beginning."""
    ordinal = re.fullmatch(r"(.+)\*#([0-9]+)", name)
    if not ordinal or name in there:
        return name
    own = [key for key in there if key.startswith(ordinal[1])]
    place = int(ordinal[2])
    return own[place - 1] if 1 <= place <= len(own) else name


def _keys_by_pattern(counts: ad.AnnData, pattern: str) -> pd.Series:
    try:
        compiled = compiled_split(pattern)
    except ValueError as error:
        raise InputError(f"dataset.yaml: {error}") from None
    found = [compiled.search(str(name)) for name in counts.obs_names]
    return pd.Series([match["library"] if match else "" for match in found], index=counts.obs_names)


def _plain(name: str) -> str:
    """Return a barcode without what R does to names."""
    bare = re.sub(r"^X(?=\d)", "", name)
    return re.sub(r"[ \-.]", ".", bare)


def _columns_of(path: Path, column: str, barcode_column: str | None) -> tuple[list[str], list[str]]:
    """Return the barcodes (the first column, if none is named) and the keys of a table with one row a barcode."""
    rows = iter_rows(path)
    header, first = next(rows, None), next(rows, None)
    if header is None or first is None:
        raise InputError(f"{path}: needs a header and one row a barcode")
    if len(header) == len(first) - 1:  # R's write.table: the row names have no heading
        header = ["", *header]
    name = barcode_column if barcode_column is not None else header[0]
    for needed in (column, name):
        if needed not in header:
            raise InputError(f"{path}: there is no column '{needed}'; there are: {', '.join(filter(None, header))}")
    own, other = header.index(name), header.index(column)
    barcodes, keys = [], []
    for number, row in enumerate(chain([first], rows), start=2):
        if len(row) != len(header):
            raise InputError(f"{path}: line {number}: {len(row)} fields, but the header has {len(header)}")
        barcodes.append(row[own])
        keys.append(row[other])
    return barcodes, keys


def _by_barcode(counts: ad.AnnData, barcodes: list[str], keys: list[str], path: Path) -> pd.Series:
    known = dict(zip(map(_plain, barcodes), keys, strict=True))
    key = pd.Series([known.get(_plain(str(b)), "") for b in counts.obs_names], index=counts.obs_names)
    if (key == "").all():
        example = f"'{counts.obs_names[0]}' in the matrix, '{barcodes[0]}' in the table"
        raise InputError(f"{path}: no barcode of the matrix is in its column of barcodes ({example})")
    return key


def _by_position(counts: ad.AnnData, keys: list[str], path: Path) -> pd.Series:
    if len(keys) != counts.n_obs:
        raise InputError(
            f"{path}: {len(keys)} rows, but the matrix has {counts.n_obs} barcodes: they cannot be joined by position"
        )
    return pd.Series(keys, index=counts.obs_names)


__all__ = ["FORMATS", "read_counts", "split_counts"]
