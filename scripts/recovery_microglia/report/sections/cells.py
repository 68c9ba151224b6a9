"""The cells: lineages, states and their map."""

from dataclasses import replace
from typing import Any

import pandas as pd

from recovery_microglia import figures
from recovery_microglia.core import wording
from recovery_microglia.figures.palette import lineage_name
from recovery_microglia.report.blocks import Column, Fold, Map, Note, Prose, Section, plate, plates, table
from recovery_microglia.report.cellmap import cell_map
from recovery_microglia.report.inputs import ReportInputs


def cells_section(inputs: ReportInputs) -> Section:
    """Return what the cells are: the map, lineages by day."""
    lineages = inputs.table("lineages")
    blocks = [*_map(inputs), *plates(figures.lineages_by_day(lineages, inputs.ages))]
    sort = wording.sorted_for(inputs.text("enrichment"))
    if _taken(inputs):
        lead = f"The genes measured do not distinguish lineages: cells of tissue that was sorted for {sort} are taken for what was sorted."
    else:
        lead = "Lineages were assigned in every library by itself; only myeloid cells of all libraries are merged."
        lead += f" The tissue was enriched for {sort} before sequencing." if inputs.sorted_tissue else ""
    return Section("cells", _cells_title(inputs), lead, tuple(blocks))


def _cells_title(inputs: ReportInputs) -> str:
    """Return the share of microglia among all cells as a sentence."""
    totals = inputs.summary.get("totals") or {}
    microglia, kept = totals.get("microglia"), totals.get("kept")
    if wording.missing(microglia) or wording.missing(kept) or not kept:
        return "Cells and lineages"
    verb = "are taken for microglia" if _taken(inputs) else "are microglia"
    return (
        f"{wording.whole(microglia)} of {wording.whole(kept)} kept cells ({wording.percent(microglia / kept)}) {verb}"
    )


def _taken(inputs: ReportInputs) -> bool:
    """Whether the sort decided what the cells are, because the genes measured could not."""
    warnings = inputs.table("warnings")
    return len(warnings) > 0 and bool((warnings["code"] == "lineage_from_sort").any())


def lineage_section(inputs: ReportInputs) -> Section:
    """Return how lineages were assigned: the gate, markers, each library, cells that could not be placed (audit)."""
    lineages = inputs.table("lineages")
    shares = figures.lineage_shares(lineages)
    blocks: list[object] = []
    if shares is None and len(lineages):
        name = lineage_name(str(lineages["lineage"].iloc[0]))
        blocks.append(Prose(f"All kept cells of all libraries are taken for {name}."))
    blocks += plates(
        figures.gate(inputs.cells, inputs.genes), figures.marker_dots(inputs.table("lineage_markers")), shares
    )
    blocks += _unsure(inputs.table("gate"))
    return Section("lineages", "Lineages", "", tuple(blocks))


def _map(inputs: ReportInputs) -> list[object]:
    """Return the map of the myeloid cells, and what aligning the libraries does to it."""
    picture = figures.embeddings(inputs.cells, states=inputs.called)
    drawn = cell_map(inputs.cells, inputs.genes, called=inputs.called)
    if picture is None or drawn is None:
        return [Note("why", "No embedding", "There are too few myeloid cells to draw one.")]
    thinned = (
        f" {drawn.n_drawn:,} of {drawn.n_cells:,} cells are drawn, at random." if drawn.n_drawn < drawn.n_cells else ""
    )
    picture = replace(picture, caption=picture.caption + thinned)
    blocks: list[object] = [Map(plate(picture), drawn)]
    keeps: Any = (inputs.summary.get("recovery") or {}).get("integration_keeps")
    if len(drawn.views) > 1:
        text = (
            "Aligned: libraries were aligned by Harmony, for viewing only. No score, call or test uses it, and alignment over "
            "days can hide a state."
        )
        blocks.append(Prose(text if wording.missing(keeps) else f"{text} {_kept(float(keeps))}"))
    return blocks


def _unsure(gate: pd.DataFrame) -> list[object]:
    """Return between which lineages the cells lie that could not be placed."""
    if gate.empty:
        return []
    unsure = figures.unsure_cells(gate)
    total, n = int(gate["cells"].sum()), int(unsure["cells"].sum())
    if not n:
        return [Prose(f"Every one of the {wording.whole(total)} kept cells could be placed in one lineage.")]
    columns = [
        Column("lineage", "Called"),
        Column("runner_up", "Next likeliest"),
        Column("cells", "Cells"),
        Column("confidence_median", "Confidence", help="probability of the likelier lineage; median of the cells"),
        Column("confidence_low", "95 % of the cells have at least"),
    ]
    kinds = unsure.groupby("lineage", sort=False)["cells"].sum()
    told = wording.listed([f"{wording.whole(value)} {lineage_name(str(kind))}" for kind, value in kinds.items()])
    text = f"{wording.whole(n)} of {wording.whole(total)} kept cells ({wording.percent(n / total)}) were placed in no lineage: {told}"
    return [Fold(text, (table(unsure, columns, of="gate", caption="Ambiguous cells by their two likeliest lineages", name="ambiguous"),
                        table(gate.groupby("lineage").head(3), columns, of="gate", caption="Each lineage with the three next likeliest", name="gate")))]  # fmt: skip


def _kept(share: float) -> str:
    """Return what aligning the libraries left of the score's neighbourhoods."""
    return (
        f"Alignment keeps {wording.percent(min(share, 1))} of the spatial structure of the recovery score (Moran's I)."
    )
