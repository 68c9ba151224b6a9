"""When a day counts as above control: the rule, and the looks at the data beside the model's own p.

A day is above control if its p passes the false-discovery rate over the days, its share is the higher one, and none of
these is against it:

- the t-test on arcsine roots, at `SECOND_LOOK`. The model learns how animals differ from a handful of them, and one
  failed library can deceive it; a t-test sees such an animal as spread.
- the day without its highest animal, at `WITHOUT_HIGHEST`. A rise does not hang on one animal.
- the model with sex, chemistry and batch held fixed, at the level of the test itself.

The first two are looser than the test itself, or they would decide in its place: at .05 the t-test would take a tenth of
the power with three animals a day and a third with two. Measured in docs/calibration.md.
"""

from collections.abc import Sequence

import numpy as np

from recovery_microglia.core.arrays import Floats
from recovery_microglia.timeline import betabinomial as bb
from recovery_microglia.timeline.fractions import Group, group_of_counts

SECOND_LOOK, WITHOUT_HIGHEST = 0.1, 0.2
"""Two-sided p from which a further look is against a rise."""


def without_highest(group: Group) -> Group:
    """Return a group without the animal that has the highest fraction."""
    kept = np.arange(len(group.k)) != int(np.argmax(group.fraction))
    return group_of_counts(group.k[kept], group.n[kept])


def p_without_highest(control: Group, group: Group, everything: Sequence[Group]) -> float:
    """Return the one-directional p of a day without its highest animal: twice the chance that it is not above control.

    The spread is learnt anew without that animal. 1 where the rest is rather below.
    """
    rest = without_highest(group)
    weight = bb.rho_posterior([rest.grid if other is group else other.grid for other in everything if len(other.k)])
    return upper_p(bb.tail(control.grid, rest.grid, weight))


def upper_p(tail: float) -> float:
    """Return twice the chance that a share is not above its control, at the most 1."""
    return float(min(max(2 * tail, bb.LEAST_P), 1.0))


def looks_against(p_second: Floats | float, p_rest: Floats | float, *, second: str = "t-test") -> list[str]:
    """Return which of the two further looks are against a rise, in words; a look that could not be taken is not."""
    found = [second] if p_second >= SECOND_LOOK else []
    return found + (["the day without its highest animal"] if p_rest >= WITHOUT_HIGHEST else [])
