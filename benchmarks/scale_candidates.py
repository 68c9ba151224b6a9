"""What was tried for each heavy step, each in a fresh process, for `scale.py`.

A candidate that is not installed is left out. CPU seconds without imports; the peak is that of the whole process.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

BEFORE = """
import sys, time, re
from pathlib import Path
sys.path.insert(0, {scripts!r})
path = Path({path!r})
import numpy as np
"""
AFTER = """
cpu = time.process_time() - start
import json
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1000
print(json.dumps([cpu, peak]))
"""
POINTS = """
rng = np.random.default_rng(1)
points = (rng.normal(size=(30_000, 20)) * np.linspace(4, 1, 20) + 6 * rng.integers(0, 4, (30_000, 1))).astype("f4")
k = 150
"""
OURS = (
    POINTS
    + "from recovery_microglia.library.doublets import _simulated_neighbours\n_simulated_neighbours(points[:500], 250, 20)"
)
CANDIDATES: dict[str, dict[str, tuple[str, str]]] = {
    "unzip": {
        "gzip (standard library)": ("import gzip", "with gzip.open(path) as s:\n    while s.read(1 << 22): pass"),
        "zlib-ng": ("from zlib_ng import gzip_ng", "with gzip_ng.open(path) as s:\n    while s.read(1 << 22): pass"),
        "rapidgzip, one thread": (
            "import rapidgzip",
            "with rapidgzip.open(str(path), parallelization=1) as s:\n    while s.read(1 << 22): pass",
        ),
        "isal (used)": ("from isal import igzip", "with igzip.open(path) as s:\n    while s.read(1 << 22): pass"),
    },
    "unzip and parse": {
        "scanpy.read_10x_mtx": ("import scanpy", "scanpy.read_10x_mtx(path.parent)"),
        "pandas, C engine, gzip": (
            "import pandas",
            "pandas.read_csv(path, sep=' ', skiprows=3, header=None, dtype='int32')",
        ),
        "pyarrow.csv on isal": (
            "from pyarrow import csv; from isal import igzip",
            "with igzip.open(path) as s:\n    csv.read_csv(s, csv.ReadOptions(skip_rows=3, column_names=['g', 'c', 'n'], use_threads=False),"
            " csv.ParseOptions(delimiter=' '))",
        ),
        "scipy.io.mmread on isal": (
            "from scipy.io import mmread; from isal import igzip",
            "with igzip.open(path) as s:\n    mmread(s, spmatrix=True).tocsc()",
        ),
        "compiled loop on isal (used)": (
            "from recovery_microglia.readers.matrix_market import read_entries\nread_entries({tiny})",
            "read_entries(path)",
        ),
    },
    "neighbours of doublets (30,000 points, 20 axes, k = 150)": {
        "numpy argpartition": (
            POINTS,
            "norm = (points ** 2).sum(1)\nfor a in range(0, len(points), 600):\n"
            "    np.argpartition(norm - 2 * points[a:a + 600] @ points.T, k, axis=1)[:, :k]",
        ),
        "scikit-learn, brute": (
            POINTS + "from sklearn.neighbors import NearestNeighbors",
            "NearestNeighbors(n_neighbors=k, algorithm='brute').fit(points).kneighbors(points)",
        ),
        "scikit-learn, k-d tree": (
            POINTS + "from sklearn.neighbors import NearestNeighbors",
            "NearestNeighbors(n_neighbors=k, algorithm='kd_tree').fit(points).kneighbors(points)",
        ),
        "pynndescent (approximate)": (
            POINTS + "from pynndescent import NNDescent",
            "NNDescent(points, n_neighbors=k, random_state=1).neighbor_graph",
        ),
        "bound from a sample, compiled (used up to 20,000 points)": (
            OURS,
            "_simulated_neighbours(points, 15_000, k, exact_up_to=10**6)",
        ),
        "the same, in the nearest groups (used above)": (
            OURS,
            "_simulated_neighbours(points, 15_000, k)",
        ),
    },
}


def measured(path: Path, tiny: Path) -> list[dict[str, object]]:
    """Return one row a candidate, measured on a matrix.mtx.gz; ``tiny`` is a small one, read first to compile."""
    rows: list[dict[str, object]] = []
    for task, candidates in CANDIDATES.items():
        for name, (imports, call) in candidates.items():
            code = BEFORE.format(scripts=str(ROOT / "scripts"), path=str(path))
            code += imports.replace("{tiny}", f"Path({str(tiny)!r})") + "\nstart = time.process_time()\n" + call + AFTER
            done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)
            if done.returncode:
                reason = re.search(r"\w*Error: .*", done.stderr)
                print(f"{task}: {name}: left out ({reason[0] if reason else 'failed'})")
                continue
            cpu, peak = json.loads(done.stdout.splitlines()[-1])
            rows.append({"task": task, "candidate": name, "CPU s": cpu, "peak MB": peak})
            print(f"{task}: {name}: {cpu:.1f} s, {peak:.0f} MB", flush=True)
    return rows
