"""Fractions of recovery cells over days: estimates, tests over subjects, and the onset as an interval (floor 5).

The unit is the subject (an animal, or a pool); cells are never replicates. What the design does not allow is not
computed: an aliased design prints no p anywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from recovery_microglia import betabinomial as bb
from recovery_microglia.calibration import wilson
from recovery_microglia.calling import benjamini_hochberg
from recovery_microglia.design import Audit, smallest_p
from recovery_microglia.likelihood import mixture_share
from recovery_microglia.sheet import CONTROLS

Floats = NDArray[np.float64]

UNIT = ["arm", "subject", "day", "condition"]
ROUTES = {"score": "recovery_call", "score_without": "recovery_call_without", "cluster": "cluster_call"}
FEW_CELLS = 50
RISEN, NOT_RISEN = 0.25, 0.05
"""Part of the highest rise that counts as risen, and the chance of it below which a day is held not to have risen."""
TIMELINE_COLUMNS = (
    *("route", "arm", "day", "n_subjects", "control", "n_control_subjects", "k", "n", "fraction", "low", "high"),
    *("control_fraction", "control_low", "control_high", "difference", "p", "p_second", "p_permutation", "p_smallest"),
    *("q", "chance_risen", "smallest_detectable", "mixture", "control_mixture", "status", "reason"),
)


@dataclass(frozen=True)
class TimelineSettings:
    """How days are compared (``timeline`` in config.yaml).

    Attributes
    ----------
    alpha
        A day is above control if its q (false-discovery rate over the days) is below.
    power
        Power for which the smallest detectable fraction is given.
    n_draws
        Studies drawn under the null for each test; permutations are exact up to this number of splits.
    n_bootstrap
        Draws for the interval of the half-rise day.
    """

    alpha: float = 0.05
    power: float = 0.8
    n_draws: int = 4000
    n_bootstrap: int = 1000


@dataclass(frozen=True)
class Group:
    """Subjects of one day (or the controls) with their counts."""

    k: NDArray[np.int64]
    n: NDArray[np.int64]
    label: str = ""
    grid: Floats = field(default_factory=lambda: np.zeros((0, 0)), compare=False, repr=False)

    @property
    def fraction(self) -> Floats:
        """Fraction of each subject."""
        return np.asarray(self.k / self.n)


def _group(rows: pd.DataFrame, label: str = "") -> Group:
    k, n = rows["k"].to_numpy(np.int64), rows["n"].to_numpy(np.int64)
    return Group(k[n > 0], n[n > 0], label, bb.likelihood(k[n > 0], n[n > 0]))


# ---------------------------------------------------------------- fractions


def fractions(
    cells: pd.DataFrame, sheet: pd.DataFrame, totals: pd.DataFrame, *, calls: Mapping[str, str] = ROUTES
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
        for denominator, total in (("microglia", "size"), ("myeloid", "myeloid"), ("all", "all")):
            if denominator != "microglia" and route != "score":
                continue
            unit = _by_subject(rows, total)
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


def add_mixture(table: pd.DataFrame, cells: pd.DataFrame, sheet: pd.DataFrame) -> pd.DataFrame:
    """Return fractions.tsv with the share of recovery cells that needs no cutoff (mixture, its 95 % interval).

    Given for the route ``score`` and the denominator microglia; missing elsewhere. The interval is that of this
    subject's cells only.
    """
    known = cells.loc[cells["recovery_call"].notna(), ["library", "recovery_score"]]
    known = known.merge(sheet[["library", *UNIT]], on="library")
    shares = [
        (*key, *mixture_share(group.to_numpy(float)))
        for key, group in known.groupby(UNIT, dropna=False, sort=False)["recovery_score"]
    ]
    names = ["mixture", "mixture_low", "mixture_high"]
    found = pd.DataFrame(shares, columns=[*UNIT, *names]).astype({"day": float})
    joined = table.merge(found, on=UNIT, how="left")
    main = (joined["route"] == "score") & (joined["denominator"] == "microglia")
    joined[names] = joined[names].astype(float).where(main)
    last = joined.pop("note")
    return joined.assign(note=last)


# ---------------------------------------------------------------- controls


def pick_control(units: pd.DataFrame, day: float) -> tuple[pd.DataFrame, str]:
    """Return the control subjects that a day is compared with, and their name.

    In this order, the first with at least two subjects: sham of the same day; contralateral of the same day;
    naive; all sham; all contralateral; all controls together.
    """
    control = units[units["condition"].isin(CONTROLS) & (units["n"] > 0)]
    kind, when = control["condition"], control["day"]
    choices = [
        (control[(kind == "sham") & (when == day)], f"sham day {day:g}"),
        (control[(kind == "contralateral") & (when == day)], f"contralateral day {day:g}"),
        (control[kind == "naive"], "naive"),
        (control[kind == "sham"], "sham, other days"),
        (control[kind == "contralateral"], "contralateral, other days"),
    ]
    for rows, name in choices:
        if len(rows) >= 2:
            return rows, name
    return control, "+".join(sorted(set(kind)))


# ---------------------------------------------------------------- other tests


def variance_stabilised_test(first: Group, second: Group, everything: list[Group]) -> float:
    """Return a two-sided p by a t-test on arcsine-root fractions with one variance for all groups.

    As propeller (Phipson 2022, Bioinformatics 38:4720) with its variance shrunk completely: with two or three
    animals a group, the common variance is the only one worth having. NaN without residual degrees of freedom.
    """
    from scipy.special import stdtr

    def root(group: Group) -> Floats:
        return np.asarray(np.arcsin(np.sqrt(group.fraction)))

    freedom = sum(len(group.k) - 1 for group in everything)
    if freedom < 1 or len(first.k) == 0 or len(second.k) == 0:
        return float("nan")
    residual = sum(float(((root(group) - root(group).mean()) ** 2).sum()) for group in everything)
    # binomial sampling alone gives 1/(4n): a smaller observed variance is luck
    floor = float(np.mean([np.mean(1 / (4 * group.n)) for group in everything if len(group.n)]))
    variance = max(residual / freedom, floor)
    error = np.sqrt(variance * (1 / len(first.k) + 1 / len(second.k)))
    return float(2 * stdtr(freedom, -abs(root(second).mean() - root(first).mean()) / error))


def permutation_p(first: Floats, second: Floats, *, limit: int, seed: int) -> float:
    """Return the two-sided permutation p of a difference of means; exact up to ``limit`` splits, else Monte Carlo."""
    values, m = np.concatenate([first, second]), len(second)
    if len(first) == 0 or m == 0:
        return float("nan")
    observed = abs(second.mean() - first.mean())
    total, rest = values.sum(), len(first)
    if comb(len(values), m) <= limit:
        sums = np.array([values[list(chosen)].sum() for chosen in combinations(range(len(values)), m)])
        differences = np.abs(sums / m - (total - sums) / rest)
        return float((differences >= observed - 1e-12).mean())
    rng = np.random.default_rng(seed)
    sums = np.array([rng.permutation(values)[:m].sum() for _ in range(limit)])
    differences = np.abs(sums / m - (total - sums) / rest)
    return float((1 + (differences >= observed - 1e-12).sum()) / (1 + limit))


def trend_p(day: Floats, fraction: Floats, *, draws: int, seed: int) -> float:
    """Return the two-sided permutation p of Spearman's correlation between day (controls 0) and fraction."""
    if len(np.unique(day)) < 3:
        return float("nan")
    x, y = pd.Series(day).rank().to_numpy(), pd.Series(fraction).rank().to_numpy()
    x, y = x - x.mean(), y - y.mean()
    rng = np.random.default_rng(seed)
    observed = abs(float(x @ y))
    drawn = np.abs(np.array([rng.permutation(x) @ y for _ in range(draws)]))
    return float((1 + (drawn >= observed - 1e-9).sum()) / (1 + draws))


