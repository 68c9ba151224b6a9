"""The call on real cells: pups, DAM plates, LPS and uninjured brain, through the workflow's own code.

    .venv/bin/python benchmarks/real_cells.py                 # all sets, minutes
    .venv/bin/python benchmarks/real_cells.py --only plates   # one set
    .venv/bin/python benchmarks/real_cells.py --docs          # all sets, the tables go into docs/accuracy.md

The data stand in ``../shared/data`` and are not part of the project. No cell of them bears a label of its state, so that shares are
compared with what is known of the animals, and the score with cells that show *Itgax* and *Igf1*, which it does not use there.
"""

import argparse
import os
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

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
from rivals import aucell  # noqa: E402

from recovery_microglia.core.anndata_access import counts_of, obs_of  # noqa: E402
from recovery_microglia.core.arrays import Bools, Floats, Texts  # noqa: E402
from recovery_microglia.core.frame_access import positions  # noqa: E402
from recovery_microglia.core.genes import load_signatures, present  # noqa: E402
from recovery_microglia.library.process import process_library  # noqa: E402
from recovery_microglia.library.settings import CellSettings  # noqa: E402
from recovery_microglia.myeloid import merge  # noqa: E402
from recovery_microglia.readers.any_layout import read_counts  # noqa: E402
from recovery_microglia.recovery import scores  # noqa: E402
from recovery_microglia.recovery.call import RecoveryResult, call_recovery  # noqa: E402
from recovery_microglia.recovery.evidence import Evidence as ByGene  # noqa: E402
from recovery_microglia.recovery.evidence import evidence_by_gene  # noqa: E402
from recovery_microglia.recovery.gene_weights import Refined, parts_by_fold  # noqa: E402
from recovery_microglia.recovery.likelihood import (  # noqa: E402
    TYPICAL_WEIGHTS,
    LevelWeights,
    Resting,
    likelihoods_and_terms,
    mixture_share,
    robust,
)
from recovery_microglia.recovery.offset import Offset  # noqa: E402
from recovery_microglia.recovery.rank_scores import rank_gains, score_sets  # noqa: E402
from recovery_microglia.recovery.settings import RecoverySettings  # noqa: E402
from recovery_microglia.recovery.signature import LEFT_OUT  # noqa: E402
from recovery_microglia.timeline.days import run_timeline  # noqa: E402
from recovery_microglia.timeline.design import audit  # noqa: E402
from recovery_microglia.timeline.fractions import add_mixture, fractions  # noqa: E402
from recovery_microglia.timeline.settings import TimelineSettings  # noqa: E402

DATA = HERE.parents[1] / "shared" / "data"
SIGNATURES = load_signatures(HERE.parent / "config/signatures")
FACTS = {"organism": "mouse", "assay": "cells", "droplets": "auto", "sex": "", "injury_class": "peripheral_nerve"}
LEUKOCYTE = ("Ptprc", "Tyrobp", "Fcer1g", "Laptm5", "Coro1a", "Cd53")
"""Genes of every leukocyte that neurons and glia do not show, without those of microglia in the first place (*Csf1r*, *Ctss*), which
float as ambient RNA in brain."""
SAME_DEPTH, LEAST_SAME = 0.1, 5
"""How far the logarithms of two cells' counts may lie apart to be compared, and how many cells a positive one needs beside it."""
COURSES = ((0.0, "none"), (0.06, "Itgax+ Igf1+"), (0.06, "all"), (0.2, "all"))
"""Time courses made of real cells: share of pups' cells among the microglia of day 14 (a third of it on day 35), and which of them."""
COURSE_CELLS = 300
SETS = ("pups", "plates", "lps", "brain")
BEGIN = "<!-- from here to the next mark: printed by benchmarks/real_cells.py --docs -->"
END = "<!-- end of what benchmarks/real_cells.py prints -->"


@dataclass(frozen=True)
class Library:
    """A library of a set. Animals of interest count as injured, so that they do not set the cutoff."""

    name: str
    path: Path
    day: int = 0
    sort: str = "none"

    @property
    def condition(self) -> str:
        """Naive at day 0, else injured."""
        return "injured" if self.day else "naive"


