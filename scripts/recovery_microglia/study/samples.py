"""The sheet of a data set, ``samples.tsv``: one row a library, read and checked."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os.path import normpath
from pathlib import Path
from typing import Any
from unicodedata import normalize

from recovery_microglia.core.errors import InputError
from recovery_microglia.core.schemas import defaults, errors, hint, load_schema, plain, with_defaults
from recovery_microglia.core.tsv import looks_like_date, read_tsv
from recovery_microglia.study.free_text import read_conditions, read_days, read_sexes

UNKNOWN = ("na", "n/a", "nd", "none", "null", "unknown", "?", "-")
"""Words for what is not known."""
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


def _number(text: str, name: str, kind: str) -> float | int:
    """Return a field as a number.

    Raises
    ------
    ValueError
        It is none; the message says what to write.
    """
    try:
        number = float("" if "_" in text else text)  # Python reads 7_0 as 70
    except ValueError:
        if text.lower() in UNKNOWN:
            raise ValueError(f"'{text}' is not a number; leave the field empty where it is not known") from None
        meant = read_days(text) if name == "day" else []
        plainly = f": {meant[0].day:g}" if len(meant) == 1 else ", such as 14"
        what = f"days as a plain number{plainly}" if name == "day" else "a number"
        raise ValueError(f"'{text}' is not a number; write {what}") from None
    if not math.isfinite(number):
        raise ValueError(f"'{text}' is not a number; leave the field empty where it is not known")
    return int(number) if kind == "integer" and number.is_integer() else number


def _typed(row: Mapping[str, str], properties: Mapping[str, Any], where: str) -> tuple[dict[str, Any], list[str]]:
    """Return the row with numbers as numbers and empty fields left out, and what could not be read."""
    typed: dict[str, Any] = {}
    mistakes = []
    for name, text in row.items():
        kind = properties.get(name, {}).get("type")
        if text == "" and name not in ("library", "condition"):
            continue
        if kind in ("number", "integer"):
            try:
                typed[name] = _number(text, name, kind)
            except ValueError as error:
                mistakes.append(f"{where}, column {name}: {error}")
        else:
            typed[name] = text.lower() if name in ("sex", "include", "condition", "sort") else text
    for name in ("library", "subject"):
        if looks_like_date(row.get(name, "")):
            mistakes.append(
                f"{where}, column {name}: '{row[name]}' looks like a date that a spreadsheet has made of a name; "
                "format the column as text and write the name again"
            )
    return typed, mistakes


def _meant(column: str, value: str, told: str) -> str:
    """Return the sheet's word for what a field says in the field's words (SNI, ctrl, M), if there is one."""
    if "did you mean" in told or not value:
        return ""
    readings = {"condition": read_conditions(value), "sex": read_sexes(value, stated=True)}.get(column, [])
    words = ["naive or sham" if reading == "control" else reading for reading in readings]
    return f"; write {words[0]}" if len(words) == 1 else ""


def _check_row(row: Mapping[str, Any], schema: Path, where: str) -> list[str]:
    lines = []
    for error in errors(row, schema):
        column = error.absolute_path[0] if error.absolute_path else None
        told = f"{where}{f', column {column}' if column else ''}"
        lines += [f"{told}: {text}{_meant(str(column), str(error.instance), text)}" for text in plain(error)]
    if row.get("include", "yes") == "no" and not row.get("reason"):
        lines.append(f"{where}, column reason: empty, but the library is left out; say why")
    return lines


def _columns(
    path: Path, header: Sequence[str], properties: Mapping[str, Any], needed: Sequence[str] = ("library", "condition")
) -> list[str]:
    """Return what is wrong with the header; columns that start with ``x_`` are the user's own."""
    lines = [
        f"{path}: row 1: column '{name}' is not known{hint(name, properties) or '; own ones start with x_'}"
        for name in header
        if name not in properties and not name.startswith("x_")
    ]
    return lines + [f"{path}: row 1: column '{n}' is missing" for n in needed if n not in header]


def read_samples(path: Path, schema: Path, *, enrichment: str = "none") -> tuple[Library, ...]:
    """Read ``samples.tsv``.

    Raises
    ------
    InputError
        One line per mistake: file, row, column, what is wrong, what is allowed.
    """
    header, rows = read_tsv(path, NEEDED)
    properties = load_schema(schema)["properties"]
    mistakes = _columns(path, header, properties)
    absent = [f"'{name}' is missing" for name in ("library", "condition") if name not in header]
    read: list[tuple[int, Library]] = []
    first_row: dict[str, int] = {}
    for number, text_row in rows:
        where = f"{path}: row {number}"
        row, wrong = _typed({k: v for k, v in text_row.items() if k in properties}, properties, where)
        # a column that is not there is told once, not in every row
        wrong += [line for line in _check_row(row, schema, where) if not line.endswith(tuple(absent) or "\n")]
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


def read_behaviour(path: Path, schema: Path, arms: set[str]) -> tuple[dict[str, Any], ...]:
    """Read ``behaviour.tsv``, if there is one: a dict a row, completed by the defaults.

    Raises
    ------
    InputError
        One line per mistake, as of `read_samples`; also an arm that the sheet does not have.
    """
    if not path.is_file():
        return ()
    header, rows = read_tsv(path, "a header line and one row a day, tab separated")
    properties = load_schema(schema)["properties"]
    needed = ("day", "mean")
    mistakes = _columns(path, header, properties, needed)
    found = []
    days, ways = dict[tuple[Any, ...], int](), dict[str, tuple[str, int]]()
    for number, text_row in rows if all(name in header for name in needed) else []:
        where = f"{path}: row {number}"
        row, wrong = _typed({k: v for k, v in text_row.items() if k in properties}, properties, where)
        wrong += [] if wrong else _check_row(row, schema, where)  # what is no number is not missing besides
        if row.get("arm", "") not in {"", *arms}:
            known = f"; there are: {', '.join(sorted(arms))}" if arms else ""
            wrong.append(f"{where}, column arm: '{row['arm']}' is no arm of samples.tsv{known}")
        full = with_defaults(row, defaults(schema))
        course = tuple(full.get(name) or "" for name in ("measure", "sex", "arm"))
        if not wrong and (first := days.setdefault((full.get("day"), *course), number)) != number:
            wrong.append(
                f"{where}, column day: {full['day']:g} is in row {first} already, of the same measure, sex and arm"
            )
        way, first = ways.setdefault(full["measure"], (full["better"], number))
        if not wrong and way != full["better"]:
            wrong.append(f"{where}, column better: {full['better']}, but row {first} says {way} for {full['measure']}")
        mistakes += wrong
        found.append(full)
    if mistakes:
        raise InputError("\n".join(mistakes))
    return tuple(found)


def _between_rows(path: Path, read: Sequence[tuple[int, Library]]) -> list[str]:
    """Return what rows that are right on their own say against each other."""
    included = [(number, library) for number, library in read if library.include]
    if not included:
        return [f"{path}: every library has include = no"]
    return _one_animal_one_day(path, included) + _same_cells(path, included)


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


def _library(row: Mapping[str, Any], enrichment: str) -> Library:
    return Library(
        **{
            **row,
            # an é in one sign and one in two are the same: no second animal comes of it
            "subject": normalize("NFC", row.get("subject") or row["library"]),
            "day": row.get("day"),
            "key": row.get("key") or row["library"],
            "sort": row.get("sort") or enrichment,
            "format": row.get("format") or "auto",
            "include": row.get("include", "yes") == "yes",
        }
    )
