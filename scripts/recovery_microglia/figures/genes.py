"""Figures of single genes."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recovery_microglia.core import wording
from recovery_microglia.core.tables.spec import Kind
from recovery_microglia.core.vocabulary import CONTROLS, Condition, Status
from recovery_microglia.figures.contrast import MOST_GROUPS, in_groups
from recovery_microglia.figures.style import (
    GREY,
    INK,
    WIDE,
    Picture,
    at_two_widths,
    canvas,
    day_axis,
    drawing,
    house_style,
    mark_of,
    percent_axis,
    root_days,
    sidestep,
)


def counted_genes(genes: pd.DataFrame) -> list[str]:
    """Return the genes of genes.parquet: its columns but for names of cells, depths and sums of markers."""
    return [name for name in genes.columns if name not in ("cell", "n_counts") and not name.startswith("markers_")]


def signature_genes(markers: pd.DataFrame) -> Picture | None:
    """Draw how many control and injured microglia show each signature gene."""
    if markers.empty:
        return None
    here = markers[(markers["set"] == "recovery") & (markers["status"] != "absent")]
    here = here[here["detected_control"].notna() | here["detected_injured"].notna()]
    if here.empty:
        return None
    here = here.sort_values("detected_injured", ascending=False, na_position="last")
    with house_style():
        figure, ax = canvas(4.6, 0.9 + 0.24 * len(here))
        y = np.arange(len(here))[::-1]
        control, injured = here["detected_control"].to_numpy(float), here["detected_injured"].to_numpy(float)
        ax.hlines(y, control, injured, color="#c3c9d0", lw=2, zorder=1)
        if np.isfinite(control).any():
            ax.plot(control, y, "o", ms=6, mfc="white", mec=GREY, mew=1.5, label="control")
        if np.isfinite(injured).any():
            ax.plot(injured, y, "o", ms=6, color=INK, label="injured, all days")
        ax.set_yticks(y, here["gene"])
        ax.set_ylim(-0.6, len(here) - 0.4)
        ax.set_xlim(left=0)
        percent_axis(ax, "x")
        ax.set_xlabel("microglia with at least one count")
        ax.grid(axis="x")
        ax.tick_params(axis="y", length=0)
        ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=2, handletextpad=0.2, columnspacing=1)
        kinds = [kind for kind, share in (("control", control), ("injured", injured)) if np.isfinite(share).any()]
        alt = f"Share of {wording.listed(kinds)} microglia in which each of {len(here)} signature genes is detected."
        svg = drawing(figure, "signature", alt)
    columns = ["gene", "role", "status", "libraries_with_gene", "detected_control", "detected_injured"]
    return Picture(
        "signature",
        "Detection of the signature genes",
        "Raw counts, no correction. A rise in one gene only is not the signature.",
        alt,
        (svg,),
        here[[column for column in columns if column in here]],
        of="markers_used",
    )


def gene_course(
    course: pd.DataFrame, tests: pd.DataFrame, genes: Sequence[str], changes: pd.DataFrame | None = None
) -> Picture | None:
    """Draw small multiples: one gene each, every subject a dot over days.

    Parameters
    ----------
    course
        gene_course.tsv.
    tests
        gene_tests.tsv; days with q below .05 get a star.
    genes
        What to draw, in this order.
    changes
        gene_changes.tsv; the least q of each gene stands beside its name.
    """
    known = course[course["day"].notna() & course["mean_counts_per_10k"].notna()]
    drawn = [gene for gene in genes if (known["gene"] == gene).any()]
    if not drawn or known["day"].nunique() < 2:
        return None
    days = sorted(known["day"].unique())
    stars = {gene: _stars(tests, gene) for gene in drawn}
    tested = (
        changes[changes["q"].notna()] if changes is not None and len(changes) else pd.DataFrame({"gene": [], "q": []})
    )
    least = {str(gene): float(q) for gene, q in tested.groupby("gene")["q"].min().items()}
    star = " A star: differs from the control on that day, q < 0.05." if any(stars.values()) else ""
    parts = [
        f"{gene} on day {', '.join(f'{day:g}' for day in sorted(found))}" for gene, found in stars.items() if found
    ]
    alt = f"Small multiples of {len(drawn)} genes over days: {', '.join(drawn)}. " + (
        f"Differ from control (q below 0.05): {'; '.join(parts)}."
        if parts
        else "None differs from control on a single day (q below 0.05)."
    )

    def draw(width: float) -> Figure:
        figure, panels = _small_multiples(width, len(drawn), 1.6, hspace=0.85, wspace=0.42)
        for ax, gene in zip(panels, drawn, strict=True):
            _gene_panel(ax, known[known["gene"] == gene], gene, days, stars[gene])
            if gene in least:
                ax.annotate(
                    wording.p_equals(least[gene], "q"), (0, 1), (0, 3), "axes fraction", "offset points", fontsize=9
                )
        return figure

    with house_style():
        svg, narrow = at_two_widths(draw, "gene-course", alt)
    columns = ["gene", "role", "arm", "subject", "day", "condition", "n", "share_detected", "mean_counts_per_10k"]
    return Picture(
        "gene-course",
        "Signature and context genes over days, every animal",
        "Counts per 10,000 counts of the animal's microglia, uncorrected, against days after injury (square-root scale); open grey marks are controls (circle naive, "
        "square sham, diamond contralateral), filled dots injured. The line joins the means of the injured animals. "
        f"Each gene has its own scale.{star}{' q: the gene over all days, over genes.' if least else ''}",
        alt,
        (svg,),
        known.loc[known["gene"].isin(drawn), [c for c in columns if c in known]],
        of="gene_course",
        wide=True,
        narrow=narrow,
    )


def gene_groups(course: pd.DataFrame, genes: Sequence[str], ages: pd.Series | None = None) -> Picture | None:
    """Draw small multiples: one gene each, every subject a mark in its group; for data without a course over days.

    Parameters
    ----------
    course
        gene_course.tsv.
    genes
        What to draw, in this order.
    ages
        Subject to age, where it is stated.
    """
    known = course[course["mean_counts_per_10k"].notna()]
    known = in_groups(known, ages) if len(known) else known
    drawn = [gene for gene in genes if (known["gene"] == gene).any()]
    order = list(dict.fromkeys(known["group"]))[:MOST_GROUPS] if drawn else []
    if len(order) < 2:
        return None
    known = known[known["group"].isin(order)]
    sizes = known.groupby("group")["subject"].nunique()
    alt = (
        f"Small multiples of {len(drawn)} genes in {len(order)} groups: {', '.join(drawn)}. Groups: {', '.join(order)}."
    )

    def draw(width: float) -> Figure:
        height, hspace = 0.85 + 0.24 * len(order), 0.7 / (0.2 + 0.24 * len(order))
        figure, panels = _small_multiples(width, len(drawn), height, sharey=True, hspace=hspace, wspace=0.16)
        for ax, gene in zip(panels, drawn, strict=True):
            own = known[known["gene"] == gene]
            highest = float(own["mean_counts_per_10k"].max()) or 1.0
            for place, name in enumerate(order):
                part = own[own["group"] == name]
                for condition, dots in part.groupby("condition", sort=False):
                    colour, marker, face = mark_of(str(condition))
                    y = place + sidestep(len(dots), 0.14)
                    ax.plot(dots["mean_counts_per_10k"], y, marker, ms=4.2, mfc=face, mec=colour, mew=1.1, ls="")
            ax.set(xlim=(-0.06 * highest, 1.12 * highest), ylim=(len(order) - 0.4, -0.6))
            ax.set_title(gene, fontstyle="italic", pad=4)
            ax.locator_params(axis="x", nbins=3)
            ax.set_yticks(range(len(order)), [f"{name} (n = {sizes[name]})" for name in order])
            ax.tick_params(axis="y", length=0)
            ax.grid(axis="x")
        return figure

    with house_style():
        svg, narrow = at_two_widths(draw, "gene-groups", alt)
    columns = ["gene", "role", "group", "subject", "condition", "n", "share_detected", "mean_counts_per_10k"]
    return Picture(
        "gene-groups",
        "Signature and context genes by group, every animal",
        "Counts per 10,000 counts of the animal's microglia, uncorrected; each gene has its own scale. A mark is one animal, controls are open. n: animals. "
        "This is a description, not a test.",
        alt,
        (svg,),
        known.loc[known["gene"].isin(drawn), [c for c in columns if c in known]].sort_values(
            ["gene", "group"],
            key=lambda names: names.map({name: at for at, name in enumerate([*drawn, *order])}),
            kind="stable",
        ),
        of="gene_course",
        kinds={"group": Kind.TEXT},
        wide=True,
        narrow=narrow,
    )


def _small_multiples(
    width: float, n: int, height: float, *, sharey: bool = False, **between: float
) -> tuple[Figure, list[Axes]]:
    """Return a figure with ``n`` panels of a height in inches: six in a row on a desk, two on a phone."""
    wide = width >= WIDE
    across = 6 if wide else 2
    down = -(-n // across)
    figure = Figure(figsize=(width + (3.6 if wide else 0.4), height * down))
    panels = figure.subplots(down, across, squeeze=False, sharey=sharey, gridspec_kw=between).flat
    for ax in panels[n:]:
        ax.set_visible(False)
    return figure, list(panels[:n])


def _stars(tests: pd.DataFrame, gene: str) -> set[float]:
    """Return the days on which a gene differs from its control."""
    if tests.empty or "q" not in tests:
        return set()
    hits = tests[(tests["gene"] == gene) & (tests["q"] < 0.05) & (tests["status"] == Status.TESTED)]
    return {float(day) for day in hits["day"]}


def _gene_panel(ax: Axes, own: pd.DataFrame, gene: str, days: Sequence[float], stars: set[float]) -> None:
    span = float(np.ptp(root_days(days))) or 1.0
    highest = float(own["mean_counts_per_10k"].max()) or 1.0
    injured = own[own["condition"] == Condition.INJURED]
    means = injured.groupby("day")["mean_counts_per_10k"].mean()
    ax.plot(root_days(means.index.to_numpy(float)), means.to_numpy(float), color=INK, lw=1.3, alpha=0.6)
    for condition, group in own.groupby("condition", sort=False):
        colour, marker, face = mark_of(str(condition))
        shift = -0.03 * span if condition in CONTROLS and condition != Condition.NAIVE else 0.0
        for day, dots in group.groupby("day"):
            x = root_days([float(str(day))])[0] + shift + sidestep(len(dots), 0.04 * span)
            ax.plot(x, dots["mean_counts_per_10k"], marker, ms=4.2, mfc=face, mec=colour, mew=1.1, ls="")
    for day in stars:
        ax.text(root_days([day])[0], highest * 1.05, "★", ha="center", va="bottom", color=INK, fontsize=9)
    ax.set_ylim(-0.04 * highest, highest * 1.25)
    ax.set_xlim(root_days([days[0]])[0] - 0.08 * span, root_days([days[-1]])[0] + 0.08 * span)
    ax.set_title(gene, fontstyle="italic", pad=16)
    day_axis(ax, days, label="", every=False)
    ax.locator_params(axis="y", nbins=4)
    ax.grid(axis="y")
