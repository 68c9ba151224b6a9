"""Every day after injury against its control: estimates, tests over subjects, what could have been seen (floor 5).

What the design does not allow is not computed: an aliased design prints no p anywhere.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from recovery_microglia import betabinomial as bb
from recovery_microglia.calling import benjamini_hochberg
from recovery_microglia.design import Audit, smallest_p
from recovery_microglia.onset import ONSET_COLUMNS, find_onset
from recovery_microglia.secondary import permutation_p, variance_stabilised_test
from recovery_microglia.subjects import (
    ROUTES,
    Group,
    TimelineSettings,
    arms_of,
    group_of,
    pick_control,
    units_of_arm,
)

Floats = NDArray[np.float64]

RISEN = 0.25
"""Part of the highest rise that counts as risen."""
TIMELINE_COLUMNS = (
    *("route", "arm", "day", "n_subjects", "control", "n_control_subjects", "k", "n", "fraction", "low", "high"),
    *("control_fraction", "control_low", "control_high", "difference", "p", "p_second", "p_permutation", "p_smallest"),
    *("q", "chance_risen", "smallest_detectable", "mixture", "control_mixture", "status", "reason"),
)


def compare_days(
    units: pd.DataFrame,
    *,
    status: str,
    reason: str,
    settings: TimelineSettings,
    seed: int,
    detectable: bool = True,
) -> pd.DataFrame:
    """Compare every post-injury day of one arm with its control (rows of timeline.tsv, without route and arm).

    Parameters
    ----------
    units
        One row a subject: day, condition, k, n; injured subjects of the arm and the controls.
    status, reason
        What the data allow; only with ``tested`` are p-values given.
    detectable
        Whether to simulate what could have been detected, which takes as long as all the rest.
    """
    injured = units[(units["condition"] == "injured") & (units["n"] > 0)]
    days = sorted(injured["day"].dropna().unique())
    groups = {day: group_of(injured[injured["day"] == day], f"day {day:g}") for day in days}
    controls = {day: pick_control(units, day) for day in days}
    unique = {name: group_of(rows, name) for rows, name in controls.values()}
    everything = [*groups.values(), *unique.values()]
    rho = bb.rho_posterior([group.grid for group in everything if len(group.k)])
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for day, group in groups.items():
        control = unique[controls[day][1]]
        row = _described(day, group, control, rho)
        if "mixture" in units:
            row["mixture"] = float(injured.loc[injured["day"] == day, "mixture"].mean())
            row["control_mixture"] = float(controls[day][0]["mixture"].mean())
        single = len(group.k) < 2 or len(control.k) < 2
        if status == "tested" and not single:
            row |= _tested(group, control, everything, rho, settings, rng, seed)
            if detectable:
                row["smallest_detectable"] = bb.smallest_detectable(
                    row["control_fraction"],
                    control.n,
                    group.n,
                    rho,
                    # as a single day that rises would have to pass the false-discovery rate over all days
                    alpha=settings.alpha / len(days),
                    power=settings.power,
                    rng=rng,
                )
            row |= {"status": "tested", "reason": ""}
        elif status == "tested":
            which = "this day" if len(group.k) < 2 else "the control"
            row |= {"status": "descriptive", "reason": f"fewer than two subjects on {which}"}
        else:
            row |= {"status": status, "reason": reason}
        rows.append(row)
    table = pd.DataFrame(rows, columns=[c for c in TIMELINE_COLUMNS if c not in ("route", "arm")])
    table["q"] = benjamini_hochberg(table["p"].to_numpy(float))
    if (table["status"] == "tested").any():
        table["chance_risen"] = _chance_risen(table, groups, {day: unique[controls[day][1]] for day in days}, rho, rng)
    return table


def _chance_risen(
    table: pd.DataFrame,
    groups: Mapping[float, Group],
    controls: Mapping[float, Group],
    rho: Floats,
    rng: np.random.Generator,
) -> Floats:
    """Return the posterior probability that each day's rise has reached a quarter of the highest one.

    A day that is not significantly above control may have risen all the same; this says whether it can be excluded.
    """
    tested = table[table["status"] == "tested"]
    drawn = {
        id(group): bb.posterior_draws(group.grid, rho, 4000, rng) for group in (*groups.values(), *controls.values())
    }
    rise = {day: drawn[id(groups[day])] - drawn[id(controls[day])] for day in tested["day"]}
    highest = rise[tested["day"].loc[tested["fraction"].idxmax()]]
    return np.array([float((rise[day] >= RISEN * highest).mean()) if day in rise else np.nan for day in table["day"]])


def _described(day: float, group: Group, control: Group, rho: Floats) -> dict[str, Any]:
    """Return the estimates of a day and its control, with intervals for the population's fraction."""
    middle, low, high = bb.estimate(group.grid, rho)
    # one subject says nothing of the variation between animals: no interval for the population
    interval = (low, high) if len(group.k) > 1 else (np.nan, np.nan)
    raw = float(group.k.sum() / group.n.sum())
    row = {"day": day, "n_subjects": len(group.k), "control": control.label, "n_control_subjects": len(control.k)}
    row |= {"k": int(group.k.sum()), "n": int(group.n.sum())}
    row |= {"fraction": middle if len(group.k) > 1 else raw, "low": interval[0], "high": interval[1]}
    if len(control.k):
        base, base_low, base_high = bb.estimate(control.grid, rho)
        row |= {"control_fraction": base, "control_low": base_low, "control_high": base_high}
    return row


