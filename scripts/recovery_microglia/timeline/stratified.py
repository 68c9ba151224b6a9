"""Answers by sex, and whether sexes or arms differ in the rise.

Each stratum has its own course. Whether two of them differ is not read off "significant in one, not in the other": the
difference of their rises is estimated and tested itself.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import pandas as pd

from recovery_microglia.core.arrays import Floats
from recovery_microglia.core.errors import Notice
from recovery_microglia.core.frame_access import records
from recovery_microglia.core.statistics import benjamini_hochberg
from recovery_microglia.core.vocabulary import CONTROLS, Condition, Severity, Status
from recovery_microglia.core.wording import percent_in_sentence
from recovery_microglia.timeline import betabinomial as bb
from recovery_microglia.timeline.days import compare_days
from recovery_microglia.timeline.design import INSEPARABLE, Audit
from recovery_microglia.timeline.fractions import arms_of, evidence, group_of, pick_control, units_of_arm
from recovery_microglia.timeline.onset import ONSET_COLUMNS, find_onset
from recovery_microglia.timeline.settings import TimelineSettings
from recovery_microglia.timeline.sides import sides_of

STRATA_COLUMNS = (
    *(
        "by",
        "stratum",
        "arm",
        "day",
        "n_subjects",
        "control",
        "n_control_subjects",
        "k",
        "n",
        "fraction",
        "low",
        "high",
    ),
    *("control_fraction", "difference", "rise_low", "rise_high", "p", "q", "status", "reason"),
)
STRATA_ONSET_COLUMNS = ("by", "stratum", *(name for name in ONSET_COLUMNS if name != "route"))
INTERACTION_COLUMNS = (
    *("by", "first", "second", "arm", "day", "difference_first", "difference_second", "difference", "low", "high"),
    *("p", "p_permutation", "p_smallest", "q", "status", "reason", "sentence"),
)
SEXES = ("female", "male")
LEAST = 2
"""Animals that each of the four groups of a day needs (two strata, injured and control) for a test of that day."""
LEAST_IN_ALL = 4
"""Injured animals that each stratum needs over all days together, beside `LEAST` controls."""
POSTERIOR_DRAWS = 20_000


def by_sex(
    units: pd.DataFrame, audit: Audit, status: tuple[str, str], settings: TimelineSettings, *, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return strata.tsv and strata_onset.tsv: the course and the onset of each sex, in every arm that has both.

    Parameters
    ----------
    units
        Rows of fractions.tsv (route ``score``, of microglia).
    audit
        What the design allows.
    status
        Status and reason of the answer over all animals.
    """
    courses, onsets = [], []
    for arm in arms_of(units):
        own = units_of_arm(units, arm)
        injured = own[own["condition"] == Condition.INJURED]
        sexes = [sex for sex in SEXES if (injured["sex"] == sex).any()]
        if len(sexes) < 2 or status[0] == Status.NOT_TESTABLE:
            continue
        for sex in sexes:
            stratum = _stratum(own, sex)
            days = compare_days(
                stratum,
                status=status[0],
                reason=status[1],
                settings=settings,
                seed=seed,
                detectable=False,
                held=audit.held_of(arm),
                thorough=False,
            )
            facts = {"by": "sex", "stratum": sex, "arm": arm}
            courses.append(_say_what_is_borrowed(days, stratum, sex).assign(**facts))
            onsets.append(facts | find_onset(days, stratum, settings=settings, seed=seed))
    if not courses:
        return pd.DataFrame(columns=list(STRATA_COLUMNS)), pd.DataFrame(columns=list(STRATA_ONSET_COLUMNS))
    course = pd.concat(courses, ignore_index=True)[list(STRATA_COLUMNS)]
    return course, pd.DataFrame(onsets)[list(STRATA_ONSET_COLUMNS)]


