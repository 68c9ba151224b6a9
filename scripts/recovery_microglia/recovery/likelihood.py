"""How much better recovery explains a cell's counts than its absence does, whatever else the cell runs.

Counts of a gene in a cell are negative binomial around depth × share. The share in a resting microglia is that of
the control microglia of the same chemistry, brought to the ambient RNA and the background of the cell's own library. A
programme adds to its genes; how far a cell runs it is not known, so the likelihood is averaged over levels. The score is
the log of

    p(counts | recovery, other programmes) / p(counts | no recovery, other programmes),

both averaged over what else the cell may run. Genes of one programme only cancel in the ratio: a cell can run recovery and
the interferon response. Genes that several programmes raise (*Spp1* with migration, *Lilrb4a* with inflammation) count for
recovery as far as the others do not explain them. A cell runs the programme if it is at least two fifths as far as a typical recovery cell; one
that is less far stands among the cells without it. The evidence of one gene is bounded, and counts that come in bursts
among control cells are worth less.

Two rules bound it. `bounded` cuts what a gene says at each level; it tells well who is turned while little is known of the folds. But cut evidence
sees no difference between far and further, so that zeros of other genes pull every cell's level down. `robust` is a likelihood: a gene can stay
silent, rise more or less than the cell's others, or stand high by accident. It keeps what counts say of the level, and the score is made with it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.special import gammaln

from recovery_microglia.core.arrays import Bools, Floats, Integers, Texts
from recovery_microglia.core.frame_access import positions
from recovery_microglia.core.genes import present

DISPERSION = 0.5
"""Variance of a gene between cells of one state beyond Poisson, relative to the squared mean; typical of 10x."""
RECOVERY_FOLD, ROOT_RISE, FOLD_RANGE = 8.0, 4.0, (2.0, 30.0)
"""Fold of a signature gene at the full level before anything is known, and its rise at a level of one count in 10,000: the fold is 1 +
4 / root of the counts in 10,000 within the range, 8 for genes as rare as most of the signature are, 2 to 3 for common ones
(*Cd9* rises two- to threefold in pups and in DAM)."""
TURNED, INTERMEDIATE = (0.4, 0.6, 0.85, 1.5, 3.0, 6.0), (0.1, 0.2)
"""Levels of recovery: from two fifths of the full level on a cell runs the programme. Levels above 1 are for data whose genes rise
further than was expected (in pups *Igf1* and *Gpnmb* rise a hundredfold)."""
TYPICAL = 1.0
"""Level of a typical recovery cell (geometric mean), by which the unit is set for the score."""
TURNED_WEIGHTS = (0.28, 0.28, 0.28, 0.1, 0.04, 0.02)
"""How likely each level is among cells that run the programme, before their counts are seen and the folds are learnt."""
TYPICAL_WEIGHTS = (0.12, 0.19, 0.33, 0.23, 0.1, 0.03)
"""The same for the score. Their geometric mean is `TYPICAL`: in shallow data, where cells say little of their level, the estimate stays near what it began
with, and the scale of the folds would else be taken down step by step."""
PRIOR_LEVEL_CELLS, LEVEL_ROUNDS, START_SHARE = 10.0, 40, 0.1
"""Weight of these in what a data set's own cells say of the levels, in cells; rounds of estimating, and the share that they begin with."""
RIVAL_FOLD, RIVAL_LEVELS, SHARED_LEVEL = 4.0, (0.5, 1.0), 0.75
LEAST_SHARED = 1.15
"""Fold in another programme below which a gene of recovery counts as recovery's alone."""
RIVAL_WEIGHT, INTERMEDIATE_WEIGHT = 0.03, 0.02
"""Prior weights of each other programme, and of intermediate cells among those without the programme, at least."""
INTERMEDIATE_FOR_EACH, MOST_INTERMEDIATE = 0.3, 0.4
"""Intermediate cells that are expected for each that runs the programme, and their share of the others at most. From a twentieth to a
third of the full level there would be .35 for each cell above, if levels go on below as they do from a third to two thirds."""
WHOLE_TO, MOST_FOR, MOST_AGAINST = 2.0, 3.0, 2.0
"""Up to where the evidence of one gene for recovery counts in full, and what it never exceeds for and against recovery, in nats.
In between it counts ever less, so that of two cells the one with more counts still stands higher: with an edge at 3 the score ranked
pups' microglia that show *Itgax* and *Igf1* no better than a mean of genes does."""
SILENT, UNEVEN, OUTLYING = 0.135, 0.7, 0.02
"""Of `robust`: how often a gene stays silent in a recovery cell (so that it never counts more than 2 nats against), the SD of the logarithm of its rise
around that of the cell's other genes (as folds differ from the expected ones), and how often it stands high in a cell for no reason that is known
(so that it hardly counts more than 4 nats for)."""
MOST_PLAIN = 30.0
"""Evidence of one gene, in nats, beyond which `robust` does not tell counts apart."""
BURST_STAY = 0.7
"""A burst of k counts has probability 0.3 x 0.7^(k-1): three counts on average, with a long tail."""
RIVALS = ("acute_inflammatory", "interferon", "cycling", "migrating", "dissociation_stress")
CLEANING_ROUNDS = 2
PRIOR_CELLS, STATE_ROUNDS = 20.0, 20
"""Weight of the prior in an animal's shares of the other states, in cells, and rounds of estimating them."""
LEAST_SHARE = 2e-6
"""Share of a gene that a resting cell holds at least (two counts in a million): what is never seen in the controls can still
float in."""
LEAST_RESTING = 0.3
"""What the ambient correction leaves of a gene's level at least."""
BLOCK = 4000
"""Cells at once: bounds memory to a few hundred MB."""


