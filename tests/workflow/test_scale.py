"""Five hundred libraries are planned in seconds; each change redoes only what hangs on it."""

import resource
import shutil

import pytest
import yaml

from workflow.conftest import Project, copy_project
from workflow.test_rerun import LATE, N, changed

MOST = 10
"""Seconds of processor time for a dry run over 500 libraries."""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Five hundred libraries with files of their own; nothing of them is read by a dry run."""
    project = copy_project(tmp_path_factory.mktemp("large") / "project")
    entry = project.path / "config/datasets/large"
    shutil.copytree(project.path / "config/datasets/demo", entry)
    facts = yaml.safe_load((entry / "dataset.yaml").read_text())
    del facts["simulation"]
    (entry / "dataset.yaml").write_text(yaml.safe_dump({**facts, "folder": "files"}))
    (project.path / "files").mkdir()
    rows = ["library\tsubject\tday\tcondition\tfile"]
    for number in range(500):
        (project.path / "files" / f"L{number}.h5").write_bytes(b"not read")
        rows.append(f"L{number}\tm{number}\t{number % 5 * 7}\t{'injured' if number % 5 else 'naive'}\tL{number}.h5")
    (entry / "samples.tsv").write_text("\n".join(rows) + "\n")
    return project


def test_five_hundred_libraries_are_planned_in_ten_seconds(large: Project) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    jobs = large.planned("large")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert jobs["library"] == 500
    # processor time: what a busy machine does beside it is not the plan's
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < MOST


@pytest.mark.parametrize(
    ("file", "old", "new", "jobs"),
    [
        # the words of the page: pages only
        ("scripts/recovery_microglia/report/sections/sheet.py", '"""', '""" ', {"report": 1, "index": 1}),
        ("scripts/recovery_microglia/report/templates/style.css", "body", "body ", {"report": 1, "index": 1}),
        # the score reads no matrix again
        ("scripts/recovery_microglia/recovery/call.py", '"""', '""" ', LATE),
        ("config/config.yaml", "max_rank: 1500", "max_rank: 1400", LATE),
        # the cells of single libraries
        ("scripts/recovery_microglia/library/doublets.py", '"""', '""" ', {"library": N, "myeloid": 1, "embedding": 1, **LATE}),
        # how much a job asks for, what it cost and how a run is told are no part of a result
        ("scripts/recovery_microglia/jobs/resources.py", "Need(1000, 15", "Need(1200, 15", {}),
        ("scripts/recovery_microglia/jobs/progress.py", '"""', '""" ', {}),
        ("profiles/slurm/config.yaml", "retries: 2", "retries: 3", {}),
    ],
)  # fmt: skip
def test_a_change_of_code_or_settings_redoes_what_hangs_on_it(
    finished: Project, file: str, old: str, new: str, jobs: dict[str, int]
) -> None:
    with changed(finished.path / file, old, new):
        assert finished.planned() == jobs
