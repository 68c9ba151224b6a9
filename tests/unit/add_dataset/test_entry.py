"""A new data set from an accession, a SOFT file or a folder: what is written, what is refused, what is said."""

import gzip
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from bad_input.lab import DENSE, h5_bytes, ten_x_files, ten_x_h5
from made_up.soft import soft, write_soft
from recovery_microglia.add_dataset import matrices
from recovery_microglia.add_dataset.advice import mistakes_of
from recovery_microglia.add_dataset.entry import add_dataset
from recovery_microglia.add_dataset.matrices import file_of_sample, find_libraries
from recovery_microglia.core.errors import InputError
from recovery_microglia.deposit.soft import read_soft
from recovery_microglia.study.dataset import load_dataset

GROUPS = {"naive": ("Naive", "naive"), "SNI 3d": ("SNI", "3d"), "SNI 14d": ("SNI", "14d"), "Sham 14d": ("Sham", "14d")}


@pytest.fixture
def project(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A root with schemas and gene sets, and no data set."""
    home = tmp_path / "project"
    for folder in ("workflow/schemas", "config/signatures"):
        shutil.copytree(root / folder, home / folder)
    (home / "config/datasets").mkdir()
    monkeypatch.chdir(home)
    monkeypatch.setenv("GEO_MIRROR", str(tmp_path / "mirror"))
    return home


def samples() -> list[dict[str, object]]:
    """Two mice of each group, and a human."""
    found: list[dict[str, object]] = []
    for group, (surgery, time) in GROUPS.items():
        for k in (1, 2):
            gsm = f"GSM10{len(found):02d}"
            told = {
                "tissue": "spinal cord",
                "strain": "CD-1",
                "Sex": "FM"[k - 1],
                "surgery": surgery,
                "time point": time,
            }
            files = [f"{gsm}_{part}.gz" for part in ("matrix.mtx", "barcodes.tsv", "features.tsv")]
            found.append({"gsm": gsm, "title": f"{group} {k}", "characteristics": told, "files": files})
    human = {"gsm": "GSM1099", "title": "human donor", "organism": "Homo sapiens", "files": ["GSM1099_x.h5"]}
    return [*found, human]


def sheet(project: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(project / "config/datasets" / name / "samples.tsv", sep="\t", dtype=str, keep_default_na=False)


def entry(project: Path, name: str) -> dict[str, object]:
    return yaml.safe_load((project / "config/datasets" / name / "dataset.yaml").read_text(encoding="utf-8"))


def test_an_accession_becomes_an_entry_that_runs(project: Path, tmp_path: Path) -> None:
    text = soft("GSE900123", "scRNA-seq of microglia after spared nerve injury", samples(), files=["GSE900123_RAW.tar"])
    write_soft(tmp_path / "mirror/series/GSE900nnn/GSE900123/soft/GSE900123_family.soft.gz", text)
    said = add_dataset("gse900123", project)
    table = sheet(project, "GSE900123")
    assert table["day"].tolist() == ["0", "0", "3", "3", "14", "14", "14", "14", ""]
    assert table["condition"].tolist() == ["naive"] * 2 + ["injured"] * 4 + ["sham"] * 2 + ["other"]
    assert table["sex"].tolist() == ["female", "male"] * 4 + [""]
    assert table["file"].tolist()[:2] == ["GSM1000_", "GSM1001_"]
    assert table["include"].tolist() == ["yes"] * 8 + ["no"]
    described = entry(project, "GSE900123")
    assert described["injury_model"] == "spared nerve injury"
    assert described["accession"] == "GSE900123"
    names = [file["name"] for file in described["download"]["files"]]
    assert len(names) == 24
    assert not any("GSM1099" in name for name in names)
    assert mistakes_of("GSE900123", Path()) == []
    dataset = load_dataset(Path("config/datasets/GSE900123"), project / "workflow/schemas")
    assert len(dataset.included) == 8
    assert len(dataset.to_check) >= 3
    assert "human_donor: Homo sapiens, not Mus musculus" in said
    assert "Days can be tested against controls" in said
    assert "snakemake --cores 8 --config 'datasets=[GSE900123]'" in said


def test_what_is_unsure_is_empty_and_the_entry_does_not_run(project: Path, tmp_path: Path) -> None:
    told = [
        {"gsm": f"GSM1{k}", "title": title, "files": [f"GSM1{k}_a.h5"]} for k, title in enumerate(["Ctl 1", "D7 1"])
    ]
    said = add_dataset(str(write_soft(tmp_path / "x_family.soft.gz", soft("GSE1000", "A study", told))), project)
    assert sheet(project, "GSE1000")["condition"].tolist() == ["", ""]
    wrong = mistakes_of("GSE1000", Path())
    assert sum("column condition" in line for line in wrong) == 2
    assert any("injury_model: empty" in line for line in wrong)
    assert "the run refuses to start until then" in said
    assert "Only 'control', or day 0, is said of Ctl_1" in said


def test_one_matrix_for_all_libraries_asks_how_it_is_taken_apart(project: Path, tmp_path: Path) -> None:
    told = [{"gsm": f"GSM1{k}", "title": f"SNI {k} dpi"} for k in (3, 7)]
    files = ["GSE1000_counts.csv.gz", "GSE1000_metadata.csv.gz", "GSE1000_object.rds.gz", "GSE1000_RAW.tar"]
    add_dataset(str(write_soft(tmp_path / "x.soft.gz", soft("GSE1000", "SNI", told, files=files))), project)
    assert sheet(project, "GSE1000")["file"].tolist() == ["GSE1000_counts.csv.gz"] * 2
    described = entry(project, "GSE1000")
    assert [file["name"] for file in described["download"]["files"]] == files[:2]
    assert any("say under split" in line for line in described["to_check"])
    assert any("split" in line for line in mistakes_of("GSE1000", Path()))


def test_archives_of_samples_are_taken_from_the_archive_of_the_series(project: Path, tmp_path: Path) -> None:
    told = [{"gsm": f"GSM1{k}", "title": f"SNI {k} dpi", "files": [f"GSM1{k}_x.tar.gz"]} for k in (3, 7)]
    path = write_soft(tmp_path / "x.soft.gz", soft("GSE1000", "SNI", told, files=["GSE1000_RAW.tar"]))
    add_dataset(str(path), project)
    assert sheet(project, "GSE1000")["file"].tolist() == ["GSM13_x", "GSM17_x"]
    assert entry(project, "GSE1000")["download"] == {"files": [{"name": "GSE1000_RAW.tar"}]}


# ---------------------------------------------------------------- folders


def write(folder: Path, files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def test_a_folder_of_mixed_layouts_becomes_an_entry(project: Path, tmp_path: Path) -> None:
    lab = tmp_path / "our SNI data"
    human = DENSE.replace("Actb", "HLA-DRA").replace("Itgax", "MT-ND1").replace("Igf1", "ZNF320")
    write(lab, {
        **ten_x_files("naive_1/outs/filtered_feature_bc_matrix"), **ten_x_files("naive_1/outs/raw_feature_bc_matrix"),
        "naive_1/outs/filtered_feature_bc_matrix.h5": h5_bytes(ten_x_h5), "naive_1/outs/metrics_summary.csv": "a,b\n1,2\n", "SNI_14d_1.h5": h5_bytes(ten_x_h5),
        "sham_14d_1_dge.txt.gz": gzip.compress(DENSE.encode()), "donor_human.csv": human.replace("P2ry12", "P2RY12").replace("Hexb", "SIGLEC10"),
        "SNI_3d_1.csv": "gene,a\nItgax,0.5\n", "README.txt": "notes\non: these, data\n",
        "cells.csv": "barcode,cluster\na,microglia\n",
    })  # fmt: skip
    said = add_dataset(str(lab), project, name="ours")
    table = sheet(project, "ours").set_index("file")
    assert table["library"].to_dict() == {
        "SNI_14d_1.h5": "SNI_14d_1", "SNI_3d_1.csv": "SNI_3d_1", "donor_human.csv": "donor_human",
        "naive_1/outs/filtered_feature_bc_matrix": "naive_1", "sham_14d_1_dge.txt.gz": "sham_14d_1",
    }  # fmt: skip
    assert table.loc["SNI_14d_1.h5", ["day", "condition"]].tolist() == ["14", "injured"]
    assert table.loc["sham_14d_1_dge.txt.gz", ["day", "condition"]].tolist() == ["14", "sham"]
    assert table.loc["donor_human.csv", ["include", "reason"]].tolist() == [
        "no",
        "the genes are human, but the data set says mouse",
    ]
    assert "SNI_14d_1.h5: 10x h5, version 3: 3 barcodes such as AAAC-1, 5 genes" in said
    assert any(
        "SNI_3d_1.csv is left out: it cannot be read: gene Itgax" in line for line in entry(project, "ours")["to_check"]
    )
    assert entry(project, "ours")["folder"] == str(lab)


def test_one_matrix_alone_may_hold_many_libraries(project: Path, tmp_path: Path) -> None:
    write(tmp_path / "one", {"counts_genes_x_cells.csv": DENSE, "obs.csv": "cell,group\na,naive\n"})
    add_dataset(str(tmp_path / "one"), project)
    assert sheet(project, "one")["file"].tolist() == ["counts_genes_x_cells.csv"]
    assert any("if it holds several libraries" in line for line in entry(project, "one")["to_check"])


def test_geo_prefixes_and_raw_beside_filtered(tmp_path: Path) -> None:
    parts = ("matrix.mtx.gz", "barcodes.tsv.gz", "features.tsv.gz")
    write(tmp_path, {f"GSM{k}_SNI_{k}d_{part}": "x" for k in (3, 7) for part in parts})
    write(tmp_path, {f"x_{kind}_feature_bc_matrix.h5": "x" for kind in ("raw", "filtered")})
    found = {own[0].file: own[0].title for own in find_libraries(tmp_path).samples}
    assert found == {
        "GSM3_SNI_3d_": "GSM3_SNI_3d", "GSM7_SNI_7d_": "GSM7_SNI_7d", "x_filtered_feature_bc_matrix.h5": "x",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("names", "file"),
    [
        (["GSM1_a_barcodes.tsv.gz", "GSM1_a_features.tsv.gz", "GSM1_a_matrix.mtx.gz"], "GSM1_a_"),
        (["GSM1_a.genes.txt.gz", "GSM1_a.barcodes.txt.gz", "GSM1_a.cells_x_genes.mtx.gz"], "GSM1_a."),
        (["GSM1_raw_feature_bc_matrix.h5", "GSM1_filtered_feature_bc_matrix.h5"], "GSM1_filtered_feature_bc_matrix.h5"),
        (["GSM1_dge.txt.gz", "GSM1_metadata.csv.gz"], "GSM1_dge.txt.gz"),
        (["GSM1_counts.csv.gz", "GSM1_normalized.csv.gz"], "GSM1_counts.csv.gz"),
        (["GSM1_a.h5", "GSM1_fragments.tsv.gz", "GSM1_peaks.bed.gz"], "GSM1_a.h5"),
        (["GSM1_a.csv.gz", "GSM1_b.csv.gz"], ""),
        (["GSM1_a.rds"], ""),
        (["GSM1_x.tar.gz"], "GSM1_x"),
        ([], ""),
    ],
)
def test_the_file_of_a_sample(names: list[str], file: str) -> None:
    assert file_of_sample(names) == file


# ---------------------------------------------------------------- what is refused


def test_an_entry_is_never_overwritten_unasked(project: Path, tmp_path: Path) -> None:
    told = [{"gsm": "GSM1", "title": "SNI 7 dpi", "files": ["GSM1_a.h5"]}]
    path = str(write_soft(tmp_path / "x.soft.gz", soft("GSE1000", "SNI", told)))
    add_dataset(path, project)
    mine = project / "config/datasets/GSE1000/samples.tsv"
    mine.write_text("mine")
    with pytest.raises(InputError, match="there already; say another name with --name, or --force"):
        add_dataset(path, project)
    with pytest.raises(InputError, match="there already"):  # and before anything is fetched: the mirror is empty
        add_dataset("GSE1000", project)
    assert mine.read_text() == "mine"
    add_dataset(path, project, force=True)
    assert "SNI_7_dpi" in mine.read_text()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"nothing", "not a family SOFT file of GEO"),
        (gzip.compress(soft("GSE1", "A", []).encode()), "the series GSE1 has no sample"),
        (
            gzip.compress(soft("GSE1", "A", [{"gsm": "GSM1", "title": "a"}]).encode())[:60],
            "truncated or damaged gzip file",
        ),
        (
            soft("GSE1", "A", [{"gsm": "GSM1", "title": "a", "organism": "Rattus norvegicus"}]).encode(),
            "no library can be taken",
        ),
    ],
    ids=["no SOFT file", "no sample", "truncated", "rats"],  # gzip writes the time: no name for a test
)
def test_bad_soft_files_are_told_plainly_and_write_nothing(
    project: Path, tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "x_family.soft.gz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        add_dataset(str(path), project)
    assert list((project / "config/datasets").iterdir()) == []


@pytest.mark.parametrize("source", ["nowhere", "GSM12", "PRJNA1"])
def test_what_is_neither_series_nor_folder_is_refused(project: Path, source: str) -> None:
    with pytest.raises(InputError, match="neither an accession of a GEO series"):
        add_dataset(source, project)


def test_an_empty_folder_and_a_bad_name_are_refused(project: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no count matrix that is known"):
        add_dataset(str(tmp_path / "empty"), project)
    write(tmp_path / "data", {"SNI_3d.csv": DENSE})
    with pytest.raises(InputError, match="cannot be a data set's name"):
        add_dataset(str(tmp_path / "data"), project, name="../x")


def test_titles_with_tabs_and_quotation_marks_leave_a_sheet_that_can_be_read(project: Path, tmp_path: Path) -> None:
    told = [{"gsm": f"GSM{k}", "title": f'"SNI"\t{k} dpi, "x', "files": [f"GSM{k}_a.h5"]} for k in (3, 7)]
    add_dataset(str(write_soft(tmp_path / "x.soft.gz", soft("GSE1000", 'A "study": of\tSNI', told))), project)
    assert sheet(project, "GSE1000")["day"].tolist() == ["3", "7"]
    assert not any("samples.tsv" in line for line in mistakes_of("GSE1000", Path()))


def test_soft_is_read_sample_by_sample(tmp_path: Path) -> None:
    text = soft(
        "GSE1",
        "A",
        [{"gsm": "GSM1", "title": "a", "characteristics": {"Sex": "F", "age": "8 weeks"}, "files": ["GSM1_a.h5"]}],
    )
    (sample,) = read_soft(write_soft(tmp_path / "x.soft.gz", text)).samples
    assert (sample.gsm, sample.characteristics, sample.files) == ("GSM1", {"sex": "F", "age": "8 weeks"}, ["GSM1_a.h5"])


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("", "'': empty; needed: a folder, or an accession (GSE…)"),
        ("~nobody-here/data", "'~nobody-here/data': there is no user 'nobody-here' whose folder ~nobody-here could be"),
        ("x" * 300, f"'{'x' * 40}…{'x' * 39}': a name of 300 signs; disks take 255"),
        ("da\0ta", "'da\\x00ta': a sign that is not printed ('\\x00'); take it out"),
        ("a\x1b[31mb", "'a\\x1b[31mb': a sign that is not printed ('\\x1b'); take it out"),
    ],
)
def test_what_cannot_be_a_folder_is_refused_in_one_line(tmp_path: Path, source: str, says: str) -> None:
    with pytest.raises(InputError) as error:
        add_dataset(source, tmp_path)
    assert str(error.value) == says
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_study_is_not_searched_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for k in range(12):
        (tmp_path / f"home/{k}").mkdir(parents=True)
    monkeypatch.setattr(matrices, "MOST_FOLDERS", 10)
    with pytest.raises(InputError, match="more than 10 folders; name the folder of one study"):
        add_dataset(str(tmp_path / "home"), tmp_path)


def test_the_command_has_help_for_people_and_one_line_for_mistakes(root: Path) -> None:
    command = [sys.executable, str(root / "scripts/add_dataset.py")]
    done = subprocess.run([*command, "nowhere"], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.strip().count("\n") == 0
    assert "neither an accession" in done.stderr
    shown = subprocess.run([*command, "--help"], capture_output=True, text=True)
    assert "GSE" in shown.stdout
    assert "what is unsure" in shown.stdout.lower().replace("\n", " ")
