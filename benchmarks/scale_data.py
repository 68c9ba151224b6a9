"""Whole-tissue libraries of any size as Cell Ranger writes them, for `scale.py`: fast, with the demo's cell types.

A cell draws its molecules one by one from the profile of its type (the demo's tables, with real symbols added up to
25,000 genes, and no overdispersion beyond that of depth and type); a recovering microglia draws a part of them from the
turned profile. About 8 % of the cells are myeloid, 4 % are doublets, 6 % of the molecules are ambient; some 3,300 UMIs
and 1,750 genes a cell. 25,000 cells take about 20 CPU seconds.
"""

import csv
import gzip
import json
import shutil
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numba
import numpy as np
import yaml
from isal import igzip
from numpy.typing import NDArray

from recovery_microglia.simulate.libraries import profiles
from recovery_microglia.simulate.parameters import load_parameters

ROOT = Path(__file__).resolve().parents[1]
CACHE = Path("/tmp/recovery-microglia-scale")
VERSION = 2
"""Changes with what is drawn, so that no cached data of another kind are measured."""
N_GENES = 25_000
SHARES = {
    "microglia": 0.06,
    "border_macrophage": 0.008,
    "infiltrating_macrophage": 0.004,
    "dendritic_cell": 0.004,
    "neutrophil": 0.004,
    "oligodendrocyte": 0.36,
    "astrocyte": 0.14,
    "endothelial": 0.17,
    "neuron": 0.15,
    "opc": 0.06,
    "pericyte": 0.03,
    "fibroblast": 0.01,
}
EXTRA_SHARE, DEPTH = 0.45, 1.45
"""Share of the molecules that the added genes take, and the depth that makes up for part of it."""
AMBIENT, DOUBLETS = 0.06, 0.04
DESIGN = [("naive", 0), ("injured", 14), ("naive", 0), ("injured", 14), ("naive", 0), ("injured", 3), ("injured", 7), ("injured", 35)]  # fmt: skip
TURNED = {0: 0.01, 3: 0.03, 7: 0.12, 14: 0.25, 35: 0.12}
"""Share of turned microglia by day."""


@dataclass(frozen=True)
class Drawn:
    """Cumulative profiles (profiles × genes; the last is the turned microglia's), depths by type, and names."""

    cumulative: NDArray[np.float64]
    depth: NDArray[np.float64]
    spread: NDArray[np.float64]
    kinds: list[str]
    genes: list[str]
    ids: list[str]


def _profiles(n_genes: int) -> Drawn:
    tables = load_parameters(ROOT / "config/datasets/demo/simulation")
    shape = profiles(tables)
    rates = np.exp2(shape.log2_types)
    turned = rates[shape.types.index("microglia")] * np.exp2(shape.log2_programmes[shape.programmes.index("recovery")])
    rates = np.vstack([rates, turned])
    rates /= rates.sum(axis=1, keepdims=True)
    genes, ids = list(tables.genes["gene"]), list(tables.genes["id"])
    with gzip.open(ROOT / "scripts/recovery_microglia/core/data/genes_mouse.tsv.gz", "rt") as stream:
        rows = list(csv.DictReader(filter(lambda line: line[0] != "#", stream), delimiter="\t"))
    known = set(genes)
    symbol, identifier = (next(c for c in rows[0] if w in c) for w in ("symbol", "id"))
    others: dict[str, str] = {}
    for r in rows:
        if r[symbol] not in known:
            others.setdefault(r[symbol], r[identifier])
    more = list(others.items())[: n_genes - len(genes)]
    rng = np.random.default_rng(7)
    base = rng.lognormal(0, 1.6, len(more))
    extra = base * np.exp(rng.normal(0, 0.35, (len(rates), len(more))))
    extra[-1] = extra[shape.types.index("microglia")]
    extra /= extra.sum(axis=1, keepdims=True)
    rates = np.hstack([(1 - EXTRA_SHARE) * rates, EXTRA_SHARE * extra])
    kinds = tables.cell_types.set_index("cell_type").loc[shape.types]
    share = np.array([SHARES[name] for name in shape.types])
    soup = share @ rates[:-1] / share.sum()
    rates = (1 - AMBIENT) * rates + AMBIENT * soup
    return Drawn(
        np.cumsum(rates, axis=1),
        DEPTH * kinds["median_umis"].to_numpy(float),
        kinds["sd_log_umis"].to_numpy(float),
        list(shape.types),
        genes + [name for name, _ in more],
        ids + [name for _, name in more],
    )


