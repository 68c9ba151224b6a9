"""The sample sheet of a study."""

from typing import Any

import pandas as pd

NAN = float("nan")


def sheet(design: list[tuple[float, str, int]], *, batches: bool = True, sort: str = "none") -> pd.DataFrame:
    """One library a subject; ``design`` holds day, condition, number of subjects.

    Two batches that every day has a part of, or (without ``batches``) one batch a day.
    """
    planned = [(day, condition, place) for day, condition, n in design for place in range(n)]
    rows = [
        _library(number, day, condition, place) | {"batch": "AB"[place % 2] if batches else f"run{day:g}", "sort": sort}
        for number, (day, condition, place) in enumerate(planned, start=1)
    ]
    return pd.DataFrame(rows)


def _library(number: int, day: float, condition: str, place: int) -> dict[str, Any]:
    """The library of a study's ``number``-th subject, which is the ``place``-th of its day and condition."""
    initial = condition[0].upper()
    name = f"{initial}_{place + 1}" if pd.isna(day) else f"{initial}{day:02g}_{place + 1}"
    return {
        "library": name,
        "subject": f"mouse{number:02d}",
        "day": day,
        "condition": condition,
        "arm": "",
        "sex": ("female", "male")[place % 2],
        "age": "10 weeks",
        "chemistry": "10x 3' v3",
        "batch": "",
        "sort": "none",
        "pooled_n": 1,
        "file": f"{name}/matrix.mtx.gz",
        "include": True,
        "reason": "",
    }
