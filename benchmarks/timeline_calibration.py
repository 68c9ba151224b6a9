"""How often the timeline's answers are right, over drawn studies with known truth.

    .venv/bin/python benchmarks/timeline_calibration.py --quick           # every sixth design, 20 studies each: a minute and a half
    .venv/bin/python benchmarks/timeline_calibration.py --docs            # 300 studies a design: an hour and a half on two cores
    .venv/bin/python benchmarks/timeline_calibration.py --only onset      # one part

Draws calls straight at the level of animals, from laws that are not the model's own alone (`timeline_studies`), judges them by
the workflow's own code, and beside it by what others use (`timeline_others`), and prints the tables of docs/calibration.md.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # not where a test imports this
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(variable, "1")

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "scripts"), str(HERE)]

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from pages import markdown, write_below  # noqa: E402
from timeline_others import OTHERS, log_ratio, propeller  # noqa: E402
from timeline_studies import (  # noqa: E402
    CELLS_OF_SAMPLE,
    DAYS,
    HALF_RESPOND,
    LAWS,
    SHAPES,
    Design,
    Law,
    case_control_counts,
    model_law,
    part_reached,
)

from recovery_microglia.core.statistics import benjamini_hochberg  # noqa: E402
from recovery_microglia.recovery.calibration import even_odds  # noqa: E402
from recovery_microglia.recovery.likelihood import mixture_and_worth  # noqa: E402
from recovery_microglia.timeline import betabinomial as bb  # noqa: E402
from recovery_microglia.timeline.days import compare_days  # noqa: E402
from recovery_microglia.timeline.design import Audit  # noqa: E402
from recovery_microglia.timeline.detection import DrawnStudies, Judge, detection_limits  # noqa: E402
from recovery_microglia.timeline.fractions import MIXTURE  # noqa: E402
from recovery_microglia.timeline.onset import find_onset  # noqa: E402
from recovery_microglia.timeline.settings import TimelineSettings  # noqa: E402
from recovery_microglia.timeline.sides import sides_of  # noqa: E402
from recovery_microglia.timeline.stratified import interactions  # noqa: E402

MARK = "<!-- below: printed by benchmarks/timeline_calibration.py --docs -->"
SETTINGS = TimelineSettings(n_draws=500, n_bootstrap=1000)
ALPHA = SETTINGS.alpha
NOTHING_HELD = Audit("tested", "", pd.DataFrame(), pd.DataFrame(), [])
BETA, NORMAL = "beta-binomial, rho 0.015", "logit-normal, SD 0.5"
Row = dict[str, Any]
Job = tuple[str, Callable[[int], list[Row]], int]
"""A part of the page, what draws and judges one study by its seed, and the number of studies."""


# ---------------------------------------------------------------- what is asked of one study


def judged(units: pd.DataFrame, *, detectable: bool = False) -> pd.DataFrame:
    """Return the workflow's table of days, with ``claimed``: whether the day is above control."""
    table = compare_days(
        units, status="tested", reason="", settings=SETTINGS, seed=1, detectable=detectable, thorough=False
    )
    above = (table["q"] < ALPHA) & (table["difference"] > 0)
    return table.assign(model=above, claimed=above & (table["methods_against"] == ""))


def by_others(units: pd.DataFrame) -> dict[str, bool]:
    """Return whether each other method claims a rise on some day: q below the level, and the share higher."""
    control = units["condition"] != "injured"
    parts = [units[control], *(rows for _, rows in units[~control].groupby("day"))]
    groups = [(rows["k"].to_numpy(), rows["n"].to_numpy()) for rows in parts]
    up = np.array([(k / n).mean() > (groups[0][0] / groups[0][1]).mean() for k, n in groups[1:]])
    return {name: bool(((benjamini_hochberg(test(groups)) < ALPHA) & up).any()) for name, test in OTHERS.items()}


def claims(design: Design, facts: Row, seed: int) -> list[Row]:
    """Return who claims a rise in one study."""
    units = design.draw(np.random.default_rng([seed, 1]))
    table = judged(units)
    found = {"ours": bool(table["claimed"].any()), "the model alone": bool(table["model"].any())}
    return [facts | found | by_others(units)]


