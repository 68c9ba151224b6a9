"""Every day after injury against its control: estimates, tests over subjects, what could have been seen.

What the design does not allow is not computed: an aliased design prints no p anywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from recovery_microglia.core.arrays import Floats
from recovery_microglia.core.frame_access import records
from recovery_microglia.core.statistics import benjamini_hochberg, smallest_p
from recovery_microglia.core.vocabulary import Denominator, Route, Status
from recovery_microglia.timeline import betabinomial as bb
from recovery_microglia.timeline.above_control import looks_against, p_without_highest, upper_p
from recovery_microglia.timeline.batch_shift import add_undoing
from recovery_microglia.timeline.confirmatory_tests import permutation_p, variance_stabilised_test
from recovery_microglia.timeline.covariate_model import COVARIATES, adjusted_contrasts, covariates
from recovery_microglia.timeline.design import Audit
from recovery_microglia.timeline.detection import DETECTION_COLUMNS, detection_limits
from recovery_microglia.timeline.fractions import ROUTES, Group, arms_of, units_of_arm
from recovery_microglia.timeline.onset import ONSET_COLUMNS, PARTS, QUARTER, find_onset
from recovery_microglia.timeline.paired_model import (
    Pairs,
    paired_difference,
    paired_p,
    paired_tail,
    spread,
    without_highest_pair,
)
from recovery_microglia.timeline.settings import TimelineSettings
from recovery_microglia.timeline.sides import Side, sides_of

TIMELINE_COLUMNS = (
    *("route", "arm", "day", "n_subjects", "control", "n_control_subjects", "k", "n", "fraction", "low", "high"),
    *("control_k", "control_n", "control_fraction", "control_low", "control_high"),
    *("difference", "rise_low", "rise_high"),
    *(
        "p",
        "p_second",
        "p_without_highest",
        "p_permutation",
        "p_smallest",
        "q",
        "adjusted_p",
        "adjusted_difference",
        "adjusted_for",
    ),
    *("methods_against", "chance_risen", "undone_by", *DETECTION_COLUMNS, "status", "reason"),
)
RISE_COLUMNS = ("rise_low", "rise_high", "chance_risen")
POSTERIOR_DRAWS = 4000


@dataclass(frozen=True)
class Spreads:
    """What a study says of how its animals differ: posterior weights of `betabinomial`'s spreads.

    Attributes
    ----------
    constant
        Of the constant law alone, for tests.
    both
        Of both laws, for estimates.
    """

    constant: Floats
    both: Floats


# ---------------------------------------------------------------- the days


def compare_days(
    units: pd.DataFrame,
    *,
    status: str,
    reason: str,
    settings: TimelineSettings,
    seed: int,
    detectable: bool = True,
    held: Mapping[float, str] = MappingProxyType({}),
    thorough: bool = True,
) -> pd.DataFrame:
    """Compare every post-injury day of one arm with its control (rows of timeline.tsv, without route and arm).

    Parameters
    ----------
    units
        One row a subject: day, condition, k, n; injured subjects of the arm and the controls. With the columns of
        `fractions.MIXTURE`, shares without a cutoff are compared, else those of called cells. With subject, contralateral
        sides are compared as pairs; with sex, chemistry and batch, these are held fixed in a further test.
    status, reason
        What the data allow; only with ``tested`` are p-values given.
    detectable
        Whether to simulate what could have been detected, which takes as long as all the rest.
    held
        Day to the reason why it is described and not tested.
    thorough
        Whether covariates are held fixed for every day, or only where it matters to whether a day is above control.
    """
    sides = sides_of(units.reset_index(drop=True))
    everything = list({id(g): g for side in sides.values() for g in (side.group, side.control)}.values())
    everything = [group for group in everything if len(group.k)]
    grids = [group.grid for group in everything]
    known = Spreads(bb.rho_posterior(grids), bb.spread_posterior(grids))
    paired = [side.pairs for side in sides.values() if side.pairs]
    pair_spread = spread(paired) if paired and status == Status.TESTED else None
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for day, side in sides.items():
        row = _described(day, side, known.both)
        if status != Status.TESTED:
            row |= {"status": status, "reason": reason}
        elif day in held:
            row |= {"status": Status.DESCRIPTIVE, "reason": held[day]}
        elif side.single:
            which = "this day" if len(side.group.k) < 2 else "the control"
            row |= {"status": Status.DESCRIPTIVE, "reason": f"fewer than two subjects on {which}"}
        else:
            row |= {"status": Status.TESTED, "reason": ""}
            if side.pairs and pair_spread is not None:
                row |= _tested_pairs(side.pairs, pair_spread, paired)
            else:
                row |= _tested(side, everything, known.constant, settings, seed)
        rows.append(row)
    if detectable and status == Status.TESTED:
        _add_limits(rows, sides, everything, settings, rng)
    table = pd.DataFrame(rows, columns=[c for c in TIMELINE_COLUMNS if c not in ("route", "arm")])
    table[["methods_against", "adjusted_for"]] = ""
    table["q"] = benjamini_hochberg(table["p"].to_numpy(float))
    add_undoing(table, sides, known.constant, alpha=settings.alpha)
    _add_rise(table, sides, known.both, np.random.default_rng([seed, 1]))
    _hold_covariates_fixed(table, sides, settings.alpha, np.random.default_rng([seed, 2]), thorough=thorough)
    table["methods_against"] = _against(table, settings.alpha)
    return table


def _add_limits(
    rows: list[dict[str, Any]],
    sides: Mapping[float, Side],
    everything: list[Group],
    settings: TimelineSettings,
    rng: np.random.Generator,
) -> None:
    """Add what could have been detected to the days that are tested."""
    tested = [row for row in rows if row["status"] == Status.TESTED]
    at = {id(group): place for place, group in enumerate(everything)}
    found = detection_limits(
        [group.grid for group in everything],
        [group.n for group in everything],
        [
            (at[id(sides[row["day"]].control)], at[id(sides[row["day"]].group)], row["control_fraction"])
            for row in tested
        ],
        # as a single day that rises would have to pass the false-discovery rate over all days
        alpha=settings.alpha / max(len(tested), 1),
        power=settings.power,
        rng=rng,
    )
    for row, limits in zip(tested, found, strict=True):
        row |= dict(zip(DETECTION_COLUMNS, limits, strict=True))


def _described(day: float, side: Side, rho: Floats) -> dict[str, Any]:
    """Return the estimates of a day and its control, with intervals for the population's fraction."""
    group, control = side.group, side.control
    middle, low, high = bb.estimate(group.grid, rho)
    # one subject says nothing of the variation between animals: no interval for the population
    interval = (low, high) if len(group.k) > 1 else (np.nan, np.nan)
    raw = float(group.k.sum() / group.n.sum())
    row = {"day": day, "n_subjects": len(group.k), "control": control.label, "n_control_subjects": len(control.k)}
    row |= {"k": int(side.rows["k"].sum()), "n": int(side.rows["n"].sum())}
    row |= {"control_k": int(side.control_rows["k"].sum()), "control_n": int(side.control_rows["n"].sum())}
    row |= {"fraction": middle if len(group.k) > 1 else raw, "low": interval[0], "high": interval[1]}
    if len(control.k):
        base, base_low, base_high = bb.estimate(control.grid, rho)
        row["control_fraction"] = base
        row |= {"control_low": base_low, "control_high": base_high} if len(control.k) > 1 else {}
    return row


