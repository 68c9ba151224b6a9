"""How one file that holds several libraries is to be taken apart, checked beyond what a schema sees."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recovery_microglia.core.errors import cut
from recovery_microglia.core.files import wrong_path


def compiled_split(pattern: str) -> re.Pattern[str]:
    """Return ``split.pattern`` compiled.

    Raises
    ------
    ValueError
        It is no regular expression, or has no group named library; the message says so.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"split.pattern: not a regular expression ({error})") from None
    if "library" not in compiled.groupindex:
        raise ValueError("split.pattern: needs a group named library, such as (?P<library>D[0-9]+)_")
    return compiled


def split_mistakes(split: Any, folder: Path, here: bool) -> list[str]:
    """Return what is wrong with ``split``; ``here``: the files are in the folder."""
    if not isinstance(split, Mapping):
        return []  # the schema has told it
    lines = []
    if "pattern" not in split and "column" not in split:
        lines.append("split: needs pattern or column: how are the cells of one file assigned to libraries?")
    if isinstance(pattern := split.get("pattern"), str):
        try:
            compiled_split(pattern)
        except ValueError as error:
            lines.append(str(error))
    table = split.get("metadata")
    if isinstance(table, str) and (why := wrong_path(table)):
        lines.append(f"split.metadata: '{cut(table)}': {why}")
    elif isinstance(table, str) and ("{" in table or "}" in table):
        lines.append(f"split.metadata: '{cut(table)}': braces, which Snakemake takes for wildcards; rename it")
    elif here and isinstance(table, str) and not (folder / table).is_file():
        lines.append(f"split.metadata: '{folder / table}': no such file")
    return lines
