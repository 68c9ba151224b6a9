"""The answer in numbers and words, for summary.json."""

from collections.abc import Sequence

import pandas as pd

from recovery_microglia.core.json_files import Json
from recovery_microglia.core.vocabulary import Route, Status


def totals(cells: pd.DataFrame, recovery: pd.DataFrame) -> Json:
    """Return the numbers of cells, kept cells, microglia and recovery cells (None if none were called)."""
    kept = cells[cells["removed_by"].fillna("") == ""]
    called = recovery["recovery_call"].dropna() if len(recovery) else pd.Series(dtype="boolean")
    return {
        "cells": len(cells),
        "kept": len(kept),
        "microglia": int((kept["lineage"] == "microglia").sum()),
        "recovery_cells": int(called.astype(bool).sum()) if len(called) else None,
    }


def days(sheet: pd.DataFrame, cells: pd.DataFrame) -> list[Json]:
    """Return subjects, kept cells and microglia by day, condition and arm, in order of days."""
    kept = cells[cells["removed_by"].fillna("") == ""]
    included = sheet[sheet["include"]].copy()
    included["cells"] = included["library"].map(kept.groupby("library").size()).fillna(0)
    microglia = kept[kept["lineage"] == "microglia"].groupby("library").size()
    included["microglia"] = included["library"].map(microglia).fillna(0)
    groups = included.groupby(["day", "condition", "arm"], dropna=False, sort=True)
    return [
        {
            "day": day,
            "condition": condition,
            "arm": arm,
            "subjects": int(group["subject"].nunique()),
            "cells": int(group["cells"].sum()),
            "microglia": int(group["microglia"].sum()),
        }
        for (day, condition, arm), group in groups
    ]


def answer_of(timeline: Json, onset: Sequence[Json]) -> Json:
    """Return what may be claimed: status, reason, headline, design, onset and robustness.

    Parameters
    ----------
    timeline
        The report of the step.
    onset
        Rows of onset.tsv.
    """
    return {
        "status": timeline["status"],
        "reason": timeline["reason"],
        "headline": headline(timeline["status"], timeline["reason"], onset),
        "design": timeline["design"],
        "onset": [row for row in onset if row["route"] == Route.SCORE],
        "robustness": timeline["robustness"],
    }


def headline(status: str, reason: str, onset: Sequence[Json]) -> str:
    """Return the answer in words: the onset sentences of the score route, a line an arm, or why there is none."""
    rows = [row for row in onset if row.get("route") == Route.SCORE and row.get("sentence")]
    if status == Status.NOT_TESTABLE or not rows:
        return f"Whether recovery microglia emerge cannot be judged from these data: {reason}."
    if len(rows) == 1:
        return str(rows[0]["sentence"])
    return "\n".join(f"{row.get('arm') or 'No arm stated'}: {row['sentence']}" for row in rows)
