"""Figures of the subgroup beside the other states: scores by state and by animal, genes by state."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from recovery_microglia.core.arrays import Floats
from recovery_microglia.core.frame_access import groups, records
from recovery_microglia.core.tables.spec import Kind
from recovery_microglia.core.vocabulary import CONTROLS, rank_of
from recovery_microglia.core.wording import listed
from recovery_microglia.figures.contrast import group_words, in_order
from recovery_microglia.figures.dots import Look, draw_dots
from recovery_microglia.figures.genes import counted_genes
from recovery_microglia.figures.palette import STATES, lineage_name, state_colour
from recovery_microglia.figures.style import (
    BLUE,
    GREY,
    INK,
    VERMILION,
    WIDE,
    Picture,
    at_two_widths,
    canvas,
    house_style,
    short_names,
)

FEWEST_CELLS = 10
"""Cells of a state below which neither a violin nor a dot is drawn."""
MOST_DOTS = 80
"""Cells of an animal that are drawn as dots; of more, so many at random."""
MOST_ANIMALS = 60
NAME_OF_ANIMAL = 14
"""Letters of an animal's name that a phone has room for."""
LOOK = Look(INK, least=3, added=110, palest=0.08)
ANIMAL_KINDS = {
    "subject": Kind.TEXT, "condition": Kind.TEXT, "day": Kind.DAY, "cells": Kind.COUNT, "median_score": Kind.NUMBER,
    "cutoff": Kind.NUMBER, "above_cutoff": Kind.COUNT, "false_rate": Kind.SHARE,
}  # fmt: skip
STATE_KINDS = {"state": Kind.STATE, "cells": Kind.COUNT, "animals": Kind.COUNT, "lower_quartile": Kind.NUMBER,
               "median": Kind.NUMBER, "upper_quartile": Kind.NUMBER}  # fmt: skip
GENE_KINDS = {"state": Kind.STATE, "gene": Kind.GENE, "cells": Kind.COUNT, "share_detected": Kind.SHARE, "mean_counts_per_10k": Kind.NUMBER}  # fmt: skip


