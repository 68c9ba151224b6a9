"""The sections that carry the answer: timeline, truth, genes, Igf1, robustness."""

import pandas as pd

from recovery_microglia import figures
from recovery_microglia.core.tables import Kind
from recovery_microglia.core.vocabulary import Route, Severity, Status
from recovery_microglia.report import wording
from recovery_microglia.report.blocks import Column, Fold, Note, Prose, Section, Tile, Tiles, plates, table, whole_table
from recovery_microglia.report.inputs import ReportInputs

DAY_COLUMNS = (
    Column("arm", "Arm"),
    Column("day", "Day"),
    Column("n_subjects", "Animals"),
    Column("counts", "Recovery cells", Kind.TEXT, "cells of all animals of the day together"),
    Column("fraction", "Estimate", help="share for animals of that day, from a model over animals"),
    Column("interval", "95 % interval", Kind.TEXT),
    Column("corrected", "Corrected", help="for cells that the call misses and for those it takes by mistake"),
    Column("corrected_interval", "95 % interval, corrected", Kind.TEXT),
    Column("mixture", "Without cutoff", help="share that makes the scores likeliest; mean of the animals"),
    Column("control", "Compared with"),
    Column("control_fraction", "Control estimate"),
    Column("q", "q", help="p corrected for the number of days (false-discovery rate)"),
    Column("status", "Status"),
    Column("why", "Why", Kind.TEXT),
)
TEST_COLUMNS = (
    Column("arm", "Arm"),
    Column("day", "Day"),
    Column("difference", "Difference", help="share of the day's animals minus that of the controls"),
    Column("p", "p", help="over animals, never over cells"),
    Column("q", "q", help="p corrected for the number of days (false-discovery rate)"),
    Column("p_second", "p, 2nd test", help="a second, different method: t-test on transformed fractions"),
    Column("p_permutation", "p, permuted", help="exact, by reassigning animals"),
    Column("p_smallest", "least p", help="the smallest p that so few animals can reach by permutation"),
    Column("adjusted_p", "p, adjusted", help="with the properties named beside it in the model"),
    Column("adjusted_for", "Adjusted for"),
    Column("methods_against", "Not confirmed by"),
    Column("smallest_detectable", "Seen from", help="smallest true share that would have been found with 80 % power"),
    Column("control_corrected", "Control, corrected"),
)


def timeline_section(inputs: ReportInputs) -> Section:
    """Return the share of recovery cells over days."""
    title = "Recovery cells over days"
    if inputs.status == Status.NOT_TESTABLE:
        why = Note("why", "Not asked of these data", f"{_sentence(inputs.reason)} No day of emergence can be given.")
        return Section("timeline", title, "", (why, *_called_anyway(inputs)))
    pictures = []
    for arm in inputs.arms[:6]:
        onset = next(
            (
                row
                for row in inputs.onsets
                if str(row.get("arm") or "") == arm or (wording.missing(row.get("arm")) and not arm)
            ),
            None,
        )
        pictures.append(
            figures.timeline(
                inputs.arm_units(arm),
                inputs.arm_days(arm),
                onset,
                arm=arm,
                flow_marks=inputs.text("injury_class") == "peripheral_nerve",
            )
        )
    if not any(pictures):
        return Section(
            "timeline",
            title,
            "",
            (Note("why", "Nothing to draw", "No injured animal has microglia that were called."),),
        )
    lead = "Each day's injured animals against their control. The unit is the animal; cells of one animal are not independent."
    blocks = (*plates(*pictures), *_day_table(inputs), *_strata(inputs), *_behaviour(inputs))
    return Section("timeline", title, lead, blocks)


def _sentence(reason: str) -> str:
    text = reason or "the data do not allow it"
    return text[0].upper() + text[1:].rstrip(".") + "."


def _day_table(inputs: ReportInputs) -> tuple[object, ...]:
    """Return the days against their control, and, folded, every test of them."""
    days = inputs.table("timeline")
    if days.empty:
        return ()
    days = days[days["route"] == Route.SCORE].sort_values(["arm", "day"])
    none = pd.Series(float("nan"), index=days.index)
    shown = days.assign(
        counts=[f"{wording.whole(k)}/{wording.whole(n)}" for k, n in zip(days["k"], days["n"], strict=True)],
        interval=_intervals(days["low"], days["high"]),
        corrected_interval=_intervals(days.get("corrected_low", none), days.get("corrected_high", none)),
        control=[
            f"{name} ({wording.count(int(n), 'animal')})" if not wording.missing(name) else ""
            for name, n in zip(days["control"], days["n_control_subjects"], strict=True)
        ],
        why=days["reason"],
        status=[wording.STATUS.get(str(status), (str(status),))[0] for status in days["status"]],
    )
    if inputs.status != Status.TESTED:  # a p has no place where the design allows none
        shown = shown.drop(columns=["q"])
        return (table(shown, DAY_COLUMNS, of="timeline", caption="The days", name="days"),)
    first = table(shown, DAY_COLUMNS, of="timeline", caption="The days, compared with their control", name="days")
    return first, Fold("Every test of the days", (table(shown, TEST_COLUMNS, of="timeline", name="days-tests"),))