def _stratum(own: pd.DataFrame, sex: str) -> pd.DataFrame:
    """Return the animals of a sex with its own controls; of a kind of which it has fewer than two, those of both sexes."""
    mine = (own["sex"] == sex).to_numpy()
    control = own["condition"].isin(CONTROLS).to_numpy()
    # naive animals are one group, whatever day stands beside them
    day = own["day"].where(own["condition"] != Condition.NAIVE, 0.0)
    kept = mine.copy()
    for _, index in own[control].assign(day=day).groupby(["condition", "day"], dropna=False, sort=False).groups.items():
        group = own.index.isin(index)
        if (mine & group).sum() < LEAST:
            kept |= group
    return own[kept]


BORROWED = ", of both sexes"


def _say_what_is_borrowed(days: pd.DataFrame, stratum: pd.DataFrame, sex: str) -> pd.DataFrame:
    """Return a stratum's days with the control's name saying where its animals are not all of the stratum."""
    sides = sides_of(stratum.reset_index(drop=True))
    mixed = [bool((sides[day].control_rows["sex"] != sex).any()) for day in days["day"]]
    return days.assign(control=days["control"] + np.where(mixed, BORROWED, ""))


# ---------------------------------------------------------------- do two strata differ?


@dataclass(frozen=True)
class Cell:
    """The animals of a stratum on a day, and their control."""

    own: pd.DataFrame
    control: pd.DataFrame


def interactions(
    units: pd.DataFrame, audit: Audit, status: tuple[str, str], settings: TimelineSettings, *, seed: int
) -> pd.DataFrame:
    """Return whether sexes (in each arm) and arms differ in the rise (= interactions.tsv).

    A row for each day that both strata have, and one without a day over all of these together. The difference is the
    rise over control in the first stratum minus that in the second, in shares; its interval and p come from the posterior
    of `betabinomial`, one intraclass correlation for all groups. Beside it a permutation of the strata among animals of the
    same day (and of the same control).
    """
    rows: list[dict[str, Any]] = []
    if status[0] == Status.NOT_TESTABLE:
        return pd.DataFrame(columns=list(INTERACTION_COLUMNS))
    for arm in arms_of(units):
        own = units_of_arm(units, arm)
        cells = {sex: _cells(own, own[own["sex"] == sex]) for sex in SEXES}
        if all(cells.values()):
            facts = {"by": "sex", "first": SEXES[0], "second": SEXES[1], "arm": arm}
            days_held = {day for own_arm, day in audit.held if own_arm == arm}
            rows += _compare(facts, cells[SEXES[0]], cells[SEXES[1]], days_held, status, settings, seed)
    for first, second in combinations(arms_of(units), 2):
        sides = [_cells(units_of_arm(units, arm), units_of_arm(units, arm)) for arm in (first, second)]
        facts = {"by": "arm", "first": first, "second": second, "arm": ""}
        days_held = {day for arm, day in audit.held if arm in (first, second)}
        rows += _compare(facts, sides[0], sides[1], days_held, status, settings, seed)
    _say_what_goes_with_it(rows, units)
    table = pd.DataFrame(rows, columns=list(INTERACTION_COLUMNS))
    single = table["day"].notna()
    for _, index in table[single].groupby(["by", "first", "second", "arm"]).groups.items():
        table.loc[index, "q"] = benjamini_hochberg(table.loc[index, "p"].to_numpy(float))
    return table


def differing(table: pd.DataFrame) -> list[Notice]:
    """Return a warning for each pair of strata that differ in the rise: one answer for both is then half of the truth."""
    overall = records(table[table["sentence"] != ""])
    return [Notice("strata_differ", Severity.WARNING, row["sentence"]) for row in overall if _differ(row)]


def _differ(row: Mapping[str, Any]) -> bool:
    return bool(row["status"] == Status.TESTED and row["p"] < 0.05 and not _disagree(row))


