"""The design: animals by day, condition and batch."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from recovery_microglia.core import wording
from recovery_microglia.core.frame_access import records
from recovery_microglia.core.vocabulary import rank_of
from recovery_microglia.report.blocks import Chip, Column, Grid, Note, Prose, Section, table
from recovery_microglia.report.inputs import ReportInputs

TONES = 6
"""Colours of chips; more batches than this share them, and the letters tell them apart."""


def design_section(inputs: ReportInputs) -> Section:
    """Return animals by day, condition and batch, and what goes together with the days."""
    used = inputs.included
    title = "Design and confounding"
    if used.empty:
        return Section("design", title, "", (Note("why", "Not known", "The sample sheet is empty."),))
    blocks: list[object] = [_grid(used), *_what_it_shows(inputs)]
    confounding = inputs.table("confounding")
    if len(confounding):
        columns = [
            Column("variable", "Variable"),
            Column("levels", "Values"),
            Column("cramers_v", "Cramér's V with the days", help="0: unrelated, 1: the same thing"),
            Column("note", "Confounded with the days"),
        ]
        marked = [wording.truthy(value) for value in confounding["aliased"]]
        blocks.append(table(confounding, columns, of="confounding", caption="Association with the days", marked=marked))
    samples = inputs.table("samples")
    left_out = samples[~samples["library"].isin(used["library"])]
    if len(left_out):
        columns = [
            Column("library", "Library"),
            Column("condition", "Condition"),
            Column("day", "Day"),
            Column("reason", "Reason"),
        ]
        blocks.append(table(left_out, columns, of="samples", caption="Libraries that were left out"))
    lead = (
        f"{wording.count(used['library'].nunique(), 'library', 'libraries')} of "
        f"{wording.count(used['subject'].nunique(), 'animal')}."
    )
    return Section("design", title, lead, tuple(blocks))


def _what_it_shows(inputs: ReportInputs) -> list[object]:
    """Return what so many animals can show on each day, before any result: from design.tsv, else nothing."""
    frame = inputs.table("design")
    if frame.empty:
        return []
    columns = [
        Column("arm", "Arm"),
        Column("day", "Day"),
        Column("animals", "Animals"),
        Column("control", "Compared with"),
        Column("control_animals", "Control animals"),
        Column("smallest_p", "Smallest p", help="the smallest p that so few animals can reach by permutation"),
        Column(
            "smallest_share",
            "Planned detection limit",
            help="supposed before the data, of 150 microglia an animal: the smallest true share that is detected with the configured power; "
            "what these data would have shown stands in the answer",
        ),
        Column("claim", "What may be claimed"),
    ]
    blocks: list[object] = [
        table(frame, columns, of="design", caption="What the design can show, whatever the result", name="design")
    ]
    blocks += _rank(inputs.summary.get("design") or {})
    return blocks


def _rank(design: Mapping[str, Any]) -> list[object]:
    """Return whether everything in the design can be told apart, where the run says so."""
    rank, columns = design.get("rank"), design.get("columns")
    if rank is None or columns is None:
        return []
    n = len(columns) if isinstance(columns, (list, tuple)) else int(columns)
    text = f"The design matrix (days and properties of the libraries) has rank {int(rank)} of {n} columns: "
    told = "all effects in it are estimable." if int(rank) == n else "some effects are confounded."
    return [Prose(text + told)]


def _grid(used: pd.DataFrame) -> Grid:
    used = used.assign(arm=_text(used, "arm"), batch=_text(used, "batch"))
    batches = sorted(set(used["batch"]) - {""})
    tone = {batch: place % TONES for place, batch in enumerate(batches)}
    short = _short(batches)
    days = sorted(used["day"].dropna().unique())
    columns = [*days, *([None] if used["day"].isna().any() else [])]
    rows = []
    groups = sorted(used.groupby(["arm", "condition"]), key=lambda item: (item[0][0], rank_of(str(item[0][1]))))
    for (arm, condition), group in groups:
        cells = []
        for day in columns:
            own = group[group["day"].isna() if day is None else group["day"] == day]
            chips = [_chip(animal, tone, short) for animal in records(own.drop_duplicates("subject"))]
            cells.append(tuple(chips))
        rows.append((f"{condition}, {arm}" if arm else str(condition), tuple(cells)))
    names = tuple("day not stated" if day is None else f"day {day:g}" for day in columns)
    legend = (
        "Each square is an animal; letters and colours are batches: "
        if batches
        else "Each square is an animal; batches are not stated."
    )
    legend += (
        wording.listed([f"{short[b]} = {b}" if short[b] != b else b for b in batches], most=20) + "." if batches else ""
    )
    return Grid(names, tuple(rows), legend)


def _text(frame: pd.DataFrame, column: str) -> pd.Series:
    return (
        frame[column].astype(object).where(frame[column].notna(), "").astype(str)
        if column in frame
        else pd.Series("", index=frame.index)
    )


def _short(batches: list[str]) -> dict[str, str]:
    """Return what is written on a chip: the batch itself if short, else a letter."""
    if all(len(batch) <= 3 for batch in batches):
        return {batch: batch for batch in batches}
    return {batch: chr(ord("A") + place) if place < 26 else str(place + 1) for place, batch in enumerate(batches)}


def _chip(animal: Mapping[str, Any], tone: Mapping[str, int], short: Mapping[str, str]) -> Chip:
    facts = [str(animal["subject"])]
    facts += [f"{key} {animal[key]}" for key in ("batch", "chemistry") if not wording.missing(animal.get(key))]
    facts += [str(animal[key]) for key in ("sex", "age") if not wording.missing(animal.get(key))]
    pooled = animal.get("pooled_n", 1)
    facts += [f"pool of {pooled:g} animals"] if not wording.missing(pooled) and float(pooled) > 1 else []
    batch = str(animal["batch"])
    return Chip(short.get(batch, "·"), tone.get(batch, -1), ", ".join(facts))
