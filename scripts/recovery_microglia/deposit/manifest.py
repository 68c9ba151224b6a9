"""What of a deposit has been fetched: tables of files, sizes and checksums."""

import csv
from collections.abc import Sequence
from pathlib import Path

from recovery_microglia.core.errors import InputError
from recovery_microglia.deposit.downloads import Download

COLUMNS = ("file", "size", "sha256")


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
