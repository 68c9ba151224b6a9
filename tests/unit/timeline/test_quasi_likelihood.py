"""Counts of genes over animals."""

import numpy as np
import pytest

from recovery_microglia.timeline.quasi_likelihood import (
    deviance,
    group_rates,
    prior_variance,
    quasi_test,
    shared_dispersion,
    sizes,
)

GROUP = np.repeat(np.arange(7), 3)


def draw(law: str, rng: np.random.Generator, genes: int = 2500) -> np.ndarray:
    """Counts of genes that do not differ between groups; how far animals differ is another number for each gene."""
    mean = np.exp(rng.normal(2, 2, genes))
    spread = 0.05 * 10 / rng.chisquare(10, genes)
    if law == "log-normal":
        own = np.exp(rng.normal(0, np.sqrt(spread), (len(GROUP), genes)) - spread / 2)
    else:
        own = rng.gamma(1 / spread, spread, (len(GROUP), genes))
    return rng.poisson(mean * rng.uniform(0.6, 1.6, len(GROUP))[:, None] * own).astype(float)


def test_rates_and_deviance_are_those_of_a_negative_binomial_model() -> None:
    import statsmodels.api as sm

    rng = np.random.default_rng(1)
    size = rng.uniform(0.5, 2, 12)
    group = np.repeat(np.arange(3), 4)
    counts = rng.poisson(np.array([2, 20, 60])[group] * size).astype(float)[:, None]
    family = sm.families.NegativeBinomial(alpha=0.1)
    design = (group[:, None] == np.arange(3)).astype(float)
    known = sm.GLM(counts[:, 0], design, family=family, offset=np.log(size)).fit(tol=1e-12)
    rates = group_rates(counts, size, group, 0.1)
    np.testing.assert_allclose(np.log(rates[:, 0]), known.params, rtol=1e-6)
    assert deviance(counts, rates[group] * size[:, None], 0.1)[0] == pytest.approx(known.deviance, rel=1e-6)


def test_the_shared_variance_is_found_with_what_it_is_worth() -> None:
    rng = np.random.default_rng(2)
    true = 2.0 * 8 / rng.chisquare(8, 20_000)  # scaled inverse chi-square, 8 degrees of freedom around 2
    prior, lent = prior_variance(true * rng.chisquare(5, 20_000) / 5, 5)
    # 20,000 genes: the two are known to about .02 and .3
    assert prior == pytest.approx(2.0, abs=0.08)
    assert lent == pytest.approx(8, abs=1)
    same, endless = prior_variance(np.full(50, 2.0), 5)
    assert np.isinf(endless)
    assert same > 0


@pytest.mark.parametrize("law", ["gamma", "log-normal"])
def test_genes_that_do_not_change_are_found_as_often_as_the_level_says(law: str) -> None:
    counts = draw(law, np.random.default_rng(3))
    found = quasi_test(counts, GROUP, np.zeros_like(GROUP), counts.mean(axis=0) >= 5)
    # 2,500 genes: .05 is known to .0044; the genes' spread is no single number, so a little more is to be expected
    assert (found.p < 0.05).mean() == pytest.approx(0.05, abs=0.015)
    assert (found.p < 0.001).mean() < 0.004
    assert found.numerator == 6


def test_a_rise_is_found_and_a_change_of_all_genes_of_an_animal_is_none() -> None:
    rng = np.random.default_rng(4)
    counts = draw("gamma", rng)
    risen = counts.mean(axis=0) > 20
    risen &= rng.random(len(risen)) < 0.05
    counts[np.ix_(GROUP == 4, risen)] *= 4
    counts[5] *= 3  # a deep library
    found = quasi_test(counts, GROUP, np.zeros_like(GROUP), counts.mean(axis=0) >= 5)
    assert (found.p[risen] < 0.001).mean() > 0.95
    assert (found.p[~risen] < 0.05).mean() < 0.08
    assert (found.means[4][risen] / found.means[0][risen]).mean() == pytest.approx(4, rel=0.2)
    # only groups that the reduced model joins are asked about
    joined = (GROUP == 4).astype(int)
    kept = quasi_test(counts, GROUP, joined, counts.mean(axis=0) >= 5)
    assert (kept.p[risen] < 0.05).mean() < 0.12


def test_few_genes_are_judged_by_their_own_variance() -> None:
    counts = draw("gamma", np.random.default_rng(5), genes=10)
    found = quasi_test(counts, GROUP, np.zeros_like(GROUP), np.ones(10, dtype=bool))
    np.testing.assert_array_equal(found.denominator, 14)
    assert np.isfinite(found.p).all()


def test_sizes_are_not_moved_by_a_few_genes() -> None:
    rng = np.random.default_rng(6)
    counts = np.tile(rng.uniform(50, 500, 300), (4, 1)) * np.array([1.0, 2, 4, 0.5])[:, None]
    counts[0, :10] *= 1000
    np.testing.assert_allclose(sizes(counts) / sizes(counts)[0], [1, 2, 4, 0.5])


def test_the_dispersion_is_that_of_the_genes() -> None:
    rng = np.random.default_rng(7)
    mean = np.full(2000, 200.0)
    counts = rng.poisson(mean * rng.gamma(1 / 0.1, 0.1, (len(GROUP), 2000))).astype(float)
    every = np.ones(2000, dtype=bool)
    assert shared_dispersion(counts, np.ones(len(GROUP)), GROUP, every) == pytest.approx(0.1, rel=0.2)
