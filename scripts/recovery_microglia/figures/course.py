"""Figures over days: the timeline, and called against true."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from recovery_microglia.core.arrays import Floats
from recovery_microglia.core.frame_access import records
from recovery_microglia.core.vocabulary import CONTROLS, Condition, Status
from recovery_microglia.core.wording import p_value
from recovery_microglia.figures.style import (
    CONDITIONS,
    GREY,
    INK,
    ONSET,
    VERMILION,
    Picture,
    canvas,
    day_axis,
    drawing,
    house_style,
    percent_axis,
    root_days,
    slug,
)

UNIT_COLUMNS = (
    *("subject", "sex", "day", "condition", "mixture", "mixture_low", "mixture_high"),
    *("k", "n", "cutoff", "false_rate"),
)
WITHOUT_CUTOFF, CALLED = ("mixture", "mixture_low", "mixture_high"), ("fraction", "low", "high")
"""Columns of an animal's share and its interval: without a cutoff, and of called cells."""


# ---------------------------------------------------------------- the timeline


def shares_of_animals(units: pd.DataFrame, days: pd.DataFrame) -> pd.DataFrame:
    """Return the animals with the share that days are compared by: ``share``, ``share_low``, ``share_high``.

    That is the share without a cutoff; where the days were compared by called cells, the share of these.
    """
    known = "mixture" in units and units["mixture"].notna().any() and (days.empty or "control_k" in days)
    names = WITHOUT_CUTOFF if known else CALLED
    return units.assign(**dict(zip(("share", "share_low", "share_high"), (units[name] for name in names), strict=True)))


def timeline(
    units: pd.DataFrame,
    days: pd.DataFrame,
    onset: Mapping[str, Any] | None,
    *,
    arm: str = "",
) -> Picture | None:
    """Draw every animal's share of recovery cells over days, with the estimates of the days.

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
    """
    units = shares_of_animals(units, days)
    units = units[(units["n"] > 0) & units["share"].notna()]
    units = units[units["day"].notna() | units["condition"].isin(CONTROLS)]
    if units.empty:
        return None
    units = units.assign(day=units["day"].astype(float), x=_places(units["day"].to_numpy(float)))
    alt = _timeline_words(units, days)
    shown = onset if onset is not None and onset.get("status") == Status.TESTED else None
    drawn = []
    with house_style():
        for width in (8.4, 3.7):
            figure, tips = _timeline(units, days, shown, width=width)
            drawn.append(drawing(figure, f"timeline-{arm}-{width}", alt, tips))
    return Picture(
        name="timeline" + (f"-{slug(arm)}" if arm else ""),
        title="Share of recovery cells among microglia in every animal" + (f": {arm}" if arm else ""),
        caption=_timeline_caption(days, onset_shown=shown is not None),
        alt=alt,
        panels=(drawn[0],),
        narrow=drawn[1],
        numbers=units[[column for column in UNIT_COLUMNS if column in units]].sort_values(
            ["day", "condition", "subject"]
        ),
        of="fractions",
        wide=True,
    )


def _timeline_caption(days: pd.DataFrame, *, onset_shown: bool) -> str:
    """Return what is drawn, in the order in which it is seen."""
    text = "A dot is one animal, the unit of statistics, with the 95 % interval from its own cells; controls are open."
    if len(days):
        text += " Bars: estimate for the day with its 95 % interval for animals in general (vermilion), and the estimate for its control (grey)."
    if "smallest_detectable" in days and days["smallest_detectable"].notna().any():
        text += " Dotted: detection limit, if its animals differ like those of the other days."
    if onset_shown:
        text += " Shaded: 95 % interval of the onset."
    if "q" in days and days["q"].notna().any():
        text += " q: p of the day against its control, corrected over days."
    return f"{text} n: animals (injured + control of the same day). Hover over a dot, tap it, or walk from dot to dot with the arrow keys to read its numbers."


def _places(days: Floats) -> Floats:
    """Return where animals stand on the axis: by their day; those whose day is not known left of all others."""
    known = root_days(days[np.isfinite(days)])
    first, span = (float(known.min()), float(np.ptp(known)) or 1.0) if len(known) else (0.0, 1.0)
    return np.where(np.isfinite(days), root_days(np.nan_to_num(days)), first - 0.14 * span)


