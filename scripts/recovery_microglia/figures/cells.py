"""Figures of what the cells are: embeddings, lineages, states."""

from collections.abc import Callable, Mapping, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from recovery_microglia.core.arrays import Floats
from recovery_microglia.core.frame_access import labelled
from recovery_microglia.core.tables.spec import Kind
from recovery_microglia.core.vocabulary import Condition, rank_of
from recovery_microglia.core.wording import by_condition, with_day
from recovery_microglia.figures.contrast import group_words, in_order, says_more
from recovery_microglia.figures.palette import LINEAGES, STATES, lineage_colour, lineage_name, state_colour
from recovery_microglia.figures.style import (
    PALE,
    Drawing,
    Picture,
    at_two_widths,
    canvas,
    drawing,
    house_style,
    legend,
    percent_axis,
    short_names,
)

MOST_CELLS = 30_000
"""More cells than this are thinned for drawing; at this number the dots of a panel overlap anyway."""
MOST_BARS = 60
MOST_NAMES = 12


# ---------------------------------------------------------------- embeddings


def embeddings(cells: pd.DataFrame, *, states: bool) -> Picture | None:
    """Draw the uncorrected embedding of the myeloid cells by lineage, state, day, library and recovery score.

    What is printed, and what a browser without scripts shows: on the screen the map of `report.cellmap` stands in its place.

    Parameters
    ----------
    cells
        One row a myeloid cell: umap1, umap2, lineage, state, day, condition, library, recovery_score.
    states
        Whether states and scores may be shown: one of the states is recovery.
    """
    axes = ["umap1", "umap2"]
    if not set(axes) <= set(cells.columns):
        return None
    known = cells[cells[axes].notna().all(axis=1)]
    if len(known) < 20:
        return None
    drawn = known.sample(min(len(known), MOST_CELLS), random_state=0)
    points = drawn[axes].to_numpy(float)
    panels = []
    with house_style():
        for title in ("lineage", *(("state",) if states else ()), "day", "library"):
            if title not in drawn or drawn[title].isna().all():
                continue
            keys, colours = _categories(drawn, title)
            if len(colours) < 2:
                continue
            alt = f"Embedding of {len(known):,} myeloid cells coloured by {title}."
            panels.append(_by_category(points, keys, colours, title, f"umap-{title}", alt))
        if states and "recovery_score" in drawn and drawn["recovery_score"].notna().any():
            alt = f"Embedding of {len(known):,} myeloid cells coloured by recovery score; other cells grey."
            panels.append(_by_score(points, drawn["recovery_score"].to_numpy(float), "umap-score", alt))
    if not panels:
        return None
    on_paper = (
        f" On paper {MOST_CELLS:,} of {len(known):,} cells are drawn, at random." if len(known) > MOST_CELLS else ""
    )
    return Picture(
        "umap",
        "Map of the myeloid cells",
        "Cells with similar RNA lie together (UMAP). Uncorrected: libraries that differ stay apart. Distances between islands mean "
        f"nothing.{on_paper}",
        f"Embedding of {len(known):,} myeloid cells.",
        tuple(panels),
        _counted(known),
        of="lineages",
        kinds={"cells": Kind.COUNT},
        panel_width=21,
        wide=True,
    )


def _categories(cells: pd.DataFrame, column: str) -> tuple[NDArray[np.object_], dict[str, str]]:
    """Return the category of each cell and the colour of each category, in order."""
    if column == "lineage":
        keys = cells["lineage"].astype(str).to_numpy(object)
        found = set(keys)
        order = [name for name in LINEAGES if name in found] + sorted(found - set(LINEAGES))
        return keys, {name: lineage_colour(name) for name in order}
    if column == "state":
        keys = cells["state"].astype(object).fillna("").astype(str).to_numpy(object)
        keys = np.where(cells["lineage"].astype(str) == "microglia", keys, "")
        found = set(keys) - {""}
        order = [name for name in STATES if name in found] + sorted(found - set(STATES))
        return keys, {name: state_colour(name) for name in order} | ({"": PALE} if "" in set(keys) else {})
    if column == "day":
        days = cells["day"].astype(float)
        keys = days.map(lambda day: f"day {day:g}" if np.isfinite(day) else "unknown").to_numpy(object)
        order = [f"day {day:g}" for day in sorted(days.dropna().unique())]
        order += ["unknown"] if days.isna().any() else []
    else:
        keys = cells[column].astype(str).to_numpy(object)
        order = list(dict.fromkeys(sorted(keys)))
    colours = mpl.colormaps["viridis"](np.linspace(0, 0.95, max(len(order), 2)))
    return keys, {name: mpl.colors.to_hex(colour) for name, colour in zip(order, colours, strict=False)}


def _dot_size(n: int) -> float:
    """Return the area of a dot: small where cells are many."""
    return float(np.clip(9000 / n, 0.8, 14))


