"""What is added to the score so that it is a likelihood ratio among the resting cells of the data set itself.

The mean of a likelihood ratio over cells without recovery is one, whatever the genes are. That of the score is less: it reckons with genes that stand
high by accident in one cell of fifty (`likelihood.OUTLYING`), and where they do so in fewer, each of thirty or forty genes says a little too much
against recovery, more in deep cells than in shallow ones. Together they held shares a fifth to a half too low in tissue that others had drawn.

So the mean is taken gene by gene, since that of the product depends on a handful of cells, of resting cells in a few ranges of depth, and the score is raised by the sum
of the logarithms. Genes of real cells go together, which this leaves out; there it would raise the score too far, in adult mice from 2 % of called
microglia to a tenth. The controls say so: the score is raised only as far as the share of recovery cells among them does not rise with it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from recovery_microglia.core.arrays import Bools, Floats, Integers
from recovery_microglia.recovery.gene_weights import Refined, parts_by_fold
from recovery_microglia.recovery.likelihood import (
    INTERMEDIATE,
    TURNED,
    TYPICAL_WEIGHTS,
    LevelWeights,
    Likelihoods,
    Resting,
    Weights,
    likeliest_levels,
    likelihoods_and_terms,
    log_ratio,
    mixture_share,
    probability,
    robust,
    shares_of_animals,
)

SAMPLE = 2_000
"""Cells that the means are taken of."""
DEPTHS, CELLS_OF_A_DEPTH = 4, 100
"""Ranges of depth, and how many cells each holds at least."""
PULL = 10.0
"""Weight of a mean of one, in cells."""
MOST_TURNED = 0.9
"""Share of recovery cells up to which the cells of an animal still say what resting cells hold."""
STEPS = 10
"""Parts in which the score is raised."""
MOST_IN_CONTROLS = 0.005
"""Share of recovery cells among control microglia up to which raising the score may bring it; where it was higher before, it is not to rise. Real adult mice hold
as many cells that are like recovery cells; with one in a hundred shares were less well met in drawn tissue of real cells, and better in that of drawn ones."""


@dataclass(frozen=True)
class Offset:
    """What each gene takes too much from the score.

    Attributes
    ----------
    columns
        Columns of the genes (genes,), ascending.
    log_depth
        Mean log counts of the ranges of depth (depths,).
    nats
        What is added to a gene's evidence (genes × depths × levels); levels are `TURNED` and then `INTERMEDIATE`.
    """

    columns: Integers
    log_depth: Floats
    nats: Floats

    def times(self, part: float) -> "Offset":
        """Return a part of it."""
        return replace(self, nats=self.nats * part)

    def of_genes(self, columns: Integers, log_depth: Floats) -> Floats:
        """Return what is added for some genes together (levels × cells), by the depth of the cells (log counts)."""
        here = columns[np.isin(columns, self.columns)]
        whole = self.nats[np.searchsorted(self.columns, here)].sum(axis=0)
        return np.array([np.interp(log_depth, self.log_depth, at_level) for at_level in whole.T])

    def of_weights(self, weights: Weights, log_depth: Floats) -> Floats:
        """Return what is added for all recovery genes of the weights (levels × cells)."""
        return self.of_genes(weights.columns[weights.recovery != 1], log_depth)

    def of_cells(self, counts: sp.csr_matrix, refined: Refined) -> Floats:
        """Return what is added to each cell's evidence by the weights that hold for it (levels × cells)."""
        log_depth = log_depths(counts)
        nats = np.zeros((len(TURNED) + len(INTERMEDIATE), len(log_depth)))
        for number, weights in enumerate(refined.weights):
            own = refined.fold == number
            nats[:, own] = self.of_weights(weights, log_depth[own])
        return nats


NONE = Offset(np.array([], dtype=np.int64), np.zeros(1), np.zeros((0, 1, len(TURNED) + len(INTERMEDIATE))))
"""Nothing is added."""


def log_depths(counts: sp.csr_matrix) -> Floats:
    """Return the logarithm of the counts of each cell; that of an empty one is 0."""
    return np.log(np.maximum(np.asarray(counts.sum(axis=1)).ravel(), 1.0))


