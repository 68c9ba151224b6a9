"""Archives: what is in them, checked before anything is written, and unpacked with checksums."""

import hashlib
import lzma
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from recovery_microglia.core.errors import InputError

DEPTH = 3
"""Archives inside archives that are followed: a RAW.tar with a tar of each sample has two."""
_JUNK = ("__MACOSX", ".DS_Store")
_DAMAGED = (
    zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError, ValueError,
)  # fmt: skip


@dataclass(frozen=True)
class _Member:
    name: str
    size: int
    stream: IO[bytes]


def _refusal(name: str, kind: str) -> str:
    """Return why a member is not unpacked; empty if it may be."""
    path = PurePosixPath(name.replace("\\", "/"))
    if kind not in ("file", "folder"):
        return f"is a {kind}; only files and folders are unpacked"
    if path.is_absolute() or re.match("[A-Za-z]:", name):
        return "has an absolute path"
    return "points outside the archive" if ".." in path.parts else ""


def _is_junk(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return any(part in _JUNK or part.startswith("._") for part in parts)


def _tar_kind(member: tarfile.TarInfo) -> str:
    if member.issym() or member.islnk():
        return "link"
    return "file" if member.isreg() else "folder" if member.isdir() else "device or pipe"


def _zip_kind(member: zipfile.ZipInfo) -> str:
    mode = member.external_attr >> 16
    if stat.S_ISLNK(mode):
        return "link"
    return "folder" if member.is_dir() else "file"


@contextmanager
def _opened(path: Path) -> Iterator[tuple[list[tuple[str, str, int]], Iterator[_Member]]]:
    """Open an archive: name, kind and size of all members, and the files to read."""
    if path.name.lower().endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            files = (_Member(m.filename, m.file_size, archive.open(m)) for m in infos if _zip_kind(m) == "file")
            yield [(m.filename, _zip_kind(m), m.file_size) for m in infos], files
        return
    with tarfile.open(path) as tar:
        members = tar.getmembers()
        streams = ((m, tar.extractfile(m)) for m in members if m.isreg())
        yield (
            [(m.name, _tar_kind(m), m.size) for m in members],
            (_Member(m.name, m.size, stream) for m, stream in streams if stream is not None),
        )


def _check_members(path: Path, members: list[tuple[str, str, int]]) -> None:
    seen = set()
    for name, kind, _ in members:
        if why := _refusal(name, kind):
            raise InputError(f"{path}: member '{name}' {why}; nothing was unpacked")
        if kind == "file" and name in seen:
            raise InputError(f"{path}: member '{name}' is duplicated; nothing was unpacked")
        seen.add(name)


def _write(member: _Member, target: Path) -> tuple[int, str]:
    """Write a member; return its size and SHA-256."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with member.stream as stream, target.open("wb") as out:
        while block := stream.read(1 << 20):
            digest.update(block)
            size += out.write(block)
    if size != member.size:
        raise EOFError(f"member '{member.name}' has {size} of {member.size} bytes")
    return size, digest.hexdigest()


def check_space(folder: Path, needed: int, what: str) -> None:
    """Raise unless a folder's disk holds ``needed`` bytes more.

    Raises
    ------
    InputError
        What is to be stored, where, how much it needs and how much there is.
    """
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(
            f"{what} needs {readable(needed)}, but the disk of {folder} has {readable(free)} free; make room, or name another "
            "folder in dataset.yaml"
        )


def readable(size: float) -> str:
    """Return a number of bytes in words: 1.2 GB.

    Examples
    --------
    >>> readable(1_234_567_890)
    '1.2 GB'
    """
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"


def unpack(path: Path, out: Path) -> list[tuple[str, int, str]]:
    """Unpack a tar or zip, and the archives in it.

    Nothing is written before all members are known to be plain files and folders that stay inside ``out``. An archive
    inside goes to a folder of its name without the ending, and is not kept itself.

    Parameters
    ----------
    path
        tar (also gzipped or bzipped) or zip.
    out
        Folder to unpack into; made if needed.

    Returns
    -------
    list
        File (relative to ``out``), size and SHA-256, sorted by file.

    Raises
    ------
    InputError
        A member climbs out, is absolute, a link or a device; the archive is damaged; the disk will not hold it.
    """
    out.mkdir(parents=True, exist_ok=True)
    return sorted(_unpack(path, out, "", DEPTH))


def _unpack(path: Path, out: Path, inside: str, depth: int) -> list[tuple[str, int, str]]:
    found: list[tuple[str, int, str]] = []
    try:
        with _opened(path) as (members, files):
            _check_members(path, members)
            check_space(out, sum(size for _, kind, size in members if kind == "file"), f"{path.name}: unpacking it")
            for member in files:
                if not _is_junk(member.name):
                    name = (PurePosixPath(inside) / member.name.replace("\\", "/")).as_posix()
                    found.append((name, *_write(member, out / name)))
    except _DAMAGED as error:
        if "password" in str(error):
            raise InputError(f"{path}: a password is needed; unpack it and name the folder") from None
        raise InputError(f"{path}: truncated or damaged archive ({error})") from None
    except OSError as error:
        if error.errno is None:  # gzip's own complaints
            raise InputError(f"{path}: truncated or damaged archive ({error})") from None
        raise
    kept = []
    for name, size, digest in found:
        if is_archive(name) and depth > 1:
            kept += _unpack(out / name, out, archive_stem(name), depth - 1)
            (out / name).unlink()
        else:
            kept.append((name, size, digest))
    return kept


def member_names(path: Path) -> list[str]:
    """Return the names of the files in an archive.

    Raises
    ------
    InputError
        The archive is damaged.
    """
    try:
        with _opened(path) as (members, _):
            return [name for name, kind, _ in members if kind == "file" and not _is_junk(name)]
    except _DAMAGED as error:
        raise InputError(f"{path}: truncated or damaged archive ({error})") from None


ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".zip")
"""Endings of files that are unpacked."""


def is_archive(name: str) -> bool:
    """Return whether a file of this name is unpacked."""
    return name.lower().endswith(ARCHIVES)


def archive_stem(name: str) -> str:
    """Return an archive's name without its ending: the folder that a nested archive is unpacked into."""
    return next(
        (name[: -len(end)] for end in sorted(ARCHIVES, key=len, reverse=True) if name.lower().endswith(end)), name
    )
