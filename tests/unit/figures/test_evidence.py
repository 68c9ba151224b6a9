"""Figures of the evidence draw the numbers of the cells, and their files stand alone."""

import re
import struct
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from made_up.sets import a_tested_set
from recovery_microglia import figures
from recovery_microglia.figures.files import FORMATS, drawn_files, file_names, files_of, write_figures
from recovery_microglia.report import ReportInputs


@pytest.fixture(scope="module")
def inputs() -> ReportInputs:
    return a_tested_set()


def microglia(inputs: ReportInputs) -> pd.DataFrame:
    cells = inputs.cells
    return cells[(cells["lineage"] == "microglia") & cells["recovery_score"].notna()]


# ---------------------------------------------------------------- the subgroup


def test_scores_by_state_are_the_quartiles_of_the_cells(inputs: ReportInputs) -> None:
    numbers = figures.scores_by_state(inputs.cells).numbers.set_index("state")
    for state, own in microglia(inputs).groupby("state"):
        if len(own) >= 10:
            expected = np.quantile(own["recovery_score"], [0.25, 0.5, 0.75])
            np.testing.assert_allclose(
                numbers.loc[state, ["lower_quartile", "median", "upper_quartile"]].astype(float), expected
            )
            assert numbers.loc[state, "cells"] == len(own)


def test_cells_of_recovery_that_were_not_called_are_counted(inputs: ReportInputs) -> None:
    """402 cells of the state stood beside 395 called ones."""
    cells = inputs.cells.assign(recovery_call=np.where(inputs.cells["state"] == "recovery", "yes", "no"))
    assert "not called" not in figures.scores_by_state(cells).caption
    cells.loc[microglia(inputs).query("state == 'recovery'").index[:3], "recovery_call"] = "no"
    assert figures.scores_by_state(cells).caption.endswith(" 3 cells in the state recovery are not called.")


def test_every_animal_stands_at_its_own_cutoff_with_its_false_rate(inputs: ReportInputs) -> None:
    cells = inputs.cells.copy()
    first = cells["subject"].iloc[0]
    cells.loc[cells["subject"] == first, "cutoff"] = 0.1
    units = inputs.units().assign(false_rate=0.008)
    numbers = figures.scores_by_animal(cells, units).numbers
    own = microglia(inputs)
    for row in numbers.to_dict("records"):
        scores = own.loc[own["subject"] == row["subject"], "recovery_score"]
        assert row["cutoff"] == (0.1 if row["subject"] == first else 0.25)
        assert row["above_cutoff"] == (scores > row["cutoff"]).sum()
        assert row["median_score"] == pytest.approx(scores.median())
        assert row["false_rate"] == 0.008
    assert numbers["condition"].tolist() == sorted(numbers["condition"], key=["naive", "sham", "injured"].index)


def test_no_cutoff_is_drawn_where_none_could_be_set(inputs: ReportInputs) -> None:
    assert figures.scores_by_animal(inputs.cells.assign(cutoff=np.nan), inputs.units()) is None


def test_genes_by_state_are_the_counts_of_its_cells(inputs: ReportInputs) -> None:
    numbers = figures.state_genes(inputs.cells, inputs.genes).numbers.set_index(["state", "gene"])
    own = inputs.cells[inputs.cells["lineage"] == "microglia"].merge(inputs.genes, on="cell")
    for state in ("homeostatic", "recovery"):
        part = own[own["state"] == state]
        row = numbers.loc[(state, "Igf1")]
        assert row["share_detected"] == pytest.approx((part["Igf1"] > 0).mean())
        assert row["mean_counts_per_10k"] == pytest.approx(1e4 * part["Igf1"].sum() / part["n_counts"].sum())


# ---------------------------------------------------------------- lineages, families, groups, states of simulated data


def test_lineages_by_day_weigh_each_animal_alike(inputs: ReportInputs) -> None:
    table = pd.DataFrame(
        [("a", "m1", 7.0, "injured", "microglia", 90), ("a", "m1", 7.0, "injured", "neuron", 10),
         ("b", "m2", 7.0, "injured", "microglia", 1), ("b", "m2", 7.0, "injured", "neuron", 1)],
        columns=["library", "subject", "day", "condition", "lineage", "n"],
    )  # fmt: skip
    (row,) = figures.lineages_by_day(table).numbers.to_dict("records")
    assert row["microglia"] == pytest.approx((0.9 + 0.5) / 2)
    assert row["animals"] == 2
    whole = figures.lineages_by_day(inputs.table("lineages")).numbers
    np.testing.assert_allclose(whole.drop(columns=["condition", "day", "animals"]).sum(axis=1), 1)


