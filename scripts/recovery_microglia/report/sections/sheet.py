"""The sheet: the answer on one screen and one printed page."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from recovery_microglia import figures
from recovery_microglia.core import wording
from recovery_microglia.core.frame_access import records, row_of_largest
from recovery_microglia.core.vocabulary import CONTROLS, Condition, Severity, Status
from recovery_microglia.report.blocks import Note, Plate, plate
from recovery_microglia.report.inputs import ReportInputs

SEVERITY = {"alarm": 0, "warning": 1, "info": 2}
NEGLIGIBLE_RISE = 0.05
"""A rise that is smaller than this on every day sampled, by the upper end of its 95 % interval, is called none."""
MOST_ARMS = 3
NOT_BY_CHANCE = 0.05
MOST_GROUPS_SAID = 4
"""Of more groups than this, the controls and the ends of the others are said."""
WHAT_THE_INTERVAL_IS = "This is the 95 % interval of the day on which a quarter of the rise is reached."
YES, NO, NOT_SHOWN, CANNOT = "Yes", "No", "Not shown", "Cannot be tested"


@dataclass(frozen=True)
class Answer:
    """The answer for one arm: its first word, the sentence behind it, and what else is to be said."""

    word: str
    sentence: str
    more: str = ""

    @property
    def text(self) -> str:
        """The answer as one text."""
        return f"{self.word}: {self.sentence} {self.more}".strip()


@dataclass(frozen=True)
class KeyNumber:
    """The number that matters most: what it is, the value, its 95 % interval, and what it is compared with."""

    label: str
    value: str
    interval: str
    facts: tuple[tuple[str, str], ...]
    sort: str = ""


@dataclass(frozen=True)
class Sheet:
    """The first screen.

    Attributes
    ----------
    status, status_word, status_meaning
        Key, word and meaning of what the data allow.
    answers
        One an arm.
    numbers
        The key number of each arm; none where nothing was called.
    figure
        Figure 1; None where there is nothing to draw.
    agrees, against
        What supports the answer, and what does not.
    limits
        What the data cannot show.
    next_steps
        What would settle what is open.
    """

    status: str
    status_word: str
    status_meaning: str
    answers: tuple[Answer, ...]
    numbers: tuple[KeyNumber, ...]
    figure: Plate | None
    agrees: tuple[str, ...]
    against: tuple[str, ...]
    limits: tuple[str, ...]
    next_steps: tuple[str, ...]


def sheet_of(inputs: ReportInputs, figure: Plate | None) -> Sheet:
    """Return the first screen of a data set, with its main figure."""
    word, meaning = wording.STATUS[inputs.status]
    return Sheet(
        inputs.status,
        word,
        meaning,
        answers(inputs),
        key_numbers(inputs),
        figure,
        tuple(agreeing(inputs)),
        tuple(speaking_against(inputs)),
        tuple(limits(inputs)),
        tuple(str(step["text"]) for step in inputs.summary.get("next_steps") or []),
    )


def timelines(inputs: ReportInputs) -> list[Plate]:
    """Return the main figure of each arm; where no course can be drawn, the groups there are; none where nothing was called."""
    if inputs.status == Status.NOT_TESTABLE:
        if not inputs.called or inputs.units().empty:
            return []
        groups = figures.contrast(inputs.units(), inputs.table("timeline"), inputs.ages)
        return [plate(groups)] if groups is not None else []
    drawn = [
        figures.timeline(inputs.arm_units(arm), inputs.arm_days(arm), inputs.onset_of(arm), arm=arm)
        for arm in inputs.arms[:6]
    ]
    return [plate(picture) for picture in drawn if picture is not None]


# ---------------------------------------------------------------- the answer


def answers(inputs: ReportInputs) -> tuple[Answer, ...]:
    """Return the answer for each arm; never one that the status does not allow."""
    if inputs.status == Status.NOT_TESTABLE:
        reason = inputs.reason or "the data do not allow it"
        return (Answer(CANNOT, f"{reason}.", _by_group(inputs)),)
    rows = inputs.onsets
    found = [_answer(row, inputs, several=len(rows) > 1) for row in rows]
    explained = False  # what the interval is, is said once
    for place, answer in enumerate(found):
        if explained:
            found[place] = replace(answer, more=answer.more.removeprefix(WHAT_THE_INTERVAL_IS).strip())
        explained = explained or answer.more.startswith(WHAT_THE_INTERVAL_IS)
    if not found:
        return (Answer(CANNOT, f"{inputs.reason or 'no day was compared with a control'}."),)
    return tuple(found)


def _arm(row: Mapping[str, Any]) -> str:
    """Return the arm of a row; empty where the study has one only."""
    return "" if wording.missing(row.get("arm")) else str(row["arm"])


def _answer(row: Mapping[str, Any], inputs: ReportInputs, *, several: bool) -> Answer:
    arm = _arm(row)
    where = f"in {arm}, " if several and arm else ""
    if row.get("status") != Status.TESTED:
        reason = str(row.get("reason") or inputs.reason or "the design allows no test").rstrip(".")
        return Answer(CANNOT, f"{where}{reason}.", _first_large(_text(row, "described")))
    untested = f" Not tested: {_text(row, 'not_tested')}." if _text(row, "not_tested") else ""
    days = inputs.arm_days(arm)
    days = days[days["status"] == Status.TESTED] if "status" in days else days
    if wording.missing(row.get("onset_high")):
        return _no_rise(days, where, _text(row, "could_be_seen"), untested)
    when = wording.onset_words(row)
    stays = {
        "sustained": f" and stay above control up to {_last_day(inputs, arm)}",
        "transient": ", but are not above control on every later day",
    }.get(str(row.get("sustained")), ", the last day sampled")
    more = WHAT_THE_INTERVAL_IS
    if not wording.missing(row.get("half_rise_day")):
        low, high = _day(row.get("half_rise_low")), _day(row.get("half_rise_high"))
        more += f" Half of the rise is reached {wording.interval(low, high)}."
    if not wording.missing(row.get("first_above")):
        more += f" Day {wording.day(row['first_above'])} is the first day shown to be above control."
    return Answer(YES, f"{where}recovery microglia emerge {when} after injury{stays}.", more + untested)


def _last_day(inputs: ReportInputs, arm: str) -> str:
    """Return the last day after injury of an arm in words."""
    days = [
        float(row["day"])
        for row in inputs.summary.get("days") or []
        if row.get("condition") == Condition.INJURED
        and not wording.missing(row.get("day"))
        and str(row.get("arm") or "") == arm
    ]
    return f"day {max(days):g}, the last day sampled" if days else "the last day sampled"


def _day(value: Any) -> float:
    """Return a day; NaN where there is none."""
    return float("nan") if wording.missing(value) else float(value)


def _text(row: Mapping[str, Any], key: str) -> str:
    """Return a text of a row; empty where there is none."""
    return "" if wording.missing(row.get(key)) else str(row[key])


def _first_large(text: str) -> str:
    """Return a text with its first letter as at the head of a sentence."""
    return text[:1].upper() + text[1:]


def _by_group(inputs: ReportInputs) -> str:
    """Return the share of recovery cells in each group where no course can be drawn; where no cell could be called, what single genes do."""
    units = inputs.units()
    if not inputs.called:
        return inputs.text("genes").replace(" %", wording.PERCENT)  # what was measured instead
    if units.empty:
        return ""
    own = figures.grouped_animals(units, inputs.table("timeline"), inputs.ages)
    shares = own.groupby("group", sort=False)["share"].agg(["mean", "size", "min", "max"])
    if shares.empty:
        return ""
    said = [
        f"{wording.percent(mean)} ({group}; {wording.count(int(n), 'animal')}"
        + (f", {wording.percent_interval(low, high)})" if n > 1 and high > low else ")")
        for group, mean, n, low, high in shares.itertuples(name=None)
    ]
    controls = set(own.loc[own["condition"].isin(CONTROLS), "group"])
    others = shares[~shares.index.isin(controls)]
    if len(shares) > MOST_GROUPS_SAID and len(others) > 2:
        by_mean = records(others.reset_index().sort_values("mean", kind="stable"))
        lowest, highest = by_mean[0], by_mean[-1]
        said = [text for group, text in zip(shares.index, said, strict=True) if group in controls]
        said.append(
            f"{wording.percent(lowest['mean'])} ({lowest['group']}) to {wording.percent(highest['mean'])} ({highest['group']}) "
            f"in {len(others)} other groups of {wording.count(int(others['size'].sum()), 'animal')} together"
        )
    mean = ", as the mean of the animals with their range" if (shares["size"] > 1).any() else ""
    return f"Without a test, recovery cells among microglia{mean}: {wording.listed(said, most=12)}."


def _no_rise(days: pd.DataFrame, where: str, could_be_seen: str, untested: str) -> Answer:
    """Return the answer where no day is shown to be above control: none, if every larger rise is excluded."""
    more = could_be_seen
    last = f" up to day {days['day'].max():g}" if len(days) else ""
    if len(days) and "rise_high" in days and days["rise_high"].notna().all():
        most = float(days["rise_high"].max())
        if most < NEGLIGIBLE_RISE and not untested:
            text = f"{where}on no day sampled{last} are recovery microglia more than {100 * most:.1f} percentage points above control."
            return Answer(NO, text, "This is the largest upper end of the 95 % intervals of the rise.")
    for found in _not_confirmed(days):
        more += f" Day {wording.day(found['day'])} is above control in the model, but not by all methods ({found['methods_against']})."
    return Answer(
        NOT_SHOWN, f"{where}on no day{last} is a rise of recovery microglia above control shown.", more + untested
    )


# ---------------------------------------------------------------- the number


def key_numbers(inputs: ReportInputs) -> tuple[KeyNumber, ...]:
    """Return the highest share of each arm with its interval, control, q and n."""
    found = [_key_number(row, inputs) for row in inputs.onsets[:MOST_ARMS]]
    return tuple(number for number in found if number is not None)


def _key_number(row: Mapping[str, Any], inputs: ReportInputs) -> KeyNumber | None:
    arm = _arm(row)
    days = inputs.arm_days(arm)
    if "status" in days and (days["status"] == Status.TESTED).any():
        days = days[days["status"] == Status.TESTED]
    if days.empty or days["fraction"].isna().all():
        return None
    peak = row_of_largest(days, "fraction")
    several = f", {arm}" if arm and len(inputs.onsets) > 1 else ""
    n_control = int(peak["n_control_subjects"]) if not wording.missing(peak["n_control_subjects"]) else 0
    facts = []
    if not wording.missing(peak["control_fraction"]):
        facts.append(("control", f"{wording.percent(peak['control_fraction'])} ({peak['control']})"))
    if not wording.missing(peak.get("q")):
        facts.append(("q", wording.p_value(peak["q"])))
    facts.append(
        ("n", f"{wording.count(int(peak['n_subjects']), 'animal')}, {wording.count(n_control, 'control', 'controls')}")
    )
    called = f"{wording.whole(peak['k'])} of {wording.whole(peak['n'])} microglia"
    if not wording.missing(peak.get("control_k")):
        called += f"; control {wording.whole(peak['control_k'])} of {wording.whole(peak['control_n'])}"
    facts.append(("called", called))
    low = peak.get("low")
    interval = "" if wording.missing(low) else wording.percent_interval(low, peak["high"])
    return KeyNumber(
        f"of microglia are recovery cells on day {wording.day(peak['day'])}{several}, the highest share",
        wording.percent(peak["fraction"]),
        interval,
        tuple(facts),
        repr(float(peak["fraction"])),
    )


# ---------------------------------------------------------------- how sure


def warnings_of(inputs: ReportInputs) -> list[Note]:
    """Return the warnings, the worst first."""
    return [_note(row) for row in _notices(inputs)]


def _notices(inputs: ReportInputs) -> list[Mapping[str, Any]]:
    """Return the rows of the warnings, the worst first."""
    frame = inputs.table("warnings")
    rows = records(frame) if len(frame) else list(inputs.summary.get("notices") or [])
    return sorted(rows, key=lambda row: SEVERITY.get(str(row.get("severity", "info")), 3))


def _note(row: Mapping[str, Any]) -> Note:
    """Return a warning as a box."""
    text = str(row.get("text", ""))
    title = wording.notice_title(str(row.get("code", "")))
    return Note(str(row.get("severity", "info")), title, text + _where(row.get("library", ""), text))


def _where(libraries: Any, text: str) -> str:
    """Return the libraries of a warning, if its text does not name them."""
    if wording.missing(libraries):
        return ""
    names = [name.strip() for name in str(libraries).split(",")]
    return "" if all(name in text for name in names) else f" ({wording.listed(names, most=6)})"


def speaking_against(inputs: ReportInputs) -> list[str]:
    """Return what weakens the answer: alarms and warnings, the worst first, analyses that show no rise, and days that not all tests confirm.

    Warnings that are the answer itself are left out; what several libraries share is said once.
    """
    alike: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for place, row in enumerate(_notices(inputs)):
        if row.get("severity") in (Severity.ALARM, Severity.WARNING):
            # what is of no library has something of its own to say
            own = str(place) if wording.missing(row.get("library")) else ""
            alike.setdefault((str(row["severity"]), str(row.get("code", "")), own), []).append(row)
    found = []
    for first, *others in alike.values():
        text = _note(first).text
        if others:
            names = wording.listed([str(row["library"]) for row in others], most=6)
            text += f" The same holds for {names}, with numbers of their own."
        if not (inputs.reason and inputs.reason in text):
            found.append(text)
    return found + _not_by_all(inputs)


def _not_by_all(inputs: ReportInputs) -> list[str]:
    """Return which analyses show no rise where one is reported, and which days only the main test finds above control."""
    if inputs.status != Status.TESTED:
        return []
    found = []
    for row in inputs.onsets[:MOST_ARMS]:
        if wording.missing(row.get("first_above")):
            continue
        arm = _arm(row)
        of_arm = _of_arm(inputs, arm)
        silent = [
            f"{part['family']} (none of {part['analyses'] - part['no_answer']})"
            for part in _families(inputs, arm)
            if part["analyses"] > part["no_answer"] and not part["rise_shown"]
        ]
        if silent:
            found.append(f"Other analysis choices{of_arm} that show no rise: {wording.listed(silent, most=7)}.")
        days = inputs.arm_days(arm)
        for day in records(days[days["day"] == float(str(row["first_above"]))] if len(days) else days):
            if tests := _further_tests(day, agreeing=False):
                found.append(
                    f"Day {wording.day(day['day'])}{of_arm} is above control, but not at .05 {wording.listed(tests)}."
                )
        for day in _not_confirmed(days):
            found.append(
                f"Day {wording.day(day['day'])}{of_arm} is above control by the main test ({wording.p_equals(day['q'], 'q')}) and does not count as shown: "
                f"not confirmed by: {day['methods_against']}."
            )
    return found


def _not_confirmed(days: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the days that are above control by the main test and not by all."""
    return records(days[days["methods_against"].fillna("") != ""]) if "methods_against" in days else []


