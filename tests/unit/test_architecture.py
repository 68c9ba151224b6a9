"""The house stands as CONTRIBUTING.md draws it."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from recovery_microglia import provenance

FLOORS = {
    1: {
        "errors",
        "batches",
        "checks",
        "costs",
        "deposit",
        "descriptions",
        "genes",
        "kernels",
        "needs",
        "phrases",
        "progress",
        "provenance",
        "samples",
        "sheet",
        "soft",
        "tsv",
        "workplace",
        "catalogue",
    },
    2: {"fetch", "intake", "readers", "simulate", "studies", "truth", "unpack"},
    3: {"calling", "cells", "doublets", "inventory", "lineage", "library"},
    4: {"myeloid", "scores", "ambient", "likelihood", "refine", "states", "calibration", "recovery"},
    5: {
        "design",
        "betabinomial",
        "subjects",
        "secondary",
        "adjusted",
        "paired",
        "correction",
        "onset",
        "timeline",
        "plan",
        "courses",
        "robustness",
        "strata",
        "behaviour",
        "compare",
        "expression",
    },
    6: {"adding", "outputs", "steps", "figures", "report"},
}
FLOOR_OF = {module: floor for floor, modules in FLOORS.items() for module in modules}
CONDA_NAMES = {"python-igraph": "igraph", "python-isal": "isal"}


def imports_of(module: str) -> set[str]:
    return {name for file in provenance._module_files(module) for name in provenance._imports(file)}


def test_every_module_has_a_floor() -> None:
    package = provenance.PACKAGE
    modules = {path.stem for path in package.glob("*.py")} | {p.parent.name for p in package.glob("*/__init__.py")}
    assert modules - {"__init__"} == set(FLOOR_OF)


@pytest.mark.parametrize("module", sorted(FLOOR_OF))
def test_a_module_imports_only_from_its_floor_or_below(module: str) -> None:
    above = {name for name in imports_of(module) if FLOOR_OF[name] > FLOOR_OF[module]}
    assert above == set()


def test_the_science_never_sees_snakemake() -> None:
    pattern = re.compile(r"^\s*(import|from) snakemake\b|\bsnakemake\.(input|output|params)\b", re.MULTILINE)
    assert [p.name for p in provenance.PACKAGE.rglob("*.py") if pattern.search(p.read_text())] == []


def test_adapters_stay_thin(root: Path) -> None:
    for path in (root / "scripts").glob("*.py"):
        lines = [line for line in path.read_text().splitlines() if line.strip() and not line.lstrip().startswith("#")]
        assert len(lines) <= 45, f"{path.name} has {len(lines)} lines; its logic belongs in the package"


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

    assert tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"] == __version__
    assert yaml.safe_load((root / "CITATION.cff").read_text())["version"] == __version__
    assert f"## {__version__}" in (root / "CHANGELOG.md").read_text()


def test_every_trap_names_tests_that_exist(root: Path) -> None:
    rows = [
        line
        for line in (root / "docs/traps.md").read_text(encoding="utf-8").splitlines()
        if re.match(r"\| \d+ \|", line)
    ]
    assert [int(row.split("|")[1]) for row in rows] == list(range(1, 17))
    there = set(
        re.findall(r"^def (test_\w+)", "".join(p.read_text() for p in root.glob("tests/**/test_*.py")), re.MULTILINE)
    )
    for row in rows:
        named = re.findall(r"`(test_\w+)`", row)
        assert named, row
        assert set(named) <= there, set(named) - there
