"""Data sets and sheets: what is read, and what a mistake says."""

from pathlib import Path

import pytest

from recovery_microglia.core.errors import InputError
from recovery_microglia.deposit.manifest import fetched_path, write_fetched
from recovery_microglia.study import dataset as study_dataset
from recovery_microglia.study import files as sheet_files
from recovery_microglia.study import run

ENTRY = """\
title: A study
organism: mouse
injury_model: spared nerve injury
injury_class: peripheral_nerve
tissue: spinal cord
folder: {folder}
"""
ROWS = (
    "library\tsubject\tday\tcondition\tsex\tfile\nA1\tm1\t0\tnaive\tFemale\ta1.csv\nB1\tm2\t14\tinjured\tmale\tb1.csv\n"
)


@pytest.fixture
def schemas(root: Path) -> Path:
    return root / "workflow" / "schemas"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "config" / "datasets" / "study"
    folder.mkdir(parents=True)
    files = tmp_path / "files"
    files.mkdir()
    for name in ("a1.csv", "b1.csv"):
        (files / name).write_text("x")
    (folder / "dataset.yaml").write_text(ENTRY.format(folder=files))
    (folder / "samples.tsv").write_text(ROWS)
    return folder


def load(study: Path, schemas: Path) -> study_dataset.DataSet:
    return study_dataset.load_dataset(study, schemas)


def message(study: Path, schemas: Path) -> str:
    with pytest.raises(InputError) as error:
        load(study, schemas)
    return str(error.value).replace(str(study), "")


def test_a_correct_entry(study: Path, schemas: Path) -> None:
    dataset = load(study, schemas)
    assert dataset.name == "study"
    assert not dataset.simulated
    assert dataset.assay == "cells"
    first, second = dataset.libraries
    assert (first.day, first.condition, first.sex, first.sort, first.key) == (
        0.0,
        "naive",
        "female",
        "none",
        "A1",
    )
    assert second.day == 14.0
    assert dataset.frame()["day"].tolist() == [0.0, 14.0]


def test_optional_columns_may_be_missing_and_own_columns_are_left_alone(study: Path, schemas: Path) -> None:
    (study / "samples.tsv").write_text("library\tcondition\tfile\tx_room\nA1\tnaive\ta1.csv\t7\n")
    (library,) = load(study, schemas).libraries
    assert library.subject == "A1"
    assert library.day is None
    assert library.pooled_n == 1


def test_excel_style_files_are_read(study: Path, schemas: Path) -> None:
    text = "\ufeff" + ROWS.replace("\n", "\r\n") + "\t\t\t\t\t\r\n"
    (study / "samples.tsv").write_bytes(text.encode())
    assert len(load(study, schemas).libraries) == 2


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("subject", "subjct", "/samples.tsv: row 1: column 'subjct' is not known; did you mean 'subject'?"),
        (
            "14",
            "14 dpi",
            "/samples.tsv: row 3, column day: '14 dpi' is not a number; write days as a plain number",
        ),
        ("14", "-1", "/samples.tsv: row 3, column day: -1 is too small; must be at least 0"),
        (
            "injured",
            "injurd",
            "row 3, column condition: 'injurd' is not one of naive, sham, contralateral, injured",
        ),
        ("B1\t", "A1\t", "row 3, column library: 'A1' is already in row 2"),
        ("B1\t", "B 1\t", "row 3, column library: 'B 1' does not fit; allowed: letters"),
        ("b1.csv", "b2.csv", "row 3, column file: "),
        ("male\n", "male\n", ""),
        ("\t", ",", "row 1: separated by commas or semicolons"),
        ("\tmale\t", "\tman\t", "row 3, column sex: 'man' is not one of female, male, mixed, ''"),
        ("B1\tm2", "B1\tm2\textra", "row 3: 7 fields, but the header has 6"),
        ("library\t", "subject\t", "row 1: column 'subject' is duplicated"),
    ],
)
def test_sheet_mistakes_say_where_what_and_what_is_allowed(
    study: Path, schemas: Path, old: str, new: str, expected: str
) -> None:
    (study / "samples.tsv").write_text(ROWS.replace(old, new))
    if not expected:
        load(study, schemas)
        return
    text = message(study, schemas)
    assert expected in text
    assert "Traceback" not in text