def _tested(
    group: Group,
    control: Group,
    everything: list[Group],
    rho: Floats,
    settings: TimelineSettings,
    rng: np.random.Generator,
    seed: int,
) -> dict[str, Any]:
    found = bb.contrast((control.k, group.k), (control.n, group.n), rho, draws=settings.n_draws, rng=rng)
    return {
        "difference": found.difference,
        "p": found.p,
        "p_second": variance_stabilised_test(control, group, everything),
        "p_permutation": permutation_p(control.fraction, group.fraction, limit=settings.n_draws, seed=seed),
        "p_smallest": smallest_p(len(control.k), len(group.k)),
    }


def worst_status(*pairs: tuple[str, str]) -> tuple[str, str]:
    """Return the most restrictive of several (status, reason)."""
    order = ("not_testable", "descriptive", "tested")
    return min(pairs, key=lambda pair: order.index(pair[0]))


def run_timeline(
    table: pd.DataFrame, audit: Audit, recovery: tuple[str, str], settings: TimelineSettings, *, seed: int = 1
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return timeline.tsv and onset.tsv for every arm and route.

    Parameters
    ----------
    table
        fractions.tsv; the denominator microglia is used.
    audit
        What the design allows.
    recovery
        Status and reason of the calls.
    """
    status, reason = worst_status((audit.status, audit.reason), recovery)
    courses, onsets = [], []
    used = table[table["denominator"] == "microglia"]
    for route in ROUTES:
        own = used[used["route"] == route]
        for arm in arms_of(own):
            units = units_of_arm(own, arm)
            days = compare_days(
                units, status=status, reason=reason, settings=settings, seed=seed, detectable=route == "score"
            )
            courses.append(days.assign(route=route, arm=arm))
            onset = find_onset(days, units, settings=settings, seed=seed)
            onsets.append({"route": route, "arm": arm, **onset})
    if not onsets or status == "not_testable":
        row = dict.fromkeys(ONSET_COLUMNS, np.nan) | {"route": "score", "arm": "", "sentence": ""}
        return pd.DataFrame(columns=list(TIMELINE_COLUMNS)), pd.DataFrame([row | {"status": status, "reason": reason}])
    return pd.concat(courses, ignore_index=True)[list(TIMELINE_COLUMNS)], pd.DataFrame(onsets)[list(ONSET_COLUMNS)]