def scored(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the microglia that have a score."""
    if cells.empty or "recovery_score" not in cells:
        return cells.head(0)
    known = cells[cells["recovery_score"].notna()]
    return known[known["lineage"] == "microglia"] if "lineage" in known else known


def _states(cells: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return cells with their state as text, and the states of enough cells in order."""
    named = cells.assign(state=cells["state"].astype(object).fillna("").astype(str))
    sizes = named["state"].value_counts()
    return named, [name for name in STATES if sizes.get(name, 0) >= FEWEST_CELLS]


# ---------------------------------------------------------------- scores by state


def scores_by_state(cells: pd.DataFrame) -> Picture | None:
    """Draw the recovery score of the microglia of each state as violins with quartiles.

    Parameters
    ----------
    cells
        One row a myeloid cell: recovery_score, state, subject, lineage.
    """
    known = scored(cells)
    if known.empty or "state" not in known:
        return None
    known, order = _states(known)
    if len(order) < 2:
        return None
    values = {name: known.loc[known["state"] == name, "recovery_score"].to_numpy(float) for name in order}
    low, high = np.quantile(np.concatenate(list(values.values())), [0.001, 0.999])

    def draw(width: float) -> Figure:
        figure, ax = canvas(width, 0.9 + 0.42 * len(order))
        for y, name in zip(np.arange(len(order))[::-1], order, strict=True):
            own = values[name]
            _violin(ax, float(y), own[(own >= low) & (own <= high)], state_colour(name))
        ax.set_yticks(
            np.arange(len(order))[::-1], [f"{lineage_name(name)} (n = {len(values[name]):,})" for name in order]
        )
        ax.set_xlim(low - 0.02 * (high - low), high + 0.02 * (high - low))
        ax.set_xlabel("recovery score (log-likelihood ratio, nats)")
        ax.axvline(0, color=INK, lw=1.2, ls=":", zorder=0)
        ax.grid(axis="x")
        ax.tick_params(axis="y", length=0)
        return figure

    rows = []
    for name in order:
        quartiles = np.quantile(values[name], [0.25, 0.5, 0.75])
        animals = known.loc[known["state"] == name, "subject"].nunique() if "subject" in known else 0
        rows.append((name, len(values[name]), animals, *quartiles))
    numbers = pd.DataFrame(rows, columns=list(STATE_KINDS))
    alt = "Median recovery score by state: " + ", ".join(f"{lineage_name(r[0])} {r[4]:.1f}" for r in rows) + "."
    with house_style():
        svg, narrow = at_two_widths(draw, "scores-by-state", alt)
    return Picture(
        "scores-by-state",
        "Recovery score by state",
        "Violins of single microglia; the dot is the median, the bar the quartiles. n: cells. At 0 (dotted) the recovery programme and its absence are equally likely. "
        f"States of fewer than {FEWEST_CELLS} cells are not drawn.{_not_called(known)}",
        alt,
        (svg,),
        numbers,
        kinds=STATE_KINDS,
        wide=True,
        narrow=narrow,
    )


def _not_called(cells: pd.DataFrame) -> str:
    """Return why the state of recovery has more cells than were called, where it has."""
    if "recovery_call" not in cells:
        return ""
    n = int(((cells["state"] == "recovery") & (cells["recovery_call"].astype(str) != "yes")).sum())
    return (
        f" {n:,} {'cell' if n == 1 else 'cells'} in the state recovery {'is' if n == 1 else 'are'} not called."
        if n
        else ""
    )


def _violin(ax: Axes, y: float, values: Floats, colour: str) -> None:
    """Draw a horizontal violin with its median and quartiles."""
    step = max(float(np.ptp(values)), 1e-9) / 40
    edges = values.min() - 3 * step + step * np.arange(48)
    counts, _ = np.histogram(values, edges)
    smooth = np.convolve(counts.astype(float), [1, 2, 3, 2, 1], "same") / 9
    half = 0.4 * smooth / max(smooth.max(), 1e-9)
    centres = (edges[1:] + edges[:-1]) / 2
    ax.fill_between(centres, y - half, y + half, color=colour, alpha=0.85, lw=0)
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    ax.plot([low, high], [y, y], color=INK, lw=2.5, solid_capstyle="butt")
    ax.plot(middle, y, "o", ms=5.5, mfc="white", mec=INK, mew=1.2)


# ---------------------------------------------------------------- scores by animal


def scores_by_animal(cells: pd.DataFrame, units: pd.DataFrame, ages: pd.Series | None = None) -> Picture | None:
    """Draw the recovery scores of every animal's microglia with the animal's own cutoff.

    Parameters
    ----------
    cells
        One row a myeloid cell: recovery_score, recovery_call, cutoff (the animal's), subject, day, condition.
    units
        Rows of fractions.tsv (route ``score``, of microglia), for the false-positive rate at each cutoff.
    ages
        Subject to age, where it is stated.
    """
    known = scored(cells)
    if known.empty or "cutoff" not in known or known["cutoff"].isna().all():
        return None
    animals = known.drop_duplicates(["subject", "day", "condition"])
    animals = animals.assign(
        rank=animals["condition"].astype(str).map(rank_of),
        day=animals["day"].astype(float),
        group=group_words(animals, ages),
    )
    animals = animals.assign(name=in_order(animals["group"])).sort_values(
        ["rank", "day", "name", "subject"], kind="stable"
    )
    # of too many animals some of each group: the last day is often the one that matters
    first = animals.groupby("group", sort=False).cumcount().sort_values(kind="stable").index[:MOST_ANIMALS]
    shown = animals[animals.index.isin(first)]
    heads = shown["group"].tolist()
    keys = list(shown[["subject", "day", "condition"]].itertuples(index=False, name=None))
    parts = [_animal(known, key) for key in keys]
    low, high = np.quantile(known["recovery_score"], [0.001, 0.999])
    # an animal without recovery cells has its cutoff above all of its cells: it is drawn where it is
    high = max(high, *(float(own["cutoff"].iloc[0]) for own in parts if np.isfinite(own["cutoff"].iloc[0])))
    rng = np.random.default_rng(0)

    def draw(width: float) -> Figure:
        tall = width < 6
        figure, ax = canvas(width, 1.0 + 0.27 * len(keys) if tall else 3.9)
        for place, (key, own) in enumerate(zip(keys, parts, strict=True)):
            _strip(ax, float(place), own, str(key[2]), (low, high), rng, upright=not tall)
        _name_animals(ax, keys, heads, (low, high), upright=not tall)
        return figure

    rows = []
    for (subject, day, condition), own in zip(keys, parts, strict=True):
        cutoff = float(own["cutoff"].iloc[0])
        above = int((own["recovery_score"] > cutoff).sum())
        rows.append(
            (
                subject,
                condition,
                day,
                len(own),
                float(own["recovery_score"].median()),
                cutoff,
                above,
                float(_animal(units, (subject, day, condition))["false_rate"].mean())
                if "false_rate" in units
                else np.nan,
            )
        )
    numbers = pd.DataFrame(rows, columns=list(ANIMAL_KINDS))
    alt = f"Recovery scores of the microglia of {len(keys)} animals with the cutoff of each: " + ", ".join(
        f"{row[0]} {row[5]:.1f}" for row in rows[:40]
    )
    with house_style():
        svg, narrow = at_two_widths(draw, "scores-by-animal", alt)
    left_out = (
        f" {MOST_ANIMALS} of {len(animals)} animals are drawn, some of each group."
        if len(animals) > MOST_ANIMALS
        else ""
    )
    thinned = (
        f" Of an animal with more cells, {MOST_DOTS} are drawn, at random."
        if any(len(own) > MOST_DOTS for own in parts)
        else ""
    )
    return Picture(
        "scores-by-animal",
        "Recovery score and cutoff in every animal",
        "A dot is a microglia; vermilion: called. The line is the cutoff of the animal: from there on a cell is more likely a recovery cell than "
        f"not, given how many the animal has. Cells above the line that rest on one gene are not called.{thinned}{left_out}",
        alt,
        (svg,),
        numbers,
        kinds=ANIMAL_KINDS,
        wide=True,
        narrow=narrow,
    )


def _animal(known: pd.DataFrame, key: tuple[Any, ...]) -> pd.DataFrame:
    """Return the rows of an animal on a day."""
    subject, day, condition = key
    same = known["day"].isna() if np.isnan(day) else known["day"].astype(float) == day
    own: pd.DataFrame = known[(known["subject"] == subject) & (known["condition"] == condition) & same]
    return own


def _strip(
    ax: Axes, place: float, own: pd.DataFrame, condition: str, ends: tuple[float, float], rng: np.random.Generator, *, upright: bool
) -> None:  # fmt: skip
    """Draw an animal's cells as dots and its cutoff as a line."""
    shown = own if len(own) <= MOST_DOTS else own.sample(MOST_DOTS, random_state=0)
    values = np.clip(shown["recovery_score"].to_numpy(float), *ends)
    called = (
        (shown["recovery_call"].astype(str) == "yes").to_numpy()
        if "recovery_call" in shown
        else np.zeros(len(shown), bool)
    )
    beside = place + rng.uniform(-0.3, 0.3, len(values))
    for mask, colour in ((~called, GREY if condition in CONTROLS else BLUE), (called, VERMILION)):
        x, y = (beside[mask], values[mask]) if upright else (values[mask], beside[mask])
        ax.scatter(x, y, s=5, color=colour, lw=0, alpha=0.6, rasterized=True)
    cutoff = float(np.clip(own["cutoff"].iloc[0], *ends))
    line = ([place - 0.42, place + 0.42], [cutoff, cutoff])
    ax.plot(*(line if upright else line[::-1]), color=INK, lw=1.8, zorder=5)


def _name_animals(
    ax: Axes, keys: Sequence[tuple[Any, ...]], of_animals: Sequence[str], ends: tuple[float, float], *, upright: bool
) -> None:
    """Name the groups, upright, or the animals; ``of_animals``: the group of each."""
    names = short_names([str(subject) for subject, _, _ in keys], NAME_OF_ANIMAL)
    heads: list[str] = []
    starts: list[int] = []
    for place, head in enumerate(of_animals):
        if not heads or heads[-1] != head:
            heads.append(head)
            starts.append(place)
    along, label = (ax.xaxis, ax.set_ylabel) if upright else (ax.yaxis, ax.set_xlabel)
    label("recovery score (nats)")
    room = 0.03 * (ends[1] - ends[0])
    if upright:
        ax.set(xlim=(-0.7, len(keys) - 0.3), ylim=(ends[0] - room, ends[1] + room))
        centres = [(a + b - 1) / 2 for a, b in zip(starts, [*starts[1:], len(keys)], strict=True)]
        along.set_ticks(centres, [head.replace(", ", "\n") for head in heads], fontsize=8.5)
        ax.grid(axis="y")
    else:
        ax.set(ylim=(len(keys) - 0.3, -0.7), xlim=(ends[0] - room, ends[1] + room))
        along.set_ticks(range(len(keys)), [f"{name}, {c}" + ("" if np.isnan(d) else f" d{d:g}") for name, (_, d, c) in zip(names, keys, strict=True)], fontsize=9)  # fmt: skip
        ax.grid(axis="x")
    for start in starts[1:]:
        (ax.axvline if upright else ax.axhline)(start - 0.5, color=GREY, lw=0.6, ls=":")
    along.set_tick_params(length=0)
    kinds = dict.fromkeys(str(condition) for _, _, condition in keys)
    others = [kind for kind in kinds if kind not in CONTROLS]
    marks = [(VERMILION, "called")]
    marks += [(BLUE, f"not called, {listed(others, last='or')}")] if others else []
    marks += [(GREY, "not called, control")] if len(others) < len(kinds) else []
    handles = [Line2D([], [], ls="", marker="o", ms=5, color=colour, label=words) for colour, words in marks]
    handles.append(Line2D([], [], color=INK, lw=1.8, label="cutoff of the animal"))
    ax.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(-0.02, 1.0),
        ncols=4 if upright else 2,
        handletextpad=0.3,
        columnspacing=1.0,
    )


