"""What would settle what is open: named from the design, with animals that a drawn study confirms."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from recovery_microglia.core.errors import Notice
from recovery_microglia.timeline import next_step
from recovery_microglia.timeline.design import Audit
from recovery_microglia.timeline.next_step import next_steps
from recovery_microglia.timeline.settings import TimelineSettings

CALLED: dict[str, Any] = {
    "status": "tested",
    "reason": "",
    "coverage": {"reason": ""},
    "calibration": [{"chemistry": "v3", "cutoff": 3.5, "n_control_cells": 800, "n_control_subjects": 6}],
}
SETTINGS = TimelineSettings()


def audit(status: str = "tested", reason: str = "", **more: Any) -> Audit:
    groups = pd.DataFrame({"arm": "", "day": [0.0, 7.0], "condition": ["naive", "injured"], "n_subjects": [3, 3]})
    return Audit(status, reason, pd.DataFrame(), more.pop("groups", groups), more.pop("notices", []), **more)


def units(shares: dict[float, float], n: int = 150, animals: int = 3) -> pd.DataFrame:
    """Animals with exactly these shares by day; day 0 is naive."""
    rows = [
        {"arm": "", "subject": f"m{day:g}_{i}", "day": day, "condition": "naive" if day == 0 else "injured", "sex": "male", "chemistry": "v3",
         "batch": "", "k": round(share * n), "n": n, "fraction": round(share * n) / n, "mixture": share, "mixture_low": share / 2,
         "mixture_high": min(2 * share + 0.01, 1.0), "mixture_recovery": share * n, "mixture_cells": float(n), "route": "score", "denominator": "microglia"}
        for day, share in shares.items()
        for i in range(animals)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def days(shares: dict[float, float], q: dict[float, float]) -> pd.DataFrame:
    rows = [
        {"arm": "", "day": day, "status": "tested", "q": q[day], "difference": share - 0.01, "fraction": share, "control_fraction": 0.01,
         "methods_against": "", "n_subjects": 3, "n_control_subjects": 3, "smallest_detectable": 0.15}
        for day, share in shares.items()
        if day > 0
    ]  # fmt: skip
    return pd.DataFrame(rows)


def onset(low: float, high: float) -> pd.DataFrame:
    return pd.DataFrame([{"arm": "", "status": "tested", "onset_low": low, "onset_high": high}])


def steps(shares: dict[float, float], q: dict[float, float], low: float, high: float) -> list[dict[str, Any]]:
    return next_steps(audit(), units(shares), days(shares, q), onset(low, high), CALLED, SETTINGS, seed=1)


RISE = {0.0: 0.01, 3.0: 0.01, 7.0: 0.01, 14.0: 0.3, 35.0: 0.3}
CLEAR = {3.0: 0.8, 7.0: 0.8, 14.0: 0.001, 35.0: 0.001}


@pytest.mark.parametrize(
    ("low", "high", "day"), [(3.0, 14.0, 10.0), (np.nan, 3.0, 1.0), (7.0, 14.0, 10.0), (14.0, 35.0, 24.0)]
)
def test_the_day_to_sample_is_the_middle_of_the_widest_gap_in_the_interval(low: float, high: float, day: float) -> None:
    (found,) = [step for step in steps(RISE, CLEAR, low, high) if step["kind"] == "sample_day"]
    assert found["day"] == day
    assert f"Sample day {day:g}" in found["text"]


def test_no_day_is_named_where_the_days_lie_side_by_side() -> None:
    shares = {0.0: 0.01, 3.0: 0.01, 4.0: 0.3}
    assert "sample_day" not in {step["kind"] for step in steps(shares, {3.0: 0.8, 4.0: 0.001}, 3.0, 4.0)}


def test_animals_that_are_named_would_detect_the_share_and_fewer_would_not() -> None:
    shares = {0.0: 0.01, 7.0: 0.05, 35.0: 0.3}
    found = next(s for s in steps(shares, {7.0: 0.1, 35.0: 0.001}, 7.0, 35.0) if s["kind"] == "add_animals")
    assert found["day"] == 7
    measured = next_step._as_measured(units(shares))
    limit = lambda n: next_step._detection_limit(n, n, measured, SETTINGS, np.random.default_rng(5), n_days=2)  # noqa: E731
    assert limit(int(found["animals"])) <= 0.05 * 1.15  # another seed: the power is known to .04
    assert limit(3) > 0.05
    assert f"with {found['animals']:g} animals and {found['animals']:g} controls (now 3 and 3)" in found["text"]


@pytest.mark.parametrize("q", [0.84, np.nan])
def test_a_day_that_is_hardly_unlike_its_control_is_not_pursued(q: float) -> None:
    # the highest of several quiet days is above its control by chance
    shares = {0.0: 0.01, 7.0: 0.012, 14.0: 0.009}
    (found,) = [s for s in steps(shares, {7.0: q, 14.0: 0.9}, np.nan, np.nan) if s["kind"] == "add_animals"]
    assert "day" not in found["text"].split(":")[0]
    assert found["animals"] == 6


def test_where_nothing_is_shown_more_animals_have_a_lower_detection_limit() -> None:
    shares = {0.0: 0.01, 7.0: 0.008, 14.0: 0.009}
    (found,) = [s for s in steps(shares, {7.0: 0.9, 14.0: 0.9}, np.nan, np.nan) if s["kind"] == "add_animals"]
    assert found["animals"] == 6
    assert "now 15.0 %" in found["text"]


def test_what_is_missing_is_named_where_nothing_can_be_tested() -> None:
    def kinds(design: Audit, recovery: dict[str, Any] = CALLED) -> list[str]:
        found = next_steps(
            design, units({0.0: 0.01}), pd.DataFrame(), onset(np.nan, np.nan).head(0), recovery, SETTINGS, seed=1
        )
        assert all(step["text"] for step in found)
        return [step["kind"] for step in found]

    assert kinds(audit("not_testable", "the days after injury are not known")) == ["state_day"]
    assert kinds(audit("not_testable", "there is no injured library")) == ["add_animals"]
    assert kinds(audit("not_testable", "there is no control library")) == ["add_animals"]
    genes = {"n_present": 0, "n_genes": 14, "absent": ["Igf1"], "reason": "0 of 14"}
    assert kinds(audit(), {**CALLED, "status": "not_testable", "coverage": genes}) == ["measure_genes"]
    no_cutoff = [{"chemistry": "v2", "cutoff": None, "n_control_cells": 12, "n_control_subjects": 1}]
    assert kinds(audit(), {**CALLED, "status": "not_testable", "calibration": no_cutoff}) == ["add_controls"]
    held = {("", 7.0): "day and batch confounded"}
    assert kinds(audit("descriptive", "day and batch confounded", held=held)) == ["share_batch"]
    assert kinds(audit("descriptive", "one animal a day, or one control animal")) == ["add_animals"]


def test_a_sheet_without_batches_is_asked_for_them() -> None:
    shares = {0.0: 0.01, 3.0: 0.3}
    noted = audit(notices=[Notice("batch_unknown", "info", "x")])
    found = next_steps(noted, units(shares), days(shares, {3.0: 0.001}), onset(np.nan, 3.0), CALLED, SETTINGS, seed=1)
    assert found[-1]["kind"] == "state_batch"
