"""Files of a deposit: downloaded, checked, unpacked.

Why requests: it is well kept, everyone has it (Snakemake needs it), and it hands over the bytes as they come, so that a
broken download goes on where it stopped. pooch checks sums but begins anew after every break.
"""

import errno
import hashlib
import json
import random
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from recovery_microglia.core.errors import InputError
from recovery_microglia.deposit.archives import check_space, readable, unpack
from recovery_microglia.deposit.downloads import GEO, Download, in_place, mirrored, read_fetched, write_fetched

BLOCK = 1 << 18
BUSY = (408, 425, 429, 500, 502, 503, 504)
"""Answers after which trying again helps."""


@dataclass(frozen=True)
class Patience:
    """How long a server is given.

    Attributes
    ----------
    tries
        Attempts in a row without a single new byte.
    wait, longest_wait
        Seconds before the second attempt, doubled each time, and their bound. What a server asks for
        (``Retry-After``) is waited too, if it is not longer than ``longest_wait``.
    timeout
        Seconds without an answer or a byte after which a connection is given up.
    """

    tries: int = 8
    wait: float = 2.0
    longest_wait: float = 600.0
    timeout: float = 60.0
    sleep: Callable[[float], None] = field(default=time.sleep)


class _AgainError(Exception):
    """An attempt failed in a way that the next one may not."""

    def __init__(self, text: str, wait: float | None = None) -> None:
        super().__init__(text)
        self.wait = wait


# ---------------------------------------------------------------- progress


class Progress:
    """A bar in a terminal, and a line in the log at the start, each tenth and the end."""

    def __init__(self, name: str, total: int | None, done: int) -> None:
        self.name, self.total, self.done = name, total, done
        self._told = self._share()
        self._bar: Any = None
        terminal = sys.__stderr__
        if terminal is not None and terminal.isatty():
            from tqdm import tqdm

            self._bar = tqdm(
                total=total, initial=done, desc=name, unit="B", unit_scale=True, file=terminal, leave=False
            )
        print(f"{name}: {self._words()}", flush=True)

    def _share(self) -> int:
        return 10 * self.done // self.total if self.total else self.done // 100_000_000

    def _words(self) -> str:
        return f"{readable(self.done)} of {readable(self.total)}" if self.total else readable(self.done)

    def add(self, size: int) -> None:
        """Count bytes."""
        self.done += size
        if self._bar is not None:
            self._bar.update(size)
        if self._share() > self._told:
            self._told = self._share()
            print(f"{self.name}: {self._words()}", flush=True)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()


# ---------------------------------------------------------------- one download


