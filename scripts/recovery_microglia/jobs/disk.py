"""The disk that a run writes to: what its refusals mean, and what a killed run left behind."""

import contextlib
import errno
import fcntl
import glob
import hashlib
import os
import re
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from recovery_microglia.core.errors import InputError

_PLAIN = {
    errno.ENOSPC: "the disk is full; make room",
    errno.EDQUOT: "your quota of disk space is used up; make room",
    errno.EROFS: "the disk can only be read; write the results elsewhere (snakemake --directory) or remount it",
    errno.EACCES: "you may not write or read this; ask for the rights",
    errno.EPERM: "you may not write or read this; ask for the rights",
    errno.ENOENT: "no such file: was it moved or deleted while the run went on?",
    errno.EIO: "the disk does not answer as it should (input/output error); is it whole, is the network up?",
    errno.ESTALE: "the network disk has lost this file; is the network up?",
    errno.ENOTDIR: "a file stands where a folder should be",
    errno.EISDIR: "a folder stands where a file should be",
    errno.EMFILE: "too many open files; raise the limit (ulimit -n)",
}


def what_the_disk_says(error: OSError, near: Path | str = "") -> str:
    """Return in one plain line why a file could not be read or written; empty if that is not what the error is about.

    ``near`` is named where the error names no file. HDF5 tells the number of an error in its words only.
    """
    told = re.search(r"errno = (\d+)", str(error))
    number = error.errno if error.errno is not None else int(told[1]) if told else None
    if number not in _PLAIN:
        return ""
    named = re.search(r"(?:filename|name) = '([^']+)'", str(error))
    where = error.filename or (named[1] if named else near)
    return f"{f'{where}: ' if where else ''}{_PLAIN[number]}"


NEEDED_TO_START = 50_000_000
"""Bytes without which a run cannot even write its small tables."""


def unusable(folder: Path) -> str:
    """Return in one plain line why nothing can be written into a folder, made or not; empty if it can. Writes nothing."""
    place = next((path for path in (folder, *folder.absolute().parents) if path.exists()), folder)
    if not place.is_dir():
        return f"{place}: a file stands where the folder {folder} should be; move it away"
    if not os.access(place, os.W_OK | os.X_OK):
        return (
            f"{place}: cannot be written to; run elsewhere (snakemake --directory), remount it, or ask for the rights"
        )
    if (free := shutil.disk_usage(place).free) < NEEDED_TO_START:
        return f"{place}: the disk is full ({free / 1e6:.0f} MB free); make room"
    return ""


def check_unchanged(made: Iterable[tuple[Path, Path]]) -> None:
    """Refuse to close a run whose sources are no longer those that were read: checksums would name other files.

    Parameters
    ----------
    made
        Source and product. A source whose time lies in the future says nothing: a clock is wrong, and the file is not new.

    Raises
    ------
    InputError
        One line for each source that was written to, moved or deleted after its product was made from it.
    """
    now = time.time()
    lines = set()
    for source, product in made:
        if not source.exists():
            lines.add(f"{source}: was moved or deleted after it was read")
        elif product.stat().st_mtime < source.stat().st_mtime <= now:
            lines.add(f"{source}: was changed after it was read; run the same command again")
    if lines:
        raise InputError("\n".join(sorted(lines)))


SAMPLED = 1 << 16
"""Bytes at each of the places of a file that `fingerprint` looks at."""


def fingerprint(paths: Iterable[Path]) -> str:
    """Return a digest of files that differs if one was replaced, however old it says it is.

    Of each file the name, the size and four samples count, the last bytes among them, where gzip keeps the checksum of
    all. A change inside a larger file that leaves its size may escape; such a file has a new time, though, and that is
    what Snakemake looks at.

    Parameters
    ----------
    paths
        As in `size_mb`; what is not there is passed over.
    """
    digest = hashlib.sha256()
    for file in sorted(found for path in paths for found in _files_behind(path)):
        size = file.stat().st_size
        digest.update(f"{file.name}\0{size}\0".encode())
        with file.open("rb") as stream:
            for place in sorted({max((size - SAMPLED) * part // 3, 0) for part in range(4)}):
                stream.seek(place)
                digest.update(stream.read(SAMPLED))
    return digest.hexdigest()[:16]


def size_mb(paths: Iterable[Path]) -> float:
    """Return the megabytes behind paths; what is not there (yet) counts nothing.

    A path is a file, a folder (all files below it) or what the names of some files begin with, as in a sheet.
    """
    return sum(found.stat().st_size for path in paths for found in _files_behind(path)) / 1e6


def _files_behind(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    found = path.rglob("*") if path.is_dir() else path.parent.glob(f"{glob.escape(path.name)}*")
    return [file for file in found if file.is_file()]


# ---------------------------------------------------------------- what a killed run left behind


def hold(folder: Path) -> IO[str] | None:
    """Mark a project's folder as one in which a run is alive, and take away the locks of runs that are not.

    Snakemake locks what it works on with files. A run that was killed, or ran into a power cut, leaves them behind, and
    the next one refuses to start. Here every run holds a lock of the operating system's beside them, which dies with it:
    where nobody else holds one, locks that lie there are left over.

    Parameters
    ----------
    folder
        The folder of the run's own records, ``.snakemake``.

    Returns
    -------
    IO or None
        Keep it as long as the run lives. None where the disk knows no such locks; then nothing is taken away.
    """
    with contextlib.suppress(OSError):
        folder.mkdir(exist_ok=True)
        held = (folder / "alive").open("a")
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass  # another run is alive: the locks may be its own
        else:
            shutil.rmtree(folder / "locks", ignore_errors=True)
        fcntl.flock(held, fcntl.LOCK_SH)
        return held
    return None
