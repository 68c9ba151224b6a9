"""How often the timeline's answers are right, over thousands of drawn studies with known truth.

    .venv/bin/python benchmarks/timeline_calibration.py --docs        # 300 studies a design, about an hour
    .venv/bin/python benchmarks/timeline_calibration.py --studies 50  # a quick look

Draws calls straight at the level of animals (beta-binomial), judges them by the workflow's own code, and prints the tables
of docs/calibration.md.
"""

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":  # not where a test imports this
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(variable, "1")

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "scripts"), str(HERE)]

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from pages import markdown, write_below  # noqa: E402
from scipy.special import expit, logit  # noqa: E402

from recovery_microglia.timeline.days import compare_days  # noqa: E402
from recovery_microglia.timeline.design import Audit  # noqa: E402
from recovery_microglia.timeline.onset import find_onset  # noqa: E402
from recovery_microglia.timeline.settings import TimelineSettings  # noqa: E402
from recovery_microglia.timeline.stratified import interactions  # noqa: E402

MARK = "<!-- below: printed by benchmarks/timeline_calibration.py --docs -->"
DAYS = (1.0, 3.0, 7.0, 14.0, 21.0, 35.0)
BASE, TOP, T50 = 0.015, 0.20, 10.0
"""Share called in controls, share that is added at the height of the rise, and its half-rise day."""
OVERDISPERSION = {"none": 0.0, "typical": 0.015, "strong": 0.06}
"""Intraclass correlation of an animal's cells; the demo's animals have about 0.015."""
SETTINGS = TimelineSettings(n_draws=1000, n_bootstrap=200)
NOTHING_HELD = Audit("tested", "", pd.DataFrame(), pd.DataFrame(), [])

SEX_EFFECT = 1.0
"""Log odds by which males exceed females where the course says so."""
ANIMAL_SD = 0.5
"""SD of the log odds that the two sides of an animal have in common."""


@dataclass(frozen=True)
class Course:
    """A course to draw studies from.

    Attributes
    ----------
    shape
        What is added to the controls' share, as a part of `TOP`, by day.
    kind
        What else is special: ``bad`` libraries (their number), ``sex`` (males have more, and fall on days unevenly),
        ``sides`` (controls are the other sides of the same animals), ``gaps`` (days and animals are missing), ``females``
        (only they rise).
    animals, spreads
        Designs that are drawn.
    """

    shape: Callable[[np.ndarray], np.ndarray]
    days: tuple[float, ...] = DAYS
    kind: str = ""
    bad: int = 0
    animals: tuple[int, ...] = (2, 3, 4, 6)
    spreads: tuple[str, ...] = ("none", "typical", "strong")


def _null(t: np.ndarray) -> np.ndarray:
    return np.zeros_like(t)


def _step(t: np.ndarray) -> np.ndarray:
    return np.where(t >= T50, 1.0, 0.0)


def _logistic(t: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-(t - T50) / 2))


def _transient(t: np.ndarray) -> np.ndarray:
    return np.exp(-(((t - 14) / 6) ** 2))


FEW = (3.0, 14.0, 35.0)
COURSES = {
    "null": Course(_null, animals=(1, 2, 3, 4, 6)),
    "step at day 10": Course(_step, animals=(1, 2, 3, 4, 6)),
    "logistic, half at day 10": Course(_logistic),
    "transient, height at day 14": Course(_transient),
    "few days (3, 14, 35)": Course(_step, FEW),
    "null, few days": Course(_null, FEW),
    "null, one bad library": Course(_null, bad=1),
    "null, two bad libraries": Course(_null, bad=2, animals=(3, 6)),
    "null, sexes uneven over days": Course(_null, kind="sex", animals=(3, 4, 6), spreads=("none", "typical")),
    "logistic, sexes uneven": Course(_logistic, kind="sex", animals=(3, 6), spreads=("typical",)),
    "null, other sides as controls": Course(_null, kind="sides", animals=(3, 4, 6), spreads=("none", "typical")),
    "step, other sides as controls": Course(_step, kind="sides", animals=(3, 4, 6), spreads=("none", "typical")),
    "null, days and animals missing": Course(_null, kind="gaps", animals=(4,)),
    "logistic, days and animals missing": Course(_logistic, kind="gaps", animals=(4,)),
    "step in females only": Course(_step, kind="females", animals=(4, 6), spreads=("typical",)),
}


