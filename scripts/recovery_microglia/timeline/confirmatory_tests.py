"""Further tests over animals, each by another method than the model's."""

from collections.abc import Sequence
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd

from recovery_microglia.core.arrays import Floats
from recovery_microglia.timeline.fractions import Group


def variance_stabilised_test(first: Group, second: Group, everything: Sequence[Group]) -> float:
    """Return a two-sided p by a t-test on arcsine-root fractions with one variance for all groups.

    As propeller (Phipson 2022, Bioinformatics 38:4720) with its variance shrunk completely: with two or three
    animals a group, the common variance is the only one worth having. NaN without residual degrees of freedom.
    """
    from scipy.special import stdtr

    def root(group: Group) -> Floats:
        return np.asarray(np.arcsin(np.sqrt(group.fraction)))

    freedom = sum(len(group.k) - 1 for group in everything)
    if freedom < 1 or len(first.k) == 0 or len(second.k) == 0:
        return float("nan")
    residual = sum(float(((root(group) - root(group).mean()) ** 2).sum()) for group in everything)
    # binomial sampling alone gives 1/(4n): a smaller observed variance is luck
    floor = float(np.mean([np.mean(1 / (4 * group.n)) for group in everything if len(group.n)]))
    variance = max(residual / freedom, floor)
    error = np.sqrt(variance * (1 / len(first.k) + 1 / len(second.k)))
    return float(2 * stdtr(freedom, -abs(root(second).mean() - root(first).mean()) / error))


def permutation_p(first: Floats, second: Floats, *, limit: int, seed: int) -> float:
    """Return the two-sided permutation p of a difference of means; exact up to ``limit`` splits, else Monte Carlo."""
    values, m = np.concatenate([first, second]), len(second)
    if len(first) == 0 or m == 0:
        return float("nan")
    observed = abs(second.mean() - first.mean())
    total, rest = values.sum(), len(first)
    if comb(len(values), m) <= limit:
        sums = np.array([values[list(chosen)].sum() for chosen in combinations(range(len(values)), m)])
        differences = np.abs(sums / m - (total - sums) / rest)
        return float((differences >= observed - 1e-12).mean())
    rng = np.random.default_rng(seed)
    sums = np.array([rng.permutation(values)[:m].sum() for _ in range(limit)])
    differences = np.abs(sums / m - (total - sums) / rest)
    return float((1 + (differences >= observed - 1e-12).sum()) / (1 + limit))


def trend_p(day: Floats, fraction: Floats, *, draws: int, seed: int) -> float:
    """Return the two-sided permutation p of Spearman's correlation between day (controls 0) and fraction."""
    if len(np.unique(day)) < 3:
        return float("nan")
    x, y = pd.Series(day).rank().to_numpy(), pd.Series(fraction).rank().to_numpy()
    x, y = x - x.mean(), y - y.mean()
    rng = np.random.default_rng(seed)
    observed = abs(float(x @ y))
    drawn = np.abs(np.array([rng.permutation(x) @ y for _ in range(draws)]))
    return float((1 + (drawn >= observed - 1e-9).sum()) / (1 + draws))


def sign_flip_p(difference: Floats) -> float:
    """Return the exact two-sided p of the mean of paired differences, over all their signs.

    All 2^n signs up to 16 pairs; with more, 65,536 drawn ones (a fixed seed).
    """
    size = len(difference)
    if size == 0:
        return float("nan")
    if size <= 16:
        signs = 1 - 2 * ((np.arange(2**size)[:, None] >> np.arange(size)) & 1)
    else:
        signs = np.random.default_rng(1).choice([-1, 1], (2**16, size))
    sums = np.abs(signs @ difference)
    return float((sums >= abs(difference.sum()) - 1e-12).mean())
