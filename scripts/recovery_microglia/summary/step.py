"""The summary step: what all steps left, as closing tables and summary.json."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from recovery_microglia.core.errors import Notice
from recovery_microglia.core.frame_access import records
from recovery_microglia.core.json_files import Json
from recovery_microglia.core.vocabulary import Severity
from recovery_microglia.library.process import lineage_table, qc_table
from recovery_microglia.summary.answer import answer_of, days, totals
from recovery_microglia.summary.notices import collect_notices
from recovery_microglia.summary.provenance import provenance_table, versions
from recovery_microglia.summary.steps import steps_done
from recovery_microglia.summary.truth import COLUMNS as TRUTH_COLUMNS
from recovery_microglia.summary.truth import STATE_COLUMNS, compare, compare_states


def summary_step(
    *,
    facts: Json,
    sheet: pd.DataFrame,
    settings: Json,
    libraries: Sequence[Json],
    cells: pd.DataFrame,
    recovered: pd.DataFrame,
    reports: Mapping[str, Json],
    earlier: Mapping[str, pd.DataFrame],
    truth: pd.DataFrame | None,
    inputs: Sequence[Path],
    recorded: Mapping[str, Sequence[str]],
) -> tuple[dict[str, pd.DataFrame], Json]:
    """Return the closing tables, and summary.json.

    Parameters
    ----------
    reports
        ``myeloid``, ``recovery`` and ``timeline``: the JSON reports of these steps.
    earlier
        ``onset``, ``clusters`` and ``recovery_clusters``: tables that these steps wrote.
    truth
        Truth per simulated barcode; None for real data.
    inputs
        Files whose checksums are recorded.
    recorded
        The checksums of the bytes that were read, by file.
    """
    entry = {
        "notices": [
            Notice("to_check", Severity.WARNING, f"To be checked: {text}").as_dict() for text in facts["to_check"]
        ]
    }
    notices = collect_notices(
        {"dataset": [entry], "library": libraries, **{name: [report] for name, report in reports.items()}}
    )
    truth_table, metrics = pd.DataFrame(columns=list(TRUTH_COLUMNS)), None
    truth_states = pd.DataFrame(columns=list(STATE_COLUMNS))
    if truth is not None:
        calls = recovered.assign(barcode=recovered["cell"].str.partition(":")[2])
        where = sheet[["library", "subject", "day", "condition"]]
        truth_table, metrics = compare(calls, cells, truth, where)
        truth_states = compare_states(calls, truth)
    key = ["resolution", "cluster"]
    shares = earlier["recovery_clusters"].drop(columns="n").astype({"cluster": str})
    tables = {
        "samples": sheet,
        "qc": qc_table(libraries, cells),
        "lineages": lineage_table(cells, sheet),
        "clusters": earlier["clusters"].astype({"cluster": str}).merge(shares, on=key, how="left"),
        "truth": truth_table,
        "truth_states": truth_states,
        "warnings": notices,
        "provenance": provenance_table(inputs, settings, recorded),
    }
    timeline, recovery = reports["timeline"], reports["recovery"]
    summary: dict[str, Any] = {
        **facts,
        **answer_of(timeline, records(earlier["onset"])),
        "recovery": {key: value for key, value in recovery.items() if key != "notices"},
        "interactions": timeline["interactions"],
        "behaviour": timeline["behaviour"],
        "next_steps": timeline["next_steps"],
        "genes": timeline["genes"],
        "days": days(sheet, cells),
        "totals": {
            "barcodes": sum(report["calling"]["barcodes"] for report in libraries),
            "variable_genes": reports["myeloid"]["variable_genes"],
            **totals(cells, recovered),
        },
        "steps": steps_done(libraries),
        "truth": metrics,
        "notices": records(notices),
        "versions": versions(),
        "parameters": settings,
    }
    return tables, summary
