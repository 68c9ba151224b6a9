"""The answer under other choices of the analysis."""

from recovery_microglia import figures
from recovery_microglia.core import wording
from recovery_microglia.core.vocabulary import Status
from recovery_microglia.report.blocks import Column, Fold, Note, Section, plates, table
from recovery_microglia.report.inputs import ReportInputs


def robustness_section(inputs: ReportInputs) -> Section | None:
    """Return the alternatives; nothing where there is no answer that could be robust."""
    rows = inputs.table("robustness")
    if inputs.status == Status.NOT_TESTABLE:
        return None
    title = "Would other choices give the same answer?"
    if rows.empty:
        why = "No onset was tested, so there is none to repeat under other choices."
        return Section("robustness", title, "", (Note("why", "Not done", why),))
    arms = list(dict.fromkeys(rows["arm"].fillna("").astype(str)))
    told = inputs.summary.get("robustness")
    sentence = str((told or {}).get("sentence", "")) if isinstance(told, dict) else str(told or "")
    if not sentence:
        same = int(rows["agrees"].map(wording.truthy).sum())
        sentence = f"{same} of {len(rows)} alternative analyses are compatible with the reported interval."
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
    drawn = [draw(rows, arm) for arm in arms[:6] for draw in (figures.onset_alternatives, figures.choices)]
    pictures = plates(*drawn)
    return Section(
        "robustness",
        title,
        sentence,
        (*pictures, Fold("All analyses", (table(rows, columns, of="robustness", name="robustness"),))),
    )
