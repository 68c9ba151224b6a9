"""The map's arrays, the glossary's marks, and the figures that stand only where a run made their tables."""

import base64
import json
import re
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recovery_microglia import figures
from recovery_microglia.core import wording
from recovery_microglia.report import ReportInputs, _environment, cellmap, write_report
from recovery_microglia.report.blocks import Column, table
from recovery_microglia.report.gene_names import GeneNames
from recovery_microglia.report.sections.design import design_section
from recovery_microglia.report.sections.glossary import TERMS, Glossary
from recovery_microglia.report.sections.igf1 import _title as igf1_title
from recovery_microglia.report.sections.sensitivity import robustness_section
from recovery_microglia.report.sections.timeline import timeline_section


def unpacked(text: str, kind: str) -> np.ndarray:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype=kind)


def test_the_map_holds_every_cell_its_place_and_its_counts(tested: ReportInputs) -> None:
    found = cellmap.cell_map(tested.cells, tested.genes, called=True)
    data = json.loads(found.data)
    drawn = tested.cells.sample(len(tested.cells), random_state=0)
    assert data["n"] == found.n_drawn == found.n_cells == len(drawn)
    view = data["views"]["umap"]
    x, y = unpacked(view["x"], "<u2"), unpacked(view["y"], "<u2")
    # 16 bits over the wider side: a place is off by less than a 65,535th of it
    step = max(np.ptp(drawn["umap1"]), np.ptp(drawn["umap2"])) / 65_535
    np.testing.assert_allclose(x * step, drawn["umap1"] - drawn["umap1"].min(), atol=step)
    np.testing.assert_allclose(y * step, drawn["umap2"] - drawn["umap2"].min(), atol=step)
    counts = tested.genes.set_index("cell").loc[drawn["cell"], "Igf1"]
    assert (unpacked(data["colours"]["gene-Igf1"]["values"], "u1") == counts).all()
    lineage = data["colours"]["lineage"]
    names = [entry[0] for entry in lineage["legend"]]
    assert [names[code] for code in unpacked(lineage["values"], "u1")] == [
        name.replace("_", " ") for name in drawn["lineage"]
    ]
    assert [entry[2] for entry in lineage["legend"]] == [
        int((drawn["lineage"] == name.replace(" ", "_")).sum()) for name in names
    ]


def test_the_score_on_the_map_is_right_to_a_step_and_missing_where_it_is_missing(tested: ReportInputs) -> None:
    data = json.loads(cellmap.cell_map(tested.cells, tested.genes, called=True).data)["colours"]["score"]
    drawn = tested.cells.sample(len(tested.cells), random_state=0)["recovery_score"].to_numpy()
    codes = unpacked(data["values"], "u1")
    assert ((codes == cellmap.MISSING) == np.isnan(drawn)).all()
    step = (data["high"] - data["low"]) / 254
    known = ~np.isnan(drawn)
    back = data["low"] + codes[known] * step
    np.testing.assert_allclose(back, np.clip(drawn[known], data["low"], data["high"]), atol=step / 2 + 1e-9)


def test_no_state_and_no_score_is_on_the_map_where_nothing_was_called(tested: ReportInputs) -> None:
    data = json.loads(cellmap.cell_map(tested.cells, tested.genes, called=False).data)
    assert not {"state", "score"} & set(data["colours"])


def test_more_cells_than_can_be_short_names_are_thinned_and_the_map_knows(
    tested: ReportInputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cellmap, "MOST_CELLS", 500)
    found = cellmap.cell_map(tested.cells, tested.genes, called=True)
    assert (found.n_drawn, found.n_cells) == (500, len(tested.cells))


def test_names_on_the_map_cannot_end_its_script(tested: ReportInputs) -> None:
    cells = tested.cells.assign(library=[f"</script><b>{name}" for name in tested.cells["library"]])
    assert "<" not in cellmap.cell_map(cells, tested.genes, called=True).data


def test_a_term_is_marked_once_a_page_and_what_is_not_a_term_is_escaped() -> None:
    glossary = Glossary()
    first, second = glossary.mark("Doublets & <b>doublets</b>"), glossary.mark("a doublet")
    assert first.count("data-tip") == 1
    assert "&amp; &lt;b&gt;doublets&lt;/b&gt;" in first
    assert second == "a doublet"
    assert TERMS["doublet"] in first


