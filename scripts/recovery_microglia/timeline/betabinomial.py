"""Fractions over subjects: beta-binomial models whose overdispersion all groups share.

Subject i of group g has k_i recovery cells among n_i; k_i is beta-binomial with mean p_g. How far animals differ follows
one of two laws, each with one parameter for all groups (two or three animals a day cannot tell their own):

constant
    an intraclass correlation rho, whatever the mean;
of the odds
    rho = sigma^2 p (1 - p): animals differ by a standard deviation of sigma on the log odds, so that groups in which few
    cells are called differ little, however far those with many do.

Nothing is plugged in: the parameters and p_g are integrated over grids (Jeffreys prior on p_g, half-normal priors on
sqrt(rho) and sigma, half of the prior weight on each law), so that the small number of animals widens the intervals and
lowers the significance as it should. Estimates average over both laws by their evidence. Tests ask whether two groups
have one mean; with one mean the laws are the same, and only the constant one is used.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy.special import erf, gammaln

from recovery_microglia.core.arrays import Floats, Integers

RHO = np.concatenate([[0.0], np.geomspace(4e-4, 0.36, 18)])
"""Grid of intraclass correlations."""
SIGMA = np.concatenate([[0.0], np.geomspace(0.1, 2.5, 14)])
"""Grid of standard deviations of the log odds."""
P = (np.sin(np.linspace(0, np.pi / 2, 402)[1:-1]) ** 2).astype(np.float64)
"""Grid of fractions, evenly spaced in arcsine-root: the Jeffreys prior of a fraction is flat there."""
ICC = np.vstack([np.tile(RHO[:, None], len(P)), np.minimum(SIGMA[:, None] ** 2 * P * (1 - P), 0.6)])
"""Intraclass correlation at each spread (first the constant ones, then those of the odds) and each p (spreads × p)."""
CONSTANT, OF_ODDS = slice(None, len(RHO)), slice(len(RHO), None)
"""Places of the two laws among the spreads."""
RHO_SD, SIGMA_SD = 0.25, 1.0
"""Of the half-normal priors. Median rho .03, sigma .67; animals of real studies have .005 to .06, and .3 to 1."""
LEAST_P = 1e-6
"""Below this p the grids are too coarse to tell."""


def log_pmf(k: Floats | Integers, n: Floats | Integers, p: Floats, rho: Floats) -> Floats:
    """Return the log of the beta-binomial probability; arguments broadcast, ``rho`` 0 is the binomial.

    k and n may be fractional: a likelihood as strong as that of so many cells.
    """
    k, n = np.asarray(k, float), np.asarray(n, float)
    choose = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    safe = np.where(rho > 0, rho, 0.5)
    total = 1 / safe - 1
    a, b = p * total, (1 - p) * total
    # the betas written out: what depends on the total alone is not computed for every p, half the time of scipy's betaln
    whole = gammaln(total) - gammaln(n + total)
    over = gammaln(k + a) - gammaln(a) + gammaln(n - k + b) - gammaln(b) + whole
    plain = k * np.log(p) + (n - k) * np.log1p(-p)
    return np.asarray(choose + np.where(rho > 0, over, plain))


@lru_cache(maxsize=1024)
def _of_subject(k: float, n: float) -> Floats:
    """Return the log-likelihood of one subject on the grid; kept, as the same subjects return in every analysis."""
    grid = log_pmf(np.array(k), np.array(n), P[None, :], ICC)
    grid.flags.writeable = False
    return grid


def likelihood(k: Floats | Integers, n: Floats | Integers) -> Floats:
    """Return the log-likelihood of one group on the grid (spreads × p)."""
    grid = np.zeros(ICC.shape)
    for ki, ni in zip(k.tolist(), n.tolist(), strict=True):
        grid += _of_subject(ki, ni)
    return grid


def _half_normal(grid: Floats, sd: float) -> Floats:
    """Return the prior weights of a grid: the mass of a half-normal between the middles of its steps."""
    edges = np.concatenate([[0.0], (grid[1:] + grid[:-1]) / 2, [grid[-1]]])
    weight = np.diff(erf(edges / (sd * np.sqrt(2))))
    return np.asarray(weight / weight.sum())


def rho_prior() -> Floats:
    """Return the prior weights of the constant law's grid."""
    return _half_normal(np.sqrt(RHO), RHO_SD)


def spread_prior() -> Floats:
    """Return the prior weights of both laws' grids, one after the other."""
    return np.concatenate([rho_prior(), _half_normal(SIGMA, SIGMA_SD)]) / 2