@dataclass
class Evidence:
    """What the call learnt: filled while `call_recovery` runs, see `recorded`."""

    genes: pd.Index = field(default_factory=lambda: pd.Index([]))
    refined: Refined | None = None
    resting: Resting | list[Resting] | None = None


def libraries_of(name: str, data: Path = DATA) -> list[Library]:
    """Return the libraries of a set."""
    if name == "pups":
        days = {"P30": 0, "P4_": 5, "old": 540}
        files = sorted((data / "hammond2019_microglia").glob("*.h5ad"))
        return [Library(path.stem, path, days[path.stem[:3]]) for path in files]
    if name == "plates":
        folder, quiet = data / "kerenshaul2017_marsseq", ("plate13", "plate72", "plate96")
        plates = [
            Library(path.stem.split("_")[0], path, 0 if path.stem.startswith(quiet) else 7)
            for path in sorted(folder.glob("*.h5ad"))
        ]
        return [*plates, Library("AB2430", folder / "GSM2629435_AB2430.txt.gz", 7)]
    if name == "lps":
        files = sorted((data / "sousa2018_lps_microglia").glob("*.txt.gz"))
        named = [(path.name.removesuffix(".txt.gz").split("_")[1], path) for path in files]
        return [Library(word, path, int(word == "LPS"), "microglia") for word, path in named]
    files = sorted((data / "zywitza2018_svz_dropseq").glob("*.txt.gz"))
    return [Library(path.name.split("_")[1], path) for path in files]


def sheet_of(name: str, libraries: Sequence[Library]) -> pd.DataFrame:
    """Return the sheet: each library an animal of its own, all of one chemistry."""
    rows = [
        {
            "library": own.name, "subject": own.name, "day": float(own.day), "condition": own.condition, "sort": own.sort,
            "arm": "", "sex": "", "age": "", "chemistry": name, "batch": "", "pooled_n": 1,
        }
        for own in libraries
    ]  # fmt: skip
    return pd.DataFrame(rows)


# ---------------------------------------------------------------- measures


def ratio(part: Bools, whole: Bools) -> float:
    """Return the share of the cells of ``whole`` that are in ``part``; NaN if there are none."""
    return float((part & whole).sum() / whole.sum()) if whole.any() else float("nan")


def auroc_at_depth(score: Floats, positive: Bools, depth: Floats) -> float:
    """Return the chance that a positive cell scores above a negative one of the same depth (counts within a tenth); ties count half.

    NaN if no positive cell has `LEAST_SAME` negative ones of its depth. Tenths of depth are too wide for this: on the plates depth
    alone reached .74 within them.
    """
    known = np.isfinite(score)
    log_depth = np.log(depth)
    order = np.flatnonzero(~positive & known)
    order = order[np.argsort(log_depth[order], kind="stable")]
    chances = []
    for cell in np.flatnonzero(positive & known):
        low, high = np.searchsorted(log_depth[order], [log_depth[cell] - SAME_DEPTH, log_depth[cell] + SAME_DEPTH])
        beside = score[order[low:high]]
        if len(beside) >= LEAST_SAME:
            chances.append(float(((beside < score[cell]) + 0.5 * (beside == score[cell])).mean()))
    return float(np.mean(chances)) if chances else float("nan")


def auroc_within(score: Floats, positive: Bools, depth: Floats, library: Texts) -> float:
    """Return the mean of `auroc_at_depth` over libraries, weighted by their positive cells; NaN without any."""
    found = []
    for name in np.unique(library):
        own = library == name
        if positive[own].sum() >= LEAST_SAME:
            found.append((int(positive[own].sum()), auroc_at_depth(score[own], positive[own], depth[own])))
    kept = [(n, value) for n, value in found if np.isfinite(value)]
    return float(np.average([v for _, v in kept], weights=[n for n, _ in kept])) if kept else float("nan")