def _timeline(
    units: pd.DataFrame, days: pd.DataFrame, onset: Mapping[str, Any] | None, *, width: float
) -> tuple[Figure, dict[str, str]]:
    """Return the drawing of `timeline` at a width in inches, and the texts of its dots."""
    figure, ax = canvas(width, 4.2)
    places = np.unique(units["x"])
    span = float(np.ptp(places)) or 1.0
    nearest = float(np.diff(places).min()) if len(places) > 1 else span
    slot = min(0.11 * span, 0.8 * nearest)
    top = _top(units, days)
    if onset is not None:
        _onset_band(ax, onset, top)
    handles = _day_estimates(ax, days, slot)
    tips, dots = _subject_dots(ax, units, slot)
    ax.set_xlim(units["x"].min() - 0.09 * span, units["x"].max() + 0.09 * span)
    ax.set_ylim(-0.03 * top, top)
    ax.grid(axis="y")
    percent_axis(ax)
    rows = _name_days(ax, units, days, width=width)
    ax.set_ylabel("recovery cells among microglia")
    columns = 3 if width > 6 else 2
    ax.legend(handles=dots + handles, loc="upper left", bbox_to_anchor=(-0.03, -0.13 - 0.055 * rows), ncols=columns, columnspacing=1.2, handletextpad=0.5)  # fmt: skip
    return figure, tips


def _name_days(ax: Axes, units: pd.DataFrame, days: pd.DataFrame, *, width: float) -> int:
    """Write beneath the axis, for each day, the day, its animals, and q; return how many lines that takes.

    A q that would touch that of the day before stands a line lower.
    """
    q = {float(row["day"]): row.get("q", np.nan) for row in records(days)} if len(days) else {}
    shown = any(np.isfinite(value) for value in q.values())
    size = 9.0 if width < 6 else 9.5
    heads = ["day", "n", *(["q"] if shown else [])]
    for place, head in enumerate(heads):
        ax.annotate(head, (0, 0), xycoords="axes fraction", xytext=(-6, -11 - 13 * place), textcoords="offset points",
                    ha="right", va="top", fontsize=size, color="#47525e")  # fmt: skip
    left, right = ax.get_xlim()
    points = 72 * width * ax.get_position().width / (right - left)
    ticks, labels = [], []
    end = -np.inf  # of the q before, in points
    lowered = False
    for x, group in units.groupby("x", sort=True):
        day = float(group["day"].iloc[0])
        parts = [int((~group["condition"].isin(CONTROLS)).sum()), int(group["condition"].isin(CONTROLS).sum())]
        n = " + ".join(str(part) for part in parts if part)
        value = q.get(day, np.nan)
        lines = ["no day" if np.isnan(day) else f"{day:g}", n]
        if shown:
            words = _short_p(value)
            half = 0.31 * size * len(words)  # half its width; letters are about .62 of their height
            touches = bool(words) and float(str(x)) * points - half < end + 2
            lines += ["", words] if touches else [words]
            end = -np.inf if touches or not words else float(str(x)) * points + half
            lowered |= touches
        ticks.append(float(str(x)))
        labels.append("\n".join(lines))
    ax.set_xticks(ticks, labels, fontsize=size, linespacing=1.35)
    ax.set_xlabel("days after injury (square-root scale)")
    return len(heads) + lowered


def _short_p(value: float) -> str:
    """Return a p as elsewhere on the page, without spaces; nothing where there is none."""
    return "".join(p_value(value).split()) if np.isfinite(value) else ""


def _top(units: pd.DataFrame, days: pd.DataFrame) -> float:
    """Return the upper end of the axis: all dots, and intervals as far as they do not dwarf them."""
    dots = float(units["share"].max())
    high = [float(units["share_high"].max()), dots * 2.5 + 0.01]
    for column in ("high", "smallest_detectable"):
        if column in days and days[column].notna().any():
            high.append(max(float(days[column].max()), dots))
    return max(min(high[:2]), *high[2:], 0.02) * 1.08


def _onset_band(ax: Axes, onset: Mapping[str, Any], top: float) -> None:
    high, low = onset.get("onset_high"), onset.get("onset_low")
    if high is None or not np.isfinite(high):
        return
    start = low if low is not None and np.isfinite(low) else 0.0
    left, right = root_days([start, high])
    ax.axvspan(left, right, color=ONSET, alpha=0.45, lw=0, zorder=0)
    words = f"by day {high:g}" if onset.get("left_censored") is True else f"day {start:g} to {high:g}"
    ax.text((left + right) / 2, 0.985 * top, f"onset:\n{words}", ha="center", va="top", fontsize=9, color=INK)


