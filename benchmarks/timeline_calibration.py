"""How often the timeline's answers are right, over thousands of drawn studies with known truth.

    .venv/bin/python benchmarks/timeline_calibration.py --docs        # 300 studies a design, about 15 minutes
    .venv/bin/python benchmarks/timeline_calibration.py --studies 50  # a quick look

Draws calls straight at the level of animals (beta-binomial), judges them by the workflow's own code, and prints the tables
of docs/calibration.md.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

if __name__ == "__main__":  # not where a test imports this
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(variable, "1")

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "scripts"), str(HERE)]

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from pages import markdown, write_below  # noqa: E402

from recovery_microglia.onset import find_onset  # noqa: E402
from recovery_microglia.subjects import TimelineSettings  # noqa: E402
from recovery_microglia.timeline import compare_days  # noqa: E402

MARK = "<!-- below: printed by benchmarks/timeline_calibration.py --docs -->"
DAYS = (1.0, 3.0, 7.0, 14.0, 21.0, 35.0)
BASE, TOP, T50 = 0.015, 0.20, 10.0
"""Share called in controls, share that is added at the height of the rise, and its half-rise day."""
OVERDISPERSION = {"none": 0.0, "typical": 0.015, "strong": 0.06}
"""Intraclass correlation of an animal's cells; the demo's animals have about 0.015."""
SETTINGS = TimelineSettings(n_draws=1000, n_bootstrap=200)

Course = Callable[[np.ndarray], np.ndarray]
COURSES: dict[str, tuple[Course, tuple[float, ...]]] = {
    "null": (lambda t: np.zeros_like(t), DAYS),
    "step at day 10": (lambda t: np.where(t >= T50, TOP, 0.0), DAYS),
    "logistic, half at day 10": (lambda t: TOP / (1 + np.exp(-(t - T50) / 2)), DAYS),
    "transient, height at day 14": (lambda t: TOP * np.exp(-(((t - 14) / 6) ** 2)), DAYS),
    "few days (3, 14, 35)": (lambda t: np.where(t >= T50, TOP, 0.0), (3.0, 14.0, 35.0)),
    "null, few days": (lambda t: np.zeros_like(t), (3.0, 14.0, 35.0)),
    "null, one bad library": (lambda t: np.zeros_like(t), DAYS),
}


def begin(course: str) -> tuple[float, float]:
    """Return between which days a course begins to rise: where it passes 5 % and a quarter of its height."""
    t = np.linspace(0, 40, 40001)
    rise = COURSES[course][0](t)
    return tuple(float(t[np.argmax(rise >= part * rise.max() - 1e-12)]) for part in (0.05, 0.25))  # type: ignore[return-value]


def draw_study(
    course: str, animals: int, rho: float, rng: np.random.Generator, *, controls: int | None = None
) -> tuple[pd.DataFrame, pd.Series]:
    """Return one study's animals (day, condition, k, n) and the true share of each day."""
    shape, days = COURSES[course]
    when = np.array([0.0] * (controls or max(animals, 3)) + [day for day in days for _ in range(animals)])
    condition = np.where(when == 0, "naive", "injured")
    true = BASE + np.where(when == 0, 0.0, shape(when))
    own = true if rho == 0 else rng.beta(true * (1 / rho - 1), (1 - true) * (1 / rho - 1))
    n = rng.lognormal(np.log(150), 0.35, len(when)).astype(int) + 20
    k = rng.binomial(n, own)
    if "bad library" in course:  # one animal's cells all look turned, as in a library that failed
        bad = rng.choice(np.flatnonzero(when > 0))
        k[bad] = rng.binomial(n[bad], 0.25)
    units = pd.DataFrame({"day": when, "condition": condition, "k": k, "n": n})
    return units, pd.Series(BASE + shape(np.array(days)), index=days)


def one_study(course: str, animals: int, rho: float, seed: int) -> list[dict[str, object]]:
    """Return one row a day, the study's own answer repeated in each."""
    rng = np.random.default_rng([seed, animals, int(rho * 1e4), list(COURSES).index(course)])
    units, true = draw_study(course, animals, rho, rng)
    status = "tested" if animals >= 2 else "descriptive"
    days = compare_days(units, status=status, reason="", settings=SETTINGS, seed=seed, detectable=False)
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


def _design(job: tuple[str, int, str, int]) -> pd.DataFrame:
    course, animals, spread, studies = job
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
    cover = table[table["low"].notna()]
    cover = cover.assign(inside=cover["true"].between(cover["low"], cover["high"]))
    covered = cover.pivot_table(index=keys[:2], columns="spread", values="inside", sort=False)
    onset = studies[studies["claimed"] & ~studies["course"].isin(null["course"])].copy()
    begins = [begin(name) for name in onset["course"]]
    onset["holds"] = [
        (0 if pd.isna(low) else low) < last and high >= first
        for low, high, (first, last) in zip(onset["onset_low"], onset["onset_high"], begins, strict=True)
    ]
    onset["steps"] = [_steps(row, COURSES[row["course"]][1]) for _, row in onset.iterrows()]
    when = onset.groupby(keys, sort=False).agg(
        given=("holds", "size"), holds=("holds", "mean"), at_most_two_steps=("steps", lambda s: (s <= 2).mean())
    )
    when["given"] = when["given"] / table["study"].nunique()
    half = studies[studies["half"].notna() & studies["course"].str.contains("logistic")]
    t50 = half.groupby(keys, sort=False).apply(
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
    return "\n\n".join(f"### {title}\n\n{markdown(part, '.3f')}" for title, part in parts)


def main() -> None:
    """Draw and judge the studies of every design, two designs at a time."""
    from concurrent.futures import ProcessPoolExecutor

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=300)
    parser.add_argument("--docs", action="store_true", help="put the tables into docs/calibration.md")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "timeline_calibration.tsv")
    chosen = parser.parse_args()
    jobs = [
        (course, animals, spread, chosen.studies)
        for course in COURSES
        for animals in (2, 3, 4, 6)
        for spread in OVERDISPERSION
    ]
    with ProcessPoolExecutor(2) as pool:
        table = pd.concat(pool.map(_design, jobs), ignore_index=True)
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(chosen.out, sep="\t", index=False, float_format="%.5g")
    summary = summarise(table)
    if chosen.docs:
        write_below("calibration.md", MARK, summary)
    print(summary)


if __name__ == "__main__":
    main()
