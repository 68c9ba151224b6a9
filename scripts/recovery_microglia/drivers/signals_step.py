"""The step `signals`: pseudobulks of all lineages, and the pairs that reach recovery cells."""

from collections.abc import Mapping

import anndata as ad
import pandas as pd

from recovery_microglia.core.json_files import Json
from recovery_microglia.core.vocabulary import Status
from recovery_microglia.drivers.pseudobulks import by_call
from recovery_microglia.drivers.signals import Signals, consensus_pairs, nothing, sender_bulks, signals


def signals_step(
    *,
    sheet: pd.DataFrame,
    cells: pd.DataFrame,
    recovery: Json,
    myeloid: ad.AnnData,
    sums: Mapping[str, pd.DataFrame],
    every_cell: pd.DataFrame,
    corrections: pd.DataFrame,
) -> Signals:
    """Return the ligand-receptor pairs by arm and day.

    Parameters
    ----------
    sheet
        One row a library.
    cells
        One row a microglia: cell, recovery_call.
    recovery
        What the call says of itself: status, reason.
    myeloid
        All myeloid cells, raw counts.
    sums
        Library to its sums of counts (genes × lineages).
    every_cell
        One row a cell of every library: library, lineage, removed_by.
    corrections
        ``config/knowledge/pairs.tsv``.
    """
    if recovery["status"] == Status.NOT_TESTABLE:
        return nothing(f"no call: {recovery['reason']}")
    if (sheet.loc[sheet["include"], "sort"] != "none").all():
        return nothing("sorted tissue: the cells that signals may come from were not sampled")
    bulks = sender_bulks(sums, every_cell, sheet, by_call(myeloid, cells, sheet))
    return signals(bulks, sheet, corrections, consensus_pairs())
