"""MatrixMarket files with their lists of genes and barcodes."""

import re
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from recovery_microglia.core.errors import InputError
from recovery_microglia.core.genes import known_symbols
from recovery_microglia.readers.compression import first_line, opened
from recovery_microglia.readers.dense_text import read_dense
from recovery_microglia.readers.matrix_market import read_entries
from recovery_microglia.readers.table import Table
from recovery_microglia.readers.text_rows import CELL_HEADINGS, HEADINGS, gene_like, is_number, numbers_of, read_rows

MARKET = "MatrixMarket"


def gene_columns(rows: list[list[str]], path: Path, n: int) -> tuple[list[str], list[str], list[str]]:
    """Return ids, symbols and feature types of the rows of a gene list with ``n`` genes, with or without header line.

    One column is taken as symbols; with several, the one with most known symbols is (deposits put them first,
    second, or third).
    """
    if len(rows) == n + 1 and gene_like(rows[0]) == 0:  # a header; a gene there means that the matrix lost a row
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
    if not second or not is_number(second[0].strip(b'"')):
        return None
    has_header = not all(is_number(field.encode()) for field in head)
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
            values = [rest, *(numbers_of(row, b" ", path, number, "a row of numbers") for number, row in rows if row)]
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
