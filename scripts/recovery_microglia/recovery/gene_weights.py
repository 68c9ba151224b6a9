"""Gene weights learnt from the data set itself, and when that is refused.

The prior weights say how likely each microglia is far into recovery. Within each library the counts of a gene are
regressed on that level, on the levels of the other programmes and on depth: what goes with recovery beyond them is the
gene's fold. A signature gene is judged by the other genes' opinion only (its own counts do not say who is turned), so
that chance does not feed itself. Folds are drawn towards what they were expected to be as far as their error is
large. Every animal is scored by the weights of the other animals.

Nothing is learnt between libraries or days: a batch moves all cells of a library, and none within it.

Folds and levels are known up to a scale that all genes share: twice the folds at half the levels say the same. `in_typical_units` sets it by the
cells: a typical recovery cell stands at the level `TYPICAL`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import scipy.sparse as sp
from scipy.special import logsumexp
from scipy.stats import rankdata

from recovery_microglia.core.arrays import Bools, Floats, Integers, Texts
from recovery_microglia.core.genes import Signatures, present
from recovery_microglia.recovery.likelihood import (
    INTERMEDIATE,
    INTERMEDIATE_WEIGHT,
    PRIOR_LEVELS,
    RECOVERY_FOLD,
    TURNED,
    TYPICAL,
    TYPICAL_WEIGHTS,
    LevelWeights,
    Likelihoods,
    Resting,
    Weights,
    less,
    levels,
    likeliest_levels,
    likelihoods,
    likelihoods_and_terms,
    log_ratio,
    robust,
    shares_of_animals,
    typical_level,
)

COLUMNS = ("gene", "role", "fold_before", "fold", "fold_low", "fold_high", "weights_with_it", "decision")
N_FOLDS = 4
LEAST_CELLS, LEAST_SHARE, LEAST_ANIMALS, LEAST_EACH = 20.0, 0.012, 2, 2.0
"""Full recovery cells' worth that the animals to learn from must hold together, their share of all cells, and how many
animals at least that hold this many each. Nulls and inflammation of the benchmark hold 6 to 12, 0.4 to 0.8 %; every
scenario with a rise that can be found held more than 23 and 1.8 %."""
CLEAR, LEAST_CLEAR, LEAST_CLEAR_SHARE, LEAST_CLEAR_EACH = 0.2, 5.0, 0.001, 1.0
"""The same of cells that are expected beyond an intermediate level, enough as well. Resting cells add up to a third of a per cent by accident, which
among thousands of sorted microglia hides a rare subgroup; beyond this level they hold .08 % at most in drawn nulls, and 5 cells' worth among 9,000."""
RARE_IN_CONTROLS = 0.01
"""Share of recovery cells among control microglia beyond which weights that few cells taught are not believed: real adult mice hold .5 to 1 % of cells that are like
recovery cells, and where no others are there, these teach what they are (4 to 6 % of the controls of two drawn nulls of real cells were then called)."""
FOLDS = np.exp(np.linspace(np.log(0.5), np.log(1024), 153))
"""Grid of folds, evenly spaced in logarithm."""
GAMMA = 1.5
"""Variance of counts over their mean that standard errors allow for at least."""
DROPPED_BELOW, ADDED_FROM = 1.5, 1.25
AT_MOST = 40
"""Genes added at most."""
RIVAL_RATIO = 1.5
"""A gene is added if it rises this much more with recovery than with any other programme, less its error."""
LEAST_EXPECTED = 0.005
"""Counts of a gene in a resting cell of median depth, below which it is not considered."""
CLEARLY = 3.0
"""Standard errors by which a library's own level of a gene must exceed the controls' to be believed."""
TOP, TOO_MUCH, MORE_THAN_BEFORE = 0.05, 0.75, 0.1
SCALE_ROUNDS, SCALE_NEAR, SCALE_RANGE = 15, 0.02, (0.25, 16.0)
"""Rounds of setting the scale of the folds, how near (relative) it must come, and its range: cells that rise less than a quarter as far as was
expected are none that were looked for."""
MAY_BE_TURNED = -5.0
"""Score from which a cell says something of the scale."""


