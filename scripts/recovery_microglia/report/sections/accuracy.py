"""Accuracy on simulated data."""

from recovery_microglia import figures
from recovery_microglia.core import wording
from recovery_microglia.report.blocks import Section, Tile, Tiles, plates
from recovery_microglia.report.inputs import ReportInputs


def truth_section(inputs: ReportInputs) -> Section | None:
    """Return the accuracy of calls and states, for simulated data only."""
    metrics = inputs.summary.get("truth") or {}
    truth = inputs.table("truth")
    if not inputs.simulated or (not metrics and truth.empty):
        return None
    tiles = [
        Tile("Precision", wording.percent(metrics.get("precision")), "of the cells that were called, how many truly are"),
        Tile("Recall", wording.percent(metrics.get("recall")), "of the true recovery cells, how many were called"),
        Tile("False positives", wording.percent(metrics.get("false_positive_rate_control")), "of control microglia that truly are none, how many were called"),
        Tile("Microglia found", wording.percent(metrics.get("lineage_recall")),
             f"of true single microglia; precision {wording.percent(metrics.get('lineage_precision'))} among single cells"),
    ]  # fmt: skip
    pictures = (
        plates(
            figures.truth_scatter(truth),
            figures.truth_course(truth),
            figures.truth_states(inputs.table("truth_states")),
        )
        if len(truth)
        else ()
    )
    lead = "These data were simulated, so that the truth is known. Recovery is a gradient; a cell that is at least half as far as a typical recovery cell counts as one in the truth."
    known = tuple(tile for tile in tiles if tile.value != wording.DASH)
    title = "Accuracy on simulated data"
    if not wording.missing(metrics.get("precision")):
        title += f": {wording.percent(metrics['precision'])} of the called cells are true, {wording.percent(metrics.get('recall'))} of the true cells are called"
    return Section("truth", title, lead, (*((Tiles(known),) if known else ()), *pictures))