@dataclass
class _Partial:
    """A file that is not whole yet, and what the server said of it: ``<name>.part`` and ``<name>.part.json``."""

    path: Path
    url: str

    @property
    def note(self) -> Path:
        return self.path.with_name(f"{self.path.name}.json")

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def known(self) -> dict[str, Any]:
        """Return what was noted of this file at this address; the partial file is given up if that is another."""
        try:
            note: dict[str, Any] = json.loads(self.note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            note = {}
        if note.get("url") != self.url:
            self.drop()
            return {}
        return note

    def remember(self, validator: str, total: int | None) -> None:
        self.note.write_text(json.dumps({"url": self.url, "validator": validator, "total": total}), encoding="utf-8")

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


def _session() -> requests.Session:
    session = requests.Session()
    adapter = HTTPAdapter(max_retries=0)  # one place decides about trying again: _with_patience
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    # the bytes as they are stored: some servers call a .gz file an encoding, and it would be unpacked on the way
    session.headers.update({"Accept-Encoding": "identity", "User-Agent": "recovery-microglia"})
    return session


def _total(response: requests.Response, start: int) -> int | None:
    """Return the size of the whole file as the server states it."""
    if span := re.search(r"/(\d+)$", response.headers.get("Content-Range", "")):
        return int(span[1])
    length = response.headers.get("Content-Length", "")
    return start + int(length) if length.isdigit() else None


def _validator(response: requests.Response) -> str:
    """Return what tells this version of the file from others; only a strong ETag may be used for a range."""
    tag = response.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")


def _refused(response: requests.Response, url: str, name: str) -> None:
    """Raise what an answer other than 200 and 206 means."""
    code, reason = response.status_code, response.reason
    if code in BUSY:
        asked = Retry().get_retry_after(response.raw)
        raise _AgainError(f"the server answers {code} {reason}", asked)
    if code in (404, 410):
        raise InputError(
            f"{name}: not found at {url} ({code}); is the name as the deposit spells it? Set download.files in dataset.yaml right, "
            "or put the file into the data set's folder yourself"
        )
    raise InputError(f"{name}: {url} answers {code} {reason}; set its url in dataset.yaml right, or set GEO_MIRROR")


def _begin(
    session: requests.Session, partial: _Partial, file: Download, timeout: float
) -> tuple[requests.Response | None, int]:
    """Ask for what is missing; return the answer (None if nothing is) and the byte at which it starts."""
    note = partial.known()
    if not (note.get("validator") or file.sha256 or file.name.endswith(".gz")):
        # nothing would tell that the rest is of another version: not the server, no checksum, and no gzip of its own
        partial.drop()
    start, asked = partial.size, {}
    if start:
        asked = {"Range": f"bytes={start}-"}
        if note.get("validator"):
            asked["If-Range"] = note["validator"]
    response = session.get(partial.url, headers=asked, stream=True, timeout=timeout)
    if response.status_code == 416:
        whole = _total(response, 0) if "Content-Range" in response.headers else note.get("total")
        response.close()
        if whole == start:
            return None, start
        partial.drop()
        raise _AgainError("the server has no such part of the file")
    if response.status_code not in (200, 206):
        with response:
            _refused(response, partial.url, file.name)
    if response.status_code == 206:
        span = re.match(rf"bytes {start}-", response.headers.get("Content-Range", ""))
        if not span or note.get("total") not in (None, _total(response, start)):
            response.close()
            partial.drop()
            raise _AgainError("the file changed at the server")
        return response, start
    partial.drop()
    return response, 0


def _pull(session: requests.Session, partial: _Partial, file: Download, patience: Patience) -> None:
    """Download what is missing of a file, once.

    Raises
    ------
    _AgainError
        The connection broke; what came is kept.
    InputError
        Trying again will not help.
    """
    try:
        response, start = _begin(session, partial, file, patience.timeout)
        if response is None:
            return
        with response:
            total = _total(response, start)
            if file.size and total and total != file.size:
                raise InputError(f"{file.name}: {total} bytes at {partial.url}, but dataset.yaml says {file.size}")
            whole = total or file.size or 0
            check_space(
                partial.path.parent, (whole - start) + (whole if file.is_archive else 0), f"{file.name}: fetching it"
            )
            partial.remember(_validator(response), total)
            progress = Progress(file.name, total, start)
            try:
                with partial.path.open("ab") as out:
                    for block in response.raw.stream(BLOCK, decode_content=False):
                        out.write(block)
                        progress.add(len(block))
            finally:
                progress.close()
            if total and partial.size != total:
                raise _AgainError(f"the connection ended at {readable(partial.size)} of {readable(total)}")
    except (requests.RequestException, HTTPError, TimeoutError, ConnectionError) as error:
        raise _AgainError(_network_words(error)) from None


def _network_words(error: BaseException) -> str:
    """Return a network error in a few words: the innermost reason (Connection refused), not its wrappings."""
    reason: BaseException | None = error
    words = ""
    while reason is not None:
        said = getattr(reason, "strerror", None) or str(reason)
        words = re.sub(r"^<[^>]*>: |^\S*(Connection|Pool)\([^)]*\): ", "", said) or words
        inner = [getattr(reason, "reason", None), *reason.args, reason.__cause__, reason.__context__]
        reason = next((found for found in inner if isinstance(found, BaseException)), None)
    return (words or type(error).__name__)[:160]


def _with_patience(session: requests.Session, partial: _Partial, file: Download, patience: Patience) -> None:
    """Download a file, and try again while that helps: a break after new bytes begins a new count."""
    failed, best = 0, partial.size
    while True:
        try:
            return _pull(session, partial, file, patience)
        except _AgainError as error:
            failed = 1 if partial.size > best else failed + 1
            best = max(best, partial.size)
            wait = min(patience.wait * 2 ** (failed - 1), patience.longest_wait) * random.uniform(0.8, 1.2)
            wait = max(wait, error.wait or 0)
            if failed >= patience.tries or (error.wait or 0) > patience.longest_wait:
                asks = f"; it asks to be left alone for {error.wait:.0f} s" if error.wait else ""
                raise InputError(
                    f"{file.name}: not fetched from {partial.url}: {error}{asks}. What came is kept: run the same command "
                    "again later, or set GEO_MIRROR"
                ) from None
            print(f"{file.name}: {error}; trying again in {wait:.0f} s", flush=True)
            patience.sleep(wait)


# ---------------------------------------------------------------- is it whole?


def sha256_and_size(path: Path) -> tuple[str, int]:
    """Return checksum and size of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest(), path.stat().st_size


def integrity(path: Path) -> str:
    """Return what is wrong with a file by its own checksums (gzip, HDF5); empty if nothing, or if it has none.

    Sizes and TLS catch breaks, not what was stored wrong; a gzip file ends with the checksum of its content.
    """
    if path.stat().st_size == 0:
        return "it is empty"
    with path.open("rb") as stream:
        start = stream.read(512)
    if start.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return "it is a web page, not the file"
    if path.suffix == ".gz" and not start.startswith(b"\x1f\x8b"):
        return "it is no gzip file"
    if start.startswith(b"\x1f\x8b"):
        return _gzip_integrity(path)
    if path.suffix in (".h5", ".hdf5", ".h5ad"):
        return _hdf5_integrity(path)
    return ""


def _gzip_integrity(path: Path) -> str:
    import zlib

    from isal import igzip, igzip_lib

    try:
        with igzip.open(path) as stream:
            while stream.read(8 * BLOCK):
                pass
    except (EOFError, zlib.error, igzip.BadGzipFile, igzip_lib.IsalError) as error:
        return f"truncated or damaged gzip file ({error})"
    return ""


def _hdf5_integrity(path: Path) -> str:
    import h5py

    try:
        with h5py.File(path, "r"):
            return ""
    except OSError as error:
        return f"not a whole HDF5 file ({str(error).splitlines()[0]})"


def _expected(file: Download, record: Path) -> tuple[str, str]:
    """Return the SHA-256 that a file must have, and where that is known from; empty where it is not known."""
    if file.sha256:
        return file.sha256, "dataset.yaml"
    if record.exists():
        return next((digest for name, _, digest in read_fetched(record) if name == file.name), ""), str(record)
    return "", ""


def check_whole(path: Path, file: Download, record: Path) -> tuple[str, int, str]:
    """Return name, size and SHA-256 of a file that is whole.

    Raises
    ------
    InputError
        Its size or checksum is not the one stated, or it is damaged; says what to do.
    """
    digest, size = sha256_and_size(path)
    if file.size and size != file.size:
        raise InputError(f"{path}: {size} bytes, but dataset.yaml says {file.size}; {_otherwise(record)}")
    wanted, source = _expected(file, record)
    if wanted and digest != wanted:
        raise InputError(f"{path}: its SHA-256 is {digest}, but {source} says {wanted}; {_otherwise(record)}")
    if not wanted and (wrong := integrity(path)):
        raise InputError(f"{path}: {wrong}; {_otherwise(record)}")
    return file.name, size, digest


def _otherwise(record: Path) -> str:
    recorded = f" and delete {record}" if record.exists() else ""
    return (
        f"fetch it again (delete the file, if it is there); if the deposit was changed, correct dataset.yaml{recorded}"
    )


# ---------------------------------------------------------------- a file, from the deposit to the folder


def _from_folder(file: Download, mirror: Path, url: str) -> Path:
    """Return where a local mirror keeps a file: as GEO does, in a folder of the series, or at its top."""
    if not mirror.is_dir():
        raise InputError(f"GEO_MIRROR: there is no folder {mirror}")
    series = url.split("/")[-3] if url.startswith(f"{GEO}/") else ""
    places = [mirror / url.removeprefix(f"{GEO}/"), mirror / series / file.name, mirror / file.name]
    if not (found := next((place for place in places if place.is_file()), None)):
        raise InputError(f"{file.name}: not in GEO_MIRROR; looked for {', '.join(map(str, dict.fromkeys(places)))}")
    return found


def _download(file: Download, path: Path, record: Path, mirror: str, patience: Patience) -> tuple[str, int, str]:
    """Bring a file to ``path``, whole; what does not pass its check is fetched once more, and then given up."""
    partial = _Partial(path.with_name(f"{path.name}.part"), mirrored(file.url, mirror))
    local = bool(mirror) and not re.match(r"https?://", mirror)
    if local:
        source = _from_folder(file, Path(mirror).expanduser(), file.url)
        size = source.stat().st_size
        check_space(path.parent, size * (2 if file.is_archive else 1), f"{file.name}: copying it")
        shutil.copyfile(source, partial.path)
    with _session() as session:
        for last in (False, True):
            if not local:
                _with_patience(session, partial, file, patience)
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
                unpacked = _put_unpacked(path, folder) if file.is_archive else []
            rows = [own, *unpacked]
        write_fetched(rows, record)
        write_fetched(rows, table)
    return rows
