"""The entries of a MatrixMarket file: the usual kind by a compiled loop, all others by scipy.

Cell Ranger's, STARsolo's and R's files of counts are lines of three whole numbers, sorted by column or by row: a loop
puts them straight into a compressed matrix, in a quarter of scipy's time and a third of its memory. What it does not
know (other numbers, comments between lines, no order, a header that lies) it leaves to scipy, which reads the file
from its start: what is accepted, and the words of most refusals, are scipy's. Ours are those of what scipy would cut
off without a word: decimals where the header says integer, and the rest of a line.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recovery_microglia.core.arrays import Int32s, Integers
from recovery_microglia.core.compiled import compiled
from recovery_microglia.core.errors import InputError
from recovery_microglia.readers.compression import first_line, opened

SIGNS = b"0123456789+-.eE \t\r\nnaifNAIFtyTY"
"""Bytes of numbers, nan and infinity among them, and what parts them."""
BLOCK = 1 << 22
"""Bytes that are unzipped and parsed at once: small enough to stay in the processor's cache."""
MOST_MAJORS = 20_000_000
"""Rows or columns that are counted one by one; more are those of a header that lies (10x has 7 million barcodes)."""
HEADER = b"%%matrixmarket matrix coordinate"
SORTS = (b"integer general", b"real general")


@compiled
def _after_last_line(text: NDArray[np.uint8], there: int) -> int:
    """Return how many of the first ``there`` bytes are whole lines."""
    while there > 0 and text[there - 1] != 10:
        there -= 1
    return there


PLAIN, NOT_PLAIN, UNSORTED = 0, 1, 2
"""What `_parse` answers: all read; something that it leaves to others; not sorted as was asked."""
MAX_ENTRY = 2**31 - 1


@compiled
def _parse(
    text: NDArray[np.uint8],
    end: int,
    by_column: bool,
    shape: tuple[int, int],
    state: Integers,
    minor: Int32s,
    values: Int32s,
    lengths: Integers,
) -> int:
    """Read whole lines ``row column value`` of plain digits, one blank or more between them.

    Parameters
    ----------
    text, end
        Bytes, and how many of them are whole lines.
    by_column
        Whether entries are sorted by column, else by row: the major index.
    shape
        Rows and columns.
    state
        Carried from block to block: entries so far, last major index, last minor index, and 1 once an entry was not
        after the one before (unsorted or twice).
    minor, values, lengths
        Filled: the other index, from 0; the values; and the entries of each major index.

    Returns
    -------
    int
        `PLAIN`, `NOT_PLAIN` or `UNSORTED`.
    """
    filled, last, before = state[0], state[1], state[2]
    most = len(values)
    at = 0
    while at < end:
        first = 0
        second = 0
        value = 0
        for field in range(3):
            while text[at] == 32 or text[at] == 9:
                at += 1
            start = at
            number = 0
            digit = text[at] - 48
            while 0 <= digit <= 9:
                number = 10 * number + digit
                at += 1
                digit = text[at] - 48
            if at == start or at - start > 10:
                return NOT_PLAIN
            if field == 0:
                first = number
            elif field == 1:
                second = number
            else:
                value = number
        while text[at] == 32 or text[at] == 9 or text[at] == 13:
            at += 1
        if text[at] != 10 or filled == most or value > MAX_ENTRY:
            return NOT_PLAIN
        at += 1
        if first < 1 or second < 1 or first > shape[0] or second > shape[1]:
            return NOT_PLAIN
        major = second - 1 if by_column else first - 1
        other = first - 1 if by_column else second - 1
        if major < last:
            return UNSORTED
        if major == last and other <= before:
            state[3] = 1
        last, before = major, other
        lengths[major] += 1
        minor[filled] = other
        values[filled] = value
        filled += 1
    state[0], state[1], state[2] = filled, last, before
    return PLAIN