def _disagree(row: Mapping[str, Any]) -> bool:
    """Return whether a permutation that could confirm a difference does not."""
    return bool(row["p"] < 0.05 <= row["p_permutation"] and row["p_smallest"] <= 0.05)


def _say_what_goes_with_it(rows: list[dict[str, Any]], units: pd.DataFrame) -> None:
    """Add to the sentence of a difference what the strata's injured animals differ in besides, every one of them."""
    injured = units[(units["condition"] == Condition.INJURED) & (units["n"] > 0)]
    for row in rows:
        if not row["sentence"] or row["status"] != Status.TESTED:
            continue
        own = injured[injured["arm"] == row["arm"]] if row["by"] == "sex" else injured
        sides = [own[own[row["by"]] == row[side]] for side in ("first", "second")]
        same = [
            name
            for name in (*INSEPARABLE, "sex")
            if name != row["by"]
            and name in own
            and all((side[name].astype(str) != "").all() for side in sides)
            and not set(sides[0][name]) & set(sides[1][name])
        ]
        if same:
            row["sentence"] += f" All animals of the two also differ in {' and '.join(same)}: it may be that as well."


def _cells(whole: pd.DataFrame, stratum: pd.DataFrame) -> dict[float, Cell]:
    """Return day to the stratum's animals, and those of the day's control that are of the stratum.

    Which kind of control a day has is decided over the whole arm, so that both strata have the same.
    """
    found = {}
    injured = stratum[(stratum["condition"] == Condition.INJURED) & (stratum["n"] > 0)]
    for day in sorted(injured["day"].dropna().unique()):
        control, _ = pick_control(whole, day)
        found[day] = Cell(injured[injured["day"] == day], control[control.index.isin(stratum.index)])
    return found


def _compare(
    facts: Mapping[str, Any],
    first: Mapping[float, Cell],
    second: Mapping[float, Cell],
    held: set[float],
    status: tuple[str, str],
    settings: TimelineSettings,
    seed: int,
) -> list[dict[str, Any]]:
    """Return the rows of two strata: each common day, and all of them together."""
    common = [day for day in first if day in second and day not in held]
    if not common:
        return []
    shared = {id(a): a for strata in (first, second) for cell in strata.values() for a in (cell.own, cell.control)}
    grids = {key: group_of(rows) for key, rows in shared.items() if len(rows)}
    # the same controls under different objects must be one group, with one draw
    keys = {key: tuple(shared[key].index) for key in grids}
    unique = {keys[key]: group for key, group in grids.items()}
    known = [group.grid for group in unique.values()]
    rng = np.random.default_rng([seed, 3])
    shares = bb.joint_draws(known, bb.spread_posterior(known), POSTERIOR_DRAWS, rng)
    drawn: dict[tuple[Hashable, ...], Floats] = dict(zip(unique, shares.T, strict=True))

    def share(rows: pd.DataFrame) -> Floats:
        return drawn.get(tuple(rows.index), np.full(POSTERIOR_DRAWS, np.nan))

    rows = []
    for days in [[day] for day in common] + [common]:
        parts = [[strata[day] for day in days] for strata in (first, second)]
        rise = [np.mean([share(cell.own) - share(cell.control) for cell in cells], axis=0) for cells in parts]
        row = dict(facts) | {"day": days[0] if len(days) == 1 and days is not common else np.nan, "sentence": ""}
        row |= {"difference_first": float(np.mean(rise[0])), "difference_second": float(np.mean(rise[1]))}
        reason = status[1] if status[0] != Status.TESTED else _too_few(parts, all_days=days is common)
        row |= {"status": Status.TESTED if not reason else Status.DESCRIPTIVE, "reason": reason}
        difference = rise[0] - rise[1]
        if not reason:
            low, high = np.quantile(difference, [0.025, 0.975])
            tail = float(min((difference > 0).mean(), (difference < 0).mean()))
            row |= {"difference": float(np.mean(difference)), "low": float(low), "high": float(high)}
            row["p"] = min(2 * max(tail, 0.5 / POSTERIOR_DRAWS), 1.0)
            row |= _permuted(parts[0], parts[1], settings.n_draws, seed)
        if days is common:
            row["sentence"] = _sentence(row, len(common))
        rows.append(row)
    return rows


