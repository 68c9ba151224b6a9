"""Figures of the subgroup itself: scores, routes, clusters, alternatives."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from recovery_microglia.core.frame_access import records
from recovery_microglia.core.tables.spec import Kind
from recovery_microglia.core.vocabulary import CONTROLS, Condition
from recovery_microglia.core.wording import CODE_WORDS, listed, truthy
from recovery_microglia.figures.style import (
    BLUE,
    GREY,
    INK,
    PALE,
    VERMILION,
    Picture,
    at_two_widths,
    canvas,
    day_axis,
    drawing,
    house_style,
    legend,
    percent_axis,
    root_days,
    short_names,
    slug,
)

ROUTES: dict[str, tuple[str, str, str]] = {
    "score": ("score (the one reported)", VERMILION, "-"),
    "score_without": (CODE_WORDS["score_without"], INK, "--"),
    "cluster": ("cluster", GREY, ":"),
}
"""Route to its words, colour and line."""
ASKED_ABOUT = {Condition.INJURED: INK, Condition.TREATED: BLUE, Condition.OTHER: "#332288"}
"""Condition that is no control to the colour of its scores."""
ADDED = "#a9b6c4"
"""Colour of the bar of a gene that was added to the signature's."""
SCORE_KINDS = {"group": Kind.TEXT, "cells": Kind.COUNT, "median_score": Kind.NUMBER, "share_above_cutoff": Kind.SHARE}
"""Kinds of the numbers beneath the scores that calibration.tsv does not have."""


def scores(cells: pd.DataFrame, calibration: pd.DataFrame) -> Picture | None:
    """Draw the scores of control microglia and the others with the cutoff, one panel a chemistry."""
    if cells.empty or "recovery_score" not in cells:
        return None
    known = cells[cells["recovery_score"].notna()]
    condition = known["condition"].astype(str)
    groups: dict[str, tuple[pd.Series, str]] = {
        "control": (condition.isin(CONTROLS), GREY),
        **{str(kind): (condition == kind, colour) for kind, colour in ASKED_ABOUT.items() if (condition == kind).any()},
    }
    drawn_kinds = listed([kind for kind, (mask, _) in groups.items() if mask.any()])
    if not any(mask.any() for mask, _ in groups.values()):
        return None
    used = _used(calibration)
    chemistry = known["chemistry"].astype(str) if "chemistry" in known else pd.Series("", index=known.index)
    panels, names, numbers = [], [], []
    with house_style():
        for kind in sorted(chemistry.unique())[:6]:
            own = chemistry == kind
            cut = (
                used.loc[used["chemistry"].fillna("").astype(str) == kind, "cutoff"]
                if len(used)
                else pd.Series(dtype=float)
            )
            cutoff = float(cut.iloc[0]) if len(cut) and np.isfinite(cut.iloc[0]) else None
            figure, ax = canvas(4.6, 3.2)
            edges = list(np.linspace(*_range(known.loc[own, "recovery_score"].to_numpy(float), cutoff), 45))
            for label, (mask, colour) in groups.items():
                values = known.loc[own & mask, "recovery_score"].to_numpy(float)
                if len(values) == 0:
                    continue
                weights = np.full(len(values), 1 / len(values))
                ax.hist(values, edges, weights=weights, histtype="stepfilled", color=colour, alpha=0.22, lw=0)
                ax.hist(
                    values,
                    edges,
                    weights=weights,
                    histtype="step",
                    color=colour,
                    lw=1.6,
                    label=f"{label}, {len(values):,} cells",
                )
                above = float((values > cutoff).mean()) if cutoff is not None else np.nan
                numbers.append({"chemistry": kind, "group": label, "cells": len(values), "median_score": np.median(values),
                                "cutoff": cutoff if cutoff is not None else np.nan, "share_above_cutoff": above})  # fmt: skip
            if cutoff is not None:
                ax.axvline(cutoff, color=INK, lw=1.3, ls="--", label="quantile of the controls")
            percent_axis(ax)
            ax.set(xlabel="recovery score (log-likelihood ratio)", ylabel="share of cells", title=kind or "")
            ax.legend(loc="upper left", handlelength=1.4)  # high scores are few, low ones fewer: the corner is free
            ax.set_ylim(top=ax.get_ylim()[1] * 1.25)
            ax.grid(axis="y")
            alt = f"Recovery scores of {drawn_kinds} microglia{f', chemistry {kind}' if kind else ''}."
            panels.append(drawing(figure, f"scores-{kind}", alt))
            names.append(alt)
    return Picture("scores", f"Scores of {drawn_kinds} microglia",
                   "The dashed line, for orientation, is a quantile of the control microglia of the same chemistry. A cell is called where "
                   "it is more likely a recovery cell than not: in an animal with many recovery cells from further left on, in one with "
                   "few only further right. Cells that rest on one gene are never called." if len(used) and used["cutoff"].notna().any() else
                   "There are too few control microglia, so no cell is called.",
                   names[0], tuple(panels), pd.DataFrame(numbers), of="calibration", kinds=SCORE_KINDS)  # fmt: skip


