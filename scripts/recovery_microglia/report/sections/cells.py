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
    """Return what the cells are."""
    lineages = inputs.table("lineages")
    shares = figures.lineage_shares(lineages)
    blocks = _map(inputs)
    if shares is None and len(lineages):
        name = lineage_name(str(lineages["lineage"].iloc[0]))
        blocks.append(Prose(f"All kept cells of all libraries are taken for {name}."))
    blocks += plates(
        figures.gate(inputs.cells, inputs.genes),
        figures.state_shares(inputs.cells) if inputs.called else None,  # one of the states is recovery
        figures.marker_dots(inputs.table("lineage_markers")),
        shares,
    )
    blocks += _unsure(inputs.table("gate"))
    lead = "Every library was sorted into lineages on its own; only myeloid cells meet in one table."
    if inputs.sorted_tissue:
        lead += f" The tissue was enriched for {inputs.text('enrichment')} before sequencing."
    return Section("cells", "What the cells are", lead, tuple(blocks))


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
            "Aligned: libraries were brought together (Harmony) for looking only. No score, call or test uses it, and aligning over "
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
        Column("confidence_low", "of 95 % at least"),
    ]
    kinds = unsure.groupby("lineage", sort=False)["cells"].sum()
    told = wording.listed([f"{wording.whole(value)} {lineage_name(str(kind))}" for kind, value in kinds.items()])
    text = f"{wording.whole(n)} of {wording.whole(total)} kept cells ({wording.percent(n / total)}) were placed in no lineage: {told}"
    return [Fold(text, (table(unsure, columns, of="gate", caption="Where the ambiguous cells lie", name="ambiguous"),
                        table(gate.groupby("lineage").head(3), columns, of="gate", caption="Every lineage and the three next likeliest", name="gate")))]  # fmt: skip


def _kept(share: float) -> str:
    """Return what aligning the libraries left of the score's neighbourhoods."""
    return (
        f"Aligning keeps {min(share, 1):.0%} of the recovery score's neighbourhoods (cells beside cells of like score, "
        "Moran's I)."
    )
