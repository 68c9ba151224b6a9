"""All data sets of a run beside each other: when the cells emerge, and by how much."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recovery_microglia.core.frame_access import records
from recovery_microglia.core.vocabulary import Status
from recovery_microglia.core.wording import interval
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
)

TITLE = "When recovery microglia emerge, and by how much, in every data set"


def forest(comparison: pd.DataFrame, sentences: Sequence[str]) -> Picture | None:
    """Draw comparison.tsv as a forest: onset intervals left, rises on the highest day right, by injury model.

    Parameters
    ----------
    comparison
        From `compare.compare`.
    sentences
        Its agreement in words, the caption's beginning.
    """
    rows = comparison[(comparison["kind"] == "summary") | comparison["fraction"].notna()]
    if (rows["kind"] == "data set").sum() < 2:
        return None
    lines = _lines(rows)
    alt = "; ".join(_words(row) for row in records(rows)) + "."
    with house_style():
        panels = at_two_widths(lambda width: _draw(lines, width), "forest", alt)
    told = " ".join(sentences)
    caption = (
        f"{told} Left: the onset lies in the bar; an arrow means that it may lie earlier. "
        "Right: share on the highest day minus that of its control in percentage points, 95 % interval for animals in general, n animals on that day; open: described, not tested. "
        "Injury models are never pooled."
    ).strip()
    names = ["dataset", "arm", "injury_model", "status", "onset_low", "onset_high", "peak_day", "n_subjects"]
    numbers = rows[[*names, "fraction", "control_fraction", "rise", "rise_low", "rise_high"]]
    return Picture("forest", TITLE, caption, alt, panels[:1], numbers, of="comparison", wide=True, narrow=panels[1])


def _lines(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the lines from the top: a heading for each model, its data sets, its summary."""
    lines: list[dict[str, Any]] = []
    for (model, assay, enrichment), own in rows.groupby(["injury_model", "assay", "enrichment"], sort=False):
        about = [str(assay)] if assay not in ("", "cells") else []
        about += [f"sorted: {enrichment}"] if enrichment not in ("", "none") else []
        lines.append({"kind": "model", "label": ", ".join([str(model), *about])})
        for row in records(own):
            name = "all, random effects" if row["kind"] == "summary" else str(row["dataset"])
            lines.append(row | {"label": f"{name}, {row['arm']}" if row["arm"] else name})
    return lines


def _words(row: Mapping[str, Any]) -> str:
    if row["kind"] == "summary":
        return f"{row['injury_model']}, all: rise {100 * row['rise']:.0f} percentage points"
    when = interval(row["onset_low"], row["onset_high"]) if row["status"] == Status.TESTED else "described only"
    arm = f", {row['arm']}" if row["arm"] else ""
    return f"{row['dataset']}{arm}: {when}, highest on day {row['peak_day']:g}"


def _draw(lines: Sequence[Mapping[str, Any]], width: float) -> Figure:
    height = 0.9 + 0.3 * len(lines) + (0.0 if width >= WIDE else 0.4)
    figure = Figure(figsize=(width, height))
    bottom, top = 0.62 / height, 1 - 0.3 / height
    if width >= WIDE:
        left = figure.add_axes((0.25, bottom, 0.28, top - bottom))
        right = figure.add_axes((0.56, bottom, 0.24, top - bottom), sharey=left)
    else:  # names stand above their line
        left = figure.add_axes((0.03, bottom, 0.44, top - bottom))
        right = figure.add_axes((0.56, bottom, 0.42, top - bottom), sharey=left)
    last = max((_last(row) for row in lines), default=1.0)
    for place, row in enumerate(lines):
        y = -float(place)
        heading = row["kind"] == "model"
        _name(left, y, row["label"], heading=heading, beside=width >= WIDE)
        if not heading:
            _onset(left, y, row)
            _rise(right, y, row)
            _numbers(right, y, row, beside=width >= WIDE)
    for ax in (left, right):
        ax.set_ylim(-len(lines) + 0.4, 0.6)
        ax.tick_params(axis="y", left=False, labelleft=False)
        ax.spines["left"].set_visible(False)
    days = {
        v
        for row in lines
        for k in ("onset_low", "onset_high", "peak_day")
        if np.isfinite(v := float(row.get(k, np.nan)))
    }
    left.set_xlim(0, root_days([last * 1.12])[0])
    day_axis(left, [0.0, *days], label="onset, days after injury", every=False)
    right.axvline(0, color=GREY, lw=1, zorder=0)
    percent_axis(right, "x")
    right.locator_params(axis="x", nbins=4)
    right.set_xlabel("rise over control (points)")
    return figure


