"""How time and memory grow with the number of cells, beside stock scanpy and the floor of reading.

    python benchmarks/scale.py --cells 10000 100000 [--per-library 25000] [--no-stock] [--candidates] [--approximations] [--split 500000] [--docs]

Simulated 10x libraries (`scale_data.py`, kept under /tmp/recovery-microglia-scale) run end to end from their files to the
report by ``snakemake`` in a fresh copy of the project after set-up; beside it, in the same run, the stock workflow
(`scale_stock.py`) and the floor: unzipping and parsing all files with the best reader. ``--split`` takes single files of
so many cells apart (`scale_split.py`). ``--docs`` keeps what was measured in
docs/performance.json, one entry a size, and writes the tables and the figure of docs/performance.md from it.
"""

import argparse
import json
import os
import platform
import re
import resource
import shlex
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "benchmarks")]

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from pages import DOCS, markdown, write_below  # noqa: E402
from scale_approximations import libraries_measured, pool_measured, tables  # noqa: E402
from scale_candidates import measured as candidates_measured  # noqa: E402
from scale_data import CACHE, made  # noqa: E402
from scale_profile import profiled  # noqa: E402
from scale_split import KINDS, split_measured  # noqa: E402

MARK = "<!-- measured by benchmarks/scale.py -->"
RECORD = DOCS / "performance.json"
PACKAGES = ("scanpy", "anndata", "numpy", "scipy", "numba", "isal", "snakemake", "umap-learn", "pynndescent")
JOB = re.compile(r"\.snakemake/scripts/[^/]*\.(\w+)\.py")
FLOOR = """
import sys, time, json
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from recovery_microglia import library
from recovery_microglia.readers.matrix_market import read_entries
imports = time.process_time()
read_entries(Path(sys.argv[3]))
wall, cpu = time.perf_counter(), time.process_time()
read_entries(Path(sys.argv[2]))
print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu, imports]))
"""
"""Reads a file after a tiny one, for which all is compiled: as a job does, but for the imports, which are told apart."""


class Watch(threading.Thread):
    """Notes CPU seconds and peak memory of each job of a running Snakemake, ten times a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.root, self.over = psutil.Process(pid), threading.Event()
        self.jobs: dict[tuple[int, float], dict[str, Any]] = {}

    def run(self) -> None:
        """Look until it is over."""
        while not self.over.wait(0.1):
            for process in [self.root, *self._children()]:
                try:
                    self._note(process)
                except (psutil.Error, OSError):
                    continue  # it has ended

    def _children(self) -> list[psutil.Process]:
        try:
            return list(self.root.children(recursive=True))
        except psutil.Error:
            return []

    def _note(self, process: psutil.Process) -> None:
        command = " ".join(process.cmdline())
        name = ""
        if process == self.root:
            name = "snakemake itself"
        elif "ready_process import" in command:
            name = "imports, once" if process.name().startswith("python") else process.name()
        elif "ready_client" not in command and (match := JOB.search(command)):
            name = match[1]
        if not name:
            return
        times = process.cpu_times()
        peak = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())
        self.jobs[process.pid, process.create_time()] = {
            "stage": name,
            "cpu": times.user + times.system,
            "wall": time.time() - process.create_time(),
            "peak": int(peak[1]) / 1000 if peak else float("nan"),
        }


def project_copy() -> Path:
    """Return a fresh copy of what git tracks, without results and without compiled code."""
    copy = CACHE / "project"
    shutil.rmtree(copy, ignore_errors=True)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    (copy / ".venv").symlink_to(Path(sys.prefix))
    return copy


def cpu_of_children() -> float:
    """Return the CPU seconds of all processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def compiled_at_set_up(copy: Path, environment: dict[str, str]) -> float:
    """Compile what set-up compiles; return its CPU seconds."""
    before = cpu_of_children()
    command = [str(copy / ".venv/bin/python"), "-W", "ignore", "scripts/compile_loops.py"]
    subprocess.run(command, cwd=copy, env=environment, check=True)
    return cpu_of_children() - before