def _intervals(low: pd.Series, high: pd.Series) -> list[str]:
    """Return intervals in words: 2.5 to 12.5 %; empty where there is none."""
    return [
        "" if wording.missing(a) else f"{wording.percent(a).removesuffix(wording.PERCENT)} to {wording.percent(b)}"
        for a, b in zip(low, high, strict=True)
    ]


def _strata(inputs: ReportInputs) -> tuple[object, ...]:
    """Return the course by sex and by arm with the tests of a difference; nothing where the run made no such tables."""
    strata = inputs.table("strata")
    if strata.empty:
        return ()
    blocks: list[object] = []
    for by in dict.fromkeys(strata["by"].astype(str)):
        arms = [""] if by == "arm" else sorted(strata.loc[strata["by"] == by, "arm"].fillna("").astype(str).unique())
        for arm in arms[:6]:
            blocks += plates(figures.strata_courses(strata, by, arm))
    told = inputs.sentences("interactions") or _sentences_of(inputs.table("interactions"))
    blocks += [Note(Severity.INFO, "Do the courses differ?", " ".join(told))] if told else []
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
        Column("control", "Compared with"), Column("n_control_subjects", "Control animals"),
        Column("control_fraction", "Control estimate"), Column("p", "p"), Column("q", "q"),
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
        Column("interval", "95 % interval", Kind.TEXT), Column("p", "p"), Column("p_permutation", "p, permuted"),
        Column("p_smallest", "least p"), Column("q", "q"), Column("status", "Status"), Column("reason", "Why"),
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
    return (Fold("The strata in numbers", tuple(tables)),) if tables else ()


def _behaviour(inputs: ReportInputs) -> tuple[object, ...]:
    """Return behaviour beside the cells, and what was tested of the two; nothing where no behaviour was given."""
    behaviour = inputs.table("behaviour")
    if behaviour.empty:
        return ()
    arms = inputs.arms
    days = inputs.arm_days(arms[0]) if arms else pd.DataFrame()
    tests = inputs.table("behaviour_tests")
    told = inputs.sentences("behaviour") or _sentences_of(tests)
    blocks: list[object] = list(plates(figures.behaviour_beside_cells(behaviour, days)))
    blocks += [Note(Severity.INFO, "Do behaviour and cells go together?", " ".join(told))] if told else []
    if len(tests):
        columns = [
            Column("measure", "Measure"), Column("sex", "Sex"), Column("arm", "Arm"), Column("n_days", "Days"),
            Column("correlation", "Correlation", help="over days"), Column("lag", "Lag (days)"),
            Column("p", "p"), Column("p_smallest", "least p", help="the smallest p that so few days can reach"),
            Column("status", "Status"), Column("reason", "Why"),
        ]  # fmt: skip
        blocks.append(
            Fold(
                "Behaviour against cells, in numbers",
                (table(tests, columns, of="behaviour_tests", name="behaviour_tests"),),
            )
        )
    return tuple(blocks)


def _called_anyway(inputs: ReportInputs) -> tuple[object, ...]:
    """Return the fractions per subject where cells were called although days cannot be compared."""
    units = inputs.units()
    units = units[units["n"] > 0] if len(units) else units
    if units.empty:
        return ()
    shown = units.assign(
        recovery=[wording.share(k, n) for k, n in zip(units["k"], units["n"], strict=True)],
        interval=[
            f"{wording.percent(a)} to {wording.percent(b)}" for a, b in zip(units["low"], units["high"], strict=True)
        ],
    )
    columns = [
        Column("subject", "Animal"),
        Column("condition", "Condition"),
        Column("day", "Day"),
        Column("recovery", "Recovery cells among microglia", Kind.TEXT),
        Column("interval", "95 % interval", Kind.TEXT, "of this animal's cells only"),
        Column("note", "Note"),
    ]
    text = "Cells could still be called one by one. What each animal shows is listed here; it is not a test."
    return (Prose(text), table(shown, columns, of="fractions", caption="Recovery cells per animal"))


def truth_section(inputs: ReportInputs) -> Section | None:
    """Return called against true, for simulated data only."""
    metrics = inputs.summary.get("truth") or {}
    truth = inputs.table("truth")
    if not inputs.simulated or (not metrics and truth.empty):
        return None
    tiles = [
        Tile("Precision", wording.percent(metrics.get("precision")), "of the cells that were called, how many truly are"),
        Tile("Recall", wording.percent(metrics.get("recall")), "of the true recovery cells, how many were called"),
        Tile("False positives", wording.percent(metrics.get("false_positive_rate_control")), "of control microglia that truly are none, how many were called"),
        Tile("Microglia found", wording.percent(metrics.get("lineage_recall")),
             f"of true single microglia; precision {wording.percent(metrics.get('lineage_precision'))} among single cells"),
    ]  # fmt: skip
    pictures = plates(figures.truth_scatter(truth), figures.truth_course(truth)) if len(truth) else ()
    lead = "These data were simulated, so the truth is known. Recovery is a gradient: cells half-way count as recovery cells in the truth."
    known = tuple(tile for tile in tiles if tile.value != wording.DASH)
    return Section("truth", "Called against true", lead, (*((Tiles(known),) if known else ()), *pictures))