@dataclass(frozen=True)
class Prior:
    """What is expected of a gene's fold: log-normal around ``centre``; with probability ``none`` it does not move.

    ``sure``: how likely it must be to move for it to be added.
    """

    centre: float
    sd: float
    none: float
    sure: float


SIGNATURE = Prior(RECOVERY_FOLD, 0.7, 0.0, 0.0)
RELATED = Prior(1.7, 0.5, 0.5, 0.3)
ANY = Prior(2.0, 0.7, 0.98, 0.99)
RIVAL = Prior(1.0, 0.3, 0.0, 0.0)


@dataclass(frozen=True)
class Refined:
    """What was learnt.

    Attributes
    ----------
    weights
        One set of weights a fold; empty where learning was refused.
    fold
        Which weights hold for each cell (cells,): those that have not seen its animal.
    table
        = refinement.tsv.
    refused
        Why nothing was learnt; empty if something was.
    resting
        What resting cells hold, the added genes at the level of each library; None where nothing was added.
    rare
        Whether the recovery cells that taught are few among all (see `CLEAR`), so that the controls have to confirm what was learnt.
    """

    weights: tuple[Weights, ...]
    fold: Integers
    table: pd.DataFrame
    refused: str
    resting: Resting | None = None
    rare: bool = False


def refine(
    counts: sp.csr_matrix,
    genes: pd.Index,
    weights: Weights,
    resting: Resting,
    cells: pd.DataFrame,
    control: Bools,
    signatures: Signatures,
    nuisance: pd.DataFrame,
) -> Refined:
    """Learn the weights of a data set's genes, cross-fitted over animals.

    Parameters
    ----------
    counts, genes
        Microglia × genes, raw counts, and the symbols.
    weights, resting
        Prior weights, and what resting cells hold.
    cells
        Microglia with library and subject.
    control
        Which are control microglia.
    signatures
        Gene sets: candidates are those of context and related sets; genes of other programmes, technical and
        homeostatic genes are never added (the loss of the latter is common to all reactive states).
    nuisance
        Per cell what must not be learnt; each column is tested on control microglia.
    """
    subject, library = cells["subject"].to_numpy(str), cells["library"].to_numpy(str)
    fold = cross_fit(subject, control)
    fit, terms = likelihoods_and_terms(counts, weights, resting)
    animal = np.unique(subject, return_inverse=True)[1].astype(np.int64)
    # with the share of intermediate cells that fits the data, fewer cells seem far into recovery, folds rise, and fewer still do
    weights_of_levels = replace(likeliest_levels(fit, animal), intermediate=INTERMEDIATE_WEIGHT)
    ratio = log_ratio(fit, weights_of_levels)
    share = shares_of_animals(ratio, animal)
    level = levels(fit, share, weights_of_levels)
    reason, rare = _too_few(level[:, 0], subject, fold, control)
    if reason:
        return Refined((), fold, _unlearnt(genes, weights, signatures), reason)
    depth = np.log(np.asarray(counts.sum(axis=1)).ravel())
    system = _System(counts, library, subject, fold)
    candidates = _candidates(counts, genes, weights, resting, signatures)
    moved = np.flatnonzero(weights.recovery != 1)
    per_gene = [
        system.moments(levels(less(fit, term), share, weights_of_levels), depth, weights.columns[[column]])
        for column, term in zip(moved, terms, strict=True)
    ]
    together = system.moments(level, depth, candidates)
    base = resting.reference
    if base is None:
        base = np.average(resting.share, axis=0, weights=np.bincount(resting.profile, minlength=len(resting.share)))
    related = np.isin(genes[candidates], [*signatures.context.up, *signatures.related.up])
    learnt, rows = [], []
    for number in range(int(fold.max()) + 1):
        own = np.array([_signature_fold(system.solve(m, number), base[[weights.columns[c]]], weights.recovery[c])
                        for c, m in zip(moved, per_gene, strict=True)])  # fmt: skip
        effect, error = system.solve(together, number)
        chosen, up, down = _choose(effect, error, base[candidates], related, len(weights.names))
        recovery = weights.recovery.copy()
        recovery[moved] = np.where(own[:, 0] >= DROPPED_BELOW, own[:, 0], 1.0)
        learnt.append(
            Weights(
                np.concatenate([weights.columns, candidates[chosen]]),
                np.concatenate([recovery, up]),
                np.concatenate([weights.rivals, down], axis=1),
                weights.names,
            )
        )
        rows += [(genes[weights.columns[c]], "signature", weights.recovery[c], *own[i]) for i, c in enumerate(moved)]
        rows += [
            (genes[candidates[c]], "related" if related[c] else "further", 1.0, up[i], np.nan, np.nan)
            for i, c in enumerate(chosen)
        ]
    rest = _own_levels(counts, learnt, resting, base, level[:, 0], library, weights.columns[moved])
    refined = Refined(tuple(learnt), fold, _told(rows, len(learnt)), "", rest, rare)
    if reason := _moved_by(score(counts, refined, rest), ratio, control, nuisance):
        return Refined((), fold, _unlearnt(genes, weights, signatures), reason)
    return refined


