"""Groups that only their age, or their arm, distinguishes: sources of Igf1, and the table of the animals."""

import numpy as np
import pandas as pd
import pytest

from recovery_microglia import figures
from recovery_microglia.report import ReportInputs
from recovery_microglia.report.sections.igf1 import igf1_section
from recovery_microglia.report.sections.timeline import timeline_section

AGES = pd.Series({"p1": "P4", "p2": "P4", "o1": "P540"})


def _states(**more: object) -> pd.DataFrame:
    rows = [
        {"subject": subject, "day": np.nan, "condition": "naive", "state": state, "cells": 50, "igf1_counts": int(100 * share),
         "microglia_igf1_counts": 100, "share": share}
        for subject, called in (("p1", 0.9), ("p2", 0.7), ("o1", 0.1))
        for state, share in (("recovery", called), ("homeostatic", 1 - called))
    ]  # fmt: skip
    return pd.DataFrame(rows).assign(**more)


def test_pups_and_aged_animals_are_two_bars_of_igf1_within_microglia() -> None:
    picture = figures.igf1_within(_states(), AGES)
    assert picture is not None
    own = picture.numbers.set_index("group")
    assert list(own["animals"]) == [2, 1]
    assert list(own["microglia, recovery"]) == pytest.approx([0.8, 0.1])
    assert all(f"naive, {age} (n = " in picture.panels[0].svg for age in ("P4", "P540"))
    assert len(figures.igf1_within(_states()).numbers) == 1  # without ages they are one group


def test_a_bar_has_its_age_though_the_others_have_too_few_counts() -> None:
    states = _states()
    states.loc[states["subject"] == "o1", "microglia_igf1_counts"] = 3
    picture = figures.igf1_within(states, AGES)
    assert picture is not None
    assert list(picture.numbers["group"]) == ["naive, P4"]


def test_pups_and_aged_animals_are_two_bars_of_the_sources_of_igf1() -> None:
    rows = [
        {"subject": subject, "day": np.nan, "condition": "naive", "lineage": lineage, "igf1_counts": 50, "total_igf1_counts": 100, "share": share}
        for subject, own in (("p1", 0.9), ("p2", 0.7), ("o1", 0.1))
        for lineage, share in (("microglia", own), ("border_macrophage", 1 - own))
    ]  # fmt: skip
    for states in (_states(), _states().head(0)):
        picture = figures.igf1_sources(pd.DataFrame(rows), states, AGES)
        assert picture is not None
        own = picture.numbers.set_index("group")
        assert list(own["border macrophage"]) == pytest.approx([0.2, 0.9])


def test_no_day_is_said_to_be_unknown_where_the_study_has_none() -> None:
    alone = figures.igf1_within(_states(condition="treated"))
    assert "day not known" not in alone.panels[0].svg
    some = _states(condition="treated")
    some.loc[some["subject"] == "o1", "day"] = 7.0
    assert "treated, day not known" in figures.igf1_within(some).panels[0].svg


def _inputs() -> ReportInputs:
    samples = pd.DataFrame({"library": ["a", "b", "c"], "subject": ["p1", "p2", "o1"], "condition": ["treated", "treated", "naive"],
                            "day": np.nan, "arm": ["left", "right", "left"], "age": ["P4", "P4", "P540"], "included": True})  # fmt: skip
    units = samples[["subject", "condition", "day"]].assign(
        arm="",
        route="score",
        denominator="microglia",
        k=[40, 50, 1],
        n=100,
        fraction=[0.4, 0.5, 0.01],
        low=0.0,
        high=0.6,
        mixture=0.5,
        mixture_low=0.4,
        mixture_high=0.6,
    )
    summary = {"status": "not_testable", "reason": "there is no injured library", "recovery": {"called": True}}
    return ReportInputs(summary, {"samples": samples, "fractions": units, "igf1_states": _states(condition="treated")})


def test_without_ages_the_heading_has_a_share_for_each_condition() -> None:
    own = _inputs()
    own.tables["samples"] = own.tables["samples"].assign(age="P4")
    said = "In treated animals 40\N{EN DASH}50 % of the microglia are called recovery cells and in the naive animal 1.0\N{NO-BREAK SPACE}%"
    assert timeline_section(own).title == said


def test_arms_are_bars_of_their_own() -> None:
    inputs = _inputs()
    plates = [plate for block in igf1_section(inputs).blocks for plate in getattr(block, "pictures", ())]
    assert set(plates[0].picture.numbers["group"]) == {"treated, left, P540", "treated, left, P4", "treated, right, P4"}


def test_the_table_of_the_animals_has_their_age_and_its_heading_what_was_called() -> None:
    section = timeline_section(_inputs())
    assert (
        section.title
        == "Called recovery cells, of the microglia: 40\N{EN DASH}50 % (treated, P4) and 1.0\N{NO-BREAK SPACE}% (naive, P540)"
    )
    prose, table = section.blocks
    assert "figure 1 shows the share without a cutoff" in prose.text
    place = [column.key for column in table.columns].index("age")
    assert [row[place].text for row in table.rows] == ["P4", "P4", "P540"]


@pytest.mark.parametrize("n", [2, 3])
def test_the_legend_of_short_bars_keeps_clear_of_the_axis(n: int) -> None:
    """The key of a colour stood on the last letters of 100 %."""
    states = [
        "homeostatic",
        "recovery",
        "acute_inflammatory",
        "interferon",
        "cycling",
        "dissociation_stress",
        "migrating",
    ]
    cells = pd.DataFrame([
        {"subject": "a", "condition": condition, "day": np.nan, "lineage": "microglia", "state": state}
        for condition in ("naive", "treated", "injured")[:n]
        for state in states
    ])  # fmt: skip
    figure = figures.state_shares(cells).panels[0].figure
    figure.canvas.draw() if hasattr(figure.canvas, "draw") else None
    ax = figure.axes[0]
    last = max(label.get_window_extent().x1 for label in ax.get_xticklabels())
    assert ax.get_legend().get_window_extent().x0 >= last
