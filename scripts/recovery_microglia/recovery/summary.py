"""What is said of the calls: recovery.json and notices."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from recovery_microglia.core.arrays import Bools
from recovery_microglia.core.errors import Notice
from recovery_microglia.core.frame_access import records
from recovery_microglia.core.vocabulary import Condition, Severity, Status
from recovery_microglia.recovery.clusters import agreement
from recovery_microglia.recovery.likelihood import mixture_share
from recovery_microglia.recovery.scores import SCORERS
from recovery_microglia.recovery.settings import RecoverySettings

MANY_IN_CONTROLS = 0.05
"""Share of recovery cells among control microglia above which the controls are no good baseline."""
MOST_OF_ONE = 0.4
"""Share of the evidence that one gene gives, above which a user is warned. In public data with the state no gene gave more than .31 (docs/accuracy.md)."""


def call_report(
    cells: pd.DataFrame,
    control: Bools,
    calibration: pd.DataFrame,
    known: Mapping[str, Any],
    status: str,
    reason: str,
    reference: str,
    settings: RecoverySettings,
) -> dict[str, Any]:
    """Return recovery.json."""
    used = calibration[(calibration["scorer"] == "score") & calibration["used"]]
    called = cells["recovery_call"].notna().to_numpy()
    routes = {
        "without_itgax_igf1": agreement(cells["recovery_call"], cells["recovery_call_without"]),
        "clusters": agreement(cells["recovery_call"], cells["cluster_call"]),
    }
    return {
        "status": status,
        "reason": reason,
        "coverage": dict(known),
        "quantile": settings.quantile,
        "calibration": records(used.drop(columns=["scorer", "used"])),
        "n_microglia": len(cells),
        "n_called": int(cells["recovery_call"].notna().sum()),
        "n_recovery": int(cells["recovery_call"].fillna(False).sum()),
        "expected": _expected(cells, ~control),
        "control_share": mixture_share(cells.loc[control & called, SCORERS["score"]].to_numpy(float))[0],
        "n_hanging_on_one_gene": int(
            (cells["recovery_call"].fillna(False).to_numpy(bool) & (cells["hangs_on"] != "").to_numpy()).sum()
        ),
        "states_relative_to": reference,
        "agreement": routes,
    }


def _expected(cells: pd.DataFrame, judged: Bools) -> dict[str, float]:
    """Return how right the calls of some cells are expected to be, by the cells' own probabilities.

    ``precision``: share of called cells that are recovery cells; ``recall``: share of recovery cells that are called.
    """
    chance = cells["recovery_probability"].to_numpy(float)
    known = judged & np.isfinite(chance)
    called = known & cells["recovery_call"].fillna(False).to_numpy(bool)
    hits = float(chance[called].sum())
    whole = float(chance[known].sum())
    return {
        "precision": hits / float(called.sum()) if called.any() else np.nan,
        "recall": hits / whole if whole > 0 else np.nan,
    }


def call_notices(
    cells: pd.DataFrame, report: Mapping[str, Any], known: Mapping[str, Any], control: Bools
) -> list[Notice]:
    """Return what the report must say about the calls."""
    notices = []
    if known["absent"] and not known["reason"]:
        names = ", ".join(known["absent"])
        notices.append(
            Notice("signature_incomplete", Severity.INFO, f"Signature genes that were not measured: {names}.")
        )
    if report["status"] == Status.NOT_TESTABLE:
        text = f"Recovery cells are not called: {report['reason']}."
        notices.append(Notice("recovery_not_testable", Severity.ALARM, text))
        return notices
    for row in report["calibration"]:
        if row["fpr_low"] > 1 - report["quantile"]:
            text = (
                f"Chemistry '{row['chemistry']}': {row['fpr']:.1%} of the control microglia are called "
                f"(95 % interval {row['fpr_low']:.1%} to {row['fpr_high']:.1%}), more than "
                f"{1 - report['quantile']:.1%}: control animals differ from each other, or hold recovery cells."
            )
            notices.append(Notice("fpr_above_nominal", Severity.WARNING, text))
    if report["control_share"] > MANY_IN_CONTROLS:
        text = (
            f"About {report['control_share']:.0%} of the control microglia run the recovery programme (neonatal and aged "
            "mice do so without injury). A rise above them can be tested; but the called cells of an injured animal "
            "hold those that it would have had without injury."
        )
        notices.append(Notice("controls_have_the_state", Severity.WARNING, text))
    routes = report["agreement"]["clusters"]
    if report["n_recovery"] >= 20 and routes["n"] == 0:
        text = (
            f"{report['n_recovery']} cells are called, but no cluster is one of recovery cells: calling by clusters has "
            "no answer. A gradient of few, weakly detected genes often forms no cluster of its own; the score decides."
        )
        notices.append(Notice("no_recovery_cluster", Severity.INFO, text))
    elif report["n_recovery"] >= 20 and not (routes["kappa"] >= 0.4):
        text = (
            f"Clusters and scores disagree: {routes['both']} cells are called by both, {routes['only_first']} by "
            f"their score only, {routes['only_second']} by their cluster only (kappa {routes['kappa']:.2f}). "
            "The score decides."
        )
        notices.append(Notice("routes_disagree", Severity.WARNING, text))
    depth = cells["n_counts"].to_numpy(float)
    injured = (cells["condition"] == Condition.INJURED).to_numpy()
    if injured.any() and control.any():
        ratio = float(np.median(depth[injured]) / np.median(depth[control]))
        if ratio > 1.5 or ratio < 1 / 1.5:
            text = (
                f"Injured microglia have {ratio:.1f} times the counts of control microglia; deeper cells score "
                "higher. Compare the depth-matched row of the robustness table."
            )
            notices.append(Notice("depth_differs", Severity.WARNING, text))
    return notices


def carried_by_one(genes: pd.DataFrame) -> list[Notice]:
    """Return a warning where one gene gives most of the evidence of the calls (call_genes.tsv)."""
    if genes.empty or not genes["share_of_evidence"].iloc[0] > MOST_OF_ONE:  # empty where few cells are called
        return []
    first = genes.iloc[0]
    text = (
        f"{first['gene']} alone gives {first['share_of_evidence']:.0%} of the evidence for the calls: what is called may be cells that "
        "raise this gene for another reason. Look for cells with the other genes before you rely on them."
    )
    return [Notice("one_gene_carries", Severity.WARNING, text)]
