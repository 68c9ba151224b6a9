"""The verdict: what a reader must know if they read nothing else."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from recovery_microglia.core import wording
from recovery_microglia.core.frame_access import records, row_of_largest
from recovery_microglia.core.tables import Kind
from recovery_microglia.core.vocabulary import Condition, Route, Severity, Status
from recovery_microglia.report.blocks import Column, Note, Table, Tile, Tiles, table
from recovery_microglia.report.inputs import ReportInputs

SEVERITY = {"alarm": 0, "warning": 1, "info": 2}


@dataclass(frozen=True)
class Verdict:
    """The first screen.

    Attributes
    ----------
    status, status_word, status_meaning
        Key, word on the chip, and what the word means.
    headline
        The answer, as (what matters most, what else is to be said), one an arm.
    tiles
        The facts behind it.
    design
        Animals, cells and microglia by day.
    worst
        The two worst warnings.
    n_more
        How many further warnings there are.
    limits
        What the data cannot show.
    """

    status: str
    status_word: str
    status_meaning: str
    headline: tuple[tuple[str, str], ...]
    tiles: Tiles
    design: Table | None
    worst: tuple[Note, ...]
    n_more: int
    limits: tuple[str, ...]


def verdict(inputs: ReportInputs) -> Verdict:
    """Return the first screen of a data set."""
    word, meaning = wording.STATUS[inputs.status]
    answer = headline(inputs)
    if inputs.status != Status.TESTED and inputs.reason and inputs.reason not in answer:
        meaning = f"{meaning} Reason: {inputs.reason}."
    notices = warnings_of(inputs)
    told = inputs.reason if inputs.reason in answer else ""  # what the headline says need not be said twice
    serious = [note for note in notices if note.severity != Severity.INFO and not (told and told in note.text)]
    return Verdict(
        inputs.status,
        word,
        meaning,
        tuple(_first_and_rest(line) for line in answer.splitlines()),
        Tiles(tuple(_tiles(inputs))),
        _design(inputs),
        tuple(serious[:2]),
        len(notices) - len(serious[:2]),
        tuple(limits(inputs)),
    )


def headline(inputs: ReportInputs) -> str:
    """Return the answer; never one that the status does not allow."""
    if text := inputs.text("headline"):
        return text.replace(" %", wording.PERCENT)
    if inputs.status == Status.NOT_TESTABLE:
        why = f": {inputs.reason}" if inputs.reason else ""
        return f"Whether recovery microglia emerge cannot be judged from these data{why}."
    return " ".join(str(row["sentence"]) for row in inputs.onsets if not wording.missing(row.get("sentence")))


def _first_and_rest(line: str) -> tuple[str, str]:
    """Return a line's first sentence, and the others."""
    first, *rest = re.split(r"(?<=\.) (?=[A-Z])", line, maxsplit=1)
    return first, rest[0] if rest else ""


def warnings_of(inputs: ReportInputs) -> list[Note]:
    """Return the warnings, the worst first."""
    frame = inputs.table("warnings")
    rows = records(frame) if len(frame) else list(inputs.summary.get("notices") or [])
    notes = []
    for row in rows:
        severity = str(row.get("severity", "info"))
        where = row.get("library", "")
        title = wording.key_words(str(row.get("code", ""))).capitalize()
        notes.append(Note(severity, title, str(row.get("text", "")) + _where(where, str(row.get("text", "")))))
    return sorted(notes, key=lambda note: SEVERITY.get(note.severity, 3))


def _where(libraries: Any, text: str) -> str:
    """Return the libraries of a warning, if its text does not name them."""
    if wording.missing(libraries):
        return ""
    names = [name.strip() for name in str(libraries).split(",")]
    return "" if all(name in text for name in names) else f" ({wording.listed(names, most=6)})"


# ---------------------------------------------------------------- facts


def _tiles(inputs: ReportInputs) -> list[Tile]:
    tiles = []
    several = len(inputs.onsets) > 1
    for row in inputs.onsets[:3]:
        arm = f", {row['arm']}" if several and not wording.missing(row.get("arm")) else ""
        tiles += _onset_tiles(row, inputs, arm)
    return [*tiles, *_truth_tile(inputs), *_coverage_tile(inputs), *_animals_tile(inputs)]