def _too_few(parts: list[list[Cell]], *, all_days: bool) -> str:
    """Return why two strata cannot be compared; empty if they can."""
    least = LEAST_IN_ALL if all_days else LEAST
    for cells in parts:
        own = len(pd.concat([cell.own for cell in cells]))
        control = len({index for cell in cells for index in cell.control.index})
        if own < least or control < LEAST or any(cell.control.empty for cell in cells):
            return f"fewer than {least} injured or {LEAST} control animals in one of the two"
    return ""


def _permuted(first: list[Cell], second: list[Cell], draws: int, seed: int) -> dict[str, float]:
    """Return the permutation p of the difference of rises, and the smallest it can reach.

    Strata are permuted among the injured animals of each day, and among the controls of each kind; under the null that
    the stratum plays no part at all. Monte Carlo.
    """
    animals: dict[Hashable, dict[str, Any]] = {}
    for sign, cells in ((1.0, first), (-1.0, second)):
        for cell in cells:
            for rows, weight in ((cell.own, sign), (cell.control, -sign)):
                k, n = evidence(rows)
                for share, (index, row) in zip(k / n, rows.iterrows(), strict=True):
                    block = (row["condition"], row["day"])
                    animal = animals.setdefault(index, {"value": share, "effect": 0.0, "block": block, "strata": set()})
                    animal["effect"] += weight / len(rows) / len(first)
                    animal["strata"].add(sign)
    # a control of both strata belongs to neither, and cancels
    table = pd.DataFrame([animal for animal in animals.values() if len(animal["strata"]) == 1])
    value, effect = table["value"].to_numpy(float), table["effect"].to_numpy(float)
    observed = abs(float(effect @ value))
    rng = np.random.default_rng([seed, 4])
    moved = np.tile(value, (draws, 1))
    ways, mirrored = 1.0, True
    for _, rows in table.reset_index(drop=True).groupby("block", sort=False):
        columns = rows.index.to_numpy()
        moved[:, columns] = rng.permuted(moved[:, columns], axis=1)
        of_first = sum(strata == {1.0} for strata in rows["strata"])
        ways *= comb(len(rows), of_first)
        mirrored &= 2 * of_first == len(rows)
    extreme = int((np.abs(moved @ effect) >= observed - 1e-12).sum())
    # with as many animals of both strata everywhere, the mirror image of the most extreme split is as extreme
    return {"p_permutation": (1 + extreme) / (1 + draws), "p_smallest": min((2 if mirrored else 1) / ways, 1.0)}


def _sentence(row: Mapping[str, Any], n_days: int) -> str:
    names = f"{row['first']} and {row['second']}" + (" animals" if row["by"] == "sex" else "")
    where = f" ({row['arm']})" if row["arm"] else ""
    if row["status"] != Status.TESTED:
        return f"Whether {names} differ in the rise{where} was not tested: {row['reason']}."
    days = "on the day that both have" if n_days == 1 else f"over the {n_days} days that both have"
    points, low, high = (f"{100 * row[key]:.0f}" for key in ("difference", "low", "high"))
    told = (
        f"mean rise {percent_in_sentence(row['difference_first'])} and {percent_in_sentence(row['difference_second'])} {days}; difference {points} "
        f"points, 95 % interval {low} to {high}, p {row['p']:.2g}"
    )
    if _differ(row):
        return f"{names[0].upper()}{names[1:]} differ in the rise{where}: {told}."
    doubt = ", which a permutation does not confirm" if _disagree(row) else ""
    return f"No difference between {names} in the rise was shown{where}: {told}{doubt}."
