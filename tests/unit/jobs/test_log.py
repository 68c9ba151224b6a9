"""Versions and plain errors."""

from pathlib import Path

import pytest

from recovery_microglia.core.errors import InputError
from recovery_microglia.jobs import log as job_log
from recovery_microglia.summary import provenance


def test_bad_input_ends_with_one_line_and_status_1(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "logs" / "step.log"
    with pytest.raises(SystemExit) as stop, job_log.reporting(log):
        raise InputError("samples.tsv: row 3: wrong")
    assert stop.value.code == 1
    assert log.read_text() == f"{job_log.MISTAKE}samples.tsv: row 3: wrong\n"
    assert "Traceback" not in capfd.readouterr().err


def test_a_bug_leaves_its_traceback_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "step.log"
    with pytest.raises(ZeroDivisionError), job_log.reporting(log):
        _ = 1 / 0
    assert "ZeroDivisionError" in log.read_text()


def test_versions_name_the_libraries_that_matter() -> None:
    found = provenance.versions()
    assert {"recovery-microglia", "python", "scanpy", "leidenalg", "snakemake"} <= set(found)
    assert all(version[0].isdigit() for version in found.values())