def test_all_mistakes_of_both_files_are_reported_together(study: Path, schemas: Path) -> None:
    (study / "dataset.yaml").write_text("titel: A\norganism: rat\ntitle: A\n")
    (study / "samples.tsv").write_text(ROWS.replace("14", "x").replace("naive", "naif"))
    lines = message(study, schemas).splitlines()
    for part in (
        "/dataset.yaml: 'titel' is not known; did you mean 'title'?",
        "/dataset.yaml: organism: 'rat' is not one of mouse",
        "/dataset.yaml: 'injury_model' is missing",
        "row 2, column condition",
        "row 3, column day",
    ):
        assert sum(part in line for line in lines) == 1, part


def test_a_misspelt_header_hides_no_other_mistake(study: Path, schemas: Path) -> None:
    rows = (
        ROWS.replace("condition", "condtion").replace("Female", "woman").replace("b1.csv", "b9.csv").replace("14", "x")
    )
    (study / "samples.tsv").write_text(rows)
    lines = message(study, schemas).splitlines()
    for part in (
        "row 1: column 'condtion' is not known; did you mean 'condition'?",
        "row 1: column 'condition' is missing",
        "row 2, column sex: 'woman' is not one of",
        "row 3, column day: 'x' is not a number",
        "row 3, column file: ",
    ):
        assert sum(part in line for line in lines) == 1, (part, lines)
    assert len(lines) == 5


def test_yaml_mistakes_are_plain(study: Path, schemas: Path) -> None:
    (study / "dataset.yaml").write_text("title: A\ntitle: B\n")
    assert "/dataset.yaml: line 2: 'title' is given twice" in message(study, schemas)
    (study / "dataset.yaml").write_text("title: [A\n")
    assert "not valid YAML" in message(study, schemas)


def test_left_out_library_needs_a_reason_and_no_file(study: Path, schemas: Path) -> None:
    head = "library\tcondition\tfile\tinclude\treason\nA1\tnaive\ta1.csv\tyes\t\n"
    (study / "samples.tsv").write_text(head + "B1\tinjured\t\tno\t\n")
    assert "row 3, column reason: empty, but the library is left out" in message(study, schemas)
    (study / "samples.tsv").write_text(head + "B1\tinjured\t\tno\thuman\n")
    dataset = load(study, schemas)
    assert [library.library for library in dataset.included] == ["A1"]


def test_a_file_may_be_a_prefix(study: Path, schemas: Path) -> None:
    files = load(study, schemas).folder
    for end in ("matrix.mtx.gz", "barcodes.tsv.gz", "features.tsv.gz"):
        (files / f"GSM1_[a]_{end}").write_text("x")
    assert len(sheet_files.library_files(files, "GSM1_[a]_")) == 3
    assert sheet_files.library_files(files, "GSM2") == []


def test_a_matrix_comes_with_its_lists(study: Path, schemas: Path) -> None:
    files = load(study, schemas).folder
    for name in (
        "S1_matrix.mtx.gz",
        "S1_barcodes.tsv.gz",
        "S1_cells.csv",
        "features.tsv.gz",
        "S2_matrix.mtx",
        "S2_features.tsv",
    ):
        (files / name).write_text("x")
    found = sheet_files.library_files(files, "S1_matrix.mtx.gz")
    assert [path.name for path in found] == ["S1_matrix.mtx.gz", "features.tsv.gz", "S1_barcodes.tsv.gz"]
    (files / "S1_features.tsv.gz").write_text("x")  # a list that comes later is seen
    assert sheet_files.library_files(files, "S1_matrix.mtx.gz")[1].name == "S1_features.tsv.gz"