# ---------------------------------------------------------------- the days


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
    groups = {day: _group(injured[injured["day"] == day], f"day {day:g}") for day in days}
    controls = {day: pick_control(units, day) for day in days}
    unique = {name: _group(rows, name) for rows, name in controls.values()}
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


# ---------------------------------------------------------------- onset


def find_onset(days: pd.DataFrame, units: pd.DataFrame, *, settings: TimelineSettings, seed: int) -> dict[str, Any]:
    """Say when the fraction rises above control, as an interval (a row of onset.tsv, without route and arm).

    Parameters
    ----------
    days
        From `compare_days`, for one arm and route.
    units
        The subjects behind it.
    """
    row: dict[str, Any] = dict.fromkeys(ONSET_COLUMNS[2:], np.nan)
    row |= {"sustained": "", "left_censored": False, "right_censored": False, "sentence": ""}
    tested = days[days["status"] == "tested"]
    if tested.empty:
        first = days.iloc[0] if len(days) else None
        status = str(first["status"]) if first is not None else "not_testable"
        reason = str(first["reason"]) if first is not None else "there is no injured subject with called microglia"
        row |= {"status": status, "reason": reason}
        row["sentence"] = _descriptive_sentence(days, reason) if status == "descriptive" else ""
        return row
    row |= {"status": "tested", "reason": ""}
    row["trend_p"] = _trend(units, settings, seed)
    peak = tested.loc[tested["fraction"].idxmax()]
    row |= {"peak_day": peak["day"], "peak_fraction": peak["fraction"]}
    above = _above(tested, settings.alpha)
    when = tested["day"].to_numpy(float)
    if not above.any():
        row |= {"onset_low": when[-1], "right_censored": True}
        row["sentence"] = _absent_sentence(tested)
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
    row["sentence"] = _rise_sentence(row, tested)
    return row


