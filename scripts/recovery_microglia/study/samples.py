"""The sheet of a data set, ``samples.tsv``: one row a library, read and checked."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os.path import normpath
from pathlib import Path
from typing import Any
from unicodedata import category, normalize

from recovery_microglia.core.errors import InputError
from recovery_microglia.core.schemas import load_schema
from recovery_microglia.core.tsv import read_tsv
from recovery_microglia.study.rows import header_mistakes, row_mistakes, typed_row

NEEDED = "a header line and one row a library, tab separated"


MOST_ROWS = 20_000
"""Rows of a sheet, beyond which it is another table."""


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
    if len(rows) > MOST_ROWS:
        raise InputError(f"{path}: {len(rows):,} rows, but a sheet has one row a library; is it a table of cells?")
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


EXCLUDING = {"naive", "sham", "injured", "treated"}
"""Conditions of which an animal has one; the other side of an injured animal is contralateral."""


def _one_animal_one_day(path: Path, read: Sequence[tuple[int, Library]]) -> list[str]:
    """Return what one animal cannot be: its cord is taken once, it has one sex, and was injured or not. A name used twice joins two animals."""
    lines, first = list[str](), dict[str, tuple[int, Library]]()
    for number, library in read:
        row, other = first.setdefault(library.subject, (number, library))
        told = len(lines)
        for column in ("day", "sex", "condition"):
            mine, theirs = getattr(library, column), getattr(other, column)
            if column == "condition" and (len(lines) > told or not {mine, theirs} <= EXCLUDING):
                continue
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
    """Return a text with one spelling of blanks, apostrophes, wide letters, letters of two signs, and without signs of no width.

    Examples
    --------
    >>> one_spelling("10x\u00a0 3\u2019 v3"), one_spelling("m\u200b\uff11")
    ("10x 3' v3", 'm1')
    """
    seen = "".join(sign for sign in normalize("NFKC", text.translate(_TYPED)) if category(sign) not in ("Cf", "Mn"))
    return " ".join(seen.split())


_TYPED = {ord(sign): "'" for sign in "\u2018\u2019\u02b9\u02bc\u2032\u00b4`"}
_BETWEEN_NUMBERS = re.compile(r"(?<=[0-9])[\W_]+(?=[0-9])")
"""What parts numbers tells animals apart (1-12 and 11-2); between letters, and letters and numbers, it does not."""
_LOOK_ALIKE = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u043a\u043c\u0442\u0432\u043d\u03bf\u03b1\u0456", "aeopcyxkmtbhoai"
)
"""Letters of other alphabets that look like Latin ones."""


def _sketch(name: str) -> str:
    """Return what is left of a name without capitals, blanks, dashes and noughts before numbers."""
    low = name.casefold().translate(_LOOK_ALIKE)
    parted = re.sub(r"[^\w\0]|_", "", _BETWEEN_NUMBERS.sub("\0", low))
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", parted)


def _nearly_the_same(path: Path, read: Sequence[tuple[int, Library]]) -> list[str]:
    """Return a line for each name that differs from another of its column in capitals, blanks, dashes or look-alike letters alone."""
    lines = []
    for column in ("library", "subject", "chemistry", "batch", "arm"):
        first = dict[str, tuple[int, str]]()
        for number, library in read:
            name = getattr(library, column)
            row, other = first.setdefault(name.casefold() if column == "library" else _sketch(name), (number, name))
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
