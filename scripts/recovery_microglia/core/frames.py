"""How a table is written to a file: tab separated, the same bytes for the same numbers."""

from pathlib import Path
from typing import Any

import pandas as pd


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write a tab separated table; numbers with 6 significant digits, missing ones empty.

    The digits are enough for every use and hide the last bits in which two machines differ.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    compression: Any = {"method": "gzip", "mtime": 1} if path.suffix == ".gz" else None
    frame.to_csv(path, sep="\t", index=False, float_format="%.6g", compression=compression, lineterminator="\n")