def _subject_dots(ax: Axes, units: pd.DataFrame, slot: float) -> tuple[dict[str, str], list[Any]]:
    """Draw the animals in slots around their day, controls left of the injured ones."""
    tips: dict[str, str] = {}
    shown: dict[str, Any] = {}
    for place, group in units.groupby("x", sort=True):
        group = group.assign(injured=~group["condition"].isin(CONTROLS), name=group["subject"].astype(str))
        group = group.sort_values(["injured", "condition", "name"])
        n = len(group)
        offsets = (np.arange(n) - (n - 1) / 2) * (slot / max(n, 3))
        size = 6.5 if n <= 8 else 4.5
        for shift, row in zip(offsets, records(group), strict=True):
            colour, marker = CONDITIONS.get(row["condition"], CONDITIONS[Condition.OTHER])
            x, gid = float(str(place)) + shift, f"tip-{len(tips)}"
            ax.plot([x, x], [row["share_low"], row["share_high"]], color=colour, lw=1, alpha=0.45, zorder=3)
            face = colour if row["condition"] == Condition.INJURED else "white"
            ax.plot(x, row["share"], marker, ms=size, mfc=face, mec=colour, mew=1.4, zorder=5, gid=gid)
            tips[gid] = subject_words(row)
            shown[row["condition"]] = Line2D(
                [], [], ls="", marker=marker, ms=6.5, mfc=face, mec=colour, mew=1.4, label=f"{row['condition']} animal"
            )
    return tips, list(shown.values())


def subject_words(row: Mapping[str, Any]) -> str:
    """Return what is known of an animal: who, its share with the interval, k of n called, at which cutoff."""
    facts = [str(row["subject"]), str(row["condition"])]
    facts += [str(row["sex"])] if row.get("sex") and str(row["sex"]) != "nan" else []
    if np.isfinite(row["day"]):
        facts.append(f"day {row['day']:g}")
    elif row["condition"] != Condition.NAIVE:
        facts.append("day not known")
    text = f"{', '.join(facts)}: {100 * row['share']:.1f} %"
    if np.isfinite(row["share_low"]):
        text += f" ({100 * row['share_low']:.1f} to {100 * row['share_high']:.1f} %)"
    text += f"; called {row['k']:.0f} of {row['n']:.0f} microglia"
    text += f" at its cutoff {row['cutoff']:.1f}" if np.isfinite(row.get("cutoff", np.nan)) else ""
    false = row.get("false_rate", np.nan)
    return text + (f" (false positives {100 * false:.1f} %)" if np.isfinite(false) else "")


def _day_estimates(ax: Axes, days: pd.DataFrame, slot: float) -> list[Any]:
    """Draw on each day its estimate, the control's, and the detection limit."""
    if days.empty:
        return []
    days = days.sort_values("day")
    x = root_days(days["day"])
    half = 0.5 * slot
    ax.plot(x, days["fraction"], color=VERMILION, lw=1.2, alpha=0.5, zorder=1)
    for at, row in zip(x, records(days), strict=True):
        if np.isfinite(row["low"]):
            ax.fill_between([at - half, at + half], row["low"], row["high"], color=VERMILION, alpha=0.2, lw=0, zorder=2)
    ax.hlines(days["fraction"], x - half, x + half, color=VERMILION, lw=2.4, zorder=4)
    handles = [_band(VERMILION, "estimate for the day, 95 % interval")]
    if days["control_fraction"].notna().any():
        ax.hlines(days["control_fraction"], x - half, x + half, color=GREY, lw=1.8, zorder=3)
        handles.append(Line2D([], [], color=GREY, lw=1.8, label="estimate for its control"))
    if days["smallest_detectable"].notna().any():
        ax.hlines(days["smallest_detectable"], x - half, x + half, color=INK, lw=1.2, ls=":", zorder=3)
        handles.append(Line2D([], [], color=INK, lw=1.2, ls=":", label="detection limit"))
    return handles


def _band(colour: str, label: str) -> Any:
    """Return an entry of a legend: a line in a pale band."""
    return Patch(facecolor=(*to_rgb(colour), 0.25), edgecolor=colour, lw=1.6, label=label)


