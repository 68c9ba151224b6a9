"""The small changes of the code: what is changed, who is asked, and that the work tree stays as it is."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import mutation  # noqa: E402

SOURCE = '''"""A module with - in its words."""
LEAST: int | None = 4
FOLD, NAMES = -0.5, ("µ", "b < 1")


def judged(n: int | None, share: float) -> bool:
    """Return n and share or nothing."""
    if n is None or n < LEAST and [n] + [1]:
        return False
    return max(share - 3, 0) >= FOLD
'''


def test_constants_bounds_and_operators_are_changed_and_nothing_else() -> None:
    found = mutation.mutants("module.py", SOURCE.encode())
    assert [(m.line, m.before, m.after) for m in found] == [
        (2, "4", "2"),
        (2, "4", "8"),
        (3, "0.5", "0.25"),
        (3, "0.5", "1.0"),
        (8, "or", "and"),
        (8, "<", "<="),
        (8, "and", "or"),
        (10, "-", "+"),
        (10, "0", "1"),
        (10, ">=", ">"),
    ]
    for mutant in found:
        changed = mutant.written(SOURCE.encode()).decode()
        assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(SOURCE))
        differing = [
            i for i, (a, b) in enumerate(zip(SOURCE.split("\n"), changed.split("\n"), strict=True), 1) if a != b
        ]
        assert differing == [mutant.line]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a room, whose inner module is reached through the room's door only."""
    files = {
        "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["scripts"]\n',
        "scripts/recovery_microglia/__init__.py": "",
        "scripts/recovery_microglia/room/__init__.py": "from recovery_microglia.room.door import enough\n",
        "scripts/recovery_microglia/room/door.py": "from recovery_microglia.room.inner import LEAST\n\n\n"
        "def enough(n):\n    return n >= LEAST\n",
        "scripts/recovery_microglia/room/inner.py": "LEAST = 4\n",
        "scripts/recovery_microglia/alone.py": "SIZE = 3\n",
        "tests/unit/room/test_door.py": "from recovery_microglia.room import enough\n\n\n"
        "def test_five_are_enough():\n    assert enough(5) and not enough(1)\n",
        "tests/unit/test_alone.py": "import recovery_microglia.alone\n\n\ndef test_nothing():\n    pass\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    monkeypatch.setattr(mutation, "ROOT", tmp_path)
    monkeypatch.setattr(mutation, "PACKAGE", tmp_path / "scripts" / "recovery_microglia")
    monkeypatch.setattr(mutation, "TESTS", tmp_path / "tests" / "unit")
    monkeypatch.setitem(mutation.ENVIRONMENT, "PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # seconds for each start
    return tmp_path


def test_a_module_is_judged_by_its_own_tests_and_by_those_of_who_imports_it(project: Path) -> None:
    package = project / "scripts" / "recovery_microglia"
    assert mutation.tests_of(package / "alone.py") == ["tests/unit/test_alone.py"]
    for name in ("door", "inner"):  # nobody tests the inner module itself
        assert mutation.tests_of(package / "room" / f"{name}.py") == ["tests/unit/room/test_door.py"]


def test_what_no_test_notices_survives_and_the_work_tree_stays(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {file: file.read_bytes() for file in project.rglob("*.py")}
    monkeypatch.setattr(sys, "argv", ["mutation.py", "room", "alone"])
    mutation.main()
    # five pass from 2 on as from 4 on, and nobody asks four themselves; nothing looks at SIZE
    assert [line.split("recovery_microglia/")[-1] for line in capsys.readouterr().out.splitlines()] == [
        "alone.py:1:8  3 -> 1  in  SIZE = 3",
        "alone.py:1:8  3 -> 6  in  SIZE = 3",
        "room/door.py:5:14  >= -> >  in  return n >= LEAST",
        "room/inner.py:1:9  4 -> 2  in  LEAST = 4",
        "1 of 5 mutants killed (20%); 5 in all",
    ]
    assert {file: file.read_bytes() for file in project.rglob("*.py")} == before
