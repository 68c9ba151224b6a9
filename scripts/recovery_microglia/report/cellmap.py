"""The map of the myeloid cells that a reader can colour and zoom: small arrays that the page's script draws.

A plotting library of the web weighs 1 to 5 MB before the first cell; this needs neither. Positions are 16-bit, categories,
scores and counts 8-bit, each array deflated and written as base64, and only the colouring that is looked at is unpacked.
`benchmarks/page.py` measures what that costs with 100,000 cells.
"""

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from recovery_microglia.core.arrays import Floats
from recovery_microglia.core.frame_access import records
from recovery_microglia.figures.genes import counted_genes
from recovery_microglia.figures.palette import LINEAGES, STATES, lineage_colour, lineage_name, state_colour

MOST_CELLS = 120_000
"""More cells than this are thinned at random: at this number they overlap on any screen, and the page stays small."""
FEWEST_CELLS = 20
MOST_LIBRARIES = 255
MISSING = 255
RAMP = tuple(mpl.colors.to_hex(colour) for colour in mpl.colormaps["viridis"](np.linspace(0, 1, 16)))
VIEWS = {"umap": ("uncorrected", "umap1", "umap2"), "integrated": ("aligned, for viewing only", "integrated1", "integrated2")}  # fmt: skip


@dataclass(frozen=True)
class CellMap:
    """The data of the map, as the page holds them.

    Attributes
    ----------
    data
        JSON: number of cells, views (positions), colourings (arrays with their legends).
    n_cells, n_drawn
        Cells there are, and cells that are drawn.
    colourings
        Groups of colourings as (group, [(key, label), …]), for the menu.
    views
        (key, label) of the embeddings.
    """

    data: str
    n_cells: int
    n_drawn: int
    colourings: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    views: tuple[tuple[str, str], ...]


def deflated(content: bytes) -> str:
    """Return bytes as a page holds them: deflated, as base64; its script inflates them."""
    return base64.b64encode(zlib.compress(content, 9)).decode("ascii")


def packed(values: NDArray[Any]) -> str:
    """Return an array as base64 of its deflated bytes."""
    return deflated(np.ascontiguousarray(values).tobytes())


def cell_map(cells: pd.DataFrame, genes: pd.DataFrame, *, called: bool) -> CellMap | None:
    """Return the map of the myeloid cells, or None where there are too few to draw one.

    Parameters
    ----------
    cells
        One row a myeloid cell: cell, umap1, umap2 (integrated1, integrated2), lineage, state, day, condition, library,
        subject, recovery_score; columns may be missing.
    genes
        Rows of genes.parquet: cell, n_counts, one column a gene; may be empty.
    called
        Whether recovery cells were called; if not, no state and no score is shown.
    """
    if not {"umap1", "umap2"} <= set(cells.columns):
        return None
    known = cells[cells[["umap1", "umap2"]].notna().all(axis=1)]
    if len(known) < FEWEST_CELLS:
        return None
    drawn = known.sample(min(len(known), MOST_CELLS), random_state=0)  # in random order, so that none hides the others
    counts = genes.set_index("cell").reindex(drawn["cell"]) if len(genes) else pd.DataFrame(index=drawn["cell"])
    colours: dict[str, dict[str, Any]] = {}
    groups: list[tuple[str, tuple[tuple[str, str], ...]]] = [("Cells", _add_categories(colours, drawn, called=called))]
    if called and "recovery_score" in drawn and drawn["recovery_score"].notna().any():
        groups.append(("Scores", _add_score(colours, drawn["recovery_score"].to_numpy(float))))
    named = counted_genes(counts)
    if named:
        groups.append(("Genes", _add_genes(colours, counts, named)))
    views = {
        key: names
        for key, names in VIEWS.items()
        if {names[1], names[2]} <= set(drawn) and drawn[names[1]].notna().any()
    }
    data = {
        "n": len(drawn),
        "views": {key: _positions(drawn, x, y) for key, (_, x, y) in views.items()},
        "colours": colours,
        "subjects": _subjects(drawn),
        "depth": packed(_depth(counts)) if "n_counts" in counts else None,
        "ramp": RAMP,
    }  # fmt: skip
    text = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    labels = tuple((key, label) for key, (label, _, _) in views.items())
    return CellMap(text, len(known), len(drawn), tuple(groups), labels)


def _positions(cells: pd.DataFrame, x: str, y: str) -> dict[str, Any]:
    """Return positions on a grid of 65,535, one scale for both axes; cells without one lie at the middle."""
    points = cells[[x, y]].to_numpy(float)
    low, high = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
    scale = 65_535 / max(float((high - low).max()), 1e-9)
    placed = np.where(np.isfinite(points), (points - low) * scale, 32_767).astype("<u2")
    size = (high - low) * scale
    return {"x": packed(placed[:, 0]), "y": packed(placed[:, 1]), "width": float(size[0]), "height": float(size[1])}


