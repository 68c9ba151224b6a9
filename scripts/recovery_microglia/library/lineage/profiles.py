"""Profiles of the lineages in one library, and what they make of each cell."""

import numpy as np

from recovery_microglia.core.arrays import Bools, Floats, Integers
from recovery_microglia.core.genes import MYELOID
from recovery_microglia.library.lineage.evidence import MeasuredCounts
from recovery_microglia.library.lineage.markers import MAX_COUNT, Columns

AMBIENT_SHARE = 0.08
"""Ambient share that every cell is assumed to hold; typical of 10x tissue (SoupX: 2-10 %)."""
PRIOR_COUNTS = 4_000
"""Weight of the prior profile, in counts: as much as two or three cells."""
MAX_LOG_RATIO = np.log(20)
DAMPING = 0.5
"""Genes are not independent given the lineage: halving the log-likelihood keeps the posterior modest."""
MIXED_SHARES, PURE_SHARES = (0.35, 0.5, 0.65), (0.0, 0.1, 0.2)
"""Shares of a second lineage's RNA that mean a doublet, and those that ambient or engulfed RNA may reach."""
MIN_LABELLED = 5
"""Cells that a profile rests on before it is asked to explain a part of a doublet."""


def lineage_profiles(counts: MeasuredCounts, label: Integers, columns: Columns, background: Floats) -> Floats:
    """Return the profile of each lineage (lineages × genes, rows summing to one) from the labelled cells."""
    names = list(columns)
    sums, whole = counts.sums(label, len(names)).astype(np.float64), counts.whole + 0.5
    myeloid = np.array([name in MYELOID for name in names])
    profiles = np.empty_like(sums)
    for number, name in enumerate(names):
        relatives = sums[myeloid].sum(axis=0) if myeloid[number] else np.zeros(counts.n_genes)
        prior = relatives + whole * (relatives.sum() * 0.02 + 1) / whole.sum() + 1e-3
        total = sums[number] + PRIOR_COUNTS * _marked(prior / prior.sum(), name, columns, background)
        profiles[number] = total / total.sum()
    return (1 - AMBIENT_SHARE) * profiles + AMBIENT_SHARE * background / background.sum()


def _marked(prior: Floats, name: str, columns: Columns, background: Floats) -> Floats:
    """Return the prior with the lineage's markers raised and those of the others at ambient level."""
    own = columns[name]
    others = np.setdiff1d(np.concatenate([c for n, c in columns.items() if n != name] or [own]), own)
    marked = prior.copy()
    marked[others] = np.minimum(marked[others], background[others])
    # a cell that is clearly of a lineage has a marker count about every thousand counts, for each marker
    marked[own] = np.maximum(marked[own], 1e-3)
    return np.asarray(marked / marked.sum())


class _Evidence:
    """The counts that tell lineages apart, ready to be compared with any profile."""

    def __init__(self, counts: MeasuredCounts, profiles: Floats, weights: Floats) -> None:
        self.total = counts.total
        high = profiles.max(axis=0)
        telling = (weights > 0) & (high > 1.5 * profiles.mean(axis=0)) & (high * counts.depth > 0.05)
        self.used = np.flatnonzero(telling)
        self.counts = counts
        self.weights = weights[self.used]

    def seen(self, table: Floats, rows: Integers | None = None) -> Floats:
        """Return the bounded counts of the cells (all if None) times a table (genes used × columns)."""
        cells = np.arange(len(self.total)) if rows is None else rows
        return self.counts.products(cells, self.used, table, most=MAX_COUNT)

    def expected(self, profiles: Floats, rows: Integers | None = None) -> Floats:
        """Return the counts that profiles expect of the cells (all if None), bounded as counts are (cells × profiles).

        The bound bites at a cell's own depth: exact at some depths, a straight line between them.
        """
        total = self.total if rows is None else self.total[rows]
        low = max(int(total.min(initial=1)), 1)
        n_steps = int(np.log2(max(int(total.max(initial=1)), low) / low)) + 2
        depths = low * 2.0 ** np.arange(n_steps)  # each twice the one before
        table = np.array([np.minimum(profiles * depth, MAX_COUNT) @ self.weights for depth in depths])
        place = np.clip(np.searchsorted(depths, total, side="right") - 1, 0, n_steps - 2)
        part = ((total - depths[place]) / (depths[place + 1] - depths[place]))[:, None]
        return np.asarray(table[place] * (1 - part) + table[place + 1] * part)