def shown(counts: sp.csr_matrix, genes: pd.Index, wanted: Sequence[str]) -> Bools:
    """Return which cells show which gene (cells × genes); a gene that is not measured is not shown."""
    found = np.zeros((counts.shape[0], len(wanted)), dtype=bool)
    for place, column in enumerate(positions(genes, wanted)):
        if column >= 0:
            found[:, place] = counts[:, [int(column)]].toarray().ravel() > 0
    return found


def gate_measures(cells: pd.DataFrame, counts: sp.csr_matrix, genes: pd.Index) -> dict[str, float]:
    """Return how the gate took the cells of one library; ``cells`` and the rows of ``counts`` are the same cells."""
    kept = (cells["removed_by"] == "").to_numpy()
    lineage = cells["lineage"].astype(str)
    microglia = kept & (lineage == "microglia").to_numpy()
    macrophage = kept & lineage.isin(["infiltrating_macrophage", "border_macrophage"]).to_numpy()
    hexb = kept & shown(counts, genes, ["Hexb"])[:, 0]
    none = ~shown(counts, genes, LEUKOCYTE).any(axis=1)
    return {
        "cells": int(kept.sum()), "microglia": int(microglia.sum()), "Hexb+ cells": int(hexb.sum()),
        "of them microglia": ratio(microglia, hexb), "macrophages": int(macrophage.sum()),
        "of them without leukocyte genes": int((macrophage & none).sum()),
    }  # fmt: skip


def largest_share(terms: Floats) -> tuple[int, float]:
    """Return which gene holds the largest share of the evidence for recovery, and that share.

    ``terms``: evidence of each gene in each cell (genes × cells); what speaks against recovery is left out. (-1, NaN)
    without evidence.
    """
    total = np.maximum(terms, 0).sum(axis=1)
    if not total.sum() > 0:
        return -1, float("nan")
    return int(total.argmax()), float(total.max() / total.sum())


def call_measures(own: pd.DataFrame, seen: Bools, both: Bools, terms: Floats, names: Texts) -> dict[str, float | str]:
    """Return how the microglia of one library were called.

    Parameters
    ----------
    own
        The call's table of these cells.
    seen
        Which cells show which signature gene (cells × genes).
    both
        Which cells show both *Itgax* and *Igf1* (cells,).
    terms
        Evidence of each gene in each cell (genes × cells), 0 where it was not called.
    names
        Names of the genes of ``terms``.
    """
    call = own["recovery_call"]
    called = call.fillna(False).to_numpy(bool)
    without = own["recovery_call_without"].fillna(False).to_numpy(bool)
    everyone = np.ones(len(own), dtype=bool)
    gene, share = largest_share(terms[:, called])
    judged = bool(call.notna().any())
    return {
        "microglia": len(own), "called cells": int(called.sum()),
        "called": ratio(called, everyone) if judged else float("nan"),
        "without a cutoff": mixture_share(own["recovery_score"].to_numpy(float))[0],
        "Itgax+ Igf1+": int(both.sum()), "of them called": ratio(called, both) if judged else float("nan"),
        "of them called without these two": ratio(without, both) if judged else float("nan"),
        "called, one signature gene": int((called & (seen.sum(axis=1) <= 1)).sum()),
        "called on one gene": int((called & own["on_one_gene"].to_numpy(bool)).sum()),
        "called, lost without one gene": int((called & (own["hangs_on"] != "").to_numpy()).sum()),
        "largest gene": names[gene] if gene >= 0 else "–", "its share of the evidence": share,
    }  # fmt: skip


# ---------------------------------------------------------------- one set


@contextmanager
def recorded(genes: pd.Index) -> Iterator[Evidence]:
    """Keep the weights and resting profiles that a call makes its final scores with.

    They stand in none of its tables, and learning them again would double the time.
    """
    evidence, original = Evidence(genes), evidence_by_gene

    def keep(
        counts: sp.csr_matrix,
        refined: Refined,
        resting: Resting | list[Resting],
        chosen: Bools,
        level_weights: LevelWeights,
        offset: Offset,
    ) -> tuple[ByGene, Floats]:
        evidence.refined, evidence.resting = refined, resting
        return original(counts, refined, resting, chosen, level_weights, offset)

    with patch.object(scores, "evidence_by_gene", keep):
        yield evidence