@dataclass(frozen=True)
class Weights:
    """Folds of the genes at the full level of each state.

    Attributes
    ----------
    columns
        Columns of the genes that any state moves.
    recovery
        Fold in recovery (columns,); 1 where the gene is not of it.
    rivals
        Fold in the other states (rivals × columns).
    names
        The other states.
    """

    columns: Integers
    recovery: Floats
    rivals: Floats
    names: tuple[str, ...]


@dataclass(frozen=True)
class Resting:
    """What a resting microglia holds.

    Attributes
    ----------
    share
        Share of each gene in all counts of a cell (profiles × genes).
    profile
        Which profile, that of its library, holds for each cell (cells,).
    reference
        Share of each gene that folds multiply (genes,), that of resting control microglia: what floats into a library adds to
        a gene and does not multiply its rise. None: each profile's own share.
    noise
        How counts vary among resting cells; the defaults if None.
    """

    share: Floats
    profile: Integers
    reference: Floats | None = None
    noise: "Noise | None" = None

    def of(self, cells: Bools | Integers) -> "Resting":
        """Return the same for some of the cells."""
        return replace(self, profile=self.profile[cells])


@dataclass(frozen=True)
class Noise:
    """How the counts of each gene vary among cells of one state.

    Attributes
    ----------
    dispersion
        (Variance - mean) / mean² (genes,).
    burst
        Share of cells in which counts of the gene come in a burst, whatever the cell's state (genes,).
    """

    dispersion: Floats
    burst: Floats


@dataclass(frozen=True)
class Likelihoods:
    """Log-likelihoods of each cell's counts, relative to a resting cell that runs nothing.

    Attributes
    ----------
    turned, intermediate
        Recovery at each level (levels × cells), averaged over the other programmes.
    rest
        No recovery (cells,), averaged over the other programmes.
    rivals
        Each other programme by the genes that recovery does not share, averaged over levels (rivals × cells).
    """

    turned: Floats
    intermediate: Floats
    rest: Floats
    rivals: Floats


@dataclass(frozen=True)
class LevelWeights:
    """How far the cells of a data set are into recovery.

    Attributes
    ----------
    turned
        How likely each level of `TURNED` is among cells that run the programme (levels,); they add up to one.
    intermediate
        How likely a cell that does not run it is at a level below that (cells,), or one for all.
    """

    turned: Floats
    intermediate: float | Floats

    def of(self, cells: Bools | Integers) -> "LevelWeights":
        """Return the same for some of the cells."""
        return replace(
            self, intermediate=self.intermediate if isinstance(self.intermediate, float) else self.intermediate[cells]
        )


def expected_fold(share: Floats) -> Floats:
    """Return the fold that is expected of signature genes with these shares in resting cells."""
    return np.asarray(np.clip(1 + ROOT_RISE / np.sqrt(1e4 * np.maximum(share, 1e-9)), *FOLD_RANGE))


