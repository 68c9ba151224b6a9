"""What a data set takes from its deposit, where it lies, and what of it has been fetched."""

import csv
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from recovery_microglia.core.errors import InputError

GEO = "https://ftp.ncbi.nlm.nih.gov/geo"
"""What GEO's addresses begin with; ``GEO_MIRROR`` stands in for it."""
ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".zip")
"""Endings of files that are unpacked."""
COLUMNS = ("file", "size", "sha256")


@dataclass(frozen=True)
class Download:
    """One file of a deposit.

    Attributes
    ----------
    name
        Name at the source, and in the data set's folder.
    url
        Address; empty where neither ``dataset.yaml`` nor the accession gives one.
    size, sha256
        Bytes and checksum where ``dataset.yaml`` states them, else None and empty.
    """

    name: str
    url: str = ""
    size: int | None = None
    sha256: str = ""

    @classmethod
    def of(cls, entry: Mapping[str, Any], accession: str) -> Self:
        """Return a file of ``download.files``, its address completed by GEO's rule."""
        name = str(entry["name"])
        url = str(entry.get("url") or geo_address(accession, name))
        return cls(name, url, entry.get("size"), str(entry.get("sha256", "")))

    @property
    def is_archive(self) -> bool:
        """Whether the file is unpacked."""
        return is_archive(self.name)


def is_archive(name: str) -> bool:
    """Return whether a file of this name is unpacked."""
    return name.lower().endswith(ARCHIVES)


def archive_stem(name: str) -> str:
    """Return an archive's name without its ending: the folder that a nested archive is unpacked into."""
    return next(
        (name[: -len(end)] for end in sorted(ARCHIVES, key=len, reverse=True) if name.lower().endswith(end)), name
    )


MATRIX = re.compile(r"\.mtx(\.gz)?$", re.IGNORECASE)
_TEXT = r"\.(tsv|txt|csv)(\.gz)?$"
GENE_LIST = re.compile(f"(features|genes|gene_names|gene)[^/]*{_TEXT}", re.IGNORECASE)
BARCODE_LIST = re.compile(f"(barcodes?|cells?)[^/]*{_TEXT}", re.IGNORECASE)
_GENE_LISTS = [*(re.compile(f"(features|genes){end}", re.I) for end in (r"\.tsv(\.gz)?$", _TEXT)), GENE_LIST]
_BARCODE_LISTS = [re.compile(f"barcodes?{end}", re.I) for end in (r"\.tsv(\.gz)?$", _TEXT, f"[^/]*{_TEXT}")]
"""Names of lists, the plainest first. Tables of cells come last of all, as they have an order of their own."""


def is_list(file: Path) -> bool:
    """Return whether a file is a list of genes or barcodes, by its name."""
    return bool(GENE_LIST.search(file.name) or BARCODE_LIST.search(file.name))


def lists_of(files: Collection[Path]) -> dict[Path, tuple[list[Path], list[Path]]]:
    """Return the gene list and the barcode list of each MatrixMarket file among the files of a folder.

    A file goes with the matrices whose names it shares the longest beginning with; of those that go with a matrix the ones
    with the longest beginning are asked first, and of these the plainest name is taken. Where names do not tell
    (``barcodes.tsv`` and ``barcodes.tsv.gz``) there is more than one, where there is none the list is empty.
    """
    of_matrix = {file: _beginnings(MATRIX.sub("", file.name)) for file in files if MATRIX.search(file.name)}
    known = {beginning for some in of_matrix.values() for beginning in some}
    by_beginning: dict[str, list[Path]] = {}
    for file in sorted(set(files) - set(of_matrix)):
        longest = next((beginning for beginning in _beginnings(file.name) if beginning in known), "")
        by_beginning.setdefault(longest, []).append(file)
    found = {}
    for matrix, beginnings in of_matrix.items():
        groups = [by_beginning[beginning] for beginning in beginnings if beginning in by_beginning]
        genes = _plainest(_GENE_LISTS, groups)
        rest = [[file for file in group if file not in genes] for group in groups]
        found[matrix] = genes, _plainest(_BARCODE_LISTS, rest) or _plainest([BARCODE_LIST], rest)
    return found


def _beginnings(name: str) -> list[str]:
    """Return the beginnings of a name that end where a word of it does, the longest first and the empty one last.

    Examples
    --------
    >>> _beginnings("S1_raw.x")
    ['S1_raw.x', 'S1_raw.', 'S1_raw', 'S1_', 'S1', '']
    """
    ends = {0, len(name), *(place for match in re.finditer(r"[^A-Za-z0-9]+", name) for place in match.span())}
    return [name[:end] for end in sorted(ends, reverse=True)]


