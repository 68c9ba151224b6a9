"""Checksums, fingerprints and sizes of files."""

import glob
import hashlib
from collections.abc import Iterable
from pathlib import Path


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


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
