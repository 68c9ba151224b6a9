"""Do the cells go with the pain? Behaviour by day beside the share of recovery cells.

What is compared are days, few and in order: the answer is a description with its permutation p, and n is the number of
days. Two courses that both rise with time correlate whatever the cause, so nothing here says that one makes the other.
"""

from collections.abc import Mapping
from itertools import permutations
from math import factorial
from typing import Any

import numpy as np
import pandas as pd

from recovery_microglia.core.arrays import Floats
from recovery_microglia.core.vocabulary import Route, Status

BEHAVIOUR_COLUMNS = ("day", "mean", "sem", "n", "measure", "unit", "better", "model", "sex", "arm", "source")
TEST_COLUMNS = (
    *("measure", "sex", "arm", "n_days", "correlation", "p", "p_smallest"),
    *("half_recovery_day", "half_rise_day", "lag", "lag_low", "lag_high", "status", "reason", "sentence"),
)
LEAST_DAYS = 4
"""Days that both must have: with three, no permutation reaches .05 (2/3! = .33)."""
EXACT_DAYS = 8
DRAWS = 4000


def behaviour_table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the data set's behaviour as a table (= behaviour.tsv), in the order of days; empty if there is none."""
    table = pd.DataFrame(rows, columns=list(BEHAVIOUR_COLUMNS))
    numbers = dict.fromkeys(("day", "mean", "sem", "n"), "float64")
    text = [name for name in BEHAVIOUR_COLUMNS if name not in numbers]
    table[text] = table[text].astype(object).fillna("").astype(str)
    return table.astype(numbers).sort_values(["measure", "sex", "arm", "day"], ignore_index=True)


def permutation_of_days(first: Floats, second: Floats, *, seed: int) -> tuple[float, float, float]:
    """Return Spearman's correlation, its two-sided p over permutations of days, and the smallest p these days can reach.

    Exact up to `EXACT_DAYS` days, else 20,000 permutations. NaN where one of the two does not vary.
    """
    x, y = (pd.Series(values).rank().to_numpy(float) for values in (first, second))
    x, y = x - x.mean(), y - y.mean()
    size = float(np.sqrt((x @ x) * (y @ y)))
    if size == 0:
        return (float("nan"),) * 3
    observed = float(x @ y) / size
    if len(x) <= EXACT_DAYS:
        orders = np.array(list(permutations(range(len(x)))))
        drawn = np.abs(x[orders] @ y) / size
        p = float((drawn >= abs(observed) - 1e-9).mean())
        return observed, p, float((drawn >= drawn.max() - 1e-9).mean())
    rng = np.random.default_rng(seed)
    drawn = np.abs(np.array([rng.permutation(x) @ y for _ in range(20_000)])) / size
    return observed, float((1 + (drawn >= abs(observed) - 1e-9).sum()) / 20_001), 2 / factorial(len(x))


def half_recovery(day: Floats, value: Floats, *, higher_is_better: bool) -> float:
    """Return the day on which behaviour is half-way back from its worst day to its baseline; NaN if it never is.

    The baseline is day 0 or earlier (their mean). Linear between days.
    """
    before = day <= 0
    after = ~before
    if not before.any() or after.sum() < 2:
        return float("nan")
    better = value if higher_is_better else -value
    base = float(better[before].mean())
    x, y = day[after], better[after]
    worst = int(np.argmin(y))
    half = y[worst] + (base - y[worst]) / 2
    if not base > y[worst]:
        return float("nan")
    for at in range(worst + 1, len(y)):
        if y[at] >= half:
            return float(x[at - 1] + (half - y[at - 1]) / (y[at] - y[at - 1]) * (x[at] - x[at - 1]))
    return float("nan")


def _lag(own: pd.DataFrame, onset: Mapping[str, Any], seed: int) -> dict[str, float]:
    """Return by how many days half of the recovery of behaviour follows half of the rise of the cells."""
    higher = bool((own["better"] != "lower").all())
    day, mean = own["day"].to_numpy(float), own["mean"].to_numpy(float)
    point = half_recovery(day, mean, higher_is_better=higher)
    rise = float(onset["half_rise_day"])
    found = {"half_recovery_day": point, "half_rise_day": rise, "lag": point - rise}
    # an interval without a lower end opens on the day of the injury
    spread = (float(onset["half_rise_high"]) - np.nan_to_num(float(onset["half_rise_low"]))) / 3.92
    error = own["sem"].to_numpy(float)
    if not np.isfinite(found["lag"]) or not np.isfinite(error).all() or not np.isfinite(spread):
        return found
    rng = np.random.default_rng([seed, 5])
    drawn = mean + error * rng.standard_normal((DRAWS, len(mean)))
    crossed = np.array([half_recovery(day, row, higher_is_better=higher) for row in drawn])
    lags = crossed - (rise + spread * rng.standard_normal(DRAWS))
    if np.isfinite(lags).mean() >= 0.9:
        found["lag_low"], found["lag_high"] = (float(v) for v in np.nanquantile(lags, [0.025, 0.975]))
    return found


