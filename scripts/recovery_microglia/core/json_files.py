"""JSON on the disk, without NaN."""

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
