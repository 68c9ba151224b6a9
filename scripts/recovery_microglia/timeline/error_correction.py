"""Shares of recovery cells corrected for the call's own errors.

A share q of called cells is s pi + f (1 - pi) of a true share pi (Rogan and Gladen 1978, Am J Epidemiol 107:71), where f
is the share of other microglia that pass the animal's cutoff, and s that of recovery cells. Both depend on the cutoff,
which is lower in animals with many recovery cells, so both are curves:

f(cutoff)
    share of control microglia above it, times how much more often held-out controls pass a cutoff than those that it
    was set on (`calibration.held_out_rate`). Controls that hold recovery cells count as false, so that what is corrected
    is the excess over controls, and errs downwards.
s(cutoff)
    share above it among the recovery cells of all injured animals of the chemistry, each cell by its probability. It rests
    on the model's probabilities, the one thing about recovery cells that data without truth can offer; not known where
    these are worth fewer than `LEAST_RECOVERY` cells. The share is then corrected for false calls only: at least so many.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from recovery_microglia.core.arrays import Floats
from recovery_microglia.core.statistics import design_effect
from recovery_microglia.core.vocabulary import CONTROLS, Denominator, Route
from recovery_microglia.timeline.fractions import UNIT

LEAST_RECOVERY = 20.0
DRAWS = 2000
RATES = ("cutoff", "false_rate", "false_cells", "sensitivity", "sensitivity_cells")
CORRECTED = ("corrected", "corrected_low", "corrected_high")


def error_rates(cells: pd.DataFrame, sheet: pd.DataFrame, calibration: pd.DataFrame) -> pd.DataFrame:
    """Return each animal's cutoff and the call's error rates at it: the columns of `UNIT` and `RATES`.

    Parameters
    ----------
    cells
        Microglia: library, chemistry, condition, subject, recovery_score, cutoff, recovery_probability,
        on_one_gene.
    sheet
        One row a library.
    calibration
        calibration.tsv.

    Returns
    -------
    DataFrame
        ``false_cells`` and ``sensitivity_cells`` are the cells that the rates are worth, given how animals differ. NaN
        where there are no cutoff or no controls, and sensitivity where it is not known.
    """
    own = cells[["library", "chemistry", "recovery_probability", "cutoff"]].copy()
    own["score"] = np.where(cells["on_one_gene"], -np.inf, cells["recovery_score"])
    own = own[own["cutoff"].notna() & cells["recovery_score"].notna()].merge(sheet[["library", *UNIT]], on="library")
    own["animal"] = own.groupby(UNIT, dropna=False, sort=False).ngroup()
    rows = []
    for chemistry, group in own.groupby("chemistry", sort=False):
        more = _held_out_ratio(calibration, str(chemistry))
        control = group[group["condition"].isin(CONTROLS)]
        injured = group[~group["condition"].isin(CONTROLS)]
        known = injured["recovery_probability"].sum() >= LEAST_RECOVERY
        for _, animal in group.groupby("animal", sort=False):
            cut = float(animal["cutoff"].iloc[0])
            false, false_cells = _above(control, cut, np.ones(len(control)))
            found = (np.nan, np.nan)
            if known:
                found = _above(injured, cut, injured["recovery_probability"].to_numpy(float))
            key = [animal[name].iloc[0] for name in UNIT]
            rows.append((*key, len(animal), cut, min(false * more, 1.0), false_cells, *found))
    # without rows (nothing may be called) the keys keep the types that a merge needs
    table = pd.DataFrame(rows, columns=[*UNIT, "cells", *RATES]).astype(dict.fromkeys(("cells", *RATES), float))
    table = table.astype({name: own[name].dtype for name in UNIT})
    # an animal whose libraries are of two chemistries has the mean of both
    weighted = table.assign(**{name: table[name] * table["cells"] for name in RATES})
    grouped = weighted.groupby(UNIT, dropna=False, sort=False)[["cells", *RATES]].sum(min_count=1)
    return grouped[list(RATES)].div(grouped["cells"], axis=0).reset_index()


def _held_out_ratio(calibration: pd.DataFrame, chemistry: str) -> float:
    """Return how much more often held-out controls are called than those that set the cutoff; at least 1."""
    used = calibration["used"].astype(bool) & (calibration["chemistry"] == chemistry)
    row = calibration[used & (calibration["scorer"] == "fixed_cutoff")]
    if row.empty or not np.isfinite(row["fpr"].iloc[0]):
        return 1.0
    return max(float(row["fpr"].iloc[0] / (1 - row["quantile"].iloc[0])), 1.0)


def _above(cells: pd.DataFrame, cut: float, weight: Floats) -> tuple[float, float]:
    """Return the weighted share of cells above a cutoff, and the cells it is worth."""
    if weight.sum() <= 0:
        return float("nan"), float("nan")
    passed = (cells["score"].to_numpy(float) > cut) * weight
    animal = cells["animal"].to_numpy(np.int64)
    k, n = np.bincount(animal, passed), np.bincount(animal, weight)
    size = weight.sum() ** 2 / (weight**2).sum()
    return float(passed.sum() / weight.sum()), float(size / design_effect(k, n))


def correct(share: Floats, false: Floats, found: Floats) -> Floats:
    """Return the true share behind a called one, 0 to 1; NaN where the call tells no more than chance."""
    with np.errstate(divide="ignore", invalid="ignore"):
        true = (share - false) / (found - false)
    return np.asarray(np.where(found > false, np.clip(true, 0.0, 1.0), np.nan))


def corrected(
    share: Floats, point: float, rates: Mapping[str, float], rng: np.random.Generator
) -> tuple[float, float, float]:
    """Return a corrected share and its 95 % interval, the uncertainty of share and rates carried through.

    Parameters
    ----------
    share
        Draws from what is known of the called share.
    point
        Its estimate.
    rates
        The columns of `RATES`; a sensitivity that is not known counts as 1.
    """
    if not np.isfinite(rates["false_rate"]):
        return (float("nan"),) * 3
    false = _draw(rates["false_rate"], rates["false_cells"], len(share), rng)
    known = np.isfinite(rates["sensitivity"])
    found = _draw(rates["sensitivity"], rates["sensitivity_cells"], len(share), rng) if known else np.ones(len(share))
    drawn = correct(share, false, found)
    middle = float(
        correct(np.array(point), np.array(rates["false_rate"]), np.array(rates["sensitivity"] if known else 1.0))
    )
    if not np.isfinite(drawn).any():
        return (float("nan"),) * 3
    low, high = (float(v) for v in np.nanquantile(drawn, [0.025, 0.975]))
    return middle, low, high


def _draw(rate: float, cells: float, size: int, rng: np.random.Generator) -> Floats:
    """Return draws from a rate's posterior (Jeffreys prior)."""
    return np.asarray(rng.beta(rate * cells + 0.5, (1 - rate) * cells + 0.5, size))


def add_corrected(table: pd.DataFrame, rates: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return fractions.tsv with the error rates and the corrected share of each animal.

    For the route ``score`` and the denominator microglia; missing elsewhere. The interval is that of this animal's cells
    and of the rates, as that of ``fraction`` is.
    """
    joined = table.merge(rates, on=UNIT, how="left")
    main = (joined["route"] == Route.SCORE) & (joined["denominator"] == Denominator.MICROGLIA) & (joined["n"] > 0)
    joined[list(RATES)] = joined[list(RATES)].astype(float).where(main)
    found = np.full((len(joined), 3), np.nan)
    rng = np.random.default_rng(seed)
    for place in np.flatnonzero(main):
        row = joined.iloc[place]
        share = rng.beta(row["k"] + 0.5, row["n"] - row["k"] + 0.5, DRAWS)
        found[place] = corrected(share, float(row["fraction"]), {name: float(row[name]) for name in RATES}, rng)
    joined[list(CORRECTED)] = found
    return joined.assign(note=joined.pop("note"))
