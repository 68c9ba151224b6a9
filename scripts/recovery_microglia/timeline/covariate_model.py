"""Days against controls with sex, chemistry and batch held fixed.

The model of `betabinomial` with one more term: logit of a subject's mean = logit(p of its group) + covariates x beta,
beta the same in all groups, prior normal with SD `PRIOR_SD`. Groups' p and the intraclass correlation are integrated
on grids as there; beta is drawn from the normal approximation at the mode of what is left. The test is that of
`betabinomial.contrast`: studies are drawn without a difference between day and control, but *with* the covariates as
they fell on the animals; so what an uneven mixture of sexes does to the difference is no evidence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from recovery_microglia.core.arrays import Bools, Floats, Integers, Texts
from recovery_microglia.timeline import betabinomial as bb

COVARIATES = ("sex", "chemistry", "batch")
LEAST_FREEDOM = 4
"""Subjects that must be left over after groups and covariates, for the covariates' effect to be learnt from them."""
PRIOR_SD = 0.7
"""Of a covariate's effect on the log odds: a factor of two in the share is usual, one of four is not."""
EFFECTS = 16
"""Draws of the covariates' effects, at the most; each carries its part of the drawn studies."""
COARSE_RHO, COARSE_P, MIDDLE_P = slice(None, None, 3), slice(4, None, 16), slice(2, None, 4)
"""Parts of the grids: for estimating the covariates' effects, and for drawing studies."""


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


def _subjects(k: Integers, n: Integers, offset: Floats, p: Floats, rho: Floats) -> Floats:
    """Return the log-likelihood of each subject on a grid (subjects × rho × p), its log odds moved by ``offset``."""
    moved = expit(logit(p)[None, None, :] + offset[:, None, None])
    # 1e-12: an offset may bring the ends of the grid to 0 or 1 in floating point
    return bb.log_pmf(k[:, None, None], n[:, None, None], np.clip(moved, 1e-12, 1 - 1e-12), rho[None, :, None])


def _by_group(grids: Floats, member: Floats) -> Floats:
    """Return the log-likelihood of each group (groups × rho × p), ``member`` being groups × subjects of 0 and 1."""
    return np.asarray(np.tensordot(member, grids, axes=1))


def _members(group: Texts) -> Floats:
    return np.asarray(np.unique(group)[:, None] == group[None, :], dtype=np.float64)


def effects(k: Integers, n: Integers, group: Texts, x: Floats) -> tuple[Floats, Floats]:
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
    sides: Mapping[float, tuple[Bools, Bools]],
    *,
    draws: int,
    rng: np.random.Generator,
) -> dict[float, bb.Contrast]:
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
        Day to the subjects of its control and of the day.
    draws
        Studies drawn under the null for each day.

    Returns
    -------
    dict
        Day to its contrast; the difference is what is left of the observed one after the covariates.
    """
    k, n = units["k"].to_numpy(np.int64), units["n"].to_numpy(np.int64)
    mode, covariance = effects(k, n, group, held.columns)
    # a hundred studies for each effect at least: few draws take few effects
    n_effects = max(min(EFFECTS, draws // 100), 4)
    drawn = rng.multivariate_normal(mode, covariance, n_effects, method="eigh")
    p, member = bb.P[MIDDLE_P], _members(group)
    size = int(np.ceil(draws / n_effects))
    simulated: dict[float, list[Floats]] = {day: [] for day in sides}
    typical: list[float] = []
    for beta in drawn:
        offset = held.columns @ beta
        grids = _subjects(k, n, offset, p, bb.RHO)
        weight = bb.rho_posterior(_by_group(grids, member))
        typical.append(float(weight @ bb.RHO))
        for day, (control, own) in sides.items():
            both = np.flatnonzero(control | own)
            null = bb.p_given_rho(grids[both].sum(axis=0))
            index = rng.choice(len(bb.RHO), size, p=weight)
            common = p[bb.choose_rows(null[index], rng)]
            mean = expit(logit(common)[:, None] + offset[both])
            counts = bb.draw(mean, bb.RHO[index], n[both], rng)
            simulated[day].append(_difference(counts, n[both], own[both], typical[-1]))
    usual = float(np.mean(typical))
    found = {}
    for day, (control, own) in sides.items():
        both = np.flatnonzero(control | own)
        null_differences = np.concatenate(simulated[day])
        left = float(_difference(k[both], n[both], own[both], usual) - null_differences.mean())
        extreme = int((np.abs(null_differences - null_differences.mean()) >= abs(left) - 1e-12).sum())
        found[day] = bb.Contrast(left, (1 + extreme) / (1 + len(null_differences)))
    return found


def _difference(k: Integers, n: Integers, own: Bools, rho: float) -> Floats:
    """Return the share of ``own`` minus that of the others (last axis: subjects)."""
    return bb.mean_fraction(k[..., own], n[own], rho) - bb.mean_fraction(k[..., ~own], n[~own], rho)
