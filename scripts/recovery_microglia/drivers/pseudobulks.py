"""Counts summed over the cells of an animal: what is compared is animals, never cells."""

from collections.abc import Sequence
from dataclasses import dataclass

import anndata as ad
import numpy as np
import pandas as pd

from recovery_microglia.core.anndata_access import counts_of, obs_of
from recovery_microglia.core.frame_access import positions
from recovery_microglia.core.kernels import group_sums

UNIT = ["arm", "subject", "day", "condition"]
"""What an animal is: its two sides, or its days, are units of their own."""
LEAST_CELLS = 10
"""Cells that a pseudobulk needs; one of fewer is left out."""
RECOVERY, OTHERS, ALL = "recovery", "others", "all"


@dataclass(frozen=True)
class Pseudobulks:
    """Sums of counts.

    Attributes
    ----------
    counts
        Pseudobulks × genes, whole numbers; the index numbers the pseudobulks.
    samples
        One row a pseudobulk, with the same index: arm, subject, day, condition, cells_of (which cells were summed), cells (how
        many), sex, chemistry, batch.
    """

    counts: pd.DataFrame
    samples: pd.DataFrame

    def of(self, kept: pd.Series) -> "Pseudobulks":
        """Return those pseudobulks for which ``kept`` is true."""
        return Pseudobulks(self.counts[kept], self.samples[kept])


def _joined(own: pd.Series) -> str:
    return "; ".join(sorted(set(own.astype(str))))


def facts_of(sheet: pd.DataFrame) -> pd.DataFrame:
    """Return sex, chemistry and batch of each animal; several values of its libraries are joined."""
    included = sheet[sheet["include"]]
    names = ["sex", "chemistry", "batch"]
    joined = included.groupby(UNIT, dropna=False, sort=False)[names].agg(_joined)
    return joined.reset_index()


def pseudobulks(counts: ad.AnnData, cells_of: Sequence[str] | pd.Series, sheet: pd.DataFrame) -> Pseudobulks:
    """Sum the counts of the cells of each animal, apart by what they are.

    Parameters
    ----------
    counts
        Cells × genes, raw counts; obs with arm, subject, day, condition.
    cells_of
        What each cell is; empty for a cell that is left out.
    sheet
        One row a library.
    """
    obs = obs_of(counts)[UNIT].assign(cells_of=np.asarray(cells_of, dtype=object)).reset_index(drop=True)
    used = obs[obs["cells_of"] != ""]
    groups = used.groupby([*UNIT, "cells_of"], dropna=False, sort=True, observed=True)
    number = np.full(len(obs), -1, dtype=np.int64)
    number[used.index] = groups.ngroup().to_numpy()
    samples = groups.size().rename("cells").reset_index()
    sums = group_sums(counts_of(counts), number, len(samples))
    facts = facts_of(sheet).astype({"day": float})
    samples = samples.astype({"day": float, "arm": str, "subject": str, "condition": str})
    samples = samples.merge(facts, on=UNIT, how="left")
    table = pd.DataFrame(sums, index=samples.index, columns=pd.Index(counts.var_names.astype(str)))
    return Pseudobulks(table, samples)


def by_call(microglia: ad.AnnData, cells: pd.DataFrame, sheet: pd.DataFrame) -> Pseudobulks:
    """Return the pseudobulks of recovery cells and of other microglia of each animal; cells without a call are left out.

    Parameters
    ----------
    microglia
        Microglia × genes.
    cells
        One row a microglia: cell, recovery_call (may be missing).
    """
    place = positions(pd.Index(cells["cell"]), [str(name) for name in microglia.obs_names])
    call = cells["recovery_call"].astype("boolean")
    words = np.where(call.isna(), "", np.where(call.fillna(False).astype(bool), RECOVERY, OTHERS))
    named = [str(words[k]) if k >= 0 else "" for k in place]
    return pseudobulks(microglia, named, sheet)


def per_ten_thousand(counts: pd.DataFrame) -> pd.DataFrame:
    """Return counts per 10,000 of each pseudobulk."""
    return 1e4 * counts.div(counts.sum(axis=1).clip(lower=1), axis=0)
