"""The days: shares, tests, strata, behaviour."""

from collections.abc import Sequence

import pandas as pd

from recovery_microglia import figures
from recovery_microglia.core import wording
from recovery_microglia.core.frame_access import row_of_largest
from recovery_microglia.core.tables import Kind
from recovery_microglia.core.vocabulary import Route, Severity, Status, rank_of
from recovery_microglia.report.blocks import Column, Figures, Fold, Note, Plate, Prose, Section, plates, table
from recovery_microglia.report.inputs import ReportInputs

DAY_COLUMNS = (
    Column("arm", "Arm"),
    Column("day", "Day"),
    Column("n_subjects", "Animals"),
    Column(
        "fraction",
        "Share",
        help="of recovery cells, for animals of that day: from a model over animals, without a cutoff",
    ),
    Column("interval", "95 % interval", Kind.TEXT),
    Column("q", "q", help="p corrected for the number of days (false-discovery rate)"),
    Column(
        "counts", "Called", Kind.TEXT, "called cells of all animals of the day together, each animal at its own cutoff"
    ),
    Column("control", "Control"),
    Column("control_fraction", "Control share"),
    Column("control_counts", "Control, called", Kind.TEXT),
    Column("status", "Status"),
    Column("why", "Why", Kind.TEXT),
)


TEST_COLUMNS = (
    Column("arm", "Arm"),
    Column("day", "Day"),
    Column("difference", "Difference", help="share of the day's animals minus that of the controls"),
    Column("p", "p", help="over animals, never over cells"),
    Column("q", "q", help="p corrected for the number of days (false-discovery rate)"),
    Column(
        "undone_by",
        "Batch effect that would explain it",
        help="times the odds: a batch effect shared by the day's animals that would explain the rise",
    ),
    Column("p_second", "p, t-test", help="a second, different method: t-test on transformed fractions"),
    Column("p_without_highest", "p, without highest", help="in one direction, without the day's highest animal"),
    Column("p_permutation", "permutation p", help="exact, by reassigning animals"),
    Column("p_smallest", "smallest attainable p", help="the smallest p that so few animals can reach by permutation"),
    Column("adjusted_p", "p, adjusted", help="with the properties named beside it in the model"),
    Column("adjusted_for", "Adjusted for"),
    Column("methods_against", "Not confirmed by"),
    Column(
        "smallest_detectable",
        "Detection limit",
        help="smallest true share that is detected with the power asked for (80 % by default), if the animals of a risen day differ like those of the others",
    ),
    Column(
        "smallest_detectable_odds",
        "Limit if risen animals differ more",
        help="the same if the animals of a risen day differ as much in the odds, and so more in the share",
    ),
)


MOST_CONDITIONS = 3
"""Of more conditions than this the heading does not give the shares."""


def timeline_section(inputs: ReportInputs, others: Sequence[Plate] = ()) -> Section:
    """Return the time course behind figure 1: the days in numbers, strata, behaviour.

    Parameters
    ----------
    others
        Main figures of further arms; that of the first stands on the sheet.
    """
    if inputs.status == Status.NOT_TESTABLE:
        return Section("timeline", _animals_title(inputs), "", _called_anyway(inputs), "Animals")
    figures_of_arms = (Figures(tuple(others)),) if others else ()
    lead = "Each day's injured animals are compared with their control. The unit is the animal; cells of one animal are not independent."
    blocks = (*figures_of_arms, *_day_table(inputs), *_strata(inputs), *_behaviour(inputs))
    return Section("timeline", _course_title(inputs), lead, blocks)


def _course_title(inputs: ReportInputs) -> str:
    """Return the time course as a sentence: the highest day beside its control, or that no day is above it."""
    days = inputs.table("timeline")
    own = days[(days["route"] == Route.SCORE) & days["fraction"].notna()] if len(days) else days
    if own.empty or own["arm"].fillna("").nunique() > 1:
        return "The share of recovery cells over days"
    peak = row_of_largest(own, "fraction")
    share, base = wording.percent(peak["fraction"]), peak["control_fraction"]
    day = f"day {wording.day(peak['day'])}"
    if inputs.status == Status.TESTED and all(wording.missing(row.get("first_above")) for row in inputs.onsets):
        return f"No day is shown to be above control; the highest share is {share}, on {day}"
    text = f"On {day}, {share} of the microglia are recovery cells"
    return text + ("" if wording.missing(base) else f", against {wording.percent(base)} in the control")


