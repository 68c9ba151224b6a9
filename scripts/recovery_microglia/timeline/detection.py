"""What share would have been seen, and how sure that is: studies like the real one, drawn and judged in full.

A promise of 80 % from a normal approximation, or with the spread of animals taken as known, holds 60 to 74 %. So each drawn
study is judged as the real one is: the spread is learnt from its own animals, and the looks of `above_control` are taken.

How much the animals of a risen day differ is not in the data of a study in which no day rises: two laws that agree on quiet
days part at 20 %. No one share can be right under both, so each day has two limits. With the first it is found in 80 % of the
studies if its animals differ like those of the other days, by one intraclass correlation; with the second also if they differ
as much in the odds, and so more in the share. Measured in docs/calibration.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from recovery_microglia.core.arrays import Bools, Floats, Integers
from recovery_microglia.timeline import betabinomial as bb
from recovery_microglia.timeline.above_control import SECOND_LOOK, WITHOUT_HIGHEST
from recovery_microglia.timeline.confirmatory_tests import arcsine_t_p

DETECTION_COLUMNS = ("smallest_detectable", "smallest_detectable_odds")
PART = slice(None, None, 2)
"""Part of the grid of fractions that judges drawn studies."""
STUDIES = 300
"""Drawn studies; the power at the answer is known to about .02."""
AT_ONCE = 100
"""Studies judged at once: what they need then stays in the processor's cache."""
FINEST = 1000
"""Cells of an animal above which counts are rounded to the nearest of as many values as the grid of fractions has."""
NEAR = 0.04
"""Part of the rise (arcsine roots) to which the limit is sought."""


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
    _grids: dict[int, dict[float, Floats]] = field(default_factory=dict)

    def grids(self, k: Integers, n: Integers) -> Floats:
        """Return the log-likelihood of each animal of a group (studies × animals × rho × p); each count is computed once."""
        found = np.empty((*k.shape, len(bb.RHO), len(bb.P[PART])), dtype=np.float32)
        for place, cells in enumerate(n.tolist()):
            known = self._grids.setdefault(cells, {})
            counts = _rounded(k[:, place], cells).tolist()
            new = np.array(sorted(set(counts) - set(known)))
            for value in new.tolist():
                grid = bb.log_pmf(np.array(value), np.array(cells), bb.P[PART][None], bb.RHO[:, None])
                known[value] = grid.astype(np.float32)
            for j, value in enumerate(counts):
                found[j, place] = known[value]
        return found

    def draw(self, share: float, n: Integers, rng: np.random.Generator) -> Integers:
        """Return cells called of a group with this share in every study (studies × animals)."""
        at = int(np.argmin(np.abs(bb.P - share)))
        return bb.draw(np.full(len(self.spread), share), self.spread[:, at], n, rng)


def _rounded(k: Integers, n: int) -> Floats:
    """Return counts, of many cells rounded to values that are as dense as the grid of fractions, and so few."""
    if n <= FINEST:
        return k.astype(float)
    step = np.pi / 2 / len(bb.P)
    return np.asarray(n * np.sin(np.rint(np.arcsin(np.sqrt(k / n)) / step) * step) ** 2)


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
        From `betabinomial.spread_posterior`, or `rho_posterior` for the constant law alone.
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