def _day(value: Any) -> float:
    """Return a day; NaN where there is none."""
    return float("nan") if wording.missing(value) else float(value)


def _onset_tiles(row: Mapping[str, Any], inputs: ReportInputs, arm: str) -> list[Tile]:
    tiles = []
    if onset := wording.onset_words(row):
        half = row.get("half_rise_day")
        note = "95 % interval of the day on which a quarter of the rise is reached."
        if wording.missing(row.get("onset_high")):
            note = "No tested day is above its control. That does not show that there was no rise."
        if half is not None and not wording.missing(half):
            when = wording.interval(_day(row["half_rise_low"]), _day(row["half_rise_high"]))
            note += f" Half of it is reached {when} (95 % interval)."
        tiles.append(Tile(f"Onset{arm}", onset[0].upper() + onset[1:], note))
    days = inputs.arm_days(str(row.get("arm") or "") if not wording.missing(row.get("arm")) else "")
    if "status" in days and (days["status"] == Status.TESTED).any():
        days = days[days["status"] == Status.TESTED]  # as the sentence beside it
    if len(days) and days["fraction"].notna().any():
        peak = row_of_largest(days, "fraction")
        note = f"of microglia on day {wording.day(peak['day'])}, "
        note += wording.count(int(peak["n_subjects"]), "animal")
        if not wording.missing(peak.get("low")):
            note += f" (95 % interval {wording.percent_interval(peak['low'], peak['high'])})"
        note += f"; called: {wording.whole(peak['k'])} of {wording.whole(peak['n'])} cells"
        if not wording.missing(peak["control_fraction"]):
            note += f". Control: {wording.percent(peak['control_fraction'])}"
        tiles.append(Tile(f"Highest share{arm}", wording.percent(peak["fraction"]), note))
    return tiles


def _truth_tile(inputs: ReportInputs) -> list[Tile]:
    """Return called against true, for simulated data only."""
    truth = inputs.summary.get("truth") or {}
    if not inputs.simulated or wording.missing(truth.get("precision")):
        return []
    note = f"of the called cells are true recovery cells; {wording.percent(truth.get('recall'))} of the true ones are called"
    return [Tile("Called against true", wording.percent(truth["precision"]), note)]


def _coverage_tile(inputs: ReportInputs) -> list[Tile]:
    coverage = (inputs.summary.get("recovery") or {}).get("coverage") or {}
    if "n_present" not in coverage:
        return []
    absent = list(coverage.get("absent") or [])
    note = f"missing: {wording.listed(absent, most=5)}" if absent else "all were measured"
    return [Tile("Signature genes", f"{coverage['n_present']} of {coverage['n_genes']}", note)]


def _animals_tile(inputs: ReportInputs) -> list[Tile]:
    """Return the animals, and the cells that they gave."""
    included, totals = inputs.included, inputs.summary.get("totals") or {}
    cells = "" if wording.missing(totals.get("microglia")) else f"{wording.whole(totals['microglia'])} microglia"
    if cells and not wording.missing(totals.get("kept")):
        cells += f" among {wording.whole(totals['kept'])} cells kept"
        cells += "" if wording.missing(totals.get("cells")) else f" of {wording.whole(totals['cells'])}"
    if included.empty:
        return [Tile("Microglia", wording.whole(totals["microglia"]), cells)] if cells else []
    kinds = included.drop_duplicates(["subject", "condition"])["condition"].value_counts()
    note = wording.listed([f"{n} {kind}" for kind, n in kinds.items()])
    note += f"; {wording.count(included['library'].nunique(), 'library', 'libraries')}{'; ' + cells if cells else ''}"
    return [Tile("Animals", wording.whole(included["subject"].nunique()), note)]


