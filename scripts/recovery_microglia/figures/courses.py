"""Figure of all courses over days, laid over each other by injury model."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recovery_microglia.core.frame_access import groups, records
from recovery_microglia.core.tables.spec import Kind
from recovery_microglia.core.vocabulary import Status
from recovery_microglia.figures.strata import LOOKS
from recovery_microglia.figures.style import (
    GREY,
    WIDE,
    Picture,
    at_two_widths,
    day_axis,
    house_style,
    percent_axis,
    root_days,
    sidestep,
)

COLUMNS = (
    "injury_model",
    "dataset",
    "arm",
    "day",
    "n_subjects",
    "fraction",
    "low",
    "high",
    "control_fraction",
    "q",
    "status",
)

_KINDS = {"injury_model": Kind.TEXT, "dataset": Kind.TEXT}


def courses(days: pd.DataFrame) -> Picture | None:
    """Draw the share of recovery cells over days of every data set, a panel an injury model.

    Parameters
    ----------
    days
        Rows of timeline.tsv (route ``score``) of all data sets, with ``injury_model`` and ``dataset``.
    """
    known = days[days["fraction"].notna() & days["day"].notna()] if len(days) else days
    if known.empty:
        return None
    known = known.assign(name=[_name(row) for row in records(known)])
    models = list(dict.fromkeys(known.sort_values(["injury_model", "dataset"])["injury_model"].astype(str)))

    def draw(width: float) -> Figure:
        across = min(len(models), 2 if width >= WIDE else 1)
        down = -(-len(models) // across)
        figure = Figure(figsize=(width, 2.9 * down))
        panels = figure.subplots(down, across, squeeze=False, gridspec_kw={"hspace": 0.55, "wspace": 0.25})
        for ax, model in zip(panels.flat, models, strict=False):
            _panel(ax, known[known["injury_model"] == model], model)
        for ax in panels.flat[len(models) :]:
            ax.set_visible(False)
        return figure

    alt = "Share of recovery cells over days by injury model: " + "; ".join(
        f"{model}: {_listed(known[known['injury_model'] == model]['name'])}" for model in models
    )
    with house_style():
        svg, narrow = at_two_widths(draw, "courses", alt + ".")
    return Picture(
        "courses",
        "Time courses by injury model",
        "Estimates for the day with 95 % intervals for animals in general; grey dotted: the control of the same day. Filled: the day was tested. "
        "Injury models are never pooled, and data sets of one model differ in tissue, sorting and depth.",
        alt + ".",
        (svg,),
        known[[column for column in COLUMNS if column in known]],
        of="timeline",
        kinds=_KINDS,
        wide=True,
        narrow=narrow,
    )


def _name(row: dict[str, object]) -> str:
    return f"{row['dataset']}, {row['arm']}" if str(row.get("arm") or "") else str(row["dataset"])


def _listed(names: Sequence[str] | pd.Series) -> str:
    return ", ".join(dict.fromkeys(str(name) for name in names))


def _panel(ax: Axes, own: pd.DataFrame, model: str) -> None:
    parts = [(str(name), part.sort_values("day")) for (name,), part in groups(own, ["name"])]
    span = float(np.ptp(root_days(own["day"]))) or 1.0
    for (name, part), shift, place in zip(parts, sidestep(len(parts), 0.06 * span), range(len(parts)), strict=True):
        colour, marker, line = LOOKS[place % len(LOOKS)]
        x = root_days(part["day"]) + shift
        ax.plot(x, part["fraction"], line, color=colour, lw=1.5, label=name)
        bounded = part["low"].notna().to_numpy()
        ax.vlines(x[bounded], part["low"][bounded], part["high"][bounded], color=colour, lw=1.4)
        tested = (part["status"] == Status.TESTED).to_numpy()
        for mask, face in ((tested, colour), (~tested, "white")):
            ax.plot(x[mask], part["fraction"][mask], marker, ms=6, mfc=face, mec=colour, mew=1.3, ls="")
        ax.plot(x, part["control_fraction"], ":", color=GREY, lw=1.2)
    ax.set_title(model)
    day_axis(ax, list(own["day"]), label="days after injury (square-root scale)", every=False)
    percent_axis(ax)
    ax.set_ylim(bottom=0)
    ax.set_ylabel("recovery cells\namong microglia")
    ax.grid(axis="y")
    ax.legend(loc="upper left", handlelength=2.2, fontsize=8.5)
