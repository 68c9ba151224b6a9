"""Compile what the first jobs of an installation would compile, each for itself. Run at set-up; no result depends on it.

    python scripts/compile_loops.py

Two small simulated libraries go through what jobs do with theirs, made-up points through the layout. numba keeps what it
compiles beside the code (or in ``NUMBA_CACHE_DIR``) until the code changes.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from recovery_microglia.core.frames import read_commented
from recovery_microglia.core.genes import load_signatures
from recovery_microglia.core.processes import mapped
from recovery_microglia.drivers.activities import activities
from recovery_microglia.drivers.networks import Network, load_resources
from recovery_microglia.drivers.pseudobulks import Pseudobulks
from recovery_microglia.drivers.signals import OTHER_MICROGLIA, RECEIVER, signals
from recovery_microglia.library.process import process_library, write_library
from recovery_microglia.library.settings import CellSettings
from recovery_microglia.myeloid import ClusterSettings, merge
from recovery_microglia.myeloid.embedding import umap
from recovery_microglia.myeloid.step import myeloid_step
from recovery_microglia.readers.any_layout import read_counts
from recovery_microglia.simulate.libraries import simulate

CONFIG = Path(__file__).parents[1] / "config"
CELLS = 300
"""In each library: enough for every step to have something to do."""


def compile_counts() -> None:
    """Compile the passes over counts: two libraries from their files to clusters."""
    sheet = pd.read_csv(CONFIG / "datasets/demo/samples.tsv", sep="\t").head(2)
    signatures, parts = load_signatures(CONFIG / "signatures"), []
    with TemporaryDirectory() as folder:
        out = Path(folder)
        simulate(CONFIG / "datasets/demo/simulation", sheet, out, cells_per_library=CELLS, seed=1)
        for name in sheet["file"]:
            facts = {"library": name, "sex": "", "sort": "none", "droplets": "auto", "injury_class": "peripheral_nerve"}
            result = process_library(read_counts(out / name), facts, signatures, CellSettings(), seed=1)
            parts.append(out / f"{name}.h5ad")
            write_library(result, out / "cells.parquet", parts[-1], out / "sums.parquet")
        myeloid_step(merge(parts, sheet), ClusterSettings(n_resamples=1), seed=1)


def compile_layout() -> None:
    """Compile UMAP."""
    umap(np.random.default_rng(1).normal(size=(CELLS, 10)), seed=1)


def compile_activities() -> None:
    """Compile decoupler's two models: ten sources of ten genes each."""
    genes = pd.Index([f"gene{number}" for number in range(100)])
    values = pd.DataFrame(np.random.default_rng(1).normal(size=(4, len(genes))), columns=genes)
    statistic = values.mean()
    net = pd.DataFrame({"source": [gene[:5] for gene in genes], "target": genes, "weight": statistic.to_numpy()})
    resource = load_resources(CONFIG / "knowledge/networks.tsv")[0]
    activities("made up", statistic, [Network(resource, net)], animals=values)


def compile_signals() -> None:
    """Compile what LIANA needs: ten pairs between two groups of two animals."""
    genes = [f"gene{number}" for number in range(10)]
    samples = pd.DataFrame(
        [("", subject, 14.0, "injured", of, 20) for subject in "ab" for of in (RECEIVER, OTHER_MICROGLIA)],
        columns=["arm", "subject", "day", "condition", "cells_of", "cells"],
    )
    counts = pd.DataFrame(np.random.default_rng(1).poisson(20, (len(samples), len(genes))), columns=genes)
    sheet = pd.DataFrame({"subject": ["a", "b"], "sort": "none", "include": True})
    corrections = read_commented(CONFIG / "knowledge/pairs.tsv", text=True)
    pairs = pd.DataFrame({"ligand": genes, "receptor": genes[::-1]})
    signals(Pseudobulks(counts, samples), sheet, corrections, pairs)


PARTS = (compile_counts, compile_activities, compile_layout, compile_signals)

if __name__ == "__main__":
    mapped(lambda part: part(), PARTS, threads=2)