def begin(course: str) -> tuple[float, float]:
    """Return between which days a course begins to rise: where it passes 2 % and a quarter of its height.

    2 % of the height are .4 percent points: a day that is called above control there is above it.
    """
    t = np.linspace(0, 40, 40001)
    rise = COURSES[course].shape(t)
    first, second = (float(t[np.argmax(rise >= part * rise.max() - 1e-12)]) for part in (0.02, 0.25))
    return first, second


def draw_study(
    course: str, animals: int, rho: float, rng: np.random.Generator, *, controls: int | None = None
) -> tuple[pd.DataFrame, pd.Series]:
    """Return one study's animals (day, condition, k, n, …) and the true share of each day."""
    chosen = COURSES[course]
    kind = chosen.kind
    when = np.array([0.0] * (controls or max(animals, 3)) + [day for day in chosen.days for _ in range(animals)])
    if kind == "gaps":  # one animal in four is missing, and one day in four; naive animals stay
        gone = (rng.random(len(when)) < 0.25) | np.isin(when, [d for d in chosen.days if rng.random() < 0.25])
        when = when[~gone | (when == 0)]
    if kind == "sides":
        when = when[when > 0]
    units = pd.DataFrame({"day": when, "condition": np.where(when == 0, "naive", "injured")})
    units["subject"] = [f"m{i}" for i in range(len(units))]
    true = BASE + TOP * np.where(when == 0, 0.0, chosen.shape(when))
    odds = logit(true)
    if kind in ("sex", "females"):
        male = np.arange(len(when)) % 2 == 0
        if kind == "sex":
            often = {day: rng.choice([0.25, 0.75]) for day in (0.0, *chosen.days)}
            male = rng.random(len(when)) < [often[day] for day in when]
            odds = odds + SEX_EFFECT * (male - 0.5)
        else:
            odds = np.where(male, logit(BASE), odds)
        units = units.assign(sex=np.where(male, "male", "female"), chemistry="v3", batch="A")
    if kind == "sides":
        own = rng.normal(0, ANIMAL_SD, len(when))
        other = units.assign(condition="contralateral")
        units, odds = pd.concat([units, other], ignore_index=True), np.concatenate([odds + own, logit(BASE) + own])
    share = expit(odds)
    drawn = share if rho == 0 else rng.beta(share * (1 / rho - 1), (1 - share) * (1 / rho - 1))
    n = rng.lognormal(np.log(150), 0.35, len(share)).astype(int) + 20
    k = rng.binomial(n, drawn)
    for place in rng.choice(np.flatnonzero(units["day"] > 0), chosen.bad, replace=False) if chosen.bad else []:
        k[place] = rng.binomial(n[place], 0.25)  # all its cells look turned, as in a library that failed
    days = sorted(set(when) - {0.0})
    return units.assign(k=k, n=n), pd.Series(BASE + TOP * chosen.shape(np.array(days)), index=days)


def one_study(course: str, animals: int, rho: float, seed: int) -> list[dict[str, object]]:
    """Return one row a day, the study's own answer repeated in each."""
    rng = np.random.default_rng([seed, animals, int(rho * 1e4), list(COURSES).index(course)])
    units, true = draw_study(course, animals, rho, rng)
    days = compare_days(
        units, status="tested", reason="", settings=SETTINGS, seed=seed, detectable=False, thorough=False
    )
    onset = find_onset(days, units, settings=SETTINGS, seed=seed)
    claimed = not pd.isna(onset["onset_high"])
    rise = days["day"].map(true) - BASE > 1e-9
    return [
        {
            "course": course, "animals": animals, "study": seed, "day": row["day"], "rises": bool(up),
            "p": row["p"], "p_second": row["p_second"], "p_permutation": row["p_permutation"], "q": row["q"],
            "up": bool(row["difference"] > 0), "true": true[row["day"]], "low": row["low"], "high": row["high"],
            "claimed": claimed, "onset_low": onset["onset_low"], "onset_high": onset["onset_high"],
            "half": onset["half_rise_day"], "half_low": onset["half_rise_low"], "half_high": onset["half_rise_high"],
            "sustained": onset["sustained"],
        }
        for row, up in zip(days.to_dict("records"), rise, strict=True)
    ]  # fmt: skip


