"""Rows of tables that people write: typed, checked against the schema, mistakes in plain lines."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recovery_microglia.core.errors import cut
from recovery_microglia.core.schemas import errors, hint, plain
from recovery_microglia.core.tsv import looks_like_date
from recovery_microglia.study.free_text import read_conditions, read_days, read_sexes

UNKNOWN = ("na", "n/a", "nd", "none", "null", "unknown", "?", "-")
"""Words for what is not known."""


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
            raise ValueError(f"'{cut(text)}' is not a number; leave the field empty where it is not known") from None
        meant = read_days(text) if name == "day" else []
        plainly = f": {meant[0].day:g}" if len(meant) == 1 else ", such as 14"
        what = f"days as a plain number{plainly}" if name == "day" else "a number"
        raise ValueError(f"'{cut(text)}' is not a number; write {what}") from None
    if not math.isfinite(number):
        raise ValueError(f"'{cut(text)}' is not a number; leave the field empty where it is not known")
    return int(number) if kind == "integer" and number.is_integer() else number


def typed_row(row: Mapping[str, str], properties: Mapping[str, Any], where: str) -> tuple[dict[str, Any], list[str]]:
    """Return the row with numbers as numbers and empty fields left out, and what could not be read."""
    typed: dict[str, Any] = {}
    mistakes = []
    for name, text in row.items():
        kind = properties.get(name, {}).get("type")
        if name == "subject" and text.lower() in UNKNOWN:
            mistakes.append(
                f"{where}, column subject: '{text}' says that the animal is not known; leave the field empty (each library is then an "
                "animal of its own), or give it a name"
            )
        if name in ("chemistry", "batch") and text.lower() in UNKNOWN:
            continue
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


def row_mistakes(row: Mapping[str, Any], schema: Path, where: str) -> list[str]:
    """Return what is wrong with a typed row, one line each; ``where`` begins each line."""
    lines = []
    for error in errors(row, schema):
        column = error.absolute_path[0] if error.absolute_path else None
        told = f"{where}{f', column {column}' if column else ''}"
        lines += [f"{told}: {text}{_meant(str(column), str(error.instance), text)}" for text in plain(error)]
    if row.get("include", "yes") == "no" and not row.get("reason"):
        lines.append(f"{where}, column reason: empty, but the library is left out; say why")
    return lines


def header_mistakes(
    path: Path, header: Sequence[str], properties: Mapping[str, Any], needed: Sequence[str] = ("library", "condition")
) -> list[str]:
    """Return what is wrong with the header; columns that start with ``x_`` are the user's own."""
    lines = [
        f"{path}: row 1: column '{name}' is not known{hint(name, properties) or '; own ones start with x_'}"
        for name in header
        if name not in properties and not name.startswith("x_")
    ]
    return lines + [f"{path}: row 1: column '{n}' is missing" for n in needed if n not in header]