def _last(row: Mapping[str, Any]) -> float:
    found = [float(row.get(name, np.nan)) for name in ("onset_low", "onset_high", "peak_day")]
    known = [value for value in found if np.isfinite(value)]
    return max(known, default=1.0)


def _name(ax: Axes, y: float, label: str, *, heading: bool, beside: bool) -> None:
    weight = "bold" if heading else "normal"
    if beside:
        shown = label if len(label) <= 27 else label[:25] + "…"
        ax.annotate(shown if not heading else label, (-0.02, y), xycoords=("axes fraction", "data"),
                    ha="right" if not heading else "left", va="center", weight=weight, annotation_clip=False,
                    xytext=(-170, 0) if heading else (0, 0), textcoords="offset points")  # fmt: skip
    else:
        ax.annotate(label, (0, y + 0.38), xycoords=("axes fraction", "data"), ha="left", va="center", weight=weight,
                    fontsize=8.5, annotation_clip=False)  # fmt: skip


def _onset(ax: Axes, y: float, row: Mapping[str, Any]) -> None:
    if row["kind"] == "summary":
        return
    if row["status"] != Status.TESTED:
        ax.text(0.02, y, "no onset given", transform=ax.get_yaxis_transform(), va="center", color=GREY, fontsize=8.5)
        return
    low, high = float(row["onset_low"]), float(row["onset_high"])
    if np.isnan(high):
        ax.text(0.02, y, "no onset shown", transform=ax.get_yaxis_transform(), va="center", color=GREY, fontsize=8.5)
        return
    start, end = root_days([0.0 if np.isnan(low) else low, high])
    ax.barh(y, end - start, left=start, height=0.42, color=ONSET, lw=0)
    if np.isnan(low):
        _arrow(ax, end, start, y)


def _numbers(ax: Axes, y: float, row: Mapping[str, Any], *, beside: bool) -> None:
    """Write the rise with its interval, and the animals, beside a line or, on a phone, above it."""
    if not np.isfinite(row["rise"]):
        return
    text = f"{100 * row['rise']:.1f}"
    if np.isfinite(row["rise_low"]):
        text += f" ({100 * row['rise_low']:.0f} to {100 * row['rise_high']:.0f})"
    n = row.get("n_subjects", np.nan)
    text += f", n = {n:.0f}" if np.isfinite(n) else ""
    at = (1.03, y) if beside else (0.0, y + 0.38)
    ax.annotate(
        text, at, xycoords=("axes fraction", "data"), ha="left", va="center", fontsize=8.5, annotation_clip=False
    )


def _arrow(ax: Axes, start: float, end: float, y: float) -> None:
    ax.annotate(
        "", (end, y), (start, y), arrowprops={"arrowstyle": "->", "color": INK, "lw": 1.4}, annotation_clip=False
    )


def _rise(ax: Axes, y: float, row: Mapping[str, Any]) -> None:
    if not np.isfinite(row["rise"]):
        return
    summary = row["kind"] == "summary"
    colour = INK if summary else VERMILION
    if np.isfinite(row["rise_low"]):
        ax.plot([row["rise_low"], row["rise_high"]], [y, y], color=colour, lw=2.2 if summary else 1.6)
    face = colour if row["status"] == Status.TESTED else "white"
    ax.plot(row["rise"], y, "D" if summary else "o", ms=7, mfc=face, mec=colour, mew=1.3)
