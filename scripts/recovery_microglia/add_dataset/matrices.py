"""Which files hold which library: in a folder, and among the files of a deposit."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from os.path import commonprefix
from pathlib import Path

import numpy as np
import pandas as pd

from recovery_microglia.add_dataset.pools import aggregated
from recovery_microglia.add_dataset.trees import SUMMARY_FILES, TOOL_FOLDERS, Product, own_words, product_of
from recovery_microglia.core.anndata_access import counts_of, obs_of
from recovery_microglia.core.errors import InputError
from recovery_microglia.core.genes import Organism
from recovery_microglia.core.kernels import row_sums
from recovery_microglia.deposit.archives import archive_stem, is_archive
from recovery_microglia.readers.any_layout import read_counts, read_names
from recovery_microglia.readers.compression import opened
from recovery_microglia.readers.hdf5 import may_hold_counts
from recovery_microglia.readers.list_names import BARCODE_LIST, MATRIX, is_list
from recovery_microglia.readers.text_rows import fields_of, gene_like, separator_of

_LISTS = re.compile(
    r"(barcodes?|features?|genes?|gene_names|cells?|quants_mat_(rows|cols))[^/]*\.(tsv|txt|csv)(\.gz)?$", re.IGNORECASE
)
_COUNTS = re.compile(r"count|matrix|dge|umi|expression|_x_|molspercell", re.IGNORECASE)
_TABLE = re.compile(r"\.(csv|tsv|txt|tab|dge|counts)(\.gz)?$", re.IGNORECASE)
_NO_COUNTS = re.compile(
    r"meta|annot|cluster|umap|tsne|md5|checksum|readme|summary|metrics|fragments|peaks?|singlecell|tf_analysis|normali[sz]ed|"
    r"fpkm|tpm|(^|[_.-])log|scaled|_atac|(^|[_.-])(hto|adt)s?([_.-]|$)|\.pdf$|\.rds|\.rdata|\.bw$|\.bed|\.tbi|\.loupe|\.cloupe|\.xlsx?$|\.html?$|\.bam|\.fast[aq]",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class FoundMatrix:
    """A count matrix in a folder.

    Attributes
    ----------
    file
        What the sheet says under ``file``: a file, a folder, or the beginning of files' names; relative to the folder.
    size
        Bytes.
    product
        What its path says.
    """

    file: str
    size: int
    product: Product

    @property
    def title(self) -> str:
        """The words of its path that are its own."""
        return self.product.sample


@dataclass(frozen=True)
class FoundLibraries:
    """The samples of a folder: of each its matrices, the best first; and what was passed over, one word each."""

    samples: list[list[FoundMatrix]]
    passed_over: list[str]


def _is_list(name: str) -> bool:
    """Return whether a file is a list of genes or barcodes; ``counts_genes_x_cells.csv`` is not."""
    return _LISTS.search(name) is not None and not _COUNTS.search(name)


def _holds_numbers(path: Path) -> bool:
    """Return whether a text file is a table of genes and numbers: notes, tables of cells and of clusters are not."""
    try:
        with opened(path) as stream:
            lines = [line.decode("utf-8", "replace") for line in islice(stream, 300)]
    except InputError:
        return True  # damaged: reading it will say so
    lines = [line for line in lines if line.strip() and not line.startswith("#")]
    if len(lines) < 2:
        return False
    separator = separator_of(lines[0])
    rows = [fields_of(line, separator) for line in lines]
    numbers = [bool(re.fullmatch(r"(-?[\d.]+(e[+-]?\d+)?|na|nan)?", field, re.IGNORECASE)) for field in rows[1][1:50]]
    if not numbers or not all(numbers[-1:]) or sum(numbers) < len(numbers) / 2:
        return False
    return max(gene_like(rows[0]), gene_like([row[0] for row in rows[1:]])) > 0 or not _TOOL_TABLE.search(lines[0])


_TOOL_TABLE = re.compile(r"^\W?(barcode|cell|cell_?id|cell_?index|pc|component)\W", re.IGNORECASE)
"""How the header of a table of cells, or of components, begins."""


def file_of_sample(names: Sequence[str]) -> str:
    """Return what the sheet says under ``file`` for a library with these supplementary files; empty if that is not clear.

    Of filtered and raw matrices the filtered one is taken; lists, pictures and normalised tables are passed over.

    Examples
    --------
    >>> file_of_sample(["GSM1_a_barcodes.tsv.gz", "GSM1_a_features.tsv.gz", "GSM1_a_matrix.mtx.gz"])
    'GSM1_a_'
    >>> file_of_sample(["GSM1_raw_feature_bc_matrix.h5", "GSM1_filtered_feature_bc_matrix.h5"])
    'GSM1_filtered_feature_bc_matrix.h5'
    """
    useful = [name for name in names if not _NO_COUNTS.search(name)]
    matrices = _filtered([name for name in useful if MATRIX.search(name)])
    if len(matrices) == 1:
        return _prefix(matrices[0], useful)
    if matrices:
        return ""
    for ends in ((".h5", ".hdf5"), (".h5ad",)):
        found = _filtered([name for name in useful if name.lower().endswith(ends)])
        if found:
            return found[0] if len(found) == 1 else ""
    tables = [name for name in useful if _TABLE.search(name) and not _is_list(name)]
    archives = [name for name in useful if is_archive(name)]
    found = _filtered(tables or archives)
    if len(found) != 1:
        return ""
    return archive_stem(found[0]) if is_archive(found[0]) else found[0]


def _filtered(names: list[str]) -> list[str]:
    """Return the filtered ones of several."""
    filtered = [name for name in names if "filtered" in name.lower()]
    unraw = [name for name in names if not re.search(r"(^|[_.])(raw|unfiltered)[_.]", name.lower())]
    return filtered or unraw or names if len(names) > 1 else names


def _prefix(matrix: str, names: Iterable[str]) -> str:
    """Return the beginning of names that a matrix and its lists share; the matrix's own name where there is none."""
    stem = re.sub(r"(matrix|counts?|cells_x_genes)?\.mtx(\.gz)?$", "", matrix, flags=re.IGNORECASE)
    beside = [name for name in names if _LISTS.search(name) and name.startswith(stem)]
    shared = commonprefix([matrix, *beside]) if beside else matrix  # noqa: RUF071 (beginnings of names, not of paths)
    return shared or matrix