# ---------------------------------------------------------------- genes by state


def state_genes(cells: pd.DataFrame, genes: pd.DataFrame) -> Picture | None:
    """Draw which state shows which gene: area is the share of cells, colour the mean count.

    Parameters
    ----------
    cells
        One row a myeloid cell: cell, state, lineage.
    genes
        Rows of genes.parquet: cell, n_counts, one column a gene (raw counts).
    """
    named = counted_genes(genes)
    if cells.empty or not named or "state" not in cells:
        return None
    known = cells[cells["lineage"] == "microglia"][["cell", "state"]].merge(genes, on="cell")
    known, order = _states(known)
    if len(order) < 2:
        return None
    rows = []
    for state in order:
        own = known[known["state"] == state]
        depth = float(own["n_counts"].sum())
        rows += [
            (state, gene, len(own), float((own[gene] > 0).mean()), 1e4 * float(own[gene].sum()) / max(depth, 1))
            for gene in named
        ]
    numbers = pd.DataFrame(rows, columns=list(GENE_KINDS))
    alt = f"{len(named)} genes in {len(order)} states of the microglia. " + _highest(numbers)

    def draw(width: float) -> Figure:
        return _dots(numbers, named, order, upright=width < 6)

    with house_style():
        svg, narrow = at_two_widths(draw, "state-genes", alt)
    return Picture(
        "state-genes",
        "Genes by state of the microglia",
        "Area: share of the cells with a count. Colour: mean count per 10,000, relative to the state with the highest mean of the gene. Raw counts. "
        + (
            "The genes of the score, of the signature and added, called the recovery cells, so they are high there by construction."
            if "recovery" in order
            else ""
        ),
        alt,
        (svg,),
        numbers,
        kinds=GENE_KINDS,
        wide=True,
        narrow=narrow,
    )


