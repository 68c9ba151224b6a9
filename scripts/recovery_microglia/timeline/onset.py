"""When recovery cells rise above control: an interval, and the answer as a sentence.

The onset is the day on which a quarter of the rise is reached, with a two-sided interval from the posterior; half of the
rise likewise. The first day that is shown above control is another thing: it depends on how many animals and cells there
are, and is told beside it.
"""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from recovery_microglia.core.arrays import Bools, Floats, Integers
from recovery_microglia.core.frame_access import row_of_largest
from recovery_microglia.core.vocabulary import Condition, Status
from recovery_microglia.core.wording import interval, percent_in_sentence, percent_interval, whole_percent
from recovery_microglia.timeline import betabinomial as bb
from recovery_microglia.timeline.confirmatory_tests import trend_p
from recovery_microglia.timeline.detection import DETECTION_COLUMNS
from recovery_microglia.timeline.fractions import evidence
from recovery_microglia.timeline.settings import TimelineSettings
from recovery_microglia.timeline.sides import Side, sides_of

QUARTER, HALF = 0.25, 0.5
"""Parts of the highest rise: the onset, and the half-rise day."""
LEAST_DRAWS = 500
"""Draws for the intervals, at the least: their ends are sampled days, and need no more."""

HALF_RISE = ("half_rise_day", "half_rise_low", "half_rise_high")
PARTS = ("described", "could_be_seen", "not_tested")
"""Parts of the sentence that stand on their own too: what is described where nothing is tested, what would have been detected, which days were not tested."""
ONSET_COLUMNS = (
    *("route", "arm", "status", "reason", "onset_day", "onset_low", "onset_high", "left_censored", "right_censored"),
    *("first_above", "peak_day", "peak_fraction", "sustained", "trend_p"),
    *(*HALF_RISE, *PARTS, "sentence"),
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
    row |= {"sustained": "", "left_censored": False, "right_censored": False, "sentence": ""} | dict.fromkeys(PARTS, "")
    tested = days[days["status"] == Status.TESTED]
    if tested.empty:
        first = days.iloc[0] if len(days) else None
        status = str(first["status"]) if first is not None else Status.NOT_TESTABLE
        reason = str(first["reason"]) if first is not None else "there is no injured subject with called microglia"
        row |= {"status": status, "reason": reason}
        if status == Status.DESCRIPTIVE:
            row["described"] = _described(days)
            row["sentence"] = f"Described, not tested ({reason}): {row['described']}"
        return row
    row |= {"status": Status.TESTED, "reason": ""}
    row["not_tested"] = _not_tested(days, set(sampled) - set(days["day"]))
    others = f" Not tested: {row['not_tested']}." if row["not_tested"] else ""
    row["trend_p"] = _trend(units, settings, seed)
    peak = row_of_largest(tested, "fraction")
    row |= {"peak_day": peak["day"], "peak_fraction": peak["fraction"]}
    above = _above(tested, settings.alpha)
    when = tested["day"].to_numpy(float)
    if not above.any():
        # no day is shown to have risen, and none is shown not to have: no bound is known
        row["right_censored"] = True
        day = "tested day" if others else "day"
        row["could_be_seen"] = would_have_been_seen(tested, settings.power, day)
        row["sentence"] = f"{_absent(tested, day)}. {row['could_be_seen']}{others}"
        return row
    first_above = int(np.argmax(above))
    row["first_above"] = when[first_above]
    later = above[first_above:]
    row["sustained"] = "not known" if len(later) == 1 else "sustained" if later.all() else "transient"
    sides = sides_of(units.reset_index(drop=True))
    drawn = drawn_rises([sides[day] for day in when], size=max(settings.n_bootstrap, LEAST_DRAWS), seed=seed)
    for part, names in ((QUARTER, ("onset_day", "onset_low", "onset_high")), (HALF, HALF_RISE)):
        row |= dict(zip(names, day_of_part(drawn, when, part), strict=True))
    row["left_censored"] = bool(np.isnan(row["onset_low"]))
    row["sentence"] = _rise_sentence(row, tested, whole=not others) + others
    return row


def _above(tested: pd.DataFrame, alpha: float) -> Bools:
    """Return the days that are above control: q below ``alpha``, and no other method against it."""
    confirmed = tested["methods_against"] == ""
    return np.asarray(((tested["q"] < alpha) & (tested["difference"] > 0) & confirmed).to_numpy(), dtype=bool)


def _trend(units: pd.DataFrame, settings: TimelineSettings, seed: int) -> float:
    used = units[units["n"] > 0]
    day = np.where(used["condition"] == Condition.INJURED, used["day"], 0.0).astype(float)
    k, n = evidence(used)
    return trend_p(day, k / n, draws=settings.n_draws, seed=seed)


def drawn_rises(sides: list[Side], *, size: int, seed: int) -> Floats:
    """Return draws of the rise over control on each day, monotone up to its peak (size × days).

    All days of a draw share one spread, and whichever day is its highest is the peak. A course that falls before its
    peak is replaced by the nearest one that does not (weighted by how well each day is known); after it, it may fall.
    """
    groups = {id(group): group for side in sides for group in (side.group, side.control)}
    grids = [group.grid for group in groups.values()]
    shares = bb.joint_draws(grids, bb.spread_posterior(grids), size, np.random.default_rng([seed, 6]))
    drawn = dict(zip(groups, shares.T, strict=True))
    rises = np.column_stack([drawn[id(side.group)] - drawn[id(side.control)] for side in sides])
    return monotone_to_peak(rises, 1 / rises.var(axis=0))


def monotone_to_peak(rises: Floats, weight: Floats) -> Floats:
    """Return courses (draws × days) that do not fall before their highest day, by weighted isotonic regression."""
    found = rises.copy()
    peaks = rises.argmax(axis=1)
    for peak in np.unique(peaks):
        own = peaks == peak
        found[own, : peak + 1] = _isotonic(rises[own, : peak + 1], weight[: peak + 1])
    return found


def _isotonic(values: Floats, weight: Floats) -> Floats:
    """Return the isotonic regression of each row: the largest over starts of the least mean over ends."""
    size = values.shape[1]
    total = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values * weight, axis=1)], axis=1)
    mass = np.concatenate([[0.0], np.cumsum(weight)])
    fitted = np.full(values.shape, -np.inf)
    for start in range(size):
        means = (total[:, start + 1 :] - total[:, [start]]) / (mass[start + 1 :] - mass[start])
        # the least mean from `start` to any end at or after each place
        least = np.minimum.accumulate(means[:, ::-1], axis=1)[:, ::-1]
        fitted[:, start:] = np.maximum(fitted[:, start:], least)
    return fitted