def _own_levels(
    counts: sp.csr_matrix,
    learnt: Sequence[Weights],
    resting: Resting,
    base: Floats,
    level: Floats,
    library: Texts,
    signature: Integers,
) -> Resting:
    """Return what resting cells hold, the added genes at each library's own level where it is clearly above the controls'.

    A library's level is the intercept of the regression: its mean less what its cells' levels of recovery explain. What all cells of a
    library share with no regard to recovery (age, batch) is no evidence for it.
    """
    share = resting.share.copy()
    before = set(signature.tolist())  # their backgrounds were estimated with more care, see `background`
    rise: dict[int, list[float]] = {}
    for weights in learnt:
        for column, up in zip(weights.columns, weights.recovery, strict=True):
            if up != 1 and column not in before:
                rise.setdefault(int(column), []).append(float(base[column] * (up - 1)))
    columns = np.array(sorted(rise), dtype=np.int64)
    if not len(columns):
        return resting
    each = np.array([np.mean(rise[int(c)]) for c in columns])
    size = np.asarray(counts.sum(axis=1)).ravel().astype(float)
    part = counts[:, columns]
    for name in np.unique(library):
        cells = np.flatnonzero(library == name)
        whole = size[cells].sum()
        seen = np.asarray(part[cells].sum(axis=0)).ravel() / whole
        own = seen - each * (size[cells] @ level[cells]) / whole
        profile = int(resting.profile[cells[0]])
        usual = share[profile, columns]
        clear = own > usual + CLEARLY * np.sqrt(GAMMA * usual / whole)
        share[profile, columns] = np.where(clear, own, usual)
    return replace(resting, share=share)


def score(
    counts: sp.csr_matrix,
    refined: Refined,
    resting: Resting | Sequence[Resting],
    level_weights: LevelWeights = PRIOR_LEVELS,
) -> Floats:
    """Return the log-likelihood ratio of each cell by the weights that have not seen its animal.

    ``resting``: one for all, or one for each set of weights. ``level_weights``: see `log_ratio`.
    """
    return log_ratio(fitted(counts, refined, resting), level_weights)


def fitted(counts: sp.csr_matrix, refined: Refined, resting: Resting | Sequence[Resting]) -> Likelihoods:
    """Return the log-likelihoods of each cell by the weights that have not seen its animal."""
    n, rivals = counts.shape[0], len(refined.weights[0].names)
    found = Likelihoods(
        np.zeros((len(TURNED), n)), np.zeros((len(INTERMEDIATE), n)), np.zeros(n), np.zeros((rivals, n))
    )
    _fit_again(found, counts, refined, resting, np.ones(n, dtype=bool))
    return found


