"""Figure of the sensitivity analysis: when and how high, by the family of choices that differ."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recovery_microglia.core.families import FAMILIES, OTHERS, family_of
from recovery_microglia.core.frame_access import records
from recovery_microglia.core.tables.spec import Kind
from recovery_microglia.core.wording import truthy
from recovery_microglia.figures.style import (
    GREY,
    INK,
    ONSET,
    VERMILION,
    WIDE,
    Picture,
    at_two_widths,
    day_axis,
    house_style,
    percent_axis,
    root_days,
    slug,
)

REPORTED = "as reported"
KINDS = {"family": Kind.TEXT, "analyses": Kind.COUNT, "no_answer": Kind.COUNT, "rise_shown": Kind.COUNT, "compatible": Kind.COUNT,
         "onset_first": Kind.NUMBER, "onset_last": Kind.NUMBER, "share_least": Kind.SHARE, "share_most": Kind.SHARE}  # fmt: skip


def families(table: pd.DataFrame, arm: str = "") -> pd.DataFrame:
    """Return the analyses of an arm with their ``family``, whether they have an answer, and whether it is compatible."""
    own = table[table["arm"].fillna("").astype(str) == arm] if len(table) else table
    if own.empty or "varied" not in own:
        return own.head(0).assign(family="", answered=False, compatible=False)
    varied = own["varied"].fillna("").astype(str)
    return own.assign(
        family=[REPORTED if words in ("", "nothing") else family_of(words).row for words in varied],
        answered=own["agrees"].notna() & (own["agrees"].astype(str) != ""),
        compatible=own["agrees"].map(truthy),
    )


def by_family(own: pd.DataFrame) -> pd.DataFrame:
    """Return a row a family of `families`: how many analyses answer, show a rise and are compatible, and their ranges."""
    rows = []
    for family in (REPORTED, *(known.row for known in (*FAMILIES, OTHERS))):
        part = own[own["family"] == family]
        if part.empty:
            continue
        shown = part[part["answered"] & part["onset_high"].notna()]
        of_microglia = shown[shown["denominator"].astype(str) == "microglia"] if "denominator" in shown else shown
        rows.append(
            (
                family, len(part), int((~part["answered"]).sum()), len(shown), int(part["compatible"].sum()),
                shown["onset_day"].min(), shown["onset_day"].max(), of_microglia["peak_fraction"].min(), of_microglia["peak_fraction"].max(),
            )
        )  # fmt: skip
    return pd.DataFrame(rows, columns=list(KINDS))


def sensitivity(table: pd.DataFrame, arm: str = "") -> Picture | None:
    """Draw the onset and the highest share of every alternative analysis, a row a family of choices.

    Parameters
    ----------
    table
        robustness.tsv.
    arm
        Arm of the study.
    """
    own = families(table, arm)
    if own.empty or "onset_day" not in own:
        return None
    numbers = by_family(own)
    answered = own[own["answered"]]
    reported = own[own["family"] == REPORTED].head(1)
    days = [
        value for column in ("onset_day", "onset_high", "peak_day") for value in answered[column] if np.isfinite(value)
    ]
    last = max(days, default=1.0)

    def draw(width: float) -> Figure:
        figure = Figure(figsize=(width, 1.3 + 0.42 * len(numbers) + (0 if width >= WIDE else 0.3 * len(numbers))))
        left, right = figure.subplots(
            1, 2, sharey=True, gridspec_kw={"width_ratios": (3, 2), "wspace": 0.12 if width >= WIDE else 0.3}
        )
        _reported(left, right, reported)
        for y, row in zip(np.arange(len(numbers))[::-1], records(numbers), strict=True):
            _row(left, right, float(y), answered[answered["family"] == row["family"]])
            words = f"{row['rise_shown']} of {row['analyses']} show a rise" + (
                f", {row['no_answer']} without an answer" if row["no_answer"] else ""
            )
            if width >= WIDE:
                right.text(1.04, y, words, transform=right.get_yaxis_transform(), va="center", fontsize=9)
            else:
                left.text(
                    0.0,
                    y + 0.36,
                    f"{row['family']}: {words}",
                    transform=left.get_yaxis_transform(),
                    va="center",
                    fontsize=8.5,
                )
        left.set_yticks(np.arange(len(numbers))[::-1], numbers["family"] if width >= WIDE else [""] * len(numbers))
        left.set_ylim(-0.6, len(numbers) - 0.2)
        left.set_xlim(0, root_days([last * 1.1])[0])
        day_axis(
            left, [0.0, *own["onset_low"].dropna(), *own["onset_high"].dropna(), last], label="onset (day)", every=False
        )
        percent_axis(right, "x")
        right.set_xlabel("highest share of microglia" if width >= WIDE else "highest share")
        right.set_xlim(left=0)
        right.locator_params(axis="x", nbins=4 if width >= WIDE else 2)
        for ax in (left, right):
            ax.grid(axis="x")
            ax.tick_params(axis="y", length=0)
        return figure

    alt = "Sensitivity analysis by family: " + "; ".join(
        f"{row['family']} {row['rise_shown']} of {row['analyses']} show a rise" for row in records(numbers)
    )
    with house_style():
        svg, narrow = at_two_widths(draw, f"sensitivity-{arm}", alt + ".")
    return Picture(
        "sensitivity" + (f"-{slug(arm)}" if arm else ""),
        "Onset and highest share under other analysis choices" + (f": {arm}" if arm else ""),
        "A dot is one analysis: left the day on which a quarter of the rise is reached, right the highest share (only analyses that take it of microglia). "
        "Filled: compatible with the reported onset (shaded: its 95 % interval). Analyses share cells, animals and model and are not votes; a family whose dots lie elsewhere shows "
        "what the answer is sensitive to.",
        alt + ".",
        (svg,),
        numbers,
        kinds=KINDS,
        wide=True,
        narrow=narrow,
    )


def _reported(left: Axes, right: Axes, reported: pd.DataFrame) -> None:
    """Shade the reported interval, and draw the reported share as a line."""
    for row in records(reported):
        low, high = (float(row[name]) for name in ("onset_low", "onset_high"))
        if np.isfinite(high):
            ends = root_days([low if np.isfinite(low) else 0.0, high])
            left.axvspan(*ends, color=ONSET, alpha=0.45, lw=0, zorder=0)
        if np.isfinite(row["peak_fraction"]):
            right.axvline(row["peak_fraction"], color=GREY, lw=1, ls=":", zorder=0)


def _row(left: Axes, right: Axes, y: float, part: pd.DataFrame) -> None:
    """Draw the analyses of a family, those at one place beneath each other."""
    for ax, values in ((left, root_days(part["onset_day"])), (right, part["peak_fraction"].to_numpy(float))):
        shown: Any = np.isfinite(values) & np.isfinite(part["onset_high"].to_numpy(float))
        if ax is right and "denominator" in part:
            shown &= (part["denominator"].astype(str) == "microglia").to_numpy()
        beside = y + np.random.default_rng(0).uniform(-0.16, 0.16, len(values))
        agrees = part["compatible"].to_numpy(bool)
        colour = VERMILION if (part["family"] == REPORTED).any() else INK
        for mask, face in ((shown & ~agrees, "white"), (shown & agrees, colour)):
            ax.plot(values[mask], beside[mask], "o", ms=5, mfc=face, mec=colour, mew=1.0, ls="", alpha=0.8)