def _tested(side: Side, everything: list[Group], rho: Floats, settings: TimelineSettings, seed: int) -> dict[str, Any]:
    group, control = side.group, side.control
    typical = float(rho @ bb.RHO)
    first, second = bb.mean_fraction(control.k, control.n, typical), bb.mean_fraction(group.k, group.n, typical)
    return {
        "difference": float(second - first),
        "p": bb.two_sided(bb.tail(control.grid, group.grid, rho)),
        "p_second": variance_stabilised_test(control, group, everything),
        "p_without_highest": p_without_highest(control, group, everything),
        "p_permutation": permutation_p(control.fraction, group.fraction, limit=settings.n_draws, seed=seed),
        "p_smallest": smallest_p(len(control.k), len(group.k)),
    }


def _tested_pairs(pairs: Pairs, weight: Floats, everything: list[Pairs]) -> dict[str, float]:
    rest = without_highest_pair(pairs)
    others = [rest if other is pairs else other for other in everything]
    return {
        "difference": paired_difference(pairs, weight),
        "p": bb.two_sided(paired_tail(pairs, weight)),
        "p_without_highest": upper_p(paired_tail(rest, spread(others))),
        **paired_p(pairs, everything),
    }


def _add_rise(table: pd.DataFrame, sides: Mapping[float, Side], weight: Floats, rng: np.random.Generator) -> None:
    """Add the interval of each day's rise over control, and the chance that it has risen.

    ``chance_risen`` is the posterior probability that the rise has reached a quarter of the highest day's, whichever that
    is. A day that is not significantly above control may have risen all the same; this says whether that can be excluded.
    """
    groups = {id(g): g for side in sides.values() for g in (side.group, side.control) if len(g.k)}
    shares = bb.joint_draws([group.grid for group in groups.values()], weight, POSTERIOR_DRAWS, rng)
    drawn = dict(zip(groups, shares.T, strict=True))
    tested = [sides[day] for day in table["day"][table["status"] == Status.TESTED]]
    rises = [drawn[id(side.group)] - drawn[id(side.control)] for side in tested]
    top = np.max(rises, axis=0) if rises else np.zeros(0)
    found: list[dict[str, float]] = []
    for day, status in zip(table["day"], table["status"], strict=True):
        side = sides[day]
        base = drawn.get(id(side.control))
        row: dict[str, float] = {}
        if base is not None and status == Status.TESTED:
            rise = drawn[id(side.group)] - base
            row["rise_low"], row["rise_high"] = np.quantile(rise, [0.025, 0.975])
            row["chance_risen"] = float(((rise >= QUARTER * top) & (top > 0)).mean())
        found.append(row)
    for name in RISE_COLUMNS:
        table[name] = [row.get(name, np.nan) for row in found]