def _fit_again(
    found: Likelihoods, counts: sp.csr_matrix, refined: Refined, resting: Resting | Sequence[Resting], chosen: Bools
) -> None:
    """Put the log-likelihoods of the chosen cells in place."""
    for own, weights, rest in parts_by_fold(refined, resting, chosen):
        part = likelihoods(counts[own], weights, rest, robust)
        found.turned[:, own], found.intermediate[:, own] = part.turned, part.intermediate
        found.rest[own], found.rivals[:, own] = part.rest, part.rivals


def in_typical_units(
    counts: sp.csr_matrix, refined: Refined, resting: Resting | Sequence[Resting], animal: Integers
) -> tuple[Refined, Likelihoods, LevelWeights]:
    """Return the weights with their folds scaled so that a typical recovery cell is at `TYPICAL`, the likelihoods, and the likeliest levels.

    Without that, what counts as a recovery cell would hang on how far the folds that were expected lie from those that are there: in tissue drawn by
    another hand the line between recovery and intermediate cells lay at three fifths of what recovery cells hold, and a third of them was missed.

    Parameters
    ----------
    counts
        Microglia × genes, raw counts.
    refined, resting
        The weights, learnt or prior, and what resting cells hold.
    animal
        Number of the animal of each cell.
    """
    fit = fitted(counts, refined, resting)
    level_weights = likeliest_levels(fit, animal, TYPICAL_WEIGHTS)
    telling = log_ratio(fit, level_weights) > MAY_BE_TURNED
    before, scale = refined, 1.0
    for _ in range(SCALE_ROUNDS):
        wanted = float(np.clip(scale * typical_level(level_weights) / TYPICAL, *SCALE_RANGE))
        if abs(wanted / scale - 1) < SCALE_NEAR:
            break
        scale = wanted
        refined = _scaled(before, scale)
        _fit_again(fit, counts, refined, resting, telling)
        level_weights = likeliest_levels(fit, animal, TYPICAL_WEIGHTS)
    if scale != 1:
        _fit_again(fit, counts, refined, resting, ~telling)
        level_weights = likeliest_levels(fit, animal, TYPICAL_WEIGHTS)
    return refined, fit, level_weights


def _scaled(refined: Refined, scale: float) -> Refined:
    """Return the weights with the rise of each recovery gene times ``scale``; `refinement.tsv` says the same."""
    weights = tuple(
        replace(own, recovery=np.where(own.recovery != 1, 1 + (own.recovery - 1) * scale, 1.0))
        for own in refined.weights
    )
    table = refined.table.copy()
    for column in [name for name in ("fold", "fold_low", "fold_high") if name in table]:
        table[column] = 1 + (table[column] - 1) * scale
    return replace(refined, weights=weights, table=table)


def parts_by_fold(
    refined: Refined, resting: Resting | Sequence[Resting], chosen: Bools
) -> Iterator[tuple[Integers, Weights, Resting]]:
    """Yield the chosen cells of each fold, the weights that have not seen their animals, and what they rest on.

    ``resting``: one for all, or one for each set of weights.
    """
    for number, weights in enumerate(refined.weights):
        own = np.flatnonzero(chosen & (refined.fold == number))
        if len(own):
            rest = resting if isinstance(resting, Resting) else resting[number]
            yield own, weights, rest.of(own)


def cross_fit(subject: Texts, control: Bools) -> Integers:
    """Return the fold of each cell; animals go round in turn, controls and others each, so that folds are alike."""
    fold = np.zeros(len(subject), dtype=np.int64)
    for group in (control, ~control):
        for place, name in enumerate(np.unique(subject[group])):
            fold[subject == name] = place % N_FOLDS
    return fold


# ---------------------------------------------------------------- who may learn


