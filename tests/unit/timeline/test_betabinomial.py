"""The model of fractions over subjects, against scipy and against known truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from scipy.special import expit, logit

from recovery_microglia.timeline import betabinomial as bb


@given(
    st.integers(0, 40), st.integers(0, 300), st.floats(0.001, 0.999), st.floats(1e-4, 0.5)
)  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_log_pmf_is_scipys(k: int, extra: int, p: float, rho: float) -> None:
    n = k + extra
    total = 1 / rho - 1
    expected = stats.betabinom.logpmf(k, n, p * total, (1 - p) * total)
    # differences of log-gammas of up to 1e4 lose about four of sixteen digits
    assert bb.log_pmf(np.array(k), np.array(n), np.array(p), np.array(rho)) == pytest.approx(expected, rel=1e-8, abs=1e-7)  # fmt: skip
    plain = stats.binom.logpmf(k, n, p)
    assert bb.log_pmf(np.array(k), np.array(n), np.array(p), np.array(0.0)) == pytest.approx(plain, rel=1e-9, abs=1e-9)


def test_estimate_is_the_posterior_by_quadrature() -> None:
    k, n, rho = np.array([4, 9, 6]), np.array([120, 150, 140]), bb.RHO[10]

    def density(angle: float) -> float:  # Jeffreys' prior is flat in this angle
        p = np.sin(angle) ** 2
        total = 1 / rho - 1
        return float(np.exp(stats.betabinom.logpmf(k, n, p * total, (1 - p) * total).sum()))

    mass = integrate.quad(density, 0, np.pi / 2, limit=200)[0]
    fixed = np.zeros(len(bb.ICC))
    fixed[10] = 1.0
    for bound in bb.estimate(bb.likelihood(k, n), fixed):
        below = integrate.quad(density, 0, np.arcsin(np.sqrt(bound)), limit=200)[0] / mass
        # the grid has 400 steps over the quarter circle, 1/15 of this posterior's width
        assert min(abs(below - level) for level in (0.025, 0.5, 0.975)) < 0.01


def test_the_law_of_the_odds_has_the_spread_of_a_normal_on_log_odds() -> None:
    rng = np.random.default_rng(1)
    at = len(bb.RHO) + int(np.argmin(abs(bb.SIGMA - 0.4)))
    for p in (0.02, 0.2, 0.5):
        place = int(np.argmin(abs(bb.P - p)))
        share = expit(logit(p) + bb.SIGMA[at - len(bb.RHO)] * rng.standard_normal(200_000))
        mean = share.mean()
        # the law is the normal's to first order in sigma^2 = .16: a fifth of the variance at the most
        assert bb.ICC[at, place] == pytest.approx(share.var() / (mean * (1 - mean)), rel=0.2)


def test_more_animals_narrow_the_interval_and_more_cells_of_the_same_animals_hardly_do() -> None:
    def width(k, n):
        grid = bb.likelihood(np.array(k), np.array(n))
        _, low, high = bb.estimate(grid, bb.spread_posterior([grid]))
        return high - low

    animals = [10, 25, 14]  # of 100 cells each: they differ more than cells of one kind would
    base = width(animals, [100] * 3)
    assert width([10 * k for k in animals], [1000] * 3) > 0.8 * base
    assert width(animals * 4, [100] * 12) < 0.6 * base


def test_overdispersion_is_learnt_from_all_groups() -> None:
    rng = np.random.default_rng(3)
    n = np.full(3, 200)

    def mean_rho(rho: float) -> float:
        groups = [
            bb.likelihood(bb.draw(np.array([p]), np.array([rho]), n, rng)[0], n) for p in (0.02, 0.05, 0.1, 0.2) * 3
        ]
        return float(bb.rho_posterior(groups) @ bb.RHO)

    alike, different = mean_rho(0.0), mean_rho(0.1)
    assert alike < 0.01
    # 36 animals: the standard error of an intraclass correlation of .1 is about .03
    assert different == pytest.approx(0.1, abs=0.06)


def test_drawn_counts_have_the_mean_and_variance_of_the_model() -> None:
    rng = np.random.default_rng(5)
    p, rho, n = 0.1, 0.05, 150
    k = bb.draw(np.full(40_000, p), np.full(40_000, rho), np.array([n]), rng)[:, 0]
    variance = n * p * (1 - p) * (1 + (n - 1) * rho)
    assert k.mean() == pytest.approx(n * p, abs=4 * np.sqrt(variance / 40_000))  # four standard errors
    assert k.var() == pytest.approx(variance, rel=0.06)  # the fourth moment gives a relative error of about .013


def test_the_tail_is_that_of_two_posteriors() -> None:
    k, n = [np.array([2, 3, 4, 1]), np.array([5, 9, 4, 7])], np.full(4, 150)
    fixed = np.zeros(len(bb.ICC))
    fixed[0] = 1.0  # animals alike: each share's posterior is a beta
    found = bb.tail(*(bb.likelihood(own, n) for own in k), fixed)
    first, second = (stats.beta(own.sum() + 0.5, 600 - own.sum() + 0.5) for own in k)
    expected = integrate.quad(lambda p: second.pdf(p) * first.sf(p), 0, 0.2)[0]
    assert found == pytest.approx(expected, rel=0.02)  # steps of the grid are a fifth of a posterior's SD
    assert bb.tail(*(bb.likelihood(own, n) for own in k[::-1]), fixed) == pytest.approx(1 - found, abs=1e-12)


def test_joint_draws_have_one_spread_and_each_groups_posterior() -> None:
    n = np.full(3, 200)
    grids = [bb.likelihood(np.array(k), n) for k in ([2, 4, 3], [40, 70, 20], [30, 44, 61])]
    weight = bb.spread_posterior(grids)
    drawn = bb.joint_draws(grids, weight, 40_000, np.random.default_rng(1))
    for place, grid in enumerate(grids):
        middle, low, high = bb.estimate(grid, weight)
        # 40,000 draws: the rank of a quantile is known to .001; steps of the grid add as much
        for bound, level in ((low, 0.025), (middle, 0.5), (high, 0.975)):
            assert (drawn[:, place] <= bound).mean() == pytest.approx(level, abs=0.02)
    # a wide spread makes both wide at once: distances from the middle go together
    away = np.abs(drawn - np.median(drawn, axis=0))
    assert stats.spearmanr(away[:, 1], away[:, 2]).statistic > 0.02


def studies(p: tuple[float, ...], animals: int, cells: int, law: str, size: float, repeats: int, seed: int):
    """Yield the counts of drawn studies, a group each."""
    rng = np.random.default_rng(seed)
    for _ in range(repeats):
        share = np.repeat(np.array(p)[:, None], animals, axis=1)
        if law == "logit-normal":
            share = expit(logit(share) + size * rng.standard_normal(share.shape))
        elif size:
            share = rng.beta(share * (1 / size - 1), (1 - share) * (1 / size - 1))
        yield rng.binomial(cells, share)


LAWS = [("beta-binomial", 0.0), ("beta-binomial", 0.015), ("beta-binomial", 0.06), ("logit-normal", 0.5)]


@pytest.mark.parametrize(("law", "size"), LAWS)
@pytest.mark.parametrize(("p", "animals", "cells"), [(0.01, 3, 300), (0.05, 3, 100), (0.03, 6, 300)])
def test_type_one_error_is_at_most_nominal(law: str, size: float, p: float, animals: int, cells: int) -> None:
    n, found = np.full(animals, cells), []
    for k in studies((p, p), animals, cells, law, size, 400, 7):
        grids = [bb.likelihood(own, n) for own in k]
        found.append(bb.two_sided(bb.tail(grids[0], grids[1], bb.rho_posterior(grids))) < 0.05)
    # 400 studies: standard error .011; three of them above .05
    assert np.mean(found) <= 0.083


@pytest.mark.parametrize(("law", "size"), LAWS)
def test_intervals_cover_the_truth_whatever_law_the_animals_follow(law: str, size: float) -> None:
    p, n, inside = (0.015, 0.05, 0.2), np.full(3, 150), []
    ordinates = np.random.default_rng(0).standard_normal(20_000)
    normal = law == "logit-normal"
    truth = [expit(logit(share) + size * ordinates).mean() if normal else share for share in p]
    for k in studies(p, 3, 150, law, size, 250, 11):
        grids = [bb.likelihood(own, n) for own in k]
        weight = bb.spread_posterior(grids)
        bounds = [bb.estimate(grid, weight) for grid in grids]
        inside.append([low <= true <= high for (_, low, high), true in zip(bounds, truth, strict=True)])
    # 250 studies: standard error .014; docs/calibration.md has .87 to .99 for single groups
    assert np.min(np.mean(inside, axis=0)) >= 0.85


def test_quiet_groups_are_not_raised_by_groups_whose_animals_are_of_two_kinds() -> None:
    # half of the animals of three days rise, as where one sex does
    n = np.full(6, 300)
    quiet, rising = np.array([4, 5, 3, 6, 4, 5]), np.array([5, 110, 4, 120, 100, 6])
    grids = [bb.likelihood(k, n) for k in (quiet, quiet, rising, rising, rising)]
    true = quiet.sum() / n.sum()
    constant, both = (bb.estimate(grids[0], weigh(grids))[0] for weigh in (bb.rho_posterior, bb.spread_posterior))
    assert constant > 2.5 * true
    assert both < 1.5 * true


def test_a_clear_difference_is_found_and_its_sign_does_not_matter() -> None:
    n = np.full(3, 150)
    grids = [bb.likelihood(np.array(k), n) for k in ([1, 2, 1], [20, 25, 18])]
    weight = bb.rho_posterior(grids)
    up, down = bb.tail(grids[0], grids[1], weight), bb.tail(grids[1], grids[0], weight)
    assert up < 0.0025
    assert bb.two_sided(up) == pytest.approx(bb.two_sided(down), rel=1e-6)
    assert bb.two_sided(1e-12) == bb.LEAST_P
