"""Genes and activities associated with the state: false discoveries where there is nothing, and real cells.

    .venv/bin/python benchmarks/driver_checks.py --networks FOLDER          # minutes; FOLDER holds CytoSig.tsv.gz
    .venv/bin/python benchmarks/driver_checks.py --only null --repeats 5    # the first part, quickly
    .venv/bin/python benchmarks/driver_checks.py --networks FOLDER --docs   # the tables go into docs/drivers.md

Real cells stand in ``../shared/data`` and are not part of the project; nor is CytoSig's table (``config/knowledge/networks.tsv``).
"""

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

if __name__ == "__main__":  # not where a test imports this
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.setdefault(variable, "1")

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "scripts"), str(HERE / "accuracy"), str(HERE)]

import anndata as ad  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from pages import markdown, write_between  # noqa: E402
from real_cells import FACTS, SIGNATURES, Library, libraries_of, sheet_of  # noqa: E402

from recovery_microglia.core.anndata_access import counts_of, obs_of  # noqa: E402
from recovery_microglia.core.arrays import Floats  # noqa: E402
from recovery_microglia.drivers.activities import activities  # noqa: E402
from recovery_microglia.drivers.contrasts import effect_of, fit, grouped_design, paired_design  # noqa: E402
from recovery_microglia.drivers.genes import state_contrasts, units_of  # noqa: E402
from recovery_microglia.drivers.networks import Network, load_resources, read_network  # noqa: E402
from recovery_microglia.drivers.pseudobulks import OTHERS, RECOVERY, Pseudobulks, by_call, pseudobulks  # noqa: E402
from recovery_microglia.drivers.step import genes_of_the_call  # noqa: E402
from recovery_microglia.library.process import process_library  # noqa: E402
from recovery_microglia.library.settings import CellSettings  # noqa: E402
from recovery_microglia.myeloid import merge  # noqa: E402
from recovery_microglia.readers.any_layout import read_counts  # noqa: E402
from recovery_microglia.recovery.call import call_recovery  # noqa: E402
from recovery_microglia.recovery.settings import RecoverySettings  # noqa: E402

BEGIN = "<!-- from here to the next mark: printed by benchmarks/driver_checks.py --docs -->"
END = "<!-- end of what benchmarks/driver_checks.py prints -->"
GENES = 1500
"""Genes of a data set in which nothing differs: drawn from those that have counts."""
SHOWN = ("Apoe", "Lpl", "Spp1", "Gpnmb", "Cst7", "P2ry12", "Tmem119")
CYTOKINES = ("MCSF", "TGFB1", "IL4")
ALPHA = 0.05


# ---------------------------------------------------------------- nothing differs


def bulks_of(counts: Floats, samples: pd.DataFrame, genes: list[str]) -> Pseudobulks:
    """Return pseudobulks from counts (pseudobulks × genes)."""
    usual = {"arm": "", "day": 1.0, "condition": "injured", "cells": 100, "sex": "", "chemistry": "", "batch": ""}
    table = pd.DataFrame(usual, index=samples.index)
    table[list(samples.columns)] = samples
    return Pseudobulks(pd.DataFrame(counts.astype(np.int64), columns=genes, index=table.index), table)


def drawn(law: str, n: int, *, paired: bool, mean: Floats, rng: np.random.Generator) -> Pseudobulks:
    """Return pseudobulks of ``n`` animals a side (or pairs) among which nothing differs.

    Parameters
    ----------
    law
        How animals differ: ``gamma`` (the model's own law) or ``log-normal`` (not its own).
    mean
        Mean counts of real genes, of which some are drawn.
    """
    level = rng.choice(mean, GENES) * np.exp(rng.normal(0, 0.3, GENES))
    spread = (0.05 + 1 / (level + 5)) * np.exp(rng.normal(0, 0.6, GENES))
    expected = level * np.exp(rng.normal(0, 0.3, (2 * n, 1)))
    if paired:
        expected = expected * np.repeat(np.exp(rng.normal(0, 0.4, (n, GENES))), 2, axis=0)
    if law == "gamma":
        times = rng.gamma(1 / spread, spread, expected.shape)
    else:
        sd = np.sqrt(np.log1p(spread))
        times = np.exp(rng.normal(0, 1, expected.shape) * sd - sd**2 / 2)
    names = [f"m{k // 2}" for k in range(2 * n)] if paired else [f"m{k}" for k in range(2 * n)]
    kinds = [OTHERS, RECOVERY] * n if paired else ["all"] * 2 * n
    samples = pd.DataFrame({"subject": names, "cells_of": kinds})
    return bulks_of(rng.poisson(expected * times).astype(float), samples, [f"g{k}" for k in range(GENES)])


