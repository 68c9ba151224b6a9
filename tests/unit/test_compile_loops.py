"""What set-up compiles is what jobs use."""

import subprocess
import sys

CODE = """
import sys
from importlib import import_module
from pathlib import Path

from numba.core.dispatcher import Dispatcher

sys.path.insert(0, "scripts")
import compile_loops

for part in compile_loops.PARTS:
    part()
ours = sorted(path for path in Path("scripts/recovery_microglia").rglob("*.py") if "@compiled" in path.read_text())
names = [".".join(path.relative_to("scripts").with_suffix("").parts) for path in ours]
for name in [*names, "umap.layouts", "decoupler.mt._mlm"]:
    module = import_module(name)
    loops = [found for found in vars(module).values() if isinstance(found, Dispatcher) and found.py_func.__module__ == name]
    inner = {called for found in loops for called in found.py_func.__code__.co_names}  # compiled with what calls them
    for found in loops:
        function = found.py_func.__name__
        if function not in inner:
            print("called" if found.signatures else "idle", name, function)
"""


def test_every_loop_of_the_project_is_compiled_and_what_others_bring(root) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CODE], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    seen = [line.split() for line in done.stdout.splitlines()]
    ours = [(state, name, function) for state, name, function in seen if name.startswith("recovery_microglia")]
    assert len(ours) >= 10, "the loops are found"
    assert [line for line in ours if line[0] == "idle"] == []
    others = {(name, function) for state, name, function in seen if state == "called"}
    assert ("decoupler.mt._mlm", "_fit") in others
    assert ("umap.layouts", "_optimize_layout_euclidean_single_epoch") in others
