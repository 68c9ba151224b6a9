"""On a real Slurm (tests/slurm/start.sh starts one): the same files, more memory after a kill, a node that dies."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from workflow.conftest import Project, Run, add_small_demo, copy_project

pytestmark = pytest.mark.slurm
LIBRARIES = ["D35_1", "D35_2", "N1", "N2"]
STATE = Path(os.environ.get("LOCAL_SLURM", Path(tempfile.gettempdir()) / "local-slurm"))
# two small nodes answer at once: what is asked of a cluster for courtesy is not waited for
QUICK = ["--slurm-init-seconds-before-status-checks", "3", "--seconds-between-status-checks", "3", "--slurm-no-account"]


def said(*command: str) -> str:
    """Return what a command prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


@pytest.fixture(scope="module", autouse=True)
def slurm() -> None:
    """A Slurm that answers."""
    if shutil.which("sbatch") is None:
        pytest.skip("no Slurm on this machine; as root on Debian, tests/slurm/start.sh starts one")
    if subprocess.run(["sinfo"], capture_output=True, timeout=60, check=False).returncode != 0:
        pytest.skip("sbatch is here, but no Slurm answers; tests/slurm/start.sh starts one")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Four small libraries, run on this machine without Slurm."""
    project = copy_project(tmp_path_factory.mktemp("slurm") / "here")
    add_small_demo(project, "tiny", libraries=LIBRARIES, cells=200)
    run = project.snakemake(datasets="tiny")
    assert run.code == 0, run.out
    return project


def submitted(project: Project, *arguments: str) -> Run:
    """Run the data set by profiles/slurm."""
    return project.snakemake("--profile", "profiles/slurm", *QUICK, *arguments, datasets="tiny")


def jobs_of(run: Run) -> dict[str, list[int]]:
    """Snakemake's job to the Slurm jobs that were submitted for it, in order; libraries by their name."""
    found: dict[str, list[int]] = {}
    for number, folder in re.findall(r"submitted with SLURM jobid (\d+) \(log: \S*slurm_logs/(\S+)/\d+\.log", run.out):
        found.setdefault(folder.removeprefix("rule_"), []).append(int(number))
    return found


def facts_of(job: int) -> tuple[str, int]:
    """Return state and megabytes of a Slurm job."""
    text = said("sacct", "-X", "-n", "-P", "-j", str(job), "-o", "state,reqmem") if STATE.exists() else ""
    state, memory = text.strip().split("|")
    return state, int(memory.rstrip("M"))


def files_of(project: Project) -> dict[str, bytes]:
    """Every result by its path, but logs, what jobs cost, and the page that says so."""
    apart = {"logs", "costs", "costs.tsv", "report.html"}
    found = (path for path in project.results().rglob("*") if path.is_file() and not apart & set(path.parts))
    return {str(path.relative_to(project.results())): path.read_bytes() for path in found}


def different(one: dict[str, bytes], other: dict[str, bytes]) -> set[str]:
    """Return the files that only one has, or whose bytes differ."""
    return {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}


@pytest.fixture(scope="module")
def cluster(here: Project) -> tuple[Project, Run]:
    """The same on Slurm, with an estimate of the libraries' memory that is too low."""
    path = here.path.with_name("cluster")
    shutil.copytree(here.path, path, symlinks=True, ignore=shutil.ignore_patterns("results", "resources", ".snakemake"))
    needs = path / "scripts/recovery_microglia/jobs/resources.py"
    text = needs.read_text()
    assert '"library": Need(1000,' in text
    needs.write_text(text.replace('"library": Need(1000,', '"library": Need(330,'))
    project = Project(path)
    return project, submitted(project)


def test_slurm_gives_the_same_files_to_the_byte(here: Project, cluster: tuple[Project, Run]) -> None:
    project, run = cluster
    assert run.code == 0, run.out
    assert different(files_of(here), files_of(project)) == set()
    steps = {"simulate", "library", "myeloid", "embedding", "recovery", "timeline", "summary", "report"}
    assert {folder.split("/")[0] for folder in jobs_of(run)} == steps


def test_a_job_killed_for_its_memory_is_tried_again_with_more(cluster: tuple[Project, Run]) -> None:
    tries = {folder: jobs for folder, jobs in jobs_of(cluster[1]).items() if folder.startswith("library/")}
    assert len(tries) == len(LIBRARIES)
    for first, *more in tries.values():
        (state, memory), again = facts_of(first), [facts_of(job) for job in more]
        assert state != "COMPLETED"
        assert again[-1][0] == "COMPLETED"
        # sacct tells mebibytes, rounded down at each attempt
        assert [round(asked / memory) for _, asked in again] == list(range(2, len(again) + 2))


def descendants(process: int) -> Iterator[int]:
    """Yield a process and all below it."""
    yield process
    with contextlib.suppress(subprocess.CalledProcessError):
        for child in said("pgrep", "-P", str(process)).split():
            yield from descendants(int(child))


def kill_node(name: str) -> None:
    """End a node as a power cut does: its daemon, and all that its jobs run."""
    doomed = [int((STATE / f"slurmd-{name}.pid").read_text())]
    for job in said("squeue", "-h", "-t", "R", "-w", name, "-o", "%i").split():
        for step in said("pgrep", "-f", rf"^slurmstepd: \[{job}\.").split():
            doomed += descendants(int(step))
    for process in doomed:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    said("scontrol", "update", f"nodename={name}", "state=down", "reason=test: it died")


@pytest.fixture
def mortal() -> Iterator[str]:
    """A node that a test may kill; it is started again afterwards."""
    if not (STATE / "slurmd-node2.pid").is_file() or os.getuid() != 0:
        pytest.skip(f"only nodes that tests/slurm/start.sh started are killed; none are known at {STATE}")
    yield "node2"
    said("slurmd", "-N", "node2")
    # refused where the node is back already
    subprocess.run(["scontrol", "update", "nodename=node2", "state=resume"], check=False, capture_output=True)


@pytest.mark.long
def test_a_node_that_dies_costs_only_its_jobs(here: Project, mortal: str) -> None:
    before = files_of(here)
    command = [here.path / ".venv/bin/python", "-m", "snakemake", "--profile", "profiles/slurm", *QUICK]
    # two libraries fill a node of 4,000 MB: two run on each
    ask = ["--set-resources", "library:mem_mb=1900*attempt", "--until", "library", "--forcerun", "library"]
    with (here.path / "run.txt").open("w") as out:
        started = subprocess.Popen(
            [*map(str, command), *ask, "--config", "datasets=[tiny]"], cwd=here.path, stdout=out, stderr=out
        )
        try:
            end = time.monotonic() + 120
            while len(said("squeue", "-h", "-t", "R", "-o", "%i").split()) < len(LIBRARIES):
                assert time.monotonic() < end, said("squeue")
                assert started.poll() is None, (here.path / "run.txt").read_text()
                time.sleep(0.5)
            lost = {int(job) for job in said("squeue", "-h", "-t", "R", "-w", mortal, "-o", "%i").split()}
            time.sleep(2)
            kill_node(mortal)
            code = started.wait(timeout=300)
        finally:
            started.kill()
    run = Run(code, (here.path / "run.txt").read_text())
    assert run.code == 0, run.out
    tries = [jobs for folder, jobs in jobs_of(run).items() if folder.startswith("library/")]
    assert len(tries) == len(LIBRARIES)
    assert 0 < len(lost) < len(LIBRARIES)
    assert {jobs[0] for jobs in tries if len(jobs) > 1} == lost
    assert different(before, files_of(here)) == set()
