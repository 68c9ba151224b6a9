"""Files of text, gzipped or not."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from recovery_microglia.core.errors import InputError


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file, gzipped or not (by its first bytes, not by its name).

    Raises
    ------
    InputError
        The file is missing, truncated or corrupt.
    """
    from isal import igzip, igzip_lib

    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if not zipped:
                _refuse_wide(raw, path)
                yield raw
                return
            with igzip.IGzipFile(fileobj=raw, mode="rb") as stream:
                yield stream
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (EOFError, zlib.error, igzip.BadGzipFile, igzip_lib.IsalError) as error:
        raise InputError(f"{path}: truncated or damaged gzip file ({error}); fetch it again") from None


def _refuse_wide(raw: IO[bytes], path: Path) -> None:
    """Raise `InputError` for text of two bytes a sign, as spreadsheets save it ("Unicode text")."""
    if raw.read(2) in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError(f"{path}: text in UTF-16; save it as UTF-8")
    raw.seek(0)


def first_line(path: Path) -> str:
    """Return the first line of a text file."""
    with opened(path) as stream:
        return stream.readline(1_000_000).decode("utf-8-sig", "replace").rstrip("\r\n")
