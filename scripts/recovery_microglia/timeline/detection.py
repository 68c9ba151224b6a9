"""What share would have been seen: studies like the real one, drawn and judged in full.

A promise of 80 % from a normal approximation, or with the spread of animals taken as known, holds 60 to 74 %. So each drawn
study is judged as the real one is: the spread is learnt from its own animals, and the looks of `above_control` are taken.
The same studies serve every day and every share that is tried.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from recovery_microglia.core.arrays import Floats, Integers
from recovery_microglia.timeline import betabinomial as bb
from recovery_microglia.timeline.above_control import SECOND_LOOK, WITHOUT_HIGHEST
from recovery_microglia.timeline.confirmatory_tests import arcsine_t_p

PART = slice(None, None, 2)
"""Part of the grid of fractions that judges drawn studies."""
STUDIES = 200
"""Drawn studies; the power at the answer is known to about .03."""


@dataclass
class DrawnStudies:
    """Studies of the size of a real one.

    Attributes
    ----------
    n
        Cells of each animal, a group each.
    spread
        Intraclass correlation of each study at each fraction of the grid (studies × p).
    counts
        Cells called, a group each (studies × animals).
    """

    n: list[Integers]
    spread: Floats
    counts: list[Integers]
    _grids: dict[tuple[int, int], Floats] = field(default_factory=dict)

    def grid(self, k: Integers, n: Integers) -> Floats:
        """Return the log-likelihood of a group of one study (rho × p), each animal computed once."""
        total = np.zeros((len(bb.RHO), len(bb.P[PART])))
        for subject in zip(k.tolist(), n.tolist(), strict=True):
            if subject not in self._grids:
                k_i, n_i = map(np.asarray, subject)
                self._grids[subject] = bb.log_pmf(k_i, n_i, bb.P[PART][None], bb.RHO[:, None])
            total += self._grids[subject]
        return total

    def draw(self, share: float, n: Integers, rng: np.random.Generator) -> Integers:
        """Return cells called of a group with this share in every study (studies × animals)."""
        at = int(np.argmin(np.abs(bb.P - share)))
        return bb.draw(np.full(len(self.spread), share), self.spread[:, at], n, rng)


def draw_studies(
    grids: Sequence[Floats],
    cells: Sequence[Floats],
    weight: Floats,
    rng: np.random.Generator,
    *,
    studies: int = STUDIES,
) -> DrawnStudies:
    """Draw studies from what the data say: spread and every group's share from their joint posterior.

    Parameters
    ----------
    grids, cells
        Log-likelihood of each group, and what its animals are worth in cells known without doubt.
    weight
        From `betabinomial.rho_posterior`, or `spread_posterior` for both laws.
    """
    places = bb.choose(weight, studies, rng)
    n = [np.maximum(np.rint(own), 1).astype(np.int64) for own in cells]
    counts = []
    for grid, of_animals in zip(grids, n, strict=True):
        passed = np.cumsum(bb.p_given_spread(grid[: len(weight)]), axis=1)
        at = [min(int(np.searchsorted(passed[s], rng.random())), len(bb.P) - 1) for s in places]
        counts.append(bb.draw(bb.P[at], bb.ICC[places, at], of_animals, rng))
    return DrawnStudies(n, bb.ICC[places], counts)


def supposed_studies(
    shares: Sequence[float], n: Sequence[Integers], rho: float, rng: np.random.Generator, *, studies: int = STUDIES
) -> DrawnStudies:
    """Draw studies from supposed shares, one a group, and a supposed intraclass correlation."""
    spread = np.full((studies, len(bb.P)), rho)
    counts = [bb.draw(np.full(studies, p), spread[:, 0], cells, rng) for p, cells in zip(shares, n, strict=True)]
    return DrawnStudies(list(n), spread, counts)


def smallest_detectable(
    drawn: DrawnStudies,
    control: int,
    group: int,
    *,
    alpha: float,
    power: float,
    floor: float,
    rng: np.random.Generator,
) -> float:
    """Return the smallest share of a group with which it would be above control in ``power`` of the studies; 1 if none.

    A bisection over the grid of fractions.

    Parameters
    ----------
    drawn
        From `draw_studies` or `supposed_studies`.
    control, group
        Places of the two among the groups.
    alpha
        The level that p must pass: that of the test, divided by the number of days tested, as a single day that rises has
        to pass the false-discovery rate over all days.
    floor
        The control's share; smaller ones are not tried.
    """
    studies = len(drawn.spread)
    rest = [i for i in range(len(drawn.n)) if i != group]
    # what does not change with the share that is tried
    others = np.tile(np.log(bb.rho_prior()), (studies, 1))
    controls = []
    for j in range(studies):
        for i in rest:
            grid = drawn.grid(drawn.counts[i][j], drawn.n[i])
            others[j] += bb.log_mean_exp(grid, axis=1)
            if i == control:
                first = bb.p_given_spread(grid)
                controls.append(1 - np.cumsum(first, axis=1) + first / 2)
    seed = int(rng.integers(2**32))

    def found(share: float) -> bool:
        # the same random numbers for each share, as far as they go
        k = drawn.draw(share, drawn.n[group], np.random.default_rng(seed))
        counts = [*drawn.counts[:group], k, *drawn.counts[group + 1 :]]
        fractions = [own / n for own, n in zip(counts, drawn.n, strict=True)]
        up = fractions[group].mean(axis=1) > fractions[control].mean(axis=1)
        up &= arcsine_t_p(counts, drawn.n, control, group) < SECOND_LOOK
        for j in np.flatnonzero(up):
            kept = np.arange(k.shape[1]) != int(np.argmax(fractions[group][j]))
            up[j] = all(
                2 * _tail(drawn.grid(k[j][own], drawn.n[group][own]), controls[j], others[j]) < level
                for own, level in ((slice(None), alpha), (kept, WITHOUT_HIGHEST))
            )
        return bool(up.mean() >= power)

    low, high = int(np.searchsorted(bb.P, floor)), len(bb.P) - 1
    if not found(float(bb.P[high])):
        return 1.0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if found(float(bb.P[middle])) else (middle, high)
    return float(bb.P[high])


def _tail(grid: Floats, not_below: Floats, others: Floats) -> float:
    """Return `betabinomial.tail` of a group, with what its control and the other groups contribute computed before."""
    logs = others + bb.log_mean_exp(grid, axis=1)
    weight = np.exp(logs - logs.max())
    return float(weight @ (bb.p_given_spread(grid) * not_below).sum(axis=1) / weight.sum())
