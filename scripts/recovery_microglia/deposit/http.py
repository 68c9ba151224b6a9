"""One file over HTTP: resumed where it broke, tried again while that helps."""

import json
import random
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import Retry

from recovery_microglia.core.errors import InputError
from recovery_microglia.deposit.archives import check_space, readable
from recovery_microglia.deposit.downloads import Download

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


@dataclass
class Partial:
    """A file that is not whole yet, and what the server said of it: ``<name>.part`` and ``<name>.part.json``."""

    path: Path
    url: str

    @property
    def note(self) -> Path:
        """The file that says what the server said."""
        return self.path.with_name(f"{self.path.name}.json")

    @property
    def size(self) -> int:
        """Bytes that have come."""
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
        """Note which version of the file this is, and how large it will be."""
        self.note.write_text(json.dumps({"url": self.url, "validator": validator, "total": total}), encoding="utf-8")

    def drop(self) -> None:
        """Give up what came."""
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


def open_session() -> requests.Session:
    """Return a session that hands over bytes as they are stored, and tries nothing twice by itself."""
    session = requests.Session()
    adapter = HTTPAdapter(max_retries=0)  # one place decides about trying again: download_with_patience
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
    session: requests.Session, partial: Partial, file: Download, timeout: float
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
        # some servers pass over If-Range and send the rest of another version
        other = note.get("validator") and _validator(response) not in ("", note["validator"])
        if not span or other or note.get("total") not in (None, _total(response, start)):
            response.close()
            partial.drop()
            raise _AgainError("the file changed at the server")
        return response, start
    partial.drop()
    return response, 0


def _pull(session: requests.Session, partial: Partial, file: Download, patience: Patience) -> None:
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
    except (ValueError, LocationParseError) as error:  # requests' errors of addresses are ValueErrors too
        raise InputError(
            f"{file.name}: {partial.url} sends on to an address that is none ({str(error)[:100]}); set its url in dataset.yaml right, or set GEO_MIRROR"
        ) from None
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


def download_with_patience(session: requests.Session, partial: Partial, file: Download, patience: Patience) -> None:
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
