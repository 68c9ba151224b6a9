"""The methods say what was done to these data, and cite only what was used."""

from dataclasses import replace
from typing import Any

import pytest

from recovery_microglia.report import ReportInputs
from recovery_microglia.report.references import KOHNO, REFERENCES
from recovery_microglia.report.sections.methods import paragraphs
from recovery_microglia.summary.steps import steps_done


def written(inputs: ReportInputs, **steps: Any) -> tuple[dict[str, str], list[str]]:
    """Head of a paragraph to its text, and the keys of what is cited, where the steps report otherwise."""
    own = replace(inputs, summary={**inputs.summary, "steps": {**inputs.summary["steps"], **steps}})
    texts, cited = paragraphs(own)
    return dict(text.split(". ", 1) for text in texts), cited


def test_a_filter_that_removed_nothing_or_could_not_run_is_not_said_to_have_removed_cells(tested: ReportInputs) -> None:
    cells = written(tested)[0]["Cells"]
    assert "fewer than 300 counts (120 cells)" in cells
    assert (
        "more than 8.5 to 12 \N{NO-BREAK SPACE}% mitochondrial counts (41 cells)".replace(
            " \N{NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"
        )
        in cells
    )
    assert "No cell had more than 21,000 to 33,000 counts" in cells
    assert "not filtered by haemoglobin counts" in cells


@pytest.mark.parametrize(
    ("nats", "said"), [(0.64, "raised by 0.6 nats"), (-0.31, "lowered by 0.3 nats"), (0.02, ""), (None, "")]
)
def test_how_far_the_score_was_raised_is_said(tested: ReportInputs, nats: float | None, said: str) -> None:
    recovery = {**tested.summary["recovery"], "refinement": {"refused": "", "raised_nats": nats}}
    texts, _ = paragraphs(replace(tested, summary={**tested.summary, "recovery": recovery}))
    whole = " ".join(texts)
    assert (said in whole) if said else ("nats in the median cell" not in whole)


def test_doublets_are_said_to_be_searched_only_where_they_were(tested: ReportInputs) -> None:
    text, cited = written(tested)
    assert "in 24 libraries: 77 cells were removed" in text["Cells"]
    assert "scrublet" in cited
    reason = "doublets are not looked for below 100 cells"
    text, cited = written(tested, doublets={"libraries": 0, "removed": 0, "not_searched": {reason: 16}})
    assert "Scrublet" not in text["Cells"]
    assert f"not searched for in 16 libraries: {reason}" in text["Cells"]
    assert "scrublet" not in cited


def test_lineages_taken_from_the_sheet_are_not_said_to_be_judged_by_counts(tested: ReportInputs) -> None:
    text, _ = written(tested, lineages={"sorted": 16})
    assert "sorted for them" in text["Lineages"]
    assert "explains its counts best" not in text["Lineages"]
    text, _ = written(tested, lineages={"sorted": 1, "counts": 2})
    assert "In 1 library," in text["Lineages"]
    assert "In 2 libraries," in text["Lineages"]


def test_what_did_not_run_is_not_cited(tested: ReportInputs) -> None:
    used = {"leiden", "scanpy", "umap", "harmony"}
    assert used <= set(paragraphs(tested)[1])
    bare = replace(
        tested, tables={**tested.tables, "clusters": tested.table("clusters").head(0)}, cells=tested.cells.head(0)
    )
    assert not used & set(paragraphs(bare)[1])


def test_steps_are_gathered_from_what_each_library_reports() -> None:
    def library(removed: int, high: float | None, reason: str, method: str) -> dict[str, Any]:
        return {
            "calling": {"unfiltered": reason == ""},
            "filters": [
                {"filter": "high_mito", "threshold_low": None, "threshold_high": high, "removed": removed},
                {"filter": "doublet", "threshold_low": None, "threshold_high": 0.15, "removed": 3},
            ],
            "doublets": {"called": 3 if reason == "" else 0, "reason": reason},
            "lineage": {"method": method},
        }

    found = steps_done(
        [library(4, 9.5, "", "counts"), library(0, None, "few cells", "sorted"), library(1, 12.0, "", "counts")]
    )
    assert found == {
        "libraries": 3,
        "cells_called": 2,
        "filters": {"high_mito": {"low": None, "high": [9.5, 12.0], "libraries": 2, "removed": 5}},
        "doublets": {"libraries": 2, "removed": 6, "not_searched": {"few cells": 1}},
        "lineages": {"counts": 2, "sorted": 1},
    }


@pytest.mark.parametrize("key", [*REFERENCES, "kohno"])
def test_a_reference_is_complete_in_the_list_and_in_bibtex(key: str) -> None:
    paper = KOHNO if key == "kohno" else REFERENCES[key]
    assert paper.address.startswith("https://")
    assert str(paper.year) in paper.text
    entry = paper.bibtex
    assert entry.startswith(f"@article{{{paper.key},")
    assert entry.count("{") == entry.count("}")
    for field in ("author", "title", "journal", "year", "doi"):
        assert f"  {field} = {{" in entry


def test_names_are_sorted_by_surname_in_bibtex() -> None:
    assert "author = {Traag, V. A. and Waltman, L. and van Eck, N. J.}" in REFERENCES["leiden"].bibtex
    assert "author = {Lun, A. T. L. and others}" in REFERENCES["emptydrops"].bibtex
