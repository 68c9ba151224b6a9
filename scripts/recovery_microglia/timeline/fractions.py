"""Animals with their recovery cells, and the controls that a day is compared with.

The unit is the subject (an animal, or a pool); cells are never replicates.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from recovery_microglia.core.arrays import Floats
from recovery_microglia.core.statistics import wilson
from recovery_microglia.core.vocabulary import CONTROLS, Condition, Denominator, Route
from recovery_microglia.recovery.likelihood import mixture_and_worth
from recovery_microglia.timeline import betabinomial as bb

UNIT = ["arm", "subject", "day", "condition"]


ROUTES: dict[str, str] = {
    Route.SCORE: "recovery_call",
    Route.SCORE_WITHOUT: "recovery_call_without",
    Route.CLUSTER: "cluster_call",
}


DENOMINATORS: dict[str, str] = {
    Denominator.MICROGLIA: "size",
    Denominator.MYELOID: "myeloid",
    Denominator.ALL: "all",
}
"""What recovery cells may be a share of, and its column."""


SCORES: dict[str, str] = {
    Route.SCORE: "recovery_score",
    Route.SCORE_WITHOUT: "recovery_score_without_itgax_igf1",
}
"""Routes that need no cutoff, and their log-likelihood ratios."""
MIXTURE = ("mixture", "mixture_low", "mixture_high", "mixture_recovery", "mixture_cells")


FEW_CELLS = 50


@dataclass(frozen=True)
class Group:
    """Subjects of one day (or the controls), with recovery cells and cells as `evidence` returns them."""

    k: Floats
    n: Floats
    label: str = ""
    grid: Floats = field(default_factory=lambda: np.zeros((0, 0)), compare=False, repr=False)

    @property
    def fraction(self) -> Floats:
        """Fraction of each subject."""
        return np.asarray(self.k / self.n)


def group_of(rows: pd.DataFrame, label: str = "") -> Group:
    """Return the subjects of some rows that have microglia, with their likelihood."""
    seen = rows[rows["n"] > 0]
    return group_of_counts(*evidence(seen), label)


def group_of_counts(k: Floats, n: Floats, label: str = "") -> Group:
    """Return the subjects with these counts that have microglia, with their likelihood."""
    return Group(k[n > 0], n[n > 0], label, bb.likelihood(k[n > 0], n[n > 0]))


def fractions(
    cells: pd.DataFrame,
    sheet: pd.DataFrame,
    totals: pd.DataFrame,
    *,
    calls: Mapping[str, str] = ROUTES,
    denominators: Collection[str] = tuple(DENOMINATORS),
) -> pd.DataFrame:
    """Return recovery cells per subject (= fractions.tsv).

    Parameters
    ----------
    cells
        One row a microglia: library and the call columns (nullable; a cell without a call leaves n).
    sheet
        One row a library.
    totals
        One row a library: library, microglia, myeloid, all (kept cells), for the other denominators.
    calls
        Route to its call column.
    denominators
        Those of `DENOMINATORS` that are wanted; other routes than the score have microglia only.

    Returns
    -------
    DataFrame
        route, denominator, arm, subject, day, condition, sex, chemistry, batch, libraries, k, n, fraction, low, high
        (Wilson 95 %, the sampling of this subject's cells only), note.
    """
    included = sheet[sheet["include"]].merge(totals, on="library", how="left")
    parts = []
    for route, column in calls.items():
        called = cells[["library", column]].dropna()
        by_library = called.groupby("library")[column].agg(["sum", "size"]).astype(np.int64)
        rows = included.join(by_library, on="library")
        # a library whose cells were not called does not count as one without recovery cells
        uncalled = rows["size"].isna() & (rows["microglia"] > 0)
        rows = rows[~uncalled].fillna({"sum": 0, "size": 0})
        for denominator in denominators:
            if denominator != Denominator.MICROGLIA and route != Route.SCORE:
                continue
            unit = _by_subject(rows, DENOMINATORS[denominator])
            unit.insert(0, "denominator", denominator)
            unit.insert(0, "route", route)
            parts.append(unit)
    return pd.concat(parts, ignore_index=True)


def _by_subject(rows: pd.DataFrame, total: str) -> pd.DataFrame:
    """Pool the libraries of each subject, day and condition."""
    grouped = rows.groupby(UNIT, dropna=False, sort=False)
    unit = grouped.agg(
        sex=("sex", "first"),
        chemistry=("chemistry", lambda kinds: "; ".join(sorted(set(kinds)))),
        batch=("batch", lambda kinds: "; ".join(sorted(set(kinds)))),
        libraries=("library", "size"),
        k=("sum", "sum"),
        n=(total, "sum"),
    ).reset_index()
    unit[["k", "n"]] = unit[["k", "n"]].astype(np.int64)
    unit["fraction"] = np.where(unit["n"] > 0, unit["k"] / unit["n"].where(unit["n"] > 0), np.nan)
    bounds = [wilson(k, n) for k, n in zip(unit["k"], unit["n"], strict=True)]
    unit["low"], unit["high"] = [low for low, _ in bounds], [high for _, high in bounds]
    unit["note"] = np.where(unit["n"] < FEW_CELLS, f"fewer than {FEW_CELLS} cells", "")
    return unit


def add_mixture(
    table: pd.DataFrame, cells: pd.DataFrame, sheet: pd.DataFrame, *, scores: Mapping[str, str] = SCORES
) -> pd.DataFrame:
    """Return fractions.tsv with the share of recovery cells that needs no cutoff: the columns of `MIXTURE`.

    This share is what days are compared by (see `evidence`). Given for the routes that have a score; missing elsewhere. The
    interval is that of this subject's cells only.

    Parameters
    ----------
    table
        From `fractions`.
    cells, sheet
        As for `fractions`.
    scores
        Route to its column of log-likelihood ratios. Only cells that could be called are used.
    """
    return with_mixture(table, mixtures(cells, sheet, scores=scores))


def mixtures(cells: pd.DataFrame, sheet: pd.DataFrame, *, scores: Mapping[str, str] = SCORES) -> pd.DataFrame:
    """Return the columns of `MIXTURE` of each subject and route, with ``judged``, the cells behind them; see `add_mixture`."""
    known = cells.loc[cells["recovery_call"].notna(), ["library", *scores.values()]]
    known = known.merge(sheet.loc[sheet["include"], ["library", *UNIT]], on="library")
    rows = [
        (route, *key, *mixture_and_worth(group.to_numpy(float)), len(group))
        for route, column in scores.items()
        for key, group in known.groupby(UNIT, dropna=False, sort=False)[column]
    ]
    return pd.DataFrame(rows, columns=["route", *UNIT, *MIXTURE, "judged"]).astype({"day": float})


def with_mixture(table: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Return fractions.tsv with what `mixtures` found."""
    joined = table.drop(columns=list(MIXTURE), errors="ignore").merge(found, on=["route", *UNIT], how="left")
    # of all myeloid cells, or of all cells, the same recovery cells are a smaller share
    part = (joined.pop("judged") / joined["n"].where(joined["n"] > 0)).astype(float)
    for name in MIXTURE[:3]:
        joined[name] = joined[name].astype(float) * part
    joined["mixture_cells"] = joined["mixture_cells"].astype(float) / part
    return joined.assign(note=joined.pop("note"))


def evidence(rows: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return what each subject says of its share: recovery cells and cells, as if each of them were known without doubt.

    What the share without a cutoff is worth in such cells, where the rows have it; else the called cells.
    """
    if "mixture_cells" in rows and rows["mixture_cells"].notna().all():
        return rows["mixture_recovery"].to_numpy(np.float64), rows["mixture_cells"].to_numpy(np.float64)
    return rows["k"].to_numpy(np.float64), rows["n"].to_numpy(np.float64)


def pick_control(units: pd.DataFrame, day: float) -> tuple[pd.DataFrame, str]:
    """Return the control subjects that a day is compared with, and their name.

    In this order, the first with at least two subjects: sham of the same day; contralateral of the same day;
    naive; all sham; all contralateral; all controls together.
    """
    kind, when = units["condition"].to_numpy(object), units["day"].to_numpy(float)
    seen = units["n"].to_numpy() > 0
    choices = [
        ((kind == Condition.SHAM) & (when == day), f"sham day {day:g}"),
        ((kind == Condition.CONTRALATERAL) & (when == day), f"contralateral day {day:g}"),
        (kind == Condition.NAIVE, Condition.NAIVE),
        (kind == Condition.SHAM, f"sham, {_when(when[kind == Condition.SHAM])}"),
        (kind == Condition.CONTRALATERAL, f"contralateral, {_when(when[kind == Condition.CONTRALATERAL])}"),
    ]
    for chosen, name in choices:
        if (chosen & seen).sum() >= 2:
            return units[chosen & seen], name
    control = units[np.isin(kind.astype(str), CONTROLS) & seen]
    return control, "+".join(sorted(set(control["condition"])))


def _when(days: Floats) -> str:
    """Return the days of controls that are not of the day itself, in words."""
    known = np.isfinite(days)
    return "other days" if known.all() else "days partly not known" if known.any() else "day not known"


def arms_of(units: pd.DataFrame) -> list[str]:
    """Return the arms with injured subjects."""
    return sorted(units["arm"][units["condition"] == Condition.INJURED].unique())


def units_of_arm(units: pd.DataFrame, arm: str) -> pd.DataFrame:
    """Return the subjects of an arm with its own controls, or with those of all arms where it has none."""
    own = units[units["arm"] == arm]
    if own["condition"].isin(CONTROLS).any():
        return own
    return pd.concat([own, units[units["condition"].isin(CONTROLS)]])
