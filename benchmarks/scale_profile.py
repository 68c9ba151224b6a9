"""Where the time of one library's job goes, for `scale.py`: CPU seconds of its steps in a fresh process, compiled before."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STEPS = {
    "unzip and parse": ("readers.feature_lists", "read_entries"),
    "names and genes": ("readers.any_layout", "read_counts"),
    "quality control": ("library.process", "cell_metrics"),
    "doublets: neighbours": ("library.doublets", "_simulated_neighbours"),
    "doublets: the rest": ("library.process", "_flag_doublets"),
    "lineage: profiles and posteriors": ("library.lineage.gate", "_learn"),
    "lineage: mixtures": ("library.lineage.gate", "mixture_gain"),
    "lineage: the rest": ("library.process", "assign_lineage"),
    "write": ("library.process", "write_library"),
}
"""Step to module and function."""
WITHIN = {  # what a step holds of others is taken off it
    "names and genes": ["unzip and parse"],
    "doublets: the rest": ["doublets: neighbours"],
    "lineage: the rest": ["lineage: profiles and posteriors", "lineage: mixtures"],
}
JOB = """
import sys, time, json, re, tempfile, importlib
from pathlib import Path
start = time.process_time()
sys.path.insert(0, sys.argv[1])
from recovery_microglia.readers import any_layout
from recovery_microglia.library import process as library
from recovery_microglia.library.settings import CellSettings
from recovery_microglia.core.genes import load_signatures
took = {"imports": time.process_time() - start}
def timed(step, module, name):
    module = importlib.import_module(f"recovery_microglia.{module}")
    function = getattr(module, name)
    def wrapped(*args, **kwargs):
        before = time.process_time()
        try:
            return function(*args, **kwargs)
        finally:
            took[step] = took.get(step, 0) + time.process_time() - before
    setattr(module, name, wrapped)
for step, (module, name) in json.loads(sys.argv[3]).items():
    timed(step, module, name)
counts = any_layout.read_counts(Path(sys.argv[2]))
facts = {"library": "L001", "sex": "", "sort": "none", "droplets": "auto", "injury_class": "peripheral_nerve"}
found = library.process_library(counts, facts, load_signatures(Path(sys.argv[4])), CellSettings(), seed=1)
with tempfile.TemporaryDirectory() as folder:
    library.write_library(found, *(Path(folder) / name for name in ("c.parquet", "m.h5ad", "s.parquet")))
took["all"] = time.process_time() - start
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1000
print(json.dumps([took, peak]))
"""


def profiled(folder: Path, tiny: Path) -> list[dict[str, object]]:
    """Return one row a step of the job of the library in a folder; ``tiny`` is a small one, taken first to compile."""
    wrapped = json.dumps(STEPS)
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }  # as Snakemake gives a job its one core
    for source in (tiny, folder):
        command = [sys.executable, "-W", "ignore", "-c", JOB, str(ROOT / "scripts"), str(source), wrapped]
        done = subprocess.run(
            [*command, str(ROOT / "config/signatures")], check=True, capture_output=True, text=True, env=environment
        )
    took, peak = json.loads(done.stdout.splitlines()[-1])
    for step, parts in WITHIN.items():
        took[step] -= sum(took[part] for part in parts)
    steps = ["imports", *STEPS]
    rows: list[dict[str, object]] = [{"step": step, "CPU s": took[step]} for step in steps]
    rows.append({"step": "else", "CPU s": took["all"] - sum(took[step] for step in steps)})
    rows.append({"step": "**all**", "CPU s": took["all"]})
    print(f"one library: {took['all']:.1f} CPU s, {peak:.0f} MB", flush=True)
    return [*rows, {"step": "peak, MB", "CPU s": peak}]
