# mypy: ignore-errors
# (real files are read with anndata, pandas and scipy as they come; their types leave X open, see CONTRIBUTING.md)
"""The lineage gate measured: real libraries, cells drawn from real profiles by another law, and the project's scenarios.

    .venv/bin/python benchmarks/lineage_gate.py                # all parts, some two minutes
    .venv/bin/python benchmarks/lineage_gate.py drawn real     # some parts: drawn, kinds, real, scenarios

The drawn cells do not come from the project's simulator. Mean profiles are those of cells in real libraries
(GSE111527 for the tissue, changes between pups, adults and border macrophages from GSE121654, between DAM and quiet
plates from GSE98969), which cells are of which kind is told by counting a few genes; infiltrating cells, which no
library at hand holds in number, are the microglial profile with published genes moved. Counts are drawn with log-normal
levels of gene modules, gamma noise of a gene's own, a share of ambient RNA that differs between cells, and doublets.
Sets of real data that are absent are named and left out.
"""

import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.setdefault(variable, "1")

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "scripts"), str(HERE / "accuracy"), str(HERE)]

import anndata as ad  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import scipy.sparse as sp  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from recovery_microglia.core.genes import MYELOID, load_signatures, resolve_symbols  # noqa: E402
from recovery_microglia.library.process import process_library  # noqa: E402
from recovery_microglia.library.settings import CellSettings  # noqa: E402

Floats = NDArray[np.float64]
DATA = HERE.parents[1] / "shared" / "data"
SIGNATURES = load_signatures(HERE.parent / "config" / "signatures")
FACTS = {"sex": "", "droplets": "auto", "sort": "none", "injury_class": "peripheral_nerve"}
OTHERS = tuple(name for name in MYELOID if name not in ("microglia", "ambiguous_myeloid"))
LEUKOCYTE = [
    "Ptprc",
    "Tyrobp",
    "Fcer1g",
    "Laptm5",
    "Coro1a",
    "Cd53",
    "Csf1r",
    "Ctss",
    "Cd52",
    "Spi1",
    "Lcp1",
    "Cybb",
    "Aif1",
]
MICROGLIA = ["P2ry12", "Tmem119", "Cx3cr1", "Hexb", "Gpr34", "Siglech", "Olfml3", "Fcrls", "Selplg", "P2ry13"]

# ---------------------------------------------------------------- real libraries


def _text(path: Path) -> ad.AnnData:
    table = pd.read_csv(path, sep="\t", index_col=0)
    var = pd.DataFrame(index=pd.Index(resolve_symbols([str(name) for name in table.index]).symbols, dtype=object))
    counts = sp.csr_matrix(table.to_numpy(dtype=np.int32).T)
    first = ~var.index.duplicated()
    return ad.AnnData(counts[:, first], obs=pd.DataFrame(index=table.columns.astype(str)), var=var[first])


@cache
def library(path: Path) -> ad.AnnData:
    """Return a real library, raw counts."""
    return ad.read_h5ad(path) if path.suffix == ".h5ad" else _text(path)


def libraries(folder: str, pattern: str) -> list[Path]:
    """Return the files of a set; none, with a word, where it is absent."""
    found = sorted((DATA / folder).glob(pattern))
    if not found:
        print(f"{folder}/{pattern}: not at hand, left out")
    return found


def seen(counts: ad.AnnData, genes: Sequence[str]) -> Floats:
    """Return how many of some genes each cell shows."""
    names = pd.Index(counts.var_names)
    columns = [names.get_loc(gene) for gene in genes if gene in names]
    return np.asarray((counts.X[:, columns] > 0).sum(axis=1), dtype=float).ravel()


