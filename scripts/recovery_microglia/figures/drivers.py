"""Figures of genes and activities that are associated with the state."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from recovery_microglia.core.tables.spec import Kind
from recovery_microglia.figures.style import (
    BLUE,
    GREY,
    NARROW,
    PALE,
    VERMILION,
    Picture,
    canvas,
    drawing,
    house_style,
    slug,
)

DOTS = 1500
"""Genes that are drawn one by one; of the others, which lie at the bottom, every so many are left out."""
LABELS = 14
HEAT_GENES, HEAT_ANIMALS = 30, 40
BARS = 12
ALPHA = 0.05
DESK = 4.6
"""Width in inches of a drawing that shares the page with another."""


def _over(contrast: str) -> str:
    """Return a comparison in words: what over what."""
    first, _, rest = contrast.partition(" ")
    return f"{'recovery cells over other microglia' if first == 'state' else first} {rest}".strip()


def volcano(genes: pd.DataFrame, contrast: str) -> Picture | None:
    """Draw shrunken fold changes against the false-discovery rate of one contrast, genes of the call among all, the others among themselves.

    Parameters
    ----------
    genes
        driver_genes.tsv.
    contrast
        Which.
    """
    own = genes[(genes["contrast"] == contrast) & genes["q"].notna()]
    own = own.assign(size=own["shrunken"].where(own["shrunken"].notna(), own["log2_fold_change"]))
    # genes that took no part in the call are judged among themselves, as in the text and the table
    apart = ~own["made_call"].to_numpy(bool) & own["q_without"].notna().to_numpy()
    own = own.assign(judged=own["q_without"].where(apart, own["q"])).sort_values("rank", kind="stable")
    if own.empty:
        return None
    name = f"volcano-{slug(contrast)}"
    rest = own.iloc[DOTS:]
    drawn = pd.concat([own.head(DOTS), rest.iloc[:: max(1, len(rest) // DOTS)]])
    height = -np.log10(drawn["judged"].clip(lower=1e-300).to_numpy(float))
    size, marked = drawn["size"].to_numpy(float), drawn["made_call"].to_numpy(bool)
    found = drawn["judged"].to_numpy(float) < ALPHA
    up = int(((own["judged"] < ALPHA) & (own["size"] > 0)).sum())
    down = int(((own["judged"] < ALPHA) & (own["size"] < 0)).sum())
    alt = f"Fold change of {len(own)} genes in the comparison {contrast}: {up} are higher and {down} lower at a false-discovery rate of 5 %."

    def draw(width: float) -> Figure:
        inches = 4.6 if width == DESK else 3.7
        figure, ax = canvas(width, inches)
        for chosen, colour, label in (
            (~found & ~marked, (GREY, 0.35), "q ≥ 0.05"),  # pale on light and on dark: an image knows no modes
            (found & ~marked, BLUE, "q < 0.05"),
            (marked, VERMILION, "made the call"),
        ):
            ax.plot(size[chosen], height[chosen], "o", ms=4, mew=0, color=colour, label=label, rasterized=True)
        ax.axhline(-np.log10(ALPHA), color=GREY, lw=0.8, ls=":")
        # a name takes 0.9 inches of the width and 0.2 of the height
        room = (float(np.ptp(size)) or 1.0) * 0.9 / width, np.sqrt(float(height.max()) + 0.5) * 0.2 / inches
        for gene, x, y in _apart(drawn[found & ~marked], room):
            ax.annotate(gene, (x, y), xytext=(4, 2), textcoords="offset points", fontsize=9, fontstyle="italic")
        ax.set_yscale("function", functions=(np.sqrt, np.square))
        ax.set_ylim(0, float(height.max()) * 1.08 + 0.5)
        ax.set_xlabel("log2 fold change, shrunken")
        ax.set_ylabel("−log10 of the false-discovery rate")
        ax.grid(axis="y")
        ax.legend(loc="lower left", bbox_to_anchor=(-0.14, 1.0), ncols=3, handletextpad=0, columnspacing=0.6)
        return figure

    with house_style():
        svg, narrow = (drawing(draw(width), end, alt) for width, end in ((DESK, name), (NARROW, f"{name}-narrow")))
    columns = ["gene", "shrunken", "log2_fold_change", "q", "made_call", "q_without", "rank_without"]
    return Picture(
        name,
        f"Fold changes, {_over(contrast)}",
        "Vermilion: genes that took part in the call, which differ by construction. Named: the first genes that did not.",
        alt,
        (svg,),
        own[columns].head(200),
        of="driver_genes",
        narrow=narrow,
    )


def _apart(genes: pd.DataFrame, room: tuple[float, float]) -> list[tuple[str, float, float]]:
    """Return names and places of the first genes whose names do not lie on each other.

    ``room`` is what a name takes: of the fold change, and of the root of the height.
    """
    named: list[tuple[str, float, float]] = []
    for gene, x, q in zip(genes["gene"], genes["size"], genes["judged"], strict=True):
        y = -np.log10(max(float(q), 1e-300))
        clear = all(abs(x - ox) > room[0] or abs(np.sqrt(y) - np.sqrt(oy)) > room[1] for _, ox, oy in named)
        if clear and len(named) < LABELS:
            named.append((str(gene), float(x), y))
    return named


def heat_by_animal(animals: pd.DataFrame, contrast: str) -> Picture | None:
    """Draw the first genes of a contrast in every animal.

    Parameters
    ----------
    animals
        driver_animals.tsv.
    contrast
        Which.
    """
    own = animals[animals["contrast"] == contrast]
    if own.empty:
        return None
    name = f"heat-{slug(contrast)}"
    genes = list(dict.fromkeys(own["gene"]))[:HEAT_GENES]
    own = own.assign(
        animal=own["subject"].astype(str) + "|" + own["day"].astype(str)
    )  # a day that is not known is one too
    who = own.drop_duplicates("animal").sort_values(["day", "subject"], na_position="last").head(HEAT_ANIMALS)
    keys = list(who["animal"])
    ratios = dict(zip(zip(own["gene"], own["animal"], strict=True), own["log2_ratio"], strict=True))
    grid = np.array([[float(ratios.get((gene, key), np.nan)) for key in keys] for gene in genes])
    marked = set(own.loc[own["made_call"], "gene"])
    alt = f"log2 ratio of recovery cells over other microglia of {len(genes)} genes in each of {len(keys)} animals."
    bound = float(np.nanmax(np.abs(grid))) or 1.0

    def draw(each: float) -> Figure:
        figure, ax = canvas(1.6 + each * len(keys), 1.3 + 0.22 * len(genes))
        image = ax.pcolormesh(grid[::-1], cmap="PuOr_r", vmin=-bound, vmax=bound, rasterized=True)
        ax.set_yticks(
            np.arange(len(genes)) + 0.5, [f"{gene} *" if gene in marked else gene for gene in genes[::-1]],
            fontsize=9, fontstyle="italic",
        )  # fmt: skip
        days = [f"d{day:g}" if np.isfinite(day) else "?" for day in who["day"].astype(float)]
        ax.set_xticks(np.arange(len(keys)) + 0.5, days, rotation=90, fontsize=9 if each > 0.15 else 8)
        ax.set_xlabel("animal, by day after injury" + ("; ?: day not known" if who["day"].isna().any() else ""))
        bar = figure.colorbar(image, ax=ax, shrink=0.5)
        bar.set_label("log2 ratio", fontsize=9)
        bar.outline.set_visible(False)
        return figure

    with house_style():
        svg, narrow = (drawing(draw(each), end, alt) for each, end in ((0.24, name), (0.15, f"{name}-narrow")))
    return Picture(
        name,
        "The first genes in every animal",
        "Each column is an animal: its recovery cells over its other microglia. A star: the gene took part in the call.",
        alt,
        (svg,),
        own[own["gene"].isin(genes)][["gene", "made_call", "subject", "day", "cells", "log2_ratio"]],
        of="driver_animals",
        narrow=narrow,
    )


def activity_bars(activities: pd.DataFrame, contrast: str, resource: str) -> Picture | None:
    """Draw the strongest activities of one resource in one contrast, by both methods.

    Parameters
    ----------
    activities
        driver_activities.tsv.
    contrast, resource
        Which.
    """
    own = activities[(activities["contrast"] == contrast) & (activities["resource"] == resource)]
    if own.empty:
        return None
    name = f"activity-{slug(resource)}-{slug(contrast)}"
    order = own["ulm"].abs().sort_values(ascending=False, kind="stable").index
    own = own.loc[order].head(BARS).sort_values("ulm")
    y = np.arange(len(own))
    alt = f"Activities by {resource} in the comparison {contrast}; strongest: {own['source'].iloc[-1]} and {own['source'].iloc[0]}."

    def draw(width: float) -> Figure:
        figure, ax = canvas(width, 1.0 + 0.26 * len(own))
        ax.barh(y, own["ulm"].to_numpy(float), 0.6, color=np.where(own["agree"], BLUE, PALE))
        ax.plot(own["mlm"].to_numpy(float), y, "D", ms=4, color=VERMILION, label="multivariate model")
        ax.plot(own["ulm_without"].to_numpy(float), y, "|", ms=9, color=GREY, label="without genes of the call")
        ax.axvline(0, color=GREY, lw=0.8)
        ax.set_yticks(y, own["source"].astype(str))
        ax.set_xlabel("activity (t); bars: univariate model")
        ax.grid(axis="x")
        ax.tick_params(axis="y", length=0)
        columns = 2 if width == DESK else 1
        ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=columns, handletextpad=0.2, columnspacing=1)
        return figure

    with house_style():
        svg, narrow = (drawing(draw(width), end, alt) for width, end in ((DESK, name), (NARROW, f"{name}-narrow")))
    columns = [
        "source",
        "targets",
        "ulm",
        "ulm_q",
        "mlm",
        "mlm_q",
        "agree",
        "ulm_without",
        "n_animals",
        "animals_same",
        "animals_q",
    ]
    return Picture(
        name,
        f"Activities, {_over(contrast)}" + ("" if resource == "targets" else f" ({resource})"),
        "Blue bars: both methods find it at 5 %, with one sign. An activity says that its targets moved together.",
        alt,
        (svg,),
        own[[column for column in columns if column in own]],
        of="driver_activities",
        kinds={"source": Kind.TEXT},
        narrow=narrow,
    )