def coverage(design: Design, facts: Row, seed: int) -> list[Row]:
    """Return whether the intervals of the control's and each day's share hold their truth."""
    table = judged(design.draw(np.random.default_rng([seed, 2])))
    kinds = [
        "control and quiet days" if share == design.shares[0] else f"days of {share:.0%}" for share in design.shares
    ]
    bounds = [(table["control_low"][0], table["control_high"][0]), *zip(table["low"], table["high"], strict=True)]
    return [
        facts | {"kind": kind, "holds": low <= design.true(place) <= high}
        for place, (kind, (low, high)) in enumerate(zip(kinds, bounds, strict=True))
    ]


def onset(design: Design, shape: str, facts: Row, seed: int) -> list[Row]:
    """Return the onset's and the half-rise day's intervals of one study against the truth; no row without an onset."""
    units = design.draw(np.random.default_rng([seed, 3]))
    row = find_onset(judged(units), units, settings=SETTINGS, seed=1)
    if pd.isna(row["onset_high"]):
        return [facts | {"given": False}]
    found: Row = facts | {"given": True}
    sampled = [0.0, *design.when]
    for name, part, low, high in (
        ("quarter", 0.25, row["onset_low"], row["onset_high"]),
        ("half", 0.5, row["half_rise_low"], row["half_rise_high"]),
    ):
        low = 0.0 if pd.isna(low) else low
        truth = part_reached(SHAPES[shape], part, design.when)
        found |= {f"{name} holds": low <= truth <= high, f"{name} days": high - low}
        found |= {f"{name} steps": sampled.index(high) - sampled.index(low)}
    return [found]


DRAWN = 120
"""Studies that each promise is computed from here; the workflow draws more, to the same answer on average."""
TIMES = 50
"""Studies with a rise that are drawn for each promise."""


def promise(prior: slice | None, design: Design, facts: Row, seed: int) -> list[Row]:
    """Return how often a day that has the promised share is above control, in studies of the size of the one that promised it.

    For the first day; the others are alike. What is drawn is judged by `detection.Judge`, which a test holds to `compare_days`.

    Parameters
    ----------
    prior
        Places of a law of the model among its spreads, of which each study draws its own by the prior; None: the design's law.
    """
    rng = np.random.default_rng([seed, 4])
    law = design.law if prior is None else drawn_law(prior, rng)
    sides = sides_of(replace(design, law=law).draw(rng))
    everything = [sides[1.0].control, *(side.group for side in sides.values())]
    grids = [group.grid for group in everything]
    base = bb.estimate(grids[0], bb.spread_posterior(grids))[0]
    level, cells = ALPHA / len(sides), [group.n for group in everything]
    (limits,) = detection_limits(
        grids, cells, [(0, 1, base)], alpha=level, power=SETTINGS.power, rng=rng, studies=DRAWN
    )
    rows = []
    for name, share in zip(("like the other days", "alike in the odds"), limits, strict=True):
        drawn = np.nan
        if share < 1:
            shares = (design.shares[0], law.parameter(share), *design.shares[2:])
            n = [own.astype(int) for own in cells]
            counts = [
                rng.binomial(own, law.draw(np.full((TIMES, len(own)), p), rng))
                for own, p in zip(n, shares, strict=True)
            ]
            studies = DrawnStudies(n, np.zeros((TIMES, len(bb.P))), counts)
            drawn = float(Judge(studies, 0, 1, level).above(counts[1]).mean())
        rows.append(facts | {"promised if risen animals are": name, "share": share, "drawn": drawn})
    return rows


def drawn_law(prior: slice, rng: np.random.Generator) -> Law:
    """Return a law of the model's own with a spread drawn by its prior."""
    weight = bb.spread_prior()[prior]
    at = int(rng.choice(len(weight), p=weight / weight.sum()))
    return model_law(bb.ICC[prior][at], bb.P)


SCORES = {"as the model has them": 1.0, "too sure": 1.3, "not sure enough": 0.75}
"""By what the log-likelihood ratios of drawn cells are multiplied."""
APART = 2.4
"""Distance of the drawn scores of recovery cells from those of other microglia, in SD: 100 cells are then worth some 40 known without doubt."""