def _used(calibration: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of calibration.tsv that calls were made with."""
    if calibration.empty:
        return calibration
    kept = calibration[calibration["used"].map(truthy)]
    return kept[kept["scorer"] == "score"] if "scorer" in kept else kept


def _range(values: np.ndarray, cutoff: float | None) -> tuple[float, float]:
    low, high = float(values.min()), float(np.quantile(values, 0.9995))
    high = max(high, cutoff + 0.15 * (cutoff - low)) if cutoff is not None else high
    return low, high if high > low else low + 1e-6


def routes(days: pd.DataFrame) -> Picture | None:
    """Draw the day course as each route calls it."""
    known = days[days["fraction"].notna()] if "fraction" in days else days
    if known.empty or known["route"].nunique() < 2 or known["day"].nunique() < 2:
        return None
    arm = known["arm"].iloc[0] if "arm" in known else ""
    own = known[known["arm"].fillna("") == (arm if isinstance(arm, str) else "")] if "arm" in known else known
    with house_style():
        figure, ax = canvas(4.6, 3.2)
        for route, (label, colour, line) in ROUTES.items():
            rows = own[own["route"] == route].sort_values("day")
            if len(rows):
                ax.plot(
                    root_days(rows["day"]), rows["fraction"], line, color=colour, lw=2, marker="o", ms=4.5, label=label
                )
        day_axis(ax, list(own["day"]))
        percent_axis(ax)
        ax.set_ylim(bottom=0)
        ax.set_ylabel("recovery cells among microglia")
        ax.grid(axis="y")
        ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), handlelength=2.2)
        alt = "Share of recovery cells by day as called by score, by score without Itgax and Igf1, and by cluster."
        svg = drawing(figure, "routes", alt)
    return Picture("routes", "Share of recovery cells by calling method" + (f" ({arm})" if arm and isinstance(arm, str) else ""),
                   "Where the lines differ, the answer depends on the calling method.", alt, (svg,),
                   own[["route", "day", "k", "n", "fraction"]], of="timeline")  # fmt: skip


def cluster_stability(clusters: pd.DataFrame) -> Picture | None:
    """Draw which clusters come back when cells are resampled, by resolution."""
    if clusters.empty or "stability_jaccard" not in clusters:
        return None
    known = clusters[clusters["stability_jaccard"].notna()]
    if known.empty:
        return None
    with house_style():
        figure, ax = canvas(4.6, 3.2)
        flagged = known["recovery"].map(truthy) if "recovery" in known else pd.Series(False, index=known.index)
        area = 18 + 260 * known["n"] / known["n"].max()
        levels = sorted(known["resolution"].unique())
        x = known["resolution"].map({value: place for place, value in enumerate(levels)}).to_numpy(float)
        x = x + np.random.default_rng(0).uniform(-0.22, 0.22, len(x))
        for mask, colour in ((~flagged, GREY), (flagged, VERMILION)):
            ax.scatter(
                x[mask],
                known.loc[mask, "stability_jaccard"],
                s=area[mask],
                color=colour,
                alpha=0.55,
                ec="white",
                lw=0.8,
                clip_on=False,
            )
        ax.axhline(0.6, color=INK, lw=1, ls=":")
        ax.set_xticks(range(len(levels)), [f"{value:g}" for value in levels])
        ax.set(ylim=(0, 1.03), xlabel="resolution", ylabel="stability (Jaccard)")
        ax.grid(axis="y")
        handles = [
            Line2D([], [], ls="", marker="o", ms=8, color=VERMILION, alpha=0.6, label="recovery cluster"),
            Line2D([], [], ls="", marker="o", ms=8, color=GREY, alpha=0.6, label="other cluster"),
            Line2D([], [], color=INK, lw=1, ls=":", label="below: not a cluster"),
        ]
        ax.legend(
            handles=handles,
            loc="lower left",
            bbox_to_anchor=(-0.02, 1.0),
            ncols=2,
            handletextpad=0.2,
            columnspacing=0.8,
        )
        alt = f"Stability of {len(known)} clusters over {len(levels)} resolutions; {int(flagged.sum())} are recovery clusters."
        svg = drawing(figure, "clusters", alt)
    columns = [
        "resolution",
        "cluster",
        "n",
        "stability_jaccard",
        "stability_animals",
        "largest_animal",
        "recovery_share",
        "recovery",
        "top_genes",
    ]
    return Picture("clusters", "Stability of the clusters",
                   "Each disc is a cluster, its area the number of cells; cells were resampled and clustered anew.",
                   alt, (svg,), known[[column for column in columns if column in known]], of="clusters")  # fmt: skip


def random_sets(null: pd.DataFrame) -> Picture | None:
    """Draw each subject's share above the cutoff beside that of matched random gene sets."""
    if null.empty or "observed" not in null:
        return None
    known = null[null["observed"].notna() & null["null_high"].notna()].sort_values(["condition", "day", "subject"])
    if known.empty or len(known) > 60:
        return None
    with house_style():
        figure, ax = canvas(4.6, 0.9 + 0.17 * len(known))
        y = np.arange(len(known))[::-1]
        ax.hlines(
            y, known["null_low"], known["null_high"], color=GREY, lw=3, alpha=0.5, label="1,000 random gene sets, 95 %"
        )
        control = known["condition"].isin(CONTROLS).to_numpy()
        for chosen, colour, words in ((~control, INK, "signature"), (control, GREY, "signature, control")):
            if chosen.any():
                face = "white" if colour == GREY else colour
                ax.scatter(known["observed"][chosen], y[chosen], s=22, fc=face, ec=colour, zorder=3, label=words)
        ax.set_yticks(y, short_names(known["subject"].astype(str).tolist(), 24), fontsize=8)
        ax.set_ylim(-0.6, len(known) - 0.4)
        ax.set_xlim(left=0)
        percent_axis(ax, "x")
        ax.locator_params(axis="x", nbins=5)
        ax.set_xlabel("microglia above the cutoff")
        ax.grid(axis="x")
        ax.tick_params(axis="y", length=0)
        ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), handlelength=1.4)
        alt = f"Share of microglia above the cutoff in {len(known)} animals, beside matched random gene sets."
        svg = drawing(figure, "null", alt)
    return Picture("null", "Against random genes",
                   "Random gene sets matched on expression and detection, each with its own cutoff. Open: control.",
                   alt, (svg,), known, of="null")  # fmt: skip