def _day_table(inputs: ReportInputs) -> tuple[object, ...]:
    """Return the days against their control, and, folded, every test of them."""
    days = inputs.table("timeline")
    if days.empty:
        return ()
    days = days[days["route"] == Route.SCORE].sort_values(["arm", "day"])
    shown = days.assign(
        counts=[f"{wording.whole(k)}/{wording.whole(n)}" for k, n in zip(days["k"], days["n"], strict=True)],
        control_counts=[
            f"{wording.whole(k)}/{wording.whole(n)}" for k, n in zip(days["control_k"], days["control_n"], strict=True)
        ],
        interval=_intervals(days["low"], days["high"]),
        control=[
            f"{name} ({wording.count(int(n), 'animal')})" if not wording.missing(name) else ""
            for name, n in zip(days["control"], days["n_control_subjects"], strict=True)
        ],
        why=days["reason"],
        status=[wording.STATUS.get(str(status), (str(status),))[0] for status in days["status"]],
    )
    if inputs.status != Status.TESTED:  # a p has no place where the design allows none
        shown = shown.drop(columns=["q"])
        return (table(shown, DAY_COLUMNS, of="timeline", caption="Data by day", name="days"),)
    first = table(shown, DAY_COLUMNS, of="timeline", caption="Data by day", name="days")
    return first, Fold("All tests of the days", (table(shown, TEST_COLUMNS, of="timeline", name="days-tests"),))


def _intervals(low: pd.Series, high: pd.Series) -> list[str]:
    """Return intervals in words, as in sentences; empty where there is none."""
    return ["" if wording.missing(a) else wording.percent_interval(a, b) for a, b in zip(low, high, strict=True)]


def _strata(inputs: ReportInputs) -> tuple[object, ...]:
    """Return the course by sex, and the tests of a difference between sexes and between arms; nothing where there is neither."""
    strata, differences = inputs.table("strata"), inputs.table("interactions")
    if strata.empty and differences.empty:
        return ()
    blocks: list[object] = []
    arms = sorted(strata["arm"].fillna("").astype(str).unique()) if len(strata) else []
    for arm in arms[:6]:
        blocks += plates(figures.strata_courses(strata, arm))
    told = [wording.with_signs(text) for text in inputs.sentences("interactions") or _sentences_of(differences)]
    blocks += [Note(Severity.INFO, "Difference between the time courses", " ".join(told))] if told else []
    return (*blocks, *_strata_tables(inputs, strata))


def _sentences_of(frame: pd.DataFrame) -> list[str]:
    """Return the sentences of a table that has them."""
    return [] if frame.empty or "sentence" not in frame else [str(s) for s in frame["sentence"].dropna() if str(s)]


def _strata_tables(inputs: ReportInputs, strata: pd.DataFrame) -> tuple[object, ...]:
    """Return, folded, what the strata and their differences rest on."""
    tested = inputs.status == Status.TESTED
    hidden = {"p", "q", "p_permutation", "p_smallest"}
    days = [
        Column("by", "By"), Column("stratum", "Which"), Column("arm", "Arm"), Column("day", "Day"),
        Column("n_subjects", "Animals"), Column("fraction", "Estimate"), Column("interval", "95 % interval", Kind.TEXT),
        Column("control", "Control"), Column("n_control_subjects", "Control animals"),
        Column("control_fraction", "Control share"), Column("p", "p"), Column("q", "q"),
        Column("status", "Status"), Column("reason", "Why"),
    ]  # fmt: skip
    onset = [
        Column("by", "By"), Column("stratum", "Which"), Column("arm", "Arm"), Column("onset_low", "Onset after day"),
        Column("onset_high", "by day"), Column("peak_day", "Peak day"), Column("peak_fraction", "Peak"),
        Column("status", "Status"), Column("reason", "Why"),
    ]  # fmt: skip
    differences = [
        Column("by", "By"), Column("first", "First"), Column("second", "Second"), Column("arm", "Arm"),
        Column("day", "Day", help="a dash: all days together"), Column("difference_first", "Rise in the first"),
        Column("difference_second", "Rise in the second"), Column("difference", "Difference of the rises"),
        Column("interval", "95 % interval", Kind.TEXT), Column("p", "p"), Column("p_permutation", "permutation p"),
        Column("p_smallest", "smallest attainable p"), Column("q", "q"), Column("status", "Status"), Column("reason", "Why"),
    ]  # fmt: skip
    tables = []
    for frame, columns, caption, name in (
        (strata, days, "Every stratum and day against its control", "strata"),
        (inputs.table("strata_onset"), onset, "Onset of each stratum", "strata_onset"),
        (inputs.table("interactions"), differences, "Differences between the rises", "interactions"),
    ):
        if frame.empty:
            continue
        if {"low", "high"} <= set(frame):
            frame = frame.assign(interval=_intervals(frame["low"], frame["high"]))
        shown = [c for c in columns if tested or c.key not in hidden]
        tables.append(table(frame, shown, of=name, caption=caption, name=name))
    kinds = {str(by) for frame in (strata, inputs.table("interactions")) if len(frame) for by in frame["by"]}
    named = wording.listed([by for by in ("sex", "arm") if by in kinds])
    return (Fold(f"Data by {named}", tuple(tables)),) if tables else ()


