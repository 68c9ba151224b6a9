"""`pip install .` in a fresh environment: the package is imported, and the command runs the pipeline from an empty folder."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
UV = ROOT / ".tools" / "bin" / "uv"
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a fresh environment with the locked dependencies, from uv's cache, and the wheel."""
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("hatchling is not installed here: no wheel can be built (make setup installs it)")
    if not UV.exists():
        pytest.skip(f"uv is not here ({UV} is absent)")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, folder / "env"], check=True)
    env = {**os.environ, "VIRTUAL_ENV": str(folder / "env")}
    synced = subprocess.run(
        [UV, "pip", "sync", "--offline", "--require-hashes", ROOT / "envs" / "lock.txt"],
        env=env,
        capture_output=True,
        text=True,
    )
    if synced.returncode:
        pytest.skip("uv's cache does not hold the locked packages")
    subprocess.run([UV, "pip", "install", "--quiet", "--offline", "--no-deps", wheel], env=env, check=True)
    return folder / "env" / "bin"


def run(command: list[Path | str], folder: Path) -> str:
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_package_is_imported_with_its_data(installed: Path, tmp_path: Path) -> None:
    code = (
        "import recovery_microglia as rm; a = rm.tl.small_demo(cells=60, libraries=('N1', 'D14_1'));"
        "rm.tl.lineage(a, subject='animal', condition='group', day='dpi', conditions={'SNI': 'injured'});"
        "print(rm.__file__, (a.obs['lineage'] == 'microglia').sum() > 10)"
    )
    said = run([installed / "python", "-W", "ignore", "-c", code], tmp_path).split()
    assert said[-1] == "True"
    assert Path(said[0]).is_relative_to(installed.parent)


def test_a_study_runs_from_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    command = installed / "recovery-microglia"
    assert "Days can be tested against controls" in run([command, "design", "demo"], tmp_path)
    demo, small = tmp_path / "config/datasets/demo", tmp_path / "config/datasets/small"
    shutil.copytree(demo, small)
    facts = yaml.safe_load((demo / "dataset.yaml").read_text())
    facts["simulation"]["cells_per_library"] = 60
    (small / "dataset.yaml").write_text(yaml.safe_dump(facts))
    header, *rows = (demo / "samples.tsv").read_text().splitlines(keepends=True)
    kept = [row for row in rows if row.startswith(("N1", "N2", "D14_1", "D14_2"))]
    (small / "samples.tsv").write_text("".join([header, *kept]))
    said = run([command, "run", "small", "--cores", "2"], tmp_path)
    page = tmp_path / "results/small/report.html"
    assert f"  {page.resolve()}" in said
    assert page.stat().st_size > 100_000
    assert "Nothing to be done" in run([command, "run", "small", "--cores", "2"], tmp_path)
    packed = run([command, "collect"], tmp_path)
    assert "results/small/logs/timeline.log" in packed
    assert "myeloid.h5ad" not in packed