def test_strata_behaviour_and_design_are_drawn_where_they_are_and_silent_where_not(tested: ReportInputs) -> None:
    def names(given: ReportInputs) -> set[str]:
        blocks = [*timeline_section(given).blocks, *design_section(given).blocks]
        return {
            *(plate.picture.name for block in blocks if block.block == "figures" for plate in block.pictures),
            *(block.name for block in blocks if block.block == "table"),
        }

    optional = {"strata-sex", "behaviour", "design"}
    assert optional <= names(tested)
    without = {name: table for name, table in tested.tables.items() if name not in ("strata", "behaviour", "design")}
    bare = replace(tested, tables=without)
    assert not optional & names(bare)
    assert "days" in names(bare)


def test_no_p_of_a_stratum_stands_on_a_page_that_was_not_tested(tested: ReportInputs) -> None:
    described = replace(
        tested, summary={**tested.summary, "status": "descriptive", "reason": "day and batch confounded"}
    )
    keys = {
        column.key
        for block in timeline_section(described).blocks
        if block.block == "fold"
        for part in block.blocks
        if part.block == "table" and part.name in ("strata", "interactions", "days")
        for column in part.columns
    }
    assert keys
    assert not {"p", "q", "p_permutation", "p_smallest"} & keys


def test_estimates_stand_on_their_day_with_animals_around_them(tested: ReportInputs) -> None:
    """Estimates once stood off their day: that of day 14 at 16.4."""
    units, days = tested.arm_units(""), tested.arm_days("")
    ax = figures.timeline(units, days, tested.onsets[0]).panels[0].figure.axes[0]
    lines = [
        path.vertices[:, 0].mean()
        for part in ax.collections
        if hasattr(part, "get_segments")
        for path in part.get_paths()
    ]
    for day in days["day"]:
        assert np.isclose(lines, np.sqrt(day)).any(), f"no estimate on day {day:g}"
    dots = np.array([line.get_xdata()[0] for line in ax.lines if line.get_gid()])
    on_day_14 = dots[np.abs(dots - np.sqrt(14)) < 0.35]
    own = units[units["day"] == 14]
    assert len(np.unique(on_day_14.round(6))) == len(own)  # no two animals in one place
    assert on_day_14.mean() == pytest.approx(np.sqrt(14), abs=1e-6)


def test_every_day_is_labelled_with_its_animals_and_q(tested: ReportInputs) -> None:
    units, days = tested.arm_units(""), tested.arm_days("")
    for drawn in (figures.timeline(units, days, None).panels[0], figures.timeline(units, days, None).narrow):
        labels = [tick.get_text().split("\n") for tick in drawn.figure.axes[0].get_xticklabels()]
        assert [label[0] for label in labels] == [f"{day:g}" for day in sorted(units["day"].unique())]
        by_day = {label[0]: label for label in labels}
        for row in days.to_dict("records"):
            n = int(((units["day"] == row["day"]) & (units["condition"] == "injured")).sum())
            assert by_day[f"{row['day']:g}"][1].split(" + ")[0] == str(n)
            # a line lower where it would touch that of the day before
            *_, q = by_day[f"{row['day']:g}"]
            assert q == "".join(wording.p_value(row["q"]).split())  # one rounding on the whole page


def test_the_main_figure_shows_shares_without_a_cutoff_and_the_called_cells_beside_them(tested: ReportInputs) -> None:
    days, units = tested.arm_days(""), tested.arm_units("")
    picture = figures.timeline(units, days, tested.onsets[0])
    for row in days.to_dict("records"):
        assert f"day {row['day']:g} {100 * row['fraction']:.1f} %" in picture.alt
    drawn = picture.numbers.set_index("subject")["mixture"]
    assert drawn.to_dict() == pytest.approx(units.set_index("subject")["mixture"].to_dict())
    # an animal's own cutoff and how many others pass it, where it is drawn
    first = units.iloc[0]
    tip = next(
        text for text in picture.panels[0].svg.split('data-tip="')[1:] if text.startswith(f"{first['subject']},")
    )
    assert f"{100 * first['mixture']:.1f} %" in tip
    assert f"called {first['k']} of {first['n']} microglia at its cutoff 3.8 (false positives 0.8 %)" in tip


def test_igf1_by_lineage_and_state_adds_up_to_all_of_it(tested: ReportInputs) -> None:
    picture = figures.igf1_sources(tested.table("igf1_share"), tested.table("igf1_states"))
    parts = picture.numbers.drop(columns=["condition", "day", "animals", "counts"])
    np.testing.assert_allclose(parts.sum(axis=1), 1, rtol=1e-9)
    # microglia and recovery microglia hold 70 % of the counts, 30 % of which are in called cells (made_up.genes)
    np.testing.assert_allclose(parts["microglia, recovery"], 0.7 * 0.3, rtol=1e-9)


