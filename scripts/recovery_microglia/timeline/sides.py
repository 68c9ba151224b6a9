"""Every day after injury and the control that it is compared with."""

from dataclasses import dataclass

import pandas as pd

from recovery_microglia.core.vocabulary import Condition
from recovery_microglia.timeline.fractions import Group, group_of, pick_control
from recovery_microglia.timeline.paired_model import Pairs, pairs_of

SAME_ANIMALS = ", same animals"


@dataclass(frozen=True)
class Side:
    """A day and its control.

    Attributes
    ----------
    rows, control_rows
        Their subjects, one row each.
    group, control
        The same as counts; ``control.label`` names it.
    pairs
        The subjects' two sides, where each has its own control side; else None.
    """

    rows: pd.DataFrame
    control_rows: pd.DataFrame
    group: Group
    control: Group
    pairs: Pairs | None

    @property
    def single(self) -> bool:
        """Whether either side has fewer than two subjects."""
        return min(len(self.group.k), len(self.control.k)) < 2


def sides_of(units: pd.DataFrame) -> dict[float, Side]:
    """Return every post-injury day with its control; equal groups are one object."""
    injured = units[(units["condition"] == Condition.INJURED) & (units["n"] > 0)]
    controls: dict[str, Group] = {}
    found = {}
    for day in sorted(injured["day"].dropna().unique()):
        rows = injured[injured["day"] == day]
        control_rows, name = pick_control(units, day)
        pairs = pairs_of(control_rows, rows) if name.startswith("contralateral day") else None
        name += SAME_ANIMALS if pairs else ""
        if name not in controls:
            controls[name] = group_of(control_rows, name)
        found[day] = Side(rows, control_rows, group_of(rows, f"day {day:g}"), controls[name], pairs)
    return found