def with_expected_folds(weights: Weights, share: Floats) -> Weights:
    """Return the weights with the fold that is expected of each recovery gene; ``share`` in resting cells (genes,)."""
    own = weights.recovery != 1
    return replace(weights, recovery=np.where(own, expected_fold(share[weights.columns]), 1.0))


def prior_weights(genes: pd.Index, recovery: Sequence[str], rivals: Mapping[str, Sequence[str]]) -> Weights:
    """Return the weights before anything is known: one fold for all genes of a programme; absent genes are left out."""
    here = set(genes)
    own = positions(genes, present(recovery, here))
    others = {name: positions(genes, present(members, here)) for name, members in rivals.items()}
    others = {name: columns for name, columns in others.items() if len(columns)}
    columns = np.unique(np.concatenate([own, *others.values()])).astype(np.int64)
    folds = [np.where(np.isin(columns, members), RIVAL_FOLD, 1.0) for members in others.values()]
    table = np.array(folds) if folds else np.ones((0, len(columns)))
    return Weights(columns, np.where(np.isin(columns, own), RECOVERY_FOLD, 1.0), table, tuple(others))


def resting_share(counts: sp.csr_matrix, weight: Floats | None = None) -> Floats:
    """Return each gene's share of all counts of some cells (genes,); never 0, so that a first count is possible.

    ``weight`` says how much each cell counts (cells,); all alike if None.
    """
    total = np.asarray(counts.T @ (np.ones(counts.shape[0]) if weight is None else weight)).ravel().astype(float)
    return np.asarray((total + 0.02) / (total.sum() + 0.02 * len(total)))


def learn_resting(counts: sp.csr_matrix, weights: Weights) -> Floats:
    """Return each gene's share in the resting cells among control microglia (genes,).

    Controls hold a few recovery cells, neonatal and aged ones many. After a first estimate from all of them, each
    cell counts by how likely it is not one; twice, as further rounds change nothing.
    """
    resting = resting_share(counts)
    profile = np.zeros(counts.shape[0], dtype=np.int64)
    for _ in range(CLEANING_ROUNDS):
        ratio = log_ratio(likelihoods(counts, weights, Resting(resting[None], profile)))
        resting = resting_share(counts, 1 - probability(ratio, mixture_share(ratio)[0]))
    return resting


def resting_by_library(
    share: Floats, library: Texts, size: Floats, reference: Bools, ambient: pd.DataFrame | None
) -> Resting:
    """Return the resting profile of each library: the controls' one with the library's own ambient RNA in place of theirs.

    Parameters
    ----------
    share
        Share of each gene in resting control microglia (genes,), see `learn_resting`.
    library, size, reference
        Library and counts of each cell, and which cells ``share`` was learnt from.
    ambient
        Ambient counts of each gene per count of a cell (genes × libraries); None if not known.
    """
    names, profile = np.unique(library, return_inverse=True)
    if ambient is None:
        return Resting(np.repeat(share[None], len(names), axis=0), profile.astype(np.int64))
    floating = np.array([ambient[name] if name in ambient else np.zeros(len(share)) for name in names], float)
    weight = np.bincount(profile, weights=size * reference, minlength=len(names))
    usual = weight @ floating / max(weight.sum(), 1.0)
    return Resting(np.maximum(share + floating - usual, LEAST_RESTING * share), profile.astype(np.int64))


# ---------------------------------------------------------------- likelihoods


def gene_terms(
    x: Floats,
    depth: Floats,
    base: Floats,
    fold: Floats,
    dispersion: float | Floats = DISPERSION,
    burst: Floats | None = None,
) -> Floats:
    """Return what each gene adds to the log-likelihood if it is raised ``fold`` times (cells × genes); unbounded, see `bounded`.

    Parameters
    ----------
    x
        Counts, cells × genes.
    depth
        Counts of each cell in all genes.
    base
        Share in a resting cell (genes,) or (cells × genes).
    fold
        (genes,) or (cells × genes).
    dispersion
        One for all genes, or (genes,).
    burst
        How likely a burst is, relative to the same count in a resting cell without one (cells × genes), see `burst_odds`; 0
        if None.
    """
    mean, size = depth[:, None] * base, 1 / np.asarray(dispersion)
    plain = x * np.log(fold) - (x + size) * np.log1p(mean * (fold - 1) / (size + mean))
    if burst is not None:
        plain = np.where(x > 0, np.log((np.exp(np.minimum(plain, 50.0)) + burst) / (1 + burst)), plain)
    return np.asarray(plain)