def _highest(numbers: pd.DataFrame) -> str:
    top = numbers.loc[numbers.groupby("gene", sort=False)["mean_counts_per_10k"].idxmax()]
    parts = [f"{lineage_name(str(state))}: {', '.join(own['gene'])}" for (state,), own in groups(top, ["state"])]
    return "Highest in " + "; ".join(parts) + "."


def _dots(numbers: pd.DataFrame, genes: Sequence[str], states: Sequence[str], *, upright: bool) -> Figure:
    gene_at = {gene: place for place, gene in enumerate(genes)}
    state_at = {state: place for place, state in enumerate(states)}
    along, across = numbers["gene"].map(gene_at).to_numpy(), numbers["state"].map(state_at).to_numpy()
    top = numbers.groupby("gene")["mean_counts_per_10k"].transform("max")
    level = (numbers["mean_counts_per_10k"] / top.where(top > 0, 1)).to_numpy(float)
    length, breadth = 1.4 + 0.24 * len(genes), 1.3 + 0.33 * len(states)
    figure, ax = canvas(*((0.26 * len(states) + 0.8, length) if upright else (max(6.2, length), breadth)))
    sizes = numbers.drop_duplicates("state").set_index("state")["cells"]
    names = [f"{lineage_name(state)} ({sizes[state]:,})" for state in states]
    share = numbers["share_detected"].to_numpy(float)
    draw_dots(ax, (along, across), share, level, LOOK, names=(genes, names), upright=upright)
    return figure


