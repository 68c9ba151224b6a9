"""Accuracy on simulated data: calls, shares and states compared with the truth."""

from typing import Any

import numpy as np
import pandas as pd

from recovery_microglia.core.vocabulary import CONTROLS

COLUMNS = (
    *(
        "subject",
        "day",
        "condition",
        "microglia_true",
        "microglia_called",
        "n",
        "true_fraction",
        "called_fraction",
        "mixture",
    ),
)


def _ratio(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None


def compare(
    calls: pd.DataFrame, cells: pd.DataFrame, truth: pd.DataFrame, sheet: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Compare lineage and recovery calls with the truth.

    Parameters
    ----------
    calls
        One row a called microglia: library, barcode, recovery_call (nullable), recovery_probability.
    cells
        One row a barcode: library, barcode, removed_by, lineage.
    truth
        One row a simulated barcode: library, barcode, cell_type, recovery, doublet, low_quality.
    sheet
        One row a library: library, subject, day, condition.

    Returns
    -------
    table
        = truth.tsv. ``true_fraction`` is over all true single microglia of good quality, ``called_fraction`` over
        the called ones, and so is ``mixture``, the mean probability.
    metrics
        precision, recall, f1 and false-positive rate on controls of the recovery call (over cells that are called
        microglia); precision and recall of the microglia call over kept single cells; share of doublets removed
        and of good cells removed. None where there is nothing to divide by.
    """
    keys = ["library", "barcode"]
    known = truth.merge(cells[[*keys, "removed_by", "lineage"]], on=keys, how="left")
    known = known.merge(calls[[*keys, "recovery_call", "recovery_probability"]], on=keys, how="left").merge(
        sheet, on="library"
    )
    single = ~known["doublet"] & ~known["low_quality"]
    is_microglia = single & (known["cell_type"] == "microglia")
    kept = known["removed_by"] == ""
    called = kept & (known["lineage"] == "microglia")
    judged = known["recovery_call"].notna()
    positive = known["recovery_call"].fillna(False).astype(bool)
    true = is_microglia & known["recovery"]
    hits = int((positive & true).sum())
    precision, recall = _ratio(hits, int(positive.sum())), _ratio(hits, int((true & judged).sum()))
    control = judged & known["condition"].isin(CONTROLS) & ~true
    metrics = {
        "precision": precision,
        "recall": recall,
        "f1": 2 * hits / (positive.sum() + (true & judged).sum()) if judged.any() else None,
        "false_positive_rate_control": _ratio(int((positive & control).sum()), int(control.sum())),
        "lineage_precision": _ratio(int((called & is_microglia).sum()), int((called & single).sum())),
        "lineage_recall": _ratio(int((called & is_microglia).sum()), int((kept & is_microglia).sum())),
        "doublets_removed": _ratio(int((known["doublet"] & ~kept).sum()), int(known["doublet"].sum())),
        "good_cells_removed": _ratio(int((single & ~kept).sum()), int(single.sum())),
    }
    grouped = known.assign(t=is_microglia, r=true, c=called, j=judged, p=positive).groupby(
        ["subject", "day", "condition"], dropna=False, sort=False
    )
    table = grouped[["t", "r", "c", "j", "p"]].sum().astype(int).reset_index()
    table["true_fraction"] = table["r"] / table["t"].where(table["t"] > 0)
    table["mixture"] = grouped["recovery_probability"].mean().to_numpy(float)
    table["called_fraction"] = np.where(table["j"] > 0, table["p"] / table["j"].where(table["j"] > 0), np.nan)
    table = table.rename(columns={"t": "microglia_true", "c": "microglia_called", "j": "n"})
    return table[list(COLUMNS)], metrics


STATE_COLUMNS = ("true_state", "state", "cells", "share")


def compare_states(calls: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Return how the true states of the microglia were named (= truth_states.tsv); empty where the truth has no states.

    Parameters
    ----------
    calls
        One row a called microglia: library, barcode, state.
    truth
        One row a simulated barcode: library, barcode, cell_type, state, doublet, low_quality.
    """
    if "state" not in truth or "state" not in calls:
        return pd.DataFrame(columns=list(STATE_COLUMNS))
    keys = ["library", "barcode"]
    single = truth[~truth["doublet"] & ~truth["low_quality"] & (truth["cell_type"] == "microglia")]
    known = single[[*keys, "state"]].rename(columns={"state": "true_state"}).merge(calls[[*keys, "state"]], on=keys)
    known["state"] = known["state"].astype(object).fillna("").astype(str)
    known = known[(known["state"] != "") & (known["true_state"].astype(str) != "")]
    table = known.groupby(["true_state", "state"], sort=True).size().rename("cells").reset_index()
    table["share"] = table["cells"] / table.groupby("true_state")["cells"].transform("sum")
    return table[list(STATE_COLUMNS)]
