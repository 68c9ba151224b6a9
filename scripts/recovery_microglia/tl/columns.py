"""From the columns of an AnnData to the sheet that every step of the pipeline reads: one row a library, checked."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from recovery_microglia.core.errors import InputError
from recovery_microglia.core.places import schemas
from recovery_microglia.core.schemas import hint, load_schema
from recovery_microglia.study.samples import Library, checked_libraries

FACTS = ("subject", "day", "condition", "arm", "sex", "age", "chemistry", "batch", "sort", "pooled_n")
"""Columns of the sheet that cells can carry."""
WHERE = Path("adata.obs")


def check_words(**words: str) -> None:
    """Refuse words that ``dataset.yaml`` would refuse: a misspelt one would be taken for none of those that are known.

    Raises
    ------
    InputError
        One line per mistake, with what is allowed.
    """
    known = load_schema(schemas() / "dataset.yaml")["properties"]
    mistakes = [
        f"{name}: '{word}' is not one of {', '.join(known[name]['enum'])}{hint(str(word), known[name]['enum'])}"
        for name, word in words.items()
        if word not in known[name]["enum"]
    ]
    if mistakes:
        raise InputError("\n".join(mistakes))


def _text(value: Any) -> str:
    """Return a value as it would stand in a sheet; empty where it is missing."""
    if pd.isna(value):
        return ""
    return f"{value:.10g}" if isinstance(value, float) else str(value).strip()


def _refuse_absent(obs: pd.DataFrame, columns: Mapping[str, str]) -> None:
    absent = [f"{WHERE}: there is no column '{name}' ({fact})" for fact, name in columns.items() if name not in obs]
    known = ("library", *FACTS)
    unknown = [f"'{fact}' is no fact of a library; known: {', '.join(known)}" for fact in columns if fact not in known]
    if absent or unknown:
        there = ", ".join(map(str, obs.columns)) or "none"
        raise InputError("\n".join([*unknown, *(f"{line}; there are: {there}" for line in absent)]))


def _one_value(rows: pd.DataFrame, library: str, columns: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the facts of a library, and a line for each of which its cells have several values."""
    facts, mistakes = {}, []
    for fact, name in columns.items():
        values = list(dict.fromkeys(rows[name].map(_text)))
        if len(values) > 1:
            some = ", ".join(f"'{value}'" for value in values[:3])
            mistakes.append(f"{WHERE}: library '{library}', column {name}: one library has several values ({some})")
        facts[fact] = values[0]
    return facts, mistakes


def libraries_of(
    obs: pd.DataFrame,
    columns: Mapping[str, str],
    *,
    conditions: Mapping[str, str] | None = None,
    enrichment: str = "none",
) -> tuple[tuple[Library, ...], pd.Series]:
    """Return the libraries that the cells belong to, in order of appearance, and the name of each cell's library.

    Parameters
    ----------
    obs
        One row a cell.
    columns
        Fact to the column that holds it: ``subject``, ``condition`` and ``day``; ``library`` where an animal has several
        or libraries have other names; others of `FACTS`.
    conditions
        Your word for a condition to the sheet's (naive, sham, contralateral, injured, treated, other).
    enrichment
        What all libraries were sorted for.

    Raises
    ------
    InputError
        One line per mistake: library, column, what is wrong, what is allowed.
    """
    _refuse_absent(obs, columns)
    library = obs[columns.get("library", columns["subject"])].map(_text).astype(str)
    if (unnamed := int((library == "").sum())) > 0:
        name = columns.get("library", columns["subject"])
        raise InputError(f"{WHERE}: column {name}: {unnamed} cells have none; leave them out or say what they are of")
    rows, mistakes = [], list[str]()
    own = {fact: name for fact, name in columns.items() if fact != "library"}
    for number, (name, cells) in enumerate(obs.groupby(library, sort=False), start=1):
        facts, wrong = _one_value(cells, str(name), own)
        facts["condition"] = (conditions or {}).get(facts["condition"], facts["condition"])
        rows.append((number, {"library": str(name), **facts}))
        mistakes += wrong
    if mistakes:
        raise InputError("\n".join(mistakes))
    try:
        read = checked_libraries(WHERE, ["library", *own], rows, schemas() / "samples.yaml", enrichment=enrichment)
    except InputError as error:
        raise InputError(_in_own_words(str(error), rows, own)) from None
    return read, library


def _in_own_words(text: str, rows: list[tuple[int, dict[str, str]]], own: Mapping[str, str]) -> str:
    """Return a mistake with libraries in the place of the sheet's rows, and the AnnData's columns in that of its."""
    names = {number: row["library"] for number, row in rows}
    text = re.sub(r"\brow (\d+)", lambda found: f"library '{names[int(found[1])]}'", text)
    return re.sub(r"\bcolumn (\w+):", lambda found: f"column {own.get(found[1], found[1])}:", text)