def _hold_covariates_fixed(
    table: pd.DataFrame,
    sides: Mapping[float, Side],
    alpha: float,
    rng: np.random.Generator,
    *,
    thorough: bool,
) -> None:
    """Add the test with sex, chemistry and batch held fixed, where the design carries them.

    Days that are compared within animals need none: both sides are of one animal.
    """
    candidate = (table["status"] == Status.TESTED) & np.array(
        [sides[day].pairs is None for day in table["day"]], dtype=bool
    )
    if not thorough:
        candidate &= (table["q"] < alpha) & (table["difference"] > 0)
    days = list(table["day"][candidate])
    if not days or not set(COVARIATES) & set(next(iter(sides.values())).rows):
        return
    # a control that serves several days counts once
    parts: dict[str, pd.DataFrame] = {}
    for side in sides.values():
        if side.pairs is None:
            parts |= {side.group.label: side.rows, side.control.label: side.control_rows}
    units = pd.concat(parts, names=["group"])
    units = units[~units.index.get_level_values(1).duplicated()]
    group = units.index.get_level_values(0).to_numpy(str)
    held = covariates(units, group)
    if held is None:
        return
    mask = {day: (sides[day].control.label, sides[day].group.label) for day in days}
    found = adjusted_contrasts(units, group, held, mask, rng=rng)
    for day, contrast in found.items():
        row = table["day"] == day
        table.loc[row, ["adjusted_p", "adjusted_difference"]] = (contrast.p, contrast.difference)
        table.loc[row, "adjusted_for"] = held.words


def _against(table: pd.DataFrame, alpha: float) -> list[str]:
    """Return for each day that the model holds to be above control which further looks are against it (`above_control`)."""
    words = []
    for row in records(table):
        against: list[str] = []
        if row["q"] < alpha and row["difference"] > 0:
            against = looks_against(row["p_second"], row["p_without_highest"])
            if row["adjusted_p"] >= alpha or row["adjusted_difference"] <= 0:
                against.append(f"model with {row['adjusted_for']} held fixed")
        words.append(", ".join(against))
    return words


def worst_status(*pairs: tuple[str, str]) -> tuple[str, str]:
    """Return the most restrictive of several (status, reason)."""
    order = (Status.NOT_TESTABLE, Status.DESCRIPTIVE, Status.TESTED)
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
    used = table[table["denominator"] == Denominator.MICROGLIA]
    for route in ROUTES:
        own = used[used["route"] == route]
        for arm in arms_of(own):
            units = units_of_arm(own, arm)
            held = audit.held_of(arm)
            days = compare_days(
                units,
                status=status,
                reason=reason,
                settings=settings,
                seed=seed,
                detectable=route == Route.SCORE,
                held=held,
                thorough=route == Route.SCORE,
            )
            courses.append(days.assign(route=route, arm=arm))
            sampled = audit.days_of(arm) if route == Route.SCORE else ()
            onset = find_onset(days, units, settings=settings, seed=seed, sampled=sampled)
            onsets.append({"route": route, "arm": arm, **onset})
    if not onsets or status == Status.NOT_TESTABLE:
        row = (
            dict.fromkeys(ONSET_COLUMNS, np.nan)
            | dict.fromkeys(PARTS, "")
            | {"route": "score", "arm": "", "sentence": ""}
        )
        return pd.DataFrame(columns=list(TIMELINE_COLUMNS)), pd.DataFrame([row | {"status": status, "reason": reason}])
    return pd.concat(courses, ignore_index=True)[list(TIMELINE_COLUMNS)], pd.DataFrame(onsets)[list(ONSET_COLUMNS)]
