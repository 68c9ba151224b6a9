"""What a design can show, before anything is computed: the audit in words, and what would be seen."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from recovery_microglia.core.frame_access import records
from recovery_microglia.core.statistics import smallest_p
from recovery_microglia.core.vocabulary import Condition, Status
from recovery_microglia.core.wording import percent_in_sentence, whole_percent
from recovery_microglia.timeline.design import Audit, audit, subjects
from recovery_microglia.timeline.detection import smallest_detectable, supposed_studies
from recovery_microglia.timeline.fractions import arms_of, pick_control, units_of_arm
from recovery_microglia.timeline.paired_model import pairs_of
from recovery_microglia.timeline.settings import TimelineSettings
from recovery_microglia.timeline.sides import SAME_ANIMALS

MICROGLIA, WORTH, IN_CONTROLS, SPREAD = 150, 60, 0.01, 0.03
"""Supposed of the data: microglia of an animal, the cells known without doubt that say as much of its share (two fifths in simulated
studies), share of recovery cells in controls, and intraclass correlation (the demo's)."""
COLUMNS = ("arm", "day", "animals", "control", "control_animals", "smallest_p", "smallest_share", "claim")


def plan(sheet: pd.DataFrame, settings: TimelineSettings, *, seed: int = 1) -> tuple[Audit, pd.DataFrame]:
    """Return the design audit, and what each day can show.

    Parameters
    ----------
    sheet
        One row a library (`DataSet.frame`).
    settings
        Level and power.
    seed
        Seed of the simulation behind ``smallest_share``.

    Returns
    -------
    audit
        See `design.audit`.
    days
        arm, day, animals, control, control_animals, smallest_p (two-sided, by permutation), smallest_share (the smallest
        share of recovery cells that would be told from the controls with the configured power, if an animal had
        `MICROGLIA` microglia), claim (tested, descriptive or not_testable).
    """
    found = audit(sheet)
    units = subjects(sheet).assign(n=MICROGLIA, k=round(MICROGLIA * IN_CONTROLS))
    rng = np.random.default_rng(seed)
    rows, known = [], {}
    for arm in arms_of(units):
        own = units_of_arm(units, arm)
        injured = own[(own["condition"] == Condition.INJURED) & own["day"].notna()]
        days = sorted(injured["day"].unique())
        for day in days:
            n = int((injured["day"] == day).sum())
            control, name = pick_control(own, day)
            paired = name.startswith("contralateral day") and pairs_of(control, injured[injured["day"] == day])
            name += SAME_ANIMALS if paired else ""
            least = 2.0 ** (1 - n) if paired else smallest_p(len(control), n)
            share, claim = np.nan, found.status
            if claim == Status.TESTED and (min(n, len(control)) < 2 or (arm, day) in found.held):
                claim = Status.DESCRIPTIVE
            if claim == Status.TESTED:
                key = (arm, n, len(control))
                if key not in known:  # days alike are simulated once
                    known[key] = _smallest_share(len(control), n, len(days), settings, rng)
                share = known[key]
            rows.append((arm, day, n, name, len(control), least, share, claim))
    return found, pd.DataFrame(rows, columns=list(COLUMNS))


def _smallest_share(n_control: int, n: int, n_days: int, settings: TimelineSettings, rng: np.random.Generator) -> float:
    """Return the smallest detectable share of a day, from studies with as many other days that are like the controls."""
    cells = [np.full(n_control, WORTH), *[np.full(n, WORTH)] * n_days]
    drawn = supposed_studies([IN_CONTROLS] * (1 + n_days), cells, SPREAD, rng)
    return smallest_detectable(
        drawn, 0, 1, alpha=settings.alpha / n_days, power=settings.power, floor=IN_CONTROLS, rng=rng
    )


def words(
    title: str, found: Audit, days: pd.DataFrame, settings: TimelineSettings, to_check: Sequence[str] = ()
) -> str:
    """Return what the design can show as plain text; ``to_check``: facts of the entry that nobody has checked."""
    says: dict[str, str] = {
        Status.TESTED: "Days can be tested against controls, and an onset can be given.",
        Status.DESCRIPTIVE: f"Only a description is possible, no test and no onset: {found.reason}.",
        Status.NOT_TESTABLE: f"Emergence cannot be judged: {found.reason}.",
    }
    if len(days) and days.groupby("arm")["day"].nunique().max() == 1:  # one day has no course
        says[Status.TESTED] = (
            "The one day after injury can be tested against controls; when a rise began it cannot tell."
        )
    lines = [title, "", says[found.status], *(notice.text for notice in found.notices), ""]
    if len(days):
        shown = days.assign(
            day=days["day"].map("{:g}".format),
            smallest_p=days["smallest_p"].map(lambda p: "-" if np.isnan(p) else f"{p:.2g}"),
            smallest_share=days["smallest_share"].map(lambda s: "-" if np.isnan(s) else percent_in_sentence(s)),
        )
        if (shown["arm"] == "").all():
            shown = shown.drop(columns="arm")
        lines += [shown.rename(columns=lambda name: name.replace("_", " ")).to_string(index=False), ""]
        lines.append(
            f"smallest p: that so few animals can reach by permutation. smallest share: of recovery cells that would be detected on "
            f"that day in {whole_percent(settings.power)} of studies, if an animal has {MICROGLIA} microglia, which say as much of its share as {WORTH} cells "
            f"known without doubt, controls hold {percent_in_sentence(IN_CONTROLS)}, and animals differ as in the demo. With the data, the page says it again from what they are."
        )
        lines.append("")
    if found.status != Status.NOT_TESTABLE:
        spare = found.columns - found.rank
        lines += [
            f"Design: {found.columns} columns (days, and what varies), rank {found.rank}"
            + (f"; {spare} too many: some effects are confounded." if spare else ".")
        ]
    told = found.confounding[(found.confounding["levels"] > 1) & found.confounding["cramers_v"].notna()]
    if len(told):
        lines.append("What goes with the days (Cramér's V: 0 not at all, 1 completely):")
        lines += [f"  {row['variable']}: {row['cramers_v']:.2f}, {row['note']}" for row in records(told)]
    if to_check:
        lines += ["", "To be checked before you rely on it:", *(f"  {text}" for text in to_check)]
    return "\n".join(lines).rstrip() + "\n\n"