def ours(data: Path, cores: int, *, drivers: bool) -> dict[str, Any]:
    """Run the pipeline; return wall and CPU seconds, and one row a stage.

    Without `drivers` as the stock workflow, which tests no genes between animals: some ten thousand of them take as long as all else.
    """
    copy = project_copy()
    shutil.copytree(data / "entry", copy / "config/datasets/scale")
    command = [str(copy / ".venv/bin/python"), "-m", "snakemake", "--cores", str(cores), "--config"]
    command += ["datasets=[scale]", f"drivers={drivers}"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    # of libraries too: .venv holds what earlier runs compiled
    environment["NUMBA_CACHE_DIR"] = str(copy / "compiled")
    compiling = compiled_at_set_up(copy, environment)
    before, start = cpu_of_children(), time.perf_counter()
    with (CACHE / "snakemake.log").open("w") as log:
        process = subprocess.Popen(command, cwd=copy, env=environment, stdout=log, stderr=log)
        watch = Watch(process.pid)
        watch.start()
        code = process.wait()
        watch.over.set()
        watch.join()
    wall, cpu = time.perf_counter() - start, cpu_of_children() - before
    if code:
        raise SystemExit(f"snakemake failed; see {CACHE / 'snakemake.log'}")
    jobs = pd.DataFrame(watch.jobs.values())
    stages = jobs.groupby("stage", sort=False).agg(
        jobs=("cpu", "size"), wall=("wall", "sum"), cpu=("cpu", "sum"), largest_cpu=("cpu", "max"), peak=("peak", "max")
    )
    answer = json.loads((copy / "results/scale/summary.json").read_text())
    print(f"kept cells: {json.dumps(answer.get('totals', {}))[:300]}")
    return {
        "wall": wall,
        "cpu": cpu,
        "peak": float(jobs["peak"].max()),
        "compiling": compiling,
        "stages": stages.reset_index().to_dict("records"),
    }


def floor(data: Path, cores: int) -> dict[str, float]:
    """Return the seconds that unzipping and parsing all files takes, each in a process of its own as the jobs are.

    As many at once as there are cores, since jobs that share memory's bandwidth slow each other down; ``wall`` is what
    they take one after the other on one core, ``imports`` what importing takes before.
    """
    tiny = made(400, 100) / "counts/L001/matrix.mtx.gz"
    command = [sys.executable, "-W", "ignore", "-c", FLOOR, str(ROOT / "scripts")]

    def read(file: Path) -> list[float]:
        done = subprocess.run([*command, str(file), str(tiny)], check=True, capture_output=True, text=True)
        took: list[float] = json.loads(done.stdout)
        return took

    with ThreadPoolExecutor(cores) as pool:
        took = np.array(list(pool.map(read, sorted((data / "counts").glob("*/matrix.mtx.gz")))))
    return dict(zip(("wall", "cpu", "imports"), took.sum(axis=0).tolist(), strict=True))


def stock(data: Path) -> dict[str, Any]:
    """Run the stock workflow; return wall and CPU seconds, peak memory and its stages."""
    out = CACHE / "stock.json"
    start = time.perf_counter()
    before = cpu_of_children()
    command = [sys.executable, str(ROOT / "benchmarks/scale_stock.py"), str(data / "counts"), str(out)]
    subprocess.run(command, check=True)
    cpu = cpu_of_children() - before
    stages = json.loads(out.read_text())
    peak = max(stage["peak"] for stage in stages.values())
    return {"wall": time.perf_counter() - start, "cpu": cpu, "peak": peak, "stages": stages}


def git(*words: str) -> str:
    """Return what git says, empty where this is no clone."""
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def machine() -> dict[str, str]:
    """Return what it was measured on, and by which command."""
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = re.search(r"model name\s*: (.*)", text)
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)
    memory = psutil.virtual_memory().total / 2**30
    return {
        "machine": f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}",
        "versions": f"Python {platform.python_version()}, {versions}",
        "load": f"{os.getloadavg()[0]:.1f}",
        "commit": git("rev-parse", "--short", "HEAD")
        + ("+" if git("status", "--porcelain", "scripts", "workflow") else ""),
        "date": time.strftime("%Y-%m-%d"),
        "command": shlex.join(["python", "benchmarks/scale.py", *sys.argv[1:]]),
    }