def found_in(bulks: Pseudobulks, second: pd.Series, *, paired: bool) -> tuple[int, float]:
    """Return how many genes pass, and the share with p < 0.05."""
    if paired:
        design, column = paired_design(bulks.samples, units_of(bulks.samples), second), "effect"
    else:
        group = pd.Series(np.where(second, "day 1", "control"), index=bulks.samples.index)
        design, column = grouped_design(bulks.samples, group), "day 1"
    genes = effect_of(fit(bulks, design), column, exact=False)
    return int((genes["q"] < ALPHA).sum()), float((genes["p"] < ALPHA).mean())


def real_pseudobulks(rng: np.random.Generator) -> Iterator[tuple[str, Pseudobulks, pd.Series, bool]]:
    """Yield data sets from real libraries (pups and adults) whose labels are permuted: halves of animals, and animals."""
    libraries = [own for own in libraries_of("pups") if own.day < 540]
    halves, whole = [], []
    for own in libraries:
        read = read_counts(own.path)
        counts, genes = counts_of(read), read.var_names
        half = rng.permutation(counts.shape[0]) < counts.shape[0] // 2
        sums = [np.asarray(counts[rows].sum(axis=0)).ravel() for rows in (half, ~half)]
        halves += [pd.Series(one, index=genes) for one in sums]
        whole.append(pd.Series(sums[0] + sums[1], index=genes))
    table = pd.concat(halves, axis=1).fillna(0).T.reset_index(drop=True)
    chosen = rng.choice(np.flatnonzero(table.sum() >= 10), GENES, replace=False)
    names = [own.name for own in libraries for _ in (0, 1)]
    samples = pd.DataFrame({"subject": names, "cells_of": [OTHERS, RECOVERY] * len(libraries)})
    split = bulks_of(table.to_numpy()[:, chosen], samples, list(table.columns[chosen]))
    yield "real, halves of an animal", split, samples["cells_of"] == RECOVERY, True
    animals = pd.concat(whole, axis=1).fillna(0).T.reset_index(drop=True)
    pups = np.array([own.day > 0 for own in libraries])
    second = np.zeros(len(libraries), dtype=bool)
    for side in (pups, ~pups):  # two of either side in each group, so that age does not go with the labels
        second[rng.permutation(np.flatnonzero(side))[: side.sum() // 2]] = True
    who = pd.DataFrame({"subject": [own.name for own in libraries], "cells_of": "all"})
    mixed = bulks_of(animals.to_numpy()[:, chosen], who, list(table.columns[chosen]))
    yield "real, pups and adults mixed", mixed, pd.Series(second), False


def false_discoveries(repeats: int) -> pd.DataFrame:
    """Return how often anything passes where nothing differs."""
    first = libraries_of("pups")[0]
    sums = np.asarray(counts_of(read_counts(first.path)).sum(axis=0)).ravel() / 20
    mean = np.maximum(sums[sums > 0], 0.5)
    rows: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for repeat in range(repeats):
        rng = np.random.default_rng([7, repeat])
        for law in ("gamma", "log-normal"):
            for n, paired in ((2, False), (3, False), (4, False), (2, True), (4, True)):
                bulks = drawn(law, n, paired=paired, mean=mean, rng=rng)
                second = bulks.samples["cells_of"] == RECOVERY if paired else pd.Series(np.arange(2 * n) >= n)
                design = f"{n} pairs" if paired else f"{n} against {n}"
                rows.setdefault((f"drawn, {law}", design), []).append(found_in(bulks, second, paired=paired))
        for name, bulks, second, paired in real_pseudobulks(rng):
            design = f"{len(bulks.samples) // 2} pairs" if paired else "4 against 4"
            rows.setdefault((name, design), []).append(found_in(bulks, second, paired=paired))
        print(f"null {repeat + 1} of {repeats}", file=sys.stderr, flush=True)
    table = [
        {
            "data": data, "design": design, "data sets": len(found),
            "with any gene at FDR 5 %": sum(n > 0 for n, _ in found), "genes that pass, mean": float(np.mean([n for n, _ in found])),
            "share of genes with p < 0.05": float(np.mean([share for _, share in found])),
        }
        for (data, design), found in rows.items()
    ]  # fmt: skip
    return pd.DataFrame(table)


# ---------------------------------------------------------------- real cells


def called_cells(name: str) -> tuple[ad.AnnData, pd.DataFrame, list[str], pd.DataFrame]:
    """Run the pipeline's steps up to the call; return microglia, their calls, genes that made the call, and the sheet."""
    libraries: list[Library] = libraries_of(name)
    parts = [
        process_library(read_counts(own.path), FACTS | {"library": own.name, "sort": own.sort}, SIGNATURES, CellSettings(), seed=1).myeloid
        for own in libraries
    ]  # fmt: skip
    sheet = sheet_of(name, libraries).assign(include=True)
    myeloid = merge(parts, sheet)
    microglia = myeloid[(obs_of(myeloid)["lineage"] == "microglia").to_numpy()].copy()
    found = call_recovery(myeloid, SIGNATURES, RecoverySettings(n_null_sets=100), seed=1)
    return microglia, found.cells, genes_of_the_call(SIGNATURES, found.tables["refinement"]), sheet


def log_ratio(bulks: Pseudobulks, second: pd.Series) -> pd.Series:
    """Return log2 ratios of summed counts, where one animal alone stands on a side: described, not tested."""
    one, other = bulks.counts[second].sum(), bulks.counts[~second].sum()
    seen = (one + other) >= 20
    ratio: pd.Series = (1e6 * one / one.sum() + 5) / (1e6 * other / other.sum() + 5)
    return ratio[seen].transform("log2")


def row_of(name: str, animals: str, value: pd.Series, fold: pd.Series, network: Network | None) -> dict[str, object]:
    """Return fold changes of the genes and activities of the cytokines in one comparison."""
    row: dict[str, object] = {"comparison": name, "animals": animals}
    row |= {gene: float(fold.get(gene, np.nan)) for gene in SHOWN}
    if network is None:
        return row
    found = activities(name, value, [network]).set_index("source")
    order = found["mlm"].rank(ascending=False)
    for cytokine in CYTOKINES:
        row[f"{cytokine} ulm / mlm"] = f"{found['ulm'][cytokine]:.1f} / {found['mlm'][cytokine]:.1f}"
    row["place of IL4 by mlm"] = f"{order['IL4']:.0f} of {len(order)}"
    return row


def real_contrasts(network: Network | None) -> pd.DataFrame:
    """Return the comparisons of real cells."""
    rows = []
    for name in ("pups", "plates"):
        microglia, cells, made_call, sheet = called_cells(name)
        whole = pseudobulks(microglia, ["all"] * microglia.n_obs, sheet)
        if name == "pups":
            used = whole.of(whole.samples["day"] < 540)
            group = pd.Series(np.where(used.samples["day"] > 0, "day 5", "control"), index=used.samples.index)
            genes = effect_of(
                fit(used, grouped_design(used.samples, group)), "day 5", left_out=made_call, exact=False
            ).set_index("gene")
            rows.append(
                row_of("pups against adults", "4 against 4", genes["statistic"], genes["log2_fold_change"], network)
            )
        else:
            quiet = ("plate13", "plate72", "plate96")
            used = whole.of(whole.samples["subject"].isin(["plate34", *quiet]))
            ratio = log_ratio(used, used.samples["subject"] == "plate34")
            rows.append(row_of("plate 34 against quiet plates", "1 against 3, not tested", ratio, ratio, network))
        for contrast in state_contrasts(by_call(microglia, cells, sheet), made_call):
            if contrast.genes.empty:
                print(f"{name}: {contrast.facts['reason']}", file=sys.stderr)
                continue
            genes = contrast.genes.set_index("gene")
            title = f"recovery cells against others, {name}"
            count = f"{contrast.facts['n_animals']} pairs"
            rows.append(row_of(title, count, genes["statistic"], genes["log2_fold_change"], network))
            rest = genes[~genes["made_call"]]
            rows.append(
                row_of(
                    f"{title}, without genes of the call", count, rest["statistic"], rest["log2_fold_change"], network
                )
            )
        print(f"{name} done", file=sys.stderr, flush=True)
    return pd.DataFrame(rows)


def main() -> None:
    """Measure, print, and write the page if asked."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument(
        "--networks", type=Path, default=Path("resources/_networks/files"), help="folder of CytoSig.tsv.gz"
    )
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--only", choices=["null", "real"])
    parser.add_argument("--docs", action="store_true")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    parts: list[str] = []
    sections: dict[str, Callable[[], str]] = {
        "null": lambda: (
            "### Where nothing differs\n\n" + markdown(false_discoveries(asked.repeats).set_index("data"), ".3g")
        ),
        "real": lambda: (
            "### Real cells\n\n" + markdown(real_contrasts(_cytosig(asked.networks)).set_index("comparison"), ".1f")
        ),
    }
    parts = [make() for name, make in sections.items() if asked.only in (None, name)]
    text = "\n\n".join(parts)
    print(text)
    if asked.docs:
        write_between("drivers.md", BEGIN, END, text)


def _cytosig(folder: Path) -> Network | None:
    resource = next(
        own for own in load_resources(HERE.parent / "config/knowledge/networks.tsv") if own.name == "cytosig"
    )
    path = folder / resource.file
    if not path.is_file():
        print(f"{path} is not there: no activities", file=sys.stderr)
        return None
    return read_network(path, resource)


if __name__ == "__main__":
    main()
