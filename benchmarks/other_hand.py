"""Time courses of whole tissue drawn by another hand: the generator was written by somebody who had read neither ours nor the model.

    .venv/bin/python benchmarks/other_hand.py                # four data sets, two seeds, minutes
    .venv/bin/python benchmarks/other_hand.py --only clear
    .venv/bin/python benchmarks/other_hand.py --docs         # the table goes into docs/accuracy.md

What differs from our simulator: a programme multiplies (a gene with the fold f is f^level times as frequent), levels are log-normal around .9, so that nearly all
recovery cells are far into the programme; counts have gamma noise beyond the programme; macrophages are in part like microglia; migrating
and inflamed cells also raise genes that no signature names. A recovery cell is one in which the programme was switched on.
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
from implanted import f1  # noqa: E402
from pages import markdown, write_between  # noqa: E402
from real_cells import FACTS, SIGNATURES, judged, ratio  # noqa: E402

from recovery_microglia.core.arrays import Floats, Integers  # noqa: E402
from recovery_microglia.core.frame_access import positions  # noqa: E402
from recovery_microglia.core.genes import present  # noqa: E402
from recovery_microglia.library.process import process_library  # noqa: E402
from recovery_microglia.library.settings import CellSettings  # noqa: E402
from recovery_microglia.myeloid import merge  # noqa: E402
from recovery_microglia.recovery.likelihood import mixture_share  # noqa: E402

N_GENES, DAYS = 3000, (0, 1, 3, 7, 14, 28)
TYPES = (
    "microglia",
    "border_macrophage",
    "infiltrating_macrophage",
    "oligodendrocyte",
    "astrocyte",
    "neuron",
    "endothelial",
    "pericyte",
)
SIZE = np.array([1, 1.1, 1.3, 1.2, 1, 1.6, 0.9, 0.9])
"""Counts of a cell of each type, relative to a microglia."""
INFLAMED, CYCLING = (0.01, 0.3, 0.2, 0.1, 0.04, 0.02), (0.005, 0.05, 0.15, 0.08, 0.02, 0.01)
MIGRATING, MUCH_MIGRATING = (0.02, 0.06, 0.08, 0.05, 0.04, 0.03), (0.02, 0.2, 0.35, 0.3, 0.2, 0.15)
SHARED = {"Spp1": 1.5e-3, "Gpnmb": 4e-4, "Itgax": 2e-4, "Apoe": 6e-3}
"""Genes of recovery that infiltrating macrophages hold, and their share of the counts, where they are like recovery cells."""
RESTING = {
    "Igf1": 2.5e-5, "Itgax": 1.5e-5, "Clec7a": 2e-5, "Cst7": 3e-5, "Axl": 5e-5, "Csf1": 6e-5, "Lpl": 6e-5, "Cd9": 8e-4, "Spp1": 4e-5,
    "Gpnmb": 6e-6, "Fabp5": 6e-5, "Cadm1": 8e-5, "Ank": 1e-4, "Lilrb4a": 3e-5, "Apoe": 2e-3, "Trem2": 1e-3, "Lyz2": 4e-4, "Lgals3": 4e-5,
}  # fmt: skip
BEGIN = "<!-- from here to the next mark: printed by benchmarks/other_hand.py --docs -->"
END = "<!-- end of what benchmarks/other_hand.py prints -->"


@dataclass(frozen=True)
class Study:
    """What is drawn: share of recovery cells and of migrating ones by day of `DAYS`, counts of a microglia, infiltrating macrophages."""

    recovery: tuple[float, ...]
    migrating: tuple[float, ...] = MIGRATING
    depth: tuple[float, float] = (1500, 5000)
    infiltrating: float = 0.04
    alike: bool = False


STUDIES = {
    "clear": Study((0.005, 0.005, 0.01, 0.05, 0.25, 0.25)),
    "none": Study((0.003,) * 6, migrating=MUCH_MIGRATING),
    "weak": Study((0.005, 0.005, 0.01, 0.03, 0.08, 0.08)),
    "macrophages alike": Study((0.005, 0.005, 0.01, 0.05, 0.25, 0.25), depth=(750, 2500), infiltrating=0.25, alike=True),
}  # fmt: skip
SEEDS = (1, 2)


@dataclass(frozen=True)
class Tissue:
    """Gene names, share of each gene in each type (types × genes), and log folds of the programmes."""

    genes: list[str]
    share: Floats
    programmes: dict[str, Floats] = field(default_factory=dict)

    def of(self, names: Sequence[str]) -> Integers:
        """Return the columns of genes that there are."""
        return positions(pd.Index(self.genes), present(names, set(self.genes)))


def tissue(rng: np.random.Generator, *, alike: bool) -> Tissue:
    """Draw what the types hold and what the programmes change."""
    own = SIGNATURES
    sets = [
        own.recovery,
        own.context,
        own.related,
        *own.states.values(),
        *own.lineages.values(),
        *own.technical.values(),
        own.leukocyte,
    ]
    real = list(dict.fromkeys(gene for members in sets for gene in members.up))
    genes = [*real, *(f"Gm{number}" for number in range(10_000, 10_000 + N_GENES - len(real)))]
    base = np.exp(rng.normal(np.log(6e-5), 1.4, N_GENES))
    base[: len(real)] = np.exp(rng.normal(np.log(6e-6), 0.8, len(real)))
    there = Tissue(genes, np.tile(base, (len(TYPES), 1)))
    fillers = np.arange(len(real), N_GENES)
    for place, name in enumerate(TYPES):
        row = there.share[place]
        row[fillers] *= np.exp(rng.normal(0, 0.8, len(fillers)) * (rng.random(len(fillers)) < 0.4))
        markers = there.of(own.lineages[name].up)
        row[markers] = np.exp(rng.normal(np.log(1.2e-3), 0.6, len(markers)))
    leukocyte = there.of(own.leukocyte.up)
    there.share[:3, leukocyte] = np.exp(rng.normal(np.log(8e-4), 0.6, (3, len(leukocyte))))
    for gene, value in RESTING.items():
        there.share[0, there.of([gene])] = value * np.exp(rng.normal(0, 0.3))
    for gene, value in (SHARED if alike else {}).items():
        there.share[2, there.of([gene])] = value
    there.share[7, there.of(["S100a4", "S100a6", "Fn1", "Spp1"])] = 6e-4
    there.programmes["recovery"] = _recovery(there, fillers, rng)
    for name, low, high, fall in (
        ("acute_inflammatory", 2.5, 15, 1.2),
        ("cycling", 3, 25, 0.3),
        ("migrating", 2.5, 12, 1.2),
        ("dissociation_stress", 2, 8, 0),
    ):
        folds, members = np.zeros(N_GENES), there.of(own.states[name].up)
        folds[members] = rng.uniform(np.log(low), np.log(high), len(members))
        folds[rng.choice(fillers, 25, replace=False)] = rng.uniform(0.4, 1.8, 25)
        homeostatic = there.of(own.states["homeostatic"].up)
        folds[homeostatic] -= rng.uniform(0, fall, len(homeostatic))
        there.programmes[name] = folds
    return there


def _recovery(there: Tissue, fillers: Integers, rng: np.random.Generator) -> Floats:
    """Return log folds of recovery: three signature genes do not rise, forty genes that no set names do."""
    own, folds = SIGNATURES, np.zeros(N_GENES)
    silent = rng.choice([gene for gene in own.recovery.up if gene not in ("Itgax", "Igf1")], 3, replace=False)
    for gene in own.recovery.up:
        if gene not in silent:
            common = RESTING[gene] > 3e-4
            folds[there.of([gene])] = np.log(rng.uniform(2, 4)) if common else rng.uniform(np.log(4), np.log(25))
    related = there.of([*own.context.up, *own.related.up])
    folds[related] = np.where(rng.random(len(related)) < 0.75, rng.uniform(np.log(1.2), np.log(4), len(related)), 0)
    folds[rng.choice(fillers, 40, replace=False)] = rng.uniform(np.log(2), np.log(12), 40)
    homeostatic = there.of(own.states["homeostatic"].up)
    folds[homeostatic] = -rng.uniform(0.4, 1.5, len(homeostatic))
    return folds


def jittered(share: float, sd: float, rng: np.random.Generator) -> float:
    """Return a share that differs between animals by an SD on the log odds."""
    return float(1 / (1 + np.exp(-np.log(share / (1 - share)) - rng.normal(0, sd))))


def library(there: Tissue, study: Study, at: int, rng: np.random.Generator) -> tuple[sp.csr_matrix, pd.DataFrame]:
    """Draw one library of day ``DAYS[at]``: counts (cells × genes), and of each cell its type, whether it runs recovery, its level, doublets."""
    n, microglia = int(rng.integers(400, 601)), rng.uniform(0.3, 0.6)
    infiltrating = rng.uniform(0.8, 1.2) * study.infiltrating if at else 0.01
    rest = max(1 - microglia - infiltrating - 0.03, 0.1)
    weight = np.array([microglia, 0.03, infiltrating, *(rest * np.array([0.35, 0.2, 0.15, 0.18, 0.12]))])
    kind = rng.choice(len(TYPES), n, p=weight / weight.sum())
    own = np.log(there.share)[kind]
    mixed = np.flatnonzero((kind == 2) & (at > 0))  # macrophages are in part like microglia
    part = rng.beta(1.2, 3, len(mixed))[:, None]
    own[mixed] = (1 - part) * own[mixed] + part * np.log(there.share[0])
    runs = (kind == 0) & (rng.random(n) < jittered(study.recovery[at], 0.35, rng))
    level = np.where(runs, np.clip(rng.lognormal(-0.1, 0.35, n), 0.35, 1.6), 0.0)
    own += level[:, None] * there.programmes["recovery"]
    free = kind == 0
    for name, shares in (("acute_inflammatory", INFLAMED), ("migrating", study.migrating), ("cycling", CYCLING)):
        chosen = free & (rng.random(n) < jittered(shares[at], 0.4, rng) * np.where(runs, 0.5, 1.0))
        own[chosen] += rng.uniform(0.5, 1.1, (int(chosen.sum()), 1)) * there.programmes[name]
        free &= ~chosen
    stressed = rng.random(n) < (0.5 if rng.random() < 0.33 else 0.08)
    own[stressed] += rng.uniform(0.3, 1.1, (int(stressed.sum()), 1)) * there.programmes["dissociation_stress"]
    rate = np.exp(own) * np.exp(rng.normal(0, 0.15, N_GENES))  # each library moves every gene a little
    rate /= rate.sum(axis=1, keepdims=True)
    size = np.exp(rng.uniform(*np.log(study.depth))) * np.exp(rng.normal(0, 0.4, n)) * SIZE[kind]
    mean = rate * size[:, None]
    first, second = rng.choice(n, int(0.04 * n), replace=False), rng.choice(n, int(0.04 * n))
    doublet = np.zeros(n, dtype=bool)
    doublet[first] = first != second
    pairs = first[first != second], second[first != second]
    mean[pairs[0]] = 0.8 * (mean[pairs[0]] + rate[pairs[1]] * size[pairs[1]][:, None])
    ambient = mean.sum(axis=0) / mean.sum()
    floating = np.clip(rng.uniform(0.03, 0.1) * np.exp(rng.normal(0, 0.3, n)), 0, 0.3)[:, None]
    mean = mean * (1 - floating) + floating * size[:, None] * ambient
    counts = sp.csr_matrix(rng.poisson(mean * rng.gamma(4, 0.25, mean.shape)).astype(np.float32))
    return counts, pd.DataFrame({"type": np.array(TYPES)[kind], "recovery": runs, "level": level, "doublet": doublet})


def course_of(study: Study, seed: int) -> tuple[ad.AnnData, pd.DataFrame, pd.DataFrame]:
    """Return the myeloid cells of eighteen animals as the pipeline finds them, their sheet, and the truth of every cell."""
    rng = np.random.default_rng(seed)
    there, parts, rows, truths = tissue(rng, alike=study.alike), [], [], []
    for at, day in enumerate(DAYS):
        for number in range(3):
            name, condition = f"d{day}_{number + 1}", "injured" if day else "naive"
            counts, truth = library(there, study, at, rng)
            barcodes = [f"{name}-{cell}" for cell in range(len(truth))]
            adata = ad.AnnData(counts, obs=pd.DataFrame(index=barcodes), var=pd.DataFrame(index=there.genes))
            parts.append(
                process_library(
                    adata, FACTS | {"library": name, "sort": "none"}, SIGNATURES, CellSettings(), seed=seed
                ).myeloid
            )
            truths.append(truth.set_index(pd.Index([f"{name}:{barcode}" for barcode in barcodes])))
            rows.append({"library": name, "subject": name, "day": float(day), "condition": condition, "batch": "", "sort": "none", "arm": "",
                         "sex": "", "age": "", "strain": "", "chemistry": "one", "pooled_n": 1, "include": True})  # fmt: skip
    sheet = pd.DataFrame(rows)
    return merge(parts, sheet), sheet, pd.concat(truths)


def one(job: tuple[str, int]) -> dict[str, float | str]:
    """Draw and judge one study."""
    warnings.simplefilter("ignore")
    name, seed = job
    myeloid, sheet, truth = course_of(STUDIES[name], seed)
    recovered, days, first = judged(myeloid, sheet)
    cells = recovered.cells
    known = truth.loc[cells["cell"]]
    true = (known["recovery"] & (known["type"] == "microglia") & ~known["doublet"]).to_numpy(bool)
    called, score = cells["recovery_call"].fillna(False).to_numpy(bool), cells["recovery_score"].to_numpy(float)
    animal, control = cells["subject"].to_numpy(str), (cells["condition"] == "naive").to_numpy()
    each = np.array([(true[animal == own].mean(), *mixture_share(score[animal == own])) for own in np.unique(animal)])
    risen, late = each[:, 0] > 0.03, days["day"] >= 14
    everyone = np.ones(len(true), dtype=bool)
    return {
        "study": name, "seed": seed, "true, day 14 on": ratio(true, (cells["day"] >= 14).to_numpy()),
        "found": float(days.loc[late, "fraction"].mean()), "found / true in animals": float(each[risen, 1].mean() / each[risen, 0].mean()) if risen.any() else float("nan"),
        "intervals that hold the truth": float(((each[:, 2] <= each[:, 0] + 1e-9) & (each[:, 0] <= each[:, 3] + 1e-9)).mean()),
        "F1": f1(called, true), "precision": ratio(true, called), "recall": ratio(called, true), "naive called": ratio(called, control),
        "gate, precision": ratio((known["type"] == "microglia").to_numpy(), everyone), "above control from": first,
        "weights": recovered.report["refinement"]["refused"] or "learnt",
    }  # fmt: skip


def main() -> None:
    """Measure all studies, print the table, and put it into the page if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", action="store_true", help="put the table into docs/accuracy.md; needs all studies")
    parser.add_argument("--only", choices=STUDIES, help="one study")
    chosen = parser.parse_args()
    if chosen.docs and chosen.only:
        parser.error("--docs writes the table of all studies; leave --only out")
    jobs = [(name, seed) for name in STUDIES if chosen.only in (None, name) for seed in SEEDS]
    with ProcessPoolExecutor(2) as pool:
        text = markdown(pd.DataFrame(list(pool.map(one, jobs))).set_index("study"), ".3f")
    print(text)
    if chosen.docs:
        write_between("accuracy.md", BEGIN, END, text)


if __name__ == "__main__":
    main()