def sexes(both: bool, animals: int, rho: float, seed: int) -> dict[str, object]:
    """Return the test of a difference between the sexes over all days, where both rise or only females do."""
    course = "step in females only"
    rng = np.random.default_rng([seed, animals, int(rho * 1e4), int(both), 9])
    units, _ = draw_study(course, animals, rho, rng)
    if both:
        later = (units["day"] >= T50) & (units["sex"] == "male")
        other, _ = draw_study(course, animals, rho, rng)
        females = other.loc[(other["day"] >= T50) & (other["sex"] == "female"), ["k", "n"]].to_numpy()
        units.loc[later, ["k", "n"]] = females[: later.sum()]
    table = interactions(units.assign(arm=""), NOTHING_HELD, ("tested", ""), SETTINGS, seed=seed)
    whole = table[table["day"].isna()].iloc[0]
    true = 0.0 if both else TOP * _step(np.array(DAYS)).mean()
    return {
        "sexes": "alike" if both else "only females rise", "animals": animals, "p below .05": whole["p"] < 0.05,
        "permutation below .05": whole["p_permutation"] < 0.05,
        "said to differ": not str(whole["sentence"]).startswith("No "),
        "interval holds the truth": whole["low"] <= true <= whole["high"],
    }  # fmt: skip


def _design(job: tuple[str, int, str, int]) -> pd.DataFrame:
    course, animals, spread, studies = job
    if course.startswith("sexes"):
        both = course.endswith("alike")
        rows = [sexes(both, animals, OVERDISPERSION[spread], seed) for seed in range(studies)]
        return pd.DataFrame(rows).assign(spread=spread)
    rows = [row for seed in range(studies) for row in one_study(course, animals, OVERDISPERSION[spread], seed)]
    return pd.DataFrame(rows).assign(spread=spread)


def _steps(row: pd.Series, days: tuple[float, ...]) -> float:
    """Return the width of an onset interval in sampling steps."""
    low = 0.0 if pd.isna(row["onset_low"]) else row["onset_low"]
    sampled = [0.0, *days]
    return sampled.index(row["onset_high"]) - sampled.index(low)


