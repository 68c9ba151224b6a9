"""Code digests and plain errors."""

from pathlib import Path

import pytest

from recovery_microglia import provenance
from recovery_microglia.errors import InputError


def test_modules_behind_follows_imports_down_the_floors() -> None:
    assert provenance.modules_behind("tsv") == ("errors", "tsv")
    assert "report" not in provenance.modules_behind("genes")


def test_digest_changes_with_an_imported_module_and_only_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "recovery_microglia"
    package.mkdir()
    (package / "low.py").write_text("x = 1\n")
    (package / "high.py").write_text("from recovery_microglia.low import x\n")
    (package / "other.py").write_text("y = 1\n")
    monkeypatch.setattr(provenance, "PACKAGE", package)

    def digests() -> tuple[str, str]:
        provenance.modules_behind.cache_clear()
        provenance.code_digest.cache_clear()
        return provenance.code_digest("high"), provenance.code_digest("other")

    high, other = digests()
    assert digests() == (high, other)
    (package / "low.py").write_text("x = 2\n")
    new_high, new_other = digests()
    assert new_high != high
    assert new_other == other
    provenance.modules_behind.cache_clear()
    provenance.code_digest.cache_clear()


def test_bad_input_ends_with_one_line_and_status_1(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "logs" / "step.log"
    with pytest.raises(SystemExit) as stop, provenance.reporting(log):
        raise InputError("samples.tsv: row 3: wrong")
    assert stop.value.code == 1
    assert log.read_text() == f"{provenance.MISTAKE}samples.tsv: row 3: wrong\n"
    assert "Traceback" not in capfd.readouterr().err


def test_a_bug_leaves_its_traceback_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "step.log"
    with pytest.raises(ZeroDivisionError), provenance.reporting(log):
        _ = 1 / 0
    assert "ZeroDivisionError" in log.read_text()


def test_versions_name_the_libraries_that_matter() -> None:
    found = provenance.versions()
    assert {"recovery-microglia", "python", "scanpy", "leidenalg", "snakemake"} <= set(found)
    assert all(version[0].isdigit() for version in found.values())
