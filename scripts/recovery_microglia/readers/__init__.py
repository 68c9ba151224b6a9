"""Any layout of a count matrix → AnnData of raw counts.

``any_layout.read_counts`` recognises the layout by what is there, not by names alone: folders and h5 of Cell Ranger, CellBender, STARsolo,
kb-python, alevin-fry, split-pipe, PIPseeker and BD Rhapsody (with GEO's prefixes, packed or not), MatrixMarket with plain lists, dense
text, AnnData, MuData, loom, zarr, and tar or zip archives of these. ``split.split_counts`` takes a file of several libraries apart without
holding it. Both can be imported from here, and are when they are asked for: a run's start reads names of files only, and need not
wait for anndata.
"""

from importlib import import_module
from typing import Any

PUBLIC = {"read_counts": "any_layout", "split_counts": "split"}
"""What others import from here, and the module that has it."""


def __getattr__(name: str) -> Any:
    """Return a public function of one of the modules."""
    if name not in PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{PUBLIC[name]}"), name)
