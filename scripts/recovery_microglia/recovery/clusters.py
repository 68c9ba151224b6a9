"""Recovery cells by clusters, and how two ways of calling agree."""

from typing import Any

import numpy as np
import pandas as pd

from recovery_microglia.core.arrays import Floats
from recovery_microglia.core.statistics import wilson
from recovery_microglia.recovery.calibration import call_above
from recovery_microglia.recovery.scores import SCORERS
from recovery_microglia.recovery.settings import RecoverySettings


def recovery_clusters(clusters: pd.Series, above: Floats, *, nominal: float, least_share: float = 0.5) -> pd.DataFrame:
    """Return per cluster the share of cells above the cutoff, and whether the cluster is a recovery cluster.

    A recovery cluster has half of its cells above the cutoff, and the lower end of the share's 95 % interval
    lies above five times the nominal rate of controls. With a quarter asked for, a large cluster that holds a part of the recovery
    cells of the late days passed for one in the demo, a fifth of the control cells with it.
    """
    rows = []
    for name, index in clusters.groupby(clusters, observed=True, sort=True).indices.items():
        known = above[index][np.isfinite(above[index])]
        share = float(known.mean()) if len(known) else np.nan
        low = wilson(float(known.sum()), len(known))[0]
        rows.append((name, len(index), share, bool(share >= least_share and low > 5 * nominal)))
    return pd.DataFrame(rows, columns=["cluster", "n", "recovery_share", "recovery"])


def agreement(first: pd.Series, second: pd.Series) -> dict[str, Any]:
    """Return how two routes agree over the cells that both call: numbers and Cohen's kappa."""
    both = first.notna() & second.notna()
    a, b = first[both].astype(bool), second[both].astype(bool)
    n = len(a)
    if n == 0:
        return {"n": 0, "both": 0, "only_first": 0, "only_second": 0, "kappa": np.nan}
    same = float((a == b).mean())
    chance = float(a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean()))
    return {
        "n": n,
        "both": int((a & b).sum()),
        "only_first": int((a & ~b).sum()),
        "only_second": int((~a & b).sum()),
        "kappa": (same - chance) / (1 - chance) if chance < 1 else np.nan,
    }


def cluster_route(cells: pd.DataFrame, obs: pd.DataFrame, settings: RecoverySettings) -> pd.DataFrame:
    """Add ``cluster_call`` for the reported partition and return the table over all resolutions."""
    above = call_above(cells[SCORERS["score"]].to_numpy(float), cells["cutoff"].to_numpy(float))
    share = above.to_numpy(dtype=float, na_value=np.nan)
    tables = []
    cells["cluster_call"] = pd.array([pd.NA] * len(cells), dtype="boolean")
    for column in [name for name in obs.columns if name.startswith("leiden")]:
        clusters = obs[column].astype(str).reset_index(drop=True)
        table = recovery_clusters(clusters, share, nominal=1 - settings.quantile)
        if column == "leiden":
            call = clusters.map(dict(zip(table["cluster"], table["recovery"], strict=True)))
            known = cells["cutoff"].notna()
            # where no cluster is one of recovery cells the route has no answer; that is not the answer none
            if table["recovery"].any():
                cells.loc[known, "cluster_call"] = call[known].astype(bool)
        else:
            table.insert(0, "resolution", float(column.removeprefix("leiden_")))
            tables.append(table)
    empty = pd.DataFrame(columns=["resolution", "cluster", "n", "recovery_share", "recovery"])
    return pd.concat(tables, ignore_index=True) if tables else empty