def behaviour_tests(
    behaviour: pd.DataFrame,
    timeline: pd.DataFrame,
    onset: pd.DataFrame,
    *,
    injury_model: str,
    strata: pd.DataFrame | None = None,
    strata_onset: pd.DataFrame | None = None,
    seed: int = 1,
) -> pd.DataFrame:
    """Return how each behavioural course goes with the share of recovery cells (= behaviour_tests.tsv).

    Parameters
    ----------
    behaviour
        From `behaviour_table`.
    timeline, onset
        timeline.tsv and onset.tsv; the route ``score``.
    injury_model
        The data set's; behaviour measured in another model is shown and not compared.
    strata, strata_onset
        strata.tsv and strata_onset.tsv: behaviour of one sex is compared with the share of that sex's animals, where it has a
        course of its own on enough days; else with that of all animals, which is said.
    """
    rows = []
    share = timeline[timeline["route"] == Route.SCORE]
    arms = sorted(set(share["arm"]))
    for (measure, sex, arm), own in behaviour.groupby(["measure", "sex", "arm"], sort=False):
        row: dict[str, Any] = dict.fromkeys(TEST_COLUMNS, np.nan) | {"measure": measure, "sex": sex, "arm": arm}
        where = arm if arm or len(arms) != 1 else arms[0]
        days, first, whose = share[share["arm"] == where], onset[onset["route"] == Route.SCORE], ""
        if sex in ("female", "male"):
            days, first, whose = _of_sex(str(sex), str(where), days, first, own, strata, strata_onset)
        both = own[own["day"] > 0].merge(days[["day", "fraction"]], on="day")
        row |= {"n_days": len(both), "status": Status.DESCRIPTIVE, "reason": "", "sentence": ""}
        model = {str(name) for name in own["model"] if str(name).casefold() not in ("", injury_model.casefold())}
        if days.empty and len(arms) > 1 and not arm:
            reason = (
                f"the study has arms ({', '.join(filter(None, arms))}), and the column arm does not say which it is of"
            )
            row |= {"status": Status.NOT_TESTABLE, "reason": reason}
        elif days.empty:
            row |= {"status": Status.NOT_TESTABLE, "reason": "no share of recovery cells was estimated"}
        elif model:
            row["reason"] = f"measured in another injury model ({', '.join(sorted(model))})"
        elif len(both) < LEAST_DAYS:
            row |= {"status": Status.NOT_TESTABLE, "reason": f"{len(both)} days in common; {LEAST_DAYS} are needed"}
        else:
            values = both["fraction"].to_numpy(float), both["mean"].to_numpy(float)
            row |= dict(zip(("correlation", "p", "p_smallest"), permutation_of_days(*values, seed=seed), strict=True))
            if (days["status"] != Status.TESTED).all():
                row |= {"p": np.nan, "p_smallest": np.nan}  # no p where the design allows a description only
            first = first[first["arm"] == days["arm"].iloc[0]]
            if len(first):
                row |= _lag(own, first.iloc[0].to_dict(), seed)
        row["sentence"] = _sentence(row, whose)
        rows.append(row)
    return pd.DataFrame(rows, columns=list(TEST_COLUMNS))


def _of_sex(
    sex: str,
    arm: str,
    days: pd.DataFrame,
    onset: pd.DataFrame,
    behaviour: pd.DataFrame,
    strata: pd.DataFrame | None,
    strata_onset: pd.DataFrame | None,
) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Return days and onset of the animals of a sex, and whose they are in words; of all animals where it has too few days."""
    if strata is not None and strata_onset is not None and len(strata):
        own = strata[(strata["by"] == "sex") & (strata["stratum"] == sex) & (strata["arm"] == arm)]
        if len(set(own["day"]) & set(behaviour["day"])) >= LEAST_DAYS:
            mine = (strata_onset["by"] == "sex") & (strata_onset["stratum"] == sex)
            return own, strata_onset[mine], f" of {sex} animals"
    return days, onset, " of all animals"


def _sentence(row: Mapping[str, Any], whose: str) -> str:
    groups = [row["sex"]] if row["sex"] in ("female", "male") else []
    groups += [row["arm"]] if row["arm"] else []
    who = f"{row['measure']}{f' ({", ".join(groups)})' if groups else ''}"
    if row["reason"]:
        return f"{who[0].upper()}{who[1:]} is not compared with the share of recovery cells: {row['reason']}."
    if not np.isfinite(row["correlation"]):
        return f"{who[0].upper()}{who[1:]} or the share of recovery cells does not vary over the {row['n_days']} days."
    way = "neither the same way nor opposite ways"
    if abs(row["correlation"]) >= 0.005:  # what is shown as 0.00 has no sign
        way = "the same way" if row["correlation"] > 0 else "opposite ways"
    p = f"permutation over days p {row['p']:.2g}, smallest possible {row['p_smallest']:.2g}; " if row["p"] >= 0 else ""
    text = (
        f"Over the {row['n_days']} days after injury on which both were measured, {who} and the share of recovery cells{whose} go "
        f"{way} (Spearman {row['correlation']:.2f}; {p}n is days, not animals)."
    )
    if np.isfinite(row["lag"]):
        when = f"{abs(row['lag']):.1f} days {'after' if row['lag'] >= 0 else 'before'}"
        spread = ""
        if np.isfinite(row["lag_low"]):
            spread = f" (95 % interval {row['lag_low']:.1f} to {row['lag_high']:.1f})"
        text += f" Behaviour is half-way back on day {row['half_recovery_day']:.1f}, {when} half of the rise of the cells{spread}."
    return f"{text} Courses that both follow time correlate whatever the cause."
