"""What the steps did, as they report it: the methods on the page are written from this, not from the settings."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeGuard

import numpy as np

from recovery_microglia.core.json_files import Json


def steps_done(libraries: Sequence[Json]) -> Json:
    """Return what was done to the libraries.

    Parameters
    ----------
    libraries
        library.json of each.

    Returns
    -------
    dict
        libraries: their number; cells_called: number of matrices with empty droplets, in which cells were called first; filters: name
        to its bounds over the libraries (least and largest, None where it has none), the libraries that it could run in, and the cells that it
        removed; doublets: libraries searched, cells removed, and reason to the number of libraries that were not searched;
        lineages: method to number of libraries.
    """
    filters: dict[str, list[Json]] = {}
    for library in libraries:
        for row in library["filters"]:
            if row["filter"] != "doublet":
                filters.setdefault(row["filter"], []).append(row)
    searched = [library for library in libraries if not library["doublets"]["reason"]]
    return {
        "libraries": len(libraries),
        "cells_called": sum(bool(library["calling"]["unfiltered"]) for library in libraries),
        "filters": {name: _filter(rows) for name, rows in filters.items()},
        "doublets": {
            "libraries": len(searched),
            "removed": sum(int(library["doublets"]["called"]) for library in libraries),
            "not_searched": dict(Counter(str(lib["doublets"]["reason"]) for lib in libraries if lib["doublets"]["reason"])),
        },
        "lineages": dict(Counter(str(library["lineage"]["method"]) for library in libraries)),
    }  # fmt: skip


def _filter(rows: Sequence[Json]) -> Json:
    """Return the bounds of a filter over libraries, where it ran, and what it removed."""
    low, high = (_range(row[name] for row in rows) for name in ("threshold_low", "threshold_high"))
    ran = [row for row in rows if any(_known(row[name]) for name in ("threshold_low", "threshold_high"))]
    return {"low": low, "high": high, "libraries": len(ran), "removed": sum(int(row["removed"]) for row in rows)}


def _known(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and bool(np.isfinite(value))


def _range(values: Iterable[object]) -> list[float] | None:
    """Return the least and the largest of the bounds that are known; None if there is none."""
    known = [float(value) for value in values if _known(value)]
    return [min(known), max(known)] if known else None
