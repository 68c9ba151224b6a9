"""The sheet of a data set, ``samples.tsv``: one row a library, read and checked."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os.path import normpath
from pathlib import Path
from typing import Any
from unicodedata import normalize

from recovery_microglia.core.errors import InputError
from recovery_microglia.core.schemas import load_schema
from recovery_microglia.core.tsv import INVISIBLE, read_tsv
from recovery_microglia.study.rows import header_mistakes, row_mistakes, typed_row

NEEDED = "a header line and one row a library, tab separated"


@dataclass(frozen=True)
class Library:
    """One sequenced library: a row of ``samples.tsv``, empty string where a field is not known."""

    library: str
    subject: str
    day: float | None
    condition: str
    arm: str = ""
    sex: str = ""
    age: str = ""
    chemistry: str = ""
    batch: str = ""
    sort: str = "none"
    pooled_n: int = 1
    file: str = ""
    key: str = ""
    format: str = "auto"
    genome: str = ""
    layer: str = ""
    include: bool = True
    reason: str = ""
    note: str = ""


def read_samples(path: Path, schema: Path, *, enrichment: str = "none") -> tuple[Library, ...]:
    """Read ``samples.tsv``.

    Raises
    ------
    InputError
        One line per mistake: file, row, column, what is wrong, what is allowed.
    """
    header, rows = read_tsv(path, NEEDED)
    return checked_libraries(path, header, rows, schema, enrichment=enrichment)


def checked_libraries(
    path: Path,
    header: Sequence[str],
    rows: Sequence[tuple[int, Mapping[str, str]]],
    schema: Path,
    *,
    enrichment: str = "none",
) -> tuple[Library, ...]:
    """Return the libraries of a sheet whose rows have been read: their number with column to text; see `read_samples`."""
    properties = load_schema(schema)["properties"]
    mistakes = header_mistakes(path, header, properties)
    absent = [f"'{name}' is missing" for name in ("library", "condition") if name not in header]
    read: list[tuple[int, Library]] = []
    first_row: dict[str, int] = {}
    for number, text_row in rows:
        where = f"{path}: row {number}"
        row, wrong = typed_row({k: v for k, v in text_row.items() if k in properties}, properties, where)
        # a column that is not there is told once, not in every row
        wrong += [line for line in row_mistakes(row, schema, where) if not line.endswith(tuple(absent) or "\n")]
        name = str(row.get("library", number))
        if name in first_row:
            wrong.append(f"{where}, column library: '{name}' is already in row {first_row[name]}")
        first_row.setdefault(name, number)
        mistakes += wrong
        if not mistakes:
            read.append((number, _library(row, enrichment)))
    if not rows:
        mistakes.append(f"{path}: no library below the header")
    elif not mistakes:
        mistakes += _between_rows(path, read)
    if mistakes:
        raise InputError("\n".join(mistakes))
    return tuple(library for _, library in read)


def _between_rows(path: Path, read: Sequence[tuple[int, Library]]) -> list[str]:
    """Return what rows that are right on their own say against each other."""
    included = [(number, library) for number, library in read if library.include]
    if not included:
        return [f"{path}: every library has include = no"]
    return _one_animal_one_day(path, included) + _same_cells(path, included) + _nearly_the_same(path, included)


def _one_animal_one_day(path: Path, read: Sequence[tuple[int, Library]]) -> list[str]:
    """Return what one animal cannot be: its cord is taken once, and it has one sex. A name used twice joins two animals."""
    lines, first = [], dict[str, tuple[int, Library]]()
    for number, library in read:
        row, other = first.setdefault(library.subject, (number, library))
        for column in ("day", "sex"):
            mine, theirs = getattr(library, column), getattr(other, column)
            if mine not in (None, "") and theirs not in (None, "") and mine != theirs:
                shown = [f"{value:g}" if isinstance(value, float) else value for value in (mine, theirs)]
                lines.append(
                    f"{path}: row {number}, column {column}: {shown[0]}, but animal '{library.subject}' has {shown[1]} in row "
                    f"{row}; different animals need different names in the column subject"
                )
    return lines


def _same_cells(path: Path, read: Sequence[tuple[int, Library]]) -> list[str]:
    """Return a line for each library whose cells in a shared file another one has already."""
    lines, first = [], dict[tuple[str, str], int]()
    for number, library in read:
        row = first.setdefault((normpath(library.file), library.key), number)
        if row != number and library.file:
            lines.append(
                f"{path}: row {number}, column key: '{library.key}' of {library.file} is in row {row} already; its cells would "
                "count twice"
            )
    return lines


def one_spelling(text: str) -> str:
    """Return a text with one spelling of what typing and spreadsheets spell in several ways: blanks, apostrophes, letters of two signs.

    Examples
    --------
    >>> one_spelling("10x\u00a0 3\u2019 v3"), one_spelling("m\u200b1")
    ("10x 3' v3", 'm1')
    """
    plain = normalize("NFC", text).translate(_TYPED)
    return " ".join(plain.split())


_TYPED = {ord(sign): None for sign in INVISIBLE} | {ord(sign): "'" for sign in "\u2018\u2019\u02b9\u02bc\u2032\u00b4`"}


_SEPARATORS = re.compile(r"(?<![0-9])[\s_-]+|[\s_-]+(?![0-9])")
"""What parts words; between numbers it tells animals apart (1-12 and 11-2)."""


def _nearly_the_same(path: Path, read: Sequence[tuple[int, Library]]) -> list[str]:
    """Return a line for each animal or kit whose name differs from another's in capitals, blanks and dashes alone."""
    lines = []
    for column in ("subject", "chemistry"):
        first = dict[str, tuple[int, str]]()
        for number, library in read:
            name = getattr(library, column)
            row, other = first.setdefault(_SEPARATORS.sub("", name).casefold(), (number, name))
            if name and name != other:
                lines.append(
                    f"{path}: row {number}, column {column}: '{name}' looks like '{other}' of row {row}; write both alike, or names that "
                    "differ in a letter or a number"
                )
    return lines


def _library(row: Mapping[str, Any], enrichment: str) -> Library:
    return Library(
        **{
            **row,
            # what typing alone makes different is the same: no second animal or kit comes of it
            "subject": one_spelling(str(row.get("subject") or row["library"])),
            **{name: one_spelling(str(row.get(name) or "")) for name in ("arm", "batch")},
            "chemistry": re.sub(r"\b10X\b", "10x", one_spelling(str(row.get("chemistry") or ""))),
            "day": row.get("day"),
            "key": row.get("key") or row["library"],
            "sort": row.get("sort") or enrichment,
            "format": row.get("format") or "auto",
            "include": row.get("include", "yes") == "yes",
        }
    )