def test_sources_of_few_igf1_counts_are_not_drawn(tested: ReportInputs) -> None:
    """The page once showed 100 % from one count."""
    states = tested.table("igf1_states")
    few = states["subject"] == states["subject"].iloc[0]
    sparse = states.assign(microglia_igf1_counts=states["microglia_igf1_counts"].mask(few, 19))
    whole, less = figures.igf1_within(states), figures.igf1_within(sparse)
    assert less.numbers["animals"].sum() == whole.numbers["animals"].sum() - 1
    assert "at least 20 Igf1 counts" in less.caption
    assert figures.igf1_within(states.assign(microglia_igf1_counts=19)) is None


def test_no_source_without_a_count_is_in_the_legend(tested: ReportInputs) -> None:
    """Cells that are likely recovery and not called once had an entry of their own without a bar."""
    states = tested.table("igf1_states")
    likely = states["state"] == "near_recovery"
    assert (states.loc[likely, "share"] > 0).any()
    rows = states.assign(share=states["share"].mask(likely, 0.0))
    for picture in (figures.igf1_sources(tested.table("igf1_share"), rows), figures.igf1_within(rows)):
        shares = picture.numbers.drop(columns=["condition", "day", "animals", "counts"])
        assert "microglia, recovery" in shares
        assert (shares.max() > 0).all()
        assert "recovery likely, not called" not in picture.panels[0].svg


@pytest.mark.parametrize("arms", [("",), ("left", "right")])
def test_each_family_of_choices_is_a_line_of_its_own(tested: ReportInputs, arms: tuple[str, ...]) -> None:
    # a full stop inside a line does not cut it
    families = ["By clusters, 3 of 9 show a rise. Worst: The last.", "Leaving out one library, 5 of 5 show a rise."]
    told = [
        {"arm": arm, "reported": f"Reported {arm}.", "families": families, "conclusion": "None excludes the onset."}
        for arm in arms
    ]
    section = robustness_section(replace(tested, summary={**tested.summary, "robustness": told}))
    assert section is not None
    points = [block.texts for block in section.blocks if block.block == "points"]
    assert points == [tuple(families)] * len(arms)
    said = [section.lead] if len(arms) == 1 else [b.text for b in section.blocks if b.block == "prose"]
    # with one arm the heading says what follows
    assert said == (["Reported ."] if len(arms) == 1 else [f"Reported {arm}. None excludes the onset." for arm in arms])


def test_an_unknown_day_is_no_day_0_among_the_sources(tested: ReportInputs) -> None:
    shares = tested.table("igf1_share")
    unknown = shares.assign(day=shares["day"].mask(shares["condition"] == "injured"))
    picture = figures.igf1_sources(unknown, pd.DataFrame(columns=tested.table("igf1_states").columns))
    assert "injured, day not known" in picture.panels[0].svg
    assert picture.numbers.loc[picture.numbers["condition"] == "injured", "day"].isna().all()


def test_no_share_of_called_cells_is_said_where_none_was_called(tested: ReportInputs) -> None:
    states = tested.table("igf1_states")
    none = states.assign(cells=states["cells"].mask(states["state"] == "recovery", 0))
    assert "No cell was called" in figures.igf1_within(none).caption
    assert "more than their share" in figures.igf1_within(states).caption


def test_choices_count_the_analyses_that_agree(tested: ReportInputs) -> None:
    rows = tested.table("robustness")
    picture = figures.choices(rows)
    assert picture.numbers.set_index("choice")["analyses"].to_dict() == rows["varied"].value_counts().to_dict()
    assert picture.numbers["same_interval"].sum() == rows["agrees"].sum()
    assert figures.choices(rows.drop(columns="varied")) is None


def test_no_onset_and_no_answer_are_two_rows() -> None:
    rows = {
        "arm": "",
        "onset_low": [3.0, 3.0, np.nan, np.nan],
        "onset_high": [14.0, 14.0, np.nan, np.nan],
        "peak_day": 35.0,
    }
    table = pd.DataFrame({**rows, "agrees": ["True", "True", "False", ""]})
    picture = figures.onset_alternatives(table)
    assert picture is not None
    assert picture.numbers["analyses"].tolist() == [2, 1, 1]
    assert "2 of 3 are compatible with the reported interval. 1 more have no answer." in picture.alt
    assert "no answer" in picture.panels[0].svg
    assert "none shown" in picture.panels[0].svg


def test_colours_of_a_figure_follow_the_page(tested: ReportInputs) -> None:
    picture = figures.timeline(tested.arm_units(""), tested.arm_days(""), None)
    assert "var(--vermilion)" in picture.panels[0].svg
    assert not re.search(r"#(1d2733|d55e00|0072b2|ffffff)\b", picture.panels[0].svg, re.IGNORECASE)


