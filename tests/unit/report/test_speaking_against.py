"""What weakens an answer stands beside it: warnings once, analyses without a rise, tests and days that do not confirm."""

from dataclasses import replace

import pandas as pd

from recovery_microglia.report import ReportInputs
from recovery_microglia.report.sections.sheet import agreeing, speaking_against


def _with(inputs: ReportInputs, **tables: pd.DataFrame) -> ReportInputs:
    return replace(inputs, tables={**inputs.tables, **tables})


def _warnings(*libraries: str) -> pd.DataFrame:
    rows = [{"severity": "warning", "code": "few_cells", "text": f"{n} cells are few.", "library": name} for n, name in enumerate(libraries, 7)]  # fmt: skip
    alarm = {"severity": "alarm", "code": "other", "text": "Something else.", "library": ""}
    return pd.DataFrame([*rows, alarm, {"severity": "info", "code": "aside", "text": "By the way.", "library": ""}])


def test_what_several_libraries_share_is_said_once_and_the_worst_first(tested: ReportInputs) -> None:
    said = speaking_against(_with(tested, warnings=_warnings("L1", "L2", "L3")))
    assert said[:2] == [
        "Something else.",
        "7 cells are few. (L1) The same holds for L2 and L3, with numbers of their own.",
    ]
    alone = speaking_against(_with(tested, warnings=_warnings("L1")))
    assert alone[1] == "7 cells are few. (L1)"
    # warnings of one kind that are of no library each have something to say
    whole = _warnings("", "")
    assert {"7 cells are few.", "8 cells are few."} <= set(speaking_against(_with(tested, warnings=whole)))


def test_analyses_that_show_no_rise_speak_against_it(tested: ReportInputs) -> None:
    first = float(tested.onsets[0]["first_above"])
    rows = [
        {"varied": "", "agrees": "true", "onset_day": 8.0, "onset_high": 14.0},
        {"varied": "score: without Itgax and Igf1", "agrees": "false", "onset_day": None, "onset_high": None},
        {"varied": "score: without Itgax and Igf1", "agrees": "", "onset_day": None, "onset_high": None},
    ]
    table = pd.DataFrame(rows).assign(arm="", denominator="microglia", peak_fraction=0.1)
    said = speaking_against(_with(tested, robustness=table))
    assert len([text for text in said if text.startswith("Other analysis choices that show no rise: ") and "(none of 1)" in text]) == 1  # fmt: skip
    # where no rise is reported, none can be missed
    onset = [{**row, "first_above": None} for row in tested.summary["onset"]]
    quiet = replace(tested, summary={**tested.summary, "onset": onset})
    assert not [text for text in speaking_against(_with(quiet, robustness=table)) if "show no rise" in text]
    assert first > 0


def test_a_test_counts_as_agreeing_only_where_it_agrees(tested: ReportInputs) -> None:
    days = tested.table("timeline")
    first = float(tested.onsets[0]["first_above"])
    days = days.assign(p_second=0.2, p_without_highest=0.01, adjusted_p=None)
    days["methods_against"] = ["t-test on transformed shares" if day < first else "" for day in days["day"]]
    inputs = _with(tested, timeline=days)
    agrees = [text for text in agreeing(inputs) if "above control also" in text]
    assert agrees == [f"Day {first:g} is above control also without its highest animal (p = 0.01)."]
    against = speaking_against(inputs)
    assert f"Day {first:g} is above control, but not at .05 by a t-test on transformed shares (p = 0.2)." in against
    earlier = [text for text in against if "does not count as shown" in text]
    assert len(earlier) == int(((days["methods_against"] != "") & (days["route"] == "score")).sum())
    assert all(text.endswith("not confirmed by: t-test on transformed shares.") for text in earlier)