def bounded(terms: Floats, _: Sequence[float] = ()) -> Floats:
    """Return each gene's evidence within `MOST_AGAINST` and `MOST_FOR`, at each level of a programme alone.

    What exceeds `WHOLE_TO` by u counts as u r / (u + r), r being the room that is left: slope 1 at first, and never more than r.
    """
    above, room = np.maximum(terms - WHOLE_TO, 0.0), MOST_FOR - WHOLE_TO
    return np.asarray(np.maximum(np.minimum(terms, WHOLE_TO) + above * room / (above + room), -MOST_AGAINST))


def robust(terms: Floats, levels_: Sequence[float]) -> Floats:
    """Return each gene's evidence where genes may stay silent, rise unevenly, or stand high by accident (levels × cells × genes).

    A mixture of likelihoods relative to that of a resting cell, and so a likelihood ratio itself: which level fits best is left as it is.

    Parameters
    ----------
    terms
        Log-likelihood of each gene at each level, relative to a resting cell's.
    levels_
        The levels; 0 may be among them.
    """
    likely = np.exp(np.minimum(terms, MOST_PLAIN))
    without = levels_.index(0.0) if 0.0 in levels_ else None
    raised = np.tensordot(_unevenness(tuple(levels_)), likely, 1)
    silent = 1.0 if without is None else likely[without]
    accident = (likely.sum(axis=0) - (0.0 if without is None else silent)) / (len(levels_) - (without is not None))
    found = (1 - SILENT) * raised + SILENT * silent
    return np.asarray(np.log(found) - np.log((1 - OUTLYING) + OUTLYING * accident))


@cache
def _unevenness(levels_: tuple[float, ...]) -> Floats:
    """Return how likely a gene is at each level (columns) in a cell at each level (rows); 0 stays 0.

    Log-normal around the cell's level; each level of the grid stands for the piece of the logarithmic scale around it.
    """
    found = np.eye(len(levels_))
    moved = np.flatnonzero(np.array(levels_) > 0)
    place = np.log(np.array(levels_)[moved])
    order = place.argsort()
    width = np.empty(len(moved))
    width[order] = np.gradient(place[order])
    near = np.exp(-0.5 * ((place[:, None] - place) / UNEVEN) ** 2) * width
    found[np.ix_(moved, moved)] = near / near.sum(axis=1, keepdims=True)
    return found


def log_counts(x: Floats, mean: Floats, dispersion: float | Floats) -> Floats:
    """Return the log-probability of counts, negative binomial with variance mean + dispersion × mean²."""
    size = 1 / np.asarray(dispersion)
    mean = np.maximum(mean, 1e-12)
    return np.asarray(
        gammaln(x + size)
        - gammaln(size)
        - gammaln(x + 1)
        + size * np.log(size / (size + mean))
        + x * np.log(mean / (size + mean))
    )


def log_burst(x: Floats) -> Floats:
    """Return the log-probability of a count given a burst; impossible (-inf) where it is 0."""
    return np.where(x > 0, np.log(1 - BURST_STAY) + (x - 1) * np.log(BURST_STAY), -np.inf)


def burst_odds(x: Floats, mean: Floats, noise: Noise, columns: Integers) -> Floats:
    """Return how likely a burst is relative to the same count in a resting cell without one (cells × columns)."""
    share = noise.burst[columns]
    plain = log_counts(x, mean, noise.dispersion[columns])
    with np.errstate(over="ignore"):
        odds = np.exp(np.minimum(log_burst(x) + np.log(share) - np.log1p(-share) - plain, 50.0))
    return np.asarray(odds)


Rule = Callable[[Floats, Sequence[float]], Floats]
"""What the evidence of each gene at each level (levels × cells × genes; the levels) is worth: `bounded` or `robust`."""


def likelihoods(counts: sp.csr_matrix, weights: Weights, resting: Resting, rule: Rule = bounded) -> Likelihoods:
    """Return the log-likelihoods of recovery at each level and of its absence, and of the other programmes.

    Parameters
    ----------
    counts
        Cells × genes, raw counts.
    weights
        Which genes a programme raises, and how far.
    resting
        What a resting cell of each library holds.
    rule
        How the evidence of recovery's genes is bounded.
    """
    return _blockwise(counts, weights, resting, rule, None)