# ---------------------------------------------------------------- a folder


def _stem(name: str) -> str:
    """Return a file's name without its ending."""
    bare = re.sub(r"\.gz$", "", name, flags=re.IGNORECASE)
    if is_archive(bare):
        return archive_stem(bare)
    return re.sub(r"\.(h5ad|h5mu|h5|hdf5|loom|mtx|csv|tsv|txt|tab|dge|counts|zarr)$", "", bare, flags=re.IGNORECASE)


def _files_of(folder: Path) -> dict[str, int]:
    return {f.name: f.stat().st_size for f in folder.iterdir() if f.is_file() and not f.name.startswith(".")}


def _in_folder(folder: Path, root: Path) -> tuple[list[FoundMatrix], list[str]]:
    """Return the matrices that lie directly in one folder, and what there is that is none."""
    here = folder.relative_to(root)
    files = _files_of(folder)
    summaries = [name for name in files if SUMMARY_FILES.search(name)]
    useful = {n: size for n, size in files.items() if not _NO_COUNTS.search(n) and n not in summaries}
    found = []
    matrices = [name for name in useful if MATRIX.search(name)]
    own_lists = {name for name in files if is_list(Path(name)) or BARCODE_LIST.search(name)}
    for matrix in sorted(matrices):
        prefix = _prefix(matrix, [*useful, *own_lists])
        own = {name: size for name, size in useful.items() if name.startswith(prefix)}
        plain = prefix == matrix or not own_words(_stem(prefix)) or _stem(prefix) == matrix.split(".")[0]
        if len(matrices) == 1 and plain:  # a folder of Cell Ranger: the folder's name is the library's
            stem = _stem(matrix) if own_words(_stem(matrix)) == "" else ""
            found.append(
                FoundMatrix(here.as_posix(), sum(useful.values()), product_of(here.as_posix(), stem, here.parts))
            )
        else:
            file = (here / (matrix if plain else prefix)).as_posix()
            found.append(
                FoundMatrix(file, sum(own.values()), product_of(file, _stem(matrix if plain else prefix), here.parts))
            )
    for name, size in sorted(useful.items()):
        if _is_matrix(folder / name, alone=not matrices):
            file = (here / name).as_posix()
            found.append(FoundMatrix(file, size, product_of(file, _stem(name), here.parts)))
    for store in sorted(path for path in folder.iterdir() if is_store(path)):
        file = store.relative_to(root).as_posix()
        size = sum(part.stat().st_size for part in store.rglob("*") if part.is_file())
        found.append(FoundMatrix(file, size, product_of(file, _stem(store.name), here.parts)))
    return found, ["molecule_info.h5" for name in summaries if "molecule_info" in name]


