"""Whole data sets: one tested, one descriptive, one not testable, and one of which next to nothing is known."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from made_up import answers, course, genes, libraries
from made_up.cells import embedded_cells, gene_counts
from made_up.genes import CONTEXT, SIGNATURE
from made_up.sheet import NAN, sheet
from recovery_microglia.report import ReportInputs


def a_tested_set(*, simulated: bool = True, seed: int = 1) -> ReportInputs:
    """Seven days, three animals each, sham, two batches: everything can be asked."""
    rng = np.random.default_rng(seed)
    samples = sheet([(0, "naive", 3), *((d, "injured", 3) for d in (1, 3, 7, 14, 21, 35)), (14, "sham", 3)])
    units = course.fractions(samples, rng)
    gene_course = genes.gene_course(samples, [*SIGNATURE, *CONTEXT], rng)
    tests = course.timeline(units, tested=True)
    tables = {
        "samples": samples,
        "qc": libraries.qc(samples, rng),
        "lineages": libraries.lineages(samples),
        "gate": libraries.gate(),
        "lineage_markers": libraries.lineage_markers(),
        "markers_used": genes.markers([*SIGNATURE, *CONTEXT]),
        "gene_course": gene_course,
        "gene_changes": genes.gene_changes(gene_course, tested=True),
        "gene_tests": genes.gene_tests(gene_course, tested=True),
        "call_genes": genes.call_genes(),
        "clusters": genes.clusters(),
        "igf1_share": genes.igf1(samples, sorted_tissue=False),
        "igf1_states": genes.igf1_states(samples),
        "fractions": units,
        "timeline": tests.assign(adjusted_p=0.002, adjusted_for="sex", methods_against=""),
        "null": course.null(units),
        "strata": course.strata(units),
        "interactions": course.interactions(),
        "behaviour": course.behaviour(),
        "behaviour_tests": course.behaviour_tests(),
        "onset": pd.DataFrame([answers.ONSET, answers.ONSET | {"route": "cluster"}]),
        "strata_onset": answers.strata_onset(),
        "robustness": answers.robustness(),
        "calibration": answers.calibration(usable=True),
        "confounding": answers.confounding(),
        "design": answers.design(samples),
        "warnings": answers.warnings_table(
            ("sex_mismatch", "alarm", "Library N00_3 is stated female and looks male."),
            ("few_microglia", "warning", "Library N00_3 has 30 microglia; a fraction of so few is hardly known."),
            ("not_measured", "info", "Something small."),
        ),
    }
    accuracy = {
        "precision": 0.71,
        "recall": 0.55,
        "f1": 0.62,
        "false_positive_rate_control": 0.008,
        "lineage_precision": 0.985,
        "lineage_recall": 0.972,
        "doublets_removed": 0.6,
        "good_cells_removed": 0.02,
    }
    if simulated:
        tables["truth"] = course.truth(units)
        tables["truth_states"] = course.truth_states()
    facts = answers.summary(
        "tested_set",
        "tested",
        "",
        answers.ONSET["sentence"],
        simulated=simulated,
        onset=[answers.ONSET],
        days=answers.days(samples),
        truth=accuracy if simulated else None,
        robustness=[answers.ROBUSTNESS],
        interactions=["The rise does not differ between females and males (p = 0.4)."],
        behaviour=[str(text) for text in tables["behaviour_tests"]["sentence"]],
        design={"status": "tested", "reason": "", "rank": 9, "columns": 9},
    )
    cells = embedded_cells(samples, rng, per_library=120, called=True)
    return ReportInputs(facts, tables, cells, gene_counts(cells, [*SIGNATURE, *CONTEXT], rng))


def a_descriptive_set(seed: int = 2) -> ReportInputs:
    """Each day is a batch of its own, one animal each: described, not tested."""
    rng = np.random.default_rng(seed)
    reason = "day and batch confounded"
    samples = sheet([(0, "naive", 2), *((d, "injured", 1) for d in (1, 3, 7))], batches=False)
    units = course.fractions(samples, rng)
    gene_course = genes.gene_course(samples, SIGNATURE, rng)
    sentence = (
        f"Described, not tested ({reason}): the highest share of recovery microglia is 5.0 % (8 of 160 cells) on day 7."
    )
    onset = answers.described_onset(reason, sentence)
    tables = {
        "samples": samples,
        "qc": libraries.qc(samples, rng),
        "lineages": libraries.lineages(samples),
        "markers_used": genes.markers(SIGNATURE),
        "gene_course": gene_course,
        "gene_tests": genes.gene_tests(gene_course, tested=False),
        "clusters": genes.clusters(),
        "igf1_share": genes.igf1(samples, sorted_tissue=False),
        "fractions": units,
        "timeline": course.timeline(units, tested=False, reason=reason),
        "onset": pd.DataFrame([onset]),
        "robustness": answers.robustness().head(0),
        "calibration": answers.calibration(usable=True),
        "confounding": answers.confounding(batch_is_day=True),
        "warnings": answers.warnings_table(("day_is_batch", "alarm", "Each day was processed in a batch of its own.")),
    }
    facts = answers.summary(
        "descriptive_set",
        "descriptive",
        reason,
        sentence,
        injury_class="spinal_cord",
        injury_model="spinal cord injury",
        onset=[onset],
        days=answers.days(samples),
    )
    return ReportInputs(facts, tables, embedded_cells(samples, rng, per_library=200, called=True))


def a_panel(seed: int = 3) -> ReportInputs:
    """A 98-gene table of sorted microglia without Itgax and Igf1: no calls; the genes present have a course."""
    rng = np.random.default_rng(seed)
    reason = "3 of 14 signature genes were measured (7 are needed; Itgax and Igf1 are not among them)"
    present = ["Cd9", "Fabp5", "Spp1", "Apoe", "Ctsb"]
    samples = sheet([(0, "naive", 4), (7, "contralateral", 3), (7, "injured", 3), (30, "injured", 3)], sort="microglia")
    gene_course = genes.gene_course(samples, present, rng)
    onset = answers.onset_not_testable(reason)
    cells = embedded_cells(samples, rng, per_library=60, called=False).assign(lineage="microglia", recovery_score=NAN)
    qc = libraries.qc(samples, rng).assign(median_pct_mito=NAN)
    units = course.fractions(samples, rng)
    tables = {
        "samples": samples,
        "qc": qc,
        "lineages": libraries.lineages(samples).query("lineage == 'microglia'"),
        "markers_used": genes.markers(present),
        "gene_course": gene_course,
        "gene_tests": genes.gene_tests(gene_course, tested=True),
        "clusters": genes.clusters().head(0),
        "igf1_share": genes.igf1(samples, sorted_tissue=True),
        "fractions": units.head(0),
        "timeline": course.timeline(units, tested=False).head(0),
        "onset": pd.DataFrame([onset]),
        "robustness": answers.robustness().head(0),
        "calibration": answers.calibration(usable=False),
        "confounding": answers.confounding(),
        "warnings": answers.warnings_table(
            ("recovery_not_testable", "alarm", f"Recovery cells are not called: {reason}.")
        ),
    }
    measured = [gene for gene in SIGNATURE if gene in present]
    coverage = {
        "present": ["Cd9", "Fabp5", "Spp1"],
        "absent": [gene for gene in SIGNATURE if gene not in present],
        "n_present": len(measured),
        "n_genes": len(SIGNATURE),
        "reason": reason,
    }
    facts = answers.summary(
        "panel_set",
        "not_testable",
        reason,
        f"Whether recovery microglia emerge cannot be judged from these data: {reason}.",
        enrichment="microglia",
        onset=[onset],
        days=answers.days(samples),
        recovery={"status": "not_testable", "reason": reason, "coverage": coverage, "quantile": 0.99},
        totals={"cells": 960, "kept": 944, "microglia": 944, "recovery_cells": None},
    )
    return ReportInputs(facts, tables, cells)


def a_tissue_without_days(seed: int = 4) -> ReportInputs:
    """Brain tissue without injury, and next to nothing known: most tables are missing."""
    rng = np.random.default_rng(seed)
    samples = sheet([(NAN, "naive", 3)])
    tables = {
        "samples": samples,
        "qc": libraries.qc(samples, rng),
        "lineages": libraries.lineages(samples),
        "markers_used": genes.markers([*SIGNATURE, *CONTEXT]).assign(detected_injured=NAN),
        "gene_course": genes.gene_course(samples, ["Apoe", "Igf1"], rng),
    }
    reason = "there is no injured library"
    facts = answers.summary(
        "no_days",
        "not_testable",
        reason,
        f"Whether recovery microglia emerge cannot be judged from these data: {reason}.",
        injury_model="none",
        injury_class="none",
        days=answers.days(samples),
    )
    cells = embedded_cells(samples, rng, per_library=80, called=False)
    return ReportInputs(facts, tables, cells)


SETS: dict[str, Callable[[], ReportInputs]] = {
    "tested": a_tested_set,
    "descriptive": a_descriptive_set,
    "panel": a_panel,
    "no_days": a_tissue_without_days,
}
"""Name to what makes the data set."""
