"""Tab separated tables that people write by hand, in spreadsheets and editors."""

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from recovery_microglia.core.errors import InputError
from recovery_microglia.core.files import written_bytes

INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"
"""Characters without width that copying from a web page or PDF leaves behind; `str.strip` does not know them."""

_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec|mär|mai|okt|dez)[a-zäé]*"
_DATE = re.compile(
    rf"\d{{1,2}}[-./ ]\s?{_MONTH}\.?|{_MONTH}[-./ ]\d{{1,2}}(\d\d)?|\d{{4}}-\d\d-\d\d( .*)?", re.IGNORECASE
)


def looks_like_date(word: str) -> bool:
    """Return whether a spreadsheet may have made this of a name: ``2-Sep`` of Sept2, ``1-Mar`` of March1 or MAR1.

    Ziemann M et al. Gene name errors are widespread in the scientific literature. Genome Biol 2016;17:177.

    Examples
    --------
    >>> [looks_like_date(word) for word in ("2-Sep", "01. Mrz", "Mar-01", "2026-03-01", "Sept2", "D14_1")]
    [True, False, True, True, False, False]
    """
    return _DATE.fullmatch(word.strip()) is not None


def _text(path: Path) -> str:
    content = written_bytes(path)
    if content.startswith(b"PK\x03\x04"):
        raise InputError(f"{path}: an Excel workbook; save the sheet as text, tab separated")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text; save the sheet as 'tab separated, UTF-8'") from None


def _header_mistake(header: Sequence[str]) -> str:
    """Return what is wrong with a header of one field that should have several, or nothing."""
    if len(header) > 1:
        return ""
    if re.search("[,;]", header[0]):
        return "separated by commas or semicolons; it must be tab separated"
    return "separated by blanks; it must be tab separated" if " " in header[0] else ""


def read_tsv(path: Path, needed: str) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Read a tab separated table.

    Parameters
    ----------
    path
        The table; UTF-8, with or without byte order mark, any line ends.
    needed
        What the table must hold, for the message where it is empty.

    Returns
    -------
    header
        Names of the columns.
    rows
        Row number (the header is row 1) and column to text, stripped; rows of empty fields are left out, and columns that
        a short row does not reach.

    Raises
    ------
    InputError
        One line per mistake: no file, no text, other separators, a column twice, more fields than columns, a quotation mark
        that is not closed.
    """
    reader = csv.reader(io.StringIO(_text(path), newline=""), delimiter="\t", strict=True)
    rows: list[tuple[int, list[str]]] = []
    start = 1
    while True:
        try:
            row = next(reader, None)
        except csv.Error:
            raise InputError(
                f'{path}: row {start}: a quotation mark (") opens a field and is not closed in it; take it out'
            ) from None
        if row is None:
            break
        rows.append((start, [cell.strip().strip(INVISIBLE).strip() for cell in row]))
        start = reader.line_num + 1
    if not rows or not any(rows[0][1]):
        raise InputError(f"{path}: empty; needed: {needed}")
    header = rows[0][1]
    if mistake := _header_mistake(header):
        raise InputError(f"{path}: row 1: {mistake}")
    mistakes = [
        f"{path}: row 1: column '{name}' is duplicated" for name in sorted({h for h in header if header.count(h) > 1})
    ]
    mistakes += [
        f"{path}: row {number}: {len(row)} fields, but the header has {len(header)}"
        for number, row in rows[1:]
        if any(row) and len(row) > len(header)
    ]
    if mistakes:
        raise InputError("\n".join(mistakes))
    return header, [(number, dict(zip(header, row, strict=False))) for number, row in rows[1:] if any(row)]