def likelihoods_and_terms(
    counts: sp.csr_matrix, weights: Weights, resting: Resting, rule: Rule = bounded
) -> tuple[Likelihoods, list[Floats]]:
    """Return the likelihoods, and each recovery gene's own evidence at every level (one array, levels × cells, a gene).

    The genes are those with a fold, in the order of the weights; the levels are `TURNED` and then `INTERMEDIATE`.
    """
    genes = int((weights.recovery != 1).sum())
    terms = np.zeros((genes, len(TURNED) + len(INTERMEDIATE), counts.shape[0]), dtype=np.float32)
    return _blockwise(counts, weights, resting, rule, terms), list(terms)


def _blockwise(
    counts: sp.csr_matrix, weights: Weights, resting: Resting, rule: Rule, terms: NDArray[np.float32] | None
) -> Likelihoods:
    """Return the likelihoods, block by block; fill ``terms`` (genes × levels × cells) where they are wanted."""
    n = counts.shape[0]
    depth = np.asarray(counts.sum(axis=1)).ravel().astype(float)
    part = counts[:, weights.columns]
    levels_ = (*TURNED, *INTERMEDIATE)
    own, rest, rivals = np.zeros((len(levels_), n)), np.zeros(n), np.zeros((len(weights.names), n))
    for start in range(0, n, BLOCK):
        rows = slice(start, start + BLOCK)
        block = _Block(part[rows].toarray().astype(float), depth[rows], resting, resting.profile[rows], weights)
        own[:, rows], rest[rows], rivals[:, rows], alone = block.programmes(levels_, rule)
        if terms is not None:
            terms[:, :, rows] = alone.transpose(2, 0, 1)
    return Likelihoods(own[: len(TURNED)], own[len(TURNED) :], rest, rivals)


def less(fit: Likelihoods, term: Floats) -> Likelihoods:
    """Return the likelihoods without one recovery gene's own part (levels × cells, see `likelihoods_and_terms`)."""
    return replace(fit, turned=fit.turned - term[: len(TURNED)], intermediate=fit.intermediate - term[len(TURNED) :])


class _Block:
    """Some cells at once: counts, resting level and noise of the genes that any programme moves."""

    def __init__(self, x: Floats, depth: Floats, resting: Resting, profile: Integers, weights: Weights) -> None:
        self.x, self.depth, self.weights = x, depth, weights
        self.base = resting.share[:, weights.columns][profile]
        self.ratio = None if resting.reference is None else resting.reference[weights.columns] / self.base
        noise, recovery = resting.noise, np.flatnonzero(weights.recovery != 1)
        self.dispersion = np.full(len(weights.columns), DISPERSION)
        self.burst: Floats | None = None
        if noise is not None:
            self.dispersion[recovery] = noise.dispersion[weights.columns[recovery]]
            self.burst = np.zeros_like(x)
            self.burst[:, recovery] = burst_odds(
                x[:, recovery], depth[:, None] * self.base[:, recovery], noise, weights.columns[recovery]
            )

    def terms(self, genes: Integers, rise: Floats) -> Floats:
        """Return the evidence of some genes raised to 1 + ``rise`` times the reference (cells × genes)."""
        fold = 1 + (rise if self.ratio is None else rise * self.ratio[:, genes])
        burst = None if self.burst is None else self.burst[:, genes]
        return gene_terms(self.x[:, genes], self.depth, self.base[:, genes], fold, self.dispersion[genes], burst)

    def at_levels(
        self, genes: Integers, rise: Floats, levels_: Sequence[float], rule: Rule, extra: float | Floats = 0.0
    ) -> Floats:
        """Return the bounded evidence of some genes at levels of a programme (levels × cells × genes).

        ``extra`` is what another programme that the cell runs adds to each gene, in multiples of the reference.
        """
        return rule(np.array([self.terms(genes, level * rise + extra) for level in levels_]), levels_)

    def programmes(self, levels_: Sequence[float], rule: Rule) -> tuple[Floats, Floats, Floats, Floats]:
        """Return recovery at each level, its absence, the rivals, and what each recovery gene says on its own.

        Shapes: levels × cells; cells; rivals × cells; levels × cells × genes.
        """
        weights = self.weights
        recovery = np.flatnonzero(weights.recovery != 1)
        rise = weights.recovery[recovery] - 1
        alone = self.at_levels(recovery, rise, levels_, rule)
        plain = alone.sum(axis=2)
        own = np.zeros((len(weights.names), len(self.depth)))
        none = max(1 - RIVAL_WEIGHT * len(own), RIVAL_WEIGHT)
        whole, rest = [plain + np.log(none)], [np.full(len(self.depth), np.log(none))]
        for number, fold in enumerate(weights.rivals):
            only = np.flatnonzero((fold != 1) & (weights.recovery == 1))
            own[number] = _mean(self.at_levels(only, fold[only] - 1, RIVAL_LEVELS, bounded).sum(axis=2))
            both = np.flatnonzero(fold[recovery] >= LEAST_SHARED)
            start = own[number] + np.log(RIVAL_WEIGHT)
            extra = SHARED_LEVEL * (fold[recovery[both]] - 1)
            # no recovery is a level as well, so that a gene's bounds are the same with and without it
            shared = self.at_levels(recovery[both], rise[both], (0.0, *levels_), rule, extra).sum(axis=2)
            rest.append(start + shared[0])
            whole.append(plain - alone[:, :, both].sum(axis=2) + shared[1:] + start)
        return log_sum(whole), log_sum(rest), own, alone


