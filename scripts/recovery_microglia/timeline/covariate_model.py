"""Days against controls with sex, chemistry and batch held fixed.

The model of `betabinomial`, its constant law, with one more term: logit of a subject's mean = logit(p of its group) +
covariates x beta, beta the same in all groups, prior normal with SD `PRIOR_SD`. Groups' p and the intraclass correlation
are integrated on grids as there; beta is drawn from the normal approximation at the mode of what is left, and each draw
counts by how likely it is. The p is that of `betabinomial.tail`: what an uneven mixture of sexes does to the difference is
no evidence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from recovery_microglia.core.arrays import Floats, Texts
from recovery_microglia.timeline import betabinomial as bb
from recovery_microglia.timeline.fractions import evidence

COVARIATES = ("sex", "chemistry", "batch")
LEAST_FREEDOM = 4
"""Subjects that must be left over after groups and covariates, for the covariates' effect to be learnt from them."""
PRIOR_SD = 0.7
"""Of a covariate's effect on the log odds: a factor of two in the share is usual, one of four is not."""
EFFECTS = 32
"""Draws of the covariates' effects."""
COARSE_RHO, COARSE_P, MIDDLE_P = slice(None, None, 3), slice(4, None, 16), slice(2, None, 4)
"""Parts of the grids: for estimating the covariates' effects, and for the test."""


@dataclass(frozen=True)
class Adjusted:
    """A day against its control with covariates held fixed: difference of shares, and two-sided p."""

    difference: float
    p: float


@dataclass(frozen=True)
class Covariates:
    """What is held fixed.

    Attributes
    ----------
    names
        The sheet's columns.
    columns
        Subjects × indicators, each with mean 0.
    """

    names: tuple[str, ...]
    columns: Floats

    @property
    def words(self) -> str:
        """The names in words."""
        return " and ".join(filter(None, [", ".join(self.names[:-1]), self.names[-1]]))


def covariates(units: pd.DataFrame, group: Texts) -> Covariates | None:
    """Return the covariates that these subjects can carry; None if there are none.

    A covariate is taken if it is known for every subject, varies, leaves the difference of every group from the others
    estimable, and if `LEAST_FREEDOM` subjects are left over; in the order of `COVARIATES`.
    """
    design = pd.get_dummies(pd.Series(group)).to_numpy(float)
    taken: list[str] = []
    columns: list[Floats] = []
    for name in COVARIATES:
        if name not in units:
            continue
        values = units[name].astype(str)
        if (values == "").any() or values.nunique() < 2:
            continue
        own = pd.get_dummies(values).to_numpy(float)[:, 1:]
        grown = np.column_stack([design, own])
        rank = int(np.linalg.matrix_rank(grown))
        if rank < np.linalg.matrix_rank(design) + own.shape[1] or len(units) - rank < LEAST_FREEDOM:
            continue
        design, taken = grown, [*taken, name]
        columns.append(own - own.mean(axis=0))
    return Covariates(tuple(taken), np.column_stack(columns)) if taken else None


def _subjects(k: Floats, n: Floats, offset: Floats, p: Floats, rho: Floats) -> Floats:
    """Return the log-likelihood of each subject on a grid (subjects × rho × p), its log odds moved by ``offset``."""
    moved = expit(logit(p)[None, None, :] + offset[:, None, None])
    # 1e-12: an offset may bring the ends of the grid to 0 or 1 in floating point
    return bb.log_pmf(k[:, None, None], n[:, None, None], np.clip(moved, 1e-12, 1 - 1e-12), rho[None, :, None])


def _by_group(grids: Floats, member: Floats) -> Floats:
    """Return the log-likelihood of each group (groups × rho × p), ``member`` being groups × subjects of 0 and 1."""
    return np.asarray(np.tensordot(member, grids, axes=1))


def _members(group: Texts) -> Floats:
    return np.asarray(np.unique(group)[:, None] == group[None, :], dtype=np.float64)


