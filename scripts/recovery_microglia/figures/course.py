"""Figures over days: the timeline, and called against true."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from recovery_microglia.core.arrays import Floats
from recovery_microglia.core.frame_access import records
from recovery_microglia.core.vocabulary import CONTROLS, Condition, Status
from recovery_microglia.core.wording import percent_in_sentence, percent_interval
from recovery_microglia.figures.style import (
    BLUE,
    CONDITIONS,
    GREY,
    INK,
    ORANGE,
    VERMILION,
    Picture,
    canvas,
    day_axis,
    house_style,
    percent_axis,
    root_days,
    sidestep,
    slug,
    to_svg,
)

FLOW_DAYS = (14.0, 35.0)
"""Peaks of the CD11c+ and the CD11c-high cells by flow cytometry, Kohno 2022: counts, in another injury model."""
UNIT_COLUMNS = (
    *("subject", "sex", "day", "condition", "mixture", "mixture_low", "mixture_high"),
    *("k", "n", "cutoff", "false_rate"),
)
FLOW_LABEL = "days 14 and 35: flow-cytometry counts of Kohno 2022, a different assay"


# ---------------------------------------------------------------- the timeline


def timeline(
    units: pd.DataFrame,
    days: pd.DataFrame,
    onset: Mapping[str, Any] | None,
    *,
    arm: str = "",
    flow_marks: bool = False,
) -> Picture | None:
    """Draw every subject's share of recovery cells over days (without a cutoff), with the estimates of the days.

    Parameters
    ----------
    units
        Rows of fractions.tsv of one arm and its controls (route ``score``, of microglia).
    days
        Rows of timeline.tsv of the same arm and route; may be empty.
    onset
        Row of onset.tsv; shaded only if its status is ``tested``.
    arm
        Name of the arm, for the title.
    flow_marks
        Whether the days of the 2022 paper are marked (peripheral nerve injury only).
    """
    units = units[(units["n"] > 0) & units["mixture"].notna()]
    units = units[units["day"].notna() | units["condition"].isin(CONTROLS)]
    if units.empty:
        return None
    units = units.assign(day=units["day"].astype(float), x=_places(units["day"].to_numpy(float)))
    alt = _timeline_words(units, days)
    shown = onset if onset is not None and onset.get("status") == Status.TESTED else None
    drawn = []
    with house_style():
        for width in (8.4, 4.3):
            figure, tips = _timeline(units, days, shown, flow_marks=flow_marks, width=width)
            drawn.append(to_svg(figure, f"timeline-{arm}-{width}", alt, tips))
    return Picture(
        name="timeline" + (f"-{slug(arm)}" if arm else ""),
        title="Recovery cells among microglia, every animal" + (f": {arm}" if arm else ""),
        caption="A dot is one animal (the unit of statistics) with the 95 % interval of its own cells; a diamond is "
        "the estimate for the day with the interval for animals in general. Hover over a dot, tap it, or walk from dot to dot "
        "with the arrow keys for its numbers. Shares are estimated without a cutoff; called cells are in the numbers.",
        alt=alt,
        panels=(drawn[0],),
        narrow=drawn[1],
        numbers=units[[column for column in UNIT_COLUMNS if column in units]].sort_values(
            ["day", "condition", "subject"]
        ),
        of="fractions",
        wide=True,
    )


def _places(days: Floats) -> Floats:
    """Return where animals stand on the axis: by their day; those whose day is not known left of all others."""
    known = root_days(days[np.isfinite(days)])
    first, span = (float(known.min()), float(np.ptp(known)) or 1.0) if len(known) else (0.0, 1.0)
    return np.where(np.isfinite(days), root_days(np.nan_to_num(days)), first - 0.14 * span)


def _timeline(
    units: pd.DataFrame, days: pd.DataFrame, onset: Mapping[str, Any] | None, *, flow_marks: bool, width: float
) -> tuple[Figure, dict[str, str]]:
    """Return the drawing of `timeline` at a width in inches, and the texts of its dots."""
    figure, ax = canvas(width, 4.2)
    span = float(np.ptp(units["x"])) or 1.0
    top = _top(units, days)
    handles = [] if onset is None else _onset_band(ax, onset)
    if flow_marks:
        handles += _flow_marks(ax, float(units["day"].max()), broken=width < 6) if units["day"].notna().any() else []
    tips, dots = _subject_dots(ax, units, span)
    handles = dots + _day_estimates(ax, days, span) + handles
    ax.set_xlim(units["x"].min() - 0.07 * span, units["x"].max() + 0.09 * span)
    ax.set_ylim(-0.03 * top, top)
    ax.grid(axis="y")
    percent_axis(ax)
    day_axis(ax, list(units["day"]), label="days after injury (square-root scale)")
    if units["day"].isna().any():
        ticks = [*ax.get_xticks(), float(units["x"].min())]
        ax.set_xticks(ticks, [*(label.get_text() for label in ax.get_xticklabels()), "no day"])
    ax.set_ylabel("recovery cells among microglia")
    columns = 2 if width > 6 else 1
    ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(-0.01, -0.16), ncols=columns, columnspacing=1.4)
    return figure, tips


def _top(units: pd.DataFrame, days: pd.DataFrame) -> float:
    """Return the upper end of the axis: all dots, and intervals as far as they do not dwarf them."""
    dots = float(units["mixture"].max())
    high = [float(units["mixture_high"].max()), dots * 2.5 + 0.01]
    if "high" in days and days["high"].notna().any():
        high.append(max(float(days["high"].max()), dots))
    if "smallest_detectable" in days and days["smallest_detectable"].notna().any():
        high.append(max(float(days["smallest_detectable"].max()) * 1.1, dots))
        return max(min(high[:2]), *high[2:]) * 1.06
    return max(min(high[:2]), *high[2:], 0.02) * 1.06


def _onset_band(ax: Axes, onset: Mapping[str, Any]) -> list[Any]:
    high, low = onset.get("onset_high"), onset.get("onset_low")
    if high is None or not np.isfinite(high):
        return []
    start = low if low is not None and np.isfinite(low) else 0.0
    left, right = root_days([start, high])
    ax.axvspan(left, right, color=ORANGE, alpha=0.2, lw=0, zorder=0)
    words = f"by day {high:g}" if onset.get("left_censored") is True else f"after day {start:g}, by day {high:g}"
    return [Patch(color=ORANGE, alpha=0.25, lw=0, label=f"onset: {words}")]


def _flow_marks(ax: Axes, last: float, *, broken: bool) -> list[Any]:
    inside = [day for day in FLOW_DAYS if day <= last * 1.05]
    for day in inside:
        ax.axvline(root_days([day])[0], color=GREY, lw=1, ls=(0, (1, 3)), zorder=0)
    label = FLOW_LABEL.replace(" of Kohno", "\nof Kohno") if broken else FLOW_LABEL
    return [Line2D([], [], color=GREY, lw=1, ls=(0, (1, 2)), label=label)] if inside else []


def _subject_dots(ax: Axes, units: pd.DataFrame, span: float) -> tuple[dict[str, str], list[Any]]:
    """Draw the subjects; conditions of one day stand side by side."""
    tips: dict[str, str] = {}
    shown: dict[str, Any] = {}
    for place, group in units.groupby("x", sort=True):
        group = group.sort_values("subject", key=lambda names: names.astype(str))
        centre, control = float(str(place)), group["condition"].isin(CONTROLS).to_numpy()
        offset = np.empty(len(group))
        for mask in (control, ~control):
            offset[mask] = sidestep(int(mask.sum()), 0.05 * span)
        if control.any() and not control.all():  # controls of the same day stand to the left
            offset[control] -= 0.055 * span
        for shift, row in zip(offset, records(group), strict=True):
            colour, marker = CONDITIONS.get(row["condition"], CONDITIONS[Condition.OTHER])
            x, gid = centre + shift, f"tip-{len(tips)}"
            ax.plot([x, x], [row["mixture_low"], row["mixture_high"]], color=colour, lw=1, alpha=0.35, zorder=2)
            face = colour if row["condition"] == Condition.INJURED else "white"
            ax.plot(x, row["mixture"], marker, ms=6.5, mfc=face, mec=colour, mew=1.4, zorder=4, gid=gid)
            tips[gid] = _subject_words(row)
            shown[row["condition"]] = Line2D(
                [],
                [],
                ls="",
                marker=marker,
                ms=6.5,
                mfc=face,
                mec=colour,
                mew=1.4,
                label=f"{row['condition']}, one animal",
            )
    return tips, list(shown.values())


def _subject_words(row: Mapping[str, Any]) -> str:
    """Return what is known of an animal: who, its share with the interval of its cells, called cells with their cutoff."""
    facts = [str(row["subject"]), str(row["condition"])]
    facts += [str(row["sex"])] if row.get("sex") and str(row["sex"]) != "nan" else []
    if np.isfinite(row["day"]):
        facts.append(f"day {row['day']:g}")
    elif row["condition"] != Condition.NAIVE:
        facts.append("day not known")
    text = f"{', '.join(facts)}: {percent_in_sentence(row['mixture'])} of {row['n']:.0f} microglia"
    text += f" ({percent_interval(row['mixture_low'], row['mixture_high'])}); called {row['k']:.0f}"
    if np.isfinite(row.get("cutoff", np.nan)) and np.isfinite(row.get("false_rate", np.nan)):
        text += f", from a score of {row['cutoff']:.1f} ({percent_in_sentence(row['false_rate'])} of other microglia pass it)"
    return text


def _day_estimates(ax: Axes, days: pd.DataFrame, span: float) -> list[Any]:
    """Draw the estimates of the days beside the dots, the control's, and what could have been detected."""
    if days.empty:
        return []
    days = days.sort_values("day")
    x = root_days(days["day"]) + 0.052 * span
    ax.plot(x, days["fraction"], color=VERMILION, lw=1.2, alpha=0.45, zorder=1)
    ax.vlines(x, days["low"], days["high"], color=VERMILION, lw=2.2, zorder=3)
    ax.plot(x, days["fraction"], "D", ms=5.5, color=VERMILION, mec="white", mew=0.8, zorder=5)
    handles = [
        Line2D(
            [], [], color=VERMILION, marker="D", ms=5.5, lw=2, mec="white", label="estimate for the day, 95 % interval"
        )
    ]
    colour = CONDITIONS[Condition.NAIVE][0]
    if days["control_fraction"].notna().any():
        ax.hlines(days["control_fraction"], x - 0.03 * span, x + 0.03 * span, color=colour, lw=2, zorder=3)
        handles.append(Line2D([], [], color=colour, lw=2, label="estimate for its control"))
    if days["smallest_detectable"].notna().any():
        ax.hlines(days["smallest_detectable"], x - 0.045 * span, x + 0.045 * span, color=INK, lw=1.2, ls=":", zorder=3)
        handles.append(Line2D([], [], color=INK, lw=1.2, ls=":", label="smallest share likely to be seen"))
    return handles


