"""From what depositors say of their samples to a sheet of libraries, and a list of what is unsure.

Each library is described by texts: its title, its characteristics, its file's name. A field is filled where all texts that
may tell agree on one reading; else it stays empty and a sentence says what is to be filled in or checked.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from recovery_microglia.core.vocabulary import Condition
from recovery_microglia.study.free_text import (
    Day,
    distinct,
    read_age,
    read_chemistries,
    read_conditions,
    read_days,
    read_sexes,
)

COLUMNS = (
    "library", "subject", "day", "condition", "arm", "sex", "age", "chemistry", "batch", "file", "key", "include", "reason",
    "x_gsm", "x_title", "x_strain",
)  # fmt: skip
"""Columns of a drafted sheet."""

_TIME = re.compile(r"\btime|\bday|\bdpi\b|post|\bweek|duration")
_CONDITION = re.compile(
    r"surg|injur|operat|treat|condition|group|model|lesion|disease|side|procedure|status|state|phenotype"
)
_SUBJECT = re.compile(r"^(?:mouse|animal|subject|donor|individual|specimen)(?:[ _-]?(?:id|no|number|nr))?\.?$")
_ARM = re.compile(r"genotype|treat|drug|diet|compound|agent|strain|region|tissue|segment|transgen|knock|inhibitor")
_SEX = re.compile(r"^(?:sex|gender)s?$")
_AGE = re.compile(r"\bages?\b|developmental stage")
_STRAIN = re.compile(r"strain|background")
_CHEMISTRY = re.compile(r"chemistry|platform|library|kit|10x|assay")
_BATCH = re.compile(r"^(?:batch|run|sequencing run|lane|chip|pool|experiment)(?:[ _-]?(?:id|no|number|date))?$")
_NO_CELLS = {
    r"\bvisium\b|\bspatial\b|slide-?seq|merfish": "spatial",
    r"\bbulk\b": "bulk RNA",
    r"\bscatac|\bsnatac|\batac\b": "chromatin (ATAC)",
    r"\bhto\b|hashtag|\badt\b|cite-?seq antibod": "antibody tags",
}
_SECOND_RUN = re.compile(
    r"[\s_.-]*(?:re-?do|re-?run|re-?seq|r|lane\s?\d+|run\s?\d+|rep(?:licate)?\s?\d+|tech(?:nical)?\s?\d*|[ab])$",
    re.IGNORECASE,
)


@dataclass
class SampleDescription:
    """What is told of one library.

    Attributes
    ----------
    name
        The deposit's own name of it (a GSM, a folder, a file).
    title
        Words for people.
    characteristics
        Key in lower case, to value.
    organism, strategy, protocol
        As the deposit says, empty where it does not.
    file, key
        What the sheet will say under ``file`` and ``key``; empty where that is not known, or not needed.
    left_out
        Why it is not taken, where that is known already.
    """

    name: str
    title: str
    characteristics: Mapping[str, str] = field(default_factory=dict)
    organism: str = ""
    strategy: str = ""
    protocol: str = ""
    file: str = ""
    key: str = ""
    left_out: str = ""


@dataclass
class DraftedSheet:
    """Rows of a sheet (column to text), and sentences on what is unsure."""

    rows: list[dict[str, str]]
    to_check: list[str]


# ---------------------------------------------------------------- what varies tells


def _informative(told: Sequence[SampleDescription]) -> list[dict[str, str]]:
    """Return each library's characteristics without those that are the same in all: 'disease model: SNI' of a naive mouse."""
    keys = distinct(key for one in told for key in one.characteristics)
    same = {key for key in keys if len({one.characteristics.get(key, "") for one in told}) == 1 and len(told) > 1}
    return [{k: v for k, v in one.characteristics.items() if k not in same} for one in told]


