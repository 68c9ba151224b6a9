"""One step of a finished run again, in one process, as a debugger would run it."""

import os
import subprocess
from pathlib import Path

from workflow.conftest import Project


def test_a_step_alone_writes_what_the_run_wrote_and_leaves_the_run_as_it_is(finished: Project, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished.results().rglob("*")}
    command = [
        finished.path / ".venv/bin/python",
        "scripts/one_step.py",
        "timeline",
        "dataset=small",
        "--out",
        tmp_path,
    ]
    done = subprocess.run(command, cwd=finished.path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    written = {path.relative_to(tmp_path): path for path in tmp_path.rglob("*.tsv")}
    assert {"timeline.tsv", "fractions.tsv", "onset.tsv"} <= {path.name for path in written}
    for name, path in written.items():
        assert path.read_bytes() == (finished.path / name).read_bytes(), name
    assert {path: path.stat().st_mtime_ns for path in finished.results().rglob("*")} == before


def test_a_breakpoint_is_reached(finished: Project, tmp_path: Path) -> None:
    command = [finished.path / ".venv/bin/python", "-m", "pdb", "scripts/one_step.py", "timeline", "dataset=small"]
    step = finished.path / "scripts/recovery_microglia/timeline/step.py"
    line = next(n for n, text in enumerate(step.read_text().splitlines(), 1) if "design = audit(sheet)" in text)
    typed = f"b {step}:{line}\nc\np ('rows', len(sheet))\nq\n"
    done = subprocess.run(
        command,
        cwd=finished.path,
        input=typed,
        capture_output=True,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert "('rows', 12)" in done.stdout, done.stdout + done.stderr
