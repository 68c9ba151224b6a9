"""The sheet of a data set as a table: one row a library, the same columns and types from the first step to the last."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from recovery_microglia.core.errors import InputError

SHEET_COLUMNS: dict[str, str] = {
    "library": "str",
    "subject": "str",
    "day": "float64",  # NaN where it is not known
    "condition": "str",
    "arm": "str",
    "sex": "str",
    "age": "str",
    "chemistry": "str",
    "batch": "str",
    "sort": "str",
    "pooled_n": "int64",
    "file": "str",
    "key": "str",
    "format": "str",
    "genome": "str",
    "layer": "str",
    "include": "bool",
    "reason": "str",
    "note": "str",
}
"""Column to its type, in order; a text that is not known is empty."""


def sheet_frame(records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the rows of a sheet as a table with the columns and types of `SHEET_COLUMNS`.

    Parameters
    ----------
    records
        Column to value of each library; each has all columns and no other.

    Raises
    ------
    InputError
        A library lacks a column or has an unknown one.
    """
    rows = list(records)
    for number, row in enumerate(rows, start=1):
        wrong = [f"column '{name}' is missing" for name in SHEET_COLUMNS if name not in row]
        wrong += [f"column '{name}' is not known" for name in row if name not in SHEET_COLUMNS]
        if wrong:
            raise InputError(f"sheet: library {number}: {'; '.join(wrong)}")
    return pd.DataFrame(rows, columns=list(SHEET_COLUMNS)).astype(SHEET_COLUMNS)
