"""The files that a sheet names: whether they are there, and each is the file of one library."""

import os
import re
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from recovery_microglia.core.errors import InputError, cut, shortened
from recovery_microglia.core.files import wrong_path
from recovery_microglia.core.schemas import hint
from recovery_microglia.core.tsv import read_tsv
from recovery_microglia.deposit.downloads import Download
from recovery_microglia.deposit.manifest import fetched_path, record_path
from recovery_microglia.readers.list_names import MATRIX, is_list, lists_of
from recovery_microglia.study.samples import MOST_ROWS, NEEDED


def simulation_mistakes(simulation: Any, path: Path) -> list[str]:
    """Return what is wrong with ``simulation``; ``path`` is the data set's folder."""
    parameters = simulation.get("parameters") if isinstance(simulation, Mapping) else None
    if not isinstance(parameters, str) or (path / parameters / "genes.tsv").is_file():
        return []
    return [
        f"simulation.parameters: '{path / parameters}': no folder with genes.tsv and the other tables of a simulation"
    ]


def library_files(folder: Path, file: str) -> list[Path]:
    """Return the files behind a sheet's ``file``: itself (with its lists), all files of a folder, or those with the prefix."""
    path = folder / file
    if not file:
        return []
    if path.is_file():
        if not MATRIX.search(file):
            return [path]
        genes, barcodes = _lists_in(path.parent, path.parent.stat().st_mtime_ns)[path]
        return [path, *genes, *barcodes]
    if path.is_dir():
        return sorted(found for found in islice(path.rglob("*"), MOST_FILES) if found.is_file())
    return sorted(path.parent.glob(f"{re.sub(r'([*?[])', r'[\1]', path.name)}*"))


MOST_FILES = 50_000
"""Files and folders below the folder of a library, beyond which it is the folder of something else (a zarr store has thousands)."""


def _unreadable(folder: Path, file: str) -> str:
    """Return why the files behind a sheet's ``file`` cannot be read, as far as it shows without reading them; empty if they can."""
    if why := wrong_path(file):
        return why
    path = folder / file
    if path.is_symlink() and not path.exists():
        return "a link to a file that is not there"
    around = [place for place in (path, *path.parents) if place.exists()][:1]
    if path.exists() and not path.is_file() and not path.is_dir():
        return "a pipe or a device, no file; write it to a file first"
    if around and around[0].is_dir() and not os.access(around[0], os.R_OK | os.X_OK):
        return f"the folder {around[0]} may not be read; ask for the rights (chmod u+rx)"
    if path.is_dir() and len(list(islice(path.rglob("*"), MOST_FILES))) == MOST_FILES:
        return f"a folder of more than {MOST_FILES:,} files; name the folder of this library"
    behind = library_files(folder, file)
    braced = [found for found in behind if "{" in str(found) or "}" in str(found)]
    if braced:
        return f"braces in '{cut(braced[0].name if '{' in braced[0].name else braced[0].parent)}', which Snakemake takes for wildcards; rename it"
    locked = [found for found in behind if not os.access(found, os.R_OK)]
    if locked and locked[0].is_symlink() and not locked[0].exists():
        return f"{locked[0].name} is a link to a file that is not there"
    return f"{locked[0].name} may not be read; ask for the rights (chmod u+r)" if locked else ""


@lru_cache(maxsize=16)
def _lists_in(folder: Path, changed: int) -> dict[Path, tuple[list[Path], list[Path]]]:  # noqa: ARG001 (part of the key)
    """Return the lists of each matrix in a folder as it is since ``changed``; asked for by each of hundreds of libraries."""
    return lists_of([found for found in folder.iterdir() if found.is_file()])


Row = tuple[int, str, bool]
"""Row of the sheet, file of a library as written, and whether it is to be read."""


def _files(path: Path) -> tuple[list[Row], list[str]]:
    """Return the files that a sheet names, and a line if it has no such column; nothing if the sheet cannot be read."""
    try:
        header, rows = read_tsv(path, NEEDED)
    except InputError:
        return [], []  # reported already
    if "file" not in header:
        return [], [f"{path}: row 1: column 'file' is missing: which file is which library's?"]
    if len(rows) > MOST_ROWS:
        return [], []
    return [(number, row.get("file", ""), row.get("include", "").lower() != "no") for number, row in rows], []


def _seen_unreadable(folder: Path, file: str) -> str:
    try:
        return _unreadable(folder, file)
    except PermissionError as error:
        return f"{error.filename} may not be read; ask for the rights (chmod u+rx)"


