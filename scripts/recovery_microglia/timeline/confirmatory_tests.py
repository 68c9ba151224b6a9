"""Further tests over animals, each by another method than the model's."""

from collections.abc import Sequence
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd

from recovery_microglia.core.arrays import Floats, Integers
from recovery_microglia.timeline.fractions import Group


def variance_stabilised_test(first: Group, second: Group, everything: Sequence[Group]) -> float:
    """Return `arcsine_t_p` of two groups, one variance for all; both are among ``everything``."""
    if len(first.k) == 0 or len(second.k) == 0:
        return float("nan")
    used = [group for group in everything if len(group.k)]
    at = {id(group): place for place, group in enumerate(used)}
    counts, cells = [group.k[None] for group in used], [group.n for group in used]
    return float(arcsine_t_p(counts, cells, at[id(first)], at[id(second)])[0])


def arcsine_t_p(
    counts: Sequence[Floats | Integers], cells: Sequence[Floats | Integers], first: int, second: int
) -> Floats:
    """Return two-sided p of t-tests on arcsine-root fractions with one variance for all groups, one p a study.

    As propeller (Phipson 2022, Bioinformatics 38:4720) with its variance shrunk completely: with two or three
    animals a group, the common variance is the only one worth having. NaN without residual degrees of freedom.

    Parameters
    ----------
    counts
        Cells called, a group each (studies × animals).
    cells
        Cells of each animal, a group each.
    first, second
        Places of the groups that are compared.
    """
    from scipy.special import stdtr

    roots = [np.arcsin(np.sqrt(k / n)) for k, n in zip(counts, cells, strict=True)]
    freedom = sum(root.shape[1] - 1 for root in roots)
    if freedom < 1:
        return np.full(len(roots[0]), np.nan)
    residual = np.sum([((root - root.mean(axis=1, keepdims=True)) ** 2).sum(axis=1) for root in roots], axis=0)
    # binomial sampling alone gives 1/(4n): a smaller observed variance is luck
    floor = float(np.mean([np.mean(1 / (4 * n)) for n in cells]))
    variance = np.maximum(residual / freedom, floor)
    error = np.sqrt(variance * (1 / len(cells[first]) + 1 / len(cells[second])))
    difference = roots[second].mean(axis=1) - roots[first].mean(axis=1)
    return np.asarray(2 * stdtr(freedom, -np.abs(difference) / error))


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