def _timeline_words(units: pd.DataFrame, days: pd.DataFrame) -> str:
    parts = []
    for row in records(days.sort_values("day")) if len(days) else []:
        text = f"day {row['day']:g} {100 * row['fraction']:.1f} %"
        text += f" ({100 * row['low']:.1f} to {100 * row['high']:.1f} %)" if np.isfinite(row["low"]) else ""
        text += f", q {row['q']:.2g}" if np.isfinite(row.get("q", np.nan)) else ""
        parts.append(text)
    words = "; ".join(parts) or f"{len(units)} animals"
    return f"Share of recovery cells among microglia by day after injury: {words}."


# ---------------------------------------------------------------- accuracy on simulated data


def truth_scatter(truth: pd.DataFrame) -> Picture | None:
    """Draw the estimated against the true share of each animal (simulated data)."""
    known = truth.dropna(subset=["true_fraction", "called_fraction"])
    if known.empty:
        return None
    column, what = _estimate_of(known)
    with house_style():
        figure, ax = canvas(4.3, 3.7)
        top = max(float(known[["true_fraction", column]].to_numpy().max()) * 1.08, 0.02)
        ax.plot([0, top], [0, top], color=GREY, lw=1, ls="--", zorder=1, label="estimate = truth")
        for condition, group in known.groupby("condition", sort=False):
            colour, marker = CONDITIONS.get(str(condition), CONDITIONS[Condition.OTHER])
            face = colour if condition == Condition.INJURED else "white"
            ax.plot(group["true_fraction"], group[column], marker, ms=6, mfc=face, mec=colour, mew=1.3,
                    ls="", label=str(condition))  # fmt: skip
        ax.set(xlim=(-0.02 * top, top), ylim=(-0.02 * top, top), xlabel="true share", ylabel=f"share {what}")
        ax.grid()
        percent_axis(ax)
        percent_axis(ax, "x")
        ax.locator_params(nbins=6)
        ax.legend(loc="upper left", handletextpad=0.3)
        gap = float((known[column] - known["true_fraction"]).abs().mean())
        alt = f"Share of recovery cells {what} against the true share in {len(known)} simulated animals; mean difference {100 * gap:.1f} percentage points."
        svg = drawing(figure, "truth-scatter", alt)
    return Picture("truth-scatter", "Estimated and true share in every animal", f"A dot is an animal; on the dashed line the estimate is right. n = {len(known)} animals.",
                   alt, (svg,), known, of="truth")  # fmt: skip


def _estimate_of(truth: pd.DataFrame) -> tuple[str, str]:
    """Return the column of the share that is reported, and its name."""
    if "mixture" in truth and truth["mixture"].notna().all():
        return "mixture", "without a cutoff"
    return "called_fraction", "of called cells"


def truth_course(truth: pd.DataFrame) -> Picture | None:
    """Draw the true and the estimated day course of the injured subjects (simulated data)."""
    known = truth.dropna(subset=["true_fraction", "called_fraction", "day"])
    known = known[known["condition"].isin([Condition.INJURED, Condition.NAIVE])]
    if known["day"].nunique() < 2:
        return None
    column, what = _estimate_of(known)
    lines = list(dict.fromkeys(["true_fraction", column, "called_fraction"]))
    means = known.groupby("day")[lines].mean().reset_index()
    with house_style():
        figure, ax = canvas(4.3, 3.7)
        x = root_days(known["day"])
        ax.plot(x, known["true_fraction"], "o", ms=4, mfc="white", mec=INK, alpha=0.7)
        ax.plot(x, known[column], "o", ms=4, color=VERMILION, alpha=0.5, mew=0)
        x = root_days(means["day"])
        ax.plot(x, means["true_fraction"], color=INK, lw=1.6, ls="--", label="true, mean of the animals")
        ax.plot(x, means[column], color=VERMILION, lw=2, label=f"{what}, mean of the animals")
        if column != "called_fraction":
            ax.plot(x, means["called_fraction"], color=GREY, lw=2, ls=":", label="called cells, mean of the animals")
        day_axis(ax, list(means["day"]))
        percent_axis(ax)
        ax.set_ylim(bottom=0)
        ax.set_ylabel("recovery cells among microglia")
        ax.grid(axis="y")
        ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), handletextpad=0.5)
        alt = "True and estimated share by day: " + "; ".join(
            f"day {row['day']:g} true {100 * row['true_fraction']:.1f} %, {what} {100 * row[column]:.1f} %"
            for row in records(means)
        )
        svg = drawing(figure, "truth-course", alt)
    return Picture("truth-course", "Simulated and estimated time course",
                   "Day 0: naive animals; sham animals are left out.", alt, (svg,), means, of="truth")  # fmt: skip
