"""How a table is written to a file, the same bytes for the same numbers; and how one with notes is read."""

import gzip
import io
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


def read_commented(path: Path, *, text: bool = False, **how: Any) -> pd.DataFrame:
    """Read a tab separated table with notes: lines that begin with ``#``, as tables of ``config`` and of networks have them.

    A ``#`` elsewhere in a line is part of its text; pandas' own ``comment`` would cut the line there.

    Parameters
    ----------
    path
        The table; may be packed with gzip.
    text
        Whether all of it is text, an empty field too; else types are as pandas finds them.
    how
        For `pandas.read_csv`.
    """
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig") as stream:
        lines = "".join(line for line in stream if not line.startswith("#"))
    whole: dict[str, Any] = {"dtype": str, "keep_default_na": False} if text else {}
    table: pd.DataFrame = pd.read_csv(io.StringIO(lines), sep="\t", **whole, **how)
    return table