def taken_back(refined: Refined, genes: pd.Index, weights: Weights, signatures: Signatures, share: float) -> Refined:
    """Return the prior ``weights`` in place of learnt ones that find too large a ``share`` of recovery cells among controls."""
    reason = f"few recovery cells to learn from, and the weights learnt from them find {share:.1%} of recovery cells among control microglia"
    return Refined((weights,), np.zeros_like(refined.fold), _unlearnt(genes, weights, signatures), reason)


def _too_few(level: Floats, subject: Texts, fold: Integers, control: Bools) -> tuple[str, bool]:
    """Return why there is too little to learn from, empty if there is enough; and whether it is enough by the clear cells alone."""
    if len(np.unique(subject[~control])) < N_FOLDS:
        return f"fewer than {N_FOLDS} animals that are not controls", False
    clear, rare = np.where(level > CLEAR, level, 0.0), False
    for number in range(N_FOLDS):
        seen = fold != number
        if reason := _lacking(level[seen], subject[seen], LEAST_CELLS, LEAST_SHARE, LEAST_EACH):
            if _lacking(clear[seen], subject[seen], LEAST_CLEAR, LEAST_CLEAR_SHARE, LEAST_CLEAR_EACH):
                return reason, False
            rare = True
    return "", rare


def _lacking(level: Floats, subject: Texts, least: float, share: float, each: float) -> str:
    """Return why cells are worth too few recovery cells, together or in too few animals; empty if there is enough."""
    needed = max(least, share * len(level))
    if level.sum() < needed:
        return f"too few recovery cells to learn from: worth {level.sum():.0f}, {needed:.0f} are needed"
    if (pd.Series(level).groupby(subject).sum() >= each).sum() < LEAST_ANIMALS:
        return f"fewer than {LEAST_ANIMALS} animals with recovery cells to learn from"
    return ""


def _moved_by(after: Floats, before: Floats, control: Bools, nuisance: pd.DataFrame) -> str:
    """Return which nuisance the learnt score finds in control microglia; empty if none.

    Among the control cells that score highest a nuisance must not stand much higher (or lower) than among all: the
    chance that one of them exceeds one of the others, by the learnt score and by the prior one. Depth is a reason only where deep cells score high:
    resting cells of few counts stand above deep ones by any likelihood ratio, since fewer counts say less against recovery.
    """
    if control.sum() * TOP < 10:
        return ""
    for name in nuisance.columns:
        values = nuisance[name].to_numpy(float)[control]
        new, old = (_chance(score[control], values) for score in (after, before))
        if name == "depth":
            new, old = max(new, 0.5), max(old, 0.5)
        if abs(new - 0.5) > TOO_MUCH - 0.5 and abs(new - 0.5) > abs(old - 0.5) + MORE_THAN_BEFORE:
            return f"the learnt score follows {name} in control microglia"
    return ""


def _chance(score: Floats, values: Floats) -> float:
    """Return the chance that a cell among the highest scores exceeds one of the others in ``values``."""
    top = score > np.quantile(score, 1 - TOP)
    if not top.any() or top.all():
        return 0.5
    ranks = rankdata(values)
    n, m = int(top.sum()), int((~top).sum())
    return float((ranks[top].sum() - n * (n + 1) / 2) / (n * m))


# ---------------------------------------------------------------- what a gene does


