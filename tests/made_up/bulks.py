"""Pseudobulks drawn from negative binomials, with known changes."""

from typing import Any

import numpy as np
import pandas as pd

from recovery_microglia.drivers.pseudobulks import Pseudobulks

GENES = [f"Gene{k}" for k in range(300)]


def drawn(
    samples: pd.DataFrame, moved: np.ndarray, changed: dict[str, float], *, seed: int = 1, level: float = 60.0
) -> Pseudobulks:
    """Return counts of 300 genes (dispersion 0.05); ``changed`` genes are times as high where ``moved`` is true."""
    rng = np.random.default_rng(seed)
    mean = np.tile(rng.gamma(2, level / 2, len(GENES)) + 5, (len(samples), 1))
    for gene, times in changed.items():
        mean[moved, GENES.index(gene)] *= times
    counts = rng.poisson(mean * rng.gamma(20, 1 / 20, mean.shape))
    return Pseudobulks(pd.DataFrame(counts, index=samples.index, columns=GENES), samples)


def animals(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the table of samples; what a row does not say is as usual."""
    usual = {"arm": "", "condition": "injured", "day": 14.0, "cells": 50, "sex": "male", "chemistry": "v3", "batch": ""}
    return pd.DataFrame([{**usual, "cells_of": "all", **row} for row in rows])