class Judge:
    """The rule of `above_control` on many studies at once, for one day and whatever share it is given.

    Parameters
    ----------
    drawn
        From `draw_studies` or `supposed_studies`.
    control, group
        Places of the two among the groups.
    alpha
        The level that p must pass: that of the test, divided by the number of days tested, as a single day that rises has
        to pass the false-discovery rate over all days.
    """

    def __init__(self, drawn: DrawnStudies, control: int, group: int, alpha: float) -> None:
        self.drawn, self.control, self.group, self.alpha = drawn, control, group, alpha
        studies = len(drawn.spread)
        # what does not change with the share that is tried: what the other groups say of the spread, and the control's share
        self.others = np.tile(np.log(bb.rho_prior()), (studies, 1))
        self.not_below = np.empty((studies, len(bb.RHO), len(bb.P[PART])), dtype=np.float32)
        for at in _parts(studies):
            for i, n in enumerate(drawn.n):
                if i == group:
                    continue
                evidence, first = _of_group(drawn.grids(drawn.counts[i][at], n).sum(axis=1))
                self.others[at] += evidence
                if i == control:
                    self.not_below[at] = 1 - np.cumsum(first, axis=2) + first / 2

    def above(self, k: Integers) -> Bools:
        """Return in which studies the day is above control with these counts of its animals (studies × animals)."""
        drawn, group, control = self.drawn, self.group, self.control
        counts = [*drawn.counts[:group], k, *drawn.counts[group + 1 :]]
        fractions = [own / n for own, n in zip(counts, drawn.n, strict=True)]
        up = fractions[group].mean(axis=1) > fractions[control].mean(axis=1)
        up &= arcsine_t_p(counts, drawn.n, control, group) < SECOND_LOOK
        highest = fractions[group].argmax(axis=1)
        open_studies = np.flatnonzero(up)
        for at in _parts(len(open_studies)):
            own = open_studies[at]
            grids = drawn.grids(k[own], drawn.n[group])
            whole = grids.sum(axis=1)
            rest = whole - grids[np.arange(len(own)), highest[own]]
            up[own] = (self._upper_p(whole, own) < self.alpha) & (self._upper_p(rest, own) < WITHOUT_HIGHEST)
        return np.asarray(up, dtype=bool)

    def _upper_p(self, grid: Floats, own: Integers) -> Floats:
        """Return twice `betabinomial.tail` of the group in some studies."""
        evidence, second = _of_group(grid)
        logs = self.others[own] + evidence
        weight = np.exp(logs - logs.max(axis=1, keepdims=True))
        tails = np.einsum("jrp,jrp->jr", second, self.not_below[own])
        return np.asarray(2 * (weight * tails).sum(axis=1) / weight.sum(axis=1))


def _parts(size: int) -> list[slice]:
    return [slice(start, min(start + AT_ONCE, size)) for start in range(0, size, AT_ONCE)]


def _of_group(grid: Floats) -> tuple[Floats, Floats]:
    """Return what a group says of rho (log, studies × rho), and its posterior of p at each (studies × rho × p)."""
    top = grid.max(axis=2, keepdims=True)
    weight = np.exp(grid - top)
    mass = weight.sum(axis=2, keepdims=True)
    return (top + np.log(mass / grid.shape[2]))[..., 0].astype(float), weight / mass


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
    drawn, control, group, alpha
        See `Judge`.
    floor
        The control's share; smaller ones are not tried.
    """
    judge = Judge(drawn, control, group, alpha)
    seed = int(rng.integers(2**32))

    def found(at: int) -> bool:
        # the same random numbers for each share, as far as they go
        k = drawn.draw(float(bb.P[at]), drawn.n[group], np.random.default_rng(seed))
        return bool(judge.above(k).mean() >= power)

    start, last = int(np.searchsorted(bb.P, floor)), len(bb.P) - 1
    if not found(last):
        return 1.0
    low, high = start, last
    while high - low > max(1, NEAR * (high - start)):
        middle = (low + high) // 2
        low, high = (low, middle) if found(middle) else (middle, high)
    return float(bb.P[high])


def detection_limits(
    grids: Sequence[Floats],
    cells: Sequence[Floats],
    of_days: Sequence[tuple[int, int, float]],
    *,
    alpha: float,
    power: float,
    rng: np.random.Generator,
    studies: int = STUDIES,
) -> list[tuple[float, float]]:
    """Return the detection limit of each day, if its animals differed as the constant law says, and as that of the odds says.

    Parameters
    ----------
    grids, cells
        See `draw_studies`.
    of_days
        Of each day: the places of its control and of itself among the groups, and the control's share.
    alpha, power, studies
        See `smallest_detectable` and `draw_studies`.
    """
    found = []
    both = bb.spread_posterior(grids)
    for law in (bb.CONSTANT, bb.OF_ODDS):
        weight = np.zeros(len(both))
        weight[law] = both[law]
        drawn = draw_studies(grids, cells, weight, rng, studies=studies)
        found.append(
            [
                smallest_detectable(drawn, control, group, alpha=alpha, power=power, floor=floor, rng=rng)
                for control, group, floor in of_days
            ]
        )
    return list(zip(*found, strict=True))