def by_scores(design: Design, how: str, facts: Row, seed: int) -> list[Row]:
    """Return claims and coverage where shares are found from scores of cells: without a cutoff, and by called cells."""
    rng = np.random.default_rng([seed, 7])
    units = design.draw(rng)
    ratios = []
    for k, n in zip(units["k"], units["n"], strict=True):
        own = np.arange(n) < k
        ratios.append(SCORES[how] * (APART * (rng.standard_normal(n) + APART * own) - APART**2 / 2))
    found = pd.DataFrame([mixture_and_worth(ratio) for ratio in ratios], columns=list(MIXTURE), index=units.index)
    own = [float(even_odds(np.array(share), len(ratio))) for share, ratio in zip(found["mixture"], ratios, strict=True)]
    called = units.assign(k=[int((ratio > least).sum()) for ratio, least in zip(ratios, own, strict=True)])
    rows = []
    for name, table in (("without a cutoff", judged(called.join(found))), ("called cells", judged(called))):
        holds = (table["low"] <= design.true(1)) & (design.true(1) <= table["high"])
        row = {
            "compared": name,
            "first day claimed": bool(table["claimed"][0]),
            "quiet day claimed": bool(table["claimed"][1]),
        }
        rows.append(facts | row | {"holds": bool(holds[0]), "share found": float(table["fraction"][0])})
    return rows


def sexes(both: bool, facts: Row, seed: int) -> list[Row]:
    """Return the test of a difference between the sexes over all days, where both rise or only females do."""
    rng = np.random.default_rng([seed, 5])
    shares = np.array([0.015, 0.015, 0.115, 0.215])
    groups = np.repeat(np.arange(4), facts["animals"])
    male = np.arange(len(groups)) % 2 == 0
    share = np.where(male & (not both), shares[0], shares[groups])
    units = pd.DataFrame({"day": groups * 7.0, "condition": np.where(groups == 0, "naive", "injured"), "arm": ""})
    units = units.assign(sex=np.where(male, "male", "female"), chemistry="v3", batch="A", n=150)
    units["subject"] = [f"m{i}" for i in range(len(groups))]
    units["k"] = rng.binomial(150, LAWS[BETA].draw(share, rng))
    table = interactions(units, NOTHING_HELD, ("tested", ""), SETTINGS, seed=seed)
    whole = table[table["day"].isna()].iloc[0]
    true = 0.0 if both else float((shares[1:] - shares[0]).mean())
    told = not str(whole["sentence"]).startswith("No ")
    return [facts | {"said to differ": told, "interval holds the truth": whole["low"] <= true <= whole["high"]}]


def case_control(noise: str, base: int, change: float, samples: int, facts: Row, seed: int) -> list[Row]:
    """Return who finds the type that changed among five, and rises of others, in a study as scCODA's model comparison."""
    counts = case_control_counts(noise, base, change, samples, seed)
    control, case = (table / CELLS_OF_SAMPLE for table in counts)
    up = case.mean(axis=0) > control.mean(axis=0)
    units = pd.DataFrame({"day": np.repeat([0.0, 1.0], samples), "condition": np.repeat(["naive", "injured"], samples)})
    both = np.concatenate(counts)
    tables = [judged(units.assign(k=both[:, kind], n=CELLS_OF_SAMPLE)).iloc[0] for kind in range(5)]
    clear = np.array([table["methods_against"] == "" for table in tables])
    p = {
        "ours": np.array([table["p"] for table in tables]),
        "propeller": propeller(*counts),
        "log ratio": log_ratio(*counts),
    }
    groups = [[(table[:, kind], np.full(samples, CELLS_OF_SAMPLE)) for table in counts] for kind in range(5)]
    p |= {
        name: np.array([float(test(own)[0]) for own in groups]) for name, test in OTHERS.items() if name != "arcsine t"
    }
    rows = []
    for name, own in p.items():
        found = (benjamini_hochberg(own) < ALPHA) & up & (clear if name == "ours" else True)
        rows.append(facts | {"method": name, "found": bool(found[0]), "false rises": int(found[1:].sum())})
    return rows


# ---------------------------------------------------------------- the designs


def _grid() -> Iterable[tuple[int, int, float]]:
    yield from ((2, 300, 0.02), (3, 20, 0.05), (3, 100, 0.02), (3, 300, 0.02), (3, 1000, 0.02), (3, 5000, 0.02))
    yield from ((4, 300, 0.02), (6, 300, 0.02))


