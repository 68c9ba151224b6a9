"""Genes and activities associated with the state: false discoveries where there is nothing, permuted labels, and real cells.

    .venv/bin/python benchmarks/driver_checks.py --networks FOLDER          # half an hour; FOLDER holds CytoSig.tsv.gz
    .venv/bin/python benchmarks/driver_checks.py --only null --repeats 5    # the first part, quickly
    .venv/bin/python benchmarks/driver_checks.py --only permuted --docs     # real animals with permuted labels, into docs/drivers.md

Real cells stand in ``../shared/data`` and are not part of the project; nor is CytoSig's table (``config/knowledge/networks.tsv``).
"""

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain, combinations
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
from recovery_microglia.drivers.pseudobulks import LEAST_CELLS, OTHERS, RECOVERY, Pseudobulks, by_call, pseudobulks  # noqa: E402
from recovery_microglia.drivers.step import genes_of_the_call  # noqa: E402
from recovery_microglia.library.process import process_library  # noqa: E402
from recovery_microglia.library.settings import CellSettings  # noqa: E402
from recovery_microglia.myeloid import merge  # noqa: E402
from recovery_microglia.readers.any_layout import read_counts  # noqa: E402
from recovery_microglia.recovery.call import call_recovery  # noqa: E402
from recovery_microglia.recovery.settings import RecoverySettings  # noqa: E402

BEGIN = "<!-- from here to the next mark: printed by benchmarks/driver_checks.py --only {part} --docs -->"
END = "<!-- end of what benchmarks/driver_checks.py --only {part} prints -->"
GENES, REAL_GENES = 1500, 3000
"""Genes of a data set in which nothing differs, and of real animals: drawn from those that have counts."""
HALVES = 12
"""Random halves of all animals that are compared."""
SHOWN = ("Apoe", "Lpl", "Spp1", "Gpnmb", "Cst7", "P2ry12", "Tmem119", "Sall1", "Smad7")
CYTOKINES = ("MCSF", "TGFB1", "TGFB3", "IL4")
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


