"""Sources of Igf1."""

import pandas as pd

from recovery_microglia import figures
from recovery_microglia.core import wording
from recovery_microglia.core.vocabulary import Condition, Severity
from recovery_microglia.figures.palette import lineage_name
from recovery_microglia.report.blocks import Note, Section, plates
from recovery_microglia.report.inputs import ReportInputs


def igf1_section(inputs: ReportInputs) -> Section:
    """Return where the Igf1 counts come from, or why that cannot be said."""
    shares, states = inputs.table("igf1_share"), inputs.table("igf1_states")
    title = _title(shares)
    within = figures.igf1_within(_with_arms(states, inputs), inputs.ages) if len(states) else None
    if len(shares) and shares["share"].notna().any():
        lead = "Recovery microglia act through the protein IGF1. In unsorted tissue, the share of all Igf1 counts by lineage names its sources."
        left_out = shares[shares["share"].isna()].drop_duplicates(["subject", "day", "condition"])
        blocks: list[object] = list(
            plates(figures.igf1_sources(_with_arms(shares, inputs), states, inputs.ages), within)
        )
        if len(left_out):
            why = wording.listed(_reasons(left_out))
            blocks.append(
                Note(Severity.INFO, f"{wording.count(len(left_out), 'animal')} left out", wording.as_sentence(why))
            )
        return Section("igf1", title, lead, tuple(blocks))
    reasons = _reasons(shares) if len(shares) else []
    if not reasons:
        reasons = [
            "sorted tissue: the other sources of Igf1 were not sampled"
            if inputs.sorted_tissue
            else "there are no counts to share out"
        ]
    not_shown = Note("why", "The share of each lineage is not shown", wording.as_sentence(wording.listed(reasons)))
    return Section("igf1", title, "", (not_shown, *plates(within)))


def _with_arms(rows: pd.DataFrame, inputs: ReportInputs) -> pd.DataFrame:
    """Return rows of animals with the arm of each, where the study has arms."""
    samples = inputs.included
    if "arm" not in samples or samples["arm"].fillna("").eq("").all():
        return rows
    return rows.assign(arm=rows["subject"].map(samples.drop_duplicates("subject").set_index("subject")["arm"]))


def _reasons(shares: pd.DataFrame) -> list[str]:
    """Return why shares are missing, each reason once: those that differ in a count only are one, with the least and the most."""
    by_text: dict[str, list[int]] = {}
    for reason in sorted({str(reason) for reason in shares["reason"].dropna()}):
        count, _, text = reason.partition(" ")
        known = count.isdigit()
        by_text.setdefault(text if known else reason, []).extend([int(count)] if known else [])
    return [
        " ".join([f"{min(n)} to {max(n)}" if len(n) > 1 else str(n[0]), text]) if n else text
        for text, n in by_text.items()
    ]


def _title(shares: pd.DataFrame) -> str:
    """Return the largest source of Igf1 in injured animals as a sentence."""
    known = shares[shares["share"].notna() & (shares["condition"] == Condition.INJURED)] if len(shares) else shares
    if known.empty:
        return "Sources of Igf1"
    means = known.groupby("lineage")["share"].sum() / known["subject"].nunique()
    top = str(means.idxmax())
    name = "other microglia" if top == "microglia" and "recovery_microglia" in means.index else lineage_name(top)
    text = (
        f"After injury {_cells_of(name)} are the largest source of Igf1 ({wording.percent(means[top])} of the counts)"
    )
    if "recovery_microglia" in means.index and top != "recovery_microglia":
        text += f"; recovery microglia hold {wording.percent(means['recovery_microglia'])}"
    return text


def _cells_of(name: str) -> str:
    """Return the cells of a lineage in the plural: border macrophages, endothelial cells, microglia."""
    if name.endswith("microglia"):
        return name
    return f"{name} cells" if name.endswith(("al", "ous", "oid", "ed")) else f"{name}s"
