"""What others do with the same counts: tests of a day (or condition) against its control over animals.

Each returns two-sided p, one for each group after the first, which is the control. Groups are (k, n) of their animals.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy import stats
from scipy.special import xlogy

from recovery_microglia.timeline.betabinomial import log_pmf
from recovery_microglia.timeline.confirmatory_tests import permutation_p
from recovery_microglia.timeline.quasi_likelihood import prior_variance

Groups = Sequence[tuple[np.ndarray, np.ndarray]]


def arcsine_t(groups: Groups) -> np.ndarray:
    """t-test on arcsine roots with the variance of all groups: propeller (Phipson 2022) of one cell type.

    With one cell type limma's moderation has nothing to shrink to, and is this test.
    """
    roots = [np.arcsin(np.sqrt(k / n)) for k, n in groups]
    freedom = sum(len(root) - 1 for root in roots)
    variance = sum(((root - root.mean()) ** 2).sum() for root in roots) / freedom
    first = roots[0]
    t = [(r.mean() - first.mean()) / np.sqrt(max(variance, 1e-12) * (1 / len(r) + 1 / len(first))) for r in roots[1:]]
    return np.asarray(2 * stats.t.sf(np.abs(t), freedom))


def _deviance(k: np.ndarray, n: np.ndarray, p: np.ndarray | float) -> float:
    return float(-2 * (xlogy(k, p) + xlogy(n - k, 1 - np.asarray(p))).sum())


def quasi_binomial(groups: Groups) -> np.ndarray:
    """F-test of a quasi-binomial regression on groups, Pearson's dispersion over all of them (never below 1).

    For groups the regression's fit is their pooled share; `tests/unit/test_timeline_benchmark.py` holds it to statsmodels.
    """
    freedom, pearson = 0, 0.0
    for k, n in groups:
        p = k.sum() / n.sum()
        freedom += len(k) - 1
        if 0 < p < 1:
            pearson += float(((k - n * p) ** 2 / (n * p * (1 - p))).sum())
    dispersion = max(pearson / freedom, 1.0)
    found = []
    for k, n in groups[1:]:
        both = [groups[0], (k, n)]
        pooled = sum(a.sum() for a, _ in both) / sum(b.sum() for _, b in both)
        more = sum(_deviance(a, b, pooled) - _deviance(a, b, a.sum() / b.sum()) for a, b in both)
        found.append(stats.f.sf(max(more, 0.0) / dispersion, 1, freedom))
    return np.asarray(found)


def binomial(groups: Groups) -> np.ndarray:
    """Fisher's test on pooled cells: cells as replicates."""
    (first_k, first_n) = (values.sum() for values in groups[0])
    tables = [[[k.sum(), n.sum() - k.sum()], [first_k, first_n - first_k]] for k, n in groups[1:]]
    return np.asarray([stats.fisher_exact(table).pvalue for table in tables])


def permutation(groups: Groups) -> np.ndarray:
    """Exact permutation of animals."""
    shares = [k / n for k, n in groups]
    return np.asarray([permutation_p(shares[0], share, limit=1000, seed=1) for share in shares[1:]])


def beta_binomial(groups: Groups) -> np.ndarray:
    """Likelihood-ratio test of a beta-binomial regression on groups, one correlation for all: the law of sccomp and corncob.

    Without sccomp's priors. Over a grid of correlations; each group's share is the most likely one at each.
    """
    shares, spreads = (
        np.sin(np.linspace(0.005, np.pi / 2 - 0.005, 300)) ** 2,
        np.concatenate([[0.0], np.geomspace(1e-4, 0.5, 25)]),
    )

    def likelihood(k: np.ndarray, n: np.ndarray) -> np.ndarray:
        grid = log_pmf(k[:, None, None], n[:, None, None], shares[None, None], spreads[None, :, None])
        return np.asarray(grid.sum(axis=0))

    grids = [likelihood(k, n) for k, n in groups]
    apart = np.sum([grid.max(axis=1) for grid in grids], axis=0)
    found = []
    for place in range(1, len(grids)):
        together = apart - grids[0].max(axis=1) - grids[place].max(axis=1) + (grids[0] + grids[place]).max(axis=1)
        found.append(stats.chi2.sf(max(2 * (apart.max() - together.max()), 0.0), 1))
    return np.asarray(found)


OTHERS: dict[str, Callable[[Groups], np.ndarray]] = {
    "arcsine t": arcsine_t,
    "quasi-binomial": quasi_binomial,
    "beta-binomial LRT": beta_binomial,
    "binomial": binomial,
    "permutation": permutation,
}


def propeller(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return moderated-t p of several cell types between two conditions (samples × types of counts each).

    Arcsine roots of the proportions; the types' variances are shrunk to a scaled inverse chi-square fitted to all of them
    (Smyth 2004), as propeller does through limma.
    """
    roots = [np.arcsin(np.sqrt(counts / counts.sum(axis=1, keepdims=True))) for counts in (first, second)]
    freedom = len(first) + len(second) - 2
    variance = sum(((root - root.mean(axis=0)) ** 2).sum(axis=0) for root in roots) / freedom
    centre, prior = prior_variance(variance, freedom)
    moderated = (
        np.full(len(variance), centre) if np.isinf(prior) else (prior * centre + freedom * variance) / (prior + freedom)
    )
    total = prior + freedom
    error = np.sqrt(moderated * (1 / len(first) + 1 / len(second)))
    t = (roots[1].mean(axis=0) - roots[0].mean(axis=0)) / error
    return np.asarray(2 * stats.t.sf(np.abs(t), min(total, len(variance) * freedom)))


def log_ratio(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return t-test p of log ratios of several cell types between two conditions (samples × types of counts each).

    To the type whose log ratio to the mean of all varies least: a reference, as compositional tests choose one (scCODA).
    Half a count is added. The reference itself has p = 1.
    """
    logs = np.log(np.concatenate([first, second]) + 0.5)
    centred = logs - logs.mean(axis=1, keepdims=True)
    reference = int(centred.var(axis=0).argmin())
    ratios = logs - logs[:, [reference]]
    p = stats.ttest_ind(ratios[: len(first)], ratios[len(first) :]).pvalue
    return np.where(np.arange(first.shape[1]) == reference, 1.0, p)