def jobs(studies: int) -> list[Job]:
    """Return all designs."""
    found: list[Job] = []

    def add(
        part: str, judge: Callable[..., list[Row]], *arguments: object, times: float = 1.0, **facts: object
    ) -> None:
        found.append((part, partial(judge, *arguments, facts), max(int(studies * times), 5)))

    for law in LAWS.values():
        for animals, cells, share in _grid():
            for days in (1, 5):
                design = Design(law, animals, cells, (share,) * (1 + days))
                add("null", claims, design, law=law.name, animals=animals, cells=cells, days=days)
    departures: dict[str, dict[str, Any]] = {
        "one failed library": {"failed": 1},
        "sexes uneven over days": {"sexes": 1.0},
        "other sides as controls": {"sides": 0.5},
        "days share a shift, SD 0.5": {"shift": 0.5},
        "days share a shift, SD 1": {"shift": 1.0},
    }
    for name, change in departures.items():
        for law in (LAWS["animals alike"], LAWS[BETA], LAWS["beta-binomial, rho 0.06"], LAWS[NORMAL]):
            for animals in (2, 3, 4, 6):
                if animals == 2 and "sexes" in change:
                    continue  # too few animals for a model with covariates
                for days in (1, 5):
                    design = Design(law, animals, 150, (0.015,) * (1 + days), **change)
                    add("departures", claims, design, case=name, law=law.name, animals=animals, days=days)
    for law in (LAWS[NORMAL], LAWS[BETA]):
        for animals, top in ((3, 0.05), (4, 0.05), (2, 0.08)):
            for what, shares in (
                ("one day", (0.01, top)),
                ("three days of five", (0.01, 0.01, 0.01, top, top, top)),
            ):
                design = Design(law, animals, 300, shares)
                add("power", claims, design, law=law.name, animals=animals, rise=f"1 to {top:.0%}", on=what, times=2)
    quiet = (0.015, 0.015, 0.05, 0.2, 0.2)
    for law in LAWS.values():
        for animals, cells in ((2, 150), (3, 150), (3, 2000), (6, 300)):
            add("coverage", coverage, Design(law, animals, cells, quiet), law=law.name, animals=animals, cells=cells)
    for animals, cells in ((3, 150), (6, 300)):
        design = Design(HALF_RESPOND, animals, cells, quiet, respond=0.5)
        add("coverage", coverage, design, law=HALF_RESPOND.name, animals=animals, cells=cells)
    for shape, curve in SHAPES.items():
        for law in (LAWS[BETA], LAWS[NORMAL]):
            for animals, cells in ((3, 100), (3, 300), (3, 3000), (6, 300)):
                shares = (0.015, *(0.015 + 0.2 * curve(np.array(DAYS))))
                design = Design(law, animals, cells, shares, DAYS)
                add("onset", onset, design, shape, shape=shape, law=law.name, animals=animals, cells=cells)
    of_model = {"drawn by the prior, one correlation": bb.CONSTANT, "drawn by the prior, of the odds": bb.OF_ODDS}
    laws = [law for name, law in LAWS.items() if name != "two kinds of animals"]
    rows: list[tuple[Law, slice | None, int]] = [(law, None, animals) for law in laws for animals in (2, 3, 6)]
    rows += [(replace(laws[0], name=name), prior, 3) for name, prior in of_model.items()]
    for law, prior, animals in rows:
        add("promise", promise, prior, Design(law, animals, 200, (0.02,) * 4), law=law.name, animals=animals, times=0.2)
    for both in (True, False):
        for animals in (4, 6):
            add("sexes", sexes, both, sexes="alike" if both else "only females rise", animals=animals, times=0.5)
    for noise in ("normal", "Dirichlet"):
        for samples in (2, 3, 5):
            for base in (200, 400, 1000):
                for more in (0.0, 1 / 3, 1 / 2, 1.0, 2.0):
                    facts = {"noise": noise, "samples": samples, "change": more}
                    add("case-control", case_control, noise, base, more, samples, times=0.2, **facts)
    for how in SCORES:
        for law in (LAWS["animals alike"], LAWS[BETA], LAWS[NORMAL]):
            for cells in (150, 750):
                for top in (0.012, 0.06):
                    design = Design(law, 3, cells, (0.012, top, 0.012))
                    facts = {"scores": how, "law": law.name, "cells": cells, "rise": top > 0.012}
                    add("scores", by_scores, design, how, times=0.5, **facts)
    return found