def gene_evidence(counts: sp.csr_matrix, evidence: Evidence, cells: Bools) -> tuple[Floats, Texts]:
    """Return each gene's evidence at the likeliest level of recovery (genes × cells; 0 for other cells), and the genes' names."""
    refined, resting = evidence.refined, evidence.resting
    if refined is None or resting is None:
        return np.zeros((0, len(cells))), np.array([], dtype=str)
    columns = np.unique(np.concatenate([w.columns[w.recovery != 1] for w in refined.weights]))
    terms = np.zeros((len(columns), len(cells)))
    for rows, weights, rest in parts_by_fold(refined, resting, cells):
        fit, own = likelihoods_and_terms(counts[rows], weights, rest, robust)
        level = (fit.turned + np.log(TYPICAL_WEIGHTS)[:, None]).argmax(axis=0)
        place = np.searchsorted(columns, weights.columns[weights.recovery != 1])
        for gene, term in zip(place, own, strict=True):
            terms[gene, rows] = term[level, np.arange(len(rows))]
    return terms, evidence.genes[columns].to_numpy(str)


def score_measures(microglia: ad.AnnData, cells: pd.DataFrame, both: Bools) -> pd.DataFrame:
    """Return the AUROC of each score without *Itgax* and *Igf1* for cells that show both (scores × measures)."""
    import scanpy as sc

    counts, genes = counts_of(microglia), pd.Index(microglia.var_names)
    without = present([g for g in SIGNATURES.recovery.up if g not in LEFT_OUT], set(genes))
    columns = positions(genes, without)
    normal = ad.AnnData(counts.astype(np.float32), var=pd.DataFrame(index=genes))
    sc.pp.normalize_total(normal, target_sum=1e4)
    sc.pp.log1p(normal)
    sc.tl.score_genes(normal, without, score_name="score", ctrl_size=50, n_bins=20)
    found: dict[str, Floats] = {
        "ours": cells["recovery_score_without_itgax_igf1"].to_numpy(float),
        "UCell": score_sets(rank_gains(counts), genes, {"ucell": without})["ucell"].to_numpy(float),
        "AUCell": aucell(counts, columns),
        "scanpy score_genes": normal.obs["score"].to_numpy(float),
        "sum of counts": np.asarray(counts[:, columns].sum(axis=1)).ravel().astype(float),
    }
    depth, library = cells["n_counts"].to_numpy(float), cells["library"].to_numpy(str)
    found["depth alone"] = depth
    rows = [
        {
            "score": name,
            "all libraries": auroc_at_depth(score, both, depth),
            "within libraries": auroc_within(score, both, depth, library),
        }
        for name, score in found.items()
    ]
    return pd.DataFrame(rows)


def measure_calls(
    microglia: ad.AnnData, recovered: RecoveryResult, evidence: Evidence, both: Bools
) -> list[dict[str, float | str]]:
    """Return the measures of the call, one row a library."""
    counts, genes, cells = counts_of(microglia), pd.Index(microglia.var_names), recovered.cells
    called = cells["recovery_call"].fillna(False).to_numpy(bool)
    terms, names = gene_evidence(counts, evidence, called)
    seen = shown(counts, genes, SIGNATURES.recovery.up)
    library = cells["library"].to_numpy(str)
    rows = []
    for name in pd.unique(library):
        own = library == name
        found = call_measures(cells[own], seen[own], both[own], terms[:, own], names)
        rows.append({"library": str(name), "condition": str(cells.loc[own, "condition"].iloc[0]), **found})
    return rows


