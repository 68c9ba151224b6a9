"""The two sides of one animal: days against contralateral tissue, pair by pair.

Side s of animal i has k of n recovery cells; logit of its mean = logit(p of its group) + u_i, u_i normal with SD tau and
the same on both sides, and beta-binomial with intraclass correlation rho around it. An animal that has more such cells
on both sides is no evidence; what is compared is the difference within animals. tau, rho and the groups' p are
integrated on grids, u_i by Gauss-Hermite quadrature; p is the posterior probability that the injured side is not above the
other one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit, logsumexp

from recovery_microglia.core.arrays import Floats
from recovery_microglia.timeline import betabinomial as bb
from recovery_microglia.timeline.confirmatory_tests import sign_flip_p
from recovery_microglia.timeline.fractions import evidence

TAU = np.array([0.0, 0.25, 0.5, 1.0])
"""SD of the animals' log odds; prior weights equal."""
RHO_PART = slice(None, None, 2)
_HERMITE = np.polynomial.hermite.hermgauss(7)
NODES, LOG_WEIGHTS = _HERMITE[0] * np.sqrt(2), np.log(_HERMITE[1] / np.sqrt(np.pi))
"""Gauss-Hermite quadrature over a standard normal: nodes and log weights."""
COARSE, FINE = bb.P[::10], bb.P[::4]


@dataclass(frozen=True)
class Pairs:
    """Animals of a day with both sides: recovery cells and cells of the control side and of the injured one (`evidence`)."""

    k_control: Floats
    n_control: Floats
    k: Floats
    n: Floats

    @property
    def difference(self) -> Floats:
        """Share of the injured side minus that of the control side, each animal."""
        return np.asarray(self.k / self.n - self.k_control / self.n_control)

    @property
    def root_difference(self) -> Floats:
        """The same between arcsine roots, whose sampling variance does not depend on the share."""
        first, second = self.k_control / self.n_control, self.k / self.n
        return np.asarray(np.arcsin(np.sqrt(second)) - np.arcsin(np.sqrt(first)))


def pairs_of(control: pd.DataFrame, own: pd.DataFrame) -> Pairs | None:
    """Return the pairs, if every animal of the day has its own control side; else None."""
    if "subject" not in control or set(control["subject"]) != set(own["subject"]) or len(own) < 2:
        return None
    first, second = control.set_index("subject"), own.set_index("subject")
    if not (first.index.is_unique and second.index.is_unique):
        return None
    first = first.loc[second.index]
    return Pairs(*evidence(first), *evidence(second))


def _side(k: Floats, n: Floats, p: Floats, tau: float) -> Floats:
    """Return the log-likelihood of one side of each animal (animals × rho × p × nodes)."""
    mean = np.clip(expit(logit(p)[:, None] + tau * NODES), 1e-9, 1 - 1e-9)
    rho = bb.RHO[RHO_PART]
    shape = (slice(None), None, None, None)
    return bb.log_pmf(k[shape], n[shape], mean[None, None], rho[None, :, None, None])


def _by_shares(day: Pairs, tau: float, shares: Floats) -> Floats:
    """Return the log-likelihood of a day's animals (rho × share of the control side × share of the injured side)."""
    first, second = _side(day.k_control, day.n_control, shares, tau), _side(day.k, day.n, shares, tau)
    tops = first.max(axis=(2, 3), keepdims=True), second.max(axis=(2, 3), keepdims=True)
    weighted = np.exp(first - tops[0] + LOG_WEIGHTS)
    both = np.einsum("arpu,arqu->arpq", weighted, np.exp(second - tops[1]))
    # 1e-300: shares that are impossible for an animal may underflow
    found = np.log(np.maximum(both, 1e-300)) + tops[0] + tops[1]
    return np.asarray(found.sum(axis=0))


def spread(days: Sequence[Pairs]) -> Floats:
    """Return the posterior weights of (tau × rho), each day with two shares of its own."""
    prior = bb.rho_prior()[RHO_PART]
    log_weight = np.log(np.tile(prior / prior.sum(), (len(TAU), 1)))
    for i, tau in enumerate(TAU):
        for day in days:
            log_weight[i] += logsumexp(_by_shares(day, tau, COARSE), axis=(1, 2)) - 2 * np.log(len(COARSE))
    weight = np.exp(log_weight - log_weight.max())
    return np.asarray(weight / weight.sum())


def paired_tail(day: Pairs, weight: Floats) -> float:
    """Return the posterior probability that the injured sides' share is not above that of the other sides.

    Parameters
    ----------
    day
        The pairs.
    weight
        From `spread`, over all days.
    """
    not_above = np.tril(np.ones((len(FINE), len(FINE))))  # control share (rows) ≥ injured share
    np.fill_diagonal(not_above, 0.5)
    found = 0.0
    for tau, by_rho in zip(TAU, weight, strict=True):
        logs = _by_shares(day, tau, FINE)
        mass = np.exp(logs - logs.max(axis=(1, 2), keepdims=True))
        found += float(by_rho @ ((mass * not_above).sum(axis=(1, 2)) / mass.sum(axis=(1, 2))))
    return found


def without_highest_pair(day: Pairs) -> Pairs:
    """Return the pairs without the one whose sides differ most in favour of the injured one."""
    kept = np.arange(len(day.n)) != int(np.argmax(day.difference))
    return Pairs(day.k_control[kept], day.n_control[kept], day.k[kept], day.n[kept])


def paired_difference(day: Pairs, weight: Floats) -> float:
    """Return the mean difference within animals, each pair by what it tells at the usual spread."""
    typical = float((weight.sum(axis=0) * bb.RHO[RHO_PART]).sum())
    inner = np.stack([day.n_control, day.n]).astype(float)
    told = inner / (1 + (inner - 1) * typical)
    each = 1 / (1 / told).sum(axis=0)
    return float(day.difference @ (each / each.sum()))


def paired_t_p(day: Pairs, days: Sequence[Pairs]) -> float:
    """Return a two-sided p by a t-test on differences of arcsine roots, with one variance for all days."""
    from scipy.special import stdtr

    differences = [other.root_difference for other in days]
    freedom = sum(len(d) - 1 for d in differences)
    if freedom < 1:
        return float("nan")
    residual = sum(float(((d - d.mean()) ** 2).sum()) for d in differences)
    # binomial sampling alone gives 1/(4n) on each side: a smaller observed variance is luck
    floor = float(np.mean([np.mean(1 / (4 * d.n) + 1 / (4 * d.n_control)) for d in days]))
    error = np.sqrt(max(residual / freedom, floor) / len(day.n))
    return float(2 * stdtr(freedom, -abs(day.root_difference.mean()) / error))


def paired_p(day: Pairs, days: Sequence[Pairs]) -> dict[str, float]:
    """Return the further tests of a day of pairs: t-test, exact sign flips, and the smallest p these can reach."""
    return {
        "p_second": paired_t_p(day, days),
        "p_permutation": sign_flip_p(day.difference),
        "p_smallest": min(2.0 ** (1 - len(day.n)), 1.0),
    }
