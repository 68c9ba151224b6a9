"""Files of a deposit: downloaded, checked, unpacked.

Why requests: it is well kept, everyone has it (Snakemake needs it), and it hands over the bytes as they come, so that a
broken download goes on where it stopped. pooch checks sums but begins anew after every break.
"""

import errno
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recovery_microglia.core.errors import InputError
from recovery_microglia.deposit.archives import check_space, unpack
from recovery_microglia.deposit.downloads import Download
from recovery_microglia.deposit.geo import GEO, mirrored
from recovery_microglia.deposit.http import Partial, Patience, download_with_patience, open_session
from recovery_microglia.deposit.integrity import check_whole, integrity
from recovery_microglia.deposit.manifest import in_place, read_fetched, write_fetched


def _from_folder(file: Download, mirror: Path, url: str) -> Path:
    """Return where a local mirror keeps a file: as GEO does, in a folder of the series, or at its top."""
    if not mirror.is_dir():
        raise InputError(f"GEO_MIRROR: there is no folder {mirror}")
    series = url.split("/")[-3] if url.startswith(f"{GEO}/") else ""
    places = [mirror / url.removeprefix(f"{GEO}/"), mirror / series / file.name, mirror / file.name]
    if not (found := next((place for place in places if place.is_file()), None)):
        looked = dict.fromkeys(str(place.relative_to(mirror)) for place in places)
        raise InputError(f"{file.name}: not in GEO_MIRROR ({mirror}); looked for {', '.join(looked)}")
    return found


def _download(file: Download, path: Path, record: Path, mirror: str, patience: Patience) -> tuple[str, int, str]:
    """Bring a file to ``path``, whole; what does not pass its check is fetched once more, and then given up."""
    partial = Partial(path.with_name(f"{path.name}.part"), mirrored(file.url, mirror))
    local = bool(mirror) and not re.match(r"https?://", mirror)
    if local:
        source = _from_folder(file, Path(mirror).expanduser(), file.url)
        size = source.stat().st_size
        check_space(path.parent, size * (2 if file.is_archive else 1), f"{file.name}: copying it")
        shutil.copyfile(source, partial.path)
    with open_session() as session:
        for last in (False, True):
            if not local:
                download_with_patience(session, partial, file, patience)
            try:
                known = check_whole(partial.path, file, record)
            except InputError as error:
                partial.drop()
                if last or local:
                    raise InputError(
                        str(error).replace(str(partial.path), f"{file.name} (from {partial.url})")
                    ) from None
                print(f"{error}: once more", flush=True)
                continue
            partial.path.replace(path)
            partial.drop()
            return known
    raise AssertionError("the loop returns or raises")


def _put_unpacked(path: Path, folder: Path) -> list[tuple[str, int, str]]:
    """Unpack an archive beside the folder's files, then move all into it: a kill leaves no half file there."""
    staging = folder / f".{path.name}.part"
    shutil.rmtree(staging, ignore_errors=True)
    try:
        found = unpack(path, staging)
        for name, _, _ in found:
            if wrong := integrity(staging / name):
                raise InputError(f"{path}: member '{name}': {wrong}; delete the archive to fetch it again")
        for name, _, _ in found:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (staging / name).replace(folder / name)
        return found
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _unpacked(path: Path, folder: Path, *, fetched: bool) -> list[tuple[str, int, str]]:
    """Unpack an archive; one that was fetched just now and is damaged goes, so that the next run fetches it again."""
    try:
        return _put_unpacked(path, folder)
    except InputError as error:
        if fetched and "truncated or damaged archive" in str(error):
            path.unlink(missing_ok=True)
            raise InputError(f"{error}; it was deleted: run again to fetch it anew") from None
        raise


@contextmanager
def _told(name: str, folder: Path) -> Iterator[None]:
    """Tell of a full or read-only disk in one line."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise InputError(
                f"{name}: the disk of {folder} is full; what came is kept: make room and run again"
            ) from None
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST):
            raise InputError(f"{name}: cannot write to {folder} ({error.strerror}); name another folder") from None
        raise


def fetch(
    file: Download, folder: Path, table: Path, record: Path, *, mirror: str = "", patience: Patience | None = None
) -> list[tuple[str, int, str]]:
    """Bring one file of a deposit into a folder: used if it is there, else downloaded; checked; unpacked if an archive.

    Parameters
    ----------
    file
        Which.
    folder
        Where to; made if needed.
    table
        Written at the end: what is there now (`write_fetched`).
    record
        The same table, of the first time: later downloads must have the same bytes.
    mirror
        Stands in for GEO: an address, or a local folder.

    Returns
    -------
    list
        File, size and SHA-256: the file itself, and what was in it.

    Raises
    ------
    InputError
        It cannot be had, or is not whole; in one line, with what to do. No partial file has its name.
    """
    path = folder / file.name
    with _told(file.name, folder):
        folder.mkdir(parents=True, exist_ok=True)
        known = read_fetched(record) if record.exists() else []
        unpacked = [row for row in known if row[0] != file.name]
        if not path.exists() and unpacked and in_place(folder, unpacked):
            print(f"{file.name}: what was in it is in {folder}", flush=True)
            rows = known
        else:
            there = path.exists()
            print(f"{file.name}: {'in place' if there else f'from {mirrored(file.url, mirror)}'}", flush=True)
            own = (
                check_whole(path, file, record)
                if there
                else _download(file, path, record, mirror, patience or Patience())
            )
            if not (unpacked and own in known and in_place(folder, unpacked)):
                unpacked = _unpacked(path, folder, fetched=not there) if file.is_archive else []
            rows = [own, *unpacked]
        write_fetched(rows, record)
        write_fetched(rows, table)
    return rows
