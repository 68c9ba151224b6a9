"""A copy of the project in a folder whose path has a space, in which the pipeline is run as a user runs it."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

ROOT = Path(__file__).parents[2]
LIBRARIES = [f"{group}_{i}" for group in ("D14", "D35", "S14") for i in (1, 2, 3)] + ["N1", "N2", "N3"]


@dataclass(frozen=True)
class Run:
    """What a command left behind."""

    code: int
    out: str

    @property
    def rules(self) -> dict[str, int]:
        """Jobs by rule, from Snakemake's table of job counts (``all`` and ``default`` left out)."""
        table = re.search(r"^job +count\n-+ +-+\n(.*?)^total", self.out, flags=re.M | re.S)
        rows = [line.split() for line in table.group(1).splitlines()] if table else []
        return {name: int(n) for name, n in rows if name not in ("all", "default")}


@dataclass(frozen=True)
class Project:
    """A copy of the project."""

    path: Path

    def snakemake(self, *arguments: str, datasets: str = "small", start: Path | None = None, **env: str) -> Run:
        """Run ``snakemake`` in the copy (or start it in another folder), by the copy's own ``.venv``."""
        command = [str(self.path / ".venv/bin/python"), "-m", "snakemake", "--cores", "2"]
        done = subprocess.run(
            [*command, *arguments, "--config", f"datasets=[{datasets}]"],
            cwd=start or self.path, capture_output=True, text=True, timeout=900,
            env={key: value for key, value in os.environ.items() if not key.startswith("PYTHON")} | env,
        )  # fmt: skip
        return Run(done.returncode, done.stdout + done.stderr)

    def planned(self, datasets: str = "small") -> dict[str, int]:
        """Return the jobs that a run would do now."""
        run = self.snakemake("--dry-run", datasets=datasets)
        assert run.code == 0, run.out
        return run.rules

    def write(self, name: str, text: str) -> Path:
        """Write a file of the copy; its folder is made."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def results(self, *parts: str) -> Path:
        """Return a path under results/."""
        return self.path.joinpath("results", *parts)


def copy_project(target: Path) -> Project:
    """Copy what git tracks or would track; the environment is linked.

    What numba has compiled comes along (the time of a file, by which numba knows it, is kept): each copy would spend ten
    seconds on it. ``make demo`` in a clone starts without.
    """
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    for compiled in (ROOT / "scripts").rglob("__pycache__/*.nb[ci]"):
        (target / compiled.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(compiled, target / compiled.relative_to(ROOT))
    (target / ".venv").symlink_to(Path(sys.prefix))
    config = target / "config/config.yaml"  # test_drivers.py switches it on
    config.write_text(config.read_text().replace("drivers: true", "drivers: false"))
    return Project(target)


def add_small_demo(
    project: Project, name: str = "small", *, libraries: Sequence[str] = LIBRARIES, cells: int = 260
) -> None:
    """Add a data set: the demo with some of its libraries (half of them) and fewer cells in each."""
    demo = project.path / "config/datasets/demo"
    small = project.path / "config/datasets" / name
    shutil.copytree(demo, small)
    facts = yaml.safe_load((demo / "dataset.yaml").read_text())
    facts["simulation"]["cells_per_library"] = cells
    (small / "dataset.yaml").write_text(yaml.safe_dump(facts))
    sheet = pd.read_csv(demo / "samples.tsv", sep="\t", dtype=str, keep_default_na=False)
    sheet[sheet["library"].isin(libraries)].to_csv(small / "samples.tsv", sep="\t", index=False)


def write_two_matrices(project: Project, folder: str, prefix: str = "") -> None:
    """Write two small libraries, A and B, as dense text."""
    rng = np.random.default_rng(0)
    genes = pd.read_csv(project.path / "config/datasets/demo/simulation/genes.tsv", sep="\t")["gene"]
    (project.path / folder).mkdir()
    for name in "AB":
        counts = pd.DataFrame(rng.poisson(0.8, (len(genes), 120)), index=genes)
        counts.columns = [f"{name}{i}" for i in range(120)]
        counts.to_csv(project.path / folder / f"{prefix}{name}.csv")


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy with the data set ``small``, not run yet."""
    copy = copy_project(tmp_path_factory.mktemp("a path") / "with spaces")
    add_small_demo(copy)
    return copy


@pytest.fixture(scope="session")
def finished(project: Project) -> Project:
    """The same after one run of ``small``."""
    run = project.snakemake()
    assert run.code == 0, run.out
    assert f"  {project.results('small', 'report.html')}" in run.out
    return project
