"""Results on the disk: JSON without NaN, tables with six significant digits."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

Json = dict[str, Any]


def read_json(path: Path) -> Json:
    """Read a JSON object."""
    value: Json = json.loads(path.read_text(encoding="utf-8"))
    return value


def plain_json(value: Any) -> Any:
    """Return ``value`` with numpy scalars as Python's own and every NaN or infinity as None."""
    if isinstance(value, Mapping):
        return {str(key): plain_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, np.ndarray)):
        return [plain_json(item) for item in value]
    if isinstance(value, np.generic):
        return plain_json(value.item())
    if isinstance(value, Path):
        return value.as_posix()
    missing = value is None or value is pd.NA or (isinstance(value, float) and not np.isfinite(value))
    return None if missing else value


def write_json(value: Json, path: Path) -> None:
    """Write a JSON object; a number that could not be computed is null."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(plain_json(value), indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a tab separated table; numbers with 6 significant digits, missing ones empty.

    The digits are enough for every use and hide the last bits in which two machines differ.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    compression: Any = {"method": "gzip", "mtime": 1} if path.suffix == ".gz" else None
    frame.to_csv(path, sep="\t", index=False, float_format="%.6g", compression=compression, lineterminator="\n")


TEXT = {
    *("library", "subject", "condition", "arm", "sex", "age", "chemistry", "batch", "sort", "file", "note", "notes"),
    *("reason", "status", "sentence", "sustained", "control", "left_out", "analysis", "scorer", "route", "gene"),
    *("role", "denominator"),
    *("lineage", "variable", "code", "severity", "text", "step", "cluster", "top_genes", "named_in_data", "key"),
    *("format", "genome", "layer", "kind", "name", "value", "libraries"),
    *(
        "adjusted_for",
        "methods_against",
        "by",
        "stratum",
        "first",
        "second",
        "measure",
        "unit",
        "better",
        "model",
        "source",
    ),
    *(
        "varied",
        "integrated",
        "claim",
        "dataset",
        "injury_model",
        "assay",
        "enrichment",
        "marker_of",
        "runner_up",
        "state",
    ),
}
"""Columns that hold text in every table: an empty field there is an empty text, not a missing number."""


def read_table(path: Path) -> pd.DataFrame:
    """Read a table that `write_table` wrote: an empty field is missing in a number's column, empty in a text's."""
    header = pd.read_csv(path, sep="\t", nrows=0).columns
    text = {name: "str" for name in header if name in TEXT}
    table = pd.read_csv(path, sep="\t", keep_default_na=False, na_values=[""], dtype=text)
    return table.fillna(dict.fromkeys(text, ""))
