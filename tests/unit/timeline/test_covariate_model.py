"""Days against controls with sex, chemistry and batch held fixed."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from recovery_microglia.timeline.covariate_model import adjusted_contrasts, covariates, effects

DAYS = ("control", "3", "7", "14")


def draw(rng: np.random.Generator, *, sex_effect: float, rise: float, mixed: bool = False) -> pd.DataFrame:
    """Four animals a group; males are more often turned, and day 14 has three males of four (``mixed``: two)."""
    rows = []
    for day in DAYS:
        for i in range(4):
            male = i < (3 if day == "14" and not mixed else 1 if day == "control" and not mixed else 2)
            share = expit(logit(0.04 + (rise if day == "14" else 0.0)) + sex_effect * male)
            rows.append((day, "male" if male else "female", rng.binomial(160, share), 160, "v3", ("A", "B")[i % 2]))
    return pd.DataFrame(rows, columns=["group", "sex", "k", "n", "chemistry", "batch"])


def test_what_varies_is_known_and_can_be_told_from_the_days_is_held_fixed() -> None:
    units = draw(np.random.default_rng(1), sex_effect=0, rise=0)
    group = units["group"].to_numpy(str)
    held = covariates(units, group)
    assert held is not None
    assert (held.names, held.words) == (("sex", "batch"), "sex and batch")  # one chemistry only
    assert held.columns.mean(axis=0) == pytest.approx(0)
    assert covariates(units.assign(sex="", batch=""), group) is None
    day_is_batch = covariates(units.assign(batch=units["group"]), group)
    assert day_is_batch is not None
    assert day_is_batch.names == ("sex",)
    few = units.groupby("group").head(2).reset_index(drop=True)  # 8 animals, 4 groups: 3 left over with one covariate
    assert covariates(few, few["group"].to_numpy(str)) is None


def test_the_effect_of_a_covariate_is_that_of_a_logistic_regression() -> None:
    import statsmodels.api as sm

    units = draw(np.random.default_rng(2), sex_effect=1.0, rise=0.1, mixed=True)
    units[["k", "n"]] *= 20  # so much data that the prior does not count, and no spread between animals
    group = units["group"].to_numpy(str)
    held = covariates(units.drop(columns="batch"), group)
    assert held is not None
    mode, covariance = effects(units["k"].to_numpy(), units["n"].to_numpy(), group, held.columns)
    design = np.column_stack([pd.get_dummies(units["group"]).to_numpy(float), held.columns])
    fit = sm.GLM(np.column_stack([units["k"], units["n"] - units["k"]]), design, family=sm.families.Binomial()).fit()
    # the model allows for spread between animals, which the regression does not: same estimate, wider error
    assert mode[0] == pytest.approx(fit.params[-1], abs=0.12)
    assert np.sqrt(covariance[0, 0]) >= 0.8 * fit.bse[-1]


def test_a_handful_of_cells_makes_no_enormous_effect_of_a_covariate() -> None:
    # two or three of 30 cells in each female and none in the males: the likelihood alone says that sex is everything
    k, n = np.array([2, 3, 0, 0, 3, 2, 0, 0]), np.full(8, 30)
    male = np.array([0.0, 0, 1, 1, 0, 0, 1, 1])
    mode, covariance = effects(k, n, np.repeat(["control", "14"], 4), (male - male.mean())[:, None])
    # believed is a factor of two to four in the odds: a factor of two is usual, more than four is not
    assert np.log(2) < -mode[0] < np.log(4)
    # ten cells say something: less is open than before they were seen, which was a factor of two (.7)
    assert 0.3 < np.sqrt(covariance[0, 0]) < 0.7


def _contrast(units: pd.DataFrame, rng: np.random.Generator) -> tuple[float, float]:
    group = units["group"].to_numpy(str)
    held = covariates(units.drop(columns="batch"), group)
    assert held is not None
    found = adjusted_contrasts(units, group, held, {14.0: ("control", "14")}, rng=rng)[14.0]
    return found.difference, found.p


def test_more_males_are_no_rise_and_a_rise_is_found_all_the_same() -> None:
    rng = np.random.default_rng(4)
    null = [_contrast(draw(rng, sex_effect=1.2, rise=0.0), rng) for _ in range(60)]
    rise = [_contrast(draw(rng, sex_effect=1.2, rise=0.12), rng) for _ in range(30)]
    p = np.array([value for _, value in null])
    # nominal .05; 60 studies know it to .028
    assert (p < 0.05).mean() <= 0.05 + 3 * 0.028
    # without adjustment the mean difference of these nulls is 4.4 points; .6 is three standard errors of the mean of 60
    assert abs(np.mean([difference for difference, _ in null])) < 0.012
    assert (np.array([value for _, value in rise]) < 0.05).mean() > 0.8
