"""Which layout lies at a path, and which files belong to it."""

import glob
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from recovery_microglia.core.errors import InputError
from recovery_microglia.core.scratch import scratch_folder
from recovery_microglia.deposit.archives import is_archive, unpack
from recovery_microglia.readers.compression import LOCKED, first_line, opened, refuse_stand_in, whole_text
from recovery_microglia.readers.hdf5 import is_anndata
from recovery_microglia.readers.list_names import BARCODE_LIST, GENE_LIST, MATRIX, is_list, lists_of

FORMATS = {
    "auto": "recognise the layout",
    "10x_mtx": "a folder or prefix with matrix.mtx, barcodes.tsv and genes.tsv or features.tsv (Cell Ranger, STARsolo)",
    "10x_h5": "Cell Ranger's or CellBender's h5, version 2 or 3, or a loom",
    "dense": "a table of text, genes in rows or in columns",
    "h5ad": "AnnData (h5ad, zarr), or the RNA of an h5mu",
}

_OTHERS = {
    ".xlsx": "an Excel workbook; save the table as text (csv), from the original and not from Excel, which turns genes into dates",
    ".xls": "an Excel workbook; save the table as text (csv), from the original and not from Excel, which turns genes into dates",
    ".rds": "an R object; write it from R as MatrixMarket (Matrix::writeMM with the gene and barcode lists) or h5ad",
    ".h5seurat": "a Seurat file; write it from R: SeuratDisk::Convert('file.h5seurat', dest = 'h5ad'), or the counts by Matrix::writeMM",
    ".parquet": "a Parquet file; write it as text: python -c \"import pandas as p; p.read_parquet('in.parquet').to_csv('out.csv.gz')\"",
    ".feather": "a Feather file; write it as text: python -c \"import pandas as p; p.read_feather('in.feather').to_csv('out.csv.gz')\"",
    ".npz": "numpy's arrays, without names; write the counts as MatrixMarket with the gene and barcode lists, or as h5ad",
    ".7z": "a 7z archive; unpack it, and name the folder",
    ".rar": "a rar archive; unpack it, and name the folder",
    ".zst": "compressed with zstd, which is not read; unpack it: zstd -d",
    ".rdata": "R objects; write the counts from R as MatrixMarket (Matrix::writeMM with the gene and barcode lists) or h5ad",
    ".fastq": "reads, not counts; run Cell Ranger or STARsolo first",
    ".fq": "reads, not counts; run Cell Ranger or STARsolo first",
    ".bam": "aligned reads, not counts; run Cell Ranger or STARsolo first",
    ".sra": "reads, not counts; run Cell Ranger or STARsolo first",
}
_ALEVIN = (
    "alevin's own format, of estimates; write it from R, rounded: Matrix::writeMM(round(tximport::tximport('quants_mat.gz', "
    "type = 'alevin')$counts), 'matrix.mtx'), or run alevin-fry"
)
_TEXT = (".csv", ".tsv", ".txt", ".tab", ".dge", ".counts")


@dataclass(frozen=True)
class FileReaders[T]:
    """What reads each kind of file, once it is found: whole, or as a stream."""

    dense: Callable[[Path], T]
    market: Callable[[Path, Path, Path], T]
    anndata: Callable[[Path, str | None], T]
    ten_x_h5: Callable[[Path, str | None], T]


@dataclass(frozen=True)
class ReadRequest[T]:
    """How a path is to be read; ``scratch`` is a folder for what an archive holds."""

    format: str
    genome: str | None
    layer: str | None
    scratch: Path
    readers: FileReaders[T]


@contextmanager
def unchanged(path: Path) -> Iterator[Path]:
    """Refuse files that change while they are read; gives a folder for what an archive holds."""
    with scratch_folder() as scratch:
        try:
            before = _stamps(path)
            yield scratch
        except PermissionError as error:
            raise InputError(f"{error.filename or path}: {LOCKED}") from None
        if _stamps(path) != before:
            raise InputError(f"{path}: changed while it was being read; is it still being copied?")