def _plainest(kinds: Sequence[re.Pattern[str]], groups: Sequence[Sequence[Path]]) -> list[Path]:
    """Return the files of the first group and kind that has any: those with least before what tells the kind.

    Of the plainest kind (``genes.tsv``, ``features.tsv``) all of these, of the others the shortest names only.
    """
    for files in groups:
        for kind in kinds:
            found = {file: match.start() for file in files if (match := kind.search(file.name))}
            if found:
                first = [file for file in found if found[file] == min(found.values())]
                shortest = min(len(file.name) for file in first)
                return [file for file in first if kind is kinds[0] or len(file.name) == shortest]
    return []


def geo_address(accession: str, name: str) -> str:
    """Return where GEO keeps a supplementary file: with its sample if the name begins with one, else with the series.

    Empty for an accession of another archive, whose addresses follow no rule.

    Examples
    --------
    >>> geo_address("GSE162807", "GSE162807_RAW.tar")
    'https://ftp.ncbi.nlm.nih.gov/geo/series/GSE162nnn/GSE162807/suppl/GSE162807_RAW.tar'
    """
    sample = re.match(r"GSM[0-9]+", name)
    owner, kind = (sample[0], "samples") if sample else (accession, "series")
    if not re.fullmatch(r"GS[EM][0-9]+", owner):
        return ""
    return f"{GEO}/{kind}/{owner[:3]}{owner[3:-3]}nnn/{owner}/suppl/{name}"


def mirrored(url: str, mirror: str) -> str:
    """Return the address with GEO's beginning replaced by a mirror's; any other address, or no mirror: as it was."""
    if not mirror or not url.startswith(f"{GEO}/"):
        return url
    return mirror.rstrip("/") + url.removeprefix(GEO)


# ---------------------------------------------------------------- what has been fetched


def fetched_path(dataset: str, name: str, root: Path = Path()) -> Path:
    """Return the table that says that a file of a deposit is there: itself, or what was in it, with checksums."""
    return root / "resources" / dataset / "fetched" / f"{name}.tsv"


def record_path(dataset: str, name: str, root: Path = Path()) -> Path:
    """Return the same table of the first time, which outlives the other: Snakemake deletes a step's output before it runs."""
    return root / "resources" / dataset / "checksums" / f"{name}.tsv"


def default_folder(dataset: str) -> Path:
    """Return where the files of a deposit are put if the data set names no folder; relative to the project's root."""
    return Path("resources") / dataset / "files"


def read_fetched(path: Path) -> list[tuple[str, int, str]]:
    """Return file, size and sha256 of a table that `write_fetched` wrote.

    Raises
    ------
    InputError
        It is no such table.
    """
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream, delimiter="\t"))
    try:
        if tuple(rows[0]) != COLUMNS:
            raise ValueError
        return [(file, int(size), digest) for file, size, digest in rows[1:]]
    except (IndexError, ValueError):
        raise InputError(f"{path}: not the table that fetching writes; delete it, and it is made again") from None


def write_fetched(rows: Sequence[tuple[str, int, str]], path: Path) -> None:
    """Write file, size and sha256 of what was fetched; the same files give the same bytes, whenever they came."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.part")
    with partial.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, delimiter="\t", lineterminator="\n").writerows([COLUMNS, *sorted(rows)])
    partial.replace(path)


def in_place(folder: Path, rows: Sequence[tuple[str, int, str]]) -> bool:
    """Return whether files lie in the folder, with their sizes."""
    return all((folder / file).is_file() and (folder / file).stat().st_size == size for file, size, _ in rows)


def is_fetched(dataset: str, file: Download, folder: Path, root: Path = Path()) -> bool:
    """Return whether a file of a deposit has been fetched and is still there; an archive may go once it is unpacked."""
    path = fetched_path(dataset, file.name, root)
    if not path.exists():
        return False
    rows = read_fetched(path)
    return in_place(folder, [row for row in rows if row[0] != file.name] if file.is_archive else rows)


def forget_lost(dataset: str, downloads: Sequence[Download], folder: Path, root: Path = Path()) -> list[Path]:
    """Delete the tables of fetched files that are gone or changed their size, so that they are fetched again.

    Returns the tables that were deleted.
    """
    tables = [
        fetched_path(dataset, file.name, root) for file in downloads if not is_fetched(dataset, file, folder, root)
    ]
    lost = [path for path in tables if path.exists()]
    for path in lost:
        path.unlink()
    return lost
