"""With several arms the sheet names the arm of each sentence, and says once what the interval is."""

from dataclasses import replace

import pandas as pd

from recovery_microglia.report import ReportInputs
from recovery_microglia.report.sections.sheet import WHAT_THE_INTERVAL_IS, agreeing, answers


def _two_arms(tested: ReportInputs) -> ReportInputs:
    arms = ("SNI", "CCI")
    onset = [{**row, "arm": arm} for row in tested.summary["onset"] for arm in arms]
    days = tested.table("timeline")
    both = [days.assign(arm=arm, undone_by=4.1 + k) for k, arm in enumerate(arms)]
    tables = {**tested.tables, "timeline": pd.concat(both, ignore_index=True)}
    return replace(tested, summary={**tested.summary, "onset": onset}, tables=tables)


def test_the_interval_is_explained_once(tested: ReportInputs) -> None:
    said = [answer.more for answer in answers(_two_arms(tested))]
    assert [text.startswith(WHAT_THE_INTERVAL_IS) for text in said] == [True, False]
    assert all(text for text in said)


def test_a_batch_effect_that_would_explain_a_rise_is_that_of_an_arm(tested: ReportInputs) -> None:
    said = [text for text in agreeing(_two_arms(tested)) if text.startswith("A batch effect")]
    assert len(said) == 2
    assert "(SNI)" in said[0]
    assert "(CCI)" in said[1]
    alone = [text for text in agreeing(replace(tested, tables={**tested.tables, "timeline": tested.table("timeline").assign(undone_by=4.1)}))
             if text.startswith("A batch effect")]  # fmt: skip
    assert alone[0].startswith("A batch effect shared by all animals of day ")