def test_a_missing_table_leaves_no_empty_figure() -> None:
    empty = pd.DataFrame()
    for draw in (figures.call_genes, figures.marker_dots, figures.igf1_within, figures.choices):
        assert draw(empty) is None
    assert figures.gate(empty, empty) is None
    assert figures.strata_courses(empty, "sex") is None
    assert figures.behaviour_beside_cells(empty, empty) is None


def test_an_animal_whose_day_is_not_known_is_drawn_apart_and_said_to_have_none(tested: ReportInputs) -> None:
    units = tested.arm_units("")
    shams = units["condition"] == "sham"
    assert shams.any()
    unknown = units.assign(day=units["day"].astype(float).mask(shams))
    picture = figures.timeline(unknown, tested.arm_days(""), None)
    assert picture is not None
    tips = re.findall(r'data-tip="([^"]+)"', picture.panels[0].svg)
    assert {tip.split(":")[0].split(", ")[-1] for tip in tips if ", sham" in tip} == {"day not known"}
    assert not any("sham, day 0" in tip for tip in tips)
    assert ">no day<" in picture.panels[0].svg
    assert picture.numbers["day"].isna().sum() == shams.sum()
    whole = figures.timeline(units, tested.arm_days(""), None)
    assert whole is not None
    assert ">no day<" not in whole.panels[0].svg


# ---------------------------------------------------------------- files that the page holds


def test_the_page_holds_the_files_that_lie_beside_it(made_up: dict[str, ReportInputs], tmp_path: Path) -> None:
    inputs = made_up["tested"]
    write_report(inputs, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r'<script type="application/json" id="held">(.*?)</script>', page)[1])
    whole = zlib.decompress(base64.b64decode(data["pieces"]))
    ends = np.cumsum(data["sizes"])
    pieces = [whole[end - size : end] for size, end in zip(data["sizes"], ends, strict=True)]
    assert ends[-1] == len(whole)
    assert len(set(pieces)) == len(pieces)  # what files share stands once
    assert len(data["figures"]) == page.count("data-held=") > 5
    for name, files in data["figures"].items():
        assert {f"{name}.svg", f"{name}.pdf"} <= set(files) or {f"{name}-1.svg", f"{name}.pdf"} <= set(files)
        for file, places in files.items():
            assert b"".join(pieces[place] for place in places) == (tmp_path / "figures" / file).read_bytes(), file
    letters = [piece for piece in pieces if b"/Length1" in piece]
    assert len(letters) <= 4  # plain, bold, italic, both: not those of each figure


# ---------------------------------------------------------------- sentences


def test_sentences_of_tables_are_written_as_on_paper() -> None:
    before = "difference 4 points, 95 % interval -7 to 18, p 0.42 (Spearman -0.8; permutation p 0.058; loss-of-function; p < 0.001)"
    after = "difference 4 points, 95\xa0% interval −7 to 18, p = 0.42 (Spearman −0.8; permutation p = 0.058; loss-of-function; p < 0.001)"
    assert wording.with_signs(before) == after


@pytest.mark.parametrize(
    ("lineage", "cells"),
    [
        ("border_macrophage", "border macrophages"),
        ("endothelial", "endothelial cells"),
        ("microglia", "microglia"),
        ("opc", "OPCs"),
        ("ambiguous_myeloid", "ambiguous myeloid cells"),
    ],
)
def test_the_largest_source_stands_in_the_plural(lineage: str, cells: str) -> None:
    shares = pd.DataFrame(
        {"subject": ["a", "a"], "condition": "injured", "lineage": [lineage, "neuron"], "share": [0.6, 0.4]}
    )
    assert igf1_title(shares) == f"After injury {cells} are the largest source of Igf1 (60.0\xa0% of the counts)"


def test_a_cell_of_several_sentences_has_a_broad_column() -> None:
    """Its column was ten characters wide, and a row of a table filled a screen."""
    frame = pd.DataFrame({"candidate": ["Bmp4"], "speaks_for": ["targets are higher in recovery cells; " * 5]})
    block = table(
        frame,
        [Column("candidate", "Candidate"), Column("speaks_for", "Speaks for it")],
        of="driver_candidates",
        name="told",
    )
    macros = _environment(GeneNames(())).get_template("macros.html.j2").module
    assert '<td class="words prose"' in str(macros.draw(block))


def test_the_buttons_stand_below_figure_and_number(page_of: Callable[[str], str]) -> None:
    """In the narrow column of the number they made the sheet longer than its figure."""
    sheet = page_of("tested").partition('<div class="facts-of">')[2].partition('<div class="columns">')[0]
    inside, buttons, _ = sheet.partition('<div class="buttons"')
    assert buttons
    assert inside.count("<div") + 1 == inside.count("</div>")