def _stamps(path: Path) -> list[tuple[str, int, int]]:
    """Return name, size and time of the files that a reading may take."""
    files = path.rglob("*") if path.is_dir() else path.parent.glob(f"{glob.escape(path.name)}*")
    return sorted((str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files if f.is_file())


def _bare(path: Path) -> str:
    """Return a file's name in lower case without .gz, .bz2 or .xz."""
    return re.sub(r"\.(gz|bz2|xz)$", "", path.name.lower())


def read_with[T](path: Path, request: ReadRequest[T]) -> T:
    """Find what lies at a path, and return what its leaf makes of it.

    Raises
    ------
    InputError
        One plain line: the path, what is wrong, what is allowed.
    """
    if request.format not in FORMATS:
        raise InputError(f"{path}: format '{request.format}' is not known; allowed: {', '.join(FORMATS)}")
    if path.is_dir():
        return _read_folder(path, request)
    if path.exists() and not path.is_file():
        raise InputError(f"{path}: a pipe or a device, no file; write it to a file first")
    if not path.is_file():
        there = sorted(path.parent.glob(f"{glob.escape(path.name)}*"))
        files = [found for found in there if found.is_file()]
        if not there:
            raise InputError(f"{path}: no such file, folder or file prefix")
        if not files and len(there) == 1:
            return _read_folder(there[0], request, shown=path)
        if not files:
            raise InputError(
                f"{path}: several folders begin so ({', '.join(f.name for f in there[:6])}); write more of one's name"
            )
        return _read_files(files, path, request)
    name = _bare(path)
    if is_archive(path.name):
        inside = request.scratch / "unpacked"
        with _named_as(path, inside):
            unpack(path, inside, temporary=True)
            return _read_folder(inside, request, shown=path)
    if path.name.lower() == "quants_mat.gz":
        raise InputError(f"{path}: {_ALEVIN}")
    suffix = Path(name).suffix
    if suffix in _OTHERS and request.format == "auto":
        raise InputError(f"{path}: {_OTHERS[suffix]}")
    refuse_stand_in(path, HDF5 if name.endswith(IN_HDF5) or request.format in ("h5ad", "10x_h5") else b"")
    if request.format == "h5ad" or name.endswith((".h5ad", ".h5mu", ".zarr")):
        return request.readers.anndata(path, request.layer)
    if request.format == "10x_h5" or name.endswith((".h5", ".hdf5", ".loom")):
        if request.format == "auto" and is_anndata(path):
            return request.readers.anndata(path, request.layer)
        return request.readers.ten_x_h5(path, request.genome)
    if name.endswith(".mtx"):
        beside = [other for other in path.parent.iterdir() if other.is_file()]
        lists = all(any(kind.search(f.name) for f in beside if f != path) for kind in (GENE_LIST, BARCODE_LIST))
        if not lists and not first_line(path).startswith("%%MatrixMarket"):
            return request.readers.dense(path)
        return _with_lists(path, beside, request)
    if request.format == "dense" or name.endswith(_TEXT):
        return request.readers.dense(path)
    if suffix in _OTHERS:
        raise InputError(f"{path}: {_OTHERS[suffix]}")
    raise InputError(
        f"{path}: '{suffix}' is not a known ending; say the layout in the column format: {', '.join(FORMATS)}"
    )


HDF5, IN_HDF5 = b"\x89HDF", (".h5", ".hdf5", ".h5ad", ".h5mu", ".loom")


@contextmanager
def _named_as(path: Path, inside: Path) -> Iterator[None]:
    """Tell mistakes in an archive's files by the archive that the user knows."""
    try:
        yield
    except InputError as error:
        raise InputError(str(error).replace(f"{inside}/", f"{path}/").replace(str(inside), str(path))) from None


def _read_folder[T](folder: Path, request: ReadRequest[T], *, shown: Path | None = None) -> T:
    """Read a folder; a folder that holds one folder only, or Cell Ranger's ``outs``, is looked into."""
    where = shown or folder
    if (folder / ".zgroup").exists() or (folder / "zarr.json").exists():
        return request.readers.anndata(folder, request.layer)
    files = sorted(found for found in folder.iterdir() if found.is_file() and not found.name.startswith("."))
    if any(MATRIX.search(found.name) or found.suffix in IN_HDF5 for found in files):
        return _read_files(files, where, request)
    inner = sorted(
        found for found in folder.iterdir() if found.is_dir() and not found.name.startswith((".", "__MACOSX"))
    )
    named = [f for f in inner if re.search(r"^outs$|^filtered|^Gene$|filtered_(gene|feature)_bc", f.name)]
    if request.genome and any(f.name == request.genome for f in inner):
        named = [f for f in inner if f.name == request.genome]
    chosen = named if len(named) == 1 else inner
    if len(chosen) == 1:
        return _read_folder(chosen[0], request, shown=where)
    if len(chosen) > 1:
        names = ", ".join(f.name for f in chosen[:8])
        raise InputError(f"{where}: several folders ({names}); name one of them in the sheet, or its genome")
    if files:
        return _read_files(files, where, request)
    raise InputError(f"{where}: nothing to read in this folder")


PARTS = re.compile(
    r"^uniqueandmult|(^|[._-])(mature|nascent|ambiguous|spliced|unspliced|spanning|cell|nucleus)\.mtx", re.IGNORECASE
)


def _read_files[T](files: list[Path], where: Path, request: ReadRequest[T]) -> T:
    """Read the one matrix among some files."""
    matrices = [found for found in files if MATRIX.search(found.name)]
    if len(matrices) > 1:  # STARsolo's of reads that map to several genes, kb's and velocyto's parts
        matrices = [found for found in matrices if not PARTS.search(found.name)] or matrices
    if len(matrices) == 1:
        return _with_lists(matrices[0], files, request)
    if len(matrices) > 1:
        names = ", ".join(found.name for found in matrices[:6])
        raise InputError(f"{where}: several matrices ({names}); write the beginning of one's name in the sheet")
    called = [f for f in files if re.search(r"(^|_)filtered_(feature|gene)_bc_matri(x|ces)(_h5)?\.h5$", f.name)]
    if len(called) == 1:  # Cell Ranger's outs: beside it lie the raw one and summaries
        return read_with(called[0], request)
    single = [f for f in files if not is_list(f)]
    if len(single) == 1:
        return read_with(single[0], request)
    names = ", ".join(found.name for found in files[:6])
    raise InputError(f"{where}: which of these is the matrix? {names}")


def _with_lists[T](matrix: Path, files: list[Path], request: ReadRequest[T]) -> T:
    """Read a MatrixMarket file with the gene and barcode lists that go with it."""
    genes, barcodes = lists_of(files)[matrix]
    if not genes or not barcodes:  # one list of genes for all matrices of a series
        everything = [found for found in matrix.parent.iterdir() if found.is_file()]
        shared_genes, shared_barcodes = lists_of(everything)[matrix]
        genes, barcodes = genes or shared_genes, barcodes or shared_barcodes
    return request.readers.market(
        matrix, _only("genes.tsv or features.tsv", genes, matrix), _only("barcodes.tsv", barcodes, matrix)
    )


def _only(what: str, found: list[Path], matrix: Path) -> Path:
    """Return a list of names; of several that may be meant the first, if all hold the same."""
    if not found:
        raise InputError(f"{matrix}: there is no {what} beside it")
    texts = set()
    for file in found if len(found) > 1 else []:
        with opened(file) as stream:
            texts.add(whole_text(stream, file).strip())
    if len(texts) > 1:
        names = ", ".join(sorted(file.name for file in found))
        raise InputError(f"{matrix}: which of these is its {what}? {names} (they differ); move the others away")
    return min(found)
