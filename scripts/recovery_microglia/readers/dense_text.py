"""Files of text: opening, name lists, MatrixMarket and dense tables."""

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recovery_microglia.core.errors import InputError
from recovery_microglia.core.genes import known_symbols
from recovery_microglia.readers.compression import first_line, opened
from recovery_microglia.readers.counts import BARNYARD, Table
from recovery_microglia.readers.matrix_market import read_entries

MARKET = "MatrixMarket"
HEADINGS = {
    *("gene", "genes", "gene_id", "geneid", "gene_ids", "gene_name", "gene_names", "gene_symbol", "gene_symbols"),
    *("symbol", "symbols", "feature", "features", "feature_id", "feature_name", "ensembl_id", "ensembl"),
}
CELL_HEADINGS = {"barcode", "barcodes", "cell", "cells", "cell_id", "cellid", "cell_name", "index"}
"""What stands above lists of genes and of cells and is none."""
BLOCK, AT_ONCE = 256, 16_000_000
"""Lines, and numbers, of a dense table that are held densely at once: bounds memory whatever the columns."""


def _separator(line: str) -> str | None:
    """Return the separator of a table's line: tab, comma or semicolon; None for runs of blanks."""
    return next((mark for mark in ("\t", ",", ";") if mark in line), None)


def _fields(line: str, separator: str | None) -> list[str]:
    text = line.rstrip("\r\n")
    if separator and '"' in text:  # a quoted field may hold the separator
        return [part.strip() for part in next(csv.reader([text], delimiter=separator))]
    return [part.strip().strip('"') for part in text.split(separator)]


def read_rows(path: Path) -> list[list[str]]:
    """Return the rows of a list of genes or barcodes as fields."""
    with opened(path) as stream:
        lines = stream.read().decode("utf-8-sig", "replace").splitlines()
    if not lines:
        raise InputError(f"{path}: empty")
    separator = _separator(lines[0])
    return [_fields(line, separator) for line in lines if line.strip()]


def iter_rows(path: Path) -> Iterator[list[str]]:
    """Yield the rows of a table as fields, the header first: a table of a million cells is not held at once."""
    with opened(path) as stream:
        separator: str | None = None
        for number, line in enumerate(stream):
            text = line.decode("utf-8-sig" if number == 0 else "utf-8", "replace")
            separator = _separator(text) if number == 0 else separator
            if text.strip():
                yield _fields(text, separator)


