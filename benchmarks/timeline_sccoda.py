"""scCODA itself, on the drawn studies of the case-control part of `timeline_calibration`.

    uv venv /tmp/sccoda && uv pip install --python /tmp/sccoda/bin/python 'pertpy[jax]' formulaic toytree ete4
    /tmp/sccoda/bin/python benchmarks/timeline_sccoda.py [--studies 3] [--noise normal] [--docs]

Needs pertpy, which the project does not lock: it brings JAX and a second set of everything. Without `--docs` the table is only
printed. Each study takes ten to thirty seconds of one core: a quarter of an hour or more by default, three studies a row under either noise. Every
design is drawn once before any is drawn again; interrupted (Ctrl+C), it shows what it has.
"""

import argparse
import contextlib
import os
import sys
import time
import warnings
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "scripts"), str(HERE)]

import anndata as ad  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from pages import write_between  # noqa: E402
from timeline_calibration import ALPHA, case_control, case_control_table, jobs  # noqa: E402
from timeline_studies import CELLS_OF_SAMPLE, case_control_counts  # noqa: E402

BEGIN, END = "<!-- scCODA: begin -->", "<!-- scCODA: end -->"
METHODS = ["ours", "propeller", "log ratio", "quasi-binomial"]
SAMPLES, WARM_UP = 3000, 1000


def credible_rises(control: np.ndarray, case: np.ndarray, seed: int) -> np.ndarray:
    """Return which types scCODA (Büttner 2021, in pertpy) holds to be higher in the case samples (samples × types each).

    The reference type is chosen by scCODA; the expected false-discovery rate is the level of the other methods.
    """
    import jax
    from pertpy.tools import Sccoda

    jax.clear_caches()  # each study compiles its own model: what is kept of earlier ones only slows the next

    both = np.concatenate([control, case])
    names = pd.Index([f"sample {i}" for i in range(len(both))])
    obs = pd.DataFrame({"group": np.repeat(["control", "case"], [len(control), len(case)])}, index=names)
    types = pd.DataFrame(index=[f"type {i}" for i in range(both.shape[1])])
    model, data = Sccoda(), ad.AnnData(both.astype(float), obs=obs, var=types)
    with (
        Path(os.devnull).open("w") as nowhere,
        contextlib.redirect_stderr(nowhere),
        contextlib.redirect_stdout(nowhere),
    ):
        data = model.prepare(data, formula="C(group, Treatment('control'))", reference_cell_type="automatic")
        model.run_nuts(data, num_samples=SAMPLES, num_warmup=WARM_UP, rng_key=seed)
        credible = model.credible_effects(data, est_fdr=ALPHA).to_numpy(bool)
    return np.asarray(credible & (case.mean(axis=0) > control.mean(axis=0)))


def main() -> None:
    """Judge a few studies of each case-control design by scCODA and by the methods that are run everywhere."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=1, help="studies of each design; three designs make a row")
    parser.add_argument(
        "--noise",
        choices=["normal", "Dirichlet"],
        nargs="+",
        default=["normal", "Dirichlet"],
        help="that of the published simulation is normal",
    )
    parser.add_argument("--docs", action="store_true", help="put the table into docs/calibration.md")
    chosen = parser.parse_args()
    warnings.filterwarnings("ignore")
    designs = [
        judge.args
        for part, judge, _ in jobs(1)
        if part == "case-control" and isinstance(judge, partial) and judge.args[0] in chosen.noise
    ]
    todo = [(seed, design) for seed in range(chosen.studies) for design in designs]
    rows, began = [], time.time()
    with contextlib.suppress(KeyboardInterrupt):
        for place, (seed, (noise, base, change, samples, facts)) in enumerate(todo, start=1):
            found = credible_rises(*case_control_counts(noise, base, change, samples, seed), seed)
            own = case_control(noise, base, change, samples, facts, seed)
            own = [row for row in own if row["method"] in METHODS]
            rows += [*own, facts | {"method": "scCODA", "found": bool(found[0]), "false rises": int(found[1:].sum())}]
            print(f"{place} of {len(todo)}, {time.time() - began:.0f} s", file=sys.stderr, flush=True)
    table = pd.DataFrame(rows)
    sizes = table[table["method"] == "scCODA"].groupby(["noise", "samples", "change"]).size()
    each = f"{sizes.min()} to {sizes.max()}" if sizes.min() < sizes.max() else f"{sizes.min()}"
    text = (
        f"### scCODA itself, {each} of the studies a row ({CELLS_OF_SAMPLE:,} cells a sample)\n\n"
        f"{case_control_table(table)}"
    )
    if chosen.docs:
        write_between("calibration.md", BEGIN, END, text)
    print(text)


if __name__ == "__main__":
    main()
