"""Real adult microglia into which the rise of real pups is put: the truth is known, and cells and rise follow no law of ours.

    .venv/bin/python benchmarks/implanted.py                  # all laws, two seeds, minutes
    .venv/bin/python benchmarks/implanted.py --only gradient  # one law
    .venv/bin/python benchmarks/implanted.py --docs           # all laws, the tables go into docs/accuracy.md

Cells are those of four adult male mice (Hammond 2019, ``../shared/data``), dealt out to sixteen animals of days 0, 3, 14 and 35. What is
put in is what microglia of pups that show *Itgax* and *Igf1* hold more, or less, than the other microglia of pups, in every gene. Injured
animals have lost a quarter of their homeostatic RNA and some cells are inflamed; each library moves every gene a little.
"""

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

if __name__ == "__main__":  # not where a test imports this
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.setdefault(variable, "1")  # the two processes share two cores

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "scripts"), str(HERE / "accuracy"), str(HERE)]

import anndata as ad  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import scipy.sparse as sp  # noqa: E402
from pages import markdown, write_between  # noqa: E402
from real_cells import SIGNATURES, judged, libraries_of, microglia_of, ratio, shown  # noqa: E402
from rivals import trained_on_truth  # noqa: E402

from recovery_microglia.core.anndata_access import counts_of, obs_of  # noqa: E402
from recovery_microglia.core.arrays import Bools, Floats, Integers  # noqa: E402
from recovery_microglia.core.frame_access import positions  # noqa: E402
from recovery_microglia.core.genes import present  # noqa: E402
from recovery_microglia.recovery.likelihood import mixture_share  # noqa: E402
from recovery_microglia.recovery.signature import LEFT_OUT  # noqa: E402

GROUPS = (("naive", 0.0), ("injured", 3.0), ("injured", 14.0), ("injured", 35.0))
CELLS = 300
HALF_OF_TYPICAL = {"gradient": 0.38, "full": 0.5, "half": 0.275}
"""Level from which a cell counts as a recovery cell: half of the geometric mean of those that do (the pipeline's line is two fifths of it)."""
CLEAR, LEAST_FOLD = 4.0, 1.25
"""Standard errors and fold from which a gene is taken to differ between the two kinds of pups' microglia."""
BEGIN = "<!-- from here to the next mark: printed by benchmarks/implanted.py --docs -->"
END = "<!-- end of what benchmarks/implanted.py prints -->"


@dataclass(frozen=True)
class Law:
    """How cells are changed.

    Attributes
    ----------
    shares
        Share of recovery cells on each day of `GROUPS`; animals differ around it by an SD of .5 on the log odds.
    levels
        ``gradient``: levels from 0 to 1.3, of which those from .38 on count; ``full``: 1; ``half``: around .55.
    effect
        Times the rise of pups.
    noise, on
        SD of the logarithm of a gene's rise from cell to cell, and how often it rises at all.
    depth
        Share of the counts that is kept.
    """

    shares: tuple[float, float, float, float] = (0.01, 0.02, 0.25, 0.12)
    levels: str = "gradient"
    effect: float = 1.0
    noise: float = 0.5
    on: float = 0.8
    depth: float = 1.0


LAWS = {
    "gradient": Law(),
    "all fully": Law(levels="full"),
    "all half-way": Law(levels="half"),
    "half the rise": Law(effect=0.5),
    "a third of the counts": Law(depth=0.35),
    "genes rise in half of the cells": Law(noise=1.0, on=0.5),
    "few": Law(shares=(0.002, 0.005, 0.05, 0.04), levels="half"),
    "none": Law(shares=(0.0, 0.0, 0.0, 0.0)),
}
SEEDS = (1, 2)


@dataclass(frozen=True)
class Rise:
    """What the programme changes: shares of all counts that are added (genes,), and the part of each gene that is left (genes,)."""

    added: Floats
    left: Floats


@dataclass
class Deal:
    """Cells that were dealt out and changed: one AnnData and one row of the sheet a library."""

    parts: list[ad.AnnData] = field(default_factory=list)
    rows: list[dict[str, object]] = field(default_factory=list)


