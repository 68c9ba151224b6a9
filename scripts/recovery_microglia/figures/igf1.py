"""Figures of where the Igf1 counts come from: lineages, and states of the microglia, over days."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from recovery_microglia.core.tables.spec import Kind
from recovery_microglia.core.vocabulary import Condition
from recovery_microglia.figures.palette import lineage_colour, lineage_name, state_colour
from recovery_microglia.figures.style import Picture, at_two_widths, canvas, house_style, legend, percent_axis

SMALL = 0.03
"""A source that never gives more than this is put with the others of its kind."""
MOST_LINEAGES = 6
MICROGLIA = ("recovery_microglia", "microglia")
STATES_TOGETHER = "#8fa3b8"
OTHER_STATES, OTHER_CELLS = "microglia, other states", "everything else"


def igf1_sources(shares: pd.DataFrame, states: pd.DataFrame) -> Picture | None:
    """Draw which lineages carry the *Igf1* counts by condition and day (means over animals), microglia by their state.

    Parameters
    ----------
    shares
        igf1_share.tsv.
    states
        igf1_states.tsv; where it is empty, microglia are divided into recovery cells and others.
    """
    known = shares[shares["share"].notna()]
    if known.empty:
        return None
    parts = _by_state(known, states)
    return _drawn(parts, "igf1", "Where the Igf1 counts come from", "share of all Igf1 counts, mean of the animals",
                  "Each bar is a condition and day. Microglia are divided by state (a cell that runs several programmes is counted under recovery first); recovery: the called cells.")  # fmt: skip


def igf1_within(states: pd.DataFrame) -> Picture | None:
    """Draw which states hold the *Igf1* counts of the microglia by condition and day (means over animals)."""
    known = states[states["share"].notna()] if len(states) else states
    if known.empty:
        return None
    cells = known["cells"] / known.groupby(["subject", "day", "condition"], dropna=False)["cells"].transform("sum")
    inside = known.assign(source="microglia: " + known["state"])
    own = known["state"] == "recovery"
    note = (
        "Igf1 is one of the genes that cells are called by, so called cells hold more than their share by construction."
    )
    if own.any():
        note = (
            f"Where recovery cells were called they are {100 * cells[own].mean():.0f} % of an animal's microglia and hold "
            f"{100 * known.loc[own, 'share'].mean():.0f} % of their Igf1 counts (means of {int(own.sum())} animals). {note}"
        )
    return _drawn(inside, "igf1-within", "Which microglia hold the Igf1 counts", "share of the microglia's Igf1 counts, mean of the animals",
                  note)  # fmt: skip


def _by_state(known: pd.DataFrame, states: pd.DataFrame) -> pd.DataFrame:
    """Return rows subject, day, condition, source, share, in which microglia are divided by state."""
    animals = ["subject", "day", "condition"]
    others = known[~known["lineage"].isin(MICROGLIA)].rename(columns={"lineage": "source"})[
        [*animals, "source", "share"]
    ]
    own = known[known["lineage"].isin(MICROGLIA)]
    if states.empty:
        return pd.concat([own.rename(columns={"lineage": "source"})[[*animals, "source", "share"]], others])
    total = own.groupby(animals, dropna=False)["share"].sum().rename("of_all").reset_index()
    divided = states[[*animals, "state", "share"]].fillna({"share": 0.0}).merge(total, on=animals)
    # what other states hold is shown among the microglia alone: their colours are those of other lineages
    state = divided["state"].where(divided["state"].isin(["recovery", "near_recovery", "homeostatic"]), "other")
    divided = divided.assign(source="microglia: " + state, share=divided["share"] * divided["of_all"])
    return pd.concat([divided[[*animals, "source", "share"]], others])


def _drawn(parts: pd.DataFrame, name: str, title: str, label: str, caption: str) -> Picture:
    """Return a figure of stacked shares, a bar a condition and day."""
    parts = parts.assign(day=parts["day"].fillna(0.0))
    animals = parts.groupby(["condition", "day"])["subject"].nunique()
    summed = parts.pivot_table(
        index=["condition", "day"], columns="source", values="share", aggfunc="sum", fill_value=0.0
    )
    summed = summed.div(animals, axis=0)
    order = {condition: place for place, condition in enumerate(Condition)}
    summed = summed.loc[sorted(summed.index, key=lambda key: (order.get(key[0], 9), key[1]))]
    shown = _kept(summed)

    def draw(width: float) -> Figure:
        figure, ax = canvas(width, 0.9 + 0.3 * len(shown))
        left, y = np.zeros(len(shown)), np.arange(len(shown))[::-1]
        for source in shown.columns:
            values = shown[source].to_numpy(float)
            ax.barh(y, values, left=left, color=_colour(source), ec="white", lw=0.6, label=_name(source))
            left = left + values
        rows = [f"{condition}, day {day:g} (n={animals[condition, day]})" for condition, day in shown.index]
        ax.set_yticks(y, rows)
        ax.set_xlim(0, 1)
        percent_axis(ax, "x")
        ax.set_xlabel(label)
        ax.tick_params(axis="y", length=0)
        legend(ax, width)
        return figure

    alt = f"{title}, by condition and day; the largest source on average is {_name(str(shown.mean().idxmax()))}."
    with house_style():
        svg, narrow = at_two_widths(draw, name, alt)
    numbers = shown.rename(columns=_name).reset_index()
    numbers.insert(
        2, "animals", [int(animals[c, d]) for c, d in zip(numbers["condition"], numbers["day"], strict=True)]
    )
    kinds = {"animals": Kind.COUNT, **dict.fromkeys(map(_name, shown.columns), Kind.SHARE)}
    return Picture(name, title, caption, alt, (svg,), numbers, of="igf1_share", kinds=kinds, wide=True, narrow=narrow)


def _kept(table: pd.DataFrame) -> pd.DataFrame:
    """Return the sources that matter, recovery first, microglia before others; small ones are put together."""
    sources = [str(c) for c in table]
    of_microglia = [c for c in sources if c.startswith("microglia: ") or c in MICROGLIA]
    large = table.max()
    states = [c for c in of_microglia if large[c] >= SMALL or c.endswith("recovery") or c in MICROGLIA]
    states.sort(key=lambda c: ({"microglia: recovery": 0, "recovery_microglia": 0, "microglia: near_recovery": 1,
                                "microglia: homeostatic": 2, "microglia: other": 9}.get(c, 3), c))  # fmt: skip
    cells = [c for c in sources if c not in of_microglia]
    kept = sorted(cells, key=lambda c: -large[c])[:MOST_LINEAGES]
    kept = [c for c in kept if large[c] >= SMALL]
    shown = table[states].copy()
    small_states, small_cells = [c for c in of_microglia if c not in states], [c for c in cells if c not in kept]
    if table[small_states].to_numpy().any():
        shown[OTHER_STATES] = table[small_states].sum(axis=1)
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
