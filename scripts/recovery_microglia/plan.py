"""What a design can show, before anything is computed: the audit in words, and what would be seen (floor 5)."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from recovery_microglia import betabinomial as bb
from recovery_microglia.design import Audit, audit, smallest_p, subjects
from recovery_microglia.timeline import TimelineSettings, arms_of, percent, pick_control, units_of_arm

MICROGLIA, CALLED_IN_CONTROLS, SPREAD = 150, 0.01, 0.015
"""Supposed of the data: microglia of an animal, share of them called in controls, intraclass correlation (the demo's)."""
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
    units = subjects(sheet).assign(n=MICROGLIA, k=round(MICROGLIA * CALLED_IN_CONTROLS))
    weight = (np.arange(len(bb.RHO)) == np.abs(bb.RHO - SPREAD).argmin()).astype(float)
    rng = np.random.default_rng(seed)
    rows, known = [], {}
    for arm in arms_of(units):
        own = units_of_arm(units, arm)
        injured = own[(own["condition"] == "injured") & own["day"].notna()]
        days = sorted(injured["day"].unique())
        for day in days:
            n = int((injured["day"] == day).sum())
            control, name = pick_control(own, day)
            share, claim = np.nan, found.status
            if claim == "tested" and min(n, len(control)) < 2:
                claim = "descriptive"
            if claim == "tested":
                key = (n, len(control), len(days))
                if key not in known:  # days alike are simulated once
                    known[key] = bb.smallest_detectable(
                        CALLED_IN_CONTROLS,
                        np.full(len(control), MICROGLIA),
                        np.full(n, MICROGLIA),
                        weight,
                        alpha=settings.alpha / len(days),
                        power=settings.power,
                        rng=rng,
                    )
                share = known[key]
            rows.append((arm, day, n, name, len(control), smallest_p(len(control), n), share, claim))
    return found, pd.DataFrame(rows, columns=list(COLUMNS))


def words(
    title: str, found: Audit, days: pd.DataFrame, settings: TimelineSettings, to_check: Sequence[str] = ()
) -> str:
    """Return what the design can show as plain text; ``to_check``: facts of the entry that nobody has checked."""
    says = {
        "tested": "Days can be tested against controls, and an onset can be given.",
        "descriptive": f"Only a description is possible, no test and no onset: {found.reason}.",
        "not_testable": f"Emergence cannot be judged: {found.reason}.",
    }
    lines = [title, "", says[found.status], *(notice.text for notice in found.notices), ""]
    if len(days):
        shown = days.assign(
            day=days["day"].map("{:g}".format),
            smallest_p=days["smallest_p"].map(lambda p: "-" if np.isnan(p) else f"{p:.2g}"),
            smallest_share=days["smallest_share"].map(lambda s: "-" if np.isnan(s) else percent(s)),
        )
        if (shown["arm"] == "").all():
            shown = shown.drop(columns="arm")
        lines += [shown.rename(columns=lambda name: name.replace("_", " ")).to_string(index=False), ""]
        lines.append(
            f"smallest p: that so few animals can reach by permutation. smallest share: of recovery cells that would be seen on "
            f"that day in {percent(settings.power)} of studies, if an animal has {MICROGLIA} microglia of which "
            f"{percent(CALLED_IN_CONTROLS)} are called in controls, and animals differ as in the demo."
        )
        lines.append("")
    told = found.confounding[(found.confounding["levels"] > 1) & found.confounding["cramers_v"].notna()]
    if len(told):
        lines.append("What goes with the days (Cramér's V: 0 not at all, 1 completely):")
        lines += [f"  {row['variable']}: {row['cramers_v']:.2f}, {row['note']}" for row in told.to_dict("records")]
    if to_check:
        lines += ["", "To be checked before you rely on it:", *(f"  {text}" for text in to_check)]
    return "\n".join(lines).rstrip() + "\n\n"
