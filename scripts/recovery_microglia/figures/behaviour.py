"""Figure of behaviour over days above the share of recovery cells."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recovery_microglia.figures.strata import LOOKS
from recovery_microglia.figures.style import (
    VERMILION,
    WIDE,
    Picture,
    at_two_widths,
    day_axis,
    house_style,
    percent_axis,
    root_days,
)

BOTH = "animals of both sexes"
GROUP = ("measure", "unit", "model", "sex")


def behaviour_beside_cells(behaviour: pd.DataFrame, days: pd.DataFrame) -> Picture | None:
    """Draw each measure of behaviour over days, and below, on the same days' axis, the share of recovery cells.

    Two panels, not two axes in one: where two scales are laid over each other is a choice that makes or breaks a likeness.

    Parameters
    ----------
    behaviour
        behaviour.tsv: day, mean, sem, n, measure, unit, model, sex, source.
    days
        Rows of timeline.tsv of one arm; may be empty.
    """
    known = behaviour[behaviour["day"].notna() & behaviour["mean"].notna()] if len(behaviour) else behaviour
    if known.empty:
        return None
    measures = list(dict.fromkeys(known["measure"].astype(str)))
    all_days = sorted({*known["day"].astype(float), *(days["day"].astype(float) if len(days) else ())})
    rows = len(measures) + (1 if len(days) else 0)

    def draw(width: float) -> Figure:
        figure = Figure(figsize=(width, 0.7 + 1.9 * rows))
        panels: Any = figure.subplots(
            rows, 1, sharex=True, squeeze=False, gridspec_kw={"hspace": 0.2 if width >= WIDE else 0.5}
        )
        for ax, measure in zip(panels[:, 0], measures, strict=False):
            _measure(ax, known[known["measure"].astype(str) == measure], measure, width)
        if len(days):
            _share(panels[-1, 0], days.sort_values("day"), width)
        day_axis(panels[-1, 0], all_days, label="days after injury (square-root scale)")
        return figure

    alt = f"Behaviour over days ({', '.join(measures)}) above the share of recovery cells."
    with house_style():
        svg, narrow = at_two_widths(draw, "behaviour", alt)
    sources = ", ".join(sorted({str(s) for s in known["source"].dropna()} - {""})) if "source" in known else ""
    return Picture("behaviour", "Behaviour and recovery cells over days", "Mean and standard error, as given with the data set"
                   + (f" ({sources})" if sources else "") + ". The animals that were tested and those that were sequenced may differ; "
                   "parallel time courses do not show causation.", alt, (svg,), known, of="behaviour", wide=True, narrow=narrow)  # fmt: skip


def _measure(ax: Axes, rows: pd.DataFrame, measure: str, width: float) -> None:
    """Draw one measure; models and sexes are lines of their own."""
    keys = [key for key in GROUP[2:] if key in rows]
    text = rows[keys].astype(object).where(rows[keys].notna(), "").astype(str)
    groups = list(dict.fromkeys(text.itertuples(index=False, name=None)))
    for group, (colour, marker, line) in zip(groups, LOOKS, strict=False):
        own = rows[[key == group for key in text.itertuples(index=False, name=None)]].sort_values("day")
        x = root_days(own["day"])
        words = (BOTH if part == "mixed" else part for part in group if part)
        label = ", ".join(words) or measure
        ax.errorbar(x, own["mean"], yerr=own["sem"].fillna(0.0), color=colour, marker=marker, ls=line, ms=5.5, lw=1.6,
                    elinewidth=1.1, label=label)  # fmt: skip
    unit = str(rows["unit"].iloc[0]) if "unit" in rows and pd.notna(rows["unit"].iloc[0]) else ""
    ax.set_ylabel(f"{measure}\n({unit})" if unit else measure)
    ax.grid(axis="y")
    _legend(ax, width)


def _share(ax: Axes, days: pd.DataFrame, width: float) -> None:
    """Draw the day's estimates with their intervals."""
    x = root_days(days["day"])
    ax.plot(
        x, days["fraction"], color=VERMILION, lw=1.4, marker="D", ms=5.5, mec="white", mew=0.8, label="recovery cells"
    )
    known = days["low"].notna().to_numpy()
    ax.vlines(x[known], days["low"][known], days["high"][known], color=VERMILION, lw=1.8)
    ax.set_ylim(
        bottom=0, top=float(np.nanmax([*days["high"].to_numpy(float), *days["fraction"].to_numpy(float), 0.01])) * 1.08
    )
    percent_axis(ax)
    ax.set_ylabel("recovery cells\namong microglia")
    ax.grid(axis="y")
    _legend(ax, width)


def _legend(ax: Axes, width: float) -> None:
    """Put a panel's legend beside it, or on a phone above it."""
    if width >= WIDE:
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.02), fontsize=8.5)
    else:
        ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 0.98), fontsize=8.5, ncols=2)
