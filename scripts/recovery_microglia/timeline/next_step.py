"""What would settle what is open: a day to sample, animals to add with what they buy, what the sheet should state.

Everything is computed from the data at hand: microglia an animal, share in the controls, spread between animals.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from recovery_microglia.core.frame_access import records, row_of_largest
from recovery_microglia.core.json_files import Json
from recovery_microglia.core.vocabulary import CONTROLS, Condition, Status
from recovery_microglia.core.wording import count, interval, listed, percent_in_sentence
from recovery_microglia.timeline import betabinomial as bb
from recovery_microglia.timeline.design import Audit
from recovery_microglia.timeline.detection import smallest_detectable, supposed_studies
from recovery_microglia.timeline.fractions import Group, arms_of, units_of_arm
from recovery_microglia.timeline.power import IN_CONTROLS, SPREAD, WORTH
from recovery_microglia.timeline.settings import TimelineSettings
from recovery_microglia.timeline.sides import sides_of

STUDIES = 100
"""Studies drawn for each number of animals; the power at the answer is known to about .04."""
MORE_ANIMALS = (4, 5, 6, 8, 10, 12)
"""Numbers of animals a group that are tried; more are rarely sequenced."""
OTHER_DAYS = 2
"""Other days of a drawn study, from which the spread between animals is learnt too."""
PURSUED = 0.5
"""q of a day from which on its share is no rise to pursue."""
CLOSEST = 1.0
"""Days between two sampled days below which no day between them is worth sampling."""


def next_steps(
    design: Audit,
    units: pd.DataFrame,
    days: pd.DataFrame,
    onset: pd.DataFrame,
    recovery: Json,
    settings: TimelineSettings,
    *,
    seed: int,
) -> list[Json]:
    """Return what would settle what is open, the most useful first: kind, arm, day, animals, text.

    Parameters
    ----------
    design
        From `design.audit`.
    units
        fractions.tsv (route ``score``, of microglia).
    days, onset
        timeline.tsv and onset.tsv of the same route.
    recovery
        recovery.json: whether cells could be called, and which genes were measured.
    settings
        Level and power.
    seed
        Seed of the drawn studies.
    """
    rng = np.random.default_rng([seed, 9])
    steps = _missing_for_calls(recovery)
    if design.status == Status.NOT_TESTABLE:
        return [*steps, *_missing_in_design(design, units, settings, rng)]
    if recovery["status"] == Status.NOT_TESTABLE:
        return steps
    if design.status == Status.DESCRIPTIVE or design.held:
        steps += _to_test(design, units, settings, rng)
    if design.status == Status.TESTED:
        for row in records(onset):
            arm = str(row.get("arm") or "")
            own = days[(days["arm"] == arm) & (days["status"] == Status.TESTED)] if len(days) else days
            if row["status"] == Status.TESTED and len(own):
                several = f" ({arm})" if arm and len(onset) > 1 else ""
                steps += _day_to_sample(row, own, arm, several)
                steps += _animals_to_add(row, own, units_of_arm(units, arm), settings, rng, arm, several)
    if any(notice.code == "batch_unknown" for notice in design.notices):
        steps.append(_step("state_batch", "State in the sample sheet which animals were processed together (column batch): a batch effect cannot be looked for until then."))  # fmt: skip
    return steps


def _step(kind: str, text: str, arm: str = "", day: float = np.nan, animals: float = np.nan) -> Json:
    return {"kind": kind, "arm": arm, "day": day, "animals": animals, "text": text}


def _power(settings: TimelineSettings) -> str:
    return f"{100 * settings.power:g} % power"


# ---------------------------------------------------------------- what is missing


def _missing_for_calls(recovery: Json) -> list[Json]:
    """Return what is missing to call recovery cells: genes, or controls of a chemistry."""
    coverage = recovery.get("coverage") or {}
    steps = []
    if coverage.get("reason"):
        absent = listed(list(coverage.get("absent") or []), most=14)
        text = (
            f"Measure the whole transcriptome, or a panel with the signature: {coverage['n_present']} of {coverage['n_genes']} signature genes "
            f"were measured. Missing: {absent}."
        )
        steps.append(_step("measure_genes", text))
        return steps
    for row in recovery.get("calibration") or []:
        cutoff = row.get("cutoff")
        if cutoff is None or not np.isfinite(cutoff):
            text = (
                f"Add control microglia of chemistry '{row['chemistry']}': there are {row['n_control_cells']} of "
                f"{count(int(row['n_control_subjects']), 'animal')}, too few for a cutoff."
            )
            steps.append(_step("add_controls", text))
    return steps


def _missing_in_design(
    design: Audit, units: pd.DataFrame, settings: TimelineSettings, rng: np.random.Generator
) -> list[Json]:
    """Return what is missing to compare days at all."""
    if "days after injury" in design.reason:
        text = "State the day after injury of each injured animal in the sample sheet (column day); without it no course can be tested."
        return [_step("state_day", text)]
    injured = "injured" in design.reason
    groups = design.groups[design.groups["condition"].isin(CONTROLS) == injured]
    there = int(groups["n_subjects"].sum()) if len(groups) else 0
    what = "injured animals on each of at least two days after injury" if injured else "control animals (naive or sham)"
    n = max(3, min(there, 6)) if not injured else 3
    limit = _detection_limit(max(there, 2) if injured else n, n, _as_measured(units), settings, rng)
    beside = f"beside the {count(there, 'control')} there are" if injured else "a group"
    text = (
        f"Add {n} {what}, of the same chemistry and processed together with the others: with {n} {beside}, a share of "
        f"{percent_in_sentence(limit)} would be detected with {_power(settings)}."
    )
    return [_step("add_animals", text, animals=n)]


def _to_test(design: Audit, units: pd.DataFrame, settings: TimelineSettings, rng: np.random.Generator) -> list[Json]:
    """Return what a design that is described needs to be tested."""
    steps = []
    for reason in dict.fromkeys(design.held.values()):
        days = sorted({day for (_, day), why in design.held.items() if why == reason})
        what = "batch" if "batch" in reason else "chemistry"
        named = listed([f"{day:g}" for day in days], most=12)
        text = f"Process control animals and animals of day {named} in one {what}: at present the {what} is confounded with the day."
        steps.append(_step(f"share_{what}", text))
    if not design.held and design.status == Status.DESCRIPTIVE:
        limit = _detection_limit(3, 3, _as_measured(units), settings, rng)
        text = (
            f"Add animals until each day and the control have at least two; with three each, a share of {percent_in_sentence(limit)} would be "
            f"detected with {_power(settings)}."
        )
        steps.append(_step("add_animals", text, animals=3))
    return steps


# ---------------------------------------------------------------- a day, and animals


def _day_to_sample(row: Mapping[str, Any], days: pd.DataFrame, arm: str, several: str) -> list[Json]:
    """Return the day in the middle of the widest gap within the interval of the onset."""
    low, high = (float(row[name]) if row[name] is not None else np.nan for name in ("onset_low", "onset_high"))
    if not np.isfinite(high):
        return []
    start = low if np.isfinite(low) else 0.0
    sampled = sorted({start, high, *(day for day in days["day"] if start < day < high)})
    gaps = np.diff(sampled)
    if not len(gaps) or gaps.max() <= CLOSEST:
        return []
    widest = int(np.argmax(gaps))
    before, after = sampled[widest], sampled[widest + 1]
    day = float(np.floor((before + after) / 2))
    text = f"Sample day {day:g}{several}: the onset lies {interval(low, high)}, and no day between {before:g} and {after:g} was sampled."
    return [_step("sample_day", text, arm, day)]


def _animals_to_add(
    row: Mapping[str, Any],
    days: pd.DataFrame,
    units: pd.DataFrame,
    settings: TimelineSettings,
    rng: np.random.Generator,
    arm: str,
    several: str,
) -> list[Json]:
    """Return how many animals would show the highest day that is not shown to be above control, or what more animals would detect."""
    shown = (days["q"] < settings.alpha) & (days["difference"] > 0) & (days["methods_against"].fillna("") == "")
    # a day that is hardly unlike its control is no rise to pursue: the best of several is above it by chance
    open_days = days[~shown & (days["fraction"] > days["control_fraction"]) & (days["q"] < PURSUED)]
    reached = np.isfinite(float(row["onset_high"] if row["onset_high"] is not None else np.nan))
    if open_days.empty and reached:
        return []
    measured = _as_measured(units)
    if len(open_days):
        day = row_of_largest(open_days, "fraction")
        now, share = int(day["n_subjects"]), float(day["fraction"])
        more = [n for n in MORE_ANIMALS if n > now]
        limits = {n: _detection_limit(n, n, measured, settings, rng, n_days=len(days)) for n in more}
        enough = next((n for n, limit in limits.items() if limit <= share), None)
        found = f"the share estimated there ({percent_in_sentence(share)})"
        there = f"(now {now} and {int(day['n_control_subjects'])})"
        if enough is not None:
            text = f"Add animals on day {day['day']:g}{several}: with {enough} animals and {enough} controls {there} {found} would be shown to be above control with {_power(settings)}."
            return [_step("add_animals", text, arm, float(day["day"]), enough)]
        if limits:
            most = max(limits)
            text = (
                f"Whether {found.replace('there', f'on day {day["day"]:g}')}{several} is above control needs more than {most} animals and {most} controls {there}: "
                f"with so many, {percent_in_sentence(limits[most])} would be detected with {_power(settings)}."
            )
            return [_step("add_animals", text, arm, float(day["day"]), most)]
    if reached:
        return []
    now = int(days["n_subjects"].min())
    n = next((n for n in MORE_ANIMALS if n >= 2 * now), MORE_ANIMALS[-1])
    limit = _detection_limit(n, n, measured, settings, rng, n_days=len(days))
    worst = float(days["smallest_detectable"].max())
    before = f", now {percent_in_sentence(worst)}" if np.isfinite(worst) else ""
    text = (
        f"Add animals{several}: with {n} on each day and {n} controls (now {now}), a share of {percent_in_sentence(limit)} would be detected with "
        f"{_power(settings)}{before}."
    )
    return [_step("add_animals", text, arm, animals=n)]


def _detection_limit(
    n_control: int,
    n: int,
    measured: tuple[float, int, float],
    settings: TimelineSettings,
    rng: np.random.Generator,
    *,
    n_days: int = 2,
) -> float:
    """Return the smallest share that so many animals would detect, if further animals are as those there are (`_as_measured`)."""
    share, cells, spread = measured
    groups = [np.full(n_control, cells), *[np.full(n, cells)] * (1 + min(n_days - 1, OTHER_DAYS))]
    drawn = supposed_studies([share] * len(groups), groups, spread, rng, studies=STUDIES)
    return smallest_detectable(
        drawn, 0, 1, alpha=settings.alpha / max(n_days, 1), power=settings.power, floor=share, rng=rng
    )


def _as_measured(units: pd.DataFrame) -> tuple[float, int, float]:
    """Return the share in the controls, what the microglia of an animal are worth in cells known without doubt, and the spread between animals; those supposed by `power` where not known."""
    known = units[units["n"] > 0] if len(units) else units
    if known.empty:
        return IN_CONTROLS, WORTH, SPREAD
    worth = known["mixture_cells"] if "mixture_cells" in known and known["mixture_cells"].notna().any() else known["n"]
    cells = int(max(worth.median(), 1))
    controls = known[known["condition"].isin(CONTROLS)]
    column = "mixture" if "mixture" in controls and controls["mixture"].notna().any() else "fraction"
    share = float(controls[column].mean()) if len(controls) else IN_CONTROLS
    injured = known[(known["condition"] == Condition.INJURED) & known["day"].notna()]
    if injured.empty or not len(controls):
        return max(share, IN_CONTROLS / 2), cells, SPREAD
    groups: dict[int, Group] = {}
    for arm in arms_of(known):
        for side in sides_of(units_of_arm(known, arm).reset_index(drop=True)).values():
            groups |= {id(group): group for group in (side.group, side.control) if len(group.k)}
    weight = bb.rho_posterior([group.grid for group in groups.values()])
    return max(share, IN_CONTROLS / 2), cells, float(weight @ bb.RHO)
