"""The two sides of one animal: days against contralateral tissue, pair by pair.

Side s of animal i has k of n recovery cells; logit of its mean = logit(p of its group) + u_i, u_i normal with SD tau and
the same on both sides, and beta-binomial with intraclass correlation rho around it. An animal that has more such cells
on both sides is no evidence; what is compared is the difference within animals. tau, rho and the groups' p are
integrated on grids, u_i by Gauss-Hermite quadrature; the test draws studies of the same animals without a difference.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit, logsumexp

from recovery_microglia.core.arrays import Floats, Integers
from recovery_microglia.timeline import betabinomial as bb
from recovery_microglia.timeline.confirmatory_tests import sign_flip_p

TAU = np.array([0.0, 0.25, 0.5, 1.0])
"""SD of the animals' log odds; prior weights equal."""
RHO_PART = slice(None, None, 2)
_HERMITE = np.polynomial.hermite.hermgauss(7)
NODES, LOG_WEIGHTS = _HERMITE[0] * np.sqrt(2), np.log(_HERMITE[1] / np.sqrt(np.pi))
"""Gauss-Hermite quadrature over a standard normal: nodes and log weights."""
COARSE, FINE = bb.P[::10], bb.P[::4]


@dataclass(frozen=True)
class Pairs:
    """Animals of a day with both sides: counts and totals of the control side and of the injured one."""

    k_control: Integers
    n_control: Integers
    k: Integers
    n: Integers

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
    return Pairs(*(rows[name].to_numpy(np.int64) for rows in (first, second) for name in ("k", "n")))


def _side(k: Integers, n: Integers, p: Floats, tau: float) -> Floats:
    """Return the log-likelihood of one side of each animal (animals × rho × p × nodes)."""
    mean = np.clip(expit(logit(p)[:, None] + tau * NODES), 1e-9, 1 - 1e-9)
    rho = bb.RHO[RHO_PART]
    shape = (slice(None), None, None, None)
    return bb.log_pmf(k[shape], n[shape], mean[None, None], rho[None, :, None, None])


def spread(days: Sequence[Pairs]) -> Floats:
    """Return the posterior weights of (tau × rho), each day with two shares of its own."""
    prior = bb.rho_prior()[RHO_PART]
    log_weight = np.log(np.tile(prior / prior.sum(), (len(TAU), 1)))
    for i, tau in enumerate(TAU):
        for day in days:
            first, second = _side(day.k_control, day.n_control, COARSE, tau), _side(day.k, day.n, COARSE, tau)
            tops = first.max(axis=(2, 3), keepdims=True), second.max(axis=(2, 3), keepdims=True)
            weighted = np.exp(first - tops[0] + LOG_WEIGHTS)
            both = np.einsum("arpu,arqu->arpq", weighted, np.exp(second - tops[1]))
            # 1e-300: shares that are impossible for an animal may underflow
            by_share = np.log(np.maximum(both, 1e-300)) + tops[0] + tops[1]
            log_weight[i] += logsumexp(by_share.sum(axis=0), axis=(1, 2)) - 2 * np.log(len(COARSE))
    weight = np.exp(log_weight - log_weight.max())
    return np.asarray(weight / weight.sum())


def paired_contrast(day: Pairs, weight: Floats, *, draws: int, rng: np.random.Generator) -> bb.Contrast:
    """Compare the two sides of a day's animals.

    Parameters
    ----------
    day
        The pairs.
    weight
        From `spread`, over all days.
    draws
        Studies drawn under the null that both sides of an animal share one mean.
    """
    rho_grid = bb.RHO[RHO_PART]
    typical = float((weight.sum(axis=0) * rho_grid).sum())
    inner = np.stack([day.n_control, day.n]).astype(float)
    told = inner / (1 + (inner - 1) * typical)
    each = 1 / (1 / told).sum(axis=0)
    each = each / each.sum()
    chosen = rng.choice(weight.size, draws, p=weight.ravel())
    n = np.concatenate([day.n_control, day.n])
    animals = np.arange(len(day.n))
    simulated = []
    for i in np.unique(chosen // weight.shape[1]):
        sides = [_side(k, m, FINE, TAU[i]) for k, m in ((day.k_control, day.n_control), (day.k, day.n))]
        # animals × rho × p × nodes, both sides alike
        joint = sides[0] + sides[1] + LOG_WEIGHTS
        by_share = logsumexp(joint, axis=3)
        for r in np.unique(chosen[chosen // weight.shape[1] == i] % weight.shape[1]):
            size = int((chosen == i * weight.shape[1] + r).sum())
            posterior = by_share[:, r].sum(axis=0)
            share = rng.choice(len(FINE), size, p=np.exp(posterior - logsumexp(posterior)))
            nodes = np.exp(joint[:, r, share] - by_share[:, r, share, None])  # animals × studies × nodes
            node = bb.choose_rows(nodes.reshape(-1, len(NODES)), rng).reshape(nodes.shape[:2])
            mean = expit(logit(FINE[share]) + TAU[i] * NODES[node]).T
            counts = bb.draw(np.tile(mean, 2), np.full(size, rho_grid[r]), n, rng) / n
            simulated.append((counts[:, len(animals) + animals] - counts[:, animals]) @ each)
    observed = float(day.difference @ each)
    extreme = int((np.abs(np.concatenate(simulated)) >= abs(observed) - 1e-12).sum())
    return bb.Contrast(observed, (1 + extreme) / (1 + draws))


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
