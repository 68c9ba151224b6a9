"""What the sample sheet lets anyone claim, before any cell is looked at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from recovery_microglia.core.errors import Notice
from recovery_microglia.core.frame_access import records
from recovery_microglia.core.statistics import cramers_v
from recovery_microglia.core.vocabulary import CONTROLS, Condition, Severity, Status
from recovery_microglia.timeline.fractions import arms_of, units_of_arm

CONFOUNDERS = ("batch", "chemistry", "sex", "sort", "age")


INSEPARABLE = ("batch", "chemistry")
"""What makes a day descriptive if it cannot be told from it; the others are warned of."""


@dataclass(frozen=True)
class Audit:
    """What may be claimed.

    Attributes
    ----------
    status
        ``tested``, ``descriptive`` or ``not_testable``.
    reason
        Why not ``tested``, else empty.
    confounding
        = confounding.tsv: variable, levels, cramers_v, aliased, note.
    groups
        arm, day, condition, n_subjects of the included libraries.
    held
        (arm, day) to the reason why that day alone is described and not tested.
    rank, columns
        Rank of the design (days of each arm, and all that varies and is known of batch, chemistry, sex, sort, age) and its
        number of columns; where the rank is lower, some effects are confounded.
    notices
        Remarks for the report.
    """

    status: str
    reason: str
    confounding: pd.DataFrame
    groups: pd.DataFrame
    notices: list[Notice]
    held: dict[tuple[str, float], str] = field(default_factory=dict)
    rank: int = 0
    columns: int = 0

    def days_of(self, arm: str) -> list[float]:
        """Return the days after injury of an arm."""
        own = self.groups[(self.groups["arm"] == arm) & (self.groups["condition"] == Condition.INJURED)]
        return list(own["day"].dropna())

    def held_of(self, arm: str) -> dict[float, str]:
        """Return the days of an arm that are described and not tested, with the reason."""
        return {day: reason for (own, day), reason in self.held.items() if own == arm}

    def as_dict(self) -> dict[str, Any]:
        """Return the audit as a JSON-able dict."""
        held = [{"arm": arm, "day": day, "reason": reason} for (arm, day), reason in self.held.items()]
        facts = {"status": self.status, "reason": self.reason, "rank": self.rank, "columns": self.columns}
        return {**facts, "held": held, "groups": records(self.groups)}


def subjects(sheet: pd.DataFrame) -> pd.DataFrame:
    """Return one row per subject, day, condition and arm of the included libraries (an animal has two sides)."""
    included = sheet[sheet["include"]]
    keys = ["arm", "subject", "day", "condition"]
    return included.drop_duplicates(keys).reset_index(drop=True)


def _not_estimable(group: pd.Series, other: pd.Series) -> list[str]:
    """Return the groups whose difference from the controls cannot be told from ``other``.

    A difference is estimable in a model with ``other`` as a factor if its contrast lies in the row space of the design.
    """
    names = sorted(set(group) - {"control"})
    indicator = np.column_stack([(group == name).to_numpy(float) for name in ["control", *names]])
    design = np.column_stack([indicator, pd.get_dummies(other.astype(str)).to_numpy(float)[:, 1:]])
    rank = np.linalg.matrix_rank(design)
    found = []
    for place, name in enumerate(names, start=1):
        contrast = np.zeros(design.shape[1])
        contrast[0], contrast[place] = -1, 1
        if np.linalg.matrix_rank(np.vstack([design, contrast])) > rank:
            found.append(name)
    return found


def _groups_of(units: pd.DataFrame) -> pd.Series:
    """Return 'control' or the day of each subject."""
    named = "day " + units["day"].map("{:g}".format)
    return named.where(units["condition"] == Condition.INJURED, "control")


def _aliased(units: pd.DataFrame, name: str) -> set[tuple[str, float]]:
    """Return the days (with their arms) that cannot be told from a variable, in each arm with its controls."""
    found: set[tuple[str, float]] = set()
    for arm in arms_of(units):
        own = units_of_arm(units, arm)
        own = own[(own["condition"] != Condition.INJURED) | own["day"].notna()]
        if not own["condition"].isin(CONTROLS).any():
            continue
        found |= {(arm, float(day.removeprefix("day "))) for day in _not_estimable(_groups_of(own), own[name])}
    return found


def _confounding(units: pd.DataFrame, aliased: Mapping[str, set[tuple[str, float]]], n_days: int) -> pd.DataFrame:
    rows: list[Mapping[str, Any]] = []
    group = _groups_of(units)
    for name in CONFOUNDERS:
        values = units[name].astype(str)
        known = values != ""
        levels = int(values[known].nunique())
        days = sorted({day for _, day in aliased[name]})
        if not known.all():
            note = "not stated" if not known.any() else f"not stated for {int((~known).sum())} subjects"
        elif levels < 2:
            note = "does not vary"
        elif not days:
            note = "not confounded with the days"
        elif len(aliased[name]) >= n_days:
            note = "confounded with the days"
        else:
            note = f"confounded with day {', '.join(f'{day:g}' for day in days)}"
        if known.all() and levels > 1 and (others := _that_tell(units, name)):
            note += f"; confounded with {' and '.join(others)}"
        v = cramers_v(group[known], values[known]) if known.any() else float("nan")
        rows.append({"variable": name, "levels": levels, "cramers_v": v, "aliased": bool(days), "note": note})
    return pd.DataFrame(rows)


def _that_tell(units: pd.DataFrame, name: str) -> list[str]:
    """Return the other variables of which each level has one level of ``name`` only, so that their effects are one."""
    others = [other for other in CONFOUNDERS if other != name and (units[other].astype(str) != "").all()]
    return [other for other in others if (units.groupby(other)[name].nunique() == 1).all()]


def _rank(units: pd.DataFrame) -> tuple[int, int]:
    """Return rank and number of columns of the design: days of each arm, and all that varies and is known."""
    if units.empty:
        return 0, 0
    parts = [pd.get_dummies(units["arm"].astype(str) + "|" + _groups_of(units)).to_numpy(float)]
    for name in CONFOUNDERS:
        values = units[name].astype(str)
        if (values != "").all():
            parts.append(pd.get_dummies(values).to_numpy(float)[:, 1:])
    design = np.column_stack(parts)
    return int(np.linalg.matrix_rank(design)), design.shape[1]


def audit(sheet: pd.DataFrame) -> Audit:
    """Say what a sheet's design lets anyone claim about emergence over days.

    Parameters
    ----------
    sheet
        One row a library (`DataSet.frame`).

    Returns
    -------
    Audit
        ``not_testable`` without days, injured subjects or controls; ``descriptive`` if no day has two injured
        subjects, if there are fewer than two control subjects, or if no day can be told from its batch or chemistry;
        else ``tested``. Single days that cannot are ``held`` back.
    """
    units = subjects(sheet)
    used = units[units["condition"].isin([*CONTROLS, Condition.INJURED])]
    groups = used.groupby(["arm", "day", "condition"], dropna=False)["subject"].nunique().rename("n_subjects")
    injured = used[used["condition"] == Condition.INJURED]
    control = used[used["condition"].isin(CONTROLS)]
    known = {name: not (used[name].astype(str) == "").any() and used[name].nunique() > 1 for name in CONFOUNDERS}
    aliased = {name: _aliased(used, name) if known[name] else set() for name in CONFOUNDERS}
    days = set(injured.dropna(subset=["day"])[["arm", "day"]].itertuples(index=False, name=None))
    confounding = _confounding(used, aliased, len(days))
    held = {key: f"day and {name} confounded" for name in reversed(INSEPARABLE) for key in sorted(aliased[name])}
    status, reason, notices = Status.TESTED, "", []
    if injured.empty:
        status, reason = Status.NOT_TESTABLE, "there is no injured library"
    elif not days:
        status, reason = Status.NOT_TESTABLE, "the days after injury are not known"
    elif control.empty:
        status, reason = Status.NOT_TESTABLE, "there is no control library"
    elif days <= set(held):
        status, reason = Status.DESCRIPTIVE, held[min(days)]
    elif injured.groupby(["arm", "day"])["subject"].nunique().max() < 2 or control["subject"].nunique() < 2:
        status, reason = Status.DESCRIPTIVE, "one animal a day, or one control animal"
    if status != Status.NOT_TESTABLE:
        notices += _alias_notices(aliased, len(days))
    undated = injured.loc[injured["day"].isna(), "subject"]
    if len(undated) and status != Status.NOT_TESTABLE:
        text = f"No day is stated for {', '.join(undated)}: these injured animals take no part in the timeline."
        notices.append(Notice("day_unknown", Severity.WARNING, text))
    if status != Status.NOT_TESTABLE:
        notices += _odd_subjects(used)
    if (used["batch"] == "").any() and status != Status.NOT_TESTABLE:
        text = "The sheet does not say what was processed together; a batch effect cannot be looked for."
        notices.append(Notice("batch_unknown", Severity.INFO, text))
    return Audit(status, reason, confounding, groups.reset_index(), notices, held, *_rank(used))


NOT_A_NAME = ("na", "n/a", "nan", "none", "null", "unknown", "-", "?")
"""Names of animals that other sheets use for a missing one (lower case)."""


def _odd_subjects(used: pd.DataFrame) -> list[Notice]:
    """Return warnings of animals that are a control and injured at once, or that bear the name of a missing value."""
    found = []
    kinds = used[used["condition"] != Condition.CONTRALATERAL].groupby(["subject", "day"], dropna=False)["condition"]
    both = [str(key[0]) for key, count in kinds.nunique().items() if isinstance(key, tuple) and count > 1]
    if both:
        text = (
            f"{', '.join(sorted(set(both)))}: libraries of one animal and day are given as control and as injured. "
            "If they are two sides of an animal, the control side is `contralateral`; if not, one of them is wrong."
        )
        found.append(Notice("control_and_injured", Severity.WARNING, text))
    unnamed = sorted({str(name) for name in used["subject"] if str(name).strip().lower() in NOT_A_NAME})
    if unnamed:
        text = (
            f"An animal is named {', '.join(unnamed)}: all libraries with that name, day and condition are pooled as one animal. "
            "If the animals are not known, give each library a name of its own."
        )
        found.append(Notice("subject_not_named", Severity.WARNING, text))
    return found


def _alias_notices(aliased: Mapping[str, set[tuple[str, float]]], n_days: int) -> list[Notice]:
    """Return what cannot be told from the days, an alarm where it forbids the test."""
    notices = []
    for name, found in aliased.items():
        if not found:
            continue
        listed = ", ".join(f"{day:g}" for day in sorted({day for _, day in found}))
        if name not in INSEPARABLE:
            text = f"The {name} of the animals is confounded with the days after injury (day {listed})."
            notices.append(Notice(f"day_is_{name}", Severity.WARNING, text))
            continue
        kind = {"batch": "batches", "chemistry": "chemistries"}[name]
        text = {
            "batch": "Each day was processed in a batch of its own",
            "chemistry": "Days and library chemistries go together",
        }[name]
        if len(found) < n_days:
            text = f"The {name} of day {listed} is shared with no control"
        text += f": a difference between days may be one between {kind}."
        notices.append(Notice(f"day_is_{name}", Severity.ALARM, text))
    return notices
