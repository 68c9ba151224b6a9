"""Matrices that hold several samples: how each is told apart, and what the samples are called."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import pandas as pd

from recovery_microglia.core.errors import InputError
from recovery_microglia.readers.list_names import is_list
from recovery_microglia.readers.text_rows import iter_rows


@dataclass(frozen=True)
class PooledSample:
    """A sample in a matrix of several: its ``key`` there, its name, and what else is said of it."""

    key: str
    name: str
    told: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Pool:
    """How a matrix is taken apart: ``split`` as in dataset.yaml, its samples, and where that is read from."""

    split: dict[str, str]
    samples: list[PooledSample]
    source: str


MOST_SAMPLES = 96
"""Samples of one matrix beyond which a column is no column of samples (a plate has as many)."""
LOOKED_AT = 20_000
"""Rows of a table of cells that are looked at."""

_NO_SAMPLE = re.compile(
    r"negative|doublets?|multiplets?|multiple|undetermined|unassigned|unmapped|unknown|ambiguous|blanks?|empty|none|nan|na|",
    re.IGNORECASE,
)
"""Labels of cells that belong to no sample, or to several."""
_SAMPLE_COLUMN = re.compile(
    r"(sample|library|animal|mouse|donor|subject|hash|hto|tag|multi)[\w. -]*|orig[._]ident|feature_call|assignment|best_guess|gsm|batch|demux\w*|"
    r"classification",
    re.IGNORECASE,
)
"""Columns that tell samples, the surest first in `_rank`."""
_TABLE = re.compile(r"\.(csv|tsv|txt|tab)(\.gz)?$", re.IGNORECASE)


def aggregated(path: Path) -> dict[str, dict[str, str]]:
    """Return the samples of Cell Ranger's ``aggregation.csv`` in their order, with what else it says of them."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    found = {}
    for row in rows:
        plain = {str(key).strip(): str(value or "").strip() for key, value in row.items() if key}
        name = plain.get("sample_id") or plain.get("library_id") or ""
        if name:
            found[name] = {
                k.lower(): v
                for k, v in plain.items()
                if k not in ("sample_id", "library_id", "molecule_h5", "molecule_info") and v
            }
    return found


def pool_of(root: Path, file: str, barcodes: Sequence[str], obs: pd.DataFrame | None) -> Pool | None:
    """Return how a matrix is taken apart; None where nothing says that it holds several samples.

    Parameters
    ----------
    root, file
        The folder, and the matrix in it as the sheet names it.
    barcodes, obs
        Of the matrix.
    """
    place = root / file
    around = [
        folder for folder in (place if place.is_dir() else place.parent, *place.parents) if folder.is_relative_to(root)
    ]
    for folder in dict.fromkeys(around[:3]):
        if (folder / "aggregation.csv").is_file():
            return _of_aggr(folder / "aggregation.csv", root)
    if obs is not None and (found := _by_labels(obs)):
        column, labels = found
        return Pool({"column": column}, [PooledSample(label, label) for label in labels], f"the column {column} of obs")
    for folder in dict.fromkeys(around[:3]):
        for table in sorted(path for path in folder.iterdir() if path.is_file() and _TABLE.search(path.name)):
            if table != place and (pool := _by_table(table, root, barcodes)):
                return pool
    return _by_number(barcodes)


def _of_aggr(path: Path, root: Path) -> Pool:
    told = aggregated(path)
    samples = [PooledSample(str(number), name, more) for number, (name, more) in enumerate(told.items(), start=1)]
    return Pool({"pattern": "-(?P<library>[0-9]+)$"}, samples, path.relative_to(root).as_posix())


def _by_number(barcodes: Sequence[str]) -> Pool | None:
    """Return the pool that barcodes of 10x with different numbers behind them (-1, -2) make; their samples have no names."""
    found = [re.fullmatch(r"[ACGTN]{10,}-([0-9]{1,2})", name) for name in barcodes]
    numbers = sorted({int(match[1]) for match in found if match})
    if len(numbers) < 2 or not all(found):
        return None
    samples = [PooledSample(str(number), f"library_{number}") for number in numbers]
    return Pool({"pattern": "-(?P<library>[0-9]+)$"}, samples, "the numbers behind the barcodes")


def _rank(column: str) -> tuple[bool, bool]:
    """Return what orders columns of samples: names of samples before hashtags, these before batches."""
    return (
        re.match(r"batch|tag|hash|hto|multi|feature_call|classification|assignment", column, re.IGNORECASE) is not None,
        "batch" in column.lower(),
    )


def _by_labels(table: pd.DataFrame) -> tuple[str, list[str]] | None:
    """Return the column that tells samples, and the samples."""
    likely = [str(name) for name in table.columns if _SAMPLE_COLUMN.fullmatch(str(name))]
    for column in sorted(likely, key=_rank):
        values = table[column].dropna().astype(str)
        labels = [label for label in sorted(values.unique()) if not _NO_SAMPLE.fullmatch(label) and "|" not in label]
        if (
            2 <= len(labels) <= MOST_SAMPLES
            and not pd.to_numeric(pd.Series(labels), errors="coerce").mod(1).gt(0).any()
        ):
            return column, labels
    return None


def _by_table(path: Path, root: Path, barcodes: Sequence[str]) -> Pool | None:
    """Return the pool that a table with one row a cell makes, if its barcodes are the matrix's."""
    if is_list(path) and "metadata" not in path.name:
        return None
    try:
        rows = list(islice(iter_rows(path), LOOKED_AT))
    except InputError:
        return None
    if len(rows) < 3 or len(rows[0]) < 2 or len({len(row) for row in rows[1:]}) > 1:
        return None
    width = len(rows[1])
    header = ["", *rows[0]] if len(rows[0]) == width - 1 else rows[0]
    if len(header) != width:
        return None
    table = pd.DataFrame(rows[1:], columns=header)
    known = set(barcodes)
    shares = [table.iloc[:, k].isin(known).mean() for k in range(min(width, 4))]
    best = max(range(len(shares)), key=lambda k: shares[k])
    if shares[best] < 0.5 or not (found := _by_labels(table)):
        return None
    column, labels = found
    split = {"column": column, "metadata": path.relative_to(root).as_posix()}
    if best:
        split["barcode_column"] = header[best]
    return Pool(split, [PooledSample(label, label) for label in labels], path.relative_to(root).as_posix())
