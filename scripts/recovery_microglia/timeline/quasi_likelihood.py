"""Counts of genes over animals: whether a gene differs between groups, judged by how animals of a group differ.

Negative binomial with one dispersion for all genes, and a factor of each gene's own on that variance, drawn towards what all
genes have (quasi-likelihood: Lund 2012, Stat Appl Genet Mol Biol 11:8; squeezed as in Smyth 2004, ibid. 3:3). With two or
three animals a group a gene's own variance is hardly known; that of thousands of genes is.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, fdtrc, polygamma, xlogy

from recovery_microglia.core.arrays import Bools, Floats, Integers

DISPERSIONS = np.geomspace(1e-4, 4.0, 60)
"""Grid of the dispersion that all genes share."""
ROUNDS = 50
LEAST_GENES, FEWEST_GENES = 200, 20
"""Genes of like abundance that lend each other their variance; with fewer than the second number none lends any."""


@dataclass(frozen=True)
class Tested:
    """What is found of each gene.

    Attributes
    ----------
    statistic, p
        F of the two fits, and its p.
    means
        Rate of each group (groups × genes), in counts per unit of the animals' sizes.
    numerator, denominator
        Degrees of freedom; those of the denominator with what other genes lend.
    """

    statistic: Floats
    p: Floats
    means: Floats
    numerator: int
    denominator: Floats


def sizes(counts: Floats) -> Floats:
    """Return the relative size of each animal: median ratio to the mean animal, over genes that all animals show.

    Anders 2010, Genome Biol 11:R106. The sum of all counts where no gene is shown by all.
    """
    shown = (counts > 0).all(axis=0)
    if shown.sum() < 20:
        found = counts.sum(axis=1)
    else:
        logs = np.log(counts[:, shown])
        found = np.exp(np.median(logs - logs.mean(axis=0), axis=1))
    return np.asarray(found / np.exp(np.log(np.maximum(found, 1e-12)).mean()))


def group_rates(counts: Floats, size: Floats, group: Integers, dispersion: float) -> Floats:
    """Return the most likely rate of each group (groups × genes) under one dispersion."""
    member = np.asarray(np.arange(group.max() + 1)[:, None] == group[None, :], dtype=np.float64)
    rate = (member @ counts) / (member @ size)[:, None]
    for _ in range(ROUNDS):
        weight = 1 / (1 + dispersion * rate[group] * size[:, None])
        new = (member @ (weight * counts)) / (member @ (weight * size[:, None]))
        done = np.allclose(new, rate, rtol=1e-8, atol=1e-12)
        rate = new
        if done:
            break
    return np.asarray(rate)


def deviance(counts: Floats, mean: Floats, dispersion: float) -> Floats:
    """Return the deviance of each gene, summed over animals."""
    safe = np.maximum(mean, 1e-12)
    unit = xlogy(counts, np.maximum(counts, 1e-12) / safe)
    unit -= (counts + 1 / dispersion) * np.log1p(dispersion * (counts - safe) / (1 + dispersion * safe))
    return np.asarray(2 * np.maximum(unit, 0).sum(axis=0))


def shared_dispersion(counts: Floats, size: Floats, group: Integers, used: Bools) -> float:
    """Return the dispersion under which the genes' Pearson statistics are as large as their degrees of freedom (median)."""
    freedom = len(group) - (int(group.max()) + 1)
    own = counts[:, used]
    # median of chi-square over its degrees of freedom
    aim = (1 - 2 / (9 * freedom)) ** 3
    low, high = 0, len(DISPERSIONS) - 1
    while high - low > 1:
        middle = (low + high) // 2
        dispersion = float(DISPERSIONS[middle])
        mean = group_rates(own, size, group, dispersion)[group] * size[:, None]
        pearson = ((own - mean) ** 2 / np.maximum(mean * (1 + dispersion * mean), 1e-12)).sum(axis=0) / freedom
        low, high = (middle, high) if np.median(pearson) > aim else (low, middle)
    return float(DISPERSIONS[low])


def prior_variance(variance: Floats, freedom: float) -> tuple[float, float]:
    """Return the variance that all genes share, and how many degrees of freedom it is worth (Smyth 2004).

    Infinitely many where the variances differ by no more than chance.
    """
    known = np.maximum(variance, 1e-5 * float(np.median(variance)) + 1e-12)
    e = np.log(known) - digamma(freedom / 2) + np.log(freedom / 2)
    more = float(e.var(ddof=1) - polygamma(1, freedom / 2)) if len(e) > 1 else 0.0
    if more <= 0:
        return float(np.exp(e.mean())), float("inf")
    lent = 2 * _inverse_trigamma(more)
    return float(np.exp(e.mean() + digamma(lent / 2) - np.log(lent / 2))), lent


def _inverse_trigamma(value: float) -> float:
    """Return where the trigamma function has a value, by Newton's method."""
    at = 0.5 + 1 / value
    for _ in range(ROUNDS):
        third = float(polygamma(1, at))
        step = third * (1 - third / value) / float(polygamma(2, at))
        at += step
        if -step / at < 1e-9:
            break
    return at


def quasi_test(counts: Floats, group: Integers, reduced: Integers, used: Bools) -> Tested:
    """Test for each gene whether groups that ``reduced`` puts together differ.

    Parameters
    ----------
    counts
        Animals × genes.
    group, reduced
        Number of each animal's group, and of the group it would be in if there were no difference; each of the latter holds
        whole groups of the former.
    used
        Genes with counts enough to tell of the variance; the others are judged by it, and tell nothing of it.
    """
    size = sizes(counts)
    freedom = len(group) - (int(group.max()) + 1)
    dispersion = shared_dispersion(counts, size, group, used)
    means = group_rates(counts, size, group, dispersion)
    full = deviance(counts, means[group] * size[:, None], dispersion)
    null = deviance(counts, group_rates(counts, size, reduced, dispersion)[reduced] * size[:, None], dispersion)
    prior, lent = _of_like_abundance(full / freedom, freedom, counts.mean(axis=0), used)
    numerator = int(group.max()) - int(reduced.max())
    with np.errstate(invalid="ignore"):
        variance = np.where(np.isinf(lent), prior, (lent * prior + full) / (lent + freedom))
    statistic = np.maximum(null - full, 0) / numerator / variance
    # no more than all genes together have
    denominator = np.minimum(lent + freedom, float(freedom) * max(int(used.sum()), 1))
    return Tested(statistic, np.asarray(fdtrc(numerator, denominator, statistic)), means, numerator, denominator)


def _of_like_abundance(variance: Floats, freedom: float, abundance: Floats, used: Bools) -> tuple[Floats, Floats]:
    """Return `prior_variance` for each gene, from genes that are about as abundant."""
    if used.sum() < FEWEST_GENES:  # each gene by its own variance
        return np.ones(len(variance)), np.zeros(len(variance))
    parts = int(np.clip(used.sum() // LEAST_GENES, 1, 5))
    edges = np.unique(np.quantile(abundance[used], np.arange(1, parts) / parts))
    place = np.searchsorted(edges, abundance, side="left")
    found = np.array([prior_variance(variance[used & (place == part)], freedom) for part in range(len(edges) + 1)])
    return found[place, 0], found[place, 1]