def _by_category(
    points: Floats, keys: NDArray[np.object_], colours: Mapping[str, str], title: str, name: str, alt: str
) -> Drawing:
    figure, ax = canvas(3.9, 3.3)
    dots = [colours[key] for key in keys]
    ax.scatter(points[:, 0], points[:, 1], s=_dot_size(len(points)), c=dots, lw=0, rasterized=True)
    _bare(ax, f"by {title}")
    shown = list(colours)
    if len(shown) > MOST_NAMES:
        shown = [shown[i] for i in np.linspace(0, len(shown) - 1, 5).astype(int)]
    label = (lambda key: lineage_name(key) if key else "other cells") if title in ("lineage", "state") else str
    handles = [Line2D([], [], ls="", marker="o", ms=6, color=colours[key], label=label(key)) for key in shown]
    if len(shown) < len(colours):
        handles.append(Line2D([], [], ls="", label=f"… {len(colours)} in all"))
    columns = 2 if max(len(label(key)) for key in shown) > 9 else 4
    ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(-0.04, 0.0), ncols=columns, handletextpad=0.1,
              columnspacing=0.8, borderaxespad=0.2)  # fmt: skip
    return drawing(figure, name, alt)


def _by_score(points: Floats, score: Floats, name: str, alt: str) -> Drawing:
    figure, ax = canvas(3.9, 3.3)
    known = np.isfinite(score)
    size = _dot_size(len(points))
    ax.scatter(points[~known, 0], points[~known, 1], s=size, c=PALE, lw=0, rasterized=True)
    order = np.argsort(score[known], kind="stable")  # the highest on top: they are few and would be buried
    low, high = np.quantile(score[known], [0.02, 0.998])
    dots = ax.scatter(points[known][order, 0], points[known][order, 1], s=size, c=score[known][order], cmap="viridis_r",
                      vmin=low, vmax=max(high, low + 1e-6), lw=0, rasterized=True)  # fmt: skip
    _bare(ax, "by recovery score (microglia)")
    bar = figure.colorbar(dots, cax=ax.inset_axes((0.0, -0.08, 0.6, 0.035)), orientation="horizontal")
    bar.outline.set_visible(False)
    bar.ax.locator_params(nbins=4)
    return drawing(figure, name, alt)


def _bare(ax: mpl.axes.Axes, title: str) -> None:
    ax.set_title(title)
    ax.set_xticks([])
    ax.set_yticks([])
    for side in ax.spines.values():
        side.set_visible(False)