@cache
def _jobs(studies: int) -> list[Job]:
    return jobs(studies)


def run(studies: int, place: int) -> tuple[str, list[Row]]:
    """Draw and judge the studies of a design, by its place among all (what judges them cannot be sent to a process)."""
    part, judge, size = _jobs(studies)[place]
    return part, [row for seed in range(size) for row in judge(seed)]


# ---------------------------------------------------------------- the tables


METHODS = ["ours", "the model alone", *OTHERS]


def _null(table: pd.DataFrame) -> str:
    by_law = table.groupby(["law", "days"], sort=False)[METHODS].mean()
    designs = table.groupby(["law", "animals", "cells", "days"], sort=False)[METHODS].mean()
    worst = designs.groupby(["law", "days"], sort=False)["ours"].max().rename("ours, worst design")
    sizes = table.groupby(["animals", "cells"], sort=False)[METHODS].mean()
    return f"{markdown(by_law.join(worst), '.3f')}\n\n{markdown(sizes, '.3f')}"


def _departures(table: pd.DataFrame) -> str:
    designs = table.groupby(["case", "law", "animals", "days"], sort=False)["ours"].mean()
    worst = designs.groupby(["case", "animals"], sort=False).max().rename("ours, worst design")
    return markdown(table.groupby(["case", "animals"], sort=False)[METHODS].mean().join(worst), ".3f")


def _coverage(table: pd.DataFrame) -> str:
    shown = table.pivot_table(index=["law", "animals", "cells"], columns="kind", values="holds", sort=False)
    return markdown(shown, ".3f")


def _onset(table: pd.DataFrame) -> str:
    keys = ["shape", "law", "animals", "cells"]
    shown = table.groupby(keys, sort=False)[["given"]].mean()
    known = table[table["given"]]
    known = known.astype({f"{name} holds": float for name in ("quarter", "half")})
    for name in ("quarter", "half"):
        by = known.groupby(keys, sort=False)
        shown[f"{name} holds"] = by[f"{name} holds"].mean()
        shown[f"{name}: median steps"] = by[f"{name} steps"].median()
        shown[f"{name}: median days"] = by[f"{name} days"].median()
    return markdown(shown, ".3f")


def _promise(table: pd.DataFrame) -> str:
    kind, keys = "promised if risen animals are", ["law", "animals"]
    # where no share is found often enough, none is promised
    table = table.assign(none=table["drawn"].isna().astype(float)).astype({"drawn": float})
    parts = [
        table.pivot_table(index=keys, columns=kind, values="share", aggfunc="median", sort=False).add_prefix("share, "),
        table.pivot_table(index=keys, columns=kind, values="drawn", aggfunc="mean", sort=False).add_prefix("drawn, "),
    ]
    if table["none"].any():
        parts.append(
            table.pivot_table(index=keys, columns=kind, values="none", aggfunc="mean", sort=False).add_prefix("none, ")
        )
    shown = pd.concat(parts, axis=1)
    return markdown(shown, ".3f")


def case_control_table(table: pd.DataFrame) -> str:
    """Return how often each method finds the changed type, and how much of what it finds is no rise, as Markdown."""
    keys = ["noise", "samples", "change"]
    by = table.assign(change=table["change"].map("{:.2f}".format)).groupby([*keys, "method"], sort=False)
    means = by["found"].mean().reset_index()
    found = means.pivot_table(index=keys, columns="method", values="found", sort=False)
    # where nothing changes, what is found is false too
    false = table["false rises"] + (table["found"] & (table["change"] == 0))
    true = table["found"] & (table["change"] > 0)
    rises = table.assign(true=true, false=false).groupby(["method", "noise"], sort=False)[["true", "false"]].sum()
    rises["wrong"] = rises["false"] / (rises["true"] + rises["false"])
    wrong = rises.reset_index().pivot_table(index="method", columns="noise", values="wrong", sort=False)
    return f"{markdown(found, '.3f')}\n\nRises that are none, of all found:\n\n{markdown(wrong, '.3f')}"