def log_sum(logs: Floats | Sequence[Floats]) -> Floats:
    """Return the log of the sum over the first axis; the logs are finite. SciPy's `logsumexp` costs three times as much here."""
    table = np.asarray(logs)
    top = table.max(axis=0)
    return np.asarray(top + np.log(np.exp(table - top).sum(axis=0)))


def _mean(logs: Floats) -> Floats:
    """Return the log of the mean over the first axis."""
    return np.asarray(log_sum(logs) - np.log(len(logs)))


PRIOR_LEVELS = LevelWeights(np.array(TURNED_WEIGHTS), INTERMEDIATE_WEIGHT)


def without_recovery(fit: Likelihoods, intermediate: float | Floats = INTERMEDIATE_WEIGHT) -> Floats:
    """Return the log-likelihood of all that is not recovery (cells,): without it, and intermediate."""
    return np.asarray(
        np.logaddexp(np.log1p(-np.asarray(intermediate)) + fit.rest, np.log(intermediate) + _mean(fit.intermediate))
    )


def log_ratio(fit: Likelihoods, level_weights: LevelWeights = PRIOR_LEVELS) -> Floats:
    """Return the log-likelihood ratio of recovery against its absence (cells,), in nats."""
    turned = log_sum(fit.turned + np.log(level_weights.turned)[:, None])
    return np.asarray(turned - without_recovery(fit, level_weights.intermediate))


def log_ratios_without(fit: Likelihoods, terms: Sequence[Floats], level_weights: LevelWeights = PRIOR_LEVELS) -> Floats:
    """Return the log-likelihood ratio without each gene in turn (genes × cells); ``terms`` of `likelihoods_and_terms`."""
    return np.array([log_ratio(less(fit, term), level_weights) for term in terms]).reshape(len(terms), len(fit.rest))


def likeliest_levels(fit: Likelihoods, group: Integers, expected: Sequence[float] = TURNED_WEIGHTS) -> LevelWeights:
    """Return how far the cells of a data set are into recovery.

    Those weights that make the cells of all animals likeliest, each animal with its own share of recovery cells, drawn towards the ``expected``
    ones with the weight of `PRIOR_LEVEL_CELLS` cells. Data sets differ: in a gradient many cells are half-way, in pups hardly any is. With
    the prior weights alone more than half of the pups' microglia would be called.

    Where there is a gradient, animals with many recovery cells also hold many intermediate ones; one ratio of the two holds for all
    animals. With a fixed share of them they were counted as recovery cells: shares came out a sixth too high in drawn sorted cells.
    """
    prior = np.array(expected)
    weights, share, for_each = (
        prior,
        np.full(int(group.max()) + 1 if len(group) else 0, START_SHARE),
        INTERMEDIATE_FOR_EACH,
    )
    size = np.maximum(np.bincount(group, minlength=len(share)), 1)
    between = _mean(fit.intermediate)
    for _ in range(LEVEL_ROUNDS):
        each = fit.turned + np.log(weights)[:, None]
        turned = log_sum(each)
        known, below = share[group], _intermediate(share, for_each)[group]
        parts = np.array([np.log(known) + turned, np.log((1 - known) * below) + between,
                          np.log((1 - known) * (1 - below)) + fit.rest])  # fmt: skip
        chance, passing, _ = np.exp(parts - log_sum(parts))
        share = np.clip(np.bincount(group, weights=chance, minlength=len(share)) / size, 1e-6, 1 - 1e-6)
        found = (np.exp(each - turned) * chance).sum(axis=1) + PRIOR_LEVEL_CELLS * prior
        weights = found / found.sum()
        for_each = (passing.sum() + PRIOR_LEVEL_CELLS * INTERMEDIATE_FOR_EACH) / (chance.sum() + PRIOR_LEVEL_CELLS)
    # a few intermediate cells are reckoned with everywhere; counted above, they would be taken for those of a gradient
    intermediate = np.maximum(_intermediate(share, for_each), INTERMEDIATE_WEIGHT)[group]
    return LevelWeights(np.asarray(weights), intermediate)


