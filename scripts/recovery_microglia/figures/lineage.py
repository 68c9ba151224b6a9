"""Figures of the lineage gate: the markers behind it, and the cells it could not place."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from recovery_microglia.core.tables.spec import Kind
from recovery_microglia.figures.dots import Look, draw_dots
from recovery_microglia.figures.palette import LINEAGES, lineage_colour, lineage_name
from recovery_microglia.figures.style import BLUE, INK, Picture, canvas, drawing, house_style

MOST_DOTS = 20_000
"""More cells than this are thinned for the drawing of the gate."""
LOOK = Look(BLUE, least=4, added=120, palest=0.12)


def marker_dots(markers: pd.DataFrame) -> Picture | None:
    """Draw which lineage shows which marker: area is the share of cells, colour the mean count.

    Parameters
    ----------
    markers
        lineage_markers.tsv.
    """
    if markers.empty:
        return None
    lineages = [name for name in LINEAGES if name in set(markers["lineage"])]
    alt = f"{markers['gene'].nunique()} marker genes in {len(lineages)} lineages: " + _own_markers(markers)
    with house_style():
        svg = drawing(_dots(markers, lineages, upright=False), "markers", alt)
        narrow = drawing(_dots(markers, lineages, upright=True), "markers-narrow", alt)
    return Picture("markers", "Markers of each lineage", "Raw counts. A lineage should show the markers under its own name (the "
                   "coloured bars), and few others; Itgax and Igf1 stand first, because other cells than microglia carry them too. "
                   "The stronger the colour, the higher the mean count, relative to the lineage with most of the gene.", alt, (svg,), markers, of="lineage_markers", wide=True, narrow=narrow)  # fmt: skip


def _dots(markers: pd.DataFrame, lineages: list[str], *, upright: bool) -> Figure:
    """Draw genes × lineages; genes run to the right, or (upright, for a phone) downwards."""
    genes = markers.drop_duplicates(["marker_of", "gene"])[["marker_of", "gene"]].reset_index(drop=True)
    gene_at = {key: place for place, key in enumerate(genes.itertuples(index=False, name=None))}
    along = np.array(
        [gene_at[key] for key in markers[["marker_of", "gene"]].itertuples(index=False, name=None)], dtype=float
    )
    across = markers["lineage"].map({name: place for place, name in enumerate(lineages)}).to_numpy(float)
    # relative to the lineage that has most of the gene: genes differ a hundredfold in their level
    top = markers.groupby(["marker_of", "gene"])["mean_counts_per_10k"].transform("max")
    level = (markers["mean_counts_per_10k"] / top.where(top > 0, 1)).to_numpy(float)
    length, breadth = 1.6 + 0.23 * len(genes), 1.5 + 0.3 * len(lineages)
    figure, ax = canvas(*((0.24 * len(lineages) + 0.8, length) if upright else (max(6.0, length), breadth)))
    cells = markers.drop_duplicates("lineage").set_index("lineage")["cells"]
    names = [f"{lineage_name(name)} ({cells[name]:,})" for name in lineages]
    share = markers["share_detected"].to_numpy(float)
    draw_dots(ax, (along, across), share, level, LOOK, names=(list(genes["gene"]), names), upright=upright)
    for name, own in genes.groupby("marker_of", sort=False):
        _bracket(ax, str(name), int(own.index.min()), int(own.index.max()), upright=upright)
    return figure


def _bracket(ax: Axes, name: str, first: int, last: int, *, upright: bool) -> None:
    """Draw the bar over the markers of a lineage, with its name."""
    ends, colour = [first - 0.35, last + 0.35], lineage_colour(name)
    if upright:
        place = ax.get_xlim()[1] - 0.1
        ax.plot([place, place], ends, color=colour, lw=3, clip_on=False)
        ax.text(place + 0.25, first - 0.3, _short(name), fontsize=8, ha="left", va="top")
        return
    place = ax.get_ylim()[1] - 0.05
    ax.plot(ends, [place, place], color=colour, lw=3, clip_on=False)
    ax.text(ends[0], place - 0.17, _short(name), fontsize=8, rotation=35, ha="left", va="bottom")


def _short(name: str) -> str:
    return {"subgroup": "name the subgroup", "infiltrating_macrophage": "infiltrating m."}.get(name, lineage_name(name))


def _own_markers(markers: pd.DataFrame) -> str:
    """Return in words how many cells of a lineage show its own markers."""
    own = markers[markers["marker_of"] == markers["lineage"]]
    means = own.groupby("lineage", sort=False)["share_detected"].mean()
    return "its own markers are seen in " + ", ".join(
        f"{100 * share:.0f} % of {lineage_name(str(name))} cells" for name, share in means.items()
    ) + " (mean over markers)."  # fmt: skip


def gate(cells: pd.DataFrame, genes: pd.DataFrame) -> Picture | None:
    """Draw the myeloid cells by the two sides of the gate, those that could not be placed on top.

    Parameters
    ----------
    cells
        One row a myeloid cell: cell, lineage.
    genes
        Rows of genes.parquet: cell, n_counts, markers_microglia, markers_other_myeloid.
    """
    sides = ["markers_microglia", "markers_other_myeloid"]
    if cells.empty or not {"cell", "n_counts", *sides} <= set(genes.columns):
        return None
    known = cells[["cell", "lineage"]].merge(genes[["cell", "n_counts", *sides]], on="cell")
    if known["lineage"].nunique() < 2:
        return None
    for side in sides:
        known[side] = np.sqrt(1e4 * known[side] / known["n_counts"].clip(lower=1))
    drawn = known.sample(min(len(known), MOST_DOTS), random_state=0)
    order = [name for name in LINEAGES if name in set(known["lineage"])]
    order = [name for name in order if "ambiguous" not in name] + [name for name in order if "ambiguous" in name]
    jitter = np.random.default_rng(0).normal(0, 0.12, (len(drawn), 2))
    with house_style():
        figure, ax = canvas(4.6, 3.9)
        handles = []
        for name in order:
            own = (drawn["lineage"] == name).to_numpy()
            unsure = "ambiguous" in name
            points = drawn.loc[own, sides].to_numpy(float) + jitter[own]
            colour = INK if unsure else lineage_colour(name)
            ax.scatter(points[:, 0], points[:, 1], s=26 if unsure else 4, color=colour, lw=1.2 if unsure else 0, marker="x" if unsure else "o",
                       alpha=1 if unsure else 0.55, rasterized=not unsure, zorder=4 if unsure else 2)  # fmt: skip
            label = f"{lineage_name(name)} ({(known['lineage'] == name).sum():,})"
            handles.append(Line2D([], [], ls="", marker="x" if unsure else "o", ms=6, color=colour, label=label))
        ax.set(xlabel="markers of microglia (√ counts per 10,000)", ylabel="markers of other myeloid cells (√)")
        ax.grid()
        ax.legend(
            handles=handles,
            loc="upper left",
            bbox_to_anchor=(-0.02, -0.17),
            ncols=2,
            columnspacing=0.8,
            handletextpad=0.2,
        )
        n_unsure = int(known["lineage"].str.contains("ambiguous").sum())
        alt = f"{len(known):,} myeloid cells by their counts of microglia markers and of other myeloid markers; {n_unsure} could not be placed."
        svg = drawing(figure, "gate", alt)
    means = known.groupby("lineage")[sides].median().reindex(order).reset_index()
    means.insert(1, "cells", known["lineage"].value_counts().reindex(order).to_numpy())
    thinned = f" {MOST_DOTS:,} of {len(known):,} cells are drawn." if len(known) > MOST_DOTS else ""
    return Picture("gate", "The gate", "Each dot is a cell, jittered. The gate weighs all genes of a cell, not these two sums; crosses are "
                   f"cells that two lineages explain about equally, which are counted with neither.{thinned}", alt, (svg,), means, of="gate",
                   kinds=dict.fromkeys(sides, Kind.NUMBER))  # fmt: skip


def unsure_cells(gate_rows: pd.DataFrame) -> pd.DataFrame:
    """Return between which lineages the kept cells that could not be placed lie, the most frequent first (of gate.tsv)."""
    if gate_rows.empty:
        return gate_rows
    own = gate_rows[gate_rows["lineage"].astype(str).str.startswith(("ambiguous", "unassigned"))]
    return own.sort_values("cells", ascending=False, kind="stable")