@numba.njit
def _draw(cumulative, kind, turned, partner, depth, seed):  # type: ignore[no-untyped-def]  # numba's
    """Return the counts of the cells as indptr, genes and counts."""
    np.random.seed(seed)  # noqa: NPY002 (numba's own generator)
    n, n_genes = len(kind), cumulative.shape[1]
    size = int(depth.sum() * 0.75) + n_genes
    genes, counts = np.empty(size, np.int32), np.empty(size, np.int32)
    indptr = np.zeros(n + 1, np.int64)
    seen = np.zeros(n_genes, np.int32)
    filled = 0
    last = cumulative.shape[0] - 1
    for cell in range(n):
        touched = np.empty(int(depth[cell]) + 1, np.int32)
        k = 0
        for _ in range(int(depth[cell])):
            who = cell
            if partner[cell] >= 0 and np.random.random() < 0.5:  # noqa: NPY002
                who = partner[cell]
            profile = kind[who]
            if turned[who] > 0 and np.random.random() < turned[who]:  # noqa: NPY002
                profile = last
            place = np.random.random() * cumulative[profile, n_genes - 1]  # noqa: NPY002
            gene = np.searchsorted(cumulative[profile], place)
            if seen[gene] == 0:
                touched[k] = gene
                k += 1
            seen[gene] += 1
        own = np.sort(touched[:k])
        if filled + k > size:
            size = 2 * size
            more_genes, more_counts = np.empty(size, np.int32), np.empty(size, np.int32)
            more_genes[:filled], more_counts[:filled] = genes[:filled], counts[:filled]
            genes, counts = more_genes, more_counts
        for gene in own:
            genes[filled], counts[filled] = gene, seen[gene]
            seen[gene] = 0
            filled += 1
        indptr[cell + 1] = filled
    return indptr, genes[:filled], counts[:filled]


@numba.njit
def write_lines(indptr, genes, counts, first, last, before=0):  # type: ignore[no-untyped-def]  # numba's
    """Return the lines ``gene cell count`` of some cells as bytes; ``before`` cells stand before the first of all."""
    out = np.empty((indptr[last] - indptr[first]) * 33, np.uint8)
    digits = np.empty(20, np.uint8)
    at = 0
    for cell in range(first, last):
        for k in range(indptr[cell], indptr[cell + 1]):
            for place in range(3):
                value = genes[k] + 1 if place == 0 else before + cell + 1 if place == 1 else counts[k]
                n = 0
                while value > 0:
                    digits[n] = 48 + value % 10
                    value //= 10
                    n += 1
                while n > 0:
                    n -= 1
                    out[at] = digits[n]
                    at += 1
                out[at] = 10 if place == 2 else 32
                at += 1
    return out[:at]


def _write_gz(path: Path, parts: Iterable[bytes]) -> None:
    with path.open("wb") as raw, igzip.IGzipFile(fileobj=raw, mode="wb", compresslevel=2, mtime=0) as stream:
        for part in parts:
            stream.write(part)