# ---------------------------------------------------------------- states of simulated data


def truth_states(table: pd.DataFrame) -> Picture | None:
    """Draw how the cells of each true state were named (simulated data).

    Parameters
    ----------
    table
        truth_states.tsv.
    """
    if table.empty:
        return None
    true = [name for name in STATES if (table["true_state"] == name).any()]
    given = [name for name in STATES if (table["state"] == name).any()]
    share = {(str(row["true_state"]), str(row["state"])): float(row["share"]) for row in records(table)}
    cells = table.groupby("true_state")["cells"].sum()

    def draw(width: float) -> Figure:
        figure, ax = canvas(width, 1.5 + 0.36 * len(true))
        for row, name in enumerate(true):
            for column, state in enumerate(given):
                value = share.get((name, state), 0.0)
                face = (
                    (*to_rgb(state_colour(name) if name == state else GREY), 0.15 + 0.85 * value) if value else "none"
                )
                ax.add_patch(Rectangle((column - 0.47, row - 0.44), 0.94, 0.88, facecolor=face, lw=0))
                if value >= 0.005:
                    ax.text(column, row, f"{100 * value:.0f}{' %' if width >= WIDE else ''}", ha="center", va="center", fontsize=9,
                            color="#ffffff" if value > 0.55 and name == state and name not in ("near_recovery", "interferon", "none") else INK)  # fmt: skip
        ax.set(
            xlim=(-0.55, len(given) - 0.45),
            ylim=(len(true) - 0.45, -0.55),
            ylabel="true state" if width >= WIDE else "",
        )
        wide = width >= WIDE
        turn = {"rotation": 35, "ha": "left"} if wide else {"rotation": 90}
        ax.set_xticks(range(len(given)), [lineage_name(name) for name in given], **turn)
        ax.xaxis.tick_top()
        between = " " if wide else "\n"
        ax.set_yticks(range(len(true)), [f"{lineage_name(name)}{between}(n = {cells[name]:,})" for name in true])
        ax.tick_params(length=0)
        for side in ax.spines.values():
            side.set_visible(False)
        return figure

    right = {name: share.get((name, name), 0.0) for name in true}
    alt = "Share of the cells of each true state that were given this state: " + ", ".join(
        f"{lineage_name(name)} {100 * value:.0f} %" for name, value in right.items()
    )
    with house_style():
        svg, narrow = at_two_widths(draw, "truth-states", alt + ".")
    return Picture(
        "truth-states", "True states and the states that their cells were given", "A row is a true state; shares of its cells in percent, which add up to 100. "
        "On the diagonal (coloured) the state is right. n: single microglia of good quality.", alt + ".", (svg,), table, of="truth_states", wide=True, narrow=narrow)  # fmt: skip
