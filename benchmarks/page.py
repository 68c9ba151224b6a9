"""How large a page is, how long it takes to write and to open, by the number of myeloid cells.

    python benchmarks/page.py [--cells 5000 100000] [--docs]

Made-up data: 24 animals of two sexes, every table of a full run, 21 genes. Opened in headless Chromium from disk with a fresh
profile each time; ``first paint`` and ``load`` are the browser's own clock (navigation timing), ``map drawn`` is until the map of
the cells stands after scrolling to it. The bounds of the project: 100,000 cells open in under 2 s, in under 8 MB.
"""

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests"), str(ROOT / "benchmarks")]

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from pages import markdown, write_below  # noqa: E402

from browser.chromium import Opened, chromium, executable  # noqa: E402
from made_up.cells import embedded_cells, gene_counts  # noqa: E402
from made_up.genes import CONTEXT, SIGNATURE  # noqa: E402
from made_up.sets import a_tested_set  # noqa: E402
from recovery_microglia.report import ReportInputs, write_report  # noqa: E402

MARK = "<!-- measured by benchmarks/page.py -->"
TIMES = """() => { const n = performance.getEntriesByType("navigation")[0], p = performance.getEntriesByName("first-contentful-paint")[0];
  return [p ? p.startTime : NaN, n.loadEventEnd]; }"""


def inputs_of(n_cells: int) -> ReportInputs:
    """Return a made-up data set with so many myeloid cells."""
    small = a_tested_set()
    samples, rng = small.table("samples"), np.random.default_rng(1)
    cells = embedded_cells(samples, rng, per_library=int(np.ceil(n_cells / len(samples))), called=True).head(n_cells)
    return ReportInputs(small.summary, small.tables, cells, gene_counts(cells, [*SIGNATURE, *CONTEXT], rng))


def opening(path: Path) -> tuple[float, float, float]:
    """Return milliseconds to the first paint, to the end of loading, and to the map after scrolling to it."""
    with chromium() as browser:
        opened = Opened(browser, path)
        first, loaded = opened.page.evaluate(TIMES)
        start = time.perf_counter()
        opened.page.locator(".cellmap").scroll_into_view_if_needed()
        opened.page.wait_for_selector(".cellmap[data-drawn]")
        return first, loaded, 1000 * (time.perf_counter() - start)


def measured(n_cells: int, repeats: int) -> dict[str, float | int]:
    """Return one row of the table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.html"
        inputs = inputs_of(n_cells)
        start = time.process_time()
        write_report(inputs, path)
        written = time.process_time() - start
        first, loaded, drawn = (median(values) for values in zip(*(opening(path) for _ in range(repeats)), strict=True))
        return {
            "myeloid cells": n_cells,
            "page, MB": path.stat().st_size / 1e6,
            "written, CPU s": written,
            "first paint, s": first / 1000,
            "load, s": loaded / 1000,
            "map drawn, s": drawn / 1000,
            "peak memory, GB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
        }


def main() -> int:
    """Measure, print, and say whether the bounds hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", nargs="+", type=int, default=[5_000, 100_000])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--docs", action="store_true", help="write the table into docs/report.md")
    asked = parser.parse_args()
    if executable() is None:
        print("no Chromium was found; CHROMIUM=/path names one")
        return 1
    table = pd.DataFrame([measured(n, asked.repeats) for n in asked.cells]).set_index("myeloid cells")
    text = markdown(table, ".2f")
    print(text)
    if asked.docs:
        write_below("report.md", MARK, text)
    large = table[table.index >= 100_000]
    held = (large["page, MB"] < 8).all() and (large["load, s"] < 2).all()
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
