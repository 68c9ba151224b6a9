"""What the sample sheet lets anyone claim, before any cell is looked at (floor 5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
import pandas as pd

from recovery_microglia.errors import Notice
from recovery_microglia.sheet import CONTROLS

CONFOUNDERS = ("batch", "chemistry", "sex", "sort", "age")
ALIASED = "day and batch inseparable"


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
    notices
        Remarks for the report.
    """

    status: str
    reason: str
    confounding: pd.DataFrame
    groups: pd.DataFrame
    notices: list[Notice]

    def as_dict(self) -> dict[str, Any]:
        """Return the audit as a JSON-able dict."""
        return {"status": self.status, "reason": self.reason, "groups": self.groups.to_dict("records")}


def subjects(sheet: pd.DataFrame) -> pd.DataFrame:
    """Return one row per subject, day, condition and arm of the included libraries (an animal has two sides)."""
    included = sheet[sheet["include"]]
    keys = ["arm", "subject", "day", "condition"]
    return included.drop_duplicates(keys).reset_index(drop=True)


def cramers_v(first: pd.Series, second: pd.Series) -> float:
    """Return Cramér's V of two categorical variables (0 none, 1 complete); NaN if one of them does not vary."""
    table = pd.crosstab(first, second).to_numpy(float)
    n, least = table.sum(), min(table.shape) - 1
    if least < 1 or n == 0:
        return float("nan")
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    return float(np.sqrt(((table - expected) ** 2 / expected).sum() / (n * least)))


def smallest_p(n_first: int, n_second: int) -> float:
    """Return the smallest two-sided p that a permutation of two groups of subjects can reach.

    Exact: two of all ``comb(n1 + n2, n1)`` splits are the most extreme ones (one in each direction).
    """
    if n_first < 1 or n_second < 1:
        return float("nan")
    return min(2 / comb(n_first + n_second, n_first), 1.0)


def _estimable(day: pd.Series, other: pd.Series) -> bool:
    """Return whether an effect of being injured-and-later can be told from ``other``.

    The difference of each day from the controls must be estimable in a model with ``other`` as a factor: the
    columns of the days must not lie in the span of the columns of ``other``.
    """
    nuisance = pd.get_dummies(other.astype(str)).to_numpy(float)
    days = pd.get_dummies(day.astype(str)).to_numpy(float)
    both = np.column_stack([nuisance, days[:, 1:]])
    gained = np.linalg.matrix_rank(both) - np.linalg.matrix_rank(nuisance)
    return bool(gained == days.shape[1] - 1)


def _confounding(units: pd.DataFrame, group: pd.Series) -> pd.DataFrame:
    rows: list[Mapping[str, Any]] = []
    for name in CONFOUNDERS:
        values = units[name].astype(str)
        known = values != ""
        levels = int(values[known].nunique())
        if not known.all():
            note = "not stated" if not known.any() else f"not stated for {int((~known).sum())} subjects"
            aliased = False
        elif levels < 2:
            note, aliased = "does not vary", False
        else:
            aliased = not _estimable(group, values)
            note = "cannot be told from the days" if aliased else "can be told from the days"
        v = cramers_v(group[known], values[known]) if known.any() else float("nan")
        rows.append({"variable": name, "levels": levels, "cramers_v": v, "aliased": aliased, "note": note})
    return pd.DataFrame(rows)


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
        subjects, if there are fewer than two control subjects, or if batch or chemistry cannot be told from the
        days; else ``tested``.
    """
    units = subjects(sheet)
    used = units[units["condition"].isin([*CONTROLS, "injured"])]
    groups = used.groupby(["arm", "day", "condition"], dropna=False)["subject"].nunique().rename("n_subjects")
    injured = used[used["condition"] == "injured"]
    control = used[used["condition"].isin(CONTROLS)]
    kind = np.where(used["condition"] == "injured", "day " + used["day"].map("{:g}".format), "control")
    confounding = _confounding(used, pd.Series(kind, index=used.index))
    status, reason, notices = "tested", "", []
    aliased = list(confounding["variable"][confounding["aliased"]])
    if injured.empty:
        status, reason = "not_testable", "there is no injured library"
    elif injured["day"].isna().all():
        status, reason = "not_testable", "the days after injury are not known"
    elif control.empty:
        status, reason = "not_testable", "there is no control library"
    elif "batch" in aliased:
        status, reason = "descriptive", ALIASED
        text = "Each day was processed in a batch of its own: a difference between days may be one between batches."
        notices.append(Notice("day_is_batch", "alarm", text))
    elif "chemistry" in aliased:
        status, reason = "descriptive", "day and chemistry inseparable"
        text = "Days and library chemistries go together: a difference between days may be one between chemistries."
        notices.append(Notice("day_is_chemistry", "alarm", text))
    elif injured.groupby(["arm", "day"])["subject"].nunique().max() < 2 or control["subject"].nunique() < 2:
        status, reason = "descriptive", "one animal a day, or one control animal"
    for name in aliased:
        if name not in ("batch", "chemistry") and status == "tested":
            text = f"The {name} of the animals cannot be told from the days after injury."
            notices.append(Notice(f"day_is_{name}", "warning", text))
    undated = injured.loc[injured["day"].isna(), "subject"]
    if len(undated) and status != "not_testable":
        text = f"No day is stated for {', '.join(undated)}: these injured animals take no part in the timeline."
        notices.append(Notice("day_unknown", "warning", text))
    if (used["batch"] == "").any() and status != "not_testable":
        text = "The sheet does not say what was processed together; a batch effect cannot be looked for."
        notices.append(Notice("batch_unknown", "info", text))
    return Audit(status, reason, confounding, groups.reset_index(), notices)