def is_store(path: Path) -> bool:
    """Return whether a folder is a zarr store."""
    try:
        return path.is_dir() and ((path / ".zgroup").exists() or (path / "zarr.json").exists())
    except PermissionError:
        return False


def _is_matrix(path: Path, *, alone: bool) -> bool:
    """Return whether a file is a count matrix of one file, by its name and its beginning; ``alone``: no MatrixMarket beside it."""
    name = path.name.lower()
    if name.endswith((".h5", ".hdf5", ".h5ad", ".h5mu", ".loom")):
        return may_hold_counts(path)
    if is_archive(name) or name == "quants_mat.gz":  # alevin's own format: reading it says how it is converted
        return True
    return bool(_TABLE.search(name)) and not _is_list(name) and alone and _holds_numbers(path)


def _folders(root: Path, *, everywhere: bool) -> tuple[list[Path], list[str]]:
    """Return the folders to look into, and what the others hold; ``everywhere``: those of tools' tables too."""
    found, passed = [root], []
    for folder, inner, files in root.walk():
        kept = []
        for name in sorted(inner):
            what = TOOL_FOLDERS.get(name.lower(), "")
            if name.startswith(".") or name == "__MACOSX" or is_store(folder / name):
                continue
            if what and not everywhere:
                passed.append(what)
                continue
            kept.append(name)
        inner[:] = kept
        found += [folder / name for name in kept]
        if len(found) > MOST_FOLDERS:
            raise InputError(f"{root}: more than {MOST_FOLDERS:,} folders; name the folder of one study")
        del files
    return sorted(found), passed


MOST_FOLDERS = 20_000
"""Folders below that of a study, beyond which it is another one: a home, a whole disk."""


def _may_be_read(folder: Path) -> bool:
    """Return whether a folder may be listed, and the files in it looked at."""
    try:
        return all(path.exists() or path.is_symlink() for path in folder.iterdir())
    except PermissionError:
        return False


def _pools(root: Path, folders: Sequence[Path], found: Sequence[FoundMatrix]) -> set[str]:
    """Return the matrices that hold cells of samples that lie beside them each on its own.

    Cell Ranger multi's and split-pipe's of all samples together, and aggr's where its samples are there.
    """
    pools = set()
    for folder in folders:
        inside = [one for one in found if (root / one.file).is_relative_to(folder)]
        each, together = [], []
        if folder.name == "per_sample_outs":
            around = [one for one in found if (root / one.file).is_relative_to(folder.parent)]
            each, together = inside, [one for one in around if one not in inside]
        elif folder.name.lower() in ("all-sample", "all-well", "all-wells"):
            around = [one for one in found if (root / one.file).is_relative_to(folder.parent)]
            together, each = inside, [one for one in around if one not in inside and "DGE_" in one.file]
        elif (folder / "aggregation.csv").is_file():
            names = {own_words(name).lower() for name in aggregated(folder / "aggregation.csv")}
            titles = {one.title.split(" ")[-1].lower() for one in found if one not in inside}
            together, each = inside, [one for one in found if names and names <= titles]
        pools |= {one.file for one in together} if each else set()
    return pools


