"""Figures of what quality control did."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from recovery_microglia.core.tables.spec import Kind
from recovery_microglia.figures.style import (
    BLUE,
    Picture,
    at_two_widths,
    canvas,
    house_style,
    legend,
    room_of_names,
    short_names,
)

REMOVED: dict[str, tuple[str, str]] = {
    "removed_low_counts": ("too few counts", "#3d4650"),
    "removed_high_counts": ("too many counts", "#6b7684"),
    "removed_low_genes": ("too few genes", "#939da8"),
    "removed_high_mito": ("mitochondrial share", "#b7a27c"),
    "removed_haemoglobin": ("haemoglobin", "#7d6a45"),
    "removed_doublet": ("doublet", "#d9c9a6"),
}
"""Column of qc.tsv to its words and colour. (`removed_high_haemoglobin` is read as `removed_haemoglobin`.)"""
MOST_BARS = 60
OTHER_CELLS = "#c9d6e0"


def cells_removed(qc: pd.DataFrame) -> Picture | None:
    """Draw for each library how many cells were kept and what each filter removed."""
    if qc.empty or "kept" not in qc:
        return None
    shown = qc.rename(columns={"removed_high_haemoglobin": "removed_haemoglobin"})
    filters = [name for name in REMOVED if name in shown and shown[name].fillna(0).sum() > 0]
    bars = shown.head(MOST_BARS)

    def draw(width: float) -> Figure:
        figure, ax = canvas(width, 0.8 + 0.21 * len(bars))
        y = np.arange(len(bars))[::-1]
        others = (
            bars["microglia"].to_numpy(float) if "microglia" in bars else np.zeros(len(bars)),
            bars["kept"].to_numpy(float),
        )
        ax.barh(y, others[0], color=BLUE, height=0.78, label="kept: microglia")
        ax.barh(y, others[1] - others[0], left=others[0], color=OTHER_CELLS, height=0.78, label="kept: other cells")
        left = others[1]
        for name in filters:
            values = bars[name].fillna(0).to_numpy(float)
            ax.barh(y, values, left=left, color=REMOVED[name][1], height=0.78, label=f"removed: {REMOVED[name][0]}")
            left = left + values
        ax.set_yticks(y, short_names(bars["library"].astype(str).tolist(), room_of_names(width)), fontsize=8.5)
        ax.set_ylim(-0.6, len(bars) - 0.4)
        ax.set_xlabel("cells")
        ax.grid(axis="x")
        ax.tick_params(axis="y", length=0)
        legend(ax, width)
        return figure

    alt = (
        f"Cells per library, kept and removed: {shown['kept'].sum():,.0f} of {shown['cells_called'].sum():,.0f} "
        f"cells in {len(shown)} libraries were kept."
    )
    with house_style():
        svg, narrow = at_two_widths(draw, "qc", alt)
    columns = ["library", "barcodes", "cells_called", "kept", *filters, "microglia"]
    return Picture(
        "qc",
        "What each filter removed",
        "A library that loses far more cells than its neighbours deserves a look."
        + (f" The first {MOST_BARS} of {len(shown)} libraries are drawn." if len(shown) > MOST_BARS else ""),
        alt,
        (svg,),
        shown[[column for column in columns if column in shown]],
        of="qc",
        kinds={"removed_haemoglobin": Kind.COUNT},
        wide=True,
        narrow=narrow,
    )