def raised(fit: Likelihoods, nats: Floats) -> Likelihoods:
    """Return the likelihoods with ``nats`` (levels × cells) added to those of recovery."""
    return replace(fit, turned=fit.turned + nats[: len(TURNED)], intermediate=fit.intermediate + nats[len(TURNED) :])


def calibrated(
    counts: sp.csr_matrix,
    refined: Refined,
    resting: Resting | Sequence[Resting],
    fit: Likelihoods,
    level_weights: LevelWeights,
    animal: Integers,
    control: Bools,
    *,
    seed: int,
) -> tuple[Offset, Likelihoods, LevelWeights]:
    """Return what is added to the score, the likelihoods with it, and the levels that are likeliest then.

    Nothing is added without controls.

    Parameters
    ----------
    counts
        Microglia × genes, raw counts.
    refined, resting
        The weights, and what resting cells hold.
    fit, level_weights
        The likelihoods by these weights, and how far the cells are into recovery.
    animal
        Number of the animal of each cell.
    control
        Which are control microglia.
    seed
        Seed of the choice of cells.
    """
    if not control.any():
        return NONE, fit, level_weights
    ratio = log_ratio(fit, level_weights)
    share = np.clip(shares_of_animals(ratio, animal), 1e-4, MOST_TURNED)
    whole = offset_of(counts, refined, resting, 1 - probability(ratio, share), seed=seed)
    nats = whole.of_cells(counts, refined)
    most = max(mixture_share(ratio[control])[0], MOST_IN_CONTROLS)

    def at(step: int) -> tuple[Likelihoods, LevelWeights]:
        there = raised(fit, nats * (step / STEPS))
        return there, likeliest_levels(there, animal, TYPICAL_WEIGHTS)

    def allowed(step: int) -> bool:
        return mixture_share(log_ratio(*at(step))[control])[0] <= most

    step = _largest(allowed)
    if step == 0:
        return NONE, fit, level_weights
    return whole.times(step / STEPS), *at(step)


def _largest(allowed: Callable[[int], bool]) -> int:
    """Return the largest step that is allowed, 0 if none is; what is allowed stays so below."""
    if allowed(STEPS):
        return STEPS
    low, high = 0, STEPS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if allowed(middle) else (low, middle)
    return low


def offset_of(
    counts: sp.csr_matrix, refined: Refined, resting: Resting | Sequence[Resting], chance: Floats, *, seed: int
) -> Offset:
    """Return what makes the mean of each gene's likelihood ratio one among resting cells, by depth.

    ``chance``: how likely each cell is at rest (cells,), by which it counts.
    """
    n = counts.shape[0]
    taken = np.random.default_rng(seed).choice(n, min(SAMPLE, n), replace=False)
    chosen = np.zeros(n, dtype=bool)
    chosen[taken] = True
    log_depth = log_depths(counts)
    many = int(np.clip(len(taken) // CELLS_OF_A_DEPTH, 1, DEPTHS))
    edges = np.quantile(log_depth[chosen], np.linspace(0, 1, many + 1)[1:-1])
    place = np.searchsorted(edges, log_depth, side="right")
    ranges = np.unique(place[chosen])
    middle = np.array([log_depth[chosen & (place == number)].mean() for number in ranges])
    columns = np.unique(np.concatenate([w.columns[w.recovery != 1] for w in refined.weights]))
    total = np.zeros((len(columns), len(ranges), len(TURNED) + len(INTERMEDIATE)))
    cells = np.zeros((len(columns), len(ranges), 1))
    for own, weights, rest in parts_by_fold(refined, resting, chosen):
        _, terms = likelihoods_and_terms(counts[own], weights, rest, robust)
        # cells × ranges: each cell counts in its own
        member = (place[own][:, None] == ranges) * chance[own][:, None]
        for column, term in zip(weights.columns[weights.recovery != 1], terms, strict=True):
            gene = int(np.searchsorted(columns, column))
            total[gene] += (np.exp(term) @ member).T
            cells[gene, :, 0] += member.sum(axis=0)
    return Offset(columns, middle, -np.log((total + PULL) / (cells + PULL)))