def _depth(counts: pd.DataFrame) -> NDArray[np.uint16]:
    return np.asarray(counts["n_counts"].fillna(0).clip(0, 65_535).to_numpy(), dtype="<u2")


def _subjects(cells: pd.DataFrame) -> dict[str, str]:
    """Return library to the words about it that hovering shows."""
    facts = cells.drop_duplicates("library")
    return {
        str(row["library"]): ", ".join(
            filter(None, (str(row.get("subject", "")), str(row.get("condition", "")), _day_label(row.get("day"))))
        )
        for row in records(facts)
    }


def _day_label(day: Any) -> str:
    return f"day {float(day):g}" if day is not None and np.isfinite(float(day)) else "day not known"


# ---------------------------------------------------------------- colourings


def _add_categories(
    colours: dict[str, dict[str, Any]], cells: pd.DataFrame, *, called: bool
) -> tuple[tuple[str, str], ...]:
    """Add the colourings by category; return their keys and labels."""
    lineage = cells["lineage"].astype(str)
    _category(colours, "lineage", lineage, list(LINEAGES), lineage_colour, lineage_name)
    names = [("lineage", "lineage")]
    if called and "state" in cells:
        state = cells["state"].astype(object).fillna("").astype(str).where(lineage == "microglia", "")
        _category(colours, "state", state, list(STATES), state_colour, lineage_name)
        names.append(("state", "state of the microglia"))
    days = cells["day"].astype(float)
    if days.notna().any():
        keys = days.map(lambda day: "" if np.isnan(day) else _day_label(day))
        order = [_day_label(day) for day in sorted(days.dropna().unique())]
        _ramp_category(colours, "day", keys, order)
        names.append(("day", "day"))
    for key, label in (("condition", "condition"), ("library", "library")):
        if key in cells and 1 < cells[key].nunique() <= MOST_LIBRARIES:
            _ramp_category(colours, key, cells[key].astype(str), sorted(cells[key].astype(str).unique()))
            names.append((key, label))
    return tuple(names)


def _category(
    colours: dict[str, dict[str, Any]], key: str, values: pd.Series, order: Sequence[str], colour: Any, name: Any
) -> None:
    """Add one colouring by category: an 8-bit code a cell, `MISSING` where there is none."""
    found = set(values) - {""}
    ordered = [value for value in order if value in found] + sorted(found - set(order))
    code = {value: place for place, value in enumerate(ordered)}
    codes = values.map(lambda value: code.get(value, MISSING)).to_numpy(np.uint8)
    sizes = np.bincount(codes, minlength=256)
    legend = [[name(value), colour(value), int(sizes[place])] for place, value in enumerate(ordered)]
    colours[key] = {"kind": "category", "values": packed(codes), "legend": legend}


def _ramp_category(colours: dict[str, dict[str, Any]], key: str, values: pd.Series, order: Sequence[str]) -> None:
    """Add a colouring by category whose colours run over a ramp in the given order."""
    shades = mpl.colormaps["viridis"](np.linspace(0, 0.93, max(len(order), 2)))
    shade: Mapping[str, str] = {value: mpl.colors.to_hex(c) for value, c in zip(order, shades, strict=False)}
    _category(colours, key, values, order, lambda value: shade.get(value, "#6b7684"), str)


def _add_score(colours: dict[str, dict[str, Any]], score: Floats) -> tuple[tuple[str, str], ...]:
    """Add the recovery score: 255 steps between its 1 % and 99.8 % quantiles."""
    low, high = (float(value) for value in np.nanquantile(score, [0.01, 0.998]))
    high = max(high, low + 1e-6)
    steps = np.clip(np.round((score - low) / (high - low) * 254), 0, 254)
    codes = np.where(np.isfinite(score), steps, MISSING).astype(np.uint8)
    colours["score"] = {"kind": "number", "values": packed(codes), "low": low, "high": high,
                        "unit": "recovery score (nats)"}  # fmt: skip
    return (("score", "recovery score"),)


def _add_genes(
    colours: dict[str, dict[str, Any]], counts: pd.DataFrame, genes: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    """Add the counts of each gene, the two that name the subgroup first; counts above 254 are written as 254."""
    ordered = [gene for gene in ("Itgax", "Igf1") if gene in genes]
    ordered += [gene for gene in genes if gene not in ordered]
    for gene in ordered:
        codes = counts[gene].fillna(MISSING).clip(0, MISSING).to_numpy()
        codes = np.where(counts[gene].notna(), np.minimum(codes, MISSING - 1), MISSING).astype(np.uint8)
        colours[f"gene-{gene}"] = {"kind": "gene", "values": packed(codes), "gene": gene,
                                   "cells": int((counts[gene] > 0).sum())}  # fmt: skip
    return tuple((f"gene-{gene}", gene) for gene in ordered)
