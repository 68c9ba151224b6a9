"""The answer under other choices of the analysis."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from recovery_microglia import figures
from recovery_microglia.core import wording
from recovery_microglia.core.families import family_of
from recovery_microglia.core.vocabulary import Status
from recovery_microglia.report.blocks import Column, Fold, Note, Points, Prose, Section, plates, table
from recovery_microglia.report.inputs import ReportInputs

UNDECIDED = "Sensitivity analysis"
"""The heading where one sentence cannot say it."""


def robustness_section(inputs: ReportInputs) -> Section | None:
    """Return the alternatives; nothing where there is no answer that could be robust."""
    rows = inputs.table("robustness")
    if inputs.status == Status.NOT_TESTABLE:
        return None
    title = _title(rows)
    if rows.empty:
        why = "No onset was tested, so that there is no onset to compare under other choices."
        return Section("robustness", title, "", (Note("why", "Not applicable", why),))
    arms = list(dict.fromkeys(rows["arm"].fillna("").astype(str)))
    columns = [
        Column("analysis", "Analysis"),
        Column("arm", "Arm"),
        Column("varied", "Choice that is varied"),
        Column("scorer", "Score"),
        Column("denominator", "Of"),
        Column("resolution", "Resolution"),
        Column("integrated", "Integrated"),
        Column("left_out", "Left out"),
        Column("onset_low", "Onset after day"),
        Column("onset_high", "by day"),
        Column("peak_day", "Peak day"),
        Column("peak_fraction", "Peak"),
        Column("agrees", "Compatible with the reported onset"),
    ]
    pictures = plates(*(figures.sensitivity(rows, arm) for arm in arms[:6]))
    further = plates(*(draw(rows, arm) for arm in arms[:6] for draw in (figures.onset_alternatives, figures.choices)))
    lead, points = _by_family(inputs.summary.get("robustness") or [], rows, concluded=title != UNDECIDED)
    return Section(
        "robustness",
        title,
        lead,
        (
            *points,
            *pictures,
            Fold("All analyses", (*further, table(rows, columns, of="robustness", name="robustness"))),
        ),
    )


def _by_family(
    told: Sequence[Mapping[str, Any]], rows: pd.DataFrame, *, concluded: bool
) -> tuple[str, tuple[Prose | Points, ...]]:
    """Return what was reported and, unless the heading has ``concluded`` it, what follows, and a line for each family; with several arms, for each of them."""
    if not told:
        same = int(rows["agrees"].map(wording.truthy).sum())
        return f"{same} of {len(rows)} alternative analyses are compatible with the reported interval.", ()
    if len(told) == 1:
        lead = told[0]["reported"] if concluded else f"{told[0]['reported']} {told[0]['conclusion']}"
        return lead, (Points(tuple(told[0]["families"])),)
    blocks: list[Prose | Points] = []
    for own in told:
        blocks += [Prose(f"{own['reported']} {own['conclusion']}", own["arm"]), Points(tuple(own["families"]))]
    return "", tuple(blocks)


def _title(rows: pd.DataFrame) -> str:
    """Return to which families of choices the answer is sensitive, as a sentence."""
    arms = list(dict.fromkeys(rows["arm"].fillna("").astype(str))) if len(rows) else []
    if len(arms) != 1:
        return UNDECIDED
    own = figures.families(rows, arms[0])
    others = own[own["family"] != figures.REPORTED]
    judged = [family_of(varied).judged for varied in others["varied"]]  # as the sentence judges them
    found = others.groupby(judged, sort=False)[["answered", "compatible"]].sum()
    answering = found[found["answered"] > 0]
    if answering.empty:
        return UNDECIDED
    by_clusters = family_of("clusters").judged
    silent = by_clusters in found.index and by_clusters not in answering.index
    end = "; clusters give no answer" if silent else ""
    never = list(answering.index[answering["compatible"] == 0])
    if not never:
        return f"No family of other choices excludes the onset{end}"
    return f"The onset is sensitive to the choice of method: no analysis {wording.listed(never, last='or')} is compatible with it{end}"