def scores(
    counts: MeasuredCounts, profiles: Floats, weights: Floats, share: Floats, cells: Integers | None = None
) -> Floats:
    """Return the damped log-likelihood of each lineage and its log share (cells, or some cells × lineages)."""
    evidence = _Evidence(counts, profiles, weights)
    log_profile = np.log(profiles[:, evidence.used])
    ratio = np.clip(log_profile - log_profile.mean(axis=0), -MAX_LOG_RATIO, MAX_LOG_RATIO) * evidence.weights
    # Poisson: what a lineage expects and the cell lacks counts against it
    expected = evidence.expected(profiles[:, evidence.used], cells)
    log_likelihood = evidence.seen(ratio.T, cells) - (expected - expected.mean(axis=1, keepdims=True))
    return np.asarray(DAMPING * log_likelihood + np.log(share))


def normalised(score: Floats) -> Floats:
    """Return the probability of each lineage from its log score (cells × lineages)."""
    likelihood = np.exp(score - score.max(axis=1, keepdims=True))
    return np.asarray(likelihood / likelihood.sum(axis=1, keepdims=True))


def mixture_gain(
    counts: MeasuredCounts,
    label: Integers,
    best: Integers,
    profiles: Floats,
    weights: Floats,
    myeloid: Bools,
) -> tuple[Floats, Integers]:
    """Return what a second lineage adds to explaining each cell, and which lineage adds most.

    The gain is a damped log-likelihood ratio: a doublet (`MIXED_SHARES`) against a cell with some foreign RNA
    (`PURE_SHARES`). One of the two must be myeloid, the other not: within the myeloid cells a reactive
    microglia lies between two lineages as well.

    Parameters
    ----------
    counts, profiles, weights
        Cells × genes, lineages × genes, and the weight of each gene.
    label
        Lineage number of the confident cells, else -1: who a profile rests on.
    best
        Most likely lineage of each cell.
    myeloid
        Which lineages are.
    """
    known = np.bincount(label[label >= 0], minlength=len(profiles)) >= MIN_LABELLED
    evidence = _Evidence(counts, profiles, weights)
    gain, second = np.full(len(best), -np.inf), best.copy()
    for first in np.unique(best):
        rows = np.flatnonzero(best == first)
        others = np.flatnonzero(known & (myeloid != myeloid[first]))
        gains = _pair_gains(evidence, rows, profiles[first], profiles[others])
        for other, new in zip(others, gains, strict=True):
            better = new > gain[rows]
            gain[rows[better]], second[rows[better]] = new[better], other
    return gain, second


def _pair_gains(evidence: _Evidence, rows: Integers, first: Floats, others: Floats) -> list[Floats]:
    """Return for each other profile the damped log-likelihood that mixing in much of it gains over mixing in little."""
    shares = (*MIXED_SHARES, *PURE_SHARES)
    means = [
        (1 - share) * first[evidence.used] + share * other for other in others[:, evidence.used] for share in shares
    ]
    seen = evidence.seen(
        np.array([np.log(mean) * evidence.weights for mean in means]).reshape(len(means), len(evidence.used)).T, rows
    )
    fits = (seen - evidence.expected(np.array(means).reshape(len(means), len(evidence.used)), rows)).T
    gains, middle = [], len(MIXED_SHARES)
    for start in range(0, len(fits), len(shares)):
        own = fits[start : start + len(shares)]
        gains.append(DAMPING * (np.max(own[:middle], axis=0) - np.max(own[middle:], axis=0)))
    return gains
