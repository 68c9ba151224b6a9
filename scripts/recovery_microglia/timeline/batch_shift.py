"""How large a batch effect would undo a claim, where the sheet does not say what was processed together.

If all animals of a day share a shift of their log odds, no test over animals can see it: with an SD of .5 up to 12 % of
studies without a rise claim one, with 1 up to 30 % (docs/calibration.md). So each tested day says how many times the odds
a shift would have to be for its p to reach the level of the test.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from recovery_microglia.core.arrays import Floats
from recovery_microglia.core.errors import Notice
from recovery_microglia.core.frame_access import records
from recovery_microglia.core.vocabulary import Severity
from recovery_microglia.timeline import betabinomial as bb
from recovery_microglia.timeline.sides import Side

LARGEST = 100.0
"""Times the odds above which nothing is looked for."""


def undoing_factor(control: Floats, group: Floats, weight: Floats, *, alpha: float) -> float:
    """Return how many times the odds a shift shared by a day's animals must be for the day's p to reach ``alpha``.

    The day's share is moved down by the shift on the log odds; 1 where p does not pass the level as it is.

    Parameters
    ----------
    control, group
        Their log-likelihoods on the grid.
    weight
        From `betabinomial.rho_posterior`.
    """
    first = bb.p_given_spread(control[: len(weight)])
    second = bb.p_given_spread(group[: len(weight)])
    not_below = 1 - np.cumsum(first, axis=1) + first / 2

    def p_of(factor: float) -> float:
        at = expit(logit(bb.P) - np.log(factor))
        moved = np.array([np.interp(at, bb.P, row) for row in not_below])
        return float(2 * (weight @ (second * moved).sum(axis=1)))

    if p_of(1.0) >= alpha:
        return 1.0
    low, high = 0.0, float(np.log(LARGEST))
    if p_of(LARGEST) < alpha:
        return LARGEST
    while high - low > 0.005:
        middle = (low + high) / 2
        low, high = (middle, high) if p_of(float(np.exp(middle))) < alpha else (low, middle)
    return float(np.exp(low))


def add_undoing(table: pd.DataFrame, sides: Mapping[float, Side], weight: Floats, *, alpha: float) -> None:
    """Add ``undone_by`` to a table of days: given for those above control whose sides are not of the same animals."""
    found = []
    for row in records(table):
        side = sides[row["day"]]
        claimed = row["q"] < alpha and row["difference"] > 0 and side.pairs is None
        found.append(undoing_factor(side.control.grid, side.group.grid, weight, alpha=alpha) if claimed else np.nan)
    table["undone_by"] = found


def unknown_batches(units: pd.DataFrame, timeline: pd.DataFrame) -> list[Notice]:
    """Return the warning that a claim rests on an unknown batch; nothing where batches are stated or nothing is claimed.

    Parameters
    ----------
    units
        The animals of the sheet: batch.
    timeline
        Rows of timeline.tsv of the reported calling method.
    """
    known = timeline[timeline["undone_by"].notna() & (timeline["methods_against"].fillna("") == "")]
    if known.empty or (units["batch"].astype(str) != "").all():
        return []
    least = min(records(known), key=lambda row: float(row["undone_by"]))
    more = "at least " if least["undone_by"] >= LARGEST else ""
    text = (
        "The sheet does not say what was processed together. If all animals of a day share a batch effect, no test over "
        f"animals can see it: a shift of {more}{least['undone_by']:.1f} times the odds would undo the claim of day {least['day']:g}, "
        "the weakest of those above control. State `batch` in the sample sheet."
    )
    return [Notice("batch_unknown_claim", Severity.WARNING, text)]
