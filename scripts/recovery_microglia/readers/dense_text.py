"""Dense tables of text: genes in rows or in columns, in blocks of lines."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from recovery_microglia.core.errors import InputError
from recovery_microglia.readers.compression import opened
from recovery_microglia.readers.table import Table
from recovery_microglia.readers.text_rows import CELL_HEADINGS, HEADINGS, fields_of, gene_like, numbers_of, separator_of

BLOCK, AT_ONCE = 256, 16_000_000
"""Lines, and numbers, of a dense table that are held densely at once: bounds memory whatever the columns."""


def read_dense(path: Path) -> Table:
    """Read a table of text, genes in rows or in columns, with a header; blocks of lines at a time.

    A header may be one field shorter than the rows (R's write.table). Which way round it stands is told by where
    known gene names are.
    """
    header, separator = dense_header(path)
    blocks, names = [], []
    for _, block, own in dense_blocks(path, separator):
        blocks.append(block)
        names += own
    if not blocks:
        raise InputError(f"{path}: a header and no rows")
    header = fitting_header(header, blocks[0].shape[1], path)
    matrix = sp.vstack(blocks, format="csr")
    if genes_in_rows(names, header):
        return Table(sp.csr_matrix(matrix.T), header, names, DENSE_BY_GENE)
    return Table(matrix, names, header, DENSE_BY_CELL)


DENSE_BY_GENE, DENSE_BY_CELL = "dense text, genes in rows", "dense text, genes in columns"


def genes_in_rows(names: Sequence[str], header: Sequence[str]) -> bool:
    """Return whether the names of the rows, rather than those of the columns, are genes."""
    return gene_like(names) >= gene_like(header)


def dense_header(path: Path) -> tuple[list[str], str | None]:
    """Return the names in the first line of a dense table, and the separator."""
    with opened(path) as stream:
        head = stream.readline().decode("utf-8-sig", "replace")
    if not head:
        raise InputError(f"{path}: empty")
    if re.match(r"\s*<(!doctype|html|\?xml)", head, re.IGNORECASE):
        raise InputError(f"{path}: a page of a web site, no table; fetch the file again")
    separator = separator_of(head)
    return fields_of(head, separator), separator


def fitting_header(header: list[str], width: int, path: Path) -> list[str]:
    """Return the names of the columns of numbers: a header may begin with a heading of the names' column."""
    if width == 0:
        raise InputError(f"{path}: one column of names and no numbers; is it separated by tabs, commas or semicolons?")
    names = header[1:] if len(header) == width + 1 else header
    if len(header) == width and header[0].lower() in HEADINGS | CELL_HEADINGS:
        raise InputError(
            f"{path}: the header has {width - 1} names for {width} columns of numbers: its first field, '{header[0]}', is a heading"
        )
    if len(names) != width:
        raise InputError(f"{path}: the header has {len(names)} names for {width} columns of numbers")
    return names


def dense_rows(path: Path, separator: str | None) -> Iterator[tuple[int, str, bytes]]:
    """Yield number, name and the rest of each line below the header; empty lines are passed over."""
    mark = separator.encode() if separator else None
    with opened(path) as stream:
        stream.readline()
        for number, line in enumerate(stream, start=2):
            if not line.strip():
                continue
            name, _, rest = line.strip(b"\r\n").partition(mark) if mark else line.strip().partition(b" ")
            yield number, name.decode("utf-8", "replace").strip().strip('"'), rest


def dense_blocks(
    path: Path, separator: str | None, *, lines: int = BLOCK
) -> Iterator[tuple[int, sp.csr_matrix, list[str]]]:
    """Yield the numbers as sparse blocks of at most so many lines: number of lines before, the block, and the names of its lines."""
    names: list[str] = []
    pending: list[np.ndarray] = []
    mark = separator.encode() if separator else None
    width, above = -1, 0
    for number, name, rest in dense_rows(path, separator):
        names.append(name)
        values = numbers_of(rest, mark, path, number, name)
        width = len(values) if width < 0 else width
        if len(values) != width:
            raise InputError(f"{path}: line {number} ({name}): {len(values)} values, the lines before have {width}")
        pending.append(values)
        if len(pending) == min(lines, max(AT_ONCE // max(width, 1), 1)):
            yield above, sp.csr_matrix(np.vstack(pending)), names
            above += len(names)
            pending, names = [], []
    if pending:
        yield above, sp.csr_matrix(np.vstack(pending)), names
