"""Figures of where the Igf1 counts come from: lineages, and states of the microglia, over days."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from recovery_microglia.core.tables.spec import Kind
from recovery_microglia.core.vocabulary import Condition, rank_of
from recovery_microglia.core.wording import by_condition, percent
from recovery_microglia.figures.contrast import group_words, says_more
from recovery_microglia.figures.palette import lineage_colour, lineage_name, state_colour
from recovery_microglia.figures.style import WIDE, Picture, at_two_widths, canvas, house_style, legend, percent_axis

SMALL = 0.03
"""A source that never gives more than this is put with the others of its kind."""
MOST_LINEAGES = 6
MICROGLIA = ("recovery_microglia", "microglia")
FEWEST_COUNTS = 20
"""Igf1 counts of an animal below which its shares are chance, and nothing is drawn."""
ANIMAL = ["subject", "day", "condition"]
UNKNOWN = ", day not known"
STATES_TOGETHER = "#8fa3b8"
OTHER_STATES, OTHER_CELLS = "microglia, other states", "everything else"


def igf1_sources(shares: pd.DataFrame, states: pd.DataFrame, ages: pd.Series | None = None) -> Picture | None:
    """Draw which lineages carry the *Igf1* counts by condition and day, arm and age (means over animals), microglia by their state.

    Animals with fewer than `FEWEST_COUNTS` counts are left out.

    Parameters
    ----------
    shares
        igf1_share.tsv.
    states
        igf1_states.tsv; where it is empty, microglia are divided into recovery cells and others.
    ages
        Subject to age, where it is stated; see `group_words`.
    """
    shares = shares.assign(group=_groups(shares, ages))  # of all animals: those that are drawn may be of one age
    known = shares[shares["share"].notna() & (shares["total_igf1_counts"] >= FEWEST_COUNTS)]
    if known.empty:
        return None
    parts = _by_state(known, states)
    counts = known.drop_duplicates(ANIMAL).set_index([*ANIMAL, "group"])["total_igf1_counts"]
    return _drawn(parts, counts, "igf1", "Sources of Igf1 by lineage", "share of all Igf1 counts (mean of the animals)",
                  "Microglia are divided by state; a cell that runs several programmes is counted under recovery first, and recovery means the "
                  "cells that were called.")  # fmt: skip


def igf1_within(states: pd.DataFrame, ages: pd.Series | None = None) -> Picture | None:
    """Draw which states hold the *Igf1* counts of the microglia by condition and day, arm and age (means over animals).

    Animals with fewer than `FEWEST_COUNTS` counts in their microglia are left out.
    """
    if states.empty:
        return None
    states = states.assign(group=_groups(states, ages))
    known = states[states["share"].notna() & (states["microglia_igf1_counts"] >= FEWEST_COUNTS)]
    if known.empty:
        return None
    counts = known.drop_duplicates(ANIMAL).set_index([*ANIMAL, "group"])["microglia_igf1_counts"]
    inside = known.assign(source="microglia: " + known["state"])
    return _drawn(inside, counts, "igf1-within", "Sources of Igf1 within microglia", "share of the microglia's Igf1 counts (mean of the animals)",
                  _called_part(known))  # fmt: skip


def _called_part(known: pd.DataFrame) -> str:
    """Return what part of the microglia's *Igf1* counts the called cells hold; nothing where no cell was called."""
    cells = known["cells"] / known.groupby(ANIMAL, dropna=False)["cells"].transform("sum")
    own = (known["state"] == "recovery") & (known["cells"] > 0)
    if not own.any():
        return "No cell was called in these animals."
    return (
        f"In the {int(own.sum())} animals with called cells, these are {percent(cells[own].mean())} of the microglia and hold "
        f"{percent(known.loc[own, 'share'].mean())} of their Igf1 counts (means). Igf1 is one of the genes that cells are called by, so "
        "called cells hold more than their share by construction."
    )


def _by_state(known: pd.DataFrame, states: pd.DataFrame) -> pd.DataFrame:
    """Return rows subject, day, condition, group, source, share, in which microglia are divided by state."""
    keys = [*ANIMAL, "group"]
    others = known[~known["lineage"].isin(MICROGLIA)].rename(columns={"lineage": "source"})[[*keys, "source", "share"]]
    own = known[known["lineage"].isin(MICROGLIA)]
    if states.empty:
        return pd.concat([own.rename(columns={"lineage": "source"})[[*keys, "source", "share"]], others])
    total = own.groupby(keys, dropna=False)["share"].sum().rename("of_all").reset_index()
    divided = states[[*ANIMAL, "state", "share"]].fillna({"share": 0.0}).merge(total, on=ANIMAL)
    # what other states hold is shown among the microglia alone: their colours are those of other lineages
    state = divided["state"].where(divided["state"].isin(["recovery", "near_recovery", "homeostatic"]), "other")
    divided = divided.assign(source="microglia: " + state, share=divided["share"] * divided["of_all"])
    return pd.concat([divided[[*keys, "source", "share"]], others])