def _of_arm(inputs: ReportInputs, arm: str) -> str:
    """Return the arm for a sentence, where there are several."""
    return f" ({arm})" if arm and len(inputs.onsets) > 1 else ""


def _families(inputs: ReportInputs, arm: str) -> list[dict[str, Any]]:
    """Return the families of other analyses of an arm."""
    return records(figures.by_family(figures.families(inputs.table("robustness"), arm)))


def agreeing(inputs: ReportInputs) -> list[str]:
    """Return what supports the answer: other scores, other choices, other tests, calibration."""
    if inputs.status != Status.TESTED:
        return []
    found = [*_other_tests(inputs), *_other_choices(inputs), *_calibrated(inputs)]
    return [text for text in found if text]


def _other_tests(inputs: ReportInputs) -> list[str]:
    """Return what the further tests say of the days above control."""
    found = []
    for row in inputs.onsets[:MOST_ARMS]:
        arm = _arm(row)
        first = row.get("first_above")
        if wording.missing(first):
            continue
        days = inputs.arm_days(arm)
        if days.empty:
            continue
        days = days[days["day"] == float(str(first))]
        for day in records(days):
            head = f"Day {wording.day(first)}{_of_arm(inputs, arm)}"
            if tests := _further_tests(day, agreeing=True):
                found.append(f"{head} is above control also {wording.listed(tests)}.")
            if not wording.missing(day.get("undone_by")):
                found.append(
                    f"A batch effect shared by all animals of {head[0].lower()}{head[1:]} would have to multiply the odds of recovery cells by "
                    f"{wording.number(day['undone_by'])} to explain the rise."
                )
    return found