def onset_alternatives(table: pd.DataFrame, arm: str = "") -> Picture | None:
    """Draw the onsets of all alternative analyses, the most frequent first."""
    if table.empty:
        return None
    own = table[table["arm"].fillna("").astype(str) == arm] if "arm" in table else table
    if own.empty:
        return None
    # an analysis without an answer (no cluster of recovery cells) is not one that found no onset
    answered = _answered(own)
    keys = own[["onset_low", "onset_high"]].astype(float).assign(answered=answered)
    counts = keys.groupby(["onset_low", "onset_high", "answered"], dropna=False).size().rename("analyses").reset_index()
    counts = counts.sort_values("analyses", ascending=False, kind="stable").head(10)
    main = _agrees(own)
    agreed = {_key(row) for row in records(keys[main])}
    ends = keys[["onset_low", "onset_high"]].to_numpy(float).ravel()
    last = float(np.nanmax([*ends, *own["peak_day"].astype(float), 1.0]))
    n = int(answered.sum())

    def draw(width: float) -> Figure:
        figure, ax = canvas(width, 0.9 + 0.34 * len(counts))
        y = np.arange(len(counts))[::-1]
        labels = []
        for height, row in zip(y, records(counts), strict=True):
            low, high = row["onset_low"], row["onset_high"]
            colour = VERMILION if _key(row) in agreed else "#aab3bd"
            if np.isfinite(high):
                left, right = root_days([low if np.isfinite(low) else 0.0, high])
                ax.barh(height, right - left, left=left, height=0.55, color=colour)
                labels.append(f"after day {low:g}, by day {high:g}" if np.isfinite(low) else f"by day {high:g}")
            else:
                ax.plot([0, root_days([last])[0]], [height, height], color=colour, lw=1.5, ls=":")
                labels.append("none shown" if row["answered"] else "no answer")
            text = f"{row['analyses']} of {n}" if row["answered"] else f"{row['analyses']} more"
            ax.text(root_days([last])[0] * 1.02, height, text, va="center")
        ax.set_yticks(y, labels)
        ax.set_ylim(-0.6, len(counts) - 0.4)
        ax.set_xlim(0, root_days([last])[0] * 1.16)
        day_axis(ax, [0.0, *ends[np.isfinite(ends)], last])
        ax.grid(axis="x")
        ax.tick_params(axis="y", length=0)
        return figure

    alt = f"Onset intervals of {n} alternative analyses; {int(main.sum())} of {n} are compatible with the reported interval."
    silent = f" {len(own) - n} more have no answer." if n < len(own) else ""
    with house_style():
        svg, narrow = at_two_widths(draw, f"alternatives-{arm}", alt + silent)
    return Picture(
        "alternatives" + (f"-{slug(arm)}" if arm else ""),
        "Onset in every alternative analysis" + (f": {arm}" if arm else ""),
        f"Vermilion: the interval that is reported.{silent}",
        alt + silent,
        (svg,),
        counts,
        of="robustness",
        kinds={"answered": Kind.YES_NO, "analyses": Kind.COUNT},
        wide=True,
        narrow=narrow,
    )


