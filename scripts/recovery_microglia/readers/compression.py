"""Files of text, packed or not, and files that are not what their names say."""

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from recovery_microglia.core.errors import InputError

LOCKED = "may not be read; ask for the rights (chmod u+r)"
GZIP, BZIP, XZ, ZSTD = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"
DEEPEST = 3
"""Packings inside each other that are read through: some tools gzip a file again that was gzipped."""


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file, packed (gzip, bzip2, xz; twice too) or not, by its first bytes and not by its name.

    Raises
    ------
    InputError
        The file is missing, truncated or corrupt.
    """
    from isal import igzip, igzip_lib

    try:
        with path.open("rb") as raw:
            stream: IO[bytes] = raw
            for _ in range(DEEPEST):
                start = stream.read(6)
                stream.seek(0)
                if (unpack := _unpacker(start, path)) is None:
                    break
                stream = unpack(stream)
            if stream is raw:
                _refuse_wide(raw, path)
            yield stream
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except PermissionError:
        raise InputError(f"{path}: {LOCKED}") from None
    except (EOFError, zlib.error, igzip.BadGzipFile, igzip_lib.IsalError) as error:
        raise InputError(f"{path}: truncated or damaged gzip file ({error}); fetch it again") from None
    except lzma.LZMAError as error:
        raise InputError(f"{path}: truncated or damaged xz file ({error}); fetch it again") from None


def _unpacker(start: bytes, path: Path) -> Callable[[IO[bytes]], IO[bytes]] | None:
    """Return what reads a file that begins so; None for one that is not packed."""
    from isal import igzip

    if start.startswith(GZIP):
        return lambda packed: cast(IO[bytes], igzip.IGzipFile(fileobj=packed, mode="rb"))
    if start.startswith(BZIP):
        return lambda packed: cast(IO[bytes], bz2.BZ2File(packed))
    if start.startswith(XZ):
        return lambda packed: cast(IO[bytes], lzma.LZMAFile(packed))
    if start.startswith(ZSTD):
        raise InputError(f"{path}: compressed with zstd, which is not read; unpack it: zstd -d '{path.name}'")
    return None


def _refuse_wide(raw: IO[bytes], path: Path) -> None:
    """Raise `InputError` for text of two bytes a sign, as spreadsheets save it ("Unicode text")."""
    if raw.read(2) in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError(f"{path}: text in UTF-16; save it as UTF-8")
    raw.seek(0)


LONGEST_LINE, LONGEST_LIST = 256_000_000, 1_000_000_000
"""Bytes of a line, and of a list of names: a header of a million barcodes has 25 MB, a list of all 10x barcodes 130 MB."""


def lines_of(stream: IO[bytes], path: Path) -> Iterator[bytes]:
    """Yield the lines of a stream; one that does not end is refused before it fills the memory.

    Raises
    ------
    InputError
        A line is too long for a table.
    """
    while line := stream.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise InputError(f"{path}: a line of more than {LONGEST_LINE // 10**6} MB; this is no table of counts")
        yield line


def whole_text(stream: IO[bytes], path: Path) -> bytes:
    """Return all bytes of a list of names; one that does not end is refused before it fills the memory."""
    text = stream.read(LONGEST_LIST)
    if len(text) == LONGEST_LIST:
        raise InputError(f"{path}: more than {LONGEST_LIST // 10**9} GB; this is no list of names")
    return text


def first_line(path: Path) -> str:
    """Return the first line of a text file."""
    with opened(path) as stream:
        return stream.readline(1_000_000).decode("utf-8-sig", "replace").rstrip("\r\n")


_STAND_INS = {
    b"version https://git-lfs": "a pointer of Git LFS and not the file itself; fetch it: git lfs pull",
    b"PK\x03\x04": "a zip archive under another name; name it .zip (an Excel workbook: save the table as text)",
    b"\x89HDF": "an HDF5 file under another name; name it .h5 or .h5ad",
    b"%PDF": "a PDF, no table",
    b"RDX": "R objects under another name; write the counts from R as MatrixMarket (Matrix::writeMM) or h5ad",
    b"PAR1": "a Parquet file; write it as text: python -c \"import pandas as p; p.read_parquet('F').to_csv('F.csv.gz')\"",
}
"""What the first bytes of a file say that is not what its name says."""


def refuse_stand_in(path: Path, expected: bytes = b"") -> None:
    """Refuse a file that is something else than its name says: a pointer, a web page, an archive.

    ``expected``: the first bytes of what it should be.

    Raises
    ------
    InputError
        What it is, and what to do.
    """
    with path.open("rb") as raw:
        start = raw.read(512)
    if expected and start.startswith(expected):
        return
    for mark, what in _STAND_INS.items():
        if start.startswith(mark):
            raise InputError(f"{path}: {what}")
    if start[257:262] == b"ustar":
        raise InputError(f"{path}: a tar archive under another name; name it .tar")
    if start.lstrip().lower().startswith((b"<!doctype html", b"<html", b"<?xml")):
        raise InputError(f"{path}: a page of a web site, no table; fetch the file again")