def test_an_animal_is_one_however_its_accents_are_written(study: Path, schemas: Path) -> None:
    rows = ROWS.replace("\tm1\t0\tnaive\tFemale", "\tRen\u00e9\t14\tinjured\tmale").replace("\tm2\t", "\tRene\u0301\t")
    (study / "samples.tsv").write_text(rows)
    assert load(study, schemas).frame()["subject"].nunique() == 1


def test_shared_files_are_those_that_hold_several_libraries(study: Path, schemas: Path) -> None:
    (study / "samples.tsv").write_text(ROWS.replace("b1.csv", "a1.csv"))
    entry = (study / "dataset.yaml").read_text()
    (study / "dataset.yaml").write_text(entry + "split:\n  column: library\n")
    assert list(load(study, schemas).shared_files()) == ["a1.csv"]
    # without a rule that takes it apart, the same file twice is a slip of the hand
    (study / "dataset.yaml").write_text(entry)
    text = message(study, schemas)
    assert "/samples.tsv: row 3, column file: 'a1.csv' is the file of row 2 too; each library has its own, or" in text


def test_a_library_that_is_left_out_may_be_a_link_to_nothing(study: Path, schemas: Path, tmp_path: Path) -> None:
    (tmp_path / "files" / "b1.csv").unlink()
    (tmp_path / "files" / "b1.csv").symlink_to("nowhere.csv")
    assert "a link to a file that is not there" in message(study, schemas)
    rows = (
        ROWS.replace("file\n", "file\tinclude\treason\n")
        .replace("a1.csv", "a1.csv\tyes\t")
        .replace("b1.csv", "b1.csv\tno\tlost")
    )
    (study / "samples.tsv").write_text(rows)
    assert [library.library for library in load(study, schemas).included] == ["A1"]


def test_run_names_unknown_data_sets_and_keys(root: Path, schemas: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    with pytest.raises(InputError) as error:
        run.load_run({"datasets": ["dmo"], "sed": 1}, Path(), schemas)
    assert "datasets: 'dmo' has no folder in config/datasets; did you mean 'demo'?" in str(error.value)
    assert "config/config.yaml: 'sed' is not known; did you mean 'seed'?" in str(error.value)


def test_shipped_entries_are_valid(root: Path, schemas: Path, shared_data: Path) -> None:
    for folder in sorted((root / "config" / "datasets").iterdir()):
        dataset = study_dataset.load_dataset(folder, schemas, root=root)
        assert dataset.libraries
    assert shared_data.is_dir()


# ---------------------------------------------------------------- what is fetched

DOWNLOAD = """\
title: A study
organism: mouse
injury_model: spared nerve injury
injury_class: peripheral_nerve
tissue: spinal cord
accession: GSE162807
download:
  files:
    - name: GSE162807_RAW.tar
"""


def test_a_library_to_be_fetched_needs_no_file_yet(study: Path, schemas: Path) -> None:
    (study / "dataset.yaml").write_text(DOWNLOAD)
    dataset = study_dataset.load_dataset(study, schemas, root=study.parents[2])
    assert dataset.folder == study.parents[2] / "resources/study/files"
    assert [file.name for file in dataset.downloads_for(dataset.libraries)] == ["GSE162807_RAW.tar"]
    # a plain file must be among those that are fetched
    entry = DOWNLOAD.replace("GSE162807_RAW.tar", "a1.csv")
    (study / "dataset.yaml").write_text(entry)
    assert "row 3, column file: 'b1.csv' is not among download.files; there are: a1.csv" in message(study, schemas)
    (study / "dataset.yaml").write_text(entry + "    - name: b1.csv\n")
    dataset = study_dataset.load_dataset(study, schemas, root=study.parents[2])
    assert [file.name for file in dataset.downloads_for(dataset.libraries[:1])] == ["a1.csv"]


def test_files_unpacked_by_hand_are_used_as_they_are(study: Path, schemas: Path) -> None:
    files = study.parents[2] / "files"
    (study / "dataset.yaml").write_text(DOWNLOAD + f"folder: {files}\n")
    assert load(study, schemas).downloads == ()
    # the archive itself, or a trace of unpacking that was broken off: fetched as usual
    (files / ".GSE162807_RAW.tar.part").mkdir()
    assert [file.name for file in load(study, schemas).downloads] == ["GSE162807_RAW.tar"]


def test_after_fetching_a_file_that_is_not_there_is_told(study: Path, schemas: Path) -> None:
    root = study.parents[2]
    (study / "dataset.yaml").write_text(DOWNLOAD)
    write_fetched(
        [("GSE162807_RAW.tar", 9, "0" * 64), ("a1.csv", 1, "0" * 64)], fetched_path("study", "GSE162807_RAW.tar", root)
    )
    folder = root / "resources/study/files"
    folder.mkdir(parents=True)
    (folder / "a1.csv").write_text("x")
    with pytest.raises(InputError) as error:
        study_dataset.load_dataset(study, schemas, root=root)
    assert "row 3, column file" in str(error.value)
    assert "b1.csv': no such file, folder or file prefix; did you mean 'a1.csv'?" in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "GSE162807\n",
            "E-MTAB-1\n",
            "'GSE162807_RAW.tar' has no url, and accession 'E-MTAB-1' is none of GEO's series",
        ),
        ("name: GSE162807_RAW.tar", "name: ../x.tar", "download.files.0.name: '../x.tar' does not fit"),
        ("name: GSE162807_RAW.tar", "name: a.tar\n      sha256: abc", "download.files.0.sha256: 'abc' does not fit"),
        (
            "name: GSE162807_RAW.tar",
            "name: a.tar\n      size: 0",
            "download.files.0.size: 0 is too small; must be at least 1",
        ),
        (
            "    - name: G",
            "    - name: a.tar\n    - name: a.tar\n    - name: G",
            "download.files: 'a.tar' is duplicated",
        ),
        ("    - name: G", "    - nam: G", "download.files.0: 'nam' is not known; did you mean 'name'?"),
        ("download:", "downloads:", "'downloads' is not known; did you mean 'download'?"),
    ],
)
def test_mistakes_of_the_files_to_be_fetched(study: Path, schemas: Path, old: str, new: str, expected: str) -> None:
    (study / "dataset.yaml").write_text(DOWNLOAD.replace(old, new))
    assert expected in message(study, schemas)