def _answered(table: pd.DataFrame) -> pd.Series:
    """Return which alternatives have an answer; ``agrees`` is empty where not."""
    return table["agrees"].notna() & (table["agrees"].astype(str) != "")


def _agrees(table: pd.DataFrame) -> pd.Series:
    """Return which alternatives are compatible with the reported interval."""
    return table["agrees"].map(truthy)


def _key(row: dict[str, float]) -> tuple[float, float]:
    """Return an interval that compares equal where ends are missing."""
    low, high = row["onset_low"], row["onset_high"]
    return (low if np.isfinite(low) else -1.0, high if np.isfinite(high) else -1.0)


MOST_GENES = 24
"""Genes that are drawn; of the others the caption gives the sum."""


def call_genes(table: pd.DataFrame) -> Picture | None:
    """Draw how much of the evidence for the calls each gene gives, and which cells show it.

    Parameters
    ----------
    table
        call_genes.tsv.
    """
    if table.empty or table["share_of_evidence"].isna().all():
        return None
    table = table.sort_values("share_of_evidence", ascending=False, kind="stable")
    shown, others = table.head(MOST_GENES), table.iloc[MOST_GENES:]
    y = np.arange(len(shown))[::-1]
    left_out = float(others["share_of_evidence"].sum())
    with house_style():
        figure, ax = canvas(4.6, 1.0 + 0.24 * len(shown))
        signature = (shown["role"] == "signature").to_numpy()
        for own, colour, words in ((signature, PALE, "signature"), (~signature, ADDED, "added genes")):
            if own.any():
                ax.barh(
                    y[own],
                    shown.loc[own, "share_of_evidence"],
                    height=0.72,
                    color=colour,
                    label=f"share of the evidence, {words}",
                )
        for column, label, colour, face in (
            ("detected_called", "called cells with a count", VERMILION, VERMILION),
            ("detected_not_called", "other injured microglia", BLUE, BLUE),
            ("detected_control", "control microglia", GREY, "white"),
        ):
            if shown[column].notna().any():
                ax.plot(shown[column], y, "o", ms=5.5, mfc=face, mec=colour, mew=1.3, label=label)
        ax.set_yticks(y, shown["gene"], fontstyle="italic")
        ax.set_ylim(-0.6, len(shown) - 0.4)
        ax.set_xlim(left=0)
        percent_axis(ax, "x")
        ax.grid(axis="x")
        ax.tick_params(axis="y", length=0)
        ax.legend(
            loc="lower left", bbox_to_anchor=(-0.16, 1.0), ncols=2, handletextpad=0.4, columnspacing=0.9, fontsize=8.5
        )
        first = ", ".join(f"{row['gene']} {100 * row['share_of_evidence']:.0f} %" for row in records(shown.head(4)))
        alt = f"Genes by their share of the evidence for the calls: {first}."
        svg = drawing(figure, "call-genes", alt)
    rest = f" {len(others)} more genes together hold {100 * left_out:.0f} %." if len(others) else ""
    return Picture(
        "call-genes",
        "Evidence for the calls by gene",
        "Bars: what a gene adds to the scores of the called cells, over the sum of all genes; in one cell no gene adds more than 3 nats. If one gene stood for most, "
        f"the call would be that gene.{rest} Dots: cells with at least one count.",
        alt,
        (svg,),
        table,
        of="call_genes",
    )


