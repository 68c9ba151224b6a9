"""Which cells the Igf1 counts come from, by animal."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from recovery_microglia.core.vocabulary import Status

IGF1_COLUMNS = (
    *("subject", "day", "condition", "lineage", "igf1_counts", "total_igf1_counts", "share", "status", "reason"),
)


FEW_IGF1 = 20
"""Below, the share of a subject's Igf1 counts by lineage is chance."""


def igf1_share(
    sums: Mapping[str, pd.DataFrame], sheet: pd.DataFrame, recovery_igf1: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return the share of all *Igf1* counts by lineage per subject (= igf1_share.tsv).

    Parameters
    ----------
    sums
        Library to its sums of counts (genes × lineages).
    sheet
        One row a library.
    recovery_igf1
        Library to *Igf1* counts in recovery cells (columns library, igf1); they are then split from microglia.

    Returns
    -------
    DataFrame
        ``not_testable`` for sorted tissue (the share means something only where all cells were sampled), for data
        without *Igf1*, and where a subject has fewer than 20 *Igf1* counts.
    """
    included = sheet[sheet["include"]]
    rows: list[tuple[object, ...]] = []
    for (subject, day, condition), libraries in included.groupby(
        ["subject", "day", "condition"], dropna=False, sort=False
    ):
        counts = _igf1_counts([sums[name] for name in libraries["library"] if name in sums])
        if recovery_igf1 is not None and "microglia" in counts:
            inside = float(recovery_igf1.loc[recovery_igf1["library"].isin(libraries["library"]), "igf1"].sum())
            counts = pd.concat([pd.Series({"recovery_microglia": inside}), counts])
            counts["microglia"] -= inside
        status, reason = _igf1_status(set(libraries["sort"]), counts)
        if counts.empty:
            rows.append((subject, day, condition, "", np.nan, np.nan, np.nan, status, reason))
        for lineage, value in counts.items():
            share = value / counts.sum() if status == Status.DESCRIPTIVE else np.nan
            rows.append((subject, day, condition, lineage, value, counts.sum(), share, status, reason))
    return pd.DataFrame(rows, columns=list(IGF1_COLUMNS))


def _igf1_counts(sums: Sequence[pd.DataFrame]) -> pd.Series:
    parts = [table.loc[["Igf1"]].iloc[0] for table in sums if "Igf1" in table.index]
    return pd.concat(parts).groupby(level=0).sum().astype(float) if parts else pd.Series(dtype=float)


def _igf1_status(sort: set[str], counts: pd.Series) -> tuple[str, str]:
    if sort != {"none"}:
        return Status.NOT_TESTABLE, "sorted tissue: the other sources of Igf1 were not sampled"
    if counts.empty:
        return Status.NOT_TESTABLE, "Igf1 was not measured"
    if counts.sum() < FEW_IGF1:
        return Status.NOT_TESTABLE, f"{counts.sum():.0f} Igf1 counts in all; at least {FEW_IGF1} are needed"
    return Status.DESCRIPTIVE, ""
