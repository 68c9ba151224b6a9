"""Every table is described once: the description reads well, holds what a run writes, and refuses anything else."""

import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import output_page
from recovery_microglia.comparison import meta_analysis
from recovery_microglia.core.tables import SECTIONS, TABLES, Kind, TableSpec, made_by, read_table, table_of, write_table
from recovery_microglia.core.tables.spec import DTYPES, number, share, text, yes_no
from recovery_microglia.jobs import costs
from recovery_microglia.myeloid import clusters
from recovery_microglia.recovery import calibration, evidence, gene_weights
from recovery_microglia.study.samples import Library
from recovery_microglia.summary import markers, truth
from recovery_microglia.timeline import (
    behaviour,
    days,
    gene_courses,
    igf1_sources,
    onset,
    power,
    sensitivity,
    stratified,
)

SCRATCH = TableSpec(
    "scratch",
    "tables/scratch.tsv",
    "a table of this test",
    "",
    (
        text("name", "a name"),
        share("part", "a share"),
        yes_no("right", "a yes or no"),
        number("score_{state}", "a score"),
    ),
    "none",
)


def scratch() -> pd.DataFrame:
    """Return a table with empty fields, a name that looks like a number and one that looks missing."""
    right = pd.array([True, pd.NA, False], dtype="boolean")
    columns = {"name": ["7", "NA", ""], "part": [0.1234567891, np.nan, 1], "right": right, "score_cycling": [1.5, 2, 3]}
    return pd.DataFrame(columns)


# ---------------------------------------------------------------- the descriptions


def test_names_files_and_columns_are_unique_and_files_are_found_again() -> None:
    tables = [table for section in SECTIONS.values() for table in section]
    assert len(tables) == len(TABLES) == len({table.file for table in tables})
    for table in tables:
        assert table_of(Path("results/x") / table.file) is table
        names = [column.name for column in table.columns]
        assert len(set(names)) == len(names), table.name


def test_every_description_is_complete_and_of_its_kind() -> None:
    for table in TABLES.values():
        assert re.fullmatch(r".*[^.]", table.caption), table.name
        assert not table.sentence or table.sentence.endswith("."), table.name
        for column in table.columns:
            assert re.fullmatch(r".*[^.]", column.sentence), (table.name, column.name)
            assert column.dtype in set(DTYPES.values()), (table.name, column.name)
            text_kind = column.kind in (Kind.TEXT, Kind.LINEAGE, Kind.STATE, Kind.GENE)
            assert text_kind == (column.dtype == "str"), (table.name, column.name)


def test_no_column_is_described_by_two_entries() -> None:
    for table in TABLES.values():
        for column in table.columns:
            others = [other.name for other in table.columns if other is not column and other.describes(column.name)]
            assert others == [], (table.name, column.name)


def test_the_same_name_may_mean_another_thing_in_another_table() -> None:
    assert TABLES["gene_tests"].column("difference").kind is Kind.NUMBER
    assert TABLES["timeline"].column("difference").kind is Kind.SHARE
    assert TABLES["fractions"].column("libraries").kind is Kind.COUNT
    assert TABLES["gene_course"].column("libraries").kind is Kind.TEXT


def test_a_pattern_describes_every_column_of_its_form_and_no_other() -> None:
    cells = TABLES["cells"]
    assert cells.column("score_migrating") is cells.column("score_{state}")
    assert cells.column("p_cycling").kind is Kind.NUMBER
    assert cells.column("score_") is None
    assert cells.column("my_score_x") is None


def test_the_page_is_what_the_descriptions_say() -> None:
    text = output_page.PAGE.read_text(encoding="utf-8")
    assert text == output_page.page(text), "run `make output-page`"


def test_the_page_names_every_table_and_column() -> None:
    sections = re.split(r"^### ", output_page.tables(), flags=re.MULTILINE)[1:]
    found = {part.split("\n", 1)[0]: part for part in sections}
    for table in TABLES.values():
        lines = [line.split("|")[1] for line in found[Path(table.file).name].splitlines() if line.startswith("| `")]
        named = re.findall(r"`([\w{}]+)`", " ".join(lines))
        assert named == [column.name for column in table.columns]


def test_every_rule_that_makes_tables_takes_its_list_from_the_registry(root: Path) -> None:
    rules = "\n".join(path.read_text() for path in (root / "workflow/rules").glob("*.smk"))
    for step in {table.step for table in TABLES.values()}:
        assert re.search(rf"^rule {step}:", rules, flags=re.MULTILINE), step
    for step in ("recovery", "timeline", "summary"):
        assert f'**tables_of("{step}")' in rules
    assert made_by("recovery")[0] == "markers_used"
    assert "cells" not in made_by("summary")  # packed, and an output of its own


