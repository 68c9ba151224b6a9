"""Figure of the groups there are, where no course over days can be drawn."""

import re
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from recovery_microglia.core.frame_access import groups, records
from recovery_microglia.core.vocabulary import Condition, rank_of
from recovery_microglia.core.wording import with_day
from recovery_microglia.figures.course import UNIT_COLUMNS, shares_of_animals, subject_words
from recovery_microglia.figures.style import (
    VERMILION,
    Picture,
    canvas,
    drawing,
    house_style,
    mark_of,
    percent_axis,
)

MOST_GROUPS = 16


def contrast(units: pd.DataFrame, days: pd.DataFrame, ages: pd.Series | None = None) -> Picture | None:
    """Draw every animal's share of recovery cells by group: condition, arm, day and age, as far as they vary.

    Parameters
    ----------
    units
        Rows of fractions.tsv (route ``score``, of microglia).
    days
        Rows of timeline.tsv; may be empty.
    ages
        Subject to age, where it is stated.
    """
    own = grouped_animals(units, days, ages)
    if own.empty:
        return None
    found = list(dict.fromkeys(own["group"]))
    order = found[:MOST_GROUPS]
    left_out = f" The first {MOST_GROUPS} of {len(found)} groups are drawn." if len(found) > MOST_GROUPS else ""
    drawn = own[own["group"].isin(order)]
    sizes = drawn["group"].value_counts()
    top = max(float(drawn["share_high"].max()), 0.02) * 1.08
    mean = " The vermilion line is the mean of a group's animals." if (sizes > 1).any() else ""
    means = {str(name): float(part["share"].mean()) for (name,), part in groups(drawn, ["group"])}
    alt = "Share of recovery cells among microglia by group, mean of the animals: " + "; ".join(
        f"{name} {100 * means[name]:.1f} % (n = {sizes[name]})" for name in order
    )

    def draw(width: float) -> tuple[Figure, dict[str, str]]:
        figure, ax = canvas(width, 0.9 + 0.42 * len(order))
        tips: dict[str, str] = {}
        for y, name in zip(np.arange(len(order))[::-1], order, strict=True):
            part = records(drawn[drawn["group"] == name].sort_values("subject", key=lambda names: names.astype(str)))
            offsets = (np.arange(len(part)) - (len(part) - 1) / 2) * (0.7 / max(len(part), 4))
            for shift, row in zip(offsets, part, strict=True):
                colour, marker, face = mark_of(row["condition"])
                gid = f"tip-{len(tips)}"
                ax.plot([row["share_low"], row["share_high"]], [y - shift, y - shift], color=colour, lw=1, alpha=0.45)
                ax.plot(row["share"], y - shift, marker, ms=6, mfc=face, mec=colour, mew=1.3, gid=gid)
                tips[gid] = subject_words(row)
            if len(part) > 1:  # the mean of one animal is that animal
                ax.plot([means[name]] * 2, [y - 0.42, y + 0.42], color=VERMILION, lw=2.4)
        ax.set_yticks(np.arange(len(order))[::-1], [f"{name} (n = {sizes[name]})" for name in order])
        ax.set_xlim(-0.02 * top, top)
        ax.set_ylim(-0.6, len(order) - 0.4)
        percent_axis(ax, "x")
        ax.set_xlabel("recovery cells among microglia")
        ax.grid(axis="x")
        ax.tick_params(axis="y", length=0)
        return figure, tips

    with house_style():
        made = [
            drawing(figure, f"contrast-{width}", alt, tips) for width in (7.6, 3.0) for figure, tips in [draw(width)]
        ]
    return Picture(
        "contrast",
        "Share of recovery cells among microglia by group, every animal",
        f"A mark is one animal with the 95 % interval from its own cells; controls are open.{mean} n: animals. "
        f"This is a description, not a test.{left_out}",
        alt + ".",
        (made[0],),
        drawn[[column for column in UNIT_COLUMNS if column in drawn]],
        of="fractions",
        wide=True,
        narrow=made[1],
    )


def grouped_animals(units: pd.DataFrame, days: pd.DataFrame, ages: pd.Series | None = None) -> pd.DataFrame:
    """Return the animals with called microglia, with their ``share`` and their ``group``, controls first; see `contrast`."""
    own = shares_of_animals(units, days)
    return in_groups(own[(own["n"] > 0) & own["share"].notna()], ages)


def in_groups(rows: pd.DataFrame, ages: pd.Series | None = None) -> pd.DataFrame:
    """Return rows of animals with the ``group`` of each in words, ordered by group, controls first."""
    condition = rows["condition"].astype(str)
    words = group_words(rows.assign(day=rows["day"].where(condition != Condition.NAIVE)), ages)
    # what is other is no group unless something more is known of it
    words = words.where(words != Condition.OTHER, words + ", " + rows["subject"].astype(str))
    own = rows.assign(rank=condition.map(rank_of), group=words, name=in_order(words))
    return own.sort_values(["rank", "day", "name"], na_position="first", kind="stable").drop(columns="name")


def in_order(names: pd.Series | pd.Index) -> Any:
    """Return keys that sort names as a reader counts: P4 before P30."""
    return names.map(lambda name: re.sub(r"\d+", lambda number: number[0].zfill(9), str(name)))


def group_words(rows: pd.DataFrame, ages: pd.Series | None = None) -> pd.Series:
    """Return the group of each row (cells or animals) in words: condition, arm and, where it varies, age, then the day.

    Without the age pups and aged animals of a study without days would be one group.
    """
    head = rows["condition"].astype(str)
    age = (
        rows["subject"].astype(object).map(ages).fillna("").astype(str)
        if ages is not None and "subject" in rows
        else None
    )
    arm = rows["arm"].astype(object).fillna("").astype(str) if "arm" in rows else None
    for more in (arm, age if age is not None and age.nunique() > 1 else None):
        if more is not None:
            head = head + np.where(more != "", ", " + more, "")
    return pd.Series([with_day(*pair) for pair in zip(head, rows["day"].astype(float), strict=True)], index=rows.index)


def says_more(groups: pd.Series, conditions: pd.Series, days: pd.Series) -> bool:
    """Whether the words of groups say more than their condition and day do."""
    return list(groups) != [with_day(str(c), float(d)) for c, d in zip(conditions, days, strict=True)]