def _design(inputs: ReportInputs) -> Table | None:
    rows = inputs.summary.get("days") or []
    if not rows:
        return None
    frame = pd.DataFrame(rows)
    frame["when"] = [
        f"{'day not known' if wording.missing(row.get('day')) else 'day ' + wording.day(row['day'])}, {row.get('condition')}"
        + (f", {row['arm']}" if row.get("arm") else "")
        for row in rows
    ]
    frame["called"] = [_called(inputs, row) for row in rows]
    frame["estimate"] = [_of_the_day(inputs, row, "fraction") for row in rows]
    tested = inputs.status == Status.TESTED
    frame["seen_from"] = [_of_the_day(inputs, row, "smallest_detectable") if tested else math.nan for row in rows]
    columns = [
        Column("when", "Day", Kind.TEXT),
        Column("subjects", "Animals", Kind.COUNT),
        Column("called", "Called", Kind.TEXT, "called recovery cells of all microglia that could be called"),
        Column("estimate", "Share", Kind.SHARE, "of recovery cells among microglia, estimated without a cutoff"),
        Column("seen_from", "Seen from", Kind.SHARE, "a true share below this would have been missed too often"),
    ]
    if not frame["called"].any():  # nothing was called, so that no share names the microglia
        columns.insert(2, Column("microglia", "Microglia", Kind.COUNT))
    return table(frame, columns, caption="What each day rests on", name="answer-days")


def _of_the_day(inputs: ReportInputs, row: Mapping[str, Any], column: str) -> float:
    """Return what timeline.tsv says of a day of an arm, else NaN."""
    days = inputs.table("timeline")
    if row.get("condition") != Condition.INJURED or days.empty or wording.missing(row.get("day")):
        return math.nan
    arm = days["arm"].fillna("").astype(str) == str(row.get("arm") or "")
    own = days[(days["route"] == Route.SCORE) & (days["day"] == float(row["day"])) & arm]
    found = own[column].dropna()
    return float(found.iloc[0]) if len(found) == 1 else math.nan


def _called(inputs: ReportInputs, row: Mapping[str, Any]) -> str:
    """Return the called cells of a day, condition and arm: 147/462."""
    units = inputs.units()
    if units.empty:
        return ""
    same_day = units["day"].isna() if wording.missing(row.get("day")) else units["day"] == float(row["day"])
    arm = units["arm"].fillna("").astype(str) == str(row.get("arm") or "")
    own = units[same_day & arm & (units["condition"] == row.get("condition"))]
    k, n = own["k"].sum(), own["n"].sum()
    return f"{wording.whole(k)}/{wording.whole(n)}" if n else ""


# ---------------------------------------------------------------- limits


def limits(inputs: ReportInputs) -> list[str]:
    """Return what no analysis of these data can show, in plain words."""
    found = [
        "That these cells cause recovery from pain: that needs an experiment that removes or adds them.",
        "CD11c protein: the call is a CD11c⁺-like state of RNA; Itgax itself is seen in few cells at this depth.",
    ]
    if inputs.status == Status.NOT_TESTABLE:
        return found
    if inputs.called:
        found.append(
            "Every recovery cell: cells with few counts or less than two fifths of the way into the programme are missed, and where such cells "
            "are rare the cutoff is strict, so that the share of called cells is then a lower bound. The share without a "
            "cutoff is not, but rests on the model."
        )
    found.append("Numbers of cells: sequencing gives shares, so a growth of all microglia together is invisible.")
    if inputs.text("assay") == "nuclei":
        found.append("What whole cells would show: nuclei hold little Apoe, Spp1, Cst3 and Cd74 RNA.")
    if inputs.sorted_tissue:
        found.append("Which cell types supply Igf1: the tissue was sorted, so other sources were left out.")
    used = inputs.included
    sampled = sorted(used.loc[used["condition"] == Condition.INJURED, "day"].dropna().unique()) if len(used) else []
    if sampled:
        found.append(
            f"What happens between the days sampled ({wording.listed([wording.day(d) for d in sampled], most=12)})."
        )
    if len(used) and "sex" in used and set(used["sex"].dropna()) <= {"male"} and used["sex"].notna().any():
        found.append("Females: all animals are male.")
    if len(used) and "sex" in used and set(used["sex"].dropna()) <= {"female"} and used["sex"].notna().any():
        found.append("Males: all animals are female.")
    return found