def effects(k: Floats, n: Floats, group: Texts, x: Floats) -> tuple[Floats, Floats]:
    """Return the mode of the covariates' effects on the log odds, and their covariance."""
    from scipy.optimize import minimize

    p, rho = bb.P[COARSE_P], bb.RHO[COARSE_RHO]
    prior = np.log(bb.rho_prior()[COARSE_RHO])

    member = _members(group)

    def cost(beta: Floats) -> float:
        grids = _by_group(_subjects(k, n, x @ beta, p, rho), member)
        by_rho = prior + bb.log_mean_exp(grids, axis=2).sum(axis=0)
        return float(-bb.log_mean_exp(by_rho, axis=0) + 0.5 * (beta**2).sum() / PRIOR_SD**2)

    size = x.shape[1]
    # the default simplex at 0 is so small that the search would stop where it starts
    start: Any = {"initial_simplex": np.vstack([np.zeros(size), PRIOR_SD * np.eye(size)]), "xatol": 0.01, "fatol": 0.01}
    mode = np.asarray(minimize(cost, np.zeros(size), method="Nelder-Mead", options=start).x)
    step, here = 0.1, np.eye(size)
    hessian = np.array([[
        (cost(mode + step * (a + b)) - cost(mode + step * (a - b)) - cost(mode - step * (a - b)) + cost(mode - step * (a + b)))
        / (4 * step**2) for b in here] for a in here
    ])  # fmt: skip
    # never less certain than the prior: a flat or bent cost at the mode is an error of the differences
    value, vector = np.linalg.eigh(hessian)
    return mode, np.asarray((vector / np.maximum(value, 1 / PRIOR_SD**2)) @ vector.T)


def adjusted_contrasts(
    units: pd.DataFrame,
    group: Texts,
    held: Covariates,
    sides: Mapping[float, tuple[str, str]],
    *,
    rng: np.random.Generator,
) -> dict[float, Adjusted]:
    """Compare days with their controls, the covariates held fixed.

    Parameters
    ----------
    units
        One row a subject: k, n.
    group
        Group of each subject (a day, or a control).
    held
        From `covariates`.
    sides
        Day to the groups of its control and of the day.
    rng
        For the draws of the covariates' effects.

    Returns
    -------
    dict
        Day to its contrast; the difference is that of the groups' shares at the mean of the covariates.
    """
    k, n = evidence(units)
    mode, covariance = effects(k, n, group, held.columns)
    drawn = rng.multivariate_normal(mode, covariance, EFFECTS, method="eigh")
    p, member, prior = bb.P[MIDDLE_P], _members(group), bb.rho_prior()
    place = {name: i for i, name in enumerate(np.unique(group).tolist())}
    precision = np.linalg.inv(covariance)
    logs = np.empty(EFFECTS)
    tails: dict[float, list[float]] = {day: [] for day in sides}
    differences: dict[float, list[float]] = {day: [] for day in sides}
    for i, beta in enumerate(drawn):
        grids = _by_group(_subjects(k, n, held.columns @ beta, p, bb.RHO), member)
        by_rho = np.log(prior) + bb.log_mean_exp(grids, axis=2).sum(axis=0)
        weight = np.exp(by_rho - by_rho.max())
        # how likely the draw is, over how often the approximation draws it
        away = beta - mode
        logs[i] = (
            by_rho.max() + np.log(weight.sum()) - 0.5 * (beta @ beta) / PRIOR_SD**2 + 0.5 * away @ precision @ away
        )
        weight = weight / weight.sum()
        for day, (control, own) in sides.items():
            first, second = grids[place[control]], grids[place[own]]
            tails[day].append(bb.tail(first, second, weight))
            differences[day].append(float(weight @ (bb.p_given_spread(second) - bb.p_given_spread(first)) @ p))
    counts = np.exp(logs - logs.max())
    counts = counts / counts.sum()
    return {day: Adjusted(float(counts @ differences[day]), bb.two_sided(float(counts @ tails[day]))) for day in sides}
