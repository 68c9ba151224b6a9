"""The subgroup: how its cells are called, and how far that can be trusted."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from recovery_microglia import figures
from recovery_microglia.core import wording
from recovery_microglia.core.frame_access import records
from recovery_microglia.core.tables import Kind
from recovery_microglia.core.vocabulary import Severity, Status
from recovery_microglia.figures.genes import counted_genes
from recovery_microglia.report.blocks import Column, Fold, GeneSearch, Note, Prose, Section, plates, table
from recovery_microglia.report.inputs import ReportInputs


def subgroup_section(inputs: ReportInputs) -> Section:
    """Return the subgroup: its scores by state and animal, its genes, and a gene that the reader chooses."""
    recovery = inputs.summary.get("recovery") or {}
    named = tuple(counted_genes(inputs.genes))
    if not inputs.called:
        reason = str(recovery.get("reason") or inputs.reason).rstrip(".")
        blocks: list[object] = list(plates(figures.signature_genes(inputs.table("markers_used"))))
        blocks += _coverage_notes(inputs.table("markers_used")) + ([GeneSearch(named)] if named else [])
        return Section("subgroup", "Recovery cells were not called", f"Reason: {reason}.", tuple(blocks))
    drawn = plates(
        figures.scores_by_state(inputs.cells),
        figures.scores_by_animal(inputs.cells, inputs.units(), inputs.ages),
        figures.state_genes(inputs.cells, inputs.genes),
        figures.state_shares(inputs.cells, inputs.ages),
    )
    blocks = [*drawn, *([GeneSearch(named)] if named else []), *_coverage_notes(inputs.table("markers_used"))]
    return Section("subgroup", _subgroup_title(inputs), _carried(inputs.table("call_genes")), tuple(blocks))


def _subgroup_title(inputs: ReportInputs) -> str:
    """Return how many cells were called as a sentence."""
    totals = inputs.summary.get("totals") or {}
    called, microglia = totals.get("recovery_cells"), totals.get("microglia")
    if wording.missing(called) or wording.missing(microglia) or not microglia:
        return "The subgroup"
    return f"{wording.whole(called)} of {wording.whole(microglia)} microglia ({wording.percent(called / microglia)}) are called recovery cells"


def calibration_section(inputs: ReportInputs) -> Section | None:
    """Return how cells were called and how far that can be trusted (audit)."""
    if not inputs.called:
        return None
    recovery = inputs.summary.get("recovery") or {}
    course = figures.routes(inputs.table("timeline")) if inputs.status != Status.NOT_TESTABLE else None
    blocks: list[object] = list(
        plates(
            figures.scores(inputs.cells, inputs.table("calibration")),
            figures.call_genes(inputs.table("call_genes")),
            course,
            figures.signature_genes(inputs.table("markers_used")),
            figures.random_sets(inputs.table("null")),
            figures.cluster_stability(inputs.table("clusters")),
        )
    )
    blocks += _agreement(recovery)
    blocks += _calibration(inputs)
    blocks += _refinement(recovery, inputs.table("refinement"))
    blocks += _itgax_igf1(inputs.table("itgax_igf1"))
    return Section("calibration", "Calling and calibration", _trust(recovery), tuple(blocks))


def _trust(recovery: Mapping[str, Any]) -> str:
    """Return what the calls can be trusted for: how often a control cell is called, and how often a call is right."""
    known = [row for row in recovery.get("calibration") or [] if not wording.missing(row.get("fpr"))]
    several = len(known) > 1
    told = [
        f"{wording.percent(row['fpr'])} of them (95 % interval "
        f"{wording.percent_interval(row['fpr_low'], row['fpr_high'])}{', ' + str(row['chemistry']) if several else ''})"
        for row in known
    ]
    text = f"Control microglia are judged like all others, and called are {wording.listed(told)}." if told else ""
    expected = recovery.get("expected") or {}
    if wording.missing(expected.get("precision")) or wording.missing(expected.get("recall")):
        return text
    return (
        f"{text} By the model's own probabilities {wording.percent(expected['precision'])} of the cells called in the "
        f"other animals are recovery cells, and {wording.percent(expected['recall'])} of all such cells are called (in drawn data the first was "
        "off by up to an eighth, and the second up to three tenths too high where cells differ in how far they are): trust shares of animals and "
        "comparisons between them, not a single cell."
    ).strip()


def _carried(genes: pd.DataFrame) -> str:
    """Return which genes carry the calls, in a sentence."""
    known = genes.dropna(subset=["share_of_evidence"]) if len(genes) else genes
    if known.empty:
        return ""
    top = records(known.sort_values("share_of_evidence", ascending=False))
    half = np.cumsum([row["share_of_evidence"] for row in top])
    n = int(np.searchsorted(half, 0.5) + 1)
    named = wording.listed([f"{row['gene']} ({wording.percent(row['share_of_evidence'])})" for row in top[:n]], most=14)
    return f"Half of the evidence for the calls comes from {n} of {len(known)} genes: {named}."


def _coverage_notes(markers: pd.DataFrame) -> list[object]:
    if markers.empty:
        return []
    own = markers[markers["set"] == "recovery"]
    absent, renamed = own[own["status"] == "absent"], own[own["status"] == "renamed"]
    notes: list[object] = []
    if len(absent):
        text = f"{wording.listed(list(absent['gene']), most=14)} ({len(absent)} of {len(own)})."
        notes.append(Note(Severity.INFO, "Signature genes that were not measured", text))
    if len(renamed):
        pairs = [
            f"{new} (in the data: {old})" for new, old in zip(renamed["gene"], renamed["named_in_data"], strict=True)
        ]
        notes.append(Note(Severity.INFO, "Genes under an older name", wording.listed(pairs) + "."))
    return notes


def _agreement(recovery: Mapping[str, Any]) -> list[object]:
    names = {"clusters": "clusters", "without_itgax_igf1": wording.CODE_WORDS["score_without"]}
    rows = [
        {"route": names.get(name, wording.key_words(name)), **found}
        for name, found in (recovery.get("agreement") or {}).items()
        if isinstance(found, Mapping) and found.get("n")
    ]
    if not rows:
        return []
    columns = [
        Column("route", "The reported score compared with", Kind.TEXT),
        Column("both", "Called by both", Kind.COUNT),
        Column("only_first", "By the score only", Kind.COUNT),
        Column("only_second", "By the other only", Kind.COUNT),
        Column("n", "Microglia", Kind.COUNT),
        Column("kappa", "Cohen's kappa", Kind.NUMBER, "1: always agree, 0: as by chance"),
    ]
    return [table(pd.DataFrame(rows), columns, caption="Agreement of the calling methods")]


def _calibration(inputs: ReportInputs) -> list[object]:
    frame = inputs.table("calibration")
    if frame.empty:
        return []
    own = frame[frame["scorer"] == "fixed_cutoff"] if "scorer" in frame else frame
    shown = own.assign(quantile=[f"{100 * q:g} %" for q in own["quantile"]])
    columns = [
        Column("chemistry", "Chemistry"),
        Column("quantile", "Quantile of the controls", Kind.TEXT),
        Column("cutoff", "Cutoff"),
        Column("n_control_cells", "Control microglia"),
        Column("n_control_subjects", "Control animals"),
        Column("fpr", "False positives", help="on control animals that the cutoff has not seen"),
        Column("fpr_low", "from"),
        Column("fpr_high", "to"),
        Column("used", "Used"),
        Column("note", "Note"),
    ]
    marked = [wording.truthy(value) for value in own["used"]]
    caption = "Cutoffs, frozen on control microglia (marked: the one used)"
    return [
        Fold(
            "Cutoffs and false positives",
            (table(shown, columns, of="calibration", caption=caption, marked=marked),),
        )
    ]


def _refinement(recovery: Mapping[str, Any], frame: pd.DataFrame) -> list[object]:
    """Return what was learnt of the genes, or why nothing was."""
    learnt = recovery.get("refinement") or {}
    if learnt.get("refused"):
        reason = str(learnt["refused"])
        text = f"{reason[0].upper()}{reason[1:]}. The signature genes count with the rises that are expected at their levels."
        return [Note(Severity.INFO, "Weights of the genes were not learnt from these data", text)]
    if frame.empty:
        return []
    shown = frame.assign(between=[
        "" if wording.missing(low) else f"{low:.1f} to {high:.1f}"
        for low, high in zip(frame["fold_low"], frame["fold_high"], strict=True)
    ])  # fmt: skip
    columns = [
        Column("gene", "Gene"),
        Column("role", "From"),
        Column("fold_before", "Rise expected", help="times, in a typical recovery cell"),
        Column("fold", "Rise learnt", help="drawn towards what was expected where the data say little"),
        Column("between", "95 % interval", Kind.TEXT),
        Column("decision", "Decision"),
    ]
    added, dropped = (len(learnt.get(word) or []) for word in ("added", "dropped"))
    caption = (
        f"Weights of the genes, learnt within libraries from the other animals: {added} added, {dropped} dropped. No animal "
        "is scored by weights that have seen it."
    )
    return [
        Fold("Weights of the genes, learnt from these data", (table(shown, columns, of="refinement", caption=caption),))
    ]


def _itgax_igf1(frame: pd.DataFrame) -> list[object]:
    """Return the share of cells with the two genes that name the subgroup."""
    if frame.empty or not any(c in frame and frame[c].notna().any() for c in ("itgax_share", "igf1_share")):
        return []
    columns = [
        Column("subject", "Animal"),
        Column("day", "Day"),
        Column("condition", "Condition"),
        Column("n", "Microglia"),
        Column("itgax_share", "With Itgax"),
        Column("itgax_share_matched", "With Itgax, equal depth"),
        Column("igf1_share", "With Igf1"),
        Column("igf1_share_matched", "With Igf1, equal depth"),
    ]
    text = "Itgax drops out in most cells at this depth, so neither gene alone makes the call."
    return [Fold("Itgax and Igf1 alone", (Prose(text), table(frame, columns, of="itgax_igf1")))]