def find_libraries(root: Path) -> FoundLibraries:
    """Return the samples of a folder, whatever tool wrote it, in the order of their paths.

    Tools leave each sample several times (filtered and raw, folder and h5, decontaminated): the filtered counts come first, as a
    folder, and what was not corrected before what was.

    Raises
    ------
    InputError
        There is no such folder, or no count matrix in it.
    """
    if not root.is_dir():
        raise InputError(f"{root}: no such folder")
    found: list[FoundMatrix] = []
    for everywhere in (False, True):
        folders, passed = _folders(root, everywhere=everywhere)
        locked = {folder for folder in folders if not _may_be_read(folder)}
        passed += [f"folder that may not be read ({folder})" for folder in folders if folder in locked]
        folders = [folder for folder in folders if folder not in locked]
        for matrices, others in (_in_folder(folder, root) for folder in folders):
            found += matrices
            passed += others
        if found:
            break
    pools = _pools(root, folders, found)
    passed += ["matrix of several samples together"] * len(pools)
    by_sample: dict[str, list[FoundMatrix]] = {}
    for one in found:
        if one.file not in pools:
            by_sample.setdefault((one.title or one.file).lower(), []).append(one)
    if not by_sample:
        raise InputError(f"{root}: no count matrix that is known (mtx, h5, h5ad, dense text, or an archive of these)")
    samples = [sorted(own, key=lambda one: (one.product.order, one.file)) for own in by_sample.values()]
    return FoundLibraries(sorted(samples, key=lambda own: own[0].file), passed)


READ_AT_MOST = 400_000_000
"""Bytes that are read to see whether the files are what they seem; of more, the smallest library, and the names of the others."""


@dataclass(frozen=True)
class Reading:
    """What came of reading a matrix.

    Attributes
    ----------
    said
        What was recognised, or why it cannot be read.
    readable
        Whether it can.
    cells
        Sum of each barcode's counts, of the barcodes with most.
    obs
        What came with the barcodes, indexed by them.
    """

    said: str
    readable: bool
    cells: pd.Series | None = None
    obs: pd.DataFrame | None = None


def try_reading(path: Path, organism: Organism = "mouse") -> Reading:
    """Read a matrix and return what was recognised, or why it cannot be read."""
    try:
        counts = read_counts(path, organism=organism)
    except InputError as error:
        return Reading(str(error).removeprefix(f"{path}: "), False)
    said = f"{counts.uns['reading']['layout']}: {counts.n_obs:,} barcodes such as {counts.obs_names[0]}, {counts.n_vars:,} genes"
    totals = pd.Series(row_sums(counts_of(counts)), index=counts.obs_names).nlargest(MOST_CELLS)
    return Reading(said, True, totals, obs_of(counts))


def glance(path: Path) -> Reading:
    """Return what the names of a matrix say, without its counts: for folders that are too large to be read through."""
    try:
        names = read_names(path)
    except InputError as error:
        return Reading(str(error).removeprefix(f"{path}: "), False)
    said = f"{names.layout}: {len(names.barcodes):,} barcodes such as {names.barcodes[0]}, {len(names.symbols):,} features; its counts were not read"
    return Reading(said, True, pd.Series(np.nan, index=np.asarray(names.barcodes, dtype=object)), names.obs)


MOST_CELLS = 20_000
"""Barcodes of a matrix, those with most counts, by which matrices of the same cells are known."""


def same_cells(one: Reading, other: Reading) -> bool:
    """Return whether two matrices hold the same cells: most barcodes of the smaller, and with counts that go together.

    Barcodes alone do not tell: plates name all their wells alike, and an unfiltered matrix holds every barcode. Cells of two
    10x channels share one barcode in some hundreds.
    """
    if one.cells is None or other.cells is None:
        return False
    if one.cells.isna().any() or other.cells.isna().any():
        return _same_barcodes(one.cells.index, other.cells.index)
    shared = one.cells.index.intersection(other.cells.index)
    if len(shared) < max(20, SHARED * min(len(one.cells), len(other.cells))):
        return False
    pair = pd.DataFrame({"one": one.cells[shared], "other": other.cells[shared]}).rank()
    return bool((pair["one"] == pair["other"]).all() or pair["one"].corr(pair["other"]) > TOGETHER)


def _same_barcodes(one: pd.Index, other: pd.Index) -> bool:
    """Return whether two matrices hold the same cells by their barcodes alone, where these are random and the matrices filtered."""
    random = all(re.match(r"[ACGTN]{12,}", str(name)) for name in (*one[:100], *other[:100]))
    fewer = min(len(one), len(other))
    return (
        random and max(len(one), len(other)) <= MOST_CALLED and len(one.intersection(other)) >= max(20, SHARED * fewer)
    )


MOST_CALLED = 100_000
"""Barcodes of a matrix, beyond which it is no filtered one."""
SHARED, TOGETHER = 0.5, 0.8
"""Share of barcodes, and rank correlation of their sums, from which on two matrices hold the same cells."""