def _keyed(one: SampleDescription, key: re.Pattern[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in one.characteristics.items() if key.search(name)]


# ---------------------------------------------------------------- single fields


def _day_of_value(key: str, value: str) -> list[Day]:
    """Return the days of a characteristic; a bare number takes its unit from the key ('days post injury: 7')."""
    if re.fullmatch(r"\d+(?:\.\d+)?", value.strip()):
        unit = next((u for u in ("hour", "week", "month", "day") if u in key), "day" if "dpi" in key else "")
        return read_days(f"{value} {unit}s") if unit else []
    return read_days(value)


def _days(one: SampleDescription, informative: Mapping[str, str]) -> list[Day]:
    """Return the days that are told: those of characteristics about time, else those of the title and what varies."""
    timed = [(k, v) for k, v in _keyed(one, _TIME) if not _AGE.search(k)]
    for group in (
        [_day_of_value(key, value) for key, value in timed],
        [read_days(value) for key, value in informative.items() if not _AGE.search(key)] + [read_days(one.title)],
    ):
        found = {day.day: day for days in group for day in days}
        if found:
            titled = {day.day: day for day in read_days(one.title) if day.plain}
            return list((found | titled).values())
    return []


def _conditions(one: SampleDescription, informative: Mapping[str, str]) -> list[str]:
    """Return the conditions that are told, the word of a control's operation before that of the study's injury."""
    texts = [one.title, *(v for k, v in informative.items() if not (_AGE.search(k) or _SEX.search(k)))]
    found = distinct(name for text in texts for name in read_conditions(text))
    if not found:
        constant = distinct(
            n for k, v in one.characteristics.items() if _CONDITION.search(k) for n in read_conditions(v)
        )
        found = [name for name in constant if name != Condition.INJURED] or constant
    if len(found) > 1 and "control" in found and Condition.INJURED not in found:
        found.remove("control")
    if set(found) == {Condition.INJURED, Condition.CONTRALATERAL}:
        return [Condition.CONTRALATERAL]
    return found


def _sexes(one: SampleDescription) -> list[str]:
    stated = distinct(sex for _, value in _keyed(one, _SEX) for sex in read_sexes(value, stated=True))
    return stated or distinct(sex for text in (one.title, *one.characteristics.values()) for sex in read_sexes(text))


def _ages(one: SampleDescription) -> list[str]:
    stated = [value for _, value in _keyed(one, _AGE) if value]
    return stated or distinct(age for text in (one.title, *one.characteristics.values()) for age in read_age(text))


def _chemistries(one: SampleDescription) -> list[str]:
    stated = distinct(kit for _, value in _keyed(one, _CHEMISTRY) for kit in read_chemistries(value))
    return stated or read_chemistries(one.protocol)


def _left_out(one: SampleDescription, organism: str) -> str:
    """Return why a library is not taken; empty if it is."""
    if one.left_out:
        return one.left_out
    if one.organism and one.organism.lower() != organism.lower():
        return f"{one.organism}, not {organism}"
    text = f"{one.title} {' '.join(one.characteristics.values())}".lower()
    for pattern, what in _NO_CELLS.items():
        if re.search(pattern, text):
            return f"{what}, not single-cell RNA"
    if one.strategy and one.strategy.upper() not in ("RNA-SEQ", "OTHER", "SSRNA-SEQ", "SCRNA-SEQ"):
        return f"{one.strategy}, not RNA"
    return ""


# ---------------------------------------------------------------- arms


def _arm_keys(told: Sequence[SampleDescription], informative: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the characteristics that tell arms apart: they vary, and say nothing of condition, day, sex or age."""
    keys = distinct(k for one in informative for k in one if _ARM.search(k) and not (_SEX.search(k) or _AGE.search(k)))
    taken = []
    for key in keys:
        values = {one.get(key, "") for one in informative}
        about_injury = any(read_conditions(v) or read_days(v) for v in values)
        if not about_injury and "" not in values and 1 < len(values) <= max(len(told) // 2, 2):
            taken.append(key)
    return taken


# ---------------------------------------------------------------- names


def safe_name(text: str) -> str:
    """Return a text as a library's name: other characters become one underscore.

    Examples
    --------
    >>> safe_name("Mouse microglia 103-Redo"), safe_name("SNI (7 d), ♀")
    ('Mouse_microglia_103-Redo', 'SNI_7_d')
    """
    return re.sub(r"[^A-Za-z0-9.-]+", "_", text).strip("_.-")


def _names(told: Sequence[SampleDescription]) -> list[str]:
    """Return a name for each library: its title if all are short and differ, else the deposit's name."""
    titles = [safe_name(one.title) for one in told]
    good = len(set(titles)) == len(titles) and all(0 < len(title) <= 40 for title in titles)
    return titles if good else [safe_name(one.name) for one in told]


def _second_runs(told: Sequence[SampleDescription]) -> list[list[str]]:
    """Return the groups of titles that differ only in what a second run or a second lane adds: 103 and 103-Redo."""
    groups: dict[str, list[str]] = {}
    for one in told:
        groups.setdefault(_SECOND_RUN.sub("", one.title), []).append(one.title)
    return [titles for titles in groups.values() if len(titles) > 1]


_ANIMAL = re.compile(r"(?<![A-Za-z0-9])(?:mouse|animal|ms|m)[ _.#-]?(\d{1,4})(?![A-Za-z0-9])", re.IGNORECASE)


def _animals_of_titles(titles: Sequence[str], rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the animal that each title names (``SNI_d14_m5``); nothing unless all do, and the names can be those of animals.

    Where each group counts its animals anew, m1 is naive in one title and injured in another: then they are none.
    """
    found = [_ANIMAL.findall(title) for title in titles]
    if not all(len(numbers) == 1 for numbers in found):
        return []
    animals = [f"m{numbers[0]}" for numbers in found]
    groups: dict[str, set[tuple[str, ...]]] = {}
    for animal, row in zip(animals, rows, strict=True):
        side = Condition.INJURED if row["condition"] == Condition.CONTRALATERAL else row["condition"]
        groups.setdefault(animal, set()).add((row["day"], side, row["arm"]))
    return animals if all(len(own) == 1 for own in groups.values()) else []


def _sexes_of_titles(titles: Sequence[str]) -> list[str]:
    """Return the sex that each title gives as a letter (``SNI_d14_5_F``); nothing unless all do, and both letters are there."""
    letters = [re.findall(r"(?<![A-Za-z0-9])[FM](?![A-Za-z0-9])", title) for title in titles]
    if not all(len(own) == 1 for own in letters) or {own[0] for own in letters} != {"F", "M"}:
        return []
    return ["female" if own == ["F"] else "male" for own in letters]


# ---------------------------------------------------------------- the sheet


def _listed(names: Iterable[str], shown: int = 4) -> str:
    names = list(names)
    return ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if len(names) > shown else "")


class _Notes:
    """What is unsure, gathered by kind so that one sentence stands for many libraries."""

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {}

    def add(self, sentence: str, library: str) -> None:
        """Note a sentence, in which {} stands for the libraries."""
        self.found.setdefault(sentence, []).append(library)

    def sentences(self) -> list[str]:
        return [sentence.format(_listed(libraries)) for sentence, libraries in self.found.items()]


def _fill_day(row: dict[str, str], days: Sequence[Day], notes: _Notes) -> None:
    name = row["library"]
    if len(days) == 1:
        day = days[0]
        row["day"] = f"{day.day:g}"
        if day.unit == "month":
            notes.add(f"'{day.words}' is written as day {day.day:g}, 30 days a month ({{}}).", name)
        if not day.plain:
            notes.add("The day is read from a letter and a number, such as D7, which may be something else: {}.", name)
    elif days:
        several = _listed(f"{day.day:g}" for day in sorted(days))
        notes.add(f"Several days are named ({several}); the day of {{}} is left empty.", name)


def _fill_condition(row: dict[str, str], conditions: Sequence[str], notes: _Notes) -> None:
    name, day = row["library"], row["day"]
    if len(conditions) == 1 and conditions[0] != "control":
        row["condition"] = conditions[0]
    elif conditions == ["control"] or (not conditions and day == "0"):
        notes.add("Only 'control', or day 0, is said of {}: write naive or sham in the column condition.", name)
    elif conditions:
        notes.add(f"Several conditions are named ({_listed(conditions)}) for {{}}: fill in the column condition.", name)
    else:
        notes.add("Nothing says whether {} were injured: fill in the column condition.", name)
    if row["condition"] == Condition.NAIVE and not day:
        row["day"] = "0"
    if row["condition"] in (Condition.INJURED, Condition.SHAM, Condition.CONTRALATERAL) and not row["day"]:
        notes.add("The day is not known of {}: fill in the column day, if it can be had.", name)


def _fill_one_of(row: dict[str, str], column: str, readings: Sequence[str], notes: _Notes) -> None:
    """Fill a column if there is one reading; tell of several."""
    if len(readings) == 1:
        row[column] = readings[0]
    elif readings:
        notes.add(
            f"Several readings of {column} ({_listed(readings)}) for {{}}: the column is left empty.", row["library"]
        )


def draft_rows(told: Sequence[SampleDescription], *, organism: str = "Mus musculus") -> DraftedSheet:
    """Draft the rows of a sheet from what is told of each library.

    Parameters
    ----------
    told
        One for each library.
    organism
        Libraries of another one are left out, with the reason.

    Returns
    -------
    DraftedSheet
        All libraries in their order; what is unsure is empty, and said.
    """
    notes = _Notes()
    reasons = [_left_out(one, organism) for one in told]
    kept = [one for one, reason in zip(told, reasons, strict=True) if not reason]
    varying = {id(one): values for one, values in zip(kept, _informative(kept), strict=True)}
    arms = _arm_keys(kept, list(varying.values()))
    rows = []
    for name, one, reason in zip(_names(told), told, reasons, strict=True):
        row = dict.fromkeys(COLUMNS, "") | {"library": name, "file": one.file, "key": one.key, "x_title": one.title}
        row["x_gsm"] = one.name if one.name.startswith("GSM") and one.name != one.file else ""
        row |= {"include": "no" if reason else "yes", "reason": reason}
        if reason:
            row["condition"] = Condition.OTHER
        else:
            _fill(row, one, varying[id(one)], arms, notes)
        rows.append(row)
    own = [row for row in rows if row["include"] == "yes"]
    if not any(row["subject"] for row in own) and (animals := _animals_of_titles([one.title for one in kept], own)):
        for row, animal in zip(own, animals, strict=True):
            row["subject"] = animal
        same = f", {len(animals) - len(set(animals))} of them of an animal that has another" * (
            len(set(animals)) < len(animals)
        )
        notes.add(
            f"The animals are read from the names, such as {animals[0]} ({len(animals)} libraries{same}): check the column subject.",
            "",
        )
    if not any(row["sex"] for row in own) and (sexes := _sexes_of_titles([one.title for one in kept])):
        for row, sex in zip(own, sexes, strict=True):
            row["sex"] = sex
        notes.add("F and M in the names were taken for the sexes: check the column sex.", "")
    to_check = notes.sentences() + _over_libraries(kept, rows, arms)
    return DraftedSheet(rows, to_check)


def _fill(
    row: dict[str, str], one: SampleDescription, informative: Mapping[str, str], arms: Sequence[str], notes: _Notes
) -> None:
    _fill_day(row, _days(one, informative), notes)
    _fill_condition(row, _conditions(one, informative), notes)
    fields: dict[str, Callable[[], list[str]]] = {
        "sex": lambda: _sexes(one),
        "age": lambda: _ages(one),
        "chemistry": lambda: _chemistries(one),
        "subject": lambda: [value for _, value in _keyed(one, _SUBJECT) if value],
        "batch": lambda: [value for _, value in _keyed(one, _BATCH) if value],
        "x_strain": lambda: [value for _, value in _keyed(one, _STRAIN) if value],
    }
    for column, readings in fields.items():
        _fill_one_of(row, column, distinct(readings()), notes)
    row["arm"] = ", ".join(one.characteristics[key] for key in arms)
    if not row["file"]:
        notes.add("Which file holds {} is not known: fill in the column file.", row["library"])


_DRUG = re.compile(
    r"vehicle|saline|inhibitor|antagonist|agonist|plx\s?\d+|minocycline|treated with|sirna|\baav|-/-|knock-?out|\bcko\b",
    re.IGNORECASE,
)


def _over_libraries(
    told: Sequence[SampleDescription], rows: Sequence[Mapping[str, str]], arms: Sequence[str]
) -> list[str]:
    """Return what is unsure about the libraries together: animals, arms, chemistry, batches."""
    own = [row for row in rows if row["include"] == "yes"]
    lines = []
    if arms:
        lines.append(
            f"The arms are taken from {_listed(arms)}; each arm gets an answer of its own, against its own controls."
        )
    elif any(_DRUG.search(f"{one.title} {' '.join(one.characteristics.values())}") for one in told):
        lines.append(
            "The texts name treatments or genotypes; if there are several, fill in the column arm (or condition treated)."
        )
    if runs := _second_runs(told):
        pairs = _listed(" and ".join(f"'{title}'" for title in titles) for titles in runs)
        lines.append(f"These may be libraries of one animal: {pairs}; if so, give them the same subject.")
    if not any(row["subject"] for row in own):
        lines.append("Nothing names the animals: each library is taken for an animal of its own (column subject).")
    kits = distinct(row["chemistry"] for row in own if row["chemistry"])
    if not kits:
        lines.append(
            "The library chemistry is not known (column chemistry); libraries of different chemistries need controls each."
        )
    elif any(kit.startswith("10x") and " v" not in kit for kit in kits):
        lines.append("The version of the 10x chemistry is not said (column chemistry).")
    if not any(row["batch"] for row in own):
        lines.append("What was processed together is not known (column batch): a batch effect cannot be looked for.")
    return lines
