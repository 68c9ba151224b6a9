"""How much better recovery explains a cell's counts than every other state does.

Counts of a gene in a cell are negative binomial around depth × share. The share in a resting microglia is that of
the control microglia of the same chemistry, brought to the ambient RNA of the cell's own library. A state raises its
genes up to a fold each; how far a cell is into the state is not known, so the likelihood is averaged over levels.
The score is the log of

    p(counts | recovery) / sum over the other states of weight x p(counts | state),

where a cell counts as recovery from half of the way on, and one that is less far stands among the others. A count
of a rare gene weighs much and its absence little, as it should where *Itgax* is seen in one cell of ten; a gene that
an inflammatory state explains as well counts for nothing in an inflamed cell.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse as sp
from scipy.special import logsumexp

from recovery_microglia.core.arrays import Bools, Floats, Integers, Texts
from recovery_microglia.core.frame_access import positions
from recovery_microglia.core.genes import present

DISPERSION = 0.5
"""Variance of a gene between cells of one state beyond Poisson, relative to the squared mean; typical of 10x."""
RECOVERY_FOLD = 8.0
"""Fold of a signature gene at the full level, as long as nothing was learnt from the data."""
TURNED, ON_THE_WAY = (0.5, 0.625, 0.75, 0.875, 1.0), (0.1, 0.2, 0.3, 0.4)
"""Levels of recovery: from half of the way on a cell is a recovery cell."""
RIVAL_FOLD, RIVAL_LEVELS = 4.0, (0.5, 1.0)
RESTING_WEIGHT, WAY_WEIGHT = 0.83, 0.02
"""Prior weights of resting cells and of those on the way; the rest is shared by the rivals."""
RIVALS = ("acute_inflammatory", "interferon", "cycling", "migrating", "dissociation_stress")
CLEANING_ROUNDS = 2
PRIOR_CELLS, STATE_ROUNDS = 20.0, 20
"""Weight of the prior in an animal's shares of the other states, in cells, and rounds of estimating them."""
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
    """

    share: Floats
    profile: Integers

    def of(self, cells: Bools | Integers) -> "Resting":
        """Return the same for some of the cells."""
        return Resting(self.share, self.profile[cells])


@dataclass(frozen=True)
class Likelihoods:
    """Log-likelihoods of each cell's counts, relative to a resting cell.

    Attributes
    ----------
    turned, way
        Recovery at each level (levels × cells).
    rivals
        The other states, averaged over levels (rivals × cells).
    """

    turned: Floats
    way: Floats
    rivals: Floats


def prior_weights(genes: pd.Index, recovery: Sequence[str], rivals: Mapping[str, Sequence[str]]) -> Weights:
    """Return the weights before anything is learnt: one fold for all genes of a state; absent genes are left out."""
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


def gene_terms(x: Floats, depth: Floats, base: Floats, fold: Floats) -> Floats:
    """Return what each gene adds to the log-likelihood if it is raised ``fold`` times (cells × genes).

    Parameters
    ----------
    x
        Counts, cells × genes.
    depth
        Counts of each cell in all genes.
    base
        Share in a resting cell (genes,) or (cells × genes).
    fold
        (genes,).
    """
    mean, size = depth[:, None] * base, 1 / DISPERSION
    return np.asarray(x * np.log(fold) - (x + size) * np.log1p(mean * (fold - 1) / (size + mean)))


def likelihoods(counts: sp.csr_matrix, weights: Weights, resting: Resting) -> Likelihoods:
    """Return the log-likelihoods of the states.

    Parameters
    ----------
    counts
        Cells × genes, raw counts.
    weights
        Which genes a state raises, and how far.
    resting
        What a resting cell of each library holds.
    """
    n = counts.shape[0]
    depth = np.asarray(counts.sum(axis=1)).ravel().astype(float)
    part = counts[:, weights.columns]
    base = resting.share[:, weights.columns]
    turned, way, rivals = np.zeros((len(TURNED), n)), np.zeros((len(ON_THE_WAY), n)), np.zeros((len(weights.names), n))

    def over(levels: Sequence[float], fold: Floats, rows: slice, x: Floats, b: Floats) -> Floats:
        moved = np.flatnonzero(fold != 1)
        x, b = x[:, moved], b[:, moved]
        return np.array([gene_terms(x, depth[rows], b, 1 + level * (fold[moved] - 1)).sum(axis=1) for level in levels])

    for start in range(0, n, BLOCK):
        rows = slice(start, start + BLOCK)
        x, b = part[rows].toarray().astype(float), base[resting.profile[rows]]
        turned[:, rows] = over(TURNED, weights.recovery, rows, x, b)
        way[:, rows] = over(ON_THE_WAY, weights.recovery, rows, x, b)
        for number, fold in enumerate(weights.rivals):
            rivals[number, rows] = _mean(over(RIVAL_LEVELS, fold, rows, x, b))
    return Likelihoods(turned, way, rivals)


def _mean(logs: Floats) -> Floats:
    """Return the log of the mean over the first axis."""
    return np.asarray(logsumexp(logs, axis=0) - np.log(len(logs)))


def _others(fit: Likelihoods) -> Floats:
    """Return the weighted log-likelihoods of all that is not recovery: resting, on the way, rivals (states × cells)."""
    plain = np.vstack([np.zeros((1, fit.turned.shape[1])), _mean(fit.way)[None], fit.rivals])
    return np.asarray(plain + np.log(_prior(len(fit.rivals)))[:, None])


def _prior(n_rivals: int) -> Floats:
    """Return the prior weights of resting cells, of those on the way, and of each rival; they add up to one."""
    each = (1 - RESTING_WEIGHT - WAY_WEIGHT) / max(n_rivals, 1)
    weight = np.array([RESTING_WEIGHT, WAY_WEIGHT, *[each] * n_rivals])
    return np.asarray(weight / weight.sum())


def log_ratio(fit: Likelihoods) -> Floats:
    """Return the log-likelihood ratio of recovery against all other states (cells,), in nats."""
    return np.asarray(_mean(fit.turned) - logsumexp(_others(fit), axis=0))


def levels(fit: Likelihoods, share: Floats) -> Floats:
    """Return how far each cell is expected to be into recovery and each rival state (cells × (1 + rivals)).

    ``share`` is the share of recovery cells that is expected where the cell comes from (cells,).
    """
    known = np.clip(share, 1e-4, 1 - 1e-4)
    own = np.log(known / len(TURNED)) + fit.turned
    others = np.log1p(-known) + _others(fit)
    way = fit.way - logsumexp(fit.way, axis=0) + others[1]
    whole = np.logaddexp(logsumexp(own, axis=0), logsumexp(others, axis=0))
    recovery = (np.exp(own - whole) * np.array(TURNED)[:, None]).sum(axis=0)
    recovery += (np.exp(way - whole) * np.array(ON_THE_WAY)[:, None]).sum(axis=0)
    return np.vstack([recovery[None], np.exp(others[2:] - whole) * np.mean(RIVAL_LEVELS)]).T


def state_probabilities(fit: Likelihoods, names: Sequence[str], recovery: Floats, group: Integers) -> pd.DataFrame:
    """Return the probability of each state (cells × states); a row adds up to one.

    Parameters
    ----------
    fit
        Log-likelihoods of the cells.
    names
        The rival states.
    recovery
        Probability of recovery (cells,), NaN counts as 0.
    group
        Number of the animal that each cell comes from: the shares of the other states are those that make its cells
        likeliest, drawn towards the prior weights with the weight of `PRIOR_CELLS` cells.
    """
    others = _others(fit)
    prior = _prior(len(names))
    plain = others - np.log(prior)[:, None]
    left = 1 - np.nan_to_num(recovery)
    found = np.zeros((others.shape[1], len(prior)))
    for number in np.unique(group):
        own = np.flatnonzero(group == number)
        weight = prior
        for _ in range(STATE_ROUNDS):
            logs = plain[:, own] + np.log(weight)[:, None]
            part = np.exp(logs - logsumexp(logs, axis=0)) * left[own]
            weight = part.sum(axis=1) + PRIOR_CELLS * prior
            weight = weight / weight.sum()
        found[own] = part.T
    table = pd.DataFrame({"homeostatic": found[:, :2].sum(axis=1)})
    for place, name in enumerate(names, start=2):
        table[name] = found[:, place]
    return table.assign(recovery=np.nan_to_num(recovery))


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
    known = ratio[np.isfinite(ratio)]
    if len(known) == 0:
        return float("nan"), float("nan"), float("nan")
    likelihood = _log_mixture(known, SHARES)
    best = int(likelihood.argmax())
    inside = np.flatnonzero(likelihood >= likelihood[best] - drop)
    # the ends of the grid stand for 0 and 1
    low = 0.0 if inside[0] == 0 else float(SHARES[inside[0]])
    high = 1.0 if inside[-1] == len(SHARES) - 1 else float(SHARES[inside[-1]])
    share = 0.0 if best == 0 else 1.0 if best == len(SHARES) - 1 else float(SHARES[best])
    return share, low, high


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