def rise_of(counts: sp.csr_matrix, genes: pd.Index, both: Bools) -> Rise:
    """Return what the cells ``both`` hold more and less than the others (cells × genes, raw counts).

    Mitochondrial and ribosomal genes are left as they are. The cells were selected on *Itgax* and *Igf1*, of which half of the difference counts.
    """
    high, low = (np.asarray(counts[rows].sum(axis=0)).ravel() for rows in (both, ~both))
    n_high, n_low = high.sum(), low.sum()
    expected = low * n_high / n_low
    z = (high - expected) / np.sqrt(1.5 * expected + 1)
    fold = ((high + 0.5) / n_high) / ((low + 0.5) / n_low)
    technical = genes.str.startswith(("mt-", "Rp")) | (genes == "Xist")
    clear = (np.abs(z) > CLEAR) & ~technical
    added = np.where(clear & (fold > LEAST_FOLD), high / n_high - low / n_low, 0.0)
    added[genes.isin(LEFT_OUT)] *= 0.5
    return Rise(added, np.where(clear & (fold < 1 / LEAST_FOLD), fold, 1.0))


def levels_of(n: int, share: float, law: Law, rng: np.random.Generator) -> Floats:
    """Return how far each of ``n`` cells is into the programme, 0 where it does not run it; ``share`` of them from `HALF_OF_TYPICAL` on."""
    level = np.zeros(n)
    if share <= 0:
        return level
    odds = np.log(share / (1 - share)) + 0.5 * rng.normal()
    # of a gradient three quarters are from .38 on
    runs = rng.random(n) < (1 / (1 + np.exp(-odds))) / (0.75 if law.levels == "gradient" else 1.0)
    m = int(runs.sum())
    drawn = {
        "gradient": 1.3 * rng.beta(1.3, 1.3, m),
        "full": np.ones(m),
        "half": 0.55 * np.exp(0.2 * rng.normal(size=m)),
    }
    level[runs] = drawn[law.levels]
    return level


def changed(counts: Integers, level: Floats, rise: Rise, law: Law, rng: np.random.Generator) -> Integers:
    """Return counts (cells × genes) with the programme put into cells by their level."""
    counts, rows = counts.copy(), np.flatnonzero(level > 0)
    depth = counts.sum(axis=1)
    up, down = np.flatnonzero(rise.added > 0), np.flatnonzero(rise.left < 1)
    shape = (len(rows), len(up))
    own = level[rows][:, None] * np.exp(law.noise * rng.normal(size=shape) - law.noise**2 / 2)
    own *= (rng.random(shape) < law.on) / law.on
    counts[np.ix_(rows, up)] += rng.poisson(depth[rows][:, None] * own * law.effect * rise.added[up])
    kept = np.clip(1 - level[rows][:, None] * (1 - rise.left[down]), 0, 1)
    counts[np.ix_(rows, down)] = rng.binomial(counts[np.ix_(rows, down)], kept)
    return counts


def reacted(counts: Integers, genes: pd.Index, rng: np.random.Generator) -> Integers:
    """Return the counts of an injured animal's microglia: homeostatic genes fall in all, inflammatory ones rise in 15 %."""
    counts, there = counts.copy(), set(genes)
    homeostatic, inflammatory = (
        positions(genes, present(SIGNATURES.states[name].up, there)) for name in ("homeostatic", "acute_inflammatory")
    )
    counts[:, homeostatic] = rng.binomial(counts[:, homeostatic], 0.75)
    rows = np.flatnonzero(rng.random(len(counts)) < 0.15)
    depth = counts[rows].sum(axis=1, keepdims=True)
    usual = np.maximum(counts[:, inflammatory].sum(axis=0) / counts.sum(), 1e-5)
    counts[np.ix_(rows, inflammatory)] += rng.poisson(depth * usual * 4 * rng.random((len(rows), 1)))
    return counts


def of_one_library(counts: Integers, law: Law, rng: np.random.Generator) -> Integers:
    """Return counts as another library would have them: every gene moved by a factor of its own (SD .15), and thinned."""
    factor = np.exp(0.15 * rng.normal(size=counts.shape[1]))
    fewer = rng.binomial(counts, np.minimum(factor, 1))
    more = rng.poisson(counts * (np.maximum(factor, 1) - 1))
    return np.asarray(rng.binomial(fewer + more, law.depth))


