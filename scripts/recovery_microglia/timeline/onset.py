"""When recovery cells rise above control: an interval, and the answer as a sentence."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from recovery_microglia.core.arrays import Bools, Floats
from recovery_microglia.core.frame_access import row_of_largest
from recovery_microglia.core.vocabulary import Condition, Status
from recovery_microglia.core.wording import percent_in_sentence
from recovery_microglia.timeline import betabinomial as bb
from recovery_microglia.timeline.confirmatory_tests import trend_p
from recovery_microglia.timeline.fractions import group_of, pick_control
from recovery_microglia.timeline.settings import TimelineSettings

NOT_RISEN = 0.025
"""Chance of having risen (`timeline.RISEN`) below which a day is held not to have risen."""


ONSET_COLUMNS = (
    *("route", "arm", "status", "reason", "onset_low", "onset_high", "left_censored", "right_censored"),
    *("peak_day", "peak_fraction", "sustained", "trend_p", "half_rise_day", "half_rise_low", "half_rise_high"),
    "sentence",
)


def find_onset(
    days: pd.DataFrame, units: pd.DataFrame, *, settings: TimelineSettings, seed: int, sampled: Collection[float] = ()
) -> dict[str, Any]:
    """Say when the fraction rises above control, as an interval (a row of onset.tsv, without route and arm).

    Parameters
    ----------
    days
        From `compare_days`, for one arm and route.
    units
        The subjects behind it.
    sampled
        All days after injury of the sheet: those that ``days`` lacks had no cell that could be called.
    """
    row: dict[str, Any] = dict.fromkeys(ONSET_COLUMNS[2:], np.nan)
    row |= {"sustained": "", "left_censored": False, "right_censored": False, "sentence": ""}
    tested = days[days["status"] == Status.TESTED]
    if tested.empty:
        first = days.iloc[0] if len(days) else None
        status = str(first["status"]) if first is not None else Status.NOT_TESTABLE
        reason = str(first["reason"]) if first is not None else "there is no injured subject with called microglia"
        row |= {"status": status, "reason": reason}
        row["sentence"] = _descriptive_sentence(days, reason) if status == Status.DESCRIPTIVE else ""
        return row
    row |= {"status": Status.TESTED, "reason": ""}
    others = _untested_sentence(days, set(sampled) - set(days["day"]))
    row["trend_p"] = _trend(units, settings, seed)
    peak = row_of_largest(tested, "fraction")
    row |= {"peak_day": peak["day"], "peak_fraction": peak["fraction"]}
    above = _above(tested, settings.alpha)
    when = tested["day"].to_numpy(float)
    if not above.any():
        # no day is shown to have risen, and none is shown not to have: no bound is known
        row["right_censored"] = True
        row["sentence"] = _absent_sentence(tested, settings.power, whole=not others) + others
        return row
    first_above = int(np.argmax(above))
    # not significantly above is not the same as not risen: the interval opens at the last day that can be excluded
    excluded = np.flatnonzero(tested["chance_risen"].to_numpy(float)[:first_above] < NOT_RISEN)
    row |= {"onset_high": when[first_above], "left_censored": len(excluded) == 0}
    row["onset_low"] = when[excluded[-1]] if len(excluded) else np.nan
    later = above[first_above:]
    row["sustained"] = "not known" if len(later) == 1 else "sustained" if later.all() else "transient"
    half = half_rise(tested, units, settings=settings, seed=seed)
    row |= dict(zip(("half_rise_day", "half_rise_low", "half_rise_high"), half, strict=True))
    row["sentence"] = _rise_sentence(row, tested, whole=not others) + others
    return row


def _above(tested: pd.DataFrame, alpha: float) -> Bools:
    """Return the days that are above control: q below ``alpha``, and no other method against it."""
    confirmed = tested["methods_against"] == ""
    return np.asarray(((tested["q"] < alpha) & (tested["difference"] > 0) & confirmed).to_numpy(), dtype=bool)


def _trend(units: pd.DataFrame, settings: TimelineSettings, seed: int) -> float:
    used = units[units["n"] > 0]
    day = np.where(used["condition"] == Condition.INJURED, used["day"], 0.0).astype(float)
    return trend_p(day, (used["k"] / used["n"]).to_numpy(float), draws=settings.n_draws, seed=seed)


def _crossing(days: Floats, fraction: Floats, base: float, peak: int) -> float:
    """Return the day at which the course first crosses half of its rise up to day number ``peak``; NaN without rise.

    Linear between days; the course starts at ``base`` on day 0.
    """
    x, y = np.concatenate([[0.0], days]), np.concatenate([[base], fraction])
    half = base + (y[peak + 1] - base) / 2
    if not y[peak + 1] > base:
        return float("nan")
    at = int(np.argmax(y >= half))
    return float(x[at - 1] + (half - y[at - 1]) / (y[at] - y[at - 1]) * (x[at] - x[at - 1])) if at else float("nan")


def half_rise(
    tested: pd.DataFrame, units: pd.DataFrame, *, settings: TimelineSettings, seed: int
) -> tuple[float, float, float]:
    """Return the half-rise day and its 95 % interval, from draws of each day's share from its posterior.

    Resampling two or three animals within days knows too little of how animals differ: its intervals held the truth in
    .6 to .8 of drawn studies. Half of the rise is half of the way to the day with the highest estimate; the course may
    rise and fall, no shape is forced on it. Given only with at least four post-injury days, most of them with two
    subjects or more; else NaN.
    """
    nothing = (float("nan"),) * 3
    if not settings.n_bootstrap or len(tested) < 4 or (tested["n_subjects"] >= 2).mean() <= 0.5:
        return nothing
    injured = units[(units["condition"] == Condition.INJURED) & (units["n"] > 0)]
    base = group_of(pick_control(units, float(tested["day"].iloc[0]))[0])
    days = tested["day"].to_numpy(float)
    groups = [group_of(injured[injured["day"] == day]) for day in days]
    peak = int(np.argmax([group.fraction.mean() for group in groups]))
    point = _crossing(days, np.array([group.fraction.mean() for group in groups]), float(base.fraction.mean()), peak)
    grids = [group.grid for group in (base, *groups)]
    size = settings.n_bootstrap
    shares = bb.joint_draws(grids, bb.spread_posterior(grids), size, np.random.default_rng(seed))
    start, drawn = shares[:, 0], shares[:, 1:]
    crossed = np.array([_crossing(days, course, low, peak) for course, low in zip(drawn, start, strict=True)])
    known = crossed[np.isfinite(crossed)]
    if len(known) < 0.9 * size or not np.isfinite(point):
        return nothing
    low, high = (float(v) for v in np.quantile(known, [0.025, 0.975]))
    return point, low, high


def _rise_sentence(row: Mapping[str, Any], tested: pd.DataFrame, *, whole: bool) -> str:
    """Return the sentence of a rise; ``whole``: every day sampled was tested."""
    high = row["onset_high"]
    day, sampled, those = ("day", "day sampled", "") if whole else ("tested day", "day tested", " on the days tested")
    if not row["left_censored"]:
        when = f"between day {row['onset_low']:g} and day {high:g}"
    elif high == tested["day"].min():
        when = f"by day {high:g}, the first {sampled}"
    else:
        when = f"by day {high:g} (on no earlier day can a rise be excluded)"
    peak = tested[tested["day"] == row["peak_day"]].iloc[0]
    tail = {
        "sustained": f"and stay above it on every later {day}",
        "transient": f"but are not above it on every later {day}",
        "not known": f"on the last {sampled}, so whether they stay is not known",
    }[row["sustained"]]
    free = peak.get("mixture", np.nan)
    more = f" Counted without a cutoff, it is {percent_in_sentence(free)}." if np.isfinite(free) else ""
    return (
        f"Recovery microglia rise above control {when}, {tail}. The highest share of called cells{those} is "
        f"{percent_in_sentence(peak['fraction'])} of microglia on day {peak['day']:g} (95 % interval {percent_in_sentence(peak['low'])} to "
        f"{percent_in_sentence(peak['high'])}), against {percent_in_sentence(peak['control_fraction'])} in the control.{more}"
    )


def _absent_sentence(tested: pd.DataFrame, power: float, *, whole: bool) -> str:
    """Return the sentence of no rise; ``whole``: every day sampled was tested."""
    day = "day" if whole else "tested day"
    last = tested["day"].max()
    text = f"On no {day} up to day {last:g} was a rise of recovery microglia over the control shown"
    doubt = tested[tested["methods_against"] != ""]
    if len(doubt):
        against = doubt.groupby("methods_against", sort=False)["day"].agg(
            lambda days: ", ".join(f"{d:g}" for d in days)
        )
        text += (
            f" by all methods ({'; '.join(f'day {days}: not confirmed by {what}' for what, days in against.items())})"
        )
    worst = tested["smallest_detectable"].max()
    if not np.isfinite(worst):
        return f"{text}. That is not proof that there was none: what could have been seen was not computed for these calls."
    return (
        f"{text}. A share of {percent_in_sentence(worst)} or more would have been seen on each {day} in {percent_in_sentence(power)} of such studies; "
        "a smaller rise could have been missed."
    )


def _untested_sentence(days: pd.DataFrame, uncalled: Collection[float]) -> str:
    """Return which days say nothing of a rise, and why; empty where all were tested."""
    others = days[days["status"] != Status.TESTED]
    if others.empty and not uncalled:
        return ""
    named = [
        f"day {', '.join(f'{day:g}' for day in part['day'])} ({reason})"
        for reason, part in others.groupby("reason", sort=False)
    ]
    if uncalled:
        named.append(f"day {', '.join(f'{day:g}' for day in sorted(uncalled))} (no cell could be called)")
    return f" Not tested: {'; '.join(named)}."


def _descriptive_sentence(days: pd.DataFrame, reason: str) -> str:
    peak = row_of_largest(days, "fraction")
    control = (
        f", against {percent_in_sentence(peak['control_fraction'])} in the control"
        if peak["control_fraction"] >= 0
        else ""
    )
    return (
        f"Described, not tested ({reason}): the highest share of recovery microglia is {percent_in_sentence(peak['fraction'])} "
        f"({peak['k']:g} of {peak['n']:g} cells) on day {peak['day']:g}{control}. No onset is given."
    )