class _System:
    """Weighted least squares of counts on levels within libraries, summed up by library and solved by fold.

    A count has a variance in proportion to the cell's depth, so cells are weighted by one over depth. The library's
    own mean is taken out, and with it everything that a batch or a day does to all its cells.
    """

    def __init__(self, counts: sp.csr_matrix, library: Texts, subject: Texts, fold: Integers) -> None:
        self.counts = counts
        self.size = np.asarray(counts.sum(axis=1)).ravel().astype(float)
        self.rows = [np.flatnonzero(library == name) for name in np.unique(library)]
        self.subject = np.array([subject[rows[0]] for rows in self.rows])
        self.fold = np.array([fold[rows[0]] for rows in self.rows])

    def moments(self, level: Floats, log_depth: Floats, columns: Integers) -> "_Moments":
        """Return the normal equations of each library for some genes."""
        part = self.counts[:, columns]
        left, right, total = [], [], []
        for rows in self.rows:
            x = np.column_stack([np.ones(len(rows)), level[rows], log_depth[rows] - log_depth[rows].mean()])
            square = (x * self.size[rows, None]).T @ x
            cross = np.asarray((part[rows].T @ x).T)
            left.append(square[1:, 1:] - np.outer(square[1:, 0], square[0, 1:]) / square[0, 0])
            right.append(cross[1:] - np.outer(square[1:, 0], cross[0]) / square[0, 0])
            total.append(cross[0])
        return _Moments(np.array(left), np.array(right), np.array(total))

    def solve(self, moments: "_Moments", fold: int) -> tuple[Floats, Floats]:
        """Return effects (S × genes, as shares of all counts) and their errors from the animals outside a fold.

        The error is the larger of that between animals (sandwich) and that of overdispersed counts.
        """
        used = np.flatnonzero(self.fold != fold)
        left, right = moments.left[used], moments.right[used]
        inverse = np.linalg.inv(left.sum(axis=0) + np.eye(left.shape[1]))
        effect = inverse @ right.sum(axis=0)
        residual = right - left @ effect
        names = np.unique(self.subject[used])
        by_animal = np.array([residual[self.subject[used] == name].sum(axis=0) for name in names])
        between = np.sqrt(((inverse @ by_animal) ** 2).sum(axis=0) * len(names) / max(len(names) - 1, 1))
        size = sum(self.size[self.rows[number]].sum() for number in used)
        share = (moments.total[used].sum(axis=0) + 0.5) / size
        # cells that are raised vary more: on the way to the effect lies its half
        within = np.sqrt(GAMMA * np.diag(inverse)[:, None] * (share + np.maximum(effect, 0) / 2))
        return effect, np.maximum(between, within)


@dataclass(frozen=True)
class _Moments:
    """Normal equations of each library: levels × levels, levels × genes, and the genes' total counts."""

    left: Floats
    right: Floats
    total: Floats


def _posterior(effect: Floats, error: Floats, base: Floats, prior: Prior) -> tuple[Floats, Floats, Floats, Floats]:
    """Return fold (posterior mean of its logarithm), its 95 % interval, and the probability that the gene moves."""
    near = -0.5 * ((effect[:, None] - base[:, None] * (FOLDS - 1)) / error[:, None]) ** 2
    expected = -0.5 * ((np.log(FOLDS) - np.log(prior.centre)) / prior.sd) ** 2
    joint = near + expected - logsumexp(expected)
    whole = logsumexp(joint, axis=1)
    weight = np.exp(joint - whole[:, None])
    fold = np.exp((weight * np.log(FOLDS)).sum(axis=1))
    below = np.cumsum(weight, axis=1)
    low, high = (FOLDS[np.argmax(below >= q, axis=1)] for q in (0.025, 0.975))
    if prior.none == 0:
        return fold, low, high, np.ones(len(fold))
    still = -0.5 * (effect / error) ** 2 + np.log(prior.none)
    moves = 1 / (1 + np.exp(np.clip(still - whole - np.log1p(-prior.none), -700, 700)))
    return fold, low, high, moves


def _signature_fold(solved: tuple[Floats, Floats], base: Floats, expected: float) -> tuple[float, float, float]:
    """Return the fold of one signature gene and its interval; ``expected`` is the fold before."""
    prior = replace(SIGNATURE, centre=expected)
    fold, low, high, _ = _posterior(solved[0][0], solved[1][0], base, prior)
    return float(fold[0]), float(low[0]), float(high[0])


