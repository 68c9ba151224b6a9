"""How much better recovery explains a cell's counts than every other state does (floor 4).

Counts of a gene in a cell are negative binomial around depth × share. The share in a resting microglia is that of
the control microglia of the same chemistry, ambient RNA included, because controls hold it too. A state raises its
genes up to a fold that is the same for all genes of the state (nothing is learnt from the injured cells); how far a
cell is into the state is not known, so the likelihood is averaged over levels. The score is the log of

    p(counts | recovery) / sum over the other states of weight x p(counts | state).

A count of a rare gene weighs much and its absence little, as it should where *Itgax* is seen in one cell of ten; a
gene that an inflammatory state explains as well counts for nothing in an inflamed cell.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.special import logsumexp

from recovery_microglia.genes import present

Floats = NDArray[np.float64]

DISPERSION = 0.5
"""Variance of a gene between cells of one state beyond Poisson, relative to the squared mean; typical of 10x."""
RECOVERY_FOLD, RECOVERY_LEVELS = 8.0, (0.25, 0.5, 0.75, 1.0)
RIVAL_FOLD, RIVAL_LEVELS = 4.0, (0.5, 1.0)
RESTING_WEIGHT = 0.85
"""Prior weight of the resting state; the rest is shared by the rivals."""
RIVALS = ("acute_inflammatory", "interferon", "cycling", "migrating")
CLEANING_ROUNDS = 2
BLOCK = 4000
"""Cells at once: bounds memory to a few hundred MB."""


def resting_share(counts: sp.csr_matrix, weight: Floats | None = None) -> Floats:
    """Return each gene's share of all counts of some cells (genes,); never 0, so that a first count is possible.

    ``weight`` says how much each cell counts (cells,); all alike if None.
    """
    total = np.asarray(counts.T @ (np.ones(counts.shape[0]) if weight is None else weight)).ravel().astype(float)
    return np.asarray((total + 0.02) / (total.sum() + 0.02 * len(total)))


def learn_resting(
    counts: sp.csr_matrix, genes: pd.Index, recovery: Sequence[str], rivals: Mapping[str, Sequence[str]]
) -> Floats:
    """Return each gene's share in the resting cells among control microglia (genes,).

    Controls hold a few recovery cells, neonatal and aged ones many. After a first estimate from all of them, each
    cell counts by how likely it is not one; twice, as further rounds change nothing.
    """
    resting = resting_share(counts)
    for _ in range(CLEANING_ROUNDS):
        ratio = log_ratio(counts, genes, recovery, rivals, resting)
        resting = resting_share(counts, 1 - probability(ratio, mixture_share(ratio)[0]))
    return resting


def log_ratio(
    counts: sp.csr_matrix,
    genes: pd.Index,
    recovery: Sequence[str],
    rivals: Mapping[str, Sequence[str]],
    resting: Floats,
) -> Floats:
    """Return the log-likelihood ratio of recovery against all other states (cells,), in nats.

    Parameters
    ----------
    counts
        Cells × genes, raw counts.
    genes
        Symbols of the columns.
    recovery
        Rising genes of the signature; those that are not in the data are left out.
    rivals
        Rising genes of the other states.
    resting
        Share of each gene in resting microglia, see `resting_share`.
    """
    own = genes.get_indexer(present(recovery, set(genes)))
    others = [genes.get_indexer(present(rivals[name], set(genes))) for name in rivals]
    others = [columns for columns in others if len(columns)]
    used = np.unique(np.concatenate([own, *others])).astype(int)
    depth = np.asarray(counts.sum(axis=1)).ravel().astype(float)
    part, base = counts[:, used], resting[used]
    recovered = _shapes(base, np.isin(used, own), RECOVERY_FOLD, RECOVERY_LEVELS)
    rival_shapes = [_shapes(base, np.isin(used, columns), RIVAL_FOLD, RIVAL_LEVELS) for columns in others]
    found = np.empty(len(depth))
    for start in range(0, len(depth), BLOCK):
        rows = slice(start, start + BLOCK)
        x, n = part[rows].toarray().astype(float), depth[rows]
        rest = [_log_likelihood(x, n, base) + np.log(RESTING_WEIGHT)]
        weight = np.log((1 - RESTING_WEIGHT) / max(len(others), 1))
        rest += [_mean_likelihood(x, n, shapes) + weight for shapes in rival_shapes]
        found[rows] = _mean_likelihood(x, n, recovered) - logsumexp(rest, axis=0)
    return found


def _shapes(base: Floats, raised: NDArray[np.bool_], fold: float, levels: Sequence[float]) -> list[Floats]:
    """Return the shares of the genes at each level of a state."""
    return [np.where(raised, base * (1 + level * (fold - 1)), base) for level in levels]


def _log_likelihood(x: Floats, depth: Floats, share: Floats) -> Floats:
    """Return the negative binomial log-likelihood of each cell, without the terms that no state changes."""
    mean = depth[:, None] * share
    size = 1 / DISPERSION
    return np.asarray((x * np.log(mean / (size + mean)) - size * np.log1p(mean / size)).sum(axis=1))


def _mean_likelihood(x: Floats, depth: Floats, shapes: Sequence[Floats]) -> Floats:
    """Return the log of the mean likelihood over levels."""
    return np.asarray(logsumexp([_log_likelihood(x, depth, share) for share in shapes], axis=0) - np.log(len(shapes)))


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


def probability(ratio: Floats, share: float) -> Floats:
    """Return the probability that each cell is a recovery cell where a share of such cells is expected."""
    if not 0 < share < 1:
        return np.where(np.isfinite(ratio), float(share), np.nan)
    return np.asarray(1 / (1 + np.exp(-(ratio + np.log(share / (1 - share))))))
