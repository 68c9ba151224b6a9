"""Which sentences of ``to_check`` still hold: a doubt is gone when its field is filled in, or its row is gone."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from recovery_microglia.core.sheet import SHEET_COLUMNS

_EMPTY = re.compile(r"fill in|left empty|not known|not said|nothing names|write naive or sham", re.IGNORECASE)
"""What a sentence says of a field that is empty; other sentences are about fields that were filled, and stay."""
_LISTED = (
    re.compile(r"may be something else: (?P<names>.+)\.$"),
    re.compile(r"30 days a month \((?P<names>.+)\)\.$"),
    re.compile(r"^These may be libraries of one animal: (?P<names>.+); if so"),
)
_FILE = re.compile(r"^(?P<file>.+?) is left out: ")


def open_doubts(sentences: Iterable[str], entry: Mapping[str, Any], rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the sentences that still hold.

    Parameters
    ----------
    sentences
        ``to_check`` of the entry.
    entry
        ``dataset.yaml``.
    rows
        The sheet as it is written: column to text, of each library.
    """
    taken = [row for row in rows if row.get("include", "").lower() != "no"]
    return [sentence for sentence in sentences if not _settled(sentence, entry, rows, taken)]


def _settled(
    sentence: str, entry: Mapping[str, Any], rows: Sequence[Mapping[str, str]], taken: Sequence[Mapping[str, str]]
) -> bool:
    if match := _FILE.match(sentence):
        return all(row.get("file") != match["file"] for row in rows)
    names = {row.get("library", "") for row in taken} | {row.get("x_title", "") for row in taken}
    for pattern in _LISTED:
        if match := pattern.search(sentence):
            listed = re.sub(r" and \d+ more$", "", match["names"])
            return listed == match["names"] and not any(_names(listed) & {name} for name in names)
    if not _EMPTY.search(sentence):
        return False
    if "version of the 10x chemistry" in sentence:
        kits = [row.get("chemistry", "") for row in taken]
        return all(kit and (" v" in kit or not kit.lower().startswith("10x")) for kit in kits)
    columns = [name for name in re.findall(r"column (\w+)", sentence) if name in SHEET_COLUMNS]
    if not columns and "the day of" in sentence:
        columns = ["day"]
    if columns:
        told = _words(sentence)
        named = [row for row in taken if row.get("library", "") in told]
        of = named if named and not re.search(r" and \d+ more", sentence) else taken
        return all(row.get(columns[0], "") for row in of)
    keys = [
        key
        for key in re.findall(r"\b[a-z_]+\b", sentence.rpartition("fill in ")[2])
        if key in ("tissue", "injury_model", "injury_class")
    ]
    return bool(keys) and all(entry.get(key) for key in keys)


def _words(sentence: str) -> set[str]:
    """Return the words of a sentence, without the marks behind them."""
    return {word.strip(",;:()'").rstrip(".") for word in sentence.split()}


def _names(listed: str) -> set[str]:
    """Return the names of a list such as ``'a' and 'b', c``."""
    return {name.strip(" '") for part in listed.split(",") for name in part.split("' and '")}