def day_of_part(rises: Floats, days: Floats, part: float) -> tuple[float, float, float]:
    """Return the day on which a part of the highest rise is reached, and its 95 % interval.

    The course starts without a rise on day 0 and is drawn straight between days for the day itself; what lies between two
    sampled days is not known, so the interval runs from the last sampled day before to the first one at or after. Its
    lower end is missing where that is day 0.

    Parameters
    ----------
    rises
        From `drawn_rises` (draws × days).
    days
        Their days.
    """
    course = np.column_stack([np.zeros(len(rises)), np.maximum(rises, 0.0)])
    sampled = np.concatenate([[0.0], days])
    top = course.max(axis=1)
    reached = course >= part * top[:, None]
    reached[:, 0] = False
    # a draw without any rise reaches no part of it
    reached[top <= 0] = False
    reached[top <= 0, -1] = True
    at: Integers = reached.argmax(axis=1)
    before, after = sampled[at - 1], sampled[at]
    rows = np.arange(len(course))
    first, second = course[rows, at - 1], course[rows, at]
    step = np.where(second > first, (part * top - first) / np.where(second > first, second - first, 1.0), 1.0)
    low, high = np.quantile(before, 0.025, method="inverted_cdf"), np.quantile(after, 0.975, method="inverted_cdf")
    middle = float(np.median(before + step * (after - before)))
    return middle, float(low) if low > 0 else float("nan"), float(high)