def _candidates(
    counts: sp.csr_matrix, genes: pd.Index, weights: Weights, resting: Resting, signatures: Signatures
) -> Integers:
    """Return the columns of the genes that may be added."""
    never = {g for s in (*signatures.states.values(), *signatures.technical.values()) for g in s.up}
    never |= set(signatures.recovery.up)  # those that a score leaves out on purpose stay out
    allowed = ~genes.isin(list(never)) & ~genes.str.match(r"mt-|MT-|Rpl|Rps|Hb[ab]-|Malat1$|Gm\d")
    allowed[weights.columns] = False
    middle = float(np.median(np.asarray(counts.sum(axis=1)).ravel()))
    return np.flatnonzero(allowed & (resting.share.mean(axis=0) * middle > LEAST_EXPECTED)).astype(np.int64)


def _choose(
    effect: Floats, error: Floats, base: Floats, related: Bools, n_rivals: int
) -> tuple[Integers, Floats, Floats]:
    """Return which candidates are added, their folds, and their folds in the other programmes (rivals × added)."""
    (fold, _, _, moves), (other_fold, _, _, other_moves) = (
        _posterior(effect[0], error[0], base, prior) for prior in (RELATED, ANY)
    )
    # a gene that is known of similar states counts as far as it is likely to move: in shallow data few are certain, and together they tell much
    up = np.where(related, np.exp(moves * np.log(fold)), other_fold)
    sure = np.where(related, moves >= RELATED.sure, other_moves >= ANY.sure)
    rivals = effect[1 : 1 + n_rivals]
    # the largest of several noisy estimates is too large: each is taken less its error
    least = (rivals - error[1 : 1 + n_rivals]).max(axis=0) if n_rivals else np.zeros(len(base))
    own = effect[0] > RIVAL_RATIO * least
    good = np.flatnonzero(sure & own & (up >= ADDED_FROM))
    # the most telling ones: what a cell's counts of the gene are expected to say
    order = np.argsort(-np.log(up[good]) * (up[good] - 1) * base[good], kind="stable")
    chosen = good[order[:AT_MOST]]
    down = [_posterior(effect[1 + r][chosen], error[1 + r][chosen], base[chosen], RIVAL)[0] for r in range(n_rivals)]
    return chosen, up[chosen], np.array(down).reshape(n_rivals, len(chosen))


# ---------------------------------------------------------------- what is told


def _told(rows: list[tuple[object, ...]], n_folds: int) -> pd.DataFrame:
    """Return refinement.tsv: one row a gene, means over the folds."""
    table = pd.DataFrame(rows, columns=["gene", "role", "fold_before", "fold", "fold_low", "fold_high"])
    mean = table.groupby("gene", sort=False).agg(
        role=("role", "first"), fold_before=("fold_before", "first"), fold=("fold", "mean"),
        fold_low=("fold_low", "mean"), fold_high=("fold_high", "mean"),
        weights_with_it=("fold", lambda f: int((f >= DROPPED_BELOW).sum())),
    ).reset_index()  # fmt: skip
    further = mean["role"] != "signature"
    mean.loc[further, "weights_with_it"] = table.groupby("gene", sort=False).size().to_numpy()[further]
    kept = np.where(mean["weights_with_it"] == n_folds, "kept", "kept in part")
    mean["decision"] = np.where(further, "added", np.where(mean["weights_with_it"] == 0, "dropped", kept))
    return mean[list(COLUMNS)]


def _unlearnt(genes: pd.Index, weights: Weights, signatures: Signatures) -> pd.DataFrame:
    """Return refinement.tsv where nothing was learnt."""
    moved = weights.recovery != 1
    fold = dict(zip(genes[weights.columns[moved]], weights.recovery[moved], strict=True))
    own = present(signatures.recovery.up, set(fold))
    before = [fold[gene] for gene in own]
    table = pd.DataFrame({"gene": own, "role": "signature", "fold_before": before, "fold": before})
    return table.assign(fold_low=np.nan, fold_high=np.nan, weights_with_it=0, decision="as before")[list(COLUMNS)]