def read_entries(path: Path) -> sp.csr_matrix | sp.csc_matrix | sp.coo_matrix:
    """Return the matrix of a MatrixMarket file as it stands there: csc or csr as it is sorted; coo if scipy read it.

    Counts are int32 where the compiled loop read them, with duplicates not added up.

    Raises
    ------
    InputError
        Truncated, damaged, or not a MatrixMarket file.
    """
    for by_column in (True, False):
        found, answer = _plain(path, by_column=by_column)
        if found is not None:
            return found
        if answer == NOT_PLAIN:
            break
    return _by_scipy(path)


class _AsReal:
    """A file whose header says real where it says integer: of such files scipy would cut off decimals without a word."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._first = re.sub(rb"\b(unsigned-)?integer\b", b"real", stream.readline(1_000), count=1, flags=re.IGNORECASE)

    def read(self, size: int = -1) -> bytes:
        if self._first:
            first, self._first = self._first, b""
            return first
        return self._stream.read(size)


def _by_scipy(path: Path) -> sp.coo_matrix:
    from scipy.io import mmread

    if re.match(r"%%MatrixMarket\s+matrix\s+\w+\s+pattern\b", first_line(path), re.IGNORECASE):
        raise InputError(
            f"{path}: a MatrixMarket file of kind 'pattern' says where counts are, not how many; raw counts are needed"
        )
    try:
        with opened(path) as stream:
            found = sp.coo_matrix(mmread(cast(IO[bytes], _AsReal(stream)), spmatrix=False))
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{path}: not a whole MatrixMarket file ({error})") from None
    _refuse_other_lines(path)
    return found


def _refuse_other_lines(path: Path) -> None:
    """Raise `InputError` for the first line of which scipy dropped the rest: it reads 1,5 as 1, and no fourth number.

    Another pass, over a file that is unusual already. Lines are looked at one by one only where their sum is wrong.
    """
    with opened(path) as stream:
        _, _, shape, sort, *_ = stream.readline(1_000).lower().split()
        each = (4 if sort == b"complex" else 3) if shape == b"coordinate" else 1
        sizes, at = stream.readline(), 2
        while not sizes.strip() or sizes.startswith(b"%"):
            sizes, at = stream.readline(), at + 1
        if shape == b"coordinate" and _numbers(stream) == each * int(sizes.split()[2]):
            return
    with opened(path) as stream:
        for number, line in enumerate(stream, start=1):
            fields = line.split()
            if number > at and fields and (len(fields) != each or line.translate(None, SIGNS)):
                text = line.decode("utf-8", "replace").strip()[:60]
                allowed = {1: "one number", 3: "row, column and count"}.get(each, "four numbers")
                raise InputError(f"{path}: line {number}: '{text}' is not {allowed} in plain numbers")


def _numbers(stream: IO[bytes]) -> int | None:
    """Return how many numbers the rest of a file holds; None if there is what is in no number."""
    found, blank = 0, True
    for block in iter(lambda: stream.read(BLOCK), b""):
        if block.translate(None, SIGNS):
            return None
        blanks = np.concatenate([[blank], np.frombuffer(block, dtype=np.uint8) <= ord(" ")])
        found += int(np.count_nonzero(blanks[:-1] & ~blanks[1:]))
        blank = bool(blanks[-1])
    return found


def _head(stream: IO[bytes]) -> tuple[int, int, int] | None:
    """Return rows, columns and entries of a file of the usual kind; None of any other."""
    first = b" ".join(stream.readline(1_000).lower().split())
    if first not in [HEADER + b" " + sort for sort in SORTS]:
        return None
    line = stream.readline(100_000)
    while line.startswith(b"%") or (line and not line.strip()):
        line = stream.readline(100_000)
    sizes = line.split()
    if len(sizes) != 3 or not all(size.isdigit() for size in sizes):
        return None
    rows, columns, entries = map(int, sizes)
    return (rows, columns, entries) if max(rows, columns, entries) < 2**31 else None


def _blocks(stream: IO[bytes]) -> Iterator[tuple[NDArray[np.uint8], int]]:
    """Yield blocks of whole lines: a buffer that is used again, and how many of its bytes they are."""
    buffer = np.empty(2 * BLOCK + 1, dtype=np.uint8)
    view = memoryview(buffer)
    kept = 0
    while got := stream.readinto(view[kept : kept + BLOCK]):  # type: ignore[attr-defined]  # not in IO[bytes]
        there = kept + got
        end = _after_last_line(buffer, there)
        if end == 0 and there > BLOCK:  # no line of three numbers is so long
            break
        if end:
            yield buffer, end
        kept = there - end
        buffer[:kept] = buffer[end:there]
    if kept:  # the last line may lack its end
        buffer[kept] = 10
        yield buffer, kept + 1


def _plain(path: Path, *, by_column: bool) -> tuple[sp.csr_matrix | sp.csc_matrix | None, int]:
    """Return the matrix, or None and why the compiled loop does not read it."""
    with opened(path) as stream:
        head = _head(stream)
        if head is None:
            return None, NOT_PLAIN
        rows, columns, entries = head
        majors = columns if by_column else rows
        if majors > MOST_MAJORS:
            return None, NOT_PLAIN
        try:
            minor, values = np.empty(entries, dtype=np.int32), np.empty(entries, dtype=np.int32)
            lengths = np.zeros(majors + 1, dtype=np.int64)
        except MemoryError:  # a header that lies
            return None, NOT_PLAIN
        state = np.array([0, -1, -1, 0], dtype=np.int64)
        for text, end in _blocks(stream):
            answer = _parse(text, end, by_column, (rows, columns), state, minor, values, lengths[1:])
            if answer != PLAIN:
                return None, answer
    if state[0] != entries:
        return None, NOT_PLAIN
    if state[3]:  # some entry may be there twice; their sum may need more digits
        values = values.astype(np.int64)
    kind = sp.csc_matrix if by_column else sp.csr_matrix
    found = kind((values, minor, np.cumsum(lengths)), shape=(rows, columns))
    if not state[3]:
        found.has_canonical_format = True
    return found, PLAIN


class NotPlainError(Exception):
    """The compiled loop does not read this file to its end."""


def shape_of(path: Path) -> tuple[int, int] | None:
    """Return rows and columns as the header of a file of the usual kind says; None of any other file."""
    with opened(path) as stream:
        head = _head(stream)
    return head[:2] if head is not None and max(head[:2]) <= MOST_MAJORS else None


def sorted_by_column(path: Path) -> bool | None:
    """Return whether the entries at the beginning of a file are sorted by column (else by row); None if by neither."""
    for by_column in (True, False):
        try:
            next(entry_blocks(path, by_column=by_column), None)
        except NotPlainError:
            continue
        return by_column
    return None


def entry_blocks(path: Path, *, by_column: bool) -> Iterator[tuple[int, sp.csr_matrix]]:
    """Yield the entries in blocks: number of the first column (or row) and the block, columns (rows) × rows (columns).

    A column may go on in the next block.

    Raises
    ------
    NotPlainError
        The file is of another kind, not sorted so, or its header lies.
    """
    with opened(path) as stream:
        head = _head(stream)
        if head is None:
            raise NotPlainError
        rows, columns, entries = head
        majors, others = (columns, rows) if by_column else (rows, columns)
        most = 2 * BLOCK // 6 + 1  # an entry has six bytes or more
        minor, values = np.empty(most, dtype=np.int32), np.empty(most, dtype=np.int32)
        lengths = np.zeros(majors, dtype=np.int64)
        state = np.array([0, -1, -1, 0], dtype=np.int64)
        total = 0
        for text, end in _blocks(stream):
            state[0] = 0
            first = max(int(state[1]), 0)
            if _parse(text, end, by_column, (rows, columns), state, minor, values, lengths) != PLAIN:
                raise NotPlainError
            n, last = int(state[0]), int(state[1])
            total += n
            own = lengths[first : last + 1]
            indptr = np.concatenate([[0], np.cumsum(own)])
            own[:] = 0
            parts = values[:n].copy(), minor[:n].copy(), indptr
            yield first, sp.csr_matrix(parts, shape=(len(indptr) - 1, others))
    if total != entries:
        raise NotPlainError