def test_facts_to_be_checked_travel_with_the_data_set(study: Path, schemas: Path) -> None:
    (study / "dataset.yaml").write_text((study / "dataset.yaml").read_text() + "to_check:\n  - The day is a guess.\n")
    assert load(study, schemas).facts()["to_check"] == ["The day is a guess."]


def test_what_typing_alone_makes_different_is_one(tmp_path: Path, root: Path) -> None:
    """Curly and straight apostrophe, 10X and 10x, a doubled or no-break blank, a letter without width (case 12)."""
    from recovery_microglia.study.samples import read_samples

    kits = ["10x 3' v3", "10X 3' v3", "10x 3\u2019 v3", "10x  3'\u00a0v3"]
    animals = ["m 1", "m\u00a01", "m  1", "m\u200b 1"]
    lines = [f"L{k}\t{animal}\t14\tinjured\t{kit}" for k, (animal, kit) in enumerate(zip(animals, kits, strict=True))]
    sheet = tmp_path / "samples.tsv"
    sheet.write_text("library\tsubject\tday\tcondition\tchemistry\n" + "\n".join(lines) + "\n", encoding="utf-8")
    read = read_samples(sheet, root / "workflow/schemas/samples.yaml")
    assert {(library.subject, library.chemistry) for library in read} == {("m 1", "10x 3' v3")}


def test_numbers_parted_by_a_dash_are_other_animals(tmp_path: Path, root: Path) -> None:
    from recovery_microglia.study.samples import read_samples

    sheet = tmp_path / "samples.tsv"
    sheet.write_text("library\tsubject\tday\tcondition\nA\t1-12\t3\tinjured\nB\t11-2\t3\tinjured\n", encoding="utf-8")
    assert len(read_samples(sheet, root / "workflow/schemas/samples.yaml")) == 2
