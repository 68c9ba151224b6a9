"""What stands in a table, with its type.

A column's name may be any hashable value for pandas, and so may a row's label; here columns are named by text. The helpers
say so once, so that mypy sees what is read from a table.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from recovery_microglia.core.arrays import Integers


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table, each as column to value."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def labelled(values: pd.Series | Mapping[Hashable, Any]) -> Iterator[tuple[Any, Any]]:
    """Yield each label with its value; the label of several levels is a tuple."""
    yield from values.items()


def groups(
    frame: pd.DataFrame, by: Sequence[str], *, sort: bool = True, dropna: bool = True
) -> Iterator[tuple[Any, pd.DataFrame]]:
    """Yield the values of several columns, a tuple, with the rows that have them, as `DataFrame.groupby` does."""
    yield from frame.groupby(list(by), sort=sort, dropna=dropna)


def row_of_largest(frame: pd.DataFrame, column: str) -> pd.Series:
    """Return the row in which a column is largest: the first such row; missing values are passed over."""
    return frame.loc[[frame[column].idxmax()]].iloc[0]


def positions(index: pd.Index, labels: Sequence[str]) -> Integers:
    """Return where labels stand in an index without duplicates; -1 for one that is not there."""
    return np.asarray(index.get_indexer(pd.Index(labels)))
