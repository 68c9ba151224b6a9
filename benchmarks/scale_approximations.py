"""What large libraries and large merges give up for speed, beside the exact way and the truth, for `scale.py`.

Above 10,000 cells a library doublets are told from fewer simulated ones, by axes of some cells and neighbours of the
nearest groups, and lineages are learnt from some cells of each kind. Above 25,000 myeloid cells the stability of
clusters is that of a pool.
"""

import contextlib
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from unittest.mock import patch

import anndata as ad
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scale_data import made, truth
from scipy.stats import rankdata

from recovery_microglia.core.genes import MYELOID, load_signatures
from recovery_microglia.library import doublets
from recovery_microglia.library.lineage import gate
from recovery_microglia.library.process import LibraryResult, process_library
from recovery_microglia.library.settings import CellSettings
from recovery_microglia.myeloid import neighbours, stability
from recovery_microglia.myeloid.settings import ClusterSettings
from recovery_microglia.readers.any_layout import read_counts

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = (1, 4)
"""A naive one, and one of day 14."""
ALL = 10**9


@contextlib.contextmanager
def exactly() -> Iterator[None]:
    """Treat a large library as a small one."""
    search = partial(doublets._simulated_neighbours, exact_up_to=ALL)
    with (
        patch.object(doublets, "AT_ONCE", ALL),
        patch.object(doublets, "_simulated_neighbours", search),
        patch.object(gate, "ALL_LEARN", ALL),
    ):
        yield


def _auc(score: NDArray[np.float64], yes: NDArray[np.bool_]) -> float:
    """Return the chance that a score of those that are is above one of those that are not (ties: half)."""
    n = int(yes.sum())
    return float((rankdata(score)[yes].sum() - n * (n + 1) / 2) / (n * (len(yes) - n)))


def _row(found: LibraryResult, exact: LibraryResult, number: int) -> dict[str, float]:
    """Return how well doublets and myeloid cells are told, and how much is as in the exact way."""
    table = found.cells
    kind, partner = truth(number, len(table))
    double, of_two = partner != "", (partner != "") & (partner != kind)
    score, called = table["doublet_score"].to_numpy(float), (table["removed_by"] == "doublet").to_numpy()
    tested = np.isfinite(score) & ~(double & ~of_two)
    single = (table["removed_by"] == "").to_numpy() & ~double
    myeloid, truly = table["lineage"].isin(MYELOID).to_numpy()[single], np.isin(kind, MYELOID)[single]
    both = np.isfinite(score) & np.isfinite(exact.cells["doublet_score"])
    return {
        "AUC": _auc(score[tested], of_two[tested]),
        "doublets of two kinds found": called[tested & of_two].mean(),
        "called that are doublets": double[called].mean(),
        "myeloid found": myeloid[truly].mean(),
        "called myeloid that are": truly[myeloid].mean(),
        "correlation of scores": np.corrcoef(score[both], exact.cells["doublet_score"][both])[0, 1],
        "same lineage": (table["lineage"] == exact.cells["lineage"]).mean(),
    }


def libraries_measured(per_library: int) -> list[dict[str, object]]:
    """Return one row a library and way; the last two columns compare with the exact way, cell by cell."""
    signatures, rows = load_signatures(ROOT / "config/signatures"), []
    folder = made(max(LIBRARIES) * per_library, per_library) / "counts"
    for number in LIBRARIES:
        facts = {"library": f"L{number:03d}", "sex": "", "sort": "none", "droplets": "auto"}
        counts = read_counts(folder / f"L{number:03d}")
        runs = {}
        for way, seed in (("exact", 1), ("exact, another seed", 2), ("as used", 1)):
            start = time.process_time()
            with contextlib.nullcontext() if way == "as used" else exactly():
                runs[way] = process_library(
                    counts, {**facts, "injury_class": "peripheral_nerve"}, signatures, CellSettings(), seed=seed
                )
            took = time.process_time() - start
            told = _row(runs[way], runs["exact"], number)
            rows.append({"library": facts["library"], "way": way, "CPU s": took, **told})
            print(rows[-1], flush=True)
    return rows


def pool_measured(clustered: Path) -> list[dict[str, object]]:
    """Return one row a resolution: stability of the clusters of all cells by resamples of all, and of the pool."""
    adata = ad.read_h5ad(clustered, backed="r")
    points, obs = np.asarray(adata.obsm["X_pca"], dtype=np.float64), adata.obs
    settings = ClusterSettings()
    partitions = {r: np.asarray(obs[f"leiden_{r:g}"].cat.codes, dtype=np.int64) for r in settings.resolutions}
    enough = 2 * settings.n_neighbors + 10
    pool = np.sort(np.random.default_rng(1).permutation(len(points))[: stability.POOL])
    told, took = {}, {}
    for name, cells in (("all", np.arange(len(points))), ("pool", pool)):
        start = time.process_time()
        indices, _ = neighbours.nearest_neighbours(points[cells], enough)
        told[name] = stability.stability(points[cells], indices, partitions, settings, seed=1, cells=cells)[0]
        took[name] = time.process_time() - start
        print(f"stability by resamples of {name}: {took[name]:.0f} CPU s", flush=True)
    return [
        {
            "resolution": r,
            "clusters": len(told["all"][r]),
            "stability, all": _weighted(told["all"][r], partitions[r]),
            "stability, pool": _weighted(told["pool"][r], partitions[r]),
            "largest difference of a cluster": float(np.nanmax(np.abs(told["all"][r] - told["pool"][r]))),
            "smallest cluster, cells": int(np.bincount(partitions[r]).min()),
            "all, CPU s": took["all"],
            "pool, CPU s": took["pool"],
        }
        for r in partitions
    ]


def _weighted(stability: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Return the mean over clusters, weighted by their cells, as a partition is judged."""
    return float(np.average(np.nan_to_num(stability), weights=np.bincount(labels)))


def tables(record: dict[str, list[dict[str, object]]]) -> list[pd.DataFrame]:
    """Return the two tables of the page."""
    keys = {"libraries": "library", "pool": "resolution"}
    return [pd.DataFrame(record[name]).set_index(key) for name, key in keys.items() if record.get(name)]