def some_genes(counts: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the counts of some genes that have enough of them."""
    return counts.iloc[:, np.sort(rng.choice(np.flatnonzero(counts.sum() >= 10), REAL_GENES, replace=False))]


def splits(n: int) -> Iterator[np.ndarray]:
    """Yield every division of ``n`` animals into two halves, once: whether an animal is in the second."""
    for rest in combinations(range(1, n), n // 2 - 1):
        yield ~np.isin(np.arange(n), (0, *rest))


def labelled_animals(rng: np.random.Generator) -> Iterator[tuple[str, Pseudobulks, pd.Series, bool]]:
    """Yield real animals (sorted microglia of pups and adults) under every labelling, the true one among them."""
    libraries = [own for own in libraries_of("pups") if own.day < 540]
    sums, halves = [], []
    for own in libraries:
        read = read_counts(own.path)
        counts, genes = counts_of(read), read.var_names
        sums.append(pd.Series(np.asarray(counts.sum(axis=0)).ravel(), index=genes))
        for _ in range(HALVES):
            drawn_cells = rng.permutation(counts.shape[0]) < counts.shape[0] // 2
            halves.append(pd.Series(np.asarray(counts[drawn_cells].sum(axis=0)).ravel(), index=genes))
    every = pd.concat([*sums, *halves], axis=1).fillna(0).T.reset_index(drop=True)
    chosen = some_genes(every.iloc[: len(sums)], rng).columns
    animals, half = every.iloc[: len(sums)][chosen], every.iloc[len(sums) :][chosen]
    pups = np.array([own.day > 0 for own in libraries])
    for rows, words in (
        (np.flatnonzero(pups), "pups among themselves"),
        (np.flatnonzero(~pups), "adults among themselves"),
    ):
        for second in splits(len(rows)):
            yield words, *unpaired_bulks(animals.iloc[rows], second), False
    for second in splits(len(libraries)):
        inside = int((second & pups).sum())
        mixed = (
            "pups against adults, permuted: two of either a side"
            if inside == 2
            else "pups against adults, permuted: three and one a side"
        )
        yield "pups against adults, true labels" if inside in (0, 4) else mixed, *unpaired_bulks(animals, second), False
    for repeat in range(HALVES):
        one = half.iloc[repeat::HALVES].reset_index(drop=True)
        yield "random halves of every animal", *paired_bulks(one, animals - one), True


def labelled_pairs(rng: np.random.Generator) -> Iterator[tuple[str, Pseudobulks, pd.Series, bool]]:
    """Yield recovery cells and others of the animals of the pups' study, exchanged in half of the animals, and the true labels."""
    microglia, cells, _, sheet = called_cells("pups")
    bulks = by_call(microglia, cells, sheet)
    enough = bulks.samples[bulks.samples["cells"] >= LEAST_CELLS]
    both = enough["subject"].value_counts()
    whole = enough[enough["subject"].isin(both.index[both == 2])].sort_values("subject")
    counts = some_genes(bulks.counts.loc[whole.index], rng)
    others, inside = (counts[whole["cells_of"] == kind].reset_index(drop=True) for kind in (OTHERS, RECOVERY))
    yield "recovery cells against others, true labels", *paired_bulks(others, inside), True
    for second in splits(len(others)):
        first, other = (
            pd.DataFrame(np.where(second[:, None], one, two), columns=counts.columns)
            for one, two in ((inside, others), (others, inside))
        )
        yield "recovery cells against others, exchanged in half of the animals", *paired_bulks(first, other), True


def unpaired_bulks(counts: pd.DataFrame, second: np.ndarray) -> tuple[Pseudobulks, pd.Series]:
    """Return animals as pseudobulks, and which are in the second group."""
    samples = pd.DataFrame({"subject": [f"m{k}" for k in range(len(counts))], "cells_of": "all"})
    return bulks_of(counts.to_numpy(), samples, list(counts.columns)), pd.Series(second)


def paired_bulks(first: pd.DataFrame, second: pd.DataFrame) -> tuple[Pseudobulks, pd.Series]:
    """Return two pseudobulks of each animal, and which are the second."""
    names = [f"m{k}" for k in range(len(first))]
    samples = pd.DataFrame({"subject": 2 * names, "cells_of": [OTHERS] * len(names) + [RECOVERY] * len(names)})
    bulks = bulks_of(np.vstack([first.to_numpy(), second.to_numpy()]), samples, list(first.columns))
    return bulks, samples["cells_of"] == RECOVERY


Findings = dict[tuple[str, str], list[tuple[int, float]]]
"""Data and design to how many genes pass and the share with p < 0.05, for each data set."""


def counted(rows: Findings) -> pd.DataFrame:
    """Return how often anything passes."""
    table = [
        {
            "data": data, "design": design, "data sets": len(found),
            "with any gene at FDR 5 %": sum(n > 0 for n, _ in found), "genes that pass, mean": float(np.mean([n for n, _ in found])),
            "share of genes with p < 0.05": float(np.mean([share for _, share in found])),
        }
        for (data, design), found in rows.items()
    ]  # fmt: skip
    return pd.DataFrame(table)


def permuted_labels() -> pd.DataFrame:
    """Return how often anything passes among real animals whose labels are permuted, beside the true labels."""
    rows: Findings = {}
    rng = np.random.default_rng(11)
    for name, bulks, second, paired in chain(labelled_animals(rng), labelled_pairs(rng)):
        n = len(bulks.samples) // 2
        found = found_in(bulks, second, paired=paired)
        rows.setdefault((name, f"{n} pairs" if paired else f"{n} against {n}"), []).append(found)
        print(f"{name}: {found[0]} genes", file=sys.stderr, flush=True)
    return counted(rows)


def false_discoveries(repeats: int) -> pd.DataFrame:
    """Return how often anything passes where nothing differs."""
    first = libraries_of("pups")[0]
    sums = np.asarray(counts_of(read_counts(first.path)).sum(axis=0)).ravel() / 20
    mean = np.maximum(sums[sums > 0], 0.5)
    rows: Findings = {}
    for repeat in range(repeats):
        rng = np.random.default_rng([7, repeat])
        for law in ("gamma", "log-normal"):
            for n, paired in ((2, False), (3, False), (4, False), (2, True), (4, True)):
                bulks = drawn(law, n, paired=paired, mean=mean, rng=rng)
                second = bulks.samples["cells_of"] == RECOVERY if paired else pd.Series(np.arange(2 * n) >= n)
                design = f"{n} pairs" if paired else f"{n} against {n}"
                rows.setdefault((f"drawn, {law}", design), []).append(found_in(bulks, second, paired=paired))
        print(f"null {repeat + 1} of {repeats}", file=sys.stderr, flush=True)
    return counted(rows)


# ---------------------------------------------------------------- real cells


@cache
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
    parser.add_argument("--only", choices=["null", "permuted", "real"])
    parser.add_argument("--docs", action="store_true")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    parts: dict[str, Callable[[], str]] = {
        "null": lambda: (
            "### Where nothing differs\n\n" + markdown(false_discoveries(asked.repeats).set_index("data"), ".3g")
        ),
        "permuted": lambda: (
            "### Real animals with permuted labels\n\n" + markdown(permuted_labels().set_index("data"), ".3g")
        ),
        "real": lambda: (
            "### Real cells\n\n" + markdown(real_contrasts(_cytosig(asked.networks)).set_index("comparison"), ".1f")
        ),
    }
    for part, make in parts.items():
        if asked.only in (None, part):
            text = make()
            print(text, flush=True)
            if asked.docs:
                write_between("drivers.md", BEGIN.format(part=part), END.format(part=part), text)


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
