"""Recovery microglia over days: fractions of subjects, tests of days, strata, behaviour beside them."""

from typing import Any

import numpy as np
import pandas as pd

from made_up.sheet import NAN
from recovery_microglia.core.frame_access import groups, records

CONTROL_SHARE = 0.01
SHARE_BY_DAY = {0: 0.01, 1: 0.01, 3: 0.012, 7: 0.05, 14: 0.13, 21: 0.12, 30: 0.1, 35: 0.08}
"""Day after injury to the true share of recovery cells among microglia."""


def true_share(day: float, condition: str) -> float:
    """The share that cells are drawn with."""
    return SHARE_BY_DAY[int(day)] if condition == "injured" else CONTROL_SHARE


def wilson(k: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    p, z = k / n, 1.96
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(p * (1 - p) / n + z * z / 4 / n / n) / (1 + z * z / n)
    return max(centre - half, 0.0), min(centre + half, 1.0)


# ---------------------------------------------------------------- subjects and days


def fractions(samples: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """fractions.tsv: every subject by three calling methods."""
    rows = [_fraction(row, route, rng) for route in ("score", "score_without", "cluster") for row in records(samples)]
    return pd.DataFrame(rows)


def _fraction(row: dict[str, Any], route: str, rng: np.random.Generator) -> dict[str, Any]:
    """A subject's row of fractions.tsv."""
    n = int(rng.integers(120, 190))
    k = int(rng.binomial(n, true_share(row["day"], row["condition"])))
    low, high = wilson(k, n)
    free = route != "cluster"
    return {
        "route": route,
        "denominator": "microglia",
        **{key: row[key] for key in ("arm", "subject", "day", "condition", "sex", "chemistry", "batch")},
        "libraries": 1,
        "k": k,
        "n": n,
        "fraction": k / n,
        "low": low,
        "high": high,
        "mixture": 1.1 * k / n if free else NAN,
        "mixture_low": low if free else NAN,
        "mixture_high": min(1.2 * high, 1.0) if free else NAN,
        "mixture_recovery": 0.77 * k if free else NAN,
        "mixture_cells": 0.7 * n if free else NAN,
        "cutoff": 3.8 if free else NAN,
        "false_rate": 0.008 if free else NAN,
        "note": "",
    }


def timeline(units: pd.DataFrame, *, tested: bool, reason: str = "") -> pd.DataFrame:
    """timeline.tsv of such fractions: a rise from day 7 on."""
    rows = []
    for (route, day), own in units[units["condition"] == "injured"].groupby(["route", "day"], sort=True):
        control = units[(units["route"] == route) & (units["condition"] != "injured")]
        row = _day(own, control) | {"route": route, "day": day}
        rows.append(row | (_test(row) if tested else {"status": "descriptive"}) | {"reason": reason})
    return pd.DataFrame(rows)


LIMITS = ("smallest_detectable", "smallest_detectable_odds")


def _day(own: pd.DataFrame, control: pd.DataFrame) -> dict[str, Any]:
    """A day's row of timeline.tsv before any test."""
    k, n = int(own["k"].sum()), int(own["n"].sum())
    counted = {"n_subjects": len(own), "control": "naive", "n_control_subjects": 3, "k": k, "n": n, "fraction": k / n}
    control_k, control_n = int(control["k"].sum()), int(control["n"].sum())
    unknown = ("difference", "p", "p_second", "p_permutation", "p_smallest", "q", *LIMITS)
    return {
        **dict.fromkeys(("route", "arm", "day"), ""),
        **counted,
        "control_k": control_k,
        "control_n": control_n,
        "low": NAN,
        "high": NAN,
        "control_fraction": control_k / control_n,
        "control_low": NAN,
        "control_high": NAN,
        **dict.fromkeys(unknown, NAN),
        "status": "",
        "reason": "",
    }


def _test(row: dict[str, Any]) -> dict[str, Any]:
    """What a test adds to a day's row."""
    low, high = wilson(row["k"], row["n"])
    p = 0.6 if row["day"] < 7 else 0.004 if row["day"] < 14 else 0.00002
    return {
        "low": low,
        "high": high,
        "difference": row["fraction"] - row["control_fraction"],
        "p": p,
        "p_second": p,
        "p_permutation": 0.1,
        "p_smallest": 0.1,
        "q": p * 1.5,
        "smallest_detectable": 0.045,
        "smallest_detectable_odds": 0.09,
        "status": "tested",
    }


def truth(units: pd.DataFrame) -> pd.DataFrame:
    """truth.tsv: the true share of each subject beside the called one."""
    own = units[units["route"] == "score"][["subject", "day", "condition", "n", "fraction"]]
    shares = [true_share(day, condition) for day, condition in zip(own["day"], own["condition"], strict=True)]
    return own.rename(columns={"fraction": "called_fraction"}).assign(
        true_fraction=shares, microglia_true=own["n"] + 4, microglia_called=own["n"]
    )


def truth_states() -> pd.DataFrame:
    """truth_states.tsv: nine of ten cells are given their state."""
    rows = [
        ("homeostatic", "homeostatic", 900, 0.9),
        ("homeostatic", "none", 100, 0.1),
        ("recovery", "recovery", 180, 0.9),
        ("recovery", "homeostatic", 20, 0.1),
    ]
    return pd.DataFrame(rows, columns=["true_state", "state", "cells", "share"])


def null(units: pd.DataFrame) -> pd.DataFrame:
    """null.tsv: what sets of random genes call, far below the signature."""
    own = units[units["route"] == "score"]
    return own[["subject", "day", "condition", "n"]].assign(
        observed=own["fraction"], null_median=0.01, null_low=0.0, null_high=0.03, p_empirical=0.001
    )


# ---------------------------------------------------------------- strata


def strata(units: pd.DataFrame) -> pd.DataFrame:
    """strata.tsv: each day by sex; a day with one animal of a sex is described."""
    own = units[units["route"] == "score"]
    control = own[own["condition"] != "injured"]
    rows = [
        _stratum(sex, day, group, control[control["sex"] == sex])
        for (sex, day), group in groups(own[own["condition"] == "injured"], ["sex", "day"])
    ]
    return pd.DataFrame(rows)


def _stratum(sex: str, day: float, group: pd.DataFrame, control: pd.DataFrame) -> dict[str, Any]:
    """A row of strata.tsv."""
    k, n = int(group["k"].sum()), int(group["n"].sum())
    low, high = wilson(k, n)
    few = len(group) < 2
    return {
        "by": "sex",
        "stratum": sex,
        "arm": "",
        "day": day,
        "n_subjects": len(group),
        "control": "naive",
        "n_control_subjects": len(control),
        "k": k,
        "n": n,
        "fraction": k / n,
        "low": low,
        "high": high,
        "control_fraction": control["k"].sum() / control["n"].sum(),
        "difference": k / n - 0.01,
        "p": NAN if few else 0.03,
        "q": NAN if few else 0.05,
        "status": "descriptive" if few else "tested",
        "reason": "one animal" if few else "",
    }


def interactions() -> pd.DataFrame:
    """interactions.tsv: whether the rise differs between the sexes, each day and (empty day) over all days."""
    row = {
        "by": "sex",
        "first": "female",
        "second": "male",
        "arm": "",
        "day": NAN,
        "difference_first": 0.1,
        "difference_second": 0.08,
        "difference": 0.02,
        "low": -0.05,
        "high": 0.09,
        "p": 0.4,
        "p_permutation": 0.5,
        "p_smallest": 0.1,
        "q": 0.6,
        "status": "tested",
        "reason": "",
        "sentence": "",
    }
    over_all = {"sentence": "The rise does not differ between females and males (p = 0.4)."}
    return pd.DataFrame([row | {"day": 7.0}, row | {"day": 14.0}, row | over_all])


# ---------------------------------------------------------------- behaviour


def behaviour() -> pd.DataFrame:
    """behaviour.tsv: a withdrawal threshold that falls and comes back, in two sexes."""
    means = {0: 1.0, 1: 0.4, 3: 0.2, 7: 0.15, 14: 0.3, 21: 0.5, 35: 0.9}
    rows = [
        (float(day), mean * factor, 0.08, 8, "withdrawal threshold", "g", "SNT", sex, "Smith 2020")
        for sex, factor in (("female", 1), ("male", 1.1))
        for day, mean in means.items()
    ]
    return pd.DataFrame(rows, columns=["day", "mean", "sem", "n", "measure", "unit", "model", "sex", "source"])


def behaviour_tests() -> pd.DataFrame:
    """behaviour_tests.tsv: the threshold follows the cells."""
    row = {
        "measure": "withdrawal threshold",
        "sex": "",
        "arm": "",
        "n_days": 7,
        "correlation": 0.35,
        "lag": 14.0,
        "p": 0.4,
        "p_smallest": 0.0004,
        "status": "tested",
        "reason": "",
    }
    follows = "In {}s the threshold follows the cells by 14 days (p = 0.4)."
    return pd.DataFrame([row | {"sex": sex, "sentence": follows.format(sex)} for sex in ("female", "male")])