def _missing_files(rows: Sequence[Row], path: Path, folder: Path) -> list[str]:
    lines = []
    for number, file, included in rows:
        if included and file and (why := _seen_unreadable(folder, file)):
            lines.append(f"{path}: row {number}, column file: '{cut(folder / file)}': {why}")
        elif included and not library_files(folder, file):
            there = [found.name for found in folder.iterdir()] if folder.is_dir() and file else []
            what = f"'{folder / file}': no such file, folder or file prefix{hint(file, there)}" if file else "empty"
            lines.append(f"{path}: row {number}, column file: {what}")
    return lines


def _same_file(rows: Sequence[Row], path: Path, folder: Path) -> list[str]:
    """Return a line for each library whose file another one has already, where no rule takes the file apart."""
    lines, seen, whose = [], dict[str, int](), dict[tuple[int, int], int]()
    for number, file, _ in rows:
        # what is left out may be a link to nothing
        counts = [_itself(found) for found in library_files(folder, file) if not is_list(found) and found.exists()]
        row = seen.get(file) or next((whose[found] for found in counts if found in whose), None)
        if file and row:
            lines.append(
                f"{path}: row {number}, column file: '{file}' is the file of row {row} too; each library has its own, or "
                "dataset.yaml says under split: how the cells of one file are assigned to libraries"
            )
        seen.setdefault(file, number)
        whose |= {found: whose.get(found, number) for found in counts}
    return lines


def _itself(path: Path) -> tuple[int, int]:
    """Return what tells a file, by whatever name, symbolic or hard link it is reached."""
    found = path.stat()
    return found.st_dev, found.st_ino


AHEAD = 10
"""Seconds that clocks of a file server and of a computer may differ by."""


def _of_the_future(rows: Sequence[Row], path: Path, folder: Path) -> list[str]:
    """Return a line for each library with a file whose time lies ahead: Snakemake would compute all and throw it away."""
    lines, now = [], time.time()
    for number, file, included in rows:
        late = [found for found in library_files(folder, file) if included and found.stat().st_mtime > now + AHEAD]
        if late:
            when = time.strftime("%Y-%m-%d %H:%M", time.localtime(late[0].stat().st_mtime))
            lines.append(
                f"{path}: row {number}, column file: '{late[0]}' has a time in the future ({when}); set it to now: touch '{late[0]}'"
                + (f", and {len(late) - 1} more" if len(late) > 1 else "")
            )
    return lines


def _not_in_deposit(rows: Sequence[Row], path: Path, downloads: Sequence[Download]) -> list[str]:
    """Return a line for each library whose file cannot be among what is still to be fetched."""
    if any(file.is_archive for file in downloads):
        return []  # what an archive holds is known when it is unpacked
    names = [file.name for file in downloads]
    return [
        f"{path}: row {number}, column file: "
        + (f"'{file}' is not among download.files; there are: {', '.join(names[:6])}" if file else "empty")
        for number, file, included in rows
        if included and not (file and any(name.startswith(file) for name in names))
    ]


def files_mistakes(
    path: Path, folder: Path, entry: Mapping[str, Any], downloads: Sequence[Download], here: bool
) -> list[str]:
    """Return what is wrong with the files of a sheet, whatever else is wrong with it.

    ``here``: what was to be fetched has been.
    """
    rows, lines = _files(path)
    missing = _missing_files(rows, path, folder) if here else _not_in_deposit(rows, path, downloads)
    if missing and here:
        return lines + shortened(missing)
    same = [] if entry.get("split") else _same_file(rows, path, folder)
    ahead = [] if downloads else _of_the_future(rows, path, folder)
    return lines + shortened(missing) + shortened(same) + shortened(ahead)


def not_in_place(path: Path, folder: Path, downloads: list[Download], root: Path) -> list[Download]:
    """Return the downloads without the archives whose content somebody has put into the folder already.

    That is so where every library's file is there, but neither the archive nor a trace of fetching it.
    """
    if not downloads:
        return downloads
    rows, _ = _files(path / "samples.tsv")
    files = [file for _, file, included in rows if included]
    if not files or not all(library_files(folder, file) for file in files):
        return downloads
    traces = {
        file.name
        for file in downloads
        if (folder / file.name).exists()
        or (folder / f".{file.name}.part").exists()
        or fetched_path(path.name, file.name, root).exists()
        or record_path(path.name, file.name, root).exists()
    }
    return [file for file in downloads if not file.is_archive or file.name in traces]