def measure(cells: int, per_library: int, cores: int, *, with_stock: bool, drivers: bool) -> dict[str, Any]:
    """Return everything that is measured of one size."""
    size = min(per_library, max(cells // 4, 1))
    data = made(cells, size)
    print(f"{cells:,} cells in libraries of {size:,}", flush=True)
    found: dict[str, Any] = {"cells": cells, "libraries": -(-cells // size), "cores": cores, **machine()}
    found["floor"] = floor(data, cores)
    found["ours"] = ours(data, cores, drivers=drivers)
    if with_stock:
        found["stock"] = stock(data)
    return found


# ---------------------------------------------------------------- tables


def _without_doublets(stock: dict[str, Any] | None, what: str) -> float:
    """Return the seconds of the stock workflow but for Scrublet, which takes most of them in large libraries."""
    if not stock:
        return float("nan")
    return float(stock[what] - stock["stages"].get("doublets", {}).get(what, 0.0))


def overview(record: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """Return one row a size: seconds, memory, ratios to stock and to the floor, exponent of growth."""
    rows, before = [], None
    for one in sorted(record.values(), key=lambda entry: entry["cells"]):
        mine, other = one["ours"], one.get("stock")
        library = sum(stage["cpu"] for stage in mine["stages"] if stage["stage"] == "library")
        imports = one["floor"].get("imports", np.nan)  # of figures kept from before they were told apart
        grown = np.nan
        if before:
            grown = np.log(mine["cpu"] / before["ours"]["cpu"]) / np.log(one["cells"] / before["cells"])
        rows.append(
            {
                "cells": f"{one['cells']:,}",
                "libraries": f"{one['libraries']}",
                "wall s": mine["wall"],
                "CPU s": mine["cpu"],
                "peak of a job, MB": mine["peak"],
                "stock wall s": other["wall"] if other else np.nan,
                "stock CPU s": other["cpu"] if other else np.nan,
                "stock peak, MB": other["peak"] if other else np.nan,
                "stock / ours, wall": other["wall"] / mine["wall"] if other else np.nan,
                "stock / ours, CPU": other["cpu"] / mine["cpu"] if other else np.nan,
                "stock without doublets / ours with them, wall": _without_doublets(other, "wall") / mine["wall"],
                "stock without doublets / ours with them, CPU": _without_doublets(other, "cpu") / mine["cpu"],
                "stock / ours, memory": other["peak"] / mine["peak"] if other else np.nan,
                "floor, CPU s": one["floor"]["cpu"],
                "imports of as many processes, CPU s": imports,
                "compiled at set-up before, CPU s": mine.get("compiling", np.nan),  # figures kept from before hold it
                "library jobs / floor": library / one["floor"]["cpu"],
                "library jobs without imports / floor": (library - imports) / one["floor"]["cpu"],
                "exponent": grown,
            }
        )
        before = one
    return pd.DataFrame(rows).set_index("cells").T.rename_axis("")


def stages_table(one: dict[str, Any]) -> pd.DataFrame:
    """Return one row a stage of a size."""
    table = pd.DataFrame(one["ours"]["stages"]).set_index("stage")
    return table.set_axis(["jobs", "wall s", "CPU s", "largest job, CPU s", "peak of a job, MB"], axis=1)


def stock_table(one: dict[str, Any]) -> pd.DataFrame:
    """Return one row a stage of the stock workflow."""
    table = pd.DataFrame(one["stock"]["stages"]).T.rename_axis("stage")
    return table.set_axis(["wall s", "CPU s", "peak so far, MB"], axis=1)


def figure(record: dict[str, dict[str, Any]], path: Path) -> None:
    """Draw time and memory against cells, ours and stock."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    sizes = sorted(record.values(), key=lambda entry: entry["cells"])
    drawing, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for axis, key, title in ((axes[0], "wall", "seconds, end to end"), (axes[1], "peak", "MB, largest process")):
        for name, colour, word in (("ours", "#0072B2", "this pipeline"), ("stock", "#D55E00", "stock scanpy")):
            points = [(one["cells"], one[name][key]) for one in sizes if name in one]
            if points:
                axis.plot(*zip(*points, strict=True), "o-", color=colour, label=word)
        if key == "wall":
            floors = [(one["cells"], one["floor"]["wall"]) for one in sizes]
            axis.plot(*zip(*floors, strict=True), "s--", color="#666666", label="reading alone (one core)")
        axis.set(xscale="log", yscale="log", xlabel="cells", title=title)
        axis.legend(frameon=False)
    drawing.savefig(path, dpi=110)


def written(record: dict[str, Any]) -> str:
    """Return the tables of the page."""
    sizes: dict[str, dict[str, Any]] = record["sizes"]
    parts = ["![Seconds and memory against cells](performance.png)", "## By size", markdown(overview(sizes), ".1f")]
    for one in sorted(sizes.values(), key=lambda entry: entry["cells"]):
        parts += [
            f"## {one['cells']:,} cells, stage by stage",
            f"`{one['command']}`, {one['date']}, commit {one['commit']}, load {one['load']} before it began. {one['machine']}; {one['versions']}.",
            markdown(stages_table(one), ".1f"),
        ]
        if "stock" in one:
            parts += ["Stock:", markdown(stock_table(one), ".1f")]
    if record.get("split"):
        table = pd.DataFrame(record["split"]["rows"]).set_index("file")
        said = f"`{record['split']['command']}`, {record['split']['date']}; CPU seconds without imports."
        parts += ["## Single files taken apart", said, markdown(table, ".1f")]
    if record.get("approximations"):
        one = record["approximations"]
        said = f"`{one['command']}`, {one['date']}, commit {one['commit']}."
        parts += ["## What is given up for speed", said, *(markdown(table, ".3f") for table in tables(one))]
    if record.get("candidates"):
        table = pd.DataFrame(record["candidates"]["rows"]).set_index("task")
        said = f"One library of {record['candidates']['cells']:,} cells; {record['candidates']['date']}."
        if record["candidates"].get("steps"):
            steps = pd.DataFrame(record["candidates"]["steps"]).set_index("step")
            parts += ["## One library, step by step", said, markdown(steps, ".1f")]
        parts += ["## Candidates", said, markdown(table, ".1f")]
    return "\n\n".join(parts)


def main() -> int:
    """Measure, print, and keep if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", nargs="*", type=int, default=[10_000])
    parser.add_argument("--per-library", type=int, default=25_000, help="at most a quarter of the cells")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument(
        "--drivers", action="store_true", help="with the genes, activities and signals that are associated"
    )
    parser.add_argument("--no-stock", action="store_true", help="leave the stock workflow out (it needs the memory)")
    parser.add_argument(
        "--candidates",
        action="store_true",
        help="measure one library step by step, and the candidates for its heavy steps",
    )
    parser.add_argument(
        "--approximations",
        nargs="*",
        type=Path,
        metavar="CLUSTERED",
        help="compare with the exact way: two libraries, and the stability of clusters of a clustered.h5ad if one is named",
    )
    parser.add_argument(
        "--split", type=int, default=0, metavar="CELLS", help="take single files of so many cells apart"
    )
    parser.add_argument("--split-kinds", nargs="*", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--docs", action="store_true", help="keep the figures and write docs/performance.md from them")
    asked = parser.parse_args()
    record: dict[str, Any] = {"sizes": {}, "candidates": None}
    if asked.docs and RECORD.exists():
        record = json.loads(RECORD.read_text(encoding="utf-8"))
    for cells in asked.cells:
        record["sizes"][str(cells)] = measure(
            cells, asked.per_library, asked.cores, with_stock=not asked.no_stock, drivers=asked.drivers
        )
    if asked.candidates:
        data, tiny = made(asked.per_library, asked.per_library), made(400, 100)
        rows = candidates_measured(data / "counts/L001/matrix.mtx.gz", tiny / "counts/L001/matrix.mtx.gz")
        steps = profiled(data / "counts/L001", tiny / "counts/L001")
        record["candidates"] = {"rows": rows, "steps": steps, "cells": asked.per_library, **machine()}
    if asked.approximations is not None:
        told = {"libraries": libraries_measured(asked.per_library)}
        for path in asked.approximations[:1]:
            told["pool"] = pool_measured(path)
        record["approximations"] = {**(record.get("approximations") or {}), **told, **machine()}
    if asked.split:
        new = split_measured(asked.split, asked.split_kinds)
        by_file = {(row["file"], row["cells"]): row for row in [*(record.get("split") or {"rows": []})["rows"], *new]}
        record["split"] = {"rows": list(by_file.values()), **machine()}
    text = written(record)
    print(text)
    if asked.docs:
        RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        figure(record["sizes"], DOCS / "performance.png")
        write_below("performance.md", MARK, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
