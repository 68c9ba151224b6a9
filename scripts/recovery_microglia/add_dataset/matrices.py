"""Which files hold which library: in a folder, and among the files of a deposit."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from os.path import commonprefix
from pathlib import Path

from recovery_microglia.core.errors import InputError
from recovery_microglia.core.genes import Organism
from recovery_microglia.deposit.archives import archive_stem, is_archive
from recovery_microglia.readers import read_counts
from recovery_microglia.readers.compression import opened
from recovery_microglia.readers.list_names import MATRIX

_LISTS = re.compile(r"(barcodes?|features?|genes?|gene_names|cells?)[^/]*\.(tsv|txt|csv)(\.gz)?$", re.IGNORECASE)
_COUNTS = re.compile(r"count|matrix|dge|umi|expression|_x_", re.IGNORECASE)
_TABLE = re.compile(r"\.(csv|tsv|txt|tab|dge|counts)(\.gz)?$", re.IGNORECASE)
_NO_COUNTS = re.compile(
    r"meta|annot|cluster|umap|tsne|md5|checksum|readme|summary|metrics|fragments|peaks?|singlecell|tf_analysis|normali[sz]ed|"
    r"fpkm|tpm|log|scaled|_atac|hto|adt|\.pdf$|\.rds|\.rdata|\.bw$|\.bed|\.tbi|\.loupe|\.cloupe|\.xlsx?$|\.html?$|\.bam|\.fast[aq]",
    re.IGNORECASE,
)
_GENERIC = re.compile(
    r"^(outs|gene|genefull|filtered|raw|velocyto|solo\.out|count|matrix|(filtered|raw)_(feature|gene)_bc_matri(x|ces)(_h5)?|mm10|mm39|"
    r"grcm3[89]|sample_(filtered|raw)_feature_bc_matrix)$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class FoundLibrary:
    """A library in a folder.

    Attributes
    ----------
    file
        What the sheet says under ``file``: a file, a folder, or the beginning of files' names; relative to the folder.
    title
        The words of its path that are its own.
    size
        Bytes.
    """

    file: str
    title: str
    size: int


def _is_list(name: str) -> bool:
    """Return whether a file is a list of genes or barcodes; ``counts_genes_x_cells.csv`` is not."""
    return _LISTS.search(name) is not None and not _COUNTS.search(name)


def _holds_numbers(path: Path) -> bool:
    """Return whether the second line of a text file is a name and numbers: notes and tables of cells are not."""
    try:
        with opened(path) as stream:
            stream.readline()
            line = stream.readline().decode("utf-8", "replace")
    except InputError:
        return True  # damaged: reading it will say so
    parts = re.split(r"[\t,;]" if re.search(r"[\t,;]", line) else r"\s+", line.strip())
    return len(parts) > 1 and all(
        re.fullmatch(r'"?(-?[\d.]+(e[+-]?\d+)?|na|nan)?"?', p, re.IGNORECASE) for p in parts[1:50]
    )


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


def _title(parts: Sequence[str]) -> str:
    """Return the parts of a path that are a library's own words."""
    own = [part for part in parts if part and not _GENERIC.match(part)]
    return " ".join(own)


def _stem(name: str) -> str:
    bare = re.sub(r"\.gz$", "", name, flags=re.IGNORECASE)
    if is_archive(bare):
        return archive_stem(bare)
    bare = re.sub(r"\.(h5ad|h5|hdf5|mtx|csv|tsv|txt|tab|dge|counts|zarr)$", "", bare, flags=re.IGNORECASE)
    bare = re.sub(r"[._-]?(filtered|raw)?_?(feature|gene)_bc_matri(x|ces)(_h5)?$", "", bare, flags=re.IGNORECASE)
    return re.sub(r"[._-]?(dge|counts?|umi|expression|matrix)$", "", bare, flags=re.IGNORECASE).strip("._-")


def _in_folder(folder: Path, root: Path) -> list[FoundLibrary]:
    """Return the libraries that lie directly in one folder."""
    here = folder.relative_to(root)
    files = {f.name: f.stat().st_size for f in folder.iterdir() if f.is_file() and not f.name.startswith(".")}
    useful = {name: size for name, size in files.items() if not _NO_COUNTS.search(name)}
    found = []
    matrices = [name for name in useful if MATRIX.search(name)]
    for matrix in sorted(matrices):
        prefix = _prefix(matrix, useful)
        own = {name: size for name, size in useful.items() if name.startswith(prefix)}
        alone = len(matrices) == 1 and (prefix == matrix or not _stem(prefix) or _stem(prefix) == matrix.split(".")[0])
        if alone:  # a folder of Cell Ranger: the folder's name is the library's
            found.append(FoundLibrary(here.as_posix(), _title(here.parts), sum(useful.values())))
        else:
            found.append(
                FoundLibrary((here / prefix).as_posix(), _title([*here.parts, _stem(prefix)]), sum(own.values()))
            )
    for name, size in sorted(useful.items()):
        binary = name.lower().endswith((".h5", ".hdf5", ".h5ad")) or is_archive(name)
        text = _TABLE.search(name) and not _is_list(name) and not matrices
        if binary or (text and _holds_numbers(folder / name)):
            found.append(FoundLibrary((here / name).as_posix(), _title([*here.parts, _stem(name)]), size))
    return found


def find_libraries(root: Path) -> list[FoundLibrary]:
    """Return the libraries of a folder, whatever the layout, in the order of their paths.

    Cell Ranger leaves each library several times (filtered and raw, folder and h5): the filtered one is taken, as a folder.

    Raises
    ------
    InputError
        There is no such folder, or no count matrix in it.
    """
    if not root.is_dir():
        raise InputError(f"{root}: no such folder")
    folders = [root, *sorted(path for path in root.rglob("*") if path.is_dir() and not path.name.startswith("."))]
    everything = [holder for folder in folders for holder in _in_folder(folder, root)]
    chosen: dict[str, FoundLibrary] = {}
    for holder in everything:
        key = holder.title or holder.file
        if key not in chosen or _rank(holder) < _rank(chosen[key]):
            chosen[key] = holder
    if not chosen:
        raise InputError(f"{root}: no count matrix that is known (mtx, h5, h5ad, dense text, or an archive of these)")
    return sorted(chosen.values(), key=lambda holder: holder.file)


def _rank(holder: FoundLibrary) -> tuple[bool, bool, bool]:
    name = holder.file.lower()
    return (
        "raw" in name.split("/")[-1] and "filtered" not in name,
        "molecule" in name,
        name.endswith((".h5", ".h5ad")),
    )


READ_AT_MOST = 400_000_000
"""Bytes that are read to see whether the files are what they seem; of more, the smallest library alone."""


def try_reading(root: Path, holders: Sequence[FoundLibrary], organism: Organism = "mouse") -> dict[str, str]:
    """Read libraries and return file to what was recognised, or to why it cannot be read (which begins with ``not: ``)."""
    chosen = list(holders)
    if sum(holder.size for holder in chosen) > READ_AT_MOST:
        chosen = [min(chosen, key=lambda holder: holder.size)]
    told = {}
    for holder in chosen:
        try:
            counts = read_counts(root / holder.file, organism=organism)
        except InputError as error:
            told[holder.file] = f"not: {str(error).removeprefix(f'{root / holder.file}: ')}"
        else:
            told[holder.file] = (
                f"{counts.uns['reading']['layout']}: {counts.n_obs:,} barcodes such as {counts.obs_names[0]}, {counts.n_vars:,} genes"
            )
    return told