def test_families_hold_every_analysis_once_and_count_those_that_agree(inputs: ReportInputs) -> None:
    rows = inputs.table("robustness")
    numbers = figures.sensitivity(rows).numbers
    assert numbers["analyses"].sum() == len(rows)
    assert numbers["compatible"].sum() == rows["agrees"].astype(str).isin(["True"]).sum()
    answered = rows["agrees"].astype(str) != ""
    assert numbers["no_answer"].sum() == (~answered).sum()
    assert numbers["rise_shown"].sum() == (answered & rows["onset_high"].notna()).sum()


def test_groups_are_drawn_where_there_are_no_days(inputs: ReportInputs) -> None:
    units = inputs.units().assign(day=np.nan)
    picture = figures.contrast(units, pd.DataFrame())
    assert len(re.findall("data-tip=", picture.panels[0].svg)) == len(units)
    for condition, own in units.groupby("condition"):
        assert f"{condition} {100 * own['mixture'].mean():.1f} % (n = {len(own)})" in picture.alt
    aged = figures.contrast(
        units, pd.DataFrame(), pd.Series({s: "aged" if i % 2 else "young" for i, s in enumerate(units["subject"])})
    )
    assert "injured, aged" in aged.alt
    assert "injured, young" in aged.alt


def test_the_diagonal_of_true_and_given_states_is_what_was_right(inputs: ReportInputs) -> None:
    picture = figures.truth_states(inputs.table("truth_states"))
    assert "homeostatic 90 %, recovery 90 %" in picture.alt
    assert figures.truth_states(pd.DataFrame()) is None


# ---------------------------------------------------------------- files


def test_files_stand_alone_and_are_the_same_each_time(inputs: ReportInputs) -> None:
    draw = lambda: figures.timeline(inputs.arm_units(""), inputs.arm_days(""), inputs.onset_of(""))  # noqa: E731
    picture = draw()
    files = dict(files_of(picture))
    assert set(files) == {f"timeline.{kind}" for kind in FORMATS}
    drawing = ElementTree.fromstring(files["timeline.svg"])
    kinds = {element.tag.rpartition("}")[2] for element in drawing.iter()}
    assert "text" not in kinds  # letters are outlines
    assert b"var(--" not in files["timeline.svg"]  # nothing of the page's style sheet
    assert b"/FontFile2" in files["timeline.pdf"]  # letters are embedded
    width, _ = struct.unpack(">II", files["timeline.png"][16:24])
    assert abs(width - float(drawing.get("viewBox").split()[2]) * 300 / 72) <= 1  # whole pixels
    assert dict(files_of(draw())) == files


def test_a_figure_of_several_panels_has_a_file_a_panel_and_one_pdf(inputs: ReportInputs, tmp_path: Path) -> None:
    picture = figures.embeddings(inputs.cells, states=True)
    n = len(picture.panels)
    assert n > 2
    assert file_names(picture, "svg") == [f"umap-{i}.svg" for i in range(1, n + 1)]
    (tmp_path / "old.svg").write_text("of an earlier run")
    write_figures([(picture, ("svg", "pdf", "tsv"))], tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*file_names(picture, "svg"), "umap.pdf", "umap.tsv"}
    assert len(re.findall(rb"/Type /Page\b", (tmp_path / "umap.pdf").read_bytes())) == n
    saved = pd.read_csv(tmp_path / "umap.tsv", sep="\t")
    assert saved["cells"].sum() == picture.numbers["cells"].sum()


def test_two_processes_draw_the_same_files_as_one(inputs: ReportInputs) -> None:
    pictures = [figures.embeddings(inputs.cells, states=True), figures.scores_by_state(inputs.cells)]
    wanted = [(picture, FORMATS) for picture in pictures]
    alone = drawn_files(wanted)
    assert {name.partition(".")[2] for name in alone} == set(FORMATS)
    assert drawn_files(wanted, threads=2) == alone


def test_courses_are_laid_over_each_other_by_injury_model(inputs: ReportInputs) -> None:
    days = inputs.arm_days("")
    parts = [
        days.assign(dataset=name, injury_model=model)
        for name, model in (("a", "SNI"), ("b", "SNI"), ("c", "contusion"))
    ]
    picture = figures.courses(pd.concat(parts))
    assert "SNI: a, b; contusion: c" in picture.alt
    drawn = [ax for ax in picture.panels[0].figure.axes if ax.get_visible()]
    assert [ax.get_title(loc="left") for ax in drawn] == ["SNI", "contusion"]
    assert [len(ax.get_legend().get_texts()) for ax in drawn] == [2, 1]
    assert len(picture.numbers) == 3 * len(days)
    assert figures.courses(days.head(0)) is None
