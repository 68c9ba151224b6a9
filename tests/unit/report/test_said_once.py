"""What a reader who saw the page for the first time stumbled over: said twice, in the wrong order, or with digits that mean nothing."""

from dataclasses import replace

import pandas as pd

from recovery_microglia.core import wording
from recovery_microglia.report import ReportInputs
from recovery_microglia.report.sections.cells import cells_section
from recovery_microglia.report.sections.drivers import _not_tested
from recovery_microglia.report.sections.genes import genes_section
from recovery_microglia.report.sections.sensitivity import robustness_section


def test_what_alignment_keeps_is_a_share_of_three_digits(tested: ReportInputs) -> None:
    recovery = {**(tested.summary.get("recovery") or {}), "integration_keeps": 0.894198}
    section = cells_section(replace(tested, summary={**tested.summary, "recovery": recovery}))
    said = " ".join(getattr(block, "text", "") for block in section.blocks)
    assert "keeps 89.4 %" in said.replace(wording.PERCENT, " %")
    assert "89.4198" not in said


def test_days_without_a_test_of_signals_are_named_with_their_reason() -> None:
    rows = [("", 1.0, "0 animals"), ("", 3.0, "0 animals"), ("", 7.0, ""), ("", 14.0, "sorted tissue")]
    signals = pd.DataFrame(rows, columns=["arm", "day", "reason"])
    title, text = _not_tested(signals, some=True)
    assert title == "Signals: not tested on some days"
    assert text == "Day 1 and day 3: 0 animals. Day 14: sorted tissue."
    title, text = _not_tested(pd.DataFrame([("", float("nan"), "sorted tissue")], columns=signals.columns), some=False)
    assert (title, text) == ("Signals: not tested", "Sorted tissue.")


def test_the_heading_of_the_sensitivity_analysis_is_not_said_again(tested: ReportInputs) -> None:
    told = [{"arm": "", "reported": "Reported: day 3.", "families": ["a"], "conclusion": "No family excludes it."}]
    own = replace(tested, summary={**tested.summary, "robustness": told})
    section = robustness_section(own)
    assert section is not None
    assert section.title != "Sensitivity analysis"
    assert section.lead == "Reported: day 3."


def test_genes_of_one_q_are_named_by_their_p(tested: ReportInputs) -> None:
    genes = [f"G{k}" for k in range(20)]
    changes = pd.DataFrame({"gene": genes, "p": [0.001 - k * 1e-5 for k in range(20)], "q": 0.01})
    changes = changes.reindex(columns=list(dict.fromkeys([*changes, *tested.table("gene_changes")])))
    section = genes_section(replace(tested, tables={**tested.tables, "gene_changes": changes}))
    assert "G19, G18, G17" in section.title