def _timeline_words(units: pd.DataFrame, days: pd.DataFrame) -> str:
    parts = []
    for row in records(days.sort_values("day")) if len(days) else []:
        parts.append(
            f"day {row['day']:g} {percent_in_sentence(row['fraction'])} (called {row['k']:.0f} of {row['n']:.0f})"
        )
    words = "; ".join(parts) or f"{len(units)} animals"
    return f"Share of recovery cells among microglia by day after injury: {words}."


# ---------------------------------------------------------------- called against true


def truth_scatter(truth: pd.DataFrame) -> Picture | None:
    """Draw called against true fractions per subject (simulated data)."""
    known = truth.dropna(subset=["true_fraction", "called_fraction"])
    if known.empty:
        return None
    with house_style():
        figure, ax = canvas(4.3, 3.7)
        top = max(float(known[["true_fraction", "called_fraction"]].to_numpy().max()) * 1.08, 0.02)
        ax.plot([0, top], [0, top], color=GREY, lw=1, ls="--", zorder=1, label="called = true")
        for condition, group in known.groupby("condition", sort=False):
            colour, marker = CONDITIONS.get(str(condition), CONDITIONS[Condition.OTHER])
            face = colour if condition == Condition.INJURED else "white"
            ax.plot(group["true_fraction"], group["called_fraction"], marker, ms=6, mfc=face, mec=colour, mew=1.3,
                    ls="", label=str(condition))  # fmt: skip
        ax.set(xlim=(-0.02 * top, top), ylim=(-0.02 * top, top), xlabel="true share", ylabel="called share")
        ax.grid()
        percent_axis(ax)
        percent_axis(ax, "x")
        ax.locator_params(nbins=6)
        ax.legend(loc="upper left", handletextpad=0.3)
        gap = float((known["called_fraction"] - known["true_fraction"]).abs().mean())
        alt = f"Called against true share of recovery cells in {len(known)} simulated animals; mean gap {100 * gap:.1f} points."
        svg = to_svg(figure, "truth-scatter", alt)
    return Picture("truth-scatter", "Called against true, every animal", "On the dashed line the call is right.",
                   alt, (svg,), known, of="truth")  # fmt: skip