def myeloid_of(libraries: Sequence[Library], name: str) -> tuple[ad.AnnData, list[dict[str, float | str]]]:
    """Return the myeloid cells of libraries, as the pipeline finds them, and how the gate took each library."""
    parts: list[ad.AnnData] = []
    gate: list[dict[str, float | str]] = []
    for own in libraries:
        counts = read_counts(own.path)
        facts = FACTS | {"library": own.name, "sort": own.sort}
        result = process_library(counts, facts, SIGNATURES, CellSettings(), seed=1)
        parts.append(result.myeloid)
        same = counts[result.cells["barcode"].to_numpy(str)]
        taken = gate_measures(result.cells, counts_of(same), pd.Index(counts.var_names))
        gate.append({"set": name, "library": own.name, **taken})
    return merge(parts, sheet_of(name, libraries)), gate


def microglia_of(libraries: Sequence[Library], name: str) -> ad.AnnData:
    """Return the microglia of libraries."""
    myeloid, _ = myeloid_of(libraries, name)
    return myeloid[(obs_of(myeloid)["lineage"] == "microglia").to_numpy()].copy()


def one_set(name: str) -> dict[str, pd.DataFrame]:
    """Run the pipeline's steps on one set, and measure."""
    warnings.simplefilter("ignore")
    start = time.perf_counter()
    myeloid, gate = myeloid_of(libraries_of(name), name)
    microglia = myeloid[(obs_of(myeloid)["lineage"] == "microglia").to_numpy()].copy()
    with recorded(pd.Index(microglia.var_names)) as evidence:
        recovered = call_recovery(myeloid, SIGNATURES, RecoverySettings(n_null_sets=100), seed=1)
    both = shown(counts_of(microglia), pd.Index(microglia.var_names), LEFT_OUT).all(axis=1)
    calls = pd.DataFrame(measure_calls(microglia, recovered, evidence, both))
    auroc = score_measures(microglia, recovered.cells, both) if both.sum() >= LEAST_SAME else pd.DataFrame()
    refused = recovered.report["refinement"]["refused"]
    facts_of_set = {
        "set": name, "microglia": microglia.n_obs, "Itgax+ Igf1+": int(both.sum()),
        "weights": f"prior: {refused}" if refused else "learnt", "seconds": round(time.perf_counter() - start),
    }  # fmt: skip
    courses = (
        [row for share, which in COURSES for row in one_course(microglia, both, share, which)] if name == "pups" else []
    )
    calls.insert(0, "set", name)
    auroc.insert(0, "set", name)
    return {
        "calls": calls, "scores": auroc, "courses": pd.DataFrame(courses), "sets": pd.DataFrame([facts_of_set]),
        "gate": pd.DataFrame(gate),
    }  # fmt: skip


# ---------------------------------------------------------------- time courses made of real cells


def course_of(
    microglia: ad.AnnData, both: Bools, share: float, which: str, *, seed: int = 1
) -> tuple[ad.AnnData, pd.DataFrame]:
    """Return a time course made of adults' and pups' microglia, and its sheet.

    Four adult libraries are dealt out to a naive animal and one each of days 3, 14 and 35, so that the days differ in nothing but the
    cells that are put in: pups' cells, each adult library's from one library of pups (``obs['put_in']``). Nobody knows which of the pups'
    cells run the programme; of those that show both genes nearly all should.
    """
    rng = np.random.default_rng(seed)
    library = microglia.obs["library"].to_numpy(str)
    adults, pups = ([name for name in np.unique(library) if name.startswith(start)] for start in ("P30", "P4_"))
    parts, rows = [], []
    for adult, young in zip(adults, pups, strict=True):
        own = rng.permutation(np.flatnonzero(library == adult))
        pool = np.flatnonzero((library == young) & (both if which == "Itgax+ Igf1+" else True))
        for place, (condition, day, part) in enumerate(
            (("naive", 0, 0.0), ("injured", 3, 0.0), ("injured", 14, share), ("injured", 35, share / 3))
        ):
            added = rng.choice(pool, min(rng.binomial(COURSE_CELLS, part), len(pool)), replace=False)
            taken = own[place * COURSE_CELLS : (place + 1) * COURSE_CELLS - len(added)]
            name = f"{condition} {day}, {adult[-5:]}"
            cells = microglia[np.concatenate([taken, added])].copy()
            cells.obs = obs_of(cells).assign(
                library=name,
                subject=name,
                day=float(day),
                condition=condition,
                arm="",
                put_in=np.arange(cells.n_obs) >= len(taken),
            )
            cells.obs_names = [f"{name}:{number}" for number in range(cells.n_obs)]
            parts.append(cells)
            facts = {"library": name, "subject": name, "day": float(day), "condition": condition, "batch": adult}
            rows.append(facts | {"sort": "microglia", "arm": "", "sex": "", "age": "", "strain": "", "chemistry": "pups",
                                 "pooled_n": 1, "include": True})  # fmt: skip
    return ad.concat(parts, merge="same"), pd.DataFrame(rows)


