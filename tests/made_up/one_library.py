"""Libraries with known truth, and real ones, for the tests of one library's steps."""

from functools import cache
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

from recovery_microglia.core.frame_access import records
from recovery_microglia.core.genes import Signatures, load_signatures, resolve_symbols
from recovery_microglia.simulate.libraries import profiles, simulate_library
from recovery_microglia.simulate.parameters import Parameters, load_parameters

ROOT = Path(__file__).resolve().parents[2]
FACTS = {"library": "L1", "organism": "mouse", "injury_class": "none", "assay": "cells"}
FACTS |= {"droplets": "auto", "sex": "", "sort": "none"}


@cache
def signatures() -> Signatures:
    return load_signatures(ROOT / "config" / "signatures")


@cache
def parameters() -> Parameters:
    return load_parameters(ROOT / "config" / "datasets" / "demo" / "simulation")


@cache
def demo_library(name: str, n_cells: int) -> tuple[ad.AnnData, pd.DataFrame]:
    """Return a library of the demo and its truth; callers must not change them."""
    sheet = pd.read_csv(ROOT / "config" / "datasets" / "demo" / "samples.tsv", sep="\t", keep_default_na=False)
    row = records(sheet[sheet["library"] == name])[0]
    return simulate_library(parameters(), row, n_cells=n_cells, seed=1)


@cache
def demo_shapes() -> tuple[pd.Index, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return the demo's genes, the expression of its cell types and the fold changes of its programmes."""
    shape = profiles(parameters())
    types = {name: np.exp2(row) for name, row in zip(shape.types, shape.log2_types, strict=True)}
    programmes = {name: np.exp2(row) for name, row in zip(shape.programmes, shape.log2_programmes, strict=True)}
    return pd.Index(parameters().genes["gene"]), types, programmes


def draw(
    kinds: dict[str, tuple[np.ndarray, int]], *, depth: float = 2000, ambient: float = 0.08, seed: int = 0
) -> tuple[sp.csr_matrix, np.ndarray]:
    """Draw cells of given expression profiles with overdispersion and ambient RNA; return counts and kinds."""
    rng = np.random.default_rng(seed)
    blocks, names = [], []
    for name, (profile, n) in kinds.items():
        mean = np.outer(depth * rng.lognormal(0, 0.4, n), profile / profile.sum())
        blocks.append(rng.poisson(mean * rng.gamma(5, 1 / 5, mean.shape)))
        names += [name] * n
    counts = np.vstack(blocks)
    soup = counts.sum(axis=0) / counts.sum()
    counts = counts + rng.poisson(ambient * counts.sum(axis=1)[:, None] * soup)
    return sp.csr_matrix(counts.astype(np.int32)), np.array(names)


@cache
def real_library(path: Path) -> ad.AnnData:
    """Read a dense genes × barcodes text table of ``shared/data`` without the project's own readers."""
    blocks, names = [], []
    for chunk in pd.read_csv(path, sep="\t", index_col=0, chunksize=2000):
        barcodes = chunk.columns
        names += list(chunk.index)
        blocks.append(sp.csr_matrix(chunk.to_numpy(dtype=np.int32)))
    var = pd.DataFrame(index=pd.Index(resolve_symbols(names).symbols, dtype=object))
    counts = sp.csr_matrix(sp.vstack(blocks).T)
    return ad.AnnData(counts, obs=pd.DataFrame(index=pd.Index(barcodes, dtype=object)), var=var)