def log_mean_exp(logs: Floats, axis: int) -> Floats:
    """Return the log of the mean of exponentials along an axis (scipy's logsumexp costs ten times as much on small arrays)."""
    top = logs.max(axis=axis, keepdims=True)
    return np.asarray(np.squeeze(top, axis) + np.log(np.exp(logs - top).mean(axis=axis)))


def _posterior(groups: Sequence[Floats] | Floats, prior: Floats) -> Floats:
    log_weight = np.log(prior)
    for grid in groups:
        log_weight = log_weight + log_mean_exp(grid[: len(prior)], axis=1)
    weight = np.exp(log_weight - log_weight.max())
    return np.asarray(weight / weight.sum())


def rho_posterior(groups: Sequence[Floats] | Floats) -> Floats:
    """Return the posterior weights of rho, for tests, given the log-likelihoods of all groups."""
    return _posterior(groups, rho_prior())


def spread_posterior(groups: Sequence[Floats] | Floats) -> Floats:
    """Return the posterior weights of both laws' spreads, for estimates, given the log-likelihoods of all groups."""
    return _posterior(groups, spread_prior())


def p_given_spread(grid: Floats) -> Floats:
    """Return the posterior weights of p at each spread (spreads × p)."""
    weight = np.exp(grid - grid.max(axis=1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def estimate(grid: Floats, weight: Floats, *, level: float = 0.95) -> tuple[float, float, float]:
    """Return the posterior median of a group's fraction and its central credible interval.

    ``weight`` is that of `spread_posterior`, or of `rho_posterior` for the constant law alone.
    """
    mass = weight @ p_given_spread(grid[: len(weight)])
    # a grid point stands for the cell around it: half of its weight lies below
    cumulative = (np.cumsum(mass) - mass / 2) / mass.sum()
    tail = (1 - level) / 2
    low, middle, high = np.interp([tail, 0.5, 1 - tail], cumulative, P)
    return float(middle), float(low), float(high)


def joint_draws(grids: Sequence[Floats], weight: Floats, size: int, rng: np.random.Generator) -> Floats:
    """Return draws of all groups' fractions from their joint posterior (size × groups): one spread for all in each draw."""
    spread = choose(weight, size, rng)
    found = np.empty((size, len(grids)))
    for place, grid in enumerate(grids):
        passed = np.cumsum(p_given_spread(grid[: len(weight)]), axis=1)
        at = rng.random(size)
        for s in np.unique(spread):
            own = spread == s
            found[own, place] = P[np.minimum(np.searchsorted(passed[s], at[own]), len(P) - 1)]
    return found


def choose(weight: Floats, size: int, rng: np.random.Generator) -> Integers:
    """Return places drawn by their weights, each as often as its weight says to within one, in random order."""
    at = (rng.permutation(size) + rng.random()) / size
    return np.minimum(np.searchsorted(np.cumsum(weight / weight.sum()), at), len(weight) - 1).astype(np.int64)


def draw(p: Floats, rho: Floats, n: Integers, rng: np.random.Generator) -> Integers:
    """Draw counts of subjects (studies × subjects) from the mean and the intraclass correlation of each study.

    ``p`` holds one mean a study, or studies × subjects.
    """
    p, rho = p if p.ndim == 2 else p[:, None], rho[:, None]
    total = 1 / np.where(rho > 0, rho, 0.5) - 1
    # 1e-9: numpy's beta needs positive shapes; the smallest p of the grid times the smallest total is far above
    own = rng.beta(np.maximum(p * total, 1e-9), np.maximum((1 - p) * total, 1e-9), (len(rho), len(n)))
    return np.asarray(rng.binomial(n, np.where(rho > 0, own, p)), dtype=np.int64)


def mean_fraction(k: Floats | Integers, n: Floats | Integers, rho: float) -> Floats:
    """Return the fraction of a group, each subject weighted by what it tells at this rho (last axis: subjects)."""
    weight = n / (1 + (n - 1) * rho)
    return np.asarray((k / n * weight).sum(axis=-1) / weight.sum())


def tail(control: Floats, group: Floats, weight: Floats) -> float:
    """Return the posterior probability that a group's fraction is not above its control's, from their log-likelihoods.

    Exact on the grids: at each spread the two fractions are independent given the data. ``weight`` as for `estimate`.
    """
    first, second = p_given_spread(control[: len(weight)]), p_given_spread(group[: len(weight)])
    # of two fractions on one grid point either may be the larger
    return float(weight @ (second * (1 - np.cumsum(first, axis=1) + first / 2)).sum(axis=1))


def two_sided(tail: float) -> float:
    """Return the p of a probability in one tail: twice the smaller one."""
    return float(max(min(2 * min(tail, 1 - tail), 1.0), LEAST_P))