def _behaviour(inputs: ReportInputs) -> tuple[object, ...]:
    """Return behaviour beside the cells, and what was tested of the two; nothing where no behaviour was given."""
    behaviour = inputs.table("behaviour")
    if behaviour.empty:
        return ()
    arms = inputs.arms
    days = inputs.arm_days(arms[0]) if arms else pd.DataFrame()
    tests = inputs.table("behaviour_tests")
    told = [wording.with_signs(text) for text in inputs.sentences("behaviour") or _sentences_of(tests)]
    blocks: list[object] = list(plates(figures.behaviour_beside_cells(behaviour, days)))
    blocks += [Note(Severity.INFO, "Behaviour and recovery cells", " ".join(told))] if told else []
    if len(tests):
        columns = [
            Column("measure", "Measure"), Column("sex", "Sex"), Column("arm", "Arm"), Column("n_days", "Days"),
            Column("correlation", "Correlation", help="over days"), Column("lag", "Lag (days)"),
            Column("p", "p"), Column("p_smallest", "smallest attainable p", help="the smallest p that so few days can reach"),
            Column("status", "Status"), Column("reason", "Why"),
        ]  # fmt: skip
        blocks.append(
            Fold(
                "Behaviour and recovery cells, all tests",
                (table(tests, columns, of="behaviour_tests", name="behaviour_tests"),),
            )
        )
    return tuple(blocks)


def _animals_title(inputs: ReportInputs) -> str:
    """Return the shares of called cells as a sentence, those of controls last."""
    units = inputs.units()
    units = units[units["n"] > 0] if len(units) else units
    ages = inputs.ages
    if len(units) and ages is not None and ages.nunique() > 1:
        return _groups_title(figures.grouped_animals(units, inputs.table("timeline"), ages))
    conditions = sorted(set(units["condition"].astype(str)), key=rank_of, reverse=True) if len(units) else []
    if not 0 < len(conditions) <= MOST_CONDITIONS:
        return "Recovery cells in each animal"
    said: list[str] = []
    for condition in conditions:
        own = units[units["condition"].astype(str) == condition]
        shares = own["k"] / own["n"]
        low, high = float(shares.min()), float(shares.max())
        of = "the microglia are called recovery cells" if not said else ""
        share = wording.percent(low) if low == high else wording.percent_interval(low, high)
        whose = f"in the {condition} animal" if own["subject"].nunique() == 1 else f"in {condition} animals"
        said.append(f"{whose} {share}" + (f" of {of}" if of else ""))
    text = wording.listed(said)
    return text[0].upper() + text[1:]


def _groups_title(animals: pd.DataFrame) -> str:
    """Return the shares of called cells of groups that differ in age as a sentence, the highest first."""
    shares = (animals["k"] / animals["n"]).groupby(animals["group"]).agg(["min", "max", "mean"])
    if not 0 < len(shares) <= MOST_CONDITIONS:
        return "Recovery cells in each animal"
    said = [
        f"{wording.percent(low) if low == high else wording.percent_interval(low, high)} ({group})"
        for group, low, high, _ in shares.sort_values("mean", ascending=False).itertuples(name=None)
    ]
    return f"Called recovery cells, of the microglia: {wording.listed(said)}"


def _called_anyway(inputs: ReportInputs) -> tuple[object, ...]:
    """Return the fractions per subject where cells were called although days cannot be compared."""
    units = inputs.units()
    units = units[units["n"] > 0] if len(units) else units
    if units.empty:
        return ()
    shown = units.assign(
        recovery=[wording.share(k, n) for k, n in zip(units["k"], units["n"], strict=True)],
        interval=_intervals(units["low"], units["high"]),
    )
    ages = inputs.ages
    if ages is not None and ages.nunique() > 1:
        shown = shown.assign(age=shown["subject"].map(ages))
    columns = [
        Column("subject", "Animal"),
        Column("condition", "Condition"),
        Column("age", "Age", Kind.TEXT),
        Column("day", "Day"),
        Column("recovery", "Called of its microglia", Kind.TEXT),
        Column("interval", "95 % interval of the called", Kind.TEXT, "from this animal's cells only"),
        Column("note", "Note"),
    ]
    text = "The microglia of all animals were judged in the same way."
    if "mixture" in units and units["mixture"].notna().any():
        text += " Called cells are counted here; figure 1 shows the share without a cutoff."
    text += " This is a description, not a test."
    return (Prose(text), table(shown, columns, of="fractions", caption="Called cells per animal"))