def _rise_sentence(row: Mapping[str, Any], tested: pd.DataFrame, *, whole: bool) -> str:
    """Return the sentence of a rise; ``whole``: every day sampled was tested."""
    high, first = row["onset_high"], row["first_above"]
    day, sampled, those = ("day", "day sampled", "") if whole else ("tested day", "day tested", " on the days tested")
    when = interval(row["onset_low"], high) + (f", the first {sampled}" if high == tested["day"].min() else "")
    half = interval(row["half_rise_low"], row["half_rise_high"])
    peak = tested[tested["day"] == row["peak_day"]].iloc[0]
    tail = {
        "sustained": f"and they are above it on every later {day} too",
        "transient": f"but they are not above it on every later {day}",
        "not known": f"and the last {sampled}, so whether they stay is not known",
    }[row["sustained"]]
    return (
        f"Recovery microglia rise above control {when} (95 % interval of the day on which a quarter of the rise is reached; "
        f"half of it: {half}). Day {first:g} is the first {day} that is shown to be above control, {tail}. "
        + _peak_sentence(peak, those)
    )


def _peak_sentence(peak: Any, those: str) -> str:
    """Return the highest share with its control; called cells are counts at unequal cutoffs, and stand beside."""
    text = (
        f"The highest share{those} is {percent_in_sentence(peak['fraction'])} of microglia on day {peak['day']:g} "
        f"(95 % interval {percent_interval(peak['low'], peak['high'])}), against "
        f"{percent_in_sentence(peak['control_fraction'])} in the control."
    )
    called = f" Called are {peak['k']:g} of {peak['n']:g} microglia"
    return text + called + f", and {peak['control_k']:g} of {peak['control_n']:g} in the control."


def _absent(tested: pd.DataFrame, day: str) -> str:
    """Return that no rise is shown, and what stood against one; ``day``: what a day is called."""
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
    return text


def would_have_been_seen(tested: pd.DataFrame, power: float, day: str = "day") -> str:
    """Return what share would have been detected on each day, under either law of how its animals differ.

    Parameters
    ----------
    tested
        Rows of timeline.tsv: the days tested.
    power
        The part of studies in which it would.
    day
        What a day is called.
    """
    if "smallest_detectable" not in tested or tested["smallest_detectable"].isna().all():
        return "That is not proof that there was none: what could have been seen was not computed for these calls."
    often = whole_percent(power)
    limits = sorted(float(tested[name].max()) for name in DETECTION_COLUMNS if name in tested)
    low, high = (percent_in_sentence(limit) for limit in (limits[0], limits[-1]))
    if limits[0] >= 1:
        return f"No share, however large, would have been detected on each {day} in {often} of such studies: any rise could have been missed."
    text = f"A share of {low} or more would have been detected on each {day} in {often} of such studies"
    if low != high:
        safe = f"{high} or more" if limits[-1] < 1 else "none for sure"
        text += f"; {safe}, if animals differ more on a risen day than on these (as much in the odds of recovery cells), which is not known before a day has risen"
    return f"{text}. A smaller rise could have been missed."


def _not_tested(days: pd.DataFrame, uncalled: Collection[float]) -> str:
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
    return "; ".join(named)


def _described(days: pd.DataFrame) -> str:
    """Return the highest share where nothing is tested."""
    peak = row_of_largest(days, "fraction")
    control = (
        f", against {percent_in_sentence(peak['control_fraction'])} in the control"
        if peak["control_fraction"] >= 0
        else ""
    )
    return (
        f"the highest share of recovery microglia is {percent_in_sentence(peak['fraction'])} "
        f"on day {peak['day']:g} (called are {peak['k']:g} of {peak['n']:g}){control}. No onset is given."
    )