def truth_course(truth: pd.DataFrame) -> Picture | None:
    """Draw the true and the called day course of the injured subjects (simulated data)."""
    known = truth.dropna(subset=["true_fraction", "called_fraction", "day"])
    known = known[known["condition"].isin([Condition.INJURED, Condition.NAIVE])]
    if known["day"].nunique() < 2:
        return None
    lines = ["true_fraction", "called_fraction", *(["mixture"] if "mixture" in known else [])]
    means = known.groupby("day")[lines].mean().reset_index()
    with house_style():
        figure, ax = canvas(4.3, 3.7)
        x = root_days(known["day"])
        ax.plot(x, known["true_fraction"], "o", ms=4, mfc="white", mec=INK, alpha=0.7)
        ax.plot(x, known["called_fraction"], "o", ms=4, color=VERMILION, alpha=0.5, mew=0)
        x = root_days(means["day"])
        ax.plot(x, means["true_fraction"], color=INK, lw=1.6, ls="--", label="true, mean of the animals")
        ax.plot(x, means["called_fraction"], color=VERMILION, lw=2, label="called, mean of the animals")
        if "mixture" in means:
            ax.plot(x, means["mixture"], color=BLUE, lw=2, ls=":", label="without a cutoff, mean of the animals")
        day_axis(ax, list(means["day"]))
        percent_axis(ax)
        ax.set_ylim(bottom=0)
        ax.set_ylabel("recovery cells among microglia")
        ax.grid(axis="y")
        ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), handletextpad=0.5)
        alt = "True and called share by day: " + "; ".join(
            f"day {row['day']:g} true {100 * row['true_fraction']:.1f} %, called {100 * row['called_fraction']:.1f} %"
            for row in records(means)
        )
        svg = to_svg(figure, "truth-course", alt)
    return Picture("truth-course", "The course that was put in, and the one that was found",
                   "Day 0 is the naive animals; sham is left out.", alt, (svg,), means, of="truth")  # fmt: skip
