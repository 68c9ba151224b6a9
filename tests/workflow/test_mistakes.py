"""Mistakes a user makes: one plain line each, exit 1, nothing half-written, nothing lost."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from workflow.conftest import Project, Run, write_two_matrices

DESCRIPTION = """\
title: With mistakes
organism: mouse
injury_model: spared nerve injury
injury_class: peripheral_nerve
tissue: lumbar spinal cord
folder: data
"""


def plain(run: Run) -> list[str]:
    """The lines a user reads, without Snakemake's two about profile and configuration."""
    assert run.code == 1, run.out
    assert "Traceback" not in run.out
    assert "Execute" not in run.out  # no job was started
    return [line for line in run.out.splitlines() if line and not line.startswith(("Using ", "Config file "))]


@pytest.fixture(scope="module")
def bare(project: Project) -> Project:
    """The shared copy with a data set ``bad`` and its two small matrices."""
    write_two_matrices(project, "data")
    project.write("config/datasets/bad/dataset.yaml", DESCRIPTION)
    return project


def sheet(project: Project, *rows: str) -> None:
    text = "library\tday\tcondition\tfile\n" + "".join(row.replace(" | ", "\t") + "\n" for row in rows)
    project.write("config/datasets/bad/samples.tsv", text)


def test_all_mistakes_of_a_sheet_are_told_at_once(bare: Project) -> None:
    sheet(bare, "A | 0 | naiv | A.csv", "A | 14 dpi | injured | B.csv")
    lines = plain(bare.snakemake(datasets="bad"))
    assert len(lines) == 3
    assert all(line.startswith("config/datasets/bad/samples.tsv: row ") for line in lines)
    words = "\n".join(lines)
    assert re.search(r"row 2, column condition: 'naiv' .*naive, sham", words)
    assert re.search(r"row 3, column day: '14 dpi' .* number", words)
    assert re.search(r"row 3, column library: .*'A'", words)


def test_a_missing_file_is_named(bare: Project) -> None:
    sheet(bare, "A | 0 | naive | A.csv", "B | 14 | injured | Bee.csv")
    (line,) = plain(bare.snakemake(datasets="bad"))
    assert re.match(r"config/datasets/bad/samples.tsv: row 3, column file: .*Bee.csv", line)


def test_an_unknown_data_set_is_named_with_those_there_are(bare: Project) -> None:
    sheet(bare, "A | 0 | naive | A.csv")
    (line,) = plain(bare.snakemake(datasets="demmo"))
    assert "demmo" in line
    assert "demo" in line.replace("demmo", "")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("min_genes: 150", "min_gene: 150", "min_gene"),
        ("quantile: 0.99 ", "quantile: 99 ", "quantile"),
        ("seed: 1", "seed: one", "seed"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed(bare: Project, old: str, new: str, words: str) -> None:
    path = bare.path / "config/config.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    try:
        (line,) = plain(bare.snakemake(datasets="demo"))
    finally:
        path.write_text(text)
    assert line.startswith("config/config.yaml: ")
    assert words in line


def test_a_bad_matrix_stops_its_library_only_and_mending_it_does_the_rest(bare: Project) -> None:
    sheet(bare, "A | 0 | naive | A.csv", "B | 14 | injured | B.csv")
    targets = [f"results/bad/libraries/{name}/library.json" for name in "AB"]
    matrix = bare.path / "data/B.csv"
    counts = pd.read_csv(matrix, index_col=0)
    (counts / counts.sum() * 1e4).to_csv(matrix)
    run = bare.snakemake(*targets, datasets="bad")
    assert run.code == 1
    told = run.out.split("\nStopped.\n")[1].splitlines()[0].strip()
    assert re.match(r"data/B.csv: gene \S+, barcode B0: .* raw counts", told)
    assert "Traceback" not in run.out
    assert bare.results("bad", "libraries", "A", "library.json").exists()
    assert not any(bare.results("bad", "libraries", "B").glob("*"))
    done = bare.results("bad", "libraries", "A", "library.json").stat().st_mtime_ns
    counts.to_csv(matrix)
    run = bare.snakemake(*targets, datasets="bad")
    assert run.code == 0, run.out
    assert run.rules == {"library": 1}
    assert bare.results("bad", "libraries", "A", "library.json").stat().st_mtime_ns == done


def test_the_design_is_told_before_any_matrix_is_read(project: Project) -> None:
    def read() -> set[tuple[Path, int]]:
        return {(path, path.stat().st_mtime_ns) for path in project.results("small", "libraries").rglob("*")}

    before = read()  # something, where other tests ran the same copy already
    run = project.snakemake("design", "--quiet", "all")
    assert run.code == 0, run.out
    assert "Days can be tested against controls" in run.out
    assert re.search(r"^ 14 +3 +sham day 14 +3 +0\.1 ", run.out, re.M)
    assert read() == before
    assert "Days can be tested" in project.results("small", "design.txt").read_text()


def test_a_home_that_cannot_be_written_to_is_not_needed(bare: Project) -> None:
    sheet(bare, "A | 0 | naive | A.csv", "B | 14 | injured | B.csv")
    # nobody can make a folder in /proc, root neither; containers often have no HOME
    run = bare.snakemake("--forcerun", "library", "--dry-run", datasets="bad", HOME="/proc/nowhere")
    assert run.code == 0, run.out
    assert run.rules["library"] == 2


def test_a_run_may_be_started_in_a_folder_of_its_own(bare: Project, tmp_path: Path) -> None:
    sheet(bare, "A | 0 | naive | A.csv", "B | 14 | injured | B.csv")
    for how in (
        ["-s", str(bare.path / "Snakefile")],
        ["-s", str(bare.path / "Snakefile"), "--directory", str(tmp_path)],
    ):
        (line,) = plain(bare.snakemake(*how, datasets="bad", start=tmp_path))
        assert line.startswith(f"config/config.yaml: no such file in {tmp_path}; ")
        assert "cp -r" in line
    shutil.copytree(bare.path / "config", tmp_path / "config")
    shutil.copytree(bare.path / "data", tmp_path / "data")
    run = bare.snakemake("-s", str(bare.path / "Snakefile"), "--dry-run",
                         datasets="bad", start=tmp_path)  # fmt: skip
    assert run.code == 0, run.out
    assert run.rules["library"] == 2
