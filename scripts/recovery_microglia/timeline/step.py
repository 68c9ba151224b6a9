"""The timeline step: calls and sheet in; all tables of the days out."""

from collections.abc import Mapping

import anndata as ad
import pandas as pd

from recovery_microglia.core.anndata_access import obs_of
from recovery_microglia.core.genes import MYELOID, Signatures
from recovery_microglia.core.json_files import Json
from recovery_microglia.core.vocabulary import Denominator, Route, Status
from recovery_microglia.timeline.batch_shift import unknown_batches
from recovery_microglia.timeline.behaviour import behaviour_table, behaviour_tests
from recovery_microglia.timeline.days import run_timeline, worst_status
from recovery_microglia.timeline.design import audit, subjects
from recovery_microglia.timeline.error_correction import add_corrected, error_rates
from recovery_microglia.timeline.fractions import add_mixture, fractions
from recovery_microglia.timeline.gene_courses import gene_changes, gene_course, gene_tests
from recovery_microglia.timeline.igf1_sources import igf1_share
from recovery_microglia.timeline.next_step import next_steps
from recovery_microglia.timeline.sensitivity import alternatives
from recovery_microglia.timeline.settings import TimelineSettings
from recovery_microglia.timeline.stratified import by_sex, differing, interactions


def denominators(cells: pd.DataFrame, sheet: pd.DataFrame) -> pd.DataFrame:
    """Return per library the kept microglia, myeloid cells and all cells."""
    kept = cells[cells["removed_by"] == ""]
    groups = {
        "microglia": kept[kept["lineage"] == "microglia"],
        "myeloid": kept[kept["lineage"].isin(MYELOID)],
        "all": kept,
    }
    table = pd.DataFrame({"library": sheet["library"][sheet["include"]]})
    for name, group in groups.items():
        table[name] = table["library"].map(group.groupby("library").size()).fillna(0).astype(int)
    return table


def timeline_step(
    *,
    sheet: pd.DataFrame,
    cells: pd.DataFrame,
    recovered: pd.DataFrame,
    recovery: Json,
    calibration: pd.DataFrame,
    myeloid: ad.AnnData,
    sums: Mapping[str, pd.DataFrame],
    signatures: Signatures,
    behaviour: list[Json],
    injury_model: str,
    quantile: float,
    settings: TimelineSettings,
    seed: int,
    threads: int = 1,
) -> tuple[dict[str, pd.DataFrame], Json]:
    """Return the tables of the timeline step, and timeline.json."""
    design = audit(sheet)
    called = (recovery["status"], recovery["reason"])
    counts = denominators(cells, sheet)
    table = add_mixture(fractions(recovered, sheet, counts), recovered, sheet)
    table = add_corrected(table, error_rates(recovered, sheet, calibration), seed=seed)
    timeline, onset = run_timeline(table, design, called, settings, seed=seed)
    reported = timeline[timeline["route"] == Route.SCORE] if len(timeline) else timeline
    unseen = unknown_batches(subjects(sheet), reported)
    robust, told, hanging = alternatives(
        recovered,
        calibration,
        sheet,
        counts,
        onset,
        quantile=quantile,
        settings=settings,
        partitions=partitions(myeloid).loc[recovered["cell"]].set_axis(recovered.index),
        held={arm: design.held_of(arm) for arm in {arm for arm, _ in design.held}},
        seed=seed,
        threads=threads,
    )
    status, reason = worst_status((design.status, design.reason), called)
    main = table[(table["route"] == Route.SCORE) & (table["denominator"] == Denominator.MICROGLIA)]
    strata, strata_onset = by_sex(main, design, (status, reason), settings, seed=seed)
    differences = interactions(main, design, (status, reason), settings, seed=seed)
    pain = behaviour_table(behaviour)
    pain_tests = behaviour_tests(
        pain, timeline, onset, injury_model=injury_model, strata=strata, strata_onset=strata_onset, seed=seed
    )
    microglia = myeloid[(myeloid.obs["lineage"] == "microglia").to_numpy()]
    course = gene_course(microglia, signatures)
    changes, changes_sentence = gene_changes(microglia, signatures, design)
    inside = (
        recovered[recovered["recovery_call"].fillna(False).astype(bool)] if called[0] != Status.NOT_TESTABLE else None
    )
    tables = {
        "fractions": table,
        "timeline": timeline,
        "onset": onset,
        "robustness": robust,
        "confounding": design.confounding,
        "igf1_share": igf1_share(sums, sheet, inside),
        "gene_course": course,
        "gene_changes": changes,
        "gene_tests": gene_tests(course, design, seed=seed),
        "strata": strata,
        "strata_onset": strata_onset,
        "interactions": differences,
        "behaviour": pain,
        "behaviour_tests": pain_tests,
    }
    report = {
        "status": status,
        "reason": reason,
        "design": design.as_dict(),
        "robustness": told,
        "interactions": [text for text in differences["sentence"] if text],
        "behaviour": list(pain_tests["sentence"]),
        "next_steps": next_steps(
            design, main, reported, onset[onset["route"] == Route.SCORE], recovery, settings, seed=seed
        ),
        "genes": changes_sentence,
        "notices": [notice.as_dict() for notice in [*unseen, *differing(differences), *hanging, *design.notices]],
    }
    return tables, report


def partitions(myeloid: ad.AnnData) -> pd.DataFrame:
    """Return the clusters of the cells at every resolution, of the uncorrected and the integrated components."""
    return obs_of(myeloid).filter(regex=r"^(integrated_)?leiden_")
