"""Drawn studies with known truth, from several laws of how animals differ, and from several shapes of a rise."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import expit, logit, softmax

Draws = np.ndarray
DAYS = (1.0, 3.0, 7.0, 14.0, 21.0, 35.0)
_NORMAL = np.random.default_rng(0).standard_normal(20_000)
FAILED = 0.25
"""Share of cells that are called in a library that failed."""


@dataclass(frozen=True)
class Law:
    """How the share of an animal differs from that of its group.

    Attributes
    ----------
    draw
        Animals' shares from the group's (shares, generator).
    mean
        Mean share of the law for a group's parameter.
    """

    name: str
    draw: Callable[[Draws, np.random.Generator], Draws]
    mean: Callable[[float], float] = float

    def parameter(self, mean: float) -> float:
        """Return the group's parameter with which its animals have this mean share."""
        low, high = 1e-6, 1 - 1e-6
        for _ in range(30):
            middle = (low + high) / 2
            low, high = (middle, high) if self.mean(middle) < mean else (low, middle)
        return (low + high) / 2


def _beta(rho: float) -> Law:
    def draw(share: Draws, rng: np.random.Generator) -> Draws:
        return share if rho == 0 else np.asarray(rng.beta(share * (1 / rho - 1), (1 - share) * (1 / rho - 1)))

    return Law("animals alike" if rho == 0 else f"beta-binomial, rho {rho:g}", draw)


def model_law(spread: Draws, shares: Draws) -> Law:
    """Return a law with its intraclass correlation at each share of a grid."""

    def draw(share: Draws, rng: np.random.Generator) -> Draws:
        rho = np.interp(share, shares, spread)
        total = 1 / np.where(rho > 0, rho, 0.5) - 1
        return np.where(
            rho > 0, rng.beta(np.maximum(share * total, 1e-9), np.maximum((1 - share) * total, 1e-9)), share
        )

    return Law("of the model", draw)


def _logit_normal(sd: float) -> Law:
    def draw(share: Draws, rng: np.random.Generator) -> Draws:
        return np.asarray(expit(logit(share) + sd * rng.standard_normal(share.shape)))

    return Law(f"logit-normal, SD {sd:g}", draw, lambda share: float(expit(logit(share) + sd * _NORMAL).mean()))


def _two_kinds(share: Draws, rng: np.random.Generator) -> Draws:
    """Three in ten animals have five times the odds, whatever their group."""
    return np.asarray(expit(logit(share) + np.log(5) * (rng.random(share.shape) < 0.3)))


LAWS = {
    law.name: law
    for law in (
        *map(_beta, (0.0, 0.015, 0.06)),
        *map(_logit_normal, (0.5, 1.0)),
        Law("two kinds of animals", _two_kinds, lambda p: float(0.7 * p + 0.3 * expit(logit(p) + np.log(5)))),
    )
}
HALF_RESPOND = Law("half of the animals respond", lambda share, _: share)
"""Draws of this law are made by `Design.respond`: a risen day's animals have twice the rise or none."""