def gene_columns(rows: list[list[str]], path: Path, n: int) -> tuple[list[str], list[str], list[str]]:
    """Return ids, symbols and feature types of the rows of a gene list with ``n`` genes, with or without header line.

    One column is taken as symbols; with several, the one with most known symbols is (deposits put them first,
    second, or third).
    """
    if len(rows) == n + 1 and _gene_like(rows[0]) == 0:  # a header; a gene there means that the matrix lost a row
        rows = rows[1:]
    if len(rows) != n:
        raise InputError(f"{path}: {len(rows)} genes, but the matrix has {n}")
    if HEADINGS & {field.lower() for field in rows[0]}:
        raise InputError(
            f"{path}: {n} lines for {n} genes, but the first is a header ({' '.join(rows[0])[:40]}): a gene is missing"
        )
    width = min(len(row) for row in rows)
    columns = [[row[k] for row in rows] for k in range(width)]
    sample = range(0, n, max(n // 2000, 1))
    known = known_symbols("mouse") | known_symbols("human")
    score = [sum(re.sub(r"^(mm10|hg19|GRCh38|GRCm38)_+", "", column[k]) in known for k in sample) for column in columns]
    is_id = [sum(column[k].startswith("ENS") for k in sample) for column in columns]
    best = int(np.argmax(score)) if max(score) > 0 else min(1, width - 1)
    ids = next((column for k, column in enumerate(columns) if is_id[k] > 0.5 * len(sample) and k != best), [])
    if not ids and width > 1 and best != 0:
        ids = columns[0]
    types = next((c for c in columns if any(v.lower() in ("gene expression", "antibody capture") for v in c)), [])
    return ids, columns[best], types


def read_matrix_market(matrix: Path, genes: Path, barcodes: Path) -> Table:
    """Read a MatrixMarket file with its lists; genes or cells may be the rows, which the lengths tell."""
    start = first_line(matrix)
    if not start.startswith("%%MatrixMarket"):
        return _read_bare(matrix, genes, barcodes) or read_dense(matrix)
    found = read_entries(matrix)
    by_gene, cells, ids, symbols, types = market_names(found.shape, matrix, genes, barcodes)
    return Table(sp.csr_matrix(found.T if by_gene else found), cells, symbols, MARKET, ids, types)


def market_names(
    shape: tuple[int, int], matrix: Path, genes: Path, barcodes: Path
) -> tuple[bool, list[str], list[str], list[str], list[str]]:
    """Return whether genes are the rows, then barcodes, ids, symbols and feature types, from the lists that fit a matrix."""
    cells, listed = barcode_list(barcodes), read_rows(genes)
    n_genes = len(listed)
    rows, columns = shape
    fits = _fits(rows, n_genes) and _fits(columns, len(cells))
    turned = _fits(columns, n_genes) and _fits(rows, len(cells))
    if not fits and not turned:
        raise InputError(
            f"{matrix}: {rows} x {columns}, but {genes.name} has {n_genes} lines and {barcodes.name} {len(cells)}"
        )
    cells = _without_header(cells, columns if fits else rows, barcodes)
    return fits, cells, *gene_columns(listed, genes, rows if fits else columns)


def barcode_list(path: Path) -> list[str]:
    """Return the barcodes of a list, a header line among them if it has one; R's row numbers are passed over."""
    rows = read_rows(path)
    width = min(len(row) for row in rows)
    last = rows[-1]
    column = next((k for k in range(width) if not last[k].isdigit()), 0)
    # a header of write.table has one field fewer than the rows, and its names belong to the last ones
    return [row[column - (len(last) - len(row))] if len(row) > column - (len(last) - len(row)) else "" for row in rows]


def _without_header(cells: list[str], n: int, path: Path) -> list[str]:
    """Return ``n`` barcodes, without a header line; a first line that looks like the next is none: the matrix lost a cell."""
    shape = [re.sub(r"[0-9]+", "0", re.sub(r"[ACGTN]{4,}", "B", name)) for name in cells[:2]]
    if len(cells) == n + 1 and shape[0] != shape[-1]:
        return cells[1:]
    if len(cells) != n:
        raise InputError(f"{path}: {len(cells)} barcodes, but the matrix has {n}")
    if cells[0].lower() in CELL_HEADINGS:
        raise InputError(
            f"{path}: {n} lines for {n} barcodes, but the first is a header ({cells[0]}): a barcode is missing"
        )
    return cells


def _read_bare(path: Path, genes: Path, barcodes: Path) -> Table | None:
    """Read numbers between blanks without a name in front (deposited as .mtx), with lists beside them.

    The first line may be a header, of barcodes or of genes; a row may go on over several lines. None if the lines
    have names in front, so that it is a table like others.
    """
    cells, names = barcode_list(barcodes), read_rows(genes)
    with opened(path) as stream:
        head = stream.readline().decode("utf-8-sig", "replace").replace('"', "").split()
        second = stream.readline().split()
    if not second or not _is_number(second[0].strip(b'"')):
        return None
    has_header = not all(_is_number(field.encode()) for field in head)
    by_gene = _fits(len(head), len(cells)) if has_header else not _fits(len(second), len(names))
    long, short = (cells, names) if by_gene else (names, cells)
    width = len(head) if has_header else len(second)
    if has_header and not _fits(width, len(long)):
        raise InputError(
            f"{path}: a header of {width} names, but {genes.name} has {len(names)} lines and {barcodes.name} {len(cells)}"
        )
    width = width if _fits(width, len(long)) else len(long)
    matrix = _bare_rows(path, width, skip=has_header)
    if not _fits(matrix.shape[0], len(short)):
        raise InputError(
            f"{path}: {matrix.shape[0]} rows of {width} numbers, but {genes.name} has {len(names)} lines and {barcodes.name} {len(cells)}"
        )
    cells = _without_header(cells, width if by_gene else matrix.shape[0], barcodes)
    ids, symbols, types = gene_columns(names, genes, matrix.shape[0] if by_gene else width)
    table = sp.csr_matrix(matrix.T) if by_gene else matrix
    return Table(table, cells, symbols, "dense numbers with lists beside them", ids, types)


def _bare_rows(path: Path, width: int, *, skip: bool) -> sp.csr_matrix:
    """Return the numbers of a file as rows of ``width``, whatever its line breaks; ``skip``: its first line is a header."""
    blocks: list[sp.csr_matrix] = []
    rest: np.ndarray = np.zeros(0, dtype=np.int32)
    with opened(path) as stream:
        above = int(skip and bool(stream.readline()))
        while lines := stream.readlines(1 << 24):
            rows = ((above + k, b" ".join(line.split())) for k, line in enumerate(lines, start=1))
            values = [rest, *(_numbers(row, b" ", path, number, "a row of numbers") for number, row in rows if row)]
            above += len(lines)
            rest = np.concatenate(values)
            whole = len(rest) // width * width
            blocks.append(sp.csr_matrix(rest[:whole].reshape(-1, width)))
            rest = rest[whole:]
    if len(rest):
        raise InputError(f"{path}: ends in the middle of a row: {len(rest)} of {width} numbers")
    return sp.csr_matrix(sp.vstack(blocks, format="csr"))


def _fits(size: int, lines: int) -> bool:
    return lines in (size, size + 1)  # one more: a header line


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
    return _gene_like(names) >= _gene_like(header)


def dense_header(path: Path) -> tuple[list[str], str | None]:
    """Return the names in the first line of a dense table, and the separator."""
    with opened(path) as stream:
        head = stream.readline().decode("utf-8-sig", "replace")
    if not head:
        raise InputError(f"{path}: empty")
    if re.match(r"\s*<(!doctype|html|\?xml)", head, re.IGNORECASE):
        raise InputError(f"{path}: a page of a web site, no table; fetch the file again")
    separator = _separator(head)
    return _fields(head, separator), separator


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
        values = _numbers(rest, mark, path, number, name)
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


def _numbers(text: bytes, mark: bytes | None, path: Path, line: int, name: str) -> np.ndarray:
    """Return the numbers of a line: whole numbers fast, others as they are."""
    if mark is not None and (fast := _whole_numbers(text, mark)) is not None:
        return fast
    parts = text.replace(b'"', b"").split(mark)
    try:
        return np.array(parts, dtype=np.int64)
    except (ValueError, OverflowError):
        pass
    try:
        return np.array([part or b"nan" for part in parts], dtype=np.float64)
    except ValueError:
        bad = next(part for part in parts if not _is_number(part))
        word = bad.decode("utf-8", "replace")[:40]
        raise InputError(f"{path}: line {line} ({name}): '{word}' is not a number") from None


def _whole_numbers(text: bytes, mark: bytes) -> NDArray[np.int32] | None:
    """Return the numbers of a line of plain digits, None if it holds anything else.

    All fields at once: the last digit of every field, then the last but one, and so on; a table of counts of
    10,000 barcodes has 160 million fields, and asking Python for each takes longer than all the rest of the job.
    """
    line = np.frombuffer(text, dtype=np.uint8)
    is_mark = line == mark[0]
    if not np.all(is_mark | ((line >= 48) & (line <= 57))):
        return None
    start = np.concatenate([[0], np.flatnonzero(is_mark) + 1])
    length = np.diff(np.append(start, len(line) + 1)) - 1
    if length.min(initial=1) < 1 or length.max(initial=0) > 9:
        return None
    last = start + length - 1
    values = line[last].astype(np.int32) - 48
    for place in range(1, int(length.max())):
        longer = np.flatnonzero(length > place)
        values[longer] += (line[last[longer] - place].astype(np.int32) - 48) * np.int32(10**place)
    return np.asarray(values, dtype=np.int32)


def _is_number(part: bytes) -> bool:
    try:
        float(part or b"nan")
    except ValueError:
        return False
    return True


def _gene_like(names: Sequence[str]) -> float:
    """Return the share of names that are known genes of mouse or human."""
    known = known_symbols("mouse") | known_symbols("human")
    sample = [re.sub(f"^({'|'.join(BARNYARD)})", "", name) for name in names[:: max(len(names) // 3000, 1)]]
    return sum(n in known or n.startswith(("ENSMUSG", "ENSG")) for n in sample) / max(len(sample), 1)