def gated(counts: ad.AnnData, name: str, **facts: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the kept cells of a library after the workflow's own step, and its report."""
    result = process_library(counts, FACTS | {"library": name} | facts, SIGNATURES, CellSettings())
    kept = result.cells[result.cells["removed_by"] == ""]
    return kept.set_index("barcode"), result.report


# ---------------------------------------------------------------- profiles of real cells

TISSUE = {
    "astrocyte": "Aldoc Slc1a2 Slc1a3 Gja1 Clu Ntsr2",
    "oligodendrocyte": "Plp1 Mag Mog Cldn11 Ermn Mobp",
    "opc": "Pdgfra Cspg5 Gpr17 Lhfpl3 Neu4 C1ql1",
    "neuron": "Snap25 Syt1 Meg3 Stmn2 Rbfox3 Celf4",
    "endothelial": "Cldn5 Flt1 Itm2a Ly6c1 Pltp Slco1a4",
    "pericyte": "Vtn Rgs5 Higd1b Ndufa4l2 Kcnj8 Pdgfrb",
    "ependymal": "Ccdc153 Tmem212 Dynlrb2 Rarres2 Foxj1 Mia",
    "microglia": "Hexb C1qa C1qb C1qc Ctss P2ry12",
}
HOMEOSTATIC = [
    "P2ry12",
    "Tmem119",
    "Siglech",
    "Sall1",
    "Gpr34",
    "P2ry13",
    "Cx3cr1",
    "Fcrls",
    "Olfml3",
    "Selplg",
    "Sparc",
    "Crybb1",
    "Slc2a5",
]
SPECIFIC = [
    *HOMEOSTATIC,
    *[
        "Hexb",
        "Serpine2",
        "Lag3",
        "Gpr84",
        "Tspan7",
        "Nav3",
        "Cadm1",
        "Ecscr",
        "Adgrg1",
        "Rnase4",
        "Ltc4s",
        "Lpcat2",
        "Golm1",
    ],
]
INFILTRATING = {
    **dict.fromkeys(["Lyz2", "S100a6", "Vim", "Lgals3"], 2e-3),
    **dict.fromkeys(
        ["S100a4", "Fn1", "Tmsb10", "Crip1", "Anxa2", "S100a10", "S100a11", "Ahnak", "Emp3", "Cd44", "Ifitm3", "Plac8"],
        8e-4,
    ),
    **dict.fromkeys(
        [
            "Ccr2",
            "Ly6c2",
            "Ms4a7",
            "Tgfbi",
            "Arg1",
            "Thbs1",
            "Chil3",
            "F13a1",
            "Cd36",
            "Clec4n",
            "Mgst1",
            "Ifitm2",
            "Itga4",
            "Clec4d",
        ],
        3e-4,
    ),
    **dict.fromkeys(
        ["F10", "Fabp4", "Mcemp1", "Clec12a", "Emilin2", "Ifitm6", "Sell", "Hp", "Ms4a6c", "Itgal", "Msr1"], 1e-4
    ),
}
DENDRITIC = dict.fromkeys(["Cd74", "H2-Aa", "H2-Ab1", "H2-Eb1"], 4e-3) | dict.fromkeys(
    [
        "Flt3",
        "Cd209a",
        "Ccr7",
        "Napsa",
        "Plbd1",
        "Zbtb46",
        "Itgax",
        "Batf3",
        "Fscn1",
        "Ifi30",
        "Ckb",
        "Tbc1d4",
        "Traf1",
    ],
    4e-4,
)
NEUTROPHIL = dict.fromkeys(["S100a8", "S100a9"], 2e-2) | dict.fromkeys(
    ["Retnlg", "Lcn2", "Mmp9", "Cxcr2", "Il1r2", "G0s2", "Csf3r", "Ly6g", "Hdc", "Slpi", "Msrb1", "Wfdc21"], 1e-3
)
SHARED_GENES = {"S100a4": 1.3e-3, "S100a6": 1.2e-3, "Fn1": 9e-4}
"""Genes of macrophages that pericytes and fibroblasts hold too: seen in 80 to 90 % of cells of 1,800 counts."""
FIBROBLAST = dict.fromkeys(["Col1a1", "Dcn", "Col1a2", "Col3a1"], 2e-3) | dict.fromkeys(
    ["Lum", "Igfbp2", "Slc6a13", "Pdgfra", "Bgn", "Serping1", "Nupr1", "Tgfbi", "Thbs1"], 4e-4
)


def kinds_of(counts: ad.AnnData) -> NDArray[np.object_]:
    """Return the kind of each cell by counting genes: three or more of one kind, twice as many as of any other; else ''."""
    found = np.column_stack([seen(counts, genes.split()) for genes in TISSUE.values()])
    order = np.sort(found, axis=1)
    clear = (order[:, -1] >= 3) & (order[:, -1] >= 2 * order[:, -2])
    return np.where(clear, np.array(list(TISSUE), dtype=object)[found.argmax(axis=1)], "")


def _mean(counts: sp.csr_matrix) -> Floats:
    total = np.asarray(counts.sum(axis=0), dtype=float).ravel()
    return total / max(total.sum(), 1)


Chosen = Callable[[ad.AnnData], NDArray[np.bool_]]


def _change(one: tuple[list[Path], Chosen], other: tuple[list[Path], Chosen], genes: pd.Index) -> Floats:
    """Return the fold change of each gene (1 where not measured) between some cells of some libraries and others."""
    sums = np.zeros((2, len(genes)))
    for row, (files, chosen) in enumerate((one, other)):
        for path in files:
            own = library(path)
            where = genes.get_indexer(pd.Index(own.var_names))
            total = np.asarray(own.X[chosen(own)].sum(axis=0), dtype=float).ravel()
            np.add.at(sums[row], where[where >= 0], total[where >= 0])
    scale = sums.sum(axis=1, keepdims=True)
    means = sums / scale + 2e-6
    return np.clip(means[0] / means[1], 1 / 60, 60)


@cache
def real_profiles() -> tuple[pd.Index, dict[str, Floats]]:
    """Return genes, and the mean profile of each kind (rows sum to one), from real cells."""
    files = libraries("zywitza2018_svz_dropseq", "*.gz")
    if not files:
        return pd.Index([]), {}
    genes = pd.Index(library(files[0]).var_names)
    for path in files[1:]:
        genes = genes.intersection(pd.Index(library(path).var_names))
    moved = [*INFILTRATING, *DENDRITIC, *NEUTROPHIL, *SHARED_GENES, *FIBROBLAST]
    known = [gene for group in SIGNATURES.lineages.values() for gene in group.up]
    genes = (
        genes[~genes.duplicated()].append(pd.Index([*moved, *known, *LEUKOCYTE])).unique()
    )  # some no adult brain shows
    sums = {kind: np.zeros(len(genes)) for kind in TISSUE}
    for path in files:
        own = library(path)
        kind, where = kinds_of(own), pd.Index(own.var_names).get_indexer(genes)
        for name in TISSUE:
            total = np.append(np.asarray(own.X[kind == name].sum(axis=0), dtype=float).ravel(), 0.0)  # -1: not measured
            sums[name] += total[where]
    whole = sum(sums.values())
    shapes = {name: (total + 200 * whole / whole.sum()) / (total.sum() + 200) for name, total in sums.items()}
    shapes = {name: shape + 2e-7 for name, shape in shapes.items()}
    _add_myeloid(shapes, genes)
    return genes, {name: shape / shape.sum() for name, shape in shapes.items()}


def _raise(shape: Floats, genes: pd.Index, levels: Mapping[str, float], rng: np.random.Generator) -> Floats:
    own = shape.copy()
    for gene, level in levels.items():
        if gene in genes:
            own[genes.get_loc(gene)] = max(own[genes.get_loc(gene)], level * rng.lognormal(0, 0.4))
    return own


def _add_myeloid(shapes: dict[str, Floats], genes: pd.Index) -> None:
    rng = np.random.default_rng(11)
    base = shapes["microglia"]
    hammond, plates = "hammond2019_microglia", "kerenshaul2017_marsseq"
    border_genes = ("Mrc1", "Pf4", "Ms4a7", "Cbr2", "Stab1", "F13a1", "Cd163", "Lyve1")

    def plain(own: ad.AnnData) -> NDArray[np.bool_]:
        return (seen(own, MICROGLIA) >= 3) & (seen(own, border_genes) == 0)

    def border(own: ad.AnnData) -> NDArray[np.bool_]:
        return seen(own, border_genes) >= 3

    shapes["pup_microglia"] = shapes["dam_microglia"] = shapes["border_macrophage"] = base
    if adult := libraries(hammond, "P30*.h5ad"):
        old = libraries(hammond, "old*.h5ad")
        shapes["pup_microglia"] = base * _change((libraries(hammond, "P4*.h5ad"), plain), (adult, plain), genes)
        # in a library of sorted microglia border macrophages hold microglial RNA from outside: taken away here
        foreign = np.where(genes.isin(SPECIFIC), 0.15, 1.0)
        shapes["border_macrophage"] = base * foreign * _change((old, border), (old, plain), genes)
    if rich := libraries(plates, "plate34*"):
        shapes["dam_microglia"] = base * _change((rich, plain), (libraries(plates, "plate[179]*"), plain), genes)
    specific, homeostatic = genes.isin(SPECIFIC), genes.isin(HOMEOSTATIC)
    stripped = np.where(specific, base * np.exp(rng.uniform(np.log(0.01), np.log(0.12), len(genes))), base)
    stripped *= np.exp(rng.normal(0, 0.5, len(genes)))  # what else differs between two kinds of cell
    stripped[genes.isin(["C1qa", "C1qb", "C1qc"])] *= 0.4
    shapes["infiltrating_macrophage"] = _raise(stripped, genes, INFILTRATING, rng)
    no_complement = np.where(genes.str.match("C1q[abc]|Csf1r|Apoe|Ms4a7|Trem2"), stripped * 0.05, stripped)
    shapes["dendritic_cell"] = _raise(no_complement, genes, DENDRITIC, rng)
    shapes["neutrophil"] = _raise(no_complement, genes, NEUTROPHIL, rng)
    reactive = np.where(
        homeostatic, shapes["dam_microglia"] * rng.uniform(0.15, 0.5, len(genes)), shapes["dam_microglia"]
    )
    reactive = _raise(reactive, genes, {"Spp1": 2e-3, "Lgals3": 1e-3, "Gpnmb": 6e-4, "Lpl": 4e-4, "Vim": 8e-4}, rng)
    shapes["contusion_microglia"] = reactive
    for name, likeness in (("macrophage_like_30", 0.3), ("macrophage_like_50", 0.5), ("macrophage_like_65", 0.65)):
        logs = [np.log(part / part.sum() + 1e-9) for part in (shapes["infiltrating_macrophage"], reactive)]
        between = np.exp((1 - likeness) * logs[0] + likeness * logs[1])
        own = genes.isin(list(INFILTRATING))  # a gene that is off in microglia is halfway at half of its level
        levels = [np.exp(log) for log in logs]
        shapes[name] = np.where(own, (1 - likeness) * levels[0] + likeness * levels[1], between)
    shapes["pericyte_s100"] = _raise(shapes["pericyte"], genes, SHARED_GENES, rng)
    shapes["fibroblast"] = _raise(shapes["pericyte_s100"], genes, FIBROBLAST, rng)
    shapes["fibroblast"][genes.isin(["Vtn", "Rgs5", "Higd1b", "Ndufa4l2", "Kcnj8", "Abcc9"])] *= 0.03
    shapes["astrocyte_s100"] = _raise(shapes["astrocyte"], genes, {"S100a6": 1.2e-3, "S100a4": 3e-4, "Vim": 1e-3}, rng)


# ---------------------------------------------------------------- cells drawn from them


def draw(
    mixture: Mapping[str, float],
    n: int,
    *,
    seed: int,
    depth: float = 1800,
    ambient: float = 0.06,
    doublets: float = 0.05,
) -> tuple[ad.AnnData, NDArray[np.object_]]:
    """Draw a library; return counts and the kind of each cell (``doublet`` for two, ``a+b`` for one that is half of each)."""
    genes, shapes = real_profiles()
    rng = np.random.default_rng([seed, 5])
    names = list(mixture)
    share = np.array([mixture[name] for name in names], dtype=float)
    kind = np.array(names, dtype=object)[rng.choice(len(names), n, p=share / share.sum())]
    loads = rng.normal(0, 0.2, (6, len(genes)))
    noise = rng.uniform(0.2, 1.0, len(genes)) ** 2
    mean = np.empty((n, len(genes)), dtype=np.float32)
    for name in names:
        rows = np.flatnonzero(kind == name)
        parts = name.split("+")
        shape = sum(shapes[part] for part in parts) / len(parts)
        own = shape * np.exp(rng.normal(size=(len(rows), 6)) @ loads)
        own *= rng.gamma(1 / noise, noise, own.shape)
        mean[rows] = own / own.sum(axis=1, keepdims=True)
    size = depth * rng.lognormal(0, 0.5, n)
    mean *= size[:, None]
    two = rng.random(n) < doublets
    mean[two] = 0.8 * (mean[two] + mean[rng.integers(0, n, two.sum())])
    kind[two] = "doublet"
    soup = mean.sum(axis=0) / mean.sum()
    part = rng.beta(2, 2 / ambient - 2, n).astype(np.float32)
    mean = (1 - part[:, None]) * mean + (part * mean.sum(axis=1))[:, None] * soup
    counts = sp.csr_matrix(rng.poisson(mean).astype(np.int32))
    obs = pd.DataFrame(index=[f"c{i}" for i in range(n)])
    return ad.AnnData(counts, obs=obs, var=pd.DataFrame(index=genes.astype(object))), kind


NERVE = {
    **{"microglia": 0.15, "pup_microglia": 0.04, "dam_microglia": 0.06, "border_macrophage": 0.02},
    **{"pericyte_s100": 0.08, "fibroblast": 0.03, "astrocyte_s100": 0.05, "astrocyte": 0.1, "oligodendrocyte": 0.25},
    **{"endothelial": 0.12, "neuron": 0.06, "opc": 0.05, "ependymal": 0.02, "dendritic_cell": 0.005},
}
CORD = NERVE | {"infiltrating_macrophage": 0.15, "border_macrophage": 0.04, "dendritic_cell": 0.02, "neutrophil": 0.02}
LIKE = {"contusion_microglia": 0.15, "dam_microglia": 0.05, "microglia": 0.05, "pup_microglia": 0}
DRAWN: dict[str, tuple[str, dict[str, float], dict[str, float]]] = {
    "nerve": ("peripheral_nerve", NERVE, {}),
    "nerve, no macrophages, shallow": ("peripheral_nerve", NERVE, {"depth": 900}),
    "nerve, much ambient RNA": ("peripheral_nerve", NERVE, {"ambient": 0.18}),
    "cord": ("spinal_cord", CORD, {}),
    "contusion, macrophages 30 % like microglia": (
        "spinal_cord", CORD | LIKE | {"infiltrating_macrophage": 0.05, "macrophage_like_30": 0.2}, {}
    ),
    "contusion, 50 %": ("spinal_cord", CORD | LIKE | {"infiltrating_macrophage": 0.05, "macrophage_like_50": 0.2}, {}),
    "contusion, 65 %": ("spinal_cord", CORD | LIKE | {"infiltrating_macrophage": 0.03, "macrophage_like_65": 0.2}, {}),
}  # fmt: skip


def drawn_part(seeds: Sequence[int] = (1, 2, 3), n: int = 1500) -> pd.DataFrame:
    """Return the gate's figures on drawn libraries, one row a scenario."""
    if not real_profiles()[1]:
        return pd.DataFrame()
    rows = []
    for name, (injury, mixture, how) in DRAWN.items():
        frames, alarms = [], 0
        for seed in seeds:
            counts, kind = draw(mixture, n, seed=seed, **how)
            kept, report = gated(counts, name, injury_class=injury)
            alarms += any(notice["code"] == "many_macrophages" for notice in report["notices"])
            frames.append(kept.assign(kind=pd.Series(kind, index=counts.obs_names).loc[kept.index].to_numpy()))
        rows.append({"scenario": name, **_figures(pd.concat(frames)), "alarms": f"{alarms}/{len(seeds)}"})
    return pd.DataFrame(rows).set_index("scenario")


def _figures(cells: pd.DataFrame) -> dict[str, float]:
    single = cells[cells["kind"] != "doublet"]
    true = single["kind"].str.contains("microglia")
    named = single["lineage"] == "microglia"
    stroma = single["kind"].isin(["pericyte_s100", "fibroblast", "astrocyte_s100", "astrocyte", "pericyte"])
    macrophage = single["kind"].str.startswith(("infiltrating", "macrophage"))
    border = single["kind"].isin(["border_macrophage", "dendritic_cell", "neutrophil"])
    white = single["lineage"].isin(MYELOID)
    return {
        "precision": (true & named).sum() / max(named.sum(), 1),
        "recall": (true & named).sum() / true.sum(),
        "ambiguous": (true & single["lineage"].str.startswith("ambiguous")).sum() / true.sum(),
        "stroma as myeloid": (stroma & white).sum() / stroma.sum(),
        "macrophages as microglia": (macrophage & named).sum() / max(macrophage.sum(), 1),
        "macrophages as other myeloid": (macrophage & single["lineage"].isin(OTHERS)).sum() / max(macrophage.sum(), 1),
        "border, DC, neutrophil as microglia": (border & named).sum() / max(border.sum(), 1),
        "the same as other myeloid": (border & single["lineage"].isin(OTHERS)).sum() / max(border.sum(), 1),
        "doublets as microglia": float((cells.loc[cells["kind"] == "doublet", "lineage"] == "microglia").mean()),
    }


# ---------------------------------------------------------------- libraries of few kinds, few cells, bulk


def kinds_part() -> pd.DataFrame:
    """Return what becomes of halves, of small libraries, of libraries of one kind and of bulk profiles."""
    rows: list[dict[str, Any]] = []

    def add(case: str, what: str, part: float, of: float, report: Mapping[str, Any], most: str) -> None:
        notes = " ".join(note["code"] for note in report["notices"])
        rows.append({"case": case, "measure": what, "part": part, "of": of, "named": most, "notices": notes})

    if real_profiles()[1]:
        for second in ("infiltrating_macrophage", "border_macrophage"):
            name = f"contusion_microglia+{second}"
            counts, kind = draw(
                CORD | LIKE | {"infiltrating_macrophage": 0.15, name: 0.055}, 1500, seed=4, doublets=0.0
            )
            kept, report = gated(counts, name, injury_class="spinal_cord")
            own = kept[kind[counts.obs_names.get_indexer(kept.index)] == name]
            add(
                f"half microglia, half {second}",
                "named microglia",
                (own["lineage"] == "microglia").sum(),
                len(own),
                report,
                _most(own),
            )
        for kind_name in (
            "oligodendrocyte",
            "infiltrating_macrophage",
            "microglia",
            "contusion_microglia",
            "astrocyte_s100",
        ):
            counts, _ = draw({kind_name: 1}, 300, seed=5, doublets=0.0)
            kept, report = gated(counts, kind_name)
            wanted = "microglia" if "microglia" in kind_name else kind_name.replace("_s100", "")
            add(
                f"300 {kind_name}, nothing else",
                f"named {wanted}",
                (kept["lineage"] == wanted).sum(),
                len(kept),
                report,
                _most(kept),
            )
        genes, shapes = real_profiles()
        rng = np.random.default_rng(3)
        bulk = np.array([shapes["dam_microglia" if i % 2 else "microglia"] for i in range(12)])
        bulk = rng.poisson(rng.gamma(20, bulk * 3e6 / 20)).astype(np.int32)
        counts = ad.AnnData(
            sp.csr_matrix(bulk),
            obs=pd.DataFrame(index=[f"b{i}" for i in range(12)]),
            var=pd.DataFrame(index=genes.astype(object)),
        )
        kept, report = gated(counts, "bulk")
        add(
            "12 bulk profiles of microglia",
            "named microglia",
            (kept["lineage"] == "microglia").sum(),
            len(kept),
            report,
            _most(kept),
        )
    rng = np.random.default_rng(8)
    for path in libraries("zywitza2018_svz_dropseq", "*.gz"):
        own = library(path)
        kind = kinds_of(own)
        deep = np.asarray(own.X.sum(axis=1)).ravel() >= 400
        for many, other in ((15, 15), (25, 5)):
            for first, second in (
                ("oligodendrocyte", "microglia"),
                ("oligodendrocyte", "astrocyte"),
                ("microglia", "astrocyte"),
            ):
                pool = [np.flatnonzero((kind == name) & deep) for name in (first, second)]
                chosen = np.concatenate(
                    [rng.choice(pool[0], many, replace=False), rng.choice(pool[1], other, replace=False)]
                )
                kept, report = gated(own[chosen].copy(), "small")
                told = kind[chosen][own.obs_names[chosen].get_indexer(kept.index)]
                good = kept["lineage"].to_numpy() == told
                add(
                    f"{path.name[:10]}: {many} {first}, {other} {second}",
                    "named rightly",
                    good.sum(),
                    len(kept),
                    report,
                    _most(kept[~good]),
                )
    for path in libraries("hammond2019_microglia", "*.h5ad"):
        own = library(path)
        pool = np.flatnonzero((np.asarray(own.X.sum(axis=1)).ravel() >= 400) & (seen(own, MICROGLIA) >= 4))
        kept, report = gated(own[rng.choice(pool, 30, replace=False)].copy(), "small")
        add(
            f"30 cells of {path.stem}",
            "named microglia",
            (kept["lineage"] == "microglia").sum(),
            len(kept),
            report,
            _most(kept),
        )
    return pd.DataFrame(rows).set_index("case")


def _most(cells: pd.DataFrame) -> str:
    return " ".join(f"{name}:{n}" for name, n in cells["lineage"].value_counts().head(4).items())


# ---------------------------------------------------------------- real libraries


def real_part() -> pd.DataFrame:
    """Return how many plain microglia keep that lineage, and the myeloid cells without any leukocyte gene."""
    rows = []
    sets = [
        ("hammond2019_microglia", "*.h5ad"),
        ("kerenshaul2017_marsseq", "*.h5ad"),
        ("kerenshaul2017_marsseq", "*.gz"),
    ]
    for folder, pattern in [*sets, ("zywitza2018_svz_dropseq", "*.gz"), ("sousa2018_lps_microglia", "*.gz")]:
        for path in libraries(folder, pattern):
            own = library(path)
            start = time.perf_counter()
            kept, report = gated(own, path.name.split(".")[0])
            seconds = time.perf_counter() - start
            cells = own[kept.index]
            plain, hexb = seen(cells, MICROGLIA) >= 4, seen(cells, ["Hexb"]) > 0
            named = (kept["lineage"] == "microglia").to_numpy()
            other = kept["lineage"].isin(OTHERS).to_numpy()
            bare = other & (seen(cells, LEUKOCYTE) < 2)
            rows.append(
                {
                    "library": path.name.split(".")[0],
                    "kept": len(kept),
                    "plain": int(plain.sum()),
                    "plain named": (plain & named).sum() / max(plain.sum(), 1),
                    "Hexb+": int(hexb.sum()),
                    "Hexb+ named": (hexb & named).sum() / max(hexb.sum(), 1),
                    "other myeloid": int(other.sum()),
                    "0-1 leukocyte genes": int(bare.sum()),
                    "ambiguous": int(kept["lineage"].str.startswith("ambiguous").sum()),
                    "alarm": any(note["code"] == "many_macrophages" for note in report["notices"]),
                    "seconds": round(seconds, 2),
                }
            )
    return pd.DataFrame(rows).set_index("library")


# ---------------------------------------------------------------- the project's scenarios


def scenarios_part(seeds: Sequence[int] = (1, 2)) -> pd.DataFrame:
    """Return the gate's precision and recall in scenarios of benchmarks/accuracy, pooled over their libraries."""
    from run import simulate
    from scenarios import load_scenarios

    rows = []
    scenarios = load_scenarios()
    for name in (
        "nerve_injury",
        "null_hard",
        "cord_injury",
        "cord_injury_hard",
        "sorted",
        "nuclei",
        "shallow",
        "ambient_and_doublets",
        "neonatal_like",
    ):
        if name not in scenarios:
            continue
        scenario = scenarios[name] | {"design": {"naive": {0: 1}, "injured": {1: 1, 7: 1, 35: 1}}}
        frames, alarms = [], 0
        for seed in seeds:
            counts, truth, sheet = simulate(scenario, seed)
            for own, sort in zip(sheet["library"], sheet["sort"], strict=True):
                injury = "spinal_cord" if name.startswith("cord") else "peripheral_nerve"
                kept, report = gated(counts[own], own, sort=sort, injury_class=injury)
                alarms += any(note["code"] == "many_macrophages" for note in report["notices"])
                known = truth.loc[(own + ":" + kept.index)]
                frames.append(
                    kept.assign(kind=np.where(known["doublet"] | known["low_quality"], "doublet", known["cell_type"]))
                )
        rows.append({"scenario": name, **_figures(pd.concat(frames)), "alarms": f"{alarms}/{len(frames)}"})
    return pd.DataFrame(rows).set_index("scenario")


PARTS: dict[str, Callable[[], pd.DataFrame]] = {
    "drawn": drawn_part,
    "kinds": kinds_part,
    "real": real_part,
    "scenarios": scenarios_part,
}


def tables(names: Sequence[str]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the tables of some parts."""
    for name in names:
        yield name, PARTS[name]()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    pd.set_option("display.width", 250, "display.max_columns", 30, "display.max_colwidth", 70)
    for part, table in tables(sys.argv[1:] or list(PARTS)):
        print(f"\n## {part}\n{table.round(3).to_string()}", flush=True)