def summarise(table: pd.DataFrame) -> str:
    """Return the tables as Markdown."""
    keys = ["course", "animals", "spread"]
    by_sex = table[table["sexes"].notna()] if "sexes" in table else table.iloc[:0]
    table = table[table["course"].notna()]
    table = table.assign(**{name: table[name].astype(bool) for name in ("rises", "claimed", "up")})
    studies = table.drop_duplicates([*keys, "study"])
    null = table[~table.groupby("course")["rises"].transform("any")]
    errors = null.groupby(keys, sort=False).agg(
        model=("p", lambda p: (p < 0.05).mean()), second=("p_second", lambda p: (p < 0.05).mean()),
        permutation=("p_permutation", lambda p: (p < 0.05).mean()),
    )  # fmt: skip
    errors["emergence claimed"] = (
        studies[studies["course"].isin(null["course"])].groupby(keys, sort=False)["claimed"].mean()
    )
    rising = table[table["rises"]]
    late = rising[rising["true"] > BASE + TOP / 2]
    power = late.groupby(keys, sort=False).agg(
        model=("p", lambda p: (p < 0.05).mean()), second=("p_second", lambda p: (p < 0.05).mean()),
        permutation=("p_permutation", lambda p: (p < 0.05).mean()),
    )  # fmt: skip
    power["emergence claimed"] = studies.groupby(keys, sort=False)["claimed"].mean()
    # where sexes or sides of animals differ, the share of a day is not one number
    cover = table[table["low"].notna() & table["course"].map(lambda name: COURSES[name].kind in ("", "gaps"))]
    cover = cover.assign(inside=cover["true"].between(cover["low"], cover["high"]))
    covered = cover.pivot_table(index=keys[:2], columns="spread", values="inside", sort=False)
    onset = studies[studies["claimed"] & ~studies["course"].isin(null["course"])].copy()
    begins = [begin(name) for name in onset["course"]]
    onset["holds"] = [
        (0 if pd.isna(low) else low) < last and high >= first
        for low, high, (first, last) in zip(onset["onset_low"], onset["onset_high"], begins, strict=True)
    ]
    onset["steps"] = [_steps(row, COURSES[row["course"]].days) for _, row in onset.iterrows()]
    when = onset.groupby(keys, sort=False).agg(
        given=("holds", "size"), holds=("holds", "mean"), at_most_two_steps=("steps", lambda s: (s <= 2).mean())
    )
    when["given"] = when["given"] / table["study"].nunique()
    half = studies[studies["half"].notna() & studies["course"].str.contains("logistic")]
    half = half[half["course"].map(lambda name: COURSES[name].kind in ("", "gaps"))]
    t50 = half.groupby(keys, sort=False).apply(  # type: ignore[call-overload]  # the stubs, of pandas 3, lack include_groups
        lambda g: pd.Series(
            {
                "given": len(g) / table["study"].nunique(),
                "covers day 10": ((g["half_low"] <= T50) & (g["half_high"] >= T50)).mean(),
                "mean error, days": (g["half"] - T50).mean(),
                "median width, days": (g["half_high"] - g["half_low"]).median(),
            }
        ),
        include_groups=False,
    )
    parts = [
        ("Type-I error at 0.05 (days of studies without a rise)", errors),
        ("Power (days at more than half of the rise)", power),
        ("Coverage of the 95 % interval of a day's share", covered),
        ("Onset interval", when),
        ("Half-rise day", t50),
    ]
    if len(by_sex):
        columns = ["p below .05", "permutation below .05", "said to differ", "interval holds the truth"]
        differ = (
            by_sex.astype(dict.fromkeys(columns, float))
            .groupby(["sexes", "animals", "spread"], sort=False)[columns]
            .mean()
        )
        parts.append(("Difference between the sexes, over all days (half of the animals of a day are female)", differ))
    return "\n\n".join(f"### {title}\n\n{markdown(part, '.3f')}" for title, part in parts)


def main() -> None:
    """Draw and judge the studies of every design, two designs at a time."""
    from concurrent.futures import ProcessPoolExecutor

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=300)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--docs", action="store_true", help="put the tables into docs/calibration.md")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "timeline_calibration.tsv")
    chosen = parser.parse_args()
    jobs = [
        (course, animals, spread, chosen.studies)
        for course, design in COURSES.items()
        for animals in design.animals
        for spread in design.spreads
    ]
    jobs += [
        (f"sexes {kind}", animals, spread, chosen.studies)
        for kind in ("alike", "differ")
        for animals in (4, 6)
        for spread in ("typical", "strong")
    ]
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    tables: list[pd.DataFrame] = []
    with ProcessPoolExecutor(chosen.processes) as pool:
        for job, part in zip(jobs, pool.map(_design, jobs), strict=True):
            tables.append(part)
            print(
                f"{len(tables)} of {len(jobs)}: {job[0]}, {job[1]} animals, spread {job[2]}",
                file=sys.stderr,
                flush=True,
            )
            # after each design, so that a run that is broken off is not lost
            pd.concat(tables, ignore_index=True).to_csv(chosen.out, sep="\t", index=False, float_format="%.5g")
    table = pd.concat(tables, ignore_index=True)
    summary = summarise(table)
    if chosen.docs:
        write_below("calibration.md", MARK, summary)
    print(summary)


if __name__ == "__main__":
    main()
