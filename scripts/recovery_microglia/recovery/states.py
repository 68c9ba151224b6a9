"""What each microglia is doing: scores of the states, in units of the controls."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from recovery_microglia.core.arrays import Bools
from recovery_microglia.core.genes import Signatures

INFLAMMATION = ("acute_inflammatory", "interferon")
"""States that raise a few recovery genes: nothing may be learnt that follows them."""


@dataclass(frozen=True)
class StateCalls:
    """States of microglia.

    Attributes
    ----------
    units
        Cells × states: 0 is the median of the reference cells, 1 their 99th percentile; NaN if not scored.
    state
        Per cell the state that is furthest above 1; ``homeostatic`` if none is and the homeostatic score is not
        unusually low; else ``none``.
    reference
        ``control microglia`` or, without any, ``all microglia``.
    """

    units: pd.DataFrame
    state: pd.Series
    reference: str


def state_sets(signatures: Signatures) -> dict[str, tuple[str, ...]]:
    """Return state to its rising genes, recovery among them; a gene of recovery is left out of other states."""
    shared = set(signatures.recovery.up)
    sets = {name: tuple(g for g in s.up if g not in shared) for name, s in signatures.states.items()}
    return {**sets, "recovery": signatures.recovery.up}


def in_reference_units(scores: pd.DataFrame, reference: Bools) -> pd.DataFrame:
    """Return scores so that the reference cells' median is 0 and their 99th percentile is 1."""
    base = scores[reference] if reference.any() else scores
    median, high = base.median(), base.quantile(0.99)
    spread = (high - median).where(high > median)
    # one reference cell in a hundred has none of the state: its highest reference cell stands in; where no reference
    # cell has any, half of the highest score, since a single chance count must not outshine every other state
    for instead in (base.max() - median, (scores.max() - median) / 2):
        spread = spread.fillna(instead.where(instead > 0))
    return (scores - median) / spread


def call_states(scores: pd.DataFrame, control: Bools, chemistry: pd.Series) -> StateCalls:
    """Give each microglia its best state.

    Parameters
    ----------
    scores
        Cells × states, rank scores on uncorrected counts, with a column ``homeostatic``.
    control
        Which cells are control microglia.
    chemistry
        Chemistry of each cell; units are set within a chemistry where it has control cells.
    """
    some = bool(control.any())
    units = pd.DataFrame(index=scores.index, columns=scores.columns, dtype=float)
    for kind in chemistry.unique():
        own = (chemistry == kind).to_numpy()
        here = control[own] if some and control[own].any() else np.ones(int(own.sum()), dtype=bool)
        units.loc[own] = in_reference_units(scores[own], here)
    active = units.drop(columns="homeostatic").fillna(-np.inf)
    best, value = active.idxmax(axis=1), active.max(axis=1)
    low_homeostatic = units["homeostatic"] < -1.0
    quiet = np.where(low_homeostatic, "none", "homeostatic")
    state = pd.Series(np.where(value > 1, best, quiet), index=scores.index)
    return StateCalls(units, state, "control microglia" if some else "all microglia")
