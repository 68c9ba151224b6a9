"""A batch effect that all animals of a day share."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from made_up.sheet import sheet
from recovery_microglia.timeline import betabinomial as bb
from recovery_microglia.timeline.batch_shift import LARGEST, undoing_factor, unknown_batches

CELLS = np.full(4, 2000)
FIXED = np.eye(len(bb.RHO))[8]
"""A spread that is known."""


def grid(share: float) -> np.ndarray:
    return bb.likelihood(np.rint(CELLS * share * np.array([0.9, 1.0, 1.0, 1.1])).astype(int), CELLS)


def test_animals_moved_by_the_factor_are_at_the_level_of_the_test() -> None:
    control, share = grid(0.02), 0.12
    factor = undoing_factor(control, grid(share), FIXED, alpha=0.05)
    moved = grid(float(expit(logit(share) - np.log(factor))))
    # a moved posterior is not quite that of moved counts, whose spread falls with their share
    assert bb.two_sided(bb.tail(control, moved, FIXED)) == pytest.approx(0.05, abs=0.03)
    assert undoing_factor(control, grid(0.02), FIXED, alpha=0.05) == 1.0
    assert undoing_factor(control, grid(0.9), FIXED, alpha=0.05) == pytest.approx(LARGEST, rel=0.01)


def test_a_larger_rise_needs_a_larger_shift() -> None:
    control = grid(0.02)
    factors = [undoing_factor(control, grid(share), FIXED, alpha=0.05) for share in (0.08, 0.15, 0.3)]
    assert factors == sorted(factors)
    assert factors[0] > 1


def test_a_claim_on_unknown_batches_is_warned_of_with_the_weakest_day() -> None:
    samples = sheet([(0, "naive", 3), (7, "injured", 3)])
    days = pd.DataFrame({"day": [7.0, 14.0, 21.0], "undone_by": [np.nan, 6.2, 3.44], "methods_against": ""})
    (notice,) = unknown_batches(samples.assign(batch=""), days)
    assert (notice.code, notice.severity) == ("batch_unknown_claim", "warning")
    assert "a shift of 3.4 times the odds would undo the claim of day 21" in notice.text
    assert unknown_batches(samples.assign(batch="A"), days) == []
    assert unknown_batches(samples.assign(batch=""), days.assign(undone_by=np.nan)) == []
    doubted = days.assign(methods_against=["", "", "t-test"])
    assert "day 14" in unknown_batches(samples.assign(batch=""), doubted)[0].text