def _above(tested: pd.DataFrame, alpha: float) -> NDArray[np.bool_]:
    """Return the days that are above control: q below ``alpha``, and no other method against it.

    One animal far out beside many that are alike deceives the model; a permutation it does not. So where animals are
    enough for a permutation to reach ``alpha`` it must, and so must the t-test.
    """
    against = (tested["p_second"] >= alpha) | ((tested["p_smallest"] <= alpha) & (tested["p_permutation"] >= alpha))
    return np.asarray(((tested["q"] < alpha) & (tested["difference"] > 0) & ~against).to_numpy(), dtype=bool)


ONSET_COLUMNS = (
    *("route", "arm", "status", "reason", "onset_low", "onset_high", "left_censored", "right_censored"),
    *("peak_day", "peak_fraction", "sustained", "trend_p", "half_rise_day", "half_rise_low", "half_rise_high"),
    "sentence",
)


def _trend(units: pd.DataFrame, settings: TimelineSettings, seed: int) -> float:
    used = units[units["n"] > 0]
    day = np.where(used["condition"] == "injured", used["day"], 0.0).astype(float)
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
    injured = units[(units["condition"] == "injured") & (units["n"] > 0)]
    base = _group(pick_control(units, float(tested["day"].iloc[0]))[0])
    days = tested["day"].to_numpy(float)
    groups = [_group(injured[injured["day"] == day]) for day in days]
    peak = int(np.argmax([group.fraction.mean() for group in groups]))
    point = _crossing(days, np.array([group.fraction.mean() for group in groups]), float(base.fraction.mean()), peak)
    rho = bb.rho_posterior([group.grid for group in (base, *groups)])
    rng = np.random.default_rng(seed)
    size = settings.n_bootstrap
    start = bb.posterior_draws(base.grid, rho, size, rng)
    drawn = np.column_stack([bb.posterior_draws(group.grid, rho, size, rng) for group in groups])
    crossed = np.array([_crossing(days, course, low, peak) for course, low in zip(drawn, start, strict=True)])
    known = crossed[np.isfinite(crossed)]
    if len(known) < 0.9 * size or not np.isfinite(point):
        return nothing
    low, high = (float(v) for v in np.quantile(known, [0.025, 0.975]))
    return point, low, high


# ---------------------------------------------------------------- sentences


def percent(value: float) -> str:
    """Return a share in percent with as many digits as it carries."""
    return f"{100 * value:.1f} %" if value < 0.1 else f"{100 * value:.0f} %"


def _rise_sentence(row: Mapping[str, Any], tested: pd.DataFrame) -> str:
    high = row["onset_high"]
    if not row["left_censored"]:
        when = f"between day {row['onset_low']:g} and day {high:g}"
    elif high == tested["day"].min():
        when = f"by day {high:g}, the first day sampled"
    else:
        when = f"by day {high:g} (on no earlier day can a rise be excluded)"
    peak = tested[tested["day"] == row["peak_day"]].iloc[0]
    tail = {
        "sustained": "and stay above it on every later day",
        "transient": "but are not above it on every later day",
        "not known": "on the last day sampled, so whether they stay is not known",
    }[row["sustained"]]
    free = peak.get("mixture", np.nan)
    more = f" Counted without a cutoff, it is {percent(free)}." if np.isfinite(free) else ""
    return (
        f"Recovery microglia rise above control {when}, {tail}. The highest share of called cells is "
        f"{percent(peak['fraction'])} of microglia on day {peak['day']:g} (95 % interval {percent(peak['low'])} to "
        f"{percent(peak['high'])}), against {percent(peak['control_fraction'])} in the control.{more}"
    )


def _absent_sentence(tested: pd.DataFrame) -> str:
    last = tested["day"].max()
    worst = tested["smallest_detectable"].max()
    return (
        f"No day up to day {last:g} has more recovery microglia than the control. A share of {percent(worst)} or more "
        "would have been seen on every day; a smaller rise could have been missed."
    )


def _descriptive_sentence(days: pd.DataFrame, reason: str) -> str:
    peak = days.loc[days["fraction"].idxmax()]
    control = f", against {percent(peak['control_fraction'])} in the control" if peak["control_fraction"] >= 0 else ""
    return (
        f"Described, not tested ({reason}): the highest share of recovery microglia is {percent(peak['fraction'])} "
        f"({peak['k']:g} of {peak['n']:g} cells) on day {peak['day']:g}{control}. No onset is given."
    )


# ---------------------------------------------------------------- the step


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


def arms_of(units: pd.DataFrame) -> list[str]:
    """Return the arms with injured subjects."""
    return sorted(units["arm"][units["condition"] == "injured"].unique())


def units_of_arm(units: pd.DataFrame, arm: str) -> pd.DataFrame:
    """Return the subjects of an arm with its own controls, or with those of all arms where it has none."""
    own = units[units["arm"] == arm]
    if own["condition"].isin(CONTROLS).any():
        return own
    return pd.concat([own, units[units["condition"].isin(CONTROLS)]])