def judged(cells: ad.AnnData, sheet: pd.DataFrame) -> tuple[RecoveryResult, pd.DataFrame, float]:
    """Return the calls in a course of microglia, its days (route ``score``), and the first day shown above control; NaN if none is."""
    recovered = call_recovery(cells.copy(), SIGNATURES, RecoverySettings(n_null_sets=1), seed=1)
    totals = sheet[["library"]].assign(**dict.fromkeys(("microglia", "myeloid", "all"), COURSE_CELLS))
    units = add_mixture(fractions(recovered.cells, sheet, totals), recovered.cells, sheet)
    status = (recovered.report["status"], recovered.report["reason"])
    days, onset = run_timeline(units, audit(sheet), status, TimelineSettings(n_draws=1000, n_bootstrap=0), seed=1)
    first = float(onset.loc[onset["route"] == "score", "first_above"].iloc[0])
    return recovered, days[days["route"] == "score"], first


def one_course(microglia: ad.AnnData, both: Bools, share: float, which: str) -> list[dict[str, float | str]]:
    """Return what the pipeline finds in a course, one row a day."""
    cells, sheet = course_of(microglia, both, share, which)
    recovered, days, first = judged(cells, sheet)
    called = recovered.cells["recovery_call"].fillna(False).to_numpy(bool)
    put_in = cells.obs["put_in"].to_numpy(bool)
    rows: list[dict[str, float | str]] = []
    for row in days.to_dict("records"):
        here = (recovered.cells["day"] == row["day"]).to_numpy()
        rows.append({
            "set": "pups in adults", "cells put in": which, "day": row["day"], "put in": ratio(put_in, here),
            "of them called": ratio(called, here & put_in), "of the others called": ratio(called, here & ~put_in),
            "share found": row["fraction"], "from": row["low"], "to": row["high"], "q": row["q"],
            "above control from": first,
        })  # fmt: skip
    return rows


def tables_as_text(found: Sequence[dict[str, pd.DataFrame]]) -> str:
    """Return the tables of all sets as Markdown."""
    titles = {
        "calls": "### The call in real libraries",
        "scores": "### AUROC of scores without Itgax and Igf1 for cells that show both, at the same depth",
        "courses": "### Time courses made of real cells: what was put in on each day, and what was found",
        "sets": "### The sets",
        "gate": "### The gate in real libraries",
    }
    joined = {key: pd.concat([tables[key] for tables in found], ignore_index=True) for key in titles}
    return "\n\n".join(
        f"{title}\n\n{markdown(joined[key].set_index('set'), '.3f')}"
        for key, title in titles.items()
        if len(joined[key])
    )


def main() -> None:
    """Measure all sets, print the tables, and put them into the page if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", action="store_true", help="put the tables into docs/accuracy.md; needs all sets")
    parser.add_argument("--only", choices=SETS, help="one set")
    chosen = parser.parse_args()
    if chosen.docs and chosen.only:
        parser.error("--docs writes the tables of all sets; leave --only out")
    names = [chosen.only] if chosen.only else list(SETS)
    with ProcessPoolExecutor(2) as pool:
        text = tables_as_text(list(pool.map(one_set, names)))
    print(text)
    if chosen.docs:
        write_between("accuracy.md", BEGIN, END, text)


if __name__ == "__main__":
    main()
