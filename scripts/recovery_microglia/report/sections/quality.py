"""The quality of the libraries."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from recovery_microglia import figures
from recovery_microglia.core import wording
from recovery_microglia.core.frame_access import records
from recovery_microglia.core.tables import Kind
from recovery_microglia.report.blocks import Column, Note, Section, plates, table
from recovery_microglia.report.inputs import ReportInputs

QC_COLUMNS = (
    Column("library", "Library"),
    Column("remarks", "Remarks", Kind.TEXT),
    Column("barcodes", "Barcodes"),
    Column("cells_called", "Cells before filters"),
    Column(
        "kept",
        "Kept",
        help="cells before filters less those each filter removed; a cell counts under the first that applies",
    ),
    Column("microglia", "Microglia"),
    Column("ambiguous", "Ambiguous", help="cells that fit two lineages"),
    Column("removed_low_counts", "− few counts"),
    Column("removed_high_counts", "− many counts"),
    Column("removed_low_genes", "− few genes"),
    Column("removed_high_mito", "− mitochondrial"),
    Column("removed_high_haemoglobin", "− haemoglobin"),
    Column("removed_doublet", "− doublets"),
    Column("median_counts", "Counts a cell", help="median of the kept cells"),
    Column("median_genes", "Genes a cell", help="median of the kept cells"),
    Column("median_pct_mito", "Mitochondrial %", help="median of the kept cells"),
    Column("median_pct_haemoglobin", "Haemoglobin %", help="median of the kept cells"),
    Column("median_pct_dissociation", "Handling stress %", help="genes that dissociation switches on (Marsh 2022)"),
    Column("median_pct_myelin", "Myelin %", help="ambient or engulfed; not removed"),
    Column("doublet_rate", "Doublets"),
    Column("sex_stated", "Sex stated"),
    Column("sex_called", "Sex by genes"),
)


def quality_section(inputs: ReportInputs) -> Section:
    """Return quality per library; a library with anything odd is marked and says what."""
    qc = inputs.table("qc")
    title = "Quality"
    if qc.empty:
        return Section("quality", title, "", (Note("why", "Not known", "There is no table of quality control."),))
    remarks = odd_libraries(qc)
    shown = qc.assign(remarks=["; ".join(found) for found in remarks])
    marked = [bool(found) for found in remarks]
    rows = table(shown, QC_COLUMNS, of="qc", caption="Quality per library", marked=marked, name="quality")
    odd = sum(marked)
    lead = (
        "Nothing stands out."
        if not odd
        else f"{odd} of {wording.count(len(qc), 'library', 'libraries')} marked; the remarks say why."
    )
    return Section("quality", title, lead, (*plates(figures.cells_removed(qc)), rows))


def odd_libraries(qc: pd.DataFrame) -> list[list[str]]:
    """Return for each library what is odd about it, in words.

    Fixed rules, so that a reader can look them up: fewer than half of the cells kept, fewer than 50 microglia, median
    mitochondrial share above 10 %, haemoglobin above 1 %, handling stress twice that of the other libraries, depth
    less than half or more than twice that of the others, doublets above 15 %, another sex than stated.
    """
    middle = {name: float(qc[name].median()) for name in ("median_counts", "median_pct_dissociation") if name in qc}
    return [_odd(row, middle) for row in records(qc)]


def _odd(row: Mapping[str, Any], middle: Mapping[str, float]) -> list[str]:
    def value(name: str) -> float:
        found = row.get(name)
        return float("nan") if wording.missing(found) else float(str(found))

    depth = value("median_counts") / middle.get("median_counts", float("nan"))
    stress, usual = value("median_pct_dissociation"), middle.get("median_pct_dissociation", float("nan"))
    rules = [
        (value("kept") < 0.5 * value("cells_called"), "more than half of the cells removed"),
        (value("microglia") < 50, "few microglia"),
        (value("median_pct_mito") > 10, "high mitochondrial share"),
        (value("median_pct_haemoglobin") > 1, "haemoglobin"),
        (stress > 2 * usual and stress > 2, "more handling stress than the others"),
        (depth < 0.5, "shallower than the others"),
        (depth > 2, "deeper than the others"),
        (value("doublet_rate") > 0.15, "many doublets"),
    ]
    found = [text for odd, text in rules if odd]
    stated, called = str(row.get("sex_stated") or ""), str(row.get("sex_called") or "")
    if {stated, called} == {"female", "male"}:
        found.insert(0, f"stated {stated}, looks {called}")
    return found
