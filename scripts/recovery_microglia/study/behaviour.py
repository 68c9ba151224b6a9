"""Behaviour of the animals beside a data set (behaviour.tsv)."""

from pathlib import Path
from typing import Any

from recovery_microglia.core.errors import InputError
from recovery_microglia.core.schemas import defaults, load_schema, with_defaults
from recovery_microglia.core.tsv import read_tsv
from recovery_microglia.study.rows import header_mistakes, row_mistakes, typed_row


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
    mistakes = header_mistakes(path, header, properties, needed)
    found = []
    days, ways = dict[tuple[Any, ...], int](), dict[str, tuple[str, int]]()
    for number, text_row in rows if all(name in header for name in needed) else []:
        where = f"{path}: row {number}"
        row, wrong = typed_row({k: v for k, v in text_row.items() if k in properties}, properties, where)
        wrong += [] if wrong else row_mistakes(row, schema, where)  # what is no number is not missing besides
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
