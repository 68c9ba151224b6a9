"""Fractions over subjects: a beta-binomial model with overdispersion shared by all groups.

Subject i of group g has k_i recovery cells among n_i; k_i is beta-binomial with mean p_g and intraclass
correlation rho, the same for all groups (with two or three animals a day it cannot be learnt for each). Nothing is
plugged in: rho and p_g are integrated over grids (Jeffreys prior on p_g, uniform prior on sqrt(rho)), so that the
small number of animals widens the intervals and lowers the significance as it should.

Tests are posterior-predictive: under the null that two groups share one p, studies of the same size are drawn with
rho and p from their posterior, and p is the share of them whose difference is at least as large.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from scipy.special import gammaln

from recovery_microglia.core.arrays import Floats, Integers

RHO = np.concatenate([[0.0], np.geomspace(4e-4, 0.36, 18)])
"""Grid of intraclass correlations."""
P = (np.sin(np.linspace(0, np.pi / 2, 402)[1:-1]) ** 2).astype(np.float64)
"""Grid of fractions, evenly spaced in arcsine-root: the Jeffreys prior of a fraction is flat there."""


def log_pmf(k: Integers, n: Integers, p: Floats, rho: Floats) -> Floats:
    """Return the log of the beta-binomial probability; arguments broadcast, ``rho`` 0 is the binomial."""
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


@lru_cache(maxsize=512)
def _of_subject(k: int, n: int) -> Floats:
    """Return the log-likelihood of one subject on the grid; kept, as the same subjects return in every analysis."""
    grid = log_pmf(np.array(k), np.array(n), P[None, :], RHO[:, None])
    grid.flags.writeable = False
    return grid


def likelihood(k: Integers, n: Integers) -> Floats:
    """Return the log-likelihood of one group on the grid (rho × p)."""
    grid = np.zeros((len(RHO), len(P)))
    for ki, ni in zip(k.tolist(), n.tolist(), strict=True):
        grid += _of_subject(ki, ni)
    return grid


def rho_prior() -> Floats:
    """Return the prior weights of the grid of rho: uniform in sqrt(rho), little weight far out."""
    root = np.sqrt(RHO)
    edges = np.concatenate([[0], (root[1:] + root[:-1]) / 2, [root[-1]]])
    weight = np.diff(edges)
    return np.asarray(weight / weight.sum())


def log_mean_exp(logs: Floats, axis: int) -> Floats:
    """Return the log of the mean of exponentials along an axis (scipy's logsumexp costs ten times as much on small arrays)."""
    top = logs.max(axis=axis, keepdims=True)
    return np.asarray(np.squeeze(top, axis) + np.log(np.exp(logs - top).mean(axis=axis)))


def rho_posterior(groups: Sequence[Floats] | Floats) -> Floats:
    """Return the posterior weights of rho on its grid, given the log-likelihoods of all groups."""
    log_weight = np.log(rho_prior())
    for grid in groups:
        log_weight = log_weight + log_mean_exp(grid, axis=1)
    weight = np.exp(log_weight - log_weight.max())
    return np.asarray(weight / weight.sum())


def p_given_rho(grid: Floats) -> Floats:
    """Return the posterior weights of p at each rho (rho × p)."""
    weight = np.exp(grid - grid.max(axis=1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def estimate(grid: Floats, rho_weight: Floats, *, level: float = 0.95) -> tuple[float, float, float]:
    """Return the posterior median of a group's fraction and its central credible interval."""
    weight = rho_weight @ p_given_rho(grid)
    # a grid point stands for the cell around it: half of its weight lies below
    cumulative = (np.cumsum(weight) - weight / 2) / weight.sum()
    tail = (1 - level) / 2
    low, middle, high = np.interp([tail, 0.5, 1 - tail], cumulative, P)
    return float(middle), float(low), float(high)


def posterior_draws(grid: Floats, rho_weight: Floats, size: int, rng: np.random.Generator) -> Floats:
    """Return draws from the posterior of a group's fraction (size,)."""
    weight = rho_weight @ p_given_rho(grid)
    return np.asarray(rng.choice(P, size, p=weight / weight.sum()))


def choose_rows(weight: Floats, rng: np.random.Generator) -> Integers:
    """Return a column drawn from each row's weights (rows,); the rows add up to one."""
    passed = weight.cumsum(axis=1) < rng.random((len(weight), 1))
    return np.asarray(np.minimum(passed.sum(axis=1), weight.shape[1] - 1), dtype=np.int64)


def draw(p: Floats, rho: Floats, n: Integers, rng: np.random.Generator) -> Integers:
    """Draw counts of subjects (studies × subjects) from the mean and the intraclass correlation of each study.

    ``p`` holds one mean a study, or studies × subjects.
    """
    p, rho = p if p.ndim == 2 else p[:, None], rho[:, None]
    total = 1 / np.where(rho > 0, rho, 0.5) - 1
    # 1e-9: numpy's beta needs positive shapes; the smallest p of the grid times the smallest total is far above
    own = rng.beta(np.maximum(p * total, 1e-9), np.maximum((1 - p) * total, 1e-9), (len(rho), len(n)))
    return np.asarray(rng.binomial(n, np.where(rho > 0, own, p)), dtype=np.int64)


@dataclass(frozen=True)
class Contrast:
    """A group against its control: difference of pooled fractions and two-sided p."""

    difference: float
    p: float


def mean_fraction(k: Integers, n: Integers, rho: float) -> Floats:
    """Return the fraction of a group, each subject weighted by what it tells at this rho (last axis: subjects)."""
    weight = n / (1 + (n - 1) * rho)
    return np.asarray((k / n * weight).sum(axis=-1) / weight.sum())


def contrast(
    k: tuple[Integers, Integers],
    n: tuple[Integers, Integers],
    rho_weight: Floats,
    *,
    draws: int,
    rng: np.random.Generator,
) -> Contrast:
    """Compare a group (second) with its control (first).

    Parameters
    ----------
    k, n
        Counts and totals of the subjects of the control and of the group.
    rho_weight
        Posterior of rho from all groups of the study.
    draws
        Studies drawn under the null; the smallest p is 1 / (draws + 1).
    """
    everything_n = np.concatenate(n)
    null = p_given_rho(likelihood(np.concatenate(k), everything_n))
    rho_index = np.sort(rng.choice(len(RHO), draws, p=rho_weight))
    p, rho = np.empty(draws), RHO[rho_index]
    for r in np.unique(rho_index):
        own = rho_index == r
        p[own] = rng.choice(P, int(own.sum()), p=null[r])
    drawn = draw(p, rho, everything_n, rng)
    cut = len(n[0])
    typical = float(rho_weight @ RHO)
    observed = mean_fraction(k[1], n[1], typical) - mean_fraction(k[0], n[0], typical)
    simulated = mean_fraction(drawn[:, cut:], n[1], typical) - mean_fraction(drawn[:, :cut], n[0], typical)
    # 1e-12: equal differences must count as equal whatever the order of the sums
    extreme = int((np.abs(simulated) >= abs(observed) - 1e-12).sum())
    return Contrast(float(observed), (1 + extreme) / (1 + draws))


BANK_P, BANK_DRAWS, BANK_LEAST = slice(2, None, 4), 150, 1e-3
"""Shares and studies of `_null_bank`, and the weight of rho below which it is left out."""


@dataclass(frozen=True)
class _Bank:
    """Differences without a difference, for studies of one size: what `contrast` would draw, drawn once for all.

    ``differences`` holds absolute ones (rho × p × draws); ``rho`` are indices into `RHO`, ``weight`` their posterior.
    ``known`` keeps the log-likelihoods (rho × p) of subjects by counts and totals: the same few return in every study.
    """

    differences: Floats
    rho: Integers
    weight: Floats
    typical: float
    known: dict[tuple[int, int], Floats] = field(default_factory=dict)

    def likelihood(self, k: Integers, n: Integers) -> Floats:
        """Return the log-likelihood of subjects with one mean (rho × p)."""
        total = np.zeros((len(self.rho), len(P[BANK_P])))
        for subject in zip(k.tolist(), n.tolist(), strict=True):
            if subject not in self.known:
                k_i, n_i = map(np.asarray, subject)
                self.known[subject] = log_pmf(k_i, n_i, P[BANK_P][None], RHO[self.rho][:, None])
            total += self.known[subject]
        return total


def _null_bank(n_control: Integers, n: Integers, rho_weight: Floats, rng: np.random.Generator) -> _Bank:
    kept = np.flatnonzero(rho_weight >= BANK_LEAST)
    share = P[BANK_P]
    typical = float(rho_weight @ RHO)
    p = np.repeat(np.tile(share, len(kept)), BANK_DRAWS)
    rho = np.repeat(RHO[kept], len(share) * BANK_DRAWS)
    drawn = draw(p, rho, np.concatenate([n_control, n]), rng)
    cut = len(n_control)
    found = mean_fraction(drawn[:, cut:], n, typical) - mean_fraction(drawn[:, :cut], n_control, typical)
    weight = rho_weight[kept] / rho_weight[kept].sum()
    return _Bank(np.abs(found).reshape(len(kept), len(share), BANK_DRAWS), kept, weight, typical)


def _banked_p(k: tuple[Integers, Integers], n: tuple[Integers, Integers], bank: _Bank) -> tuple[float, float]:
    """Return the difference and p of `contrast`, from a bank: a weighted mean over rho and p instead of draws."""
    weight = bank.weight[:, None] * p_given_rho(bank.likelihood(np.concatenate(k), np.concatenate(n)))
    observed = float(mean_fraction(k[1], n[1], bank.typical) - mean_fraction(k[0], n[0], bank.typical))
    return observed, float((weight * (bank.differences >= abs(observed) - 1e-12).mean(axis=2)).sum())


def smallest_detectable(
    control: float,
    n_control: Integers,
    n: Integers,
    rho_weight: Floats,
    *,
    alpha: float,
    power: float,
    rng: np.random.Generator,
    studies: int = 150,
    rho_true: float | None = None,
) -> float:
    """Return the smallest fraction that `contrast` would tell from the control with this ``power``; 1 if none.

    By simulation, because with three animals a side a normal approximation promises .8 and holds .57: studies of
    the same size are drawn with rho from its posterior, and tested as the real one is. A bisection over `P`; with
    150 studies a step, the power at the answer is known to about .04.

    Parameters
    ----------
    control
        Fraction of the controls.
    n_control, n
        Cells of each control subject and of each subject of the group.
    rho_weight
        Posterior of rho from all groups of the study.
    alpha
        The level that p must pass: that of the test, divided by the number of days tested.
    rho_true
        How animals differ, where it is supposed; without it, drawn from ``rho_weight``.
    """
    bank = _null_bank(n_control, n, rho_weight, rng)

    def found(fraction: float) -> bool:
        known = rho_true is not None
        rho = np.full(studies, rho_true) if known else RHO[rng.choice(len(RHO), studies, p=rho_weight)]
        first = draw(np.full(studies, control), rho, n_control, rng)
        second = draw(np.full(studies, fraction), rho, n, rng)
        hits = 0
        for a, b in zip(first, second, strict=True):
            difference, p = _banked_p((a, b), (n_control, n), bank)
            hits += p < alpha and difference > 0
        return hits >= power * studies

    low, high = int(np.searchsorted(P, control)), len(P) - 1
    if not found(float(P[high])):
        return 1.0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if found(float(P[middle])) else (middle, high)
    return float(P[high])