def genes_section(inputs: ReportInputs) -> Section:
    """Return the course of single genes."""
    course, tests, markers = inputs.table("gene_course"), inputs.table("gene_tests"), inputs.table("markers_used")
    title = "Single genes over days"
    if course.empty:
        return Section(
            "genes",
            title,
            "",
            (Note("why", "Nothing to draw", "None of the signature and context genes was measured."),),
        )
    order = list(dict.fromkeys([*(markers["gene"] if len(markers) else ()), *course["gene"]]))
    here = [gene for gene in order if (course["gene"] == gene).any()]
    picture = figures.gene_course(course, tests, here)
    blocks: list[object] = list(plates(picture))
    if picture is None:
        blocks.append(
            Note("why", "No course over days", "Fewer than two days are known; each animal's values are in the table.")
        )
        blocks.append(Fold("The values of every animal", (whole_table(course, of="gene_course"),)))
    lead = "The genes of the signature and those high in its context, as far as they were measured."
    if inputs.status == Status.NOT_TESTABLE and picture is not None:
        lead = "Recovery cells could not be called, but the genes that were measured have a course of their own. A single gene is not the subgroup."
    if len(tests):
        blocks.append(_gene_tests(tests))
    return Section("genes", title, lead, tuple(blocks))


def _gene_tests(tests: pd.DataFrame) -> Fold:
    columns = [
        Column("gene", "Gene"),
        Column("arm", "Arm"),
        Column("day", "Day"),
        Column("control", "Compared with"),
        Column("n_subjects", "Animals"),
        Column("n_control_subjects", "Control animals"),
        Column("difference", "Difference", help="of the means of log2(1 + counts per 10,000)"),
        Column("p", "p", help="over animals, never over cells"),
        Column("p_permutation", "p, permutation"),
        Column("p_smallest", "least p", help="the smallest p that so few animals can reach by permutation"),
        Column("q", "q", help="corrected for the number of genes and days"),
        Column("reason", "Why not tested"),
    ]
    ordered = tests.sort_values(["q", "gene", "day"], na_position="last", kind="stable")
    return Fold("Every gene and day against its control", (table(ordered, columns, of="gene_tests"),))


def igf1_section(inputs: ReportInputs) -> Section:
    """Return where the Igf1 counts come from, or why that cannot be said."""
    shares, states = inputs.table("igf1_share"), inputs.table("igf1_states")
    title = "Who supplies Igf1"
    within = figures.igf1_within(states) if len(states) else None
    if len(shares) and shares["share"].notna().any():
        lead = "Recovery microglia act through IGF1. In unsorted tissue, the share of all Igf1 counts by lineage says who supplies it."
        left_out = shares[shares["share"].isna()].drop_duplicates(["subject", "day", "condition"])
        blocks: list[object] = list(plates(figures.igf1_sources(shares, states), within))
        if len(left_out):
            why = wording.listed(sorted({str(reason) for reason in left_out["reason"].dropna()}))
            blocks.append(Note(Severity.INFO, f"{wording.count(len(left_out), 'animal')} left out", _sentence(why)))
        return Section("igf1", title, lead, tuple(blocks))
    reasons = sorted({str(r) for r in shares["reason"].dropna()}) if len(shares) else []
    if not reasons:
        reasons = [
            "sorted tissue: the other sources of Igf1 were not sampled"
            if inputs.sorted_tissue
            else "there are no counts to share out"
        ]
    not_shown = Note("why", "The share of each lineage is not shown", _sentence(wording.listed(reasons)))
    return Section("igf1", title, "", (not_shown, *plates(within)))


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
        sentence = f"{same} of {len(rows)} alternative analyses give the reported interval."
    columns = [
        Column("analysis", "Analysis"),
        Column("arm", "Arm"),
        Column("varied", "Choice that is varied"),
        Column("scorer", "Score"),
        Column("denominator", "Of"),
        Column("resolution", "Resolution"),
        Column("integrated", "Integrated"),
        Column("left_out", "Left out"),
        Column("onset_low", "Rise excluded up to day"),
        Column("onset_high", "First day above"),
        Column("peak_day", "Peak day"),
        Column("peak_fraction", "Peak"),
        Column("agrees", "Same interval"),
    ]
    drawn = [draw(rows, arm) for arm in arms[:6] for draw in (figures.onset_alternatives, figures.choices)]
    pictures = plates(*drawn)
    return Section(
        "robustness",
        title,
        sentence,
        (*pictures, Fold("All analyses", (table(rows, columns, of="robustness", name="robustness"),))),
    )