@dataclass(frozen=True)
class Design:
    """A study to draw.

    Attributes
    ----------
    law
        How animals differ.
    animals, cells
        Of each group; cells of an animal are .7, 1 or 1.4 times as many.
    shares
        Of the control, and of each day.
    days
        The days; 1, 2, … by default.
    failed
        Libraries after injury in which `FAILED` of the cells are called.
    shift
        SD of the log odds that all animals of a day have in common.
    sexes
        Log odds by which males exceed females, who fall unevenly on the groups; 0: no sex is stated.
    sides
        SD of the log odds that both sides of an animal share; the controls are then the other sides; 0: they are naive.
    respond
        Part of the animals that take part in a rise; the others stay at the control's share.
    """

    law: Law
    animals: int
    cells: int
    shares: tuple[float, ...]
    days: tuple[float, ...] = ()
    failed: int = 0
    shift: float = 0.0
    sexes: float = 0.0
    sides: float = 0.0
    respond: float = 1.0
    name: str = field(default="", compare=False)

    @property
    def when(self) -> tuple[float, ...]:
        """The days after injury."""
        return self.days or tuple(float(i + 1) for i in range(len(self.shares) - 1))

    def true(self, group: int) -> float:
        """Mean share of the animals of a group."""
        return self.law.mean(self.shares[group])

    def draw(self, rng: np.random.Generator) -> pd.DataFrame:
        """Return the animals of one study: subject, day, condition, k, n (and sex, chemistry, batch)."""
        groups = np.repeat(np.arange(len(self.shares)), self.animals)
        odds = logit(np.array(self.shares))[groups]
        if self.respond < 1:
            twice = logit(np.clip(2 * np.array(self.shares) - self.shares[0], 1e-4, 1 - 1e-4))[groups]
            odds = np.where(rng.random(len(groups)) < self.respond, twice, logit(self.shares[0]))
        if self.shift:
            odds = odds + self.shift * rng.standard_normal(len(self.shares))[groups]
        table = pd.DataFrame({"day": np.concatenate([[0.0], self.when])[groups]})
        table["condition"] = np.where(groups == 0, "naive", "injured")
        if self.sexes:
            often = rng.choice([0.25, 0.75], len(self.shares))
            male = rng.random(len(groups)) < often[groups]
            odds = odds + self.sexes * (male - 0.5)
            table = table.assign(sex=np.where(male, "male", "female"), chemistry="v3", batch="A")
        if self.sides:
            table, odds, groups = table[groups > 0], odds[groups > 0], groups[groups > 0]
            own = self.sides * rng.standard_normal(len(groups))
            other = np.full(len(groups), logit(self.shares[0])) + own
            table = pd.concat([table, table.assign(condition="contralateral")], ignore_index=True)
            odds = np.concatenate([odds + own, other])
            table["subject"] = [f"m{i}" for i in range(len(groups))] * 2
        else:
            table["subject"] = [f"m{i}" for i in range(len(groups))]
        share = self.law.draw(expit(odds), rng)
        n = np.maximum((self.cells * rng.choice([0.7, 1.0, 1.4], len(share))).astype(int), 1)
        k = rng.binomial(n, share)
        if self.failed:
            at = rng.choice(np.flatnonzero(table["condition"] == "injured"), self.failed, replace=False)
            k[at] = rng.binomial(n[at], FAILED)
        return table.assign(k=k, n=n)


# ---------------------------------------------------------------- a published simulation


CELLS_OF_SAMPLE = 5000


def case_control_counts(noise: str, base: int, change: float, samples: int, seed: int) -> tuple[Draws, Draws]:
    """Return the counts of five types in the control and the case samples (samples × types each): scCODA's model comparison.

    5,000 cells a sample, multinomial; of the first type ``base`` in the control and ``change`` times as many more in the case.
    ``noise`` between samples: normal with a variance of .05 on the log shares, or Dirichlet of precision 100, under which a
    type of a fifth of the cells varies as much.
    """
    rng = np.random.default_rng([seed, 6])
    rest = (CELLS_OF_SAMPLE - base) / 4
    counts = []
    for more in (0.0, change):
        first = base * (1 + more)
        mean = np.log([first, *[rest * (CELLS_OF_SAMPLE - first) / (CELLS_OF_SAMPLE - base)] * 4])
        if noise == "normal":
            shares = softmax(mean + np.sqrt(0.05) * rng.standard_normal((samples, 5)), axis=1)
        else:
            shares = rng.dirichlet(100 * softmax(mean), samples)
        counts.append(np.array([rng.multinomial(CELLS_OF_SAMPLE, own) for own in shares]))
    return counts[0], counts[1]


# ---------------------------------------------------------------- shapes of a rise


def step(t: Draws) -> Draws:
    """Nothing before day 10, all from then on."""
    return np.where(t >= 10, 1.0, 0.0)


def ramp(t: Draws) -> Draws:
    """Straight from day 0 to day 35."""
    return np.clip(t / 35, 0, 1)


def logistic(t: Draws) -> Draws:
    """Half-way at day 10."""
    return 1 / (1 + np.exp(-(t - 10) / 2))


def transient(t: Draws) -> Draws:
    """Highest on day 14, and over after day 28."""
    return np.exp(-(((t - 14) / 6) ** 2))


SHAPES: dict[str, Callable[[Draws], Draws]] = {"step": step, "ramp": ramp, "logistic": logistic, "transient": transient}


def part_reached(shape: Callable[[Draws], Draws], part: float, days: tuple[float, ...]) -> float:
    """Return the day on which a course first reaches a part of its height on the sampled days."""
    t = np.linspace(0, max(days), 40_001)
    rise = shape(t)
    return float(t[np.argmax(rise >= part * shape(np.array(days)).max() - 1e-12)])