def course_of(microglia: ad.AnnData, rise: Rise, law: Law, seed: int) -> tuple[ad.AnnData, pd.DataFrame]:
    """Return a time course of sixteen animals and its sheet; ``obs['level']``: how far a cell was taken into the programme."""
    rng, deal, genes = np.random.default_rng(seed), Deal(), pd.Index(microglia.var_names)
    library = microglia.obs["library"].to_numpy(str)
    for adult in np.unique(library):
        own = rng.permutation(np.flatnonzero(library == adult))
        for place, ((condition, day), share) in enumerate(zip(GROUPS, law.shares, strict=True)):
            taken = own[place * CELLS : (place + 1) * CELLS]
            counts = counts_of(microglia)[taken].toarray().astype(np.int64)
            level = levels_of(len(taken), share, law, rng)
            if condition == "injured":
                counts = reacted(counts, genes, rng)
            counts = of_one_library(changed(counts, level, rise, law, rng), law, rng)
            name = f"{condition} {day:g}, {adult[-5:]}"
            cells = microglia[taken].copy()
            cells.X = sp.csr_matrix(counts.astype(np.float32))
            cells.obs = obs_of(cells).assign(
                library=name, subject=name, day=day, condition=condition, arm="", level=level, n_counts=counts.sum(axis=1)
            )  # fmt: skip
            cells.obs_names = [f"{name}:{number}" for number in range(len(taken))]
            deal.parts.append(cells)
            deal.rows.append({"library": name, "subject": name, "day": day, "condition": condition, "batch": "", "sort": "microglia",
                              "arm": "", "sex": "", "age": "", "strain": "", "chemistry": "adults", "pooled_n": 1, "include": True})  # fmt: skip
    return ad.concat(deal.parts, merge="same"), pd.DataFrame(deal.rows)


def f1(called: Bools, true: Bools) -> float:
    """Return the F1 of calls; NaN where there is nothing to find and nothing called."""
    whole = int(called.sum() + true.sum())
    return 2 * int((called & true).sum()) / whole if whole else float("nan")


def measured(cells: ad.AnnData, sheet: pd.DataFrame, law: Law) -> dict[str, float]:
    """Return how a course was judged."""
    recovered, days, first = judged(cells, sheet)
    own = recovered.cells
    level, subject = cells.obs["level"].to_numpy(float), cells.obs["subject"].to_numpy(str)
    true, untouched = level >= HALF_OF_TYPICAL[law.levels], level == 0
    called = own["recovery_call"].fillna(False).to_numpy(bool)
    score = own["recovery_score"].to_numpy(float)
    late = own["day"].to_numpy(float) >= 14
    shares = np.array(
        [(true[subject == name].mean(), *mixture_share(score[subject == name])) for name in np.unique(subject)]
    )
    enough = int(true.sum()) >= len(np.unique(subject))
    whole = counts_of(cells)
    everyone = np.ones(len(true), dtype=bool)
    reference = (
        f1(trained_on_truth(whole, everyone, true, subject, rising_only=True)[1], true) if enough else float("nan")
    )
    return {
        "put in, day 14 on": ratio(true, late), "found": float(np.average(days["fraction"], weights=(days["day"] >= 14))),
        "found in controls": float(days["control_fraction"].iloc[0]), "mean error of an animal": float(np.abs(shares[:, 1] - shares[:, 0]).mean()),
        "F1": f1(called, true), "F1, reference": reference, "recall": ratio(called, true), "precision": ratio(true, called),
        "untouched cells called": ratio(called, untouched), "above control from": first,
    }  # fmt: skip


def one(job: tuple[str, int]) -> dict[str, float | str]:
    """Make and judge one course."""
    warnings.simplefilter("ignore")
    name, seed = job
    everyone = microglia_of([own for own in libraries_of("pups") if not own.name.startswith("old")], "pups")
    pups = everyone.obs["library"].str.startswith("P4_").to_numpy()
    genes = pd.Index(everyone.var_names)
    young = counts_of(everyone)[pups]
    rise = rise_of(young, genes, shown(young, genes, LEFT_OUT).all(axis=1))
    cells, sheet = course_of(everyone[~pups].copy(), rise, LAWS[name], seed)
    return {"law": name, "seed": seed, **measured(cells, sheet, LAWS[name])}


def main() -> None:
    """Measure all laws, print the table, and put it into the page if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", action="store_true", help="put the table into docs/accuracy.md; needs all laws")
    parser.add_argument("--only", choices=LAWS, help="one law")
    chosen = parser.parse_args()
    if chosen.docs and chosen.only:
        parser.error("--docs writes the table of all laws; leave --only out")
    jobs: Sequence[tuple[str, int]] = [(name, seed) for name in LAWS if chosen.only in (None, name) for seed in SEEDS]
    with ProcessPoolExecutor(2) as pool:
        found = pd.DataFrame(list(pool.map(one, jobs)))
    text = markdown(found.set_index("law"), ".3f")
    print(text)
    if chosen.docs:
        write_between("accuracy.md", BEGIN, END, text)


if __name__ == "__main__":
    main()