def choices(table: pd.DataFrame, arm: str = "") -> Picture | None:
    """Draw how many alternative analyses are compatible with the reported interval, by the choice that they vary.

    Parameters
    ----------
    table
        robustness.tsv with the column ``varied``; without it there is nothing to draw.
    arm
        Arm of the study.
    """
    if table.empty or "varied" not in table:
        return None
    own = table[(table["arm"].fillna("").astype(str) == arm) & (table["varied"].fillna("").astype(str) != "")]
    own = own[_answered(own)]  # those that have an answer, as in the sentence
    if own.empty:
        return None
    yes = _agrees(own)
    varied = own["varied"].astype(str).replace("nothing", "as reported")
    counts = pd.DataFrame({"choice": varied, "same_interval": yes, "analyses": 1})
    counts = counts.groupby("choice", sort=False)[["same_interval", "analyses"]].sum().reset_index()
    y = np.arange(len(counts))[::-1]

    def draw(width: float) -> Figure:
        figure, ax = canvas(width, 0.9 + 0.3 * len(counts))
        ax.barh(y, counts["analyses"], height=0.6, color=PALE, label="another one, or none")
        ax.barh(y, counts["same_interval"], height=0.6, color=VERMILION, label="compatible with the reported interval")
        for height, row in zip(y, records(counts), strict=True):
            ax.text(row["analyses"] + 0.15, height, f"{row['same_interval']} of {row['analyses']}", va="center")
        ax.set_yticks(y, counts["choice"])
        ax.set_xlim(0, counts["analyses"].max() * 1.15 + 0.5)
        ax.set_xlabel("analyses")
        ax.tick_params(axis="y", length=0)
        legend(ax, width)
        return figure

    told = "; ".join(f"{row['choice']} {row['same_interval']} of {row['analyses']}" for row in records(counts))
    alt = f"Analyses that are compatible with the reported interval, by the choice that was varied: {told}."
    with house_style():
        svg, narrow = at_two_widths(draw, f"choices-{arm}", alt)
    return Picture("choices" + (f"-{slug(arm)}" if arm else ""), "Compatible analyses by choice" + (f": {arm}" if arm else ""),
                   "Each row: the choices that differ, together; all else is as reported; analyses without an answer are left out. Where few analyses are compatible, the answer is sensitive to that choice.",
                   alt, (svg,), counts, kinds={"choice": Kind.TEXT, "same_interval": Kind.COUNT, "analyses": Kind.COUNT},
                   wide=True, narrow=narrow)  # fmt: skip