def _further_tests(day: Mapping[str, Any], *, agreeing: bool) -> list[str]:
    """Return the further tests of a day that find it above control at .05, or those that do not."""
    known = (
        ("p_second", "by a t-test on transformed shares"),
        ("p_without_highest", "without its highest animal"),
        ("adjusted_p", f"with {day.get('adjusted_for') or 'covariates'} in the model"),
    )
    return [
        f"{words} ({wording.p_equals(day[name])})"
        for name, words in known
        if not wording.missing(day.get(name)) and (float(day[name]) < NOT_BY_CHANCE) == agreeing
    ]


def _other_choices(inputs: ReportInputs) -> list[str]:
    """Return how many analyses of each family are compatible with the answer."""
    found = []
    for row in inputs.onsets[:MOST_ARMS]:
        arm = _arm(row)
        parts = [
            f"{part['family']} ({part['compatible']} of {part['analyses'] - part['no_answer']})"
            for part in _families(inputs, arm)
            if part["family"] != figures.REPORTED and part["compatible"]
        ]
        if parts:
            head = f"Other analysis choices{_of_arm(inputs, arm)} are compatible with the answer"
            found.append(f"{head}: {wording.listed(parts, most=7)}.")
    return found


def _calibrated(inputs: ReportInputs) -> list[str]:
    """Return how often control cells are called."""
    known = [
        row
        for row in (inputs.summary.get("recovery") or {}).get("calibration") or []
        if not wording.missing(row.get("fpr"))
    ]
    return [
        f"In control animals {wording.percent(row['fpr'])} of the microglia are called"
        f"{' (' + str(row['chemistry']) + ')' if len(known) > 1 else ''}, 95 % interval {wording.percent_interval(row['fpr_low'], row['fpr_high'])}."
        for row in known
    ]


