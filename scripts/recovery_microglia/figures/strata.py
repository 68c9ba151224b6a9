"""Figure of the course by sex."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recovery_microglia.core.frame_access import records
from recovery_microglia.figures.style import (
    Picture,
    at_two_widths,
    canvas,
    day_axis,
    house_style,
    legend,
    percent_axis,
    root_days,
    sidestep,
    slug,
)

LOOKS: tuple[tuple[str, str, str], ...] = (
    ("#332288", "o", "-"), ("#117733", "s", "--"), ("#882255", "D", "-."), ("#997700", "^", ":"),
)  # fmt: skip
"""Colour, marker and line of the strata in order: they differ without colour, too."""


def strata_courses(strata: pd.DataFrame, arm: str = "") -> Picture | None:
    """Draw the day course of each stratum with its intervals, and its controls.

    Parameters
    ----------
    strata
        strata.tsv.
    arm
        The arm of the study within which they are divided.
    """
    if strata.empty:
        return None
    own = strata[strata["fraction"].notna() & (strata["arm"].fillna("").astype(str) == arm)]
    names = sorted(own["stratum"].astype(str).unique())
    if own.empty or len(names) < 2:
        return None
    shown = names[: len(LOOKS)]
    span = float(np.ptp(root_days(own["day"]))) or 1.0

    def draw(width: float) -> Figure:
        figure, ax = canvas(width, 3.5)
        for name, shift, look in zip(shown, sidestep(len(shown), 0.05 * span), LOOKS, strict=False):
            _course(ax, own[own["stratum"].astype(str) == name].sort_values("day"), name, shift, look)
        day_axis(ax, list(own["day"]), label="days after injury (square-root scale)")
        percent_axis(ax)
        ax.set_ylim(bottom=0)
        ax.set_ylabel("recovery cells among microglia")
        ax.grid(axis="y")
        legend(ax, width, handlelength=2.4, ncols=1)
        return figure

    alt = f"Share of recovery cells by day and sex: {_words(own, shown)}."
    with house_style():
        svg, narrow = at_two_widths(draw, f"strata-sex-{arm}", alt)
    columns = ["stratum", "day", "n_subjects", "k", "n", "fraction", "low", "high", "control_fraction", "n_control_subjects",
               "difference", "p", "q", "status", "reason"]  # fmt: skip
    left_out = f" The first {len(shown)} of {len(names)} are drawn." if len(names) > len(shown) else ""
    return Picture(
        "strata-sex" + (f"-{slug(arm)}" if arm else ""),
        "By sex" + (f": {arm}" if arm else ""),
        "Estimates for the day with 95 % intervals over animals (none where there is one animal); short lines are the controls of the same "
        "sex. Whether the courses differ is a test of its own, below: two results of which only one is significant are "
        f"not a difference.{left_out}",
        alt,
        (svg,),
        own[[column for column in columns if column in own]],
        of="strata",
        wide=True,
        narrow=narrow,
    )


def _course(ax: Axes, rows: pd.DataFrame, name: str, shift: float, look: tuple[str, str, str]) -> None:
    """Draw one stratum: line, intervals, controls."""
    colour, marker, line = look
    x = root_days(rows["day"]) + shift
    animals = int(rows["n_subjects"].sum())
    known = rows["low"].notna().to_numpy()
    ax.vlines(x[known], rows["low"][known], rows["high"][known], color=colour, lw=1.6)
    ax.plot(x, rows["fraction"], line, marker=marker, color=colour, lw=1.6, ms=6.5, mec="white", mew=0.8,
            label=f"{name} ({animals} injured animals)")  # fmt: skip
    if rows["control_fraction"].notna().any():
        ax.hlines(rows["control_fraction"], x - 0.09, x + 0.09, color=colour, lw=1.2, ls=":")


def _words(own: pd.DataFrame, names: list[str]) -> str:
    parts = []
    for name in names:
        rows = records(own[own["stratum"].astype(str) == name].sort_values("day"))
        parts.append(f"{name} " + ", ".join(f"day {row['day']:g} {100 * row['fraction']:.1f} %" for row in rows))
    return "; ".join(parts)
