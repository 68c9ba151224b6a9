"""What numba has compiled is kept for the next process, whatever becomes of the files."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

MODULE = """
import numba
twice = numba.njit(lambda x: 2 * x)

@numba.njit("i8(i8)", parallel=True)
def thrice(x):
    return 3 * x
"""
PROCESS = """
from numba.core import event
from recovery_microglia.core.compiled import compiled, kept_compilations
compiled_now = []

class Listener(event.Listener):
    def on_start(self, e):
        compiled_now.append(e.data["dispatcher"].py_func.__name__)

    def on_end(self, e):
        pass

event.register("numba:compile", Listener())
import numba
before = numba.njit
with kept_compilations():
    from foreign import thrice, twice
assert numba.njit is before
from own import square
print(twice(2), twice(1.5), thrice(2), square(3), *sorted(set(compiled_now) - {"<lambda>"}), *["lambda"] * ("<lambda>" in compiled_now))
"""
OWN = "from recovery_microglia.core.compiled import compiled\n@compiled\ndef square(x):\n    return x * x\n"
ALL = "4 3.0 6 9 square thrice lambda"
NONE = "4 3.0 6 9"


@pytest.fixture
def said(tmp_path: Path, root: Path) -> Callable[[], str]:
    (tmp_path / "foreign.py").write_text(MODULE)
    (tmp_path / "own.py").write_text(OWN)
    env = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA")}
    env |= {"PYTHONPATH": f"{root / 'scripts'}:{tmp_path}", "NUMBA_CACHE_DIR": str(tmp_path / "kept")}

    def process() -> str:
        done = subprocess.run([sys.executable, "-c", PROCESS], env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return process


def files(folder: Path) -> list[Path]:
    return [path for path in (folder / "kept").rglob("*") if path.suffix in (".nbi", ".nbc")]


def test_the_next_process_compiles_nothing(said: Callable[[], str], tmp_path: Path) -> None:
    assert said() == ALL
    assert said() == NONE
    assert len(files(tmp_path)) == 3 + 4  # an index a function, and a file for each type of arguments


@pytest.mark.parametrize(("kind", "part"), [(".nbi", 0), (".nbi", 0.5), (".nbc", 0.5)])
def test_half_written_files_are_compiled_anew_and_replaced(
    said: Callable[[], str], tmp_path: Path, kind: str, part: float
) -> None:
    said()
    for path in files(tmp_path):
        if path.suffix == kind:
            path.write_bytes(path.read_bytes()[: int(part * path.stat().st_size)])
    assert said() == ALL
    assert said() == NONE


def test_a_file_that_another_process_wrote_over_is_not_used(said: Callable[[], str], tmp_path: Path) -> None:
    """Two processes that compile for other types at the same time may give both files one name."""
    said()
    whole, real = sorted(path for path in files(tmp_path) if path.suffix == ".nbc" and "lambda" in path.name)
    real.write_bytes(whole.read_bytes())
    assert said().startswith("4 3.0 6 9")
