"""What the benchmark of the timeline takes for the methods of others, and for the truth of its drawn studies."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from timeline_others import arcsine_t, beta_binomial, log_ratio, quasi_binomial
from timeline_studies import DAYS, LAWS, SHAPES, Design, part_reached

GROUPS = [(np.array(k), np.array([150, 120, 200])) for k in ([3, 4, 9], [20, 9, 31], [6, 2, 12])]


def test_the_quasi_binomial_test_is_that_of_a_regression() -> None:
    import statsmodels.api as sm

    k, n = (np.concatenate([group[i] for group in GROUPS]) for i in (0, 1))
    day = np.repeat(np.arange(3), 3)
    full = pd.get_dummies(day).to_numpy(float)
    for place, p in enumerate(quasi_binomial(GROUPS), start=1):
        merged = full.copy()
        merged[:, 0] += merged[:, place]
        merged = np.delete(merged, place, axis=1)
        fits = [
            sm.GLM(np.column_stack([k, n - k]), design, family=sm.families.Binomial()).fit()
            for design in (full, merged)
        ]
        dispersion = max(fits[0].pearson_chi2 / 6, 1.0)
        assert p == pytest.approx(stats.f.sf((fits[1].deviance - fits[0].deviance) / dispersion, 1, 6), rel=1e-6)


def test_the_arcsine_t_test_of_two_groups_is_students() -> None:
    roots = [np.arcsin(np.sqrt(k / n)) for k, n in GROUPS[:2]]
    assert arcsine_t(GROUPS[:2])[0] == pytest.approx(stats.ttest_ind(*roots).pvalue, rel=1e-9)


def test_the_beta_binomial_test_is_the_ratio_of_two_maxima() -> None:
    from scipy.optimize import minimize

    def cost(parts, at):
        rho = 1 / (1 + np.exp(-at[-1]))
        total, found = 1 / rho - 1, 0.0
        for share, members in zip(1 / (1 + np.exp(-at[:-1])), parts, strict=True):
            for place in members:
                k, n = GROUPS[place]
                found -= stats.betabinom.logpmf(k, n, share * total, (1 - share) * total).sum()
        return found

    def least(parts):
        start = np.array([*[-2.5] * len(parts), -4.0])
        return minimize(lambda at: cost(parts, at), start, method="Nelder-Mead", options={"maxiter": 4000}).fun

    apart = least([[0], [1], [2]])
    for place, joined in ((1, [[0, 1], [2]]), (2, [[0, 2], [1]])):
        p = stats.chi2.sf(2 * (least(joined) - apart), 1)
        # the grids of shares and correlations leave some hundredths of a nat
        assert beta_binomial(GROUPS)[place - 1] == pytest.approx(p, rel=0.1)


def test_log_ratios_see_one_type_change_where_shares_of_all_others_fall() -> None:
    rng = np.random.default_rng(1)
    first = rng.poisson([100, 1000, 1000, 1000], (6, 4))
    second = rng.poisson([3000, 1000, 1000, 1000], (6, 4)) // 2
    p = log_ratio(first, second)
    assert p[0] < 1e-6
    assert (p[1:] > 0.01).all()


@pytest.mark.parametrize("law", LAWS)
def test_drawn_animals_have_the_mean_that_is_held_for_the_truth(law: str) -> None:
    design = Design(LAWS[law], 20_000, 200, (0.05, 0.2))
    units = design.draw(np.random.default_rng(1))
    for place, (_, rows) in enumerate(units.groupby("day")):
        # 20,000 animals whose shares have an SD of at most .2: four standard errors
        assert (rows["k"] / rows["n"]).mean() == pytest.approx(design.true(place), abs=0.006)


def test_a_part_of_a_course_is_reached_where_its_curve_is() -> None:
    assert part_reached(SHAPES["ramp"], 0.5, DAYS) == pytest.approx(17.5, abs=0.01)
    assert part_reached(SHAPES["step"], 0.25, DAYS) == pytest.approx(10.0, abs=0.01)