def _drawn(parts: pd.DataFrame, counts: pd.Series, name: str, title: str, label: str, caption: str) -> Picture:
    """Return a figure of stacked shares, a bar a condition and day; ``counts``: *Igf1* counts of each animal that is drawn."""
    bars = ["condition", "day", "group"]
    parts = parts.assign(day=parts["day"].astype(float))
    sums = parts.groupby([*bars, "source"], dropna=False)["share"].sum()
    summed = sums.unstack("source").fillna(0.0)  # noqa: PD010  (pivot_table would leave out days that are not known)
    per_bar = counts.rename("counts").reset_index().astype({"day": float}).groupby(bars, dropna=False)["counts"]
    animals, total = per_bar.size().reindex(summed.index), per_bar.sum().reindex(summed.index)
    summed = summed.div(animals, axis=0)
    place = [
        (rank_of(str(condition)), np.inf if np.isnan(day) else float(day), at)
        for at, (condition, day, _) in enumerate(summed.index)
    ]
    rows = [at for *_, at in sorted(place)]
    shown, n, n_counts = _kept(summed).iloc[rows], animals.iloc[rows].to_numpy(int), total.iloc[rows].to_numpy(int)
    named = [f"{group} (n = {k}; {c:,} counts)" for (*_, group), k, c in zip(shown.index, n, n_counts, strict=True)]

    def draw(width: float) -> Figure:
        figure, ax = canvas(width, 0.9 + (0.3 if width >= WIDE else 0.46) * len(shown))
        left, y = np.zeros(len(shown)), np.arange(len(shown))[::-1]
        for source in shown.columns:
            values = shown[source].to_numpy(float)
            ax.barh(y, values, left=left, color=_colour(source), ec="white", lw=0.6, label=_name(source))
            left = left + values
        ax.set_yticks(y, named if width >= WIDE else [text.replace(" (", "\n(") for text in named])
        ax.set_xlim(0, 1)
        percent_axis(ax, "x")
        ax.set_xlabel(label)
        ax.tick_params(axis="y", length=0)
        legend(ax, width)
        return figure

    alt = f"{title}, {by_condition(parts['condition'], parts['day'])}; the largest source on average is {_name(str(shown.mean().idxmax()))}."
    with house_style():
        svg, narrow = at_two_widths(draw, name, alt)
    numbers = shown.rename(columns=_name).reset_index()
    groups = numbers.pop("group")
    numbers.insert(2, "animals", n)
    numbers.insert(3, "counts", n_counts)
    if says_more(groups.str.removesuffix(UNKNOWN), numbers["condition"], numbers["day"]):
        numbers.insert(2, "group", groups)
    kinds = {
        "group": Kind.TEXT,
        "animals": Kind.COUNT,
        "counts": Kind.COUNT,
        **dict.fromkeys(map(_name, shown.columns), Kind.SHARE),
    }
    limit = f"n: animals with at least {FEWEST_COUNTS} Igf1 counts; others are not drawn."
    return Picture(name, title, f"{caption} {limit}", alt, (svg,), numbers, of="igf1_share", kinds=kinds, wide=True, narrow=narrow)  # fmt: skip


def _groups(rows: pd.DataFrame, ages: pd.Series | None) -> pd.Series:
    """Return the group of each row in words; where days are known of others, that a day is not known is said, but not of naive animals."""
    words = group_words(rows, ages)
    unknown = rows["day"].isna() & (rows["condition"] != Condition.NAIVE) & bool(rows["day"].notna().any())
    return words + np.where(unknown, UNKNOWN, "")


def _kept(table: pd.DataFrame) -> pd.DataFrame:
    """Return the sources that matter, recovery first, microglia before others; small ones are put together."""
    sources = [str(c) for c in table]
    of_microglia = [c for c in sources if c.startswith("microglia: ") or c in MICROGLIA]
    large = table.max()
    # recovery cells stand for themselves however few they are; a source without a count would be an entry of the legend without a bar
    called = {"microglia: recovery", *MICROGLIA}
    states = [c for c in of_microglia if large[c] >= SMALL or (c in called and large[c] > 0)]
    states.sort(key=lambda c: ({"microglia: recovery": 0, "recovery_microglia": 0, "microglia: near_recovery": 1,
                                "microglia: homeostatic": 2, "microglia: other": 9}.get(c, 3), c))  # fmt: skip
    cells = [c for c in sources if c not in of_microglia]
    kept = sorted(cells, key=lambda c: -large[c])[:MOST_LINEAGES]
    kept = [c for c in kept if large[c] >= SMALL]
    shown = table[states].copy()
    small_states, small_cells = [c for c in of_microglia if c not in states], [c for c in cells if c not in kept]
    if table[small_states].to_numpy().any():
        together = "microglia: other" if "microglia: other" in states else OTHER_STATES  # one name on the page
        shown[together] = table[small_states].sum(axis=1) + shown.get(together, 0.0)
    shown[kept] = table[kept]
    if table[small_cells].to_numpy().any():
        shown[OTHER_CELLS] = table[small_cells].sum(axis=1)
    return shown


def _colour(source: str) -> str:
    if source == "microglia: other":
        return STATES_TOGETHER
    if source.startswith("microglia: "):
        return state_colour(source.removeprefix("microglia: "))
    return {OTHER_STATES: STATES_TOGETHER}.get(source, lineage_colour(source))


def _name(source: str) -> str:
    if source == "microglia: other":
        return OTHER_STATES
    if source.startswith("microglia: "):
        state = source.removeprefix("microglia: ")
        return "microglia, no state stands out" if state == "none" else f"microglia, {lineage_name(state)}"
    return source if source in (OTHER_STATES, OTHER_CELLS) else lineage_name(source)
