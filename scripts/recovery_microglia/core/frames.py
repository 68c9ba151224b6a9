"""How a table is written to a file: tab separated, the same bytes for the same numbers."""

from pathlib import Path
from typing import Any

import pandas as pd

RUN_BY_SPREADSHEETS = ("=", "+", "@")
"""What texts begin with that spreadsheets take for formulas."""


def without_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table in which no text is a formula of a spreadsheet; see `with_formulas`.

    Examples
    --------
    >>> without_formulas(pd.DataFrame({"subject": ["=1+1", "m1"]}))["subject"].tolist()
    ["'=1+1", 'm1']
    """
    found = frame
    for name, column in frame.items():
        if pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
            continue
        texts = column.astype(object)
        formulas = texts.map(lambda value: isinstance(value, str) and value.startswith(RUN_BY_SPREADSHEETS))
        if formulas.any():
            found = found.copy() if found is frame else found
            found[name] = texts.where(~formulas, "'" + texts.astype(str))
    return found


def with_formulas(texts: pd.Series) -> pd.Series:
    """Return texts as they were before `without_formulas`."""
    plain: pd.Series = texts.str.replace(r"^'(?=[=+@])", "", regex=True)
    return plain


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write a tab separated table; numbers with 6 significant digits, missing ones empty.

    The digits are enough for every use and hide the last bits in which two machines differ. A text that a spreadsheet would run
    (``=HYPERLINK(…)`` as the name of an animal or a gene) gets an apostrophe in front, which makes it a text there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    compression: Any = {"method": "gzip", "mtime": 1} if path.suffix == ".gz" else None
    without_formulas(frame).to_csv(
        path, sep="\t", index=False, float_format="%.6g", compression=compression, lineterminator="\n"
    )
