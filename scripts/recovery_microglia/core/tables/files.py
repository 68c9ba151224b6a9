"""Reading and writing the tables of a run by their descriptions."""

from pathlib import Path

import pandas as pd

from recovery_microglia.core.frames import with_formulas, write_frame
from recovery_microglia.core.tables.registry import table_of
from recovery_microglia.core.tables.spec import TableSpec


def write_table(frame: pd.DataFrame, path: Path, spec: TableSpec | None = None) -> None:
    """Write a table, after checking that it has the columns of its description and no others.

    Parameters
    ----------
    frame
        The table.
    path
        Where it is written; see `write_frame` for the format.
    spec
        Description of the table. By default the one that the registry has for the file's name; a file whose name the registry
        does not know is not written without one.

    Raises
    ------
    ValueError
        Naming the columns that are unknown, missing or there twice.
    """
    (spec or table_of(path)).check([str(name) for name in frame.columns])
    write_frame(frame, path)


def read_table(path: Path, spec: TableSpec | None = None) -> pd.DataFrame:
    """Read a table that `write_table` wrote, by its description.

    An empty field is an empty text in a column of text, and a missing value in any other. Columns of text are text even where
    every value looks like a number. Other columns keep the type that the file shows: a day that is whole in every row stays
    an integer, so that a table that is read and written again, or goes into ``summary.json``, stays the same to the byte.

    Parameters
    ----------
    path
        The file.
    spec
        Description of the table; see `write_table`.

    Raises
    ------
    ValueError
        Where the registry does not know the file's name and no description is given, or a column of numbers holds text.
    """
    spec = spec or table_of(path)
    header = [str(name) for name in pd.read_csv(path, sep="\t", nrows=0).columns]
    text = spec.text_columns(header)
    dtypes = dict.fromkeys(text, "str")
    table = pd.read_csv(path, sep="\t", keep_default_na=False, na_values=[""], dtype=dtypes)
    for name in header:
        column, values = spec.column(name), table[name].dropna()
        numbers = column is not None and column.dtype in ("int64", "float64")
        if numbers and len(values) and not pd.api.types.is_numeric_dtype(values.dtype):
            raise ValueError(
                f"{path}: column '{name}' must hold numbers and holds text, for example '{values.iloc[0]}'"
            )
    full = table.fillna(dict.fromkeys(text, ""))
    for name in text:
        full[name] = with_formulas(full[name])
    return full
