"""Small statistics that several rooms use."""

from math import comb

import numpy as np
import pandas as pd

from recovery_microglia.core.arrays import Floats


def design_effect(k: Floats, n: Floats) -> float:
    """Return how many times more the rates k/n of animals vary than cells drawn at random would; at least 1."""
    used = n > 0
    k, n = k[used], n[used]
    rate = float(k.sum() / n.sum()) if len(n) else 0.0
    if len(n) < 2 or not 0 < rate < 1:
        return 1.0
    chi2 = float(((k - n * rate) ** 2 / (n * rate * (1 - rate))).sum())
    return max(chi2 / (len(n) - 1), 1.0)


def wilson(k: float, n: float, z: float = 1.959963984540054) -> tuple[float, float]:
    """Return Wilson's 95 % interval of k out of n (k and n may be fractional); (NaN, NaN) if n is 0."""
    if n <= 0:
        return float("nan"), float("nan")
    p = k / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    # at the ends the bound is exact; rounding must not show
    return 0.0 if k <= 0 else float(centre - half), 1.0 if k >= n else float(centre + half)


def benjamini_hochberg(p: Floats) -> Floats:
    """Return adjusted p-values (Benjamini and Hochberg 1995); missing ones stay missing and do not count."""
    q = np.full(len(p), np.nan)
    known = np.flatnonzero(np.isfinite(p))
    if len(known) == 0:
        return q
    order = known[np.argsort(p[known])]
    scaled = p[order] * len(order) / np.arange(1, len(order) + 1)
    q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return q


def cramers_v(first: pd.Series, second: pd.Series) -> float:
    """Return Cramér's V of two categorical variables (0 none, 1 complete); NaN if one of them does not vary."""
    table = pd.crosstab(first, second).to_numpy(float)
    n, least = table.sum(), min(table.shape) - 1
    if least < 1 or n == 0:
        return float("nan")
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    return float(np.sqrt(((table - expected) ** 2 / expected).sum() / (n * least)))


def smallest_p(n_first: int, n_second: int) -> float:
    """Return the smallest two-sided p that a permutation of two groups of subjects can reach.

    Exact: of all ``comb(n1 + n2, n1)`` splits one is the most extreme; of groups of one size its mirror image is as
    extreme, of unequal ones it is none of the splits.
    """
    if n_first < 1 or n_second < 1:
        return float("nan")
    return min((2 if n_first == n_second else 1) / comb(n_first + n_second, n_first), 1.0)


def welch_p(first: Floats, second: Floats) -> float:
    """Return Welch's two-sided p; NaN with fewer than two values on a side or no variation."""
    from scipy.special import stdtr

    if min(len(first), len(second)) < 2:
        return float("nan")
    a, b = first.var(ddof=1) / len(first), second.var(ddof=1) / len(second)
    if a + b == 0:
        return float("nan")
    freedom = (a + b) ** 2 / (a**2 / (len(first) - 1) + b**2 / (len(second) - 1))
    return float(2 * stdtr(freedom, -abs(second.mean() - first.mean()) / np.sqrt(a + b)))