def _scores(table: pd.DataFrame) -> str:
    columns = ["first day claimed", "quiet day claimed", "holds", "share found"]
    shown = table.astype(dict.fromkeys(columns, float)).assign(
        rise=table["rise"].map({True: "1.2 to 6 %", False: "none"})
    )
    return markdown(shown.groupby(["scores", "rise", "cells", "compared"], sort=False)[columns].mean(), ".3f")


def _sexes(table: pd.DataFrame) -> str:
    columns = ["said to differ", "interval holds the truth"]
    return markdown(table.astype(dict.fromkeys(columns, float)).groupby(["sexes", "animals"], sort=False)[columns].mean(), ".3f")  # fmt: skip


DAM = {
    "AD cortex against WT cortex": ([0, 1], [412, 583], [59, 100], [912, 910]),
    "AD cerebellum against WT cerebellum": ([2, 4], [454, 431], [2, 6], [716, 728]),
}
"""Disease-associated microglia among microglia of each mouse, of a published notebook: a rise, and none."""


def real_case() -> str:
    """Return what all methods say of the published counts."""
    rows = []
    for name, (k_control, n_control, k, n) in DAM.items():
        units = pd.DataFrame({"day": [0.0] * 2 + [1.0] * 2, "condition": ["naive"] * 2 + ["injured"] * 2})
        units = units.assign(k=k_control + k, n=n_control + n)
        row = judged(units, detectable=True).iloc[0]
        groups = [(np.array(k_control), np.array(n_control)), (np.array(k), np.array(n))]
        facts = {"comparison": name, "share": row["fraction"], "low": row["low"], "high": row["high"]}
        facts |= {"control": row["control_fraction"], "ours: above": str(bool(row["claimed"])), "ours": row["p"]}
        rows.append(facts | {other: float(test(groups)[0]) for other, test in OTHERS.items()})
    return markdown(pd.DataFrame(rows).set_index("comparison"), ".3g")


PARTS: dict[str, tuple[str, Callable[[pd.DataFrame], str]]] = {
    "null": ("False claims: studies without a rise in which some day is said to be above control", _null),
    "departures": ("False claims where studies are not clean", _departures),
    "power": (
        "Power: studies in which a rise is found",
        lambda table: markdown(table.groupby(["law", "animals", "rise", "on"], sort=False)[METHODS].mean(), ".3f"),
    ),
    "coverage": ("Coverage of the 95 % interval of a day's share", _coverage),
    "onset": ("Onset (quarter of the rise) and half-rise day", _onset),
    "promise": ("Promised power of .8: how often a day with the promised share is found", _promise),
    "sexes": ("Difference between the sexes, over all days", _sexes),
    "scores": ("Shares found from scores of cells: claims, and coverage of the first day's share", _scores),
    "case-control": ("A published case-control simulation: how often the changed type is found", case_control_table),
}


def main() -> None:
    """Draw and judge the studies of every design, two designs at a time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=300)
    parser.add_argument("--quick", action="store_true", help="20 studies a design, every sixth design")
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--docs", action="store_true", help="put the tables into docs/calibration.md")
    chosen = parser.parse_args()
    studies = 20 if chosen.quick else chosen.studies
    todo = [place for place, job in enumerate(_jobs(studies)) if not chosen.only or job[0] in chosen.only]
    todo = todo[::6] if chosen.quick else todo
    rows: dict[str, list[Row]] = {}
    began = time.time()
    with ProcessPoolExecutor(chosen.processes) as pool:
        for place, (part, found) in enumerate(pool.map(partial(run, studies), todo), start=1):
            rows.setdefault(part, []).extend(found)
            print(f"{place} of {len(todo)} ({part}), {time.time() - began:.0f} s", file=sys.stderr, flush=True)
    parts = [
        f"### {title}\n\n{show(pd.DataFrame(rows[part]))}" for part, (title, show) in PARTS.items() if part in rows
    ]
    parts.append(f"### Disease-associated microglia of a published notebook, two mice a side\n\n{real_case()}")
    summary = "\n\n".join(parts)
    if chosen.docs:
        write_below("calibration.md", MARK, summary)
    print(summary)


if __name__ == "__main__":
    main()