def _who(
    shape: Drawn, name: str, day: int, n_cells: int
) -> tuple[np.random.Generator, NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Return the generator of a library, and of each cell its kind, how far it is turned, and its partner or -1."""
    rng = np.random.default_rng([VERSION, zlib.crc32(name.encode())])
    share = np.array([SHARES[kind] for kind in shape.kinds])
    kind = rng.choice(len(shape.kinds), n_cells, p=share / share.sum())
    level = np.where(rng.random(n_cells) < TURNED[day], rng.beta(5, 2, n_cells), rng.beta(1, 14, n_cells))
    partner = np.where(rng.random(n_cells) < DOUBLETS, rng.integers(0, n_cells, n_cells), -1)
    return rng, kind, level, partner


def truth(number: int, n_cells: int) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """Return the kind of each cell of the library of a number (from 1), and that of its partner, empty for a single cell."""
    shape = _profiles(N_GENES)
    _, kind, _, partner = _who(shape, f"L{number:03d}", DESIGN[(number - 1) % len(DESIGN)][1], n_cells)
    names = np.array(shape.kinds)[kind]
    return names, np.where(partner >= 0, names[partner], "")


def _library(shape: Drawn, name: str, day: int, n_cells: int, folder: Path) -> None:
    rng, kind, level, partner = _who(shape, name, day, n_cells)
    microglia = kind == shape.kinds.index("microglia")
    depth = shape.depth[kind] * np.exp(rng.normal(0, shape.spread[kind])) * np.where(partner >= 0, 1.6, 1.0)
    seed = int(rng.integers(2**31))
    indptr, genes, counts = _draw(shape.cumulative, kind, np.where(microglia, level, 0.0), partner, depth, seed)
    folder.mkdir(parents=True)
    head = f"%%MatrixMarket matrix coordinate integer general\n%metadata_json: {{}}\n{len(shape.genes)} {n_cells} {len(genes)}\n"
    blocks = range(0, n_cells, 1000)
    lines = (write_lines(indptr, genes, counts, start, min(start + 1000, n_cells)).data for start in blocks)
    _write_gz(folder / "matrix.mtx.gz", (part for parts in ([head.encode()], lines) for part in parts))
    letters = np.array(list("ACGT"))
    barcodes = {"".join(row): None for row in letters[rng.integers(0, 4, (n_cells + 100, 16))]}
    _write_gz(folder / "barcodes.tsv.gz", (f"{barcode}-1\n".encode() for barcode in list(barcodes)[:n_cells]))
    pairs = zip(shape.ids, shape.genes, strict=True)
    _write_gz(folder / "features.tsv.gz", (f"{i}\t{symbol}\tGene Expression\n".encode() for i, symbol in pairs))


def _kept(shape: Drawn, name: str, day: int, n_cells: int) -> Path:
    """Return the folder of a library, drawn if it is not there: a larger data set begins with those of a smaller one."""
    folder = CACHE / f"v{VERSION}-libraries" / f"{n_cells}-{len(shape.genes)}" / name
    if not folder.exists():
        partial = folder.with_name(f"{name}.part")
        shutil.rmtree(partial, ignore_errors=True)
        _library(shape, name, day, n_cells, partial)
        partial.rename(folder)
        print(f"made {name}: {n_cells:,} cells", flush=True)
    return folder


def made(cells: int, per_library: int, n_genes: int = N_GENES) -> Path:
    """Return a folder with a data set of so many cells: ``counts/<library>/`` and ``entry/``, made if it is not there.

    ``entry`` is what goes under ``config/datasets/<name>/``.
    """
    folder = CACHE / f"v{VERSION}-{cells}-{per_library}-{n_genes}"
    if (folder / "done.json").exists():
        return folder
    shape = _profiles(n_genes)
    sizes = [per_library] * (cells // per_library) + ([cells % per_library] if cells % per_library else [])
    rows = []
    for number, size in enumerate(sizes):
        condition, day = DESIGN[number % len(DESIGN)]
        name = f"L{number + 1:03d}"
        rows.append([name, f"mouse{number + 1:03d}", str(day), condition, "", "", "10x 3' v3", "", "none", "1", name, "yes", ""])  # fmt: skip
        counts = folder / "counts" / name
        counts.parent.mkdir(parents=True, exist_ok=True)
        if not counts.is_symlink():
            counts.symlink_to(_kept(shape, name, day, size), target_is_directory=True)
    entry = folder / "entry"
    entry.mkdir(exist_ok=True)
    head = [
        "library",
        "subject",
        "day",
        "condition",
        "sex",
        "age",
        "chemistry",
        "batch",
        "sort",
        "pooled_n",
        "file",
        "include",
        "reason",
    ]
    (entry / "samples.tsv").write_text("".join("\t".join(row) + "\n" for row in [head, *rows]), encoding="utf-8")
    facts = {
        "title": f"Simulated for scale: {cells:,} cells",
        "organism": "mouse",
        "injury_model": "simulated peripheral nerve injury",
        "injury_class": "peripheral_nerve",
        "tissue": "lumbar spinal cord, whole tissue (simulated)",
        "assay": "cells",
        "enrichment": "none",
        "folder": str(folder / "counts"),
        "notes": "Simulated by benchmarks/scale.py; says nothing about mice.",
    }
    (entry / "dataset.yaml").write_text(yaml.safe_dump(facts), encoding="utf-8")
    (folder / "done.json").write_text(json.dumps({"cells": cells, "libraries": len(sizes)}))
    return folder
