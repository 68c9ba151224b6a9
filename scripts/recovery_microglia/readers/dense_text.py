"""Dense tables of text: genes in rows or in columns, in blocks of lines.

Lines of comment above the header (BD Rhapsody, Drop-seq tools, featureCounts) are passed over, and so are columns beside the names
that hold no counts: chromosome and length of a gene, day and cluster of a cell.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from recovery_microglia.core.arrays import Floats
from recovery_microglia.core.errors import InputError
from recovery_microglia.readers.compression import lines_of, opened
from recovery_microglia.readers.table import Table
from recovery_microglia.readers.text_rows import CELL_HEADINGS, HEADINGS, fields_of, gene_like, numbers_of, separator_of

BLOCK, AT_ONCE = 256, 16_000_000
"""Lines, and numbers, of a dense table that are held densely at once: bounds memory whatever the columns."""
LOOKED_AT = 40
"""Lines below the header that tell which columns hold counts."""

NO_CELLS = re.compile(
    r"chr|chrom|chromosome|start|end|strand|length|gene_?length|width|entrez\w*|biotype|gene_?(bio)?type|description|"
    r"gene_?id|gene_?ids|gene_?name|gene_?names|gene_?symbol|symbol|ensembl\w*|total|totals|sum|sums|row_?sums?|mean|median|n_?cells",
    re.IGNORECASE,
)
"""Columns of a table of genes that are no cells."""


@dataclass(frozen=True)
class DenseHead:
    """How a dense table begins.

    Attributes
    ----------
    names
        The fields of its header.
    separator
        None for runs of blanks.
    above
        Lines down to the header, itself included.
    leading
        Columns before the counts: the names', and those that hold no counts.
    name_column
        Which of them names the rows.
    """

    names: list[str]
    separator: str | None
    above: int
    leading: int = 1
    name_column: int = 0

    @property
    def beside(self) -> list[str]:
        """Headings of the leading columns that hold neither names nor counts."""
        if len(self.names) <= self.leading:
            return []
        return [name for k, name in enumerate(self.names[: self.leading]) if k not in (0, self.name_column)]


def read_dense(path: Path) -> Table:
    """Read a table of text, genes in rows or in columns, with a header; blocks of lines at a time.

    A header may be one field shorter than the rows (R's write.table). Which way round it stands is told by where
    known gene names are.
    """
    head = dense_head(path)
    blocks, names = [], []
    for _, block, own in dense_blocks(path, head):
        blocks.append(block)
        names += own
    if not blocks:
        raise InputError(f"{path}: a header and no rows")
    header = fitting_header(head, blocks[0].shape[1], path)
    matrix = sp.vstack(blocks, format="csr")
    if not genes_in_rows(names, header):
        return Table(matrix, names, header, DENSE_BY_CELL, no_cells=tuple(head.beside))
    cells = np.array([NO_CELLS.fullmatch(name) is None for name in header])
    if not cells.any():
        cells[:] = True
    cells &= ~_are_no_cells(matrix, cells)
    dropped = [name for name, is_cell in zip(header, cells, strict=True) if not is_cell]
    kept = [name for name, is_cell in zip(header, cells, strict=True) if is_cell]
    turned = sp.csr_matrix(matrix.T)
    return Table(
        turned[np.flatnonzero(cells)] if dropped else turned,
        kept,
        names,
        DENSE_BY_GENE,
        no_cells=(*head.beside, *dropped),
    )


FAR_ABOVE, NEARLY_ALL = 20, 0.95
"""How often more a column counts than any usual one, and in what share of the genes it does, if it is no cell."""


def _are_no_cells(matrix: sp.csr_matrix, cells: np.ndarray) -> np.ndarray:
    """Return which columns are no cells by their numbers: the sum of the others, or far above all others in nearly all genes.

    A length, or a number of a gene in a data base, is there for every gene; a cell has a count of some of them.
    """
    found = np.zeros(matrix.shape[1], dtype=bool)
    if cells.sum() < 3 or matrix.shape[0] < MIN_GENES:
        return found
    totals: Floats = np.bincount(matrix.indices, matrix.data, matrix.shape[1])
    usual = float(np.partition(totals[cells], -3)[-3])  # the third: two columns may be no cells
    for column in np.flatnonzero(cells & (totals > max(2 * usual, 0))):
        values = np.asarray(matrix[:, [column]].todense()).ravel()
        others = np.asarray(matrix[:, np.flatnonzero(cells & (np.arange(len(cells)) != column))].sum(axis=1)).ravel()
        is_sum = bool((values == others).all())
        found[column] = is_sum or (
            totals[column] > FAR_ABOVE * usual and np.count_nonzero(values) > NEARLY_ALL * matrix.shape[0]
        )
    return found


MIN_GENES = 100
"""Genes from which on the numbers of a column tell that it is no cell."""

DENSE_BY_GENE, DENSE_BY_CELL = "dense text, genes in rows", "dense text, genes in columns"


def genes_in_rows(names: Sequence[str], header: Sequence[str]) -> bool:
    """Return whether the names of the rows, rather than those of the columns, are genes."""
    return gene_like(names) >= gene_like(header)


def dense_head(path: Path) -> DenseHead:
    """Return how a dense table begins: header, separator, lines of comment, columns before the counts."""
    comments: list[str] = []
    below: list[str] = []
    header = ""
    with opened(path) as stream:
        lines = lines_of(stream, path)
        for line in lines:
            text = line.decode("utf-8-sig" if not comments else "utf-8", "replace")
            if not text.strip():
                comments.append("")  # an empty line above the header
                continue
            if text.startswith("#"):
                comments.append(text)
                continue
            header = text
            below = [row.decode("utf-8", "replace") for row in islice(lines, LOOKED_AT)]
            break
    _refuse_no_table(header or "".join(comments[:1]), path)
    above = len(comments) + 1
    if comments and comments[-1] and _is_header(comments[-1], header):
        below = [header, *below]
        header, above = comments[-1].lstrip("#"), above - 1
    if not header:
        raise InputError(f"{path}: lines of comment (#) and no table")
    separator = separator_of(header)
    rows = [fields_of(line, separator) for line in below if line.strip()]
    names = fields_of(header, separator)
    leading, name_column = _leading(names, rows)
    return DenseHead(names, separator, above, leading, name_column)


def _refuse_no_table(start: str, path: Path) -> None:
    if not start:
        raise InputError(f"{path}: empty")
    if re.match(r"\s*<(!doctype|html|\?xml)", start, re.IGNORECASE):
        raise InputError(f"{path}: a page of a web site, no table; fetch the file again")
    if "\r" in start.rstrip("\r\n"):
        raise InputError(f"{path}: its lines end with CR alone, as on old Macs; convert it: tr '\\r' '\\n' < old > new")
    if "\0" in start[:2000] or start[:2000].count("\ufffd") > 20:
        raise InputError(f"{path}: bytes and no text; is it packed, or of another kind than its name says?")


def _is_header(comment: str, row: str) -> bool:
    """Return whether a line that begins with # is the header of the row below it: as many fields, or one fewer."""
    separator = separator_of(row)
    fields, below = len(fields_of(comment.lstrip("#"), separator)), len(fields_of(row, separator))
    return below > 2 and fields in (below, below - 1)


def _leading(names: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[int, int]:
    """Return how many columns come before the counts, and which of them names the rows.

    Columns beside the names that hold words, or whose heading says what is no count (``Chr``, ``Length``), are such. Of several
    columns of names the one with most known genes names the rows.
    """
    width = min((len(row) for row in rows), default=0)
    shift = width - len(names)  # a header of R is one field shorter
    leading = 1
    while leading < width - 1:
        heading = names[leading - shift] if shift in (0, 1) else ""
        words = any(not _number_like(row[leading]) for row in rows)
        if not words and not NO_CELLS.fullmatch(heading):
            break
        if words and not any(_number_like(row[k]) for row in rows for k in range(leading + 1, width)):
            break  # a word among the numbers is a mistake to be told
        if (
            words
            and sum(not _number_like(row[leading]) for row in rows) < MOSTLY * len(rows)
            and not NO_CELLS.fullmatch(heading)
        ):
            break
        leading += 1
    known = [gene_like([row[k] for row in rows]) for k in range(leading)]
    return leading, int(np.argmax(known)) if rows and max(known) > known[0] else 0


MOSTLY = 0.9
"""Share of the rows that hold words in a column of words; a few words are mistakes."""


def _number_like(field: str) -> bool:
    try:
        float(field or "nan")
    except ValueError:
        return False
    return True


MOST_ROWS = 10_000_000
"""Lines of a table: 10x has 7 million barcodes."""


def fitting_header(head: DenseHead, width: int, path: Path) -> list[str]:
    """Return the names of the columns of numbers: a header may begin with a heading of the names' column."""
    header = head.names
    if width == 0:
        raise InputError(f"{path}: one column of names and no numbers; is it separated by tabs, commas or semicolons?")
    names = header[head.leading :] if len(header) == width + head.leading else header[head.leading - 1 :]
    if (
        len(names) == width
        and len(header) == width + head.leading - 1
        and header[0].lower() in HEADINGS | CELL_HEADINGS
    ):
        raise InputError(
            f"{path}: the header has {width - 1} names for {width} columns of numbers: its first field, '{header[0]}', is a heading"
        )
    if len(names) != width:
        raise InputError(f"{path}: the header has {len(names)} names for {width} columns of numbers")
    return names


def dense_rows(path: Path, head: DenseHead) -> Iterator[tuple[int, str, bytes]]:
    """Yield number, name and the rest of each line below the header; empty lines are passed over."""
    mark = head.separator.encode() if head.separator else None
    with opened(path) as stream:
        for _ in range(head.above):
            stream.readline()
        for number, line in enumerate(lines_of(stream, path), start=head.above + 1):
            if number > MOST_ROWS:
                raise InputError(f"{path}: more than {MOST_ROWS:,} lines; this is no table of genes or cells")
            if not line.strip():
                continue
            if head.leading == 1:
                name, _, rest = line.strip(b"\r\n").partition(mark) if mark else line.strip().partition(b" ")
            elif mark and b'"' in line:  # a quoted field may hold the separator
                fields = fields_of(line.decode("utf-8", "replace"), head.separator)
                name = fields[min(head.name_column, len(fields) - 1)].encode()
                rest = mark.join(field.encode() for field in fields[head.leading :])
            else:
                parts = (line.strip(b"\r\n") if mark else line).split(mark, head.leading)
                name, rest = (
                    parts[min(head.name_column, len(parts) - 1)],
                    parts[-1] if len(parts) > head.leading else b"",
                )
            yield number, name.decode("utf-8", "replace").strip().strip('"'), rest


def dense_blocks(path: Path, head: DenseHead, *, lines: int = BLOCK) -> Iterator[tuple[int, sp.csr_matrix, list[str]]]:
    """Yield the numbers as sparse blocks of at most so many lines: number of lines before, the block, and the names of its lines."""
    names: list[str] = []
    pending: list[np.ndarray] = []
    mark = head.separator.encode() if head.separator else None
    width, above = -1, 0
    for number, name, rest in dense_rows(path, head):
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