def typical_level(level_weights: LevelWeights) -> float:
    """Return the level of a typical recovery cell: the geometric mean, since a few cells that are far ahead say little of the others."""
    return float(np.exp(level_weights.turned @ np.log(TURNED)))


def _intermediate(share: Floats, for_each: float) -> Floats:
    """Return how many of the cells without the programme are intermediate, where there are ``for_each`` for each recovery cell."""
    return np.asarray(np.clip(for_each * share / (1 - share), 1e-9, MOST_INTERMEDIATE))


def levels(fit: Likelihoods, share: Floats, level_weights: LevelWeights = PRIOR_LEVELS) -> Floats:
    """Return how far each cell is expected to be into recovery and each other programme (cells × (1 + rivals)).

    ``share`` is the share of recovery cells that is expected where the cell comes from (cells,).
    """
    known = np.clip(share, 1e-4, 1 - 1e-4)
    part = np.asarray(level_weights.intermediate)
    own = np.log(known) + np.log(level_weights.turned)[:, None] + fit.turned
    between = np.log1p(-known) + np.log(part / len(INTERMEDIATE)) + fit.intermediate
    rest = np.log1p(-known) + np.log1p(-part) + fit.rest
    whole = log_sum(np.vstack([own, between, rest]))
    recovery = (np.exp(own - whole) * np.array(TURNED)[:, None]).sum(axis=0)
    recovery += (np.exp(between - whole) * np.array(INTERMEDIATE)[:, None]).sum(axis=0)
    rivals = 1 / (1 + np.exp(-np.clip(fit.rivals + np.log(RIVAL_WEIGHT / (1 - RIVAL_WEIGHT)), -700, 700)))
    return np.vstack([recovery[None], rivals * np.mean(RIVAL_LEVELS)]).T


def programme_probabilities(fit: Likelihoods, names: Sequence[str], recovery: Floats, group: Integers) -> pd.DataFrame:
    """Return the probability that each cell runs each programme (cells × programmes); a cell can run several.

    ``homeostatic`` is the probability that it runs none of them.

    Parameters
    ----------
    fit
        Log-likelihoods of the cells.
    names
        The other programmes.
    recovery
        Probability of recovery (cells,), NaN counts as 0.
    group
        Number of the animal that each cell comes from: the share of cells that run a programme is the one that makes its cells
        likeliest, drawn towards the prior weight with the weight of `PRIOR_CELLS` cells.
    """
    found = {name: np.zeros(len(recovery)) for name in names}
    for number in np.unique(group):
        own = np.flatnonzero(group == number)
        for name, evidence in zip(names, fit.rivals[:, own], strict=True):
            share = RIVAL_WEIGHT
            for _ in range(STATE_ROUNDS):
                chance = 1 / (1 + np.exp(-np.clip(evidence + np.log(share / (1 - share)), -700, 700)))
                share = float((chance.sum() + PRIOR_CELLS * RIVAL_WEIGHT) / (len(own) + PRIOR_CELLS))
            found[name][own] = chance
    known = np.nan_to_num(recovery)
    none = np.prod([1 - known, *(1 - p for p in found.values())], axis=0)
    return pd.DataFrame({"homeostatic": none, **found, "recovery": known})


# ---------------------------------------------------------------- how many, without a cutoff