def test_empty_tables_have_the_described_columns_too() -> None:
    """What a step writes where it has nothing to say is made from these lists."""
    lists = {
        "timeline": days.TIMELINE_COLUMNS,
        "onset": onset.ONSET_COLUMNS,
        "robustness": sensitivity.COLUMNS,
        "strata": stratified.STRATA_COLUMNS,
        "strata_onset": stratified.STRATA_ONSET_COLUMNS,
        "interactions": stratified.INTERACTION_COLUMNS,
        "behaviour": behaviour.BEHAVIOUR_COLUMNS,
        "behaviour_tests": behaviour.TEST_COLUMNS,
        "design": power.COLUMNS,
        "comparison": meta_analysis.COLUMNS,
        "calibration": calibration.COLUMNS,
        "null": calibration.NULL_COLUMNS,
        "refinement": gene_weights.COLUMNS,
        "call_genes": evidence.CALL_COLUMNS,
        "igf1_states": markers.STATE_COLUMNS,
        "gate": markers.GATE_COLUMNS,
        "lineage_markers": markers.MARKER_COLUMNS,
        "gene_course": gene_courses.COURSE_COLUMNS,
        "gene_tests": gene_courses.TEST_COLUMNS,
        "gene_changes": gene_courses.CHANGE_COLUMNS,
        "igf1_share": igf1_sources.IGF1_COLUMNS,
        "truth": truth.COLUMNS,
        "truth_states": truth.STATE_COLUMNS,
        "costs": costs.COLUMNS,
        "samples": [field.name for field in fields(Library)],
        "clusters": [*clusters.COLUMNS, "recovery_share", "recovery"],
    }
    for name, columns in lists.items():
        assert list(columns) == [column.name for column in TABLES[name].columns], name


# ---------------------------------------------------------------- writing and reading


def test_a_table_comes_back_as_written(tmp_path: Path) -> None:
    write_table(scratch(), tmp_path / "t.tsv", SCRATCH)
    back = read_table(tmp_path / "t.tsv", SCRATCH)
    assert back["name"].tolist() == ["7", "NA", ""]
    assert back["part"].tolist()[0] == 0.123457
    assert np.isnan(back["part"].tolist()[1])
    assert back["right"].tolist()[0] is True
    assert pd.isna(back["right"].tolist()[1])
    write_table(back, tmp_path / "again.tsv", SCRATCH)
    assert (tmp_path / "t.tsv").read_bytes() == (tmp_path / "again.tsv").read_bytes()


def test_whole_numbers_stay_whole_and_an_empty_column_of_text_is_text(tmp_path: Path) -> None:
    frame = pd.DataFrame({column.name: [np.nan] for column in TABLES["onset"].columns})
    write_table(frame.assign(onset_low=3.0, sentence="So."), tmp_path / "onset.tsv")
    back = read_table(tmp_path / "onset.tsv").iloc[0]
    assert repr(back["onset_low"].item()) == "3"  # as it stands in summary.json
    assert (back["arm"], back["reason"]) == ("", "")
    assert np.isnan(back["peak_fraction"])


def test_gzipped_tables_are_the_same_bytes_every_time(tmp_path: Path) -> None:
    for name in ("1.tsv.gz", "2.tsv.gz"):
        write_table(scratch(), tmp_path / name, SCRATCH)
    first, second = ((tmp_path / name).read_bytes() for name in ("1.tsv.gz", "2.tsv.gz"))
    assert len(first) == len(second)
    assert len(pd.read_csv(tmp_path / "1.tsv.gz", sep="\t")) == 3


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (scratch().rename(columns={"part": "prat"}), "unknown: prat; missing: part"),
        (scratch().drop(columns="name"), "missing: name"),
        (scratch().assign(extra=1), "unknown: extra"),
        (pd.concat([scratch(), scratch()[["part"]]], axis=1), "twice: part"),
    ],
)
def test_a_table_with_other_columns_is_refused_and_not_written(tmp_path: Path, frame: pd.DataFrame, words: str) -> None:
    with pytest.raises(ValueError, match=f"tables/scratch.tsv: .*; {words}"):
        write_table(frame, tmp_path / "scratch.tsv", SCRATCH)
    assert list(tmp_path.iterdir()) == []


def test_columns_of_a_pattern_may_be_absent(tmp_path: Path) -> None:
    write_table(scratch().drop(columns="score_cycling"), tmp_path / "t.tsv", SCRATCH)
    assert "score_cycling" not in read_table(tmp_path / "t.tsv", SCRATCH)


def test_a_file_whose_name_is_not_described_is_neither_written_nor_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"other\.tsv: no table of this name is described"):
        write_table(scratch(), tmp_path / "other.tsv")
    write_table(scratch(), tmp_path / "other.tsv", SCRATCH)
    with pytest.raises(ValueError, match=r"other\.tsv: no table of this name is described"):
        read_table(tmp_path / "other.tsv")


def test_text_in_a_column_of_numbers_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text("name\tpart\nx\tmuch\n")
    with pytest.raises(ValueError, match="column 'part' must hold numbers and holds text, for example 'much'"):
        read_table(tmp_path / "t.tsv", SCRATCH)


def test_no_cell_of_a_written_table_is_a_formula_of_a_spreadsheet(tmp_path: Path) -> None:
    names = ["=HYPERLINK(1)", "+1-2", "@SUM(A1)"]
    frame = pd.DataFrame(
        {
            "name": names,
            "part": [-0.5, 0.25, 1.0],
            "right": pd.array([True, False, pd.NA], dtype="boolean"),
            "score_a": [1.0, 2.0, 3.0],
        }
    )
    path = tmp_path / "scratch.tsv"
    write_table(frame, path, SCRATCH)
    cells = [cell for line in path.read_text().splitlines() for cell in line.split("\t")]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]
    assert "-0.5" in cells  # a number below nought is no formula
    assert read_table(path, SCRATCH)["name"].tolist() == names
    assert frame["name"].tolist() == names  # the table in memory stays as it is
