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

from recovery_microglia.core.errors import InputError, cut
from recovery_microglia.core.files import wrong_path

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
    if not path.parts and kind == "file":
        return "has no name"
    if why := wrong_path(name):
        return f"has {why}"
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


MOST_MEMBERS = 100_000
"""Members of an archive; a series of a thousand samples has some thousands, a zarr store tens of thousands."""
LARGE, TIMES = 10_000_000_000, 200
"""Bytes, and how many times the archive's own, from which on what is inside is no counts: text of counts packs 5 to 50 times."""


class _Contents:
    """The members of an archive as they are seen: refused at the first that may not be unpacked, or where there are too many."""

    def __init__(self, path: Path) -> None:
        self.path, self.listed = path, list[tuple[str, str, int]]()
        self._size, self._packed = 0, max(path.stat().st_size, 1)
        self._kinds = dict[str, str]()

    def see(self, name: str, kind: str, size: int) -> None:
        """Take note of a member.

        Raises
        ------
        InputError
            Why nothing is unpacked.
        """
        if why := _refusal(name, kind) or self._collision(name, kind):
            raise InputError(f"{self.path}: member '{cut(name)}' {why}; nothing was unpacked")
        self.listed.append((name, kind, size))
        if len(self.listed) > MOST_MEMBERS:
            raise InputError(
                f"{self.path}: more than {MOST_MEMBERS:,} members; no archive of count matrices has so many. Nothing was unpacked"
            )
        self._size += size if kind == "file" else 0
        if self._size > LARGE and self._size > TIMES * self._packed:
            raise InputError(
                f"{self.path}: {readable(self._packed)} that unpack to {readable(self._size)} or more: no counts are packed so far. "
                "Nothing was unpacked"
            )

    def _collision(self, name: str, kind: str) -> str:
        """Return why a member has no place of its own; empty if it has."""
        path = PurePosixPath(_plain(name))
        if kind == "file" and self._kinds.get(path.as_posix()) == "file":
            return "is duplicated"
        places = {path.as_posix(): kind} | {part.as_posix(): "folder" for part in path.parents if part.parts}
        both = [place for place, own in places.items() if self._kinds.get(place, own) != own]
        self._kinds |= places
        return f"is a file and a folder ({both[0]})" if both else ""


def _plain(name: str) -> str:
    """Return a member's name without dots and doubled slashes.

    Examples
    --------
    >>> _plain("./a//b.csv")
    'a/b.csv'
    """
    return PurePosixPath(name.replace("\\", "/")).as_posix()


@contextmanager
def _opened(path: Path) -> Iterator[tuple[list[tuple[str, str, int]], Iterator[_Member]]]:
    """Open an archive: name, kind and size of all members, which have been checked, and the files to read."""
    contents = _Contents(path)
    if path.name.lower().endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            for info in infos:
                contents.see(info.filename, _zip_kind(info), info.file_size)
            yield (
                contents.listed,
                (_Member(_plain(m.filename), m.file_size, archive.open(m)) for m in infos if _zip_kind(m) == "file"),
            )
        return
    with tarfile.open(path) as tar:
        members = []
        for member in tar:  # its size is known before its content is unpacked
            contents.see(member.name, _tar_kind(member), member.size)
            members.append(member)
        streams = ((m, tar.extractfile(m)) for m in members if m.isreg())
        yield contents.listed, (_Member(_plain(m.name), m.size, stream) for m, stream in streams if stream is not None)


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


def check_space(folder: Path, needed: int, what: str, *, temporary: bool = False) -> None:
    """Raise unless a folder's disk holds ``needed`` bytes more.

    Raises
    ------
    InputError
        What is to be stored, where, how much it needs and how much there is.
    """
    free = shutil.disk_usage(folder).free
    if needed > free:
        place, other = (
            ("temporary files", "set TMPDIR to a folder on a larger one") if temporary else (folder, _OTHER_FOLDER)
        )
        raise InputError(
            f"{what} needs {readable(needed)}, but the disk of {place} has {readable(free)} free; make room, or {other}"
        )


_OTHER_FOLDER = "name another folder in dataset.yaml"


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


def unpack(path: Path, out: Path, *, temporary: bool = False) -> list[tuple[str, int, str]]:
    """Unpack a tar or zip, and the archives in it.

    Nothing is written before all members are known to be plain files and folders that stay inside ``out``. An archive
    inside goes to a folder of its name without the ending, and is not kept itself.

    Parameters
    ----------
    path
        tar (also gzipped or bzipped) or zip.
    out
        Folder to unpack into; made if needed.
    temporary
        Whether that is a folder of temporary files.

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
    return sorted(_unpack(path, out, "", DEPTH, temporary))


def _unpack(path: Path, out: Path, inside: str, depth: int, temporary: bool) -> list[tuple[str, int, str]]:
    found: list[tuple[str, int, str]] = []
    try:
        with _opened(path) as (members, files):
            size = sum(size for _, kind, size in members if kind == "file")
            check_space(out, size, f"{path.name}: unpacking it", temporary=temporary)
            for member in files:
                if not _is_junk(member.name):
                    name = (PurePosixPath(inside) / member.name).as_posix()
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
            kept += _unpack(out / name, out, archive_stem(name), depth - 1, temporary)
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
