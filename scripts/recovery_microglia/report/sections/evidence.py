"""The sections behind the answer: design, quality, cells, subgroup, warnings."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from recovery_microglia import figures
from recovery_microglia.core.tables import Kind
from recovery_microglia.core.vocabulary import CONTROLS, Condition, Severity, Status
from recovery_microglia.figures.palette import lineage_name
from recovery_microglia.report import wording
from recovery_microglia.report.blocks import Chip, Column, Fold, Grid, Map, Note, Prose, Section, plate, plates, table
from recovery_microglia.report.cellmap import cell_map
from recovery_microglia.report.inputs import ReportInputs
from recovery_microglia.report.sections.answer import warnings_of

FEWEST_COUNTS = 100
"""Counts of signature genes in called cells below which chance says which gene carries them."""
TONES = 6
"""Colours of chips; more batches than this share them, and the letters tell them apart."""


# ---------------------------------------------------------------- design


def design_section(inputs: ReportInputs) -> Section:
    """Return animals by day, condition and batch, and what goes together with the days."""
    used = inputs.included
    title = "The design"
    if used.empty:
        return Section("design", title, "", (Note("why", "Not known", "The sample sheet is empty."),))
    blocks: list[object] = [_grid(used), *_what_it_shows(inputs)]
    confounding = inputs.table("confounding")
    if len(confounding):
        columns = [
            Column("variable", "Variable"),
            Column("levels", "Values"),
            Column("cramers_v", "Cramér's V with the days", help="0: unrelated, 1: the same thing"),
            Column("note", "Can it be told from the days?"),
        ]
        marked = [wording.truthy(value) for value in confounding["aliased"]]
        blocks.append(
            table(confounding, columns, of="confounding", caption="What goes together with the days", marked=marked)
        )
    samples = inputs.table("samples")
    left_out = samples[~samples["library"].isin(used["library"])]
    if len(left_out):
        columns = [
            Column("library", "Library"),
            Column("condition", "Condition"),
            Column("day", "Day"),
            Column("reason", "Reason"),
        ]
        blocks.append(table(left_out, columns, of="samples", caption="Libraries that were left out"))
    lead = (
        f"{wording.count(used['library'].nunique(), 'library', 'libraries')} of "
        f"{wording.count(used['subject'].nunique(), 'animal')}."
    )
    return Section("design", title, lead, tuple(blocks))


def _what_it_shows(inputs: ReportInputs) -> list[object]:
    """Return what so many animals can show on each day, before any result: from design.tsv, else nothing."""
    frame = inputs.table("design")
    if frame.empty:
        return []
    columns = [
        Column("arm", "Arm"),
        Column("day", "Day"),
        Column("animals", "Animals"),
        Column("control", "Compared with"),
        Column("control_animals", "Control animals"),
        Column("smallest_p", "Smallest p", help="the smallest p that so few animals can reach by permutation"),
        Column(
            "smallest_share",
            "Planned: seen from",
            help="supposed before the data, of 150 microglia an animal: the smallest true share that would be seen with the power that was set; "
            "what these data would have shown stands in the answer",
        ),
        Column("claim", "What may be claimed"),
    ]
    blocks: list[object] = [
        table(frame, columns, of="design", caption="What the design can show, whatever the result", name="design")
    ]
    blocks += _rank(inputs.summary.get("design") or {})
    return blocks


def _rank(design: Mapping[str, Any]) -> list[object]:
    """Return whether everything in the design can be told apart, where the run says so."""
    rank, columns = design.get("rank"), design.get("columns")
    if rank is None or columns is None:
        return []
    n = len(columns) if isinstance(columns, (list, tuple)) else int(columns)
    text = f"The design matrix (days and what goes with the libraries) has rank {int(rank)} of {n} columns: "
    told = "everything in it can be told apart." if int(rank) == n else "some of it cannot be told apart (aliased)."
    return [Prose(text + told)]


def _grid(used: pd.DataFrame) -> Grid:
    used = used.assign(arm=_text(used, "arm"), batch=_text(used, "batch"))
    batches = sorted(set(used["batch"]) - {""})
    tone = {batch: place % TONES for place, batch in enumerate(batches)}
    short = _short(batches)
    days = sorted(used["day"].dropna().unique())
    columns = [*days, *([None] if used["day"].isna().any() else [])]
    order = {
        name: place for place, name in enumerate([*CONTROLS, Condition.INJURED, Condition.TREATED, Condition.OTHER])
    }
    rows = []
    groups = sorted(used.groupby(["arm", "condition"]), key=lambda item: (item[0][0], order.get(item[0][1], 9)))
    for (arm, condition), group in groups:
        cells = []
        for day in columns:
            own = group[group["day"].isna() if day is None else group["day"] == day]
            chips = [_chip(animal, tone, short) for animal in own.drop_duplicates("subject").to_dict("records")]
            cells.append(tuple(chips))
        rows.append((f"{condition}, {arm}" if arm else str(condition), tuple(cells)))
    names = tuple("day not stated" if day is None else f"day {day:g}" for day in columns)
    legend = (
        "Each square is an animal; letters and colours are batches: "
        if batches
        else "Each square is an animal; batches are not stated."
    )
    legend += (
        wording.listed([f"{short[b]} = {b}" if short[b] != b else b for b in batches], most=20) + "." if batches else ""
    )
    return Grid(names, tuple(rows), legend)


def _text(frame: pd.DataFrame, column: str) -> pd.Series:
    return (
        frame[column].astype(object).where(frame[column].notna(), "").astype(str)
        if column in frame
        else pd.Series("", index=frame.index)
    )


def _short(batches: list[str]) -> dict[str, str]:
    """Return what is written on a chip: the batch itself if short, else a letter."""
    if all(len(batch) <= 3 for batch in batches):
        return {batch: batch for batch in batches}
    return {batch: chr(ord("A") + place) if place < 26 else str(place + 1) for place, batch in enumerate(batches)}


def _chip(animal: Mapping[str, Any], tone: Mapping[str, int], short: Mapping[str, str]) -> Chip:
    facts = [str(animal["subject"])]
    facts += [f"{key} {animal[key]}" for key in ("batch", "chemistry") if not wording.missing(animal.get(key))]
    facts += [str(animal[key]) for key in ("sex", "age") if not wording.missing(animal.get(key))]
    pooled = animal.get("pooled_n", 1)
    facts += [f"pool of {pooled:g} animals"] if not wording.missing(pooled) and float(pooled) > 1 else []
    batch = str(animal["batch"])
    return Chip(short.get(batch, "·"), tone.get(batch, -1), ", ".join(facts))


# ---------------------------------------------------------------- quality

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
    title = "Quality of each library"
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
    return [_odd(row, middle) for row in qc.to_dict("records")]


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


# ---------------------------------------------------------------- cells


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


# ---------------------------------------------------------------- the subgroup


def subgroup_section(inputs: ReportInputs) -> Section:
    """Return what the calls rest on."""
    recovery = inputs.summary.get("recovery") or {}
    markers = inputs.table("markers_used")
    called = inputs.called
    lead = f"{_trust(recovery)} {_carried(inputs.table('call_genes'))}".strip()
    if not called:
        lead = f"Recovery cells were not called: {str(recovery.get('reason') or inputs.reason).rstrip('.')}."
    pictures = [figures.signature_genes(markers)]
    if called:
        course = figures.routes(inputs.table("timeline")) if inputs.status != Status.NOT_TESTABLE else None
        scores = figures.scores(inputs.cells, inputs.table("calibration"))
        carried = figures.call_genes(inputs.table("call_genes"))
        pictures = [scores, carried, course, *pictures, figures.random_sets(inputs.table("null"))]
    pictures.append(figures.cluster_stability(inputs.table("clusters")))
    blocks: list[object] = list(plates(*pictures))
    blocks += _coverage_notes(markers)
    if called:
        blocks += _agreement(recovery)
        blocks += _calibration(inputs)
        blocks += _refinement(recovery, inputs.table("refinement"))
    blocks += _itgax_igf1(inputs.table("itgax_igf1"))
    return Section("subgroup", "The subgroup: how cells were called", lead, tuple(blocks))


def _trust(recovery: Mapping[str, Any]) -> str:
    """Return what the calls can be trusted for: how often a control cell is called, and how often a call is right."""
    known = [row for row in recovery.get("calibration") or [] if not wording.missing(row.get("fpr"))]
    several = len(known) > 1
    told = [
        f"{wording.percent(row['fpr'])} of control microglia are called (95 % interval {wording.percent(row['fpr_low'])} to "
        f"{wording.percent(row['fpr_high'])}{', ' + str(row['chemistry']) if several else ''})"
        for row in known
    ]
    text = f"The call was measured on control animals that it had not seen: {wording.listed(told)}." if told else ""
    expected = recovery.get("expected") or {}
    if wording.missing(expected.get("precision")) or wording.missing(expected.get("recall")):
        return text
    return (
        f"{text} By the model's own probabilities at most {wording.percent(expected['precision'])} of the cells called in the "
        "other animals are recovery cells (in simulated data 13 points fewer were, mostly for cells not yet half-way), and "
        f"{wording.percent(expected['recall'])} of all such cells are called: trust shares of animals and comparisons "
        "between them, not a single cell."
    ).strip()


def _carried(genes: pd.DataFrame) -> str:
    """Return which genes carry the calls, in a sentence."""
    known = genes.dropna(subset=["share_of_evidence"]) if len(genes) else genes
    if known.empty or known["counts_called"].sum() < FEWEST_COUNTS:
        return ""
    top = known.sort_values("share_of_evidence", ascending=False).to_dict("records")
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
    names = {"clusters": "clusters", "without_itgax_igf1": "score without Itgax and Igf1"}
    rows = [
        {"route": names.get(name, wording.key_words(name)), **found}
        for name, found in (recovery.get("agreement") or {}).items()
        if isinstance(found, Mapping) and found.get("n")
    ]
    if not rows:
        return []
    columns = [
        Column("route", "The reported score against", Kind.TEXT),
        Column("both", "Called by both", Kind.COUNT),
        Column("only_first", "By the score only", Kind.COUNT),
        Column("only_second", "By the other only", Kind.COUNT),
        Column("n", "Microglia", Kind.COUNT),
        Column("kappa", "Cohen's kappa", Kind.NUMBER, "1: always agree, 0: as by chance"),
    ]
    return [table(pd.DataFrame(rows), columns, caption="Do the routes call the same cells?")]


def _calibration(inputs: ReportInputs) -> list[object]:
    frame = inputs.table("calibration")
    if frame.empty:
        return []
    own = frame[frame["scorer"] == "score"] if "scorer" in frame else frame
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
            "The cutoff and how often it is wrong",
            (table(shown, columns, of="calibration", caption=caption, marked=marked),),
        )
    ]


def _refinement(recovery: Mapping[str, Any], frame: pd.DataFrame) -> list[object]:
    """Return what was learnt of the genes, or why nothing was."""
    learnt = recovery.get("refinement") or {}
    if learnt.get("refused"):
        reason = str(learnt["refused"])
        text = f"{reason[0].upper()}{reason[1:]}. All signature genes count alike."
        return [Note(Severity.INFO, "Nothing was learnt from these data about the genes", text)]
    if frame.empty:
        return []
    shown = frame.assign(between=[
        "" if wording.missing(low) else f"{low:.1f} to {high:.1f}"
        for low, high in zip(frame["fold_low"], frame["fold_high"], strict=True)
    ])  # fmt: skip
    columns = [
        Column("gene", "Gene"),
        Column("role", "From"),
        Column("fold_before", "Rise expected", help="times, in a cell that is all the way in recovery"),
        Column("fold", "Rise learnt", help="drawn towards what was expected where the data say little"),
        Column("between", "95 % interval", Kind.TEXT),
        Column("decision", "Decision"),
    ]
    added, dropped = (len(learnt.get(word) or []) for word in ("added", "dropped"))
    caption = (
        f"Weights of the genes, learnt within libraries from the other animals: {added} added, {dropped} dropped. No animal "
        "is scored by weights that have seen it."
    )
    return [Fold("What these data taught about the genes", (table(shown, columns, of="refinement", caption=caption),))]


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
    return [Fold("Itgax and Igf1 by themselves", (Prose(text), table(frame, columns, of="itgax_igf1")))]


# ---------------------------------------------------------------- warnings


def warnings_section(inputs: ReportInputs) -> Section:
    """Return every warning, the worst first."""
    notes = warnings_of(inputs)
    if not notes:
        return Section("warnings", "Warnings", "", (Prose("There are none."),))
    frame = pd.DataFrame(
        {"severity": [n.severity for n in notes], "title": [n.title for n in notes], "text": [n.text for n in notes]}
    )
    columns = [
        Column("severity", "Severity", Kind.TEXT),
        Column("title", "About", Kind.TEXT),
        Column("text", "What", Kind.TEXT),
    ]
    counts = [
        wording.count(int(np.sum(frame["severity"] == key)), key)
        for key in ("alarm", "warning")
        if (frame["severity"] == key).any()
    ]
    counts += (
        [f"{int((frame['severity'] == Severity.INFO).sum())} for information"]
        if (frame["severity"] == Severity.INFO).any()
        else []
    )
    marked = [severity == Severity.ALARM for severity in frame["severity"]]
    lead = "An alarm means that the answer may be wrong, a warning that it is weaker than it looks."
    return Section("warnings", "Warnings", f"{wording.listed(counts)}. {lead}", (table(frame, columns, marked=marked),))