def _log_mixture(ratio: Floats, share: Floats) -> Floats:
    """Return the log-likelihood of shares of recovery cells (shares,), up to a constant."""
    return np.asarray(np.logaddexp(np.log1p(-share)[:, None], np.log(share)[:, None] + ratio).sum(axis=1))


SHARES = np.sin(np.linspace(0, np.pi / 2, 1002)[1:-1]) ** 2
"""Grid of shares, evenly spaced in arcsine-root."""


def mixture_share(ratio: Floats, *, drop: float = 1.9207) -> tuple[float, float, float]:
    """Return the share of recovery cells that makes the scores likeliest, and its 95 % likelihood interval.

    No cell is called: a cell counts by how much recovery explains it better. The interval (log-likelihood within
    1.92 of its maximum, by Wilks) is that of one animal's cells only. NaN without cells.
    """
    return _mixture(ratio, drop)[0]


def mixture_and_worth(ratio: Floats, *, drop: float = 1.9207) -> tuple[float, float, float, float, float]:
    """Return `mixture_share`, and the recovery cells among how many cells, all known without doubt, that say the same.

    Of these two numbers (no integers) the binomial log-likelihood is the nearest to that of the scores: least squares over the
    shares within the interval. There is at least one cell, and no more than all.
    """
    from scipy.optimize import nnls

    shares, p, likelihood = _mixture(ratio, drop)
    if len(p) == 0:
        return *shares, float("nan"), float("nan")
    # the constant may have either sign
    one = np.ones(len(p))
    (recovery, other, *_), _ = nnls(np.column_stack([np.log(p), np.log1p(-p), one, -one]), likelihood)
    cells = float(np.clip(recovery + other, 1, int(np.isfinite(ratio).sum())))
    return *shares, float(recovery / max(recovery + other, 1e-12)) * cells, cells


def _mixture(ratio: Floats, drop: float) -> tuple[tuple[float, float, float], Floats, Floats]:
    """Return what `mixture_share` returns, and the grid within the interval with its log-likelihood; without cells it is empty."""
    known = ratio[np.isfinite(ratio)]
    if len(known) == 0:
        return (float("nan"),) * 3, np.zeros(0), np.zeros(0)
    likelihood = _log_mixture(known, SHARES)
    best = int(likelihood.argmax())
    inside = np.flatnonzero(likelihood >= likelihood[best] - drop)
    # the ends of the grid stand for 0 and 1
    low = 0.0 if inside[0] == 0 else float(SHARES[inside[0]])
    high = 1.0 if inside[-1] == len(SHARES) - 1 else float(SHARES[inside[-1]])
    share = 0.0 if best == 0 else 1.0 if best == len(SHARES) - 1 else float(SHARES[best])
    return (share, low, high), SHARES[inside], likelihood[inside]


def likeliest_share(ratio: Floats, *, start: float = 0.1, rounds: int = 30) -> Floats:
    """Return about the share that `mixture_share` finds (0-d, or one a row), by expectation-maximisation: quicker, no interval.

    ``ratio``: log-likelihood ratios (cells,) or (rows × cells).
    """
    times = np.exp(np.clip(ratio, -700, 700))
    share = np.full((*ratio.shape[:-1], 1), start)
    for _ in range(rounds):
        odds = times * share
        share = (odds / (odds + 1 - share)).mean(axis=-1, keepdims=True)
    return np.asarray(share[..., 0])


def shares_of_animals(ratio: Floats, animal: Integers) -> Floats:
    """Return for each cell the share of recovery cells that makes its animal's log-likelihood ratios likeliest."""
    found = np.full(len(ratio), np.nan)
    for number in np.unique(animal):
        own = animal == number
        found[own] = mixture_share(ratio[own])[0]
    return found


def probability(ratio: Floats, share: float | Floats) -> Floats:
    """Return the probability that each cell is a recovery cell where a share of such cells is expected.

    ``share``: one for all, or one for each cell.
    """
    known = np.broadcast_to(np.asarray(share, dtype=float), ratio.shape)
    # a share of 0 or 1 leaves no doubt about any cell
    with np.errstate(divide="ignore", invalid="ignore"):
        found = 1 / (1 + np.exp(-(ratio + np.log(known / (1 - known)))))
    return np.asarray(np.where((known > 0) & (known < 1), found, np.where(np.isfinite(ratio), known, np.nan)))
