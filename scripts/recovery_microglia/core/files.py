"""Checksums, fingerprints and sizes of files."""

import glob
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from recovery_microglia.core.errors import InputError

LONGEST_NAME, LONGEST_PATH = 255, 4000
"""Bytes of a file's name, and of a path, that disks take."""


MOST_PARTS = 200
"""Folders inside each other that a path may have."""


def wrong_path(text: str) -> str:
    """Return why a text cannot be a path; empty if it can.

    Examples
    --------
    >>> wrong_path("data/D14"), wrong_path("x" * 300)
    ('', 'a name of 300 signs; disks take 255')
    """
    if sign := next((sign for sign in text if sign < " "), ""):
        return f"a sign that is not printed ({sign!r}); take it out"
    if len(text.encode()) > LONGEST_PATH:
        return f"a path of {len(text)} signs; disks take {LONGEST_PATH}"
    if text.count("/") > MOST_PARTS:
        return f"a path of {text.count('/')} folders inside each other"
    longest = max(text.split("/"), key=lambda part: len(part.encode()))
    if len(longest.encode()) > LONGEST_NAME:
        return f"a name of {len(longest)} signs; disks take {LONGEST_NAME}"
    if text.startswith("~") and not text.startswith(("~/", "~\\")) and text != "~":
        try:
            Path(text).expanduser()
        except RuntimeError:
            return f"there is no user '{text[1:].partition('/')[0]}' whose folder {text.partition('/')[0]} could be"
    return ""


LARGEST_WRITTEN = 50_000_000
"""Bytes of a file that a person writes, beyond which it is another kind of file."""


def written_bytes(path: Path) -> bytes:
    """Return the bytes of a file that a person wrote: a sheet, settings.

    Raises
    ------
    InputError
        There is none, it may not be read, it is a folder or a pipe, or is too large to be meant.
    """
    try:
        if path.exists() and not path.is_file():
            what = "a folder" if path.is_dir() else "a pipe or a device"
            raise InputError(f"{path}: {what}, no file")
        if (size := path.stat().st_size) > LARGEST_WRITTEN:
            raise InputError(f"{path}: {size / 1e6:,.0f} MB; such a file has some kilobytes. Is it another one?")
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


SOURCES = "sources.json"
"""File that says with which checksums the files were read that its folder was made from."""


@contextmanager
def as_read(paths: Iterable[Path]) -> Iterator[dict[str, list[str]]]:
    """Record the checksums of files that are read inside: of these bytes, and of no others that take their place later.

    Parameters
    ----------
    paths
        Files.

    Yields
    ------
    dict
        Filled at the end: file to its SHA-256 and its `fingerprint`.

    Raises
    ------
    InputError
        A file was changed, or replaced by another, while it was read.
    """
    files = sorted(set(paths))
    before = [_stamp(file) for file in files]
    found = dict[str, list[str]]()
    yield found
    for file in files:
        found[file.as_posix()] = [sha256(file), fingerprint([file])]
    if changed := [str(file) for file, stamp in zip(files, before, strict=True) if _stamp(file) != stamp]:
        raise InputError(f"{changed[0]}: changed while it was being read; is it still being copied?")


def _stamp(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


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