# ---------------------------------------------------------------- limits


def limits(inputs: ReportInputs) -> list[str]:
    """Return what no analysis of these data can show, in plain words."""
    found = [
        "That these cells cause recovery from pain: that needs an experiment that removes or adds them.",
    ]
    if inputs.called:
        found.append(
            "CD11c protein: the cells are called by RNA, and Itgax itself is detected in few cells at this depth."
        )
        found.append(
            "Cells in which the programme is weak: only those at least two fifths as far as a typical recovery cell count, so shares leave the weaker ones out."
        )
        if _unlearnt(inputs):
            found.append(
                "A rise that is weaker than expected: the weights of the genes were not learnt from these data, so they count with the rises that are expected; "
                "where the true ones are smaller, cells are missed and the shares are too low."
            )
    if inputs.status == Status.NOT_TESTABLE:
        return found
    found.append("Numbers of cells: sequencing gives shares, so a growth of all microglia together is invisible.")
    if inputs.text("assay") == "nuclei":
        found.append("What whole cells would show: nuclei hold little Apoe, Spp1, Cst3 and Cd74 RNA.")
    if inputs.sorted_tissue:
        found.append("Which cell types supply Igf1: the tissue was sorted, so other sources were left out.")
    used = inputs.included
    sampled = sorted(used.loc[used["condition"] == Condition.INJURED, "day"].dropna().unique()) if len(used) else []
    if sampled:
        found.append(
            f"What happens between the days sampled ({wording.listed([wording.day(d) for d in sampled], most=12)})."
        )
    if len(used) and "sex" in used and set(used["sex"].dropna()) <= {"male"} and used["sex"].notna().any():
        found.append("Females: all animals are male.")
    if len(used) and "sex" in used and set(used["sex"].dropna()) <= {"female"} and used["sex"].notna().any():
        found.append("Males: all animals are female.")
    return found


def _unlearnt(inputs: ReportInputs) -> bool:
    """Return whether the weights of the genes are the expected ones."""
    return bool(((inputs.summary.get("recovery") or {}).get("refinement") or {}).get("refused"))


__all__ = [
    "Answer",
    "KeyNumber",
    "Sheet",
    "agreeing",
    "answers",
    "key_numbers",
    "limits",
    "sheet_of",
    "speaking_against",
    "timelines",
    "warnings_of",
]
