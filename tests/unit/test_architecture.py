"""The house stands as CONTRIBUTING.md draws it."""

import re
import tomllib
from pathlib import Path

import yaml

from recovery_microglia.jobs.code_digest import PACKAGE, SCRIPTS

CONDA_NAMES = {"python-igraph": "igraph", "python-isal": "isal"}


def test_the_science_never_sees_snakemake() -> None:
    pattern = re.compile(r"^\s*(import|from) snakemake\b|\bsnakemake\.(input|output|params)\b", re.MULTILINE)
    assert [p.name for p in (SCRIPTS / PACKAGE).rglob("*.py") if pattern.search(p.read_text())] == []


def test_adapters_stay_thin(root: Path) -> None:
    tools = {"check.py", "check_words.py", "compile_loops.py"}  # of the project, not of a rule or a user
    for path in (path for path in (root / "scripts").glob("*.py") if path.name not in tools):
        lines = [line for line in path.read_text().splitlines() if line.strip()]
        assert len(lines) <= 40, f"{path.name} has {len(lines)} lines; its logic belongs in the package"


def _requirement(text: str) -> tuple[str, str]:
    match = re.match(r"([A-Za-z0-9_.-]+?)\s*([<>=!~].*)?$", text)
    assert match, text
    return match[1], match[2] or ""


def test_conda_environment_agrees_with_pyproject(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    pip = dict(_requirement(text) for text in project["dependencies"])
    listed = yaml.safe_load((root / "envs" / "environment.yaml").read_text())["dependencies"]
    conda = {CONDA_NAMES.get(name, name): version for name, version in map(_requirement, listed)}
    assert conda.pop("python") == project["requires-python"]
    assert conda == pip


def test_lock_has_hashes_and_no_addresses(root: Path) -> None:
    for name in ("lock.txt", "uv.txt"):
        text = (root / "envs" / name).read_text()
        assert "--hash=sha256:" in text
        assert not re.search(r"https?://|index-url|find-links", text)


def test_version_is_the_same_everywhere(root: Path) -> None:
    from recovery_microglia import __version__

    assert tomllib.loads((root / "pyproject.toml").read_text())["project"]["dynamic"] == ["version"]  # read from there
    assert yaml.safe_load((root / "CITATION.cff").read_text())["version"] == __version__
    assert f"## {__version__}" in (root / "CHANGELOG.md").read_text()


def test_every_trap_names_tests_that_exist(root: Path) -> None:
    rows = [
        line
        for line in (root / "docs/traps.md").read_text(encoding="utf-8").splitlines()
        if re.match(r"\| \d+ \|", line)
    ]
    assert [int(row.split("|")[1]) for row in rows] == list(range(1, 20))
    there = set(
        re.findall(r"^def (test_\w+)", "".join(p.read_text() for p in root.glob("tests/**/test_*.py")), re.MULTILINE)
    )
    for row in rows:
        named = re.findall(r"`(test_\w+)`", row)
        assert named, row
        assert set(named) <= there, set(named) - there


def test_a_wheel_carries_every_script_that_a_rule_names(root: Path) -> None:
    hatch = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    carried = {name.removeprefix("scripts/") for name in hatch["force-include"] if name.startswith("scripts/")}
    rules = "".join(path.read_text() for path in (root / "workflow" / "rules").glob("*.smk"))
    assert carried == set(re.findall(r'"../../scripts/(\w+\.py)"', rules))
    assert all(to == f"recovery_microglia/project/{name}" for name, to in hatch["force-include"].items())
