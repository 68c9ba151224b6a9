"""The command of an installed package: what it writes into an empty folder, what it asks of Snakemake, what it packs."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from recovery_microglia.command import main
from recovery_microglia.command.collect import collect
from recovery_microglia.command.folder import prepare, ready_made
from recovery_microglia.command.workflow import arguments, snakemake
from recovery_microglia.core.errors import InputError
from recovery_microglia.core.places import knowledge, project, signatures


def test_an_empty_folder_gets_what_a_run_needs_and_each_thing_is_said(tmp_path: Path) -> None:
    said = prepare(tmp_path, ["GSE162807"])
    config = tmp_path / "config"
    assert [line.split(": ")[0].removeprefix(f"{config}/") for line in said] == [
        "config.yaml", "signatures", "knowledge", "datasets/GSE162807", "datasets/demo",
    ]  # fmt: skip
    for path in signatures().iterdir():
        assert (config / "signatures" / path.name).read_bytes() == path.read_bytes()
    assert prepare(tmp_path, ["GSE162807"]) == []  # once


def test_what_is_the_users_own_is_not_touched(tmp_path: Path) -> None:
    own = {
        "config/config.yaml": "datasets: [mine]\n",
        "config/datasets/demo/samples.tsv": "mine",
        "config/signatures/x.tsv": "mine",
        "config/knowledge/x.tsv": "mine",
    }
    for name, text in own.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert prepare(tmp_path, ["demo", "mine"]) == []
    assert {name: (tmp_path / name).read_text() for name in own} == own


def test_what_is_known_comes_from_the_project_table_by_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    own = Path("config/knowledge")
    own.mkdir(parents=True)
    (own / "compounds.tsv").write_text("mine")
    assert knowledge("networks.tsv") == project() / own / "networks.tsv"
    (own / "networks.tsv").write_text("mine")
    assert knowledge("networks.tsv") == own / "networks.tsv"


def test_a_clone_is_left_as_it_is() -> None:
    assert prepare(project(), ["demo"]) == []
    assert {"demo", "GSE162807"} < set(ready_made())


def test_the_snakefile_is_the_projects_and_further_options_go_through() -> None:
    assert arguments("run", [], cores="8") == ["--snakefile", str(project() / "Snakefile"), "--cores", "8"]
    run = arguments("run", ["a", "b"], cores="all", further=["--dry-run"])
    assert run[4:] == ["--config", "datasets=[a,b]", "--dry-run"]
    pages = arguments("report", ["a"], cores="1")
    assert pages[pages.index("--") + 1 :] == ["results/index.html", "results/a/report.html"]


def test_a_python_with_a_blank_in_its_path_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/home/my name/env/bin/python")
    with pytest.raises(InputError, match=r"^/home/my name/env/bin/python: Snakemake cannot run scripts by"):
        snakemake("run", [], cores="1")


def test_help_is_there_at_once_and_names_every_command() -> None:
    code = "import sys; from recovery_microglia.command import main\ntry: main(['--help'])\nfinally: print('numpy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project() / "scripts", capture_output=True, text=True, check=True
    )
    assert all(f"\n    {name} " in done.stdout for name in ("run", "design", "report", "add", "collect"))
    assert done.stdout.endswith("False\n")  # nothing heavy was imported for it


def test_a_mistake_is_one_plain_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["add", "no/such/folder"]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        "no/such/folder: neither an accession of a GEO series (GSE…) nor a folder nor a family.soft.gz file"
    )


@pytest.fixture
def ran(tmp_path: Path) -> Path:
    """A folder after a run: logs, tables, and what must not be sent."""
    texts = {
        "config/config.yaml": "datasets: [sni]\n",
        "config/datasets/sni/samples.tsv": "library\tcondition\n",
        "results/sni/logs/library.A.log": f"{Path.home()}/data/A.h5: broken",
        "results/sni/summary.json": "{}",
        "results/sni/tables/warnings.tsv": "code\n",
        "results/sni/tables/cells.tsv.gz": "cells",
        "results/sni/tables/gene_course.tsv": "genes",
        "results/sni/libraries/A/cells.parquet": "cells",
        "results/sni/myeloid.h5ad": "counts",
        ".snakemake/log/2026-01-01.snakemake.log": "log",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_bug_report_holds_logs_sheet_and_versions_and_no_data(ran: Path, tmp_path: Path) -> None:
    said = collect(ran, tmp_path / "out.zip", [])
    with zipfile.ZipFile(tmp_path / "out.zip") as pack:
        assert set(pack.namelist()) == {
            "versions.json", "config/config.yaml", "config/datasets/sni/samples.tsv", "results/sni/logs/library.A.log",
            "results/sni/summary.json", "results/sni/tables/warnings.tsv", ".snakemake/log/2026-01-01.snakemake.log",
        }  # fmt: skip
        assert pack.read("results/sni/logs/library.A.log").decode() == "~/data/A.h5: broken"
        versions = json.loads(pack.read("versions.json"))
    assert {"anndata", "snakemake"} <= set(versions["packages"])
    assert "names your files, animals and libraries" in said


def test_a_bug_report_of_nothing_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"neither config/config\.yaml nor results are here"):
        collect(tmp_path, tmp_path / "out.zip", [])
    with pytest.raises(InputError, match="'sni': neither config/datasets/sni nor results/sni is here"):
        collect(tmp_path, tmp_path / "out.zip", ["sni"])