def _counted(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the number of drawn cells by library and lineage."""
    keys = [key for key in ("library", "day", "condition", "lineage") if key in cells]
    text = cells[keys].astype({key: str for key in keys if key != "day"})
    return text.groupby(keys, dropna=False, sort=True).size().rename("cells").reset_index()


# ---------------------------------------------------------------- shares


def lineage_shares(lineages: pd.DataFrame) -> Picture | None:
    """Draw the lineages of each library's kept cells."""
    if lineages.empty or lineages["lineage"].nunique() < 2:
        return None
    table = lineages.pivot_table(index="library", columns="lineage", values="n", aggfunc="sum", fill_value=0)
    facts = lineages.drop_duplicates("library").set_index("library").loc[table.index]
    table = table.loc[facts.sort_values(["day", "condition"], kind="stable").index]
    order = [name for name in LINEAGES if name in table] + [str(name) for name in table if name not in LINEAGES]
    days = facts["day"].reindex(table.index).astype(float)
    ordered = "Ordered by day. " if days.nunique() > 1 else ""
    named = list(labelled(days))
    short = short_names([str(name) for name, _ in named], 24)
    labels = [with_day(name, day) for name, (_, day) in zip(short, named, strict=True)]
    colours = {name: lineage_colour(name) for name in order}
    draw, alt, share = _stacked(table[order], labels, "Lineages of the kept cells", colours)
    with house_style():
        svg, narrow = at_two_widths(draw, "lineages", alt)
    return Picture("lineages", "Lineages per library", f"{ordered}Cells that fit two lineages are called ambiguous, those that fit none unassigned.",
                   alt, (svg,), share.reset_index(), kinds={"library": Kind.TEXT, **dict.fromkeys(order, Kind.SHARE)}, wide=True, narrow=narrow)  # fmt: skip


def lineages_by_day(lineages: pd.DataFrame, ages: pd.Series | None = None) -> Picture | None:
    """Draw the lineages of the kept cells by condition and day (and age, see `group_words`), each animal weighing the same."""
    if lineages.empty or lineages["lineage"].nunique() < 2 or "subject" not in lineages:
        return None
    lineages = lineages.assign(group=group_words(lineages, ages))
    keys = ["condition", "day", "group"]
    animal = lineages.groupby([*keys, "subject", "lineage"], dropna=False)["n"].sum().reset_index()
    animal["share"] = animal["n"] / animal.groupby([*keys, "subject"], dropna=False)["n"].transform("sum")
    n = animal.groupby(keys, dropna=False)["subject"].nunique()
    sums = animal.groupby([*keys, "lineage"], dropna=False)["share"].sum()
    table = sums.unstack("lineage").fillna(0.0).div(n, axis=0)  # noqa: PD010  (pivot_table would leave out days that are not known)
    order_of = in_order(table.index.get_level_values("group"))
    places = sorted(
        range(len(table)),
        key=lambda at: (
            rank_of(str(table.index[at][0])),
            float(np.nan_to_num(table.index[at][1], nan=np.inf)),
            order_of[at],
        ),
    )
    table, sizes = table.iloc[places], n.iloc[places]
    order = [name for name in LINEAGES if name in table] + [str(name) for name in table if name not in LINEAGES]
    labels = [f"{group} (n = {size})" for (_, _, group), size in zip(table.index, sizes, strict=True)]
    colours = {name: lineage_colour(name) for name in order}
    draw, alt, share = _stacked(table[order], labels, "Lineages of the kept cells", colours)
    with house_style():
        svg, narrow = at_two_widths(draw, "lineages-by-day", alt)
    numbers = share.reset_index()
    numbers.insert(2, "animals", sizes.to_numpy(int))
    if not says_more(numbers["group"], numbers["condition"], numbers["day"]):
        numbers = numbers.drop(columns="group")
    return Picture("lineages-by-day", f"Lineages {by_condition(numbers['condition'], numbers['day'])}", "Share of all kept cells, mean of the animals; n: animals. Cells that fit two lineages are called ambiguous, those that fit none "
                   "unassigned.", alt, (svg,), numbers, kinds={"condition": Kind.TEXT, "day": Kind.DAY, "group": Kind.TEXT, "animals": Kind.COUNT, **dict.fromkeys(order, Kind.SHARE)},
                   wide=True, narrow=narrow)  # fmt: skip


def state_shares(cells: pd.DataFrame, ages: pd.Series | None = None) -> Picture | None:
    """Draw the states of the microglia by condition and day (and age, see `group_words`)."""
    if cells.empty or "state" not in cells:
        return None
    known = cells[cells["state"].notna() & (cells["state"].astype(str) != "")]
    known = known[known["lineage"] == "microglia"] if "lineage" in known else known
    if known.empty:
        return None
    day = known["day"].astype(float)
    label = group_words(known, ages)
    rank = (
        known["condition"]
        .astype(str)
        .map({Condition.NAIVE: 0, Condition.SHAM: 1, Condition.CONTRALATERAL: 2})
        .fillna(3)
    )
    table = pd.crosstab(label, known["state"].astype(str))
    place = pd.DataFrame({"label": label, "rank": rank, "day": day}).drop_duplicates("label").set_index("label")
    table = table.loc[place.sort_index(key=in_order, kind="stable").sort_values(["rank", "day"], kind="stable").index]
    order = [name for name in STATES if name in table] + [str(name) for name in table if name not in STATES]
    colours = {name: state_colour(name) for name in order}
    cells_of = table.sum(axis=1)
    labels = [f"{name} (n = {cells_of[name]:,})" for name in table.index]
    draw, alt, share = _stacked(table[order], labels, "States of the microglia", colours)
    with house_style():
        svg, narrow = at_two_widths(draw, "states", alt)
    numbers = share.rename_axis("group").reset_index()
    numbers.insert(1, "cells", cells_of.to_numpy(int))
    return Picture("states", f"States of the microglia {by_condition(known['condition'], known['day'])}",
                   "n: microglia, of all animals of a group together. Each microglia is shown once, under a programme that it runs with a probability above one half. A cell that runs several "
                   "is shown under recovery first, else under the likeliest; the column programmes of cells.tsv.gz lists all. "
                   "Grey: no programme, in a cell unusually low in homeostatic genes.",
                   alt, (svg,), numbers,
                   kinds={"group": Kind.TEXT, "cells": Kind.COUNT, **dict.fromkeys(order, Kind.SHARE)}, wide=True, narrow=narrow)  # fmt: skip


def _stacked(
    counts: pd.DataFrame, labels: Sequence[str], title: str, colours: Mapping[str, str]
) -> tuple[Callable[[float], Figure], str, pd.DataFrame]:
    """Return what draws stacked shares at a width, their text alternative and the shares."""
    share = counts.div(counts.sum(axis=1).replace(0, np.nan), axis=0)
    shown = share.head(MOST_BARS)

    def draw(width: float) -> Figure:
        figure, ax = canvas(width, 0.7 + 0.23 * len(shown))
        y = np.arange(len(shown))[::-1]
        left = np.zeros(len(shown))
        for key in shown.columns:
            values = shown[key].fillna(0).to_numpy(float)
            ax.barh(y, values, left=left, height=0.8, color=colours[key], ec="white", lw=0.5, label=lineage_name(key))
            left = left + values
        ax.set_yticks(y, labels[: len(shown)], fontsize=8.5)
        ax.set_ylim(-0.6, len(shown) - 0.4)
        ax.set_xlim(0, 1)
        percent_axis(ax, "x")
        ax.tick_params(axis="y", length=0)
        legend(ax, width)
        return figure

    overall = counts.sum() / max(float(counts.to_numpy().sum()), 1e-9)
    most = overall.sort_values(ascending=False).head(3)
    alt = (
        f"{title}: "
        + ", ".join(f"{lineage_name(str(key))} {100 * value:.0f} %" for key, value in most.items())
        + " over all."
    )
    return draw, alt, share
