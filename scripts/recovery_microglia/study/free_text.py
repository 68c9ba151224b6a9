"""What people call days, conditions, sexes and chemistries in the titles and characteristics of samples.

Each reader returns every reading that a text allows: none where it says nothing, several where it contradicts itself or may
mean two things. The caller takes a single reading, and leaves the cell empty otherwise: nothing is guessed here.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

WORDS = {
    name: number
    for number, name in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
        ]
    )
}
"""Numbers that are written out."""

DAYS_OF = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.0}
"""Days of a unit; a month is taken as 30 days, and whoever reads it is told so."""


class Day(NamedTuple):
    """A reading of a day.

    Attributes
    ----------
    day
        Days after injury.
    unit
        minute, hour, day, week or month: how it was written.
    words
        The words that say it.
    plain
        Whether the words leave no doubt; ``D7`` alone may be a donor's name.
    """

    day: float
    unit: str
    words: str
    plain: bool


_NUMBER = rf"(?:\d+(?:\.\d+)?|{'|'.join(WORDS)})"
_UNIT = r"(?:minutes?|mins?|hours?|hrs?|days?|weeks?|wks?|months?|mos?)"
_SHORT = r"(?:h|d|w)"
# the letters of dpi, wpi, mpi, hpi and their kin: p, and then what happened
_POST = r"p[-. ]?(?:i|o|s|l|a|t|x|n|sci|sni|snl|snt|cci|surgery|injury|lesion|axotomy|op)"
_EDGE = r"(?<![a-z0-9.])"
_END = r"(?![a-z0-9]|\.\d)"
_SPAN = r"(?:-|–|—|/|,|\+|&|\bto\b|\band\b|\bor\b)"

_PATTERNS = (
    # 14 dpi, 2wpi, 14 d.p.i., 24hpi
    (re.compile(rf"(?P<n>{_NUMBER})[\s-]*(?P<u>[dhwm])[-. ]?{_POST}{_END}"), True),
    # 14 days, 14-day, 2 weeks, 5mo, 24 hrs; Day 14 stands below
    (re.compile(rf"(?P<n>{_NUMBER})[\s-]*(?P<u>{_UNIT}){_END}"), True),
    # 3d, 24h, 2w
    (re.compile(rf"{_EDGE}(?P<n>\d+(?:\.\d+)?)\s?(?P<u>{_SHORT}){_END}"), True),
    # POD14, POD 14, postoperative day 14, post-injury day 3, day 14, week 2, Day-3, wk2
    (
        re.compile(
            rf"{_EDGE}(?P<u>pod|dpi|dpo|dps|dpl|wpi|mpi|hpi|days?|weeks?|wks?|months?|hours?)[\s.:#-]*(?P<n>{_NUMBER}){_END}"
        ),
        True,
    ),
    # D14, d.3, W2: may be a donor or a well
    (re.compile(rf"{_EDGE}(?P<u>d)\.?-?(?P<n>\d+(?:\.\d+)?){_END}"), False),
    # timecourse 1m, as in the Tabulae Paralytica; 2m alone may be two males
    (re.compile(rf"time\s?course\s(?P<n>\d+)(?P<u>m){_END}"), True),
)
_RANGE = re.compile(rf"(?P<n>\d+(?:\.\d+)?)\s*{_SPAN}\s*$")
# an age, a treatment's length or a stage of development is no day after injury
_NOT_A_DAY = (
    re.compile(r"^[\s-]*(?:old|of age|postnatal|embryo|in culture|in vitro)"),
    re.compile(r"^[\s-]*(?:of|on)\s+(?:\w+\s)?(?:plx|diet|chow|tamoxifen|treatment|culture)"),
    re.compile(r"^\s*(?:before|prior|pre[- ])"),
)
_BEFORE_NO_DAY = re.compile(
    r"(?:\bage[d]?:?\s*(?:of\s)?|\bp|\be|postnatal\s(?:day\s)?|embryonic\s(?:day\s)?|for\s|every\s|donor\s?|\bdiv\s?)$"
)


_RUN_TOGETHER = (
    "sni|sci|snl|snt|cci|psnl|fnx|crush|sham|naive|ctl|ctrl|control|contra|ipsi|injured|injury|young|old|aged|veh"
)


def _plain(text: str) -> str:
    """Return a text in lower case, its underscores and brackets as blanks, and without accents that matter here."""
    lowered = text.lower().replace("naïve", "naive").replace("ö", "o")
    blank = re.sub(r"[_\[\](){};|\"]", " ", lowered)
    # Young.7d and SNI14d: the word ends where the number begins
    blank = re.sub(r"(?<=[a-z]{3})\.(?=\d)", " ", blank)
    blank = re.sub(rf"\b({_RUN_TOGETHER})(?=\d)", r"\1 ", blank)
    return re.sub(r"\s+", " ", blank).strip()


def _unit(word: str) -> str:
    first = word[0] if word not in ("pod", "dpi", "dpo", "dps", "dpl") else "d"
    if word.startswith(("min",)):
        return "minute"
    return {"d": "day", "h": "hour", "w": "week", "m": "month", "p": "day"}[first]


def _number(word: str) -> float:
    return float(WORDS[word]) if word in WORDS else float(word)


def read_days(text: str) -> list[Day]:
    """Return the days after injury that a text names, each once.

    Ages, stages of development and the length of a treatment are not days after injury. Both ends of a span are
    returned, and are two readings.

    Examples
    --------
    >>> [reading.day for reading in read_days("SNI, 2 weeks, 10 weeks old")]
    [14.0]
    >>> [reading.day for reading in read_days("3-5 dpi")]
    [5.0, 3.0]
    """
    plain = _plain(text)
    found: dict[float, Day] = {}
    taken: list[tuple[int, int]] = []
    for pattern, sure in _PATTERNS:
        for match in pattern.finditer(plain):
            before, after = plain[: match.start()], plain[match.end() :]
            if any(start < match.end() and match.start() < end for start, end in taken):
                continue
            taken.append(match.span())
            if any(no.search(after) for no in _NOT_A_DAY) or _BEFORE_NO_DAY.search(before):
                continue
            unit = _unit(match["u"])
            day = round(_number(match["n"]) * DAYS_OF[unit], 4)
            found.setdefault(day, Day(day, unit, match[0].strip(), sure))
            if span := _RANGE.search(before):
                other = round(float(span["n"]) * DAYS_OF[unit], 4)
                found.setdefault(other, Day(other, unit, span[0] + match[0], False))
    return list(found.values())


# ---------------------------------------------------------------- conditions

_NO_INJURY = r"(?:un-?\s?(?:injured|lesioned|operated|treated injury)|uninj|non-?\s?(?:injured|operated)|no(?:t)?\s(?:injury|injured|surgery|lesion|operation)|without (?:injury|surgery)|pre-?injury|before injury)"
_INJURY = (
    r"\b(?:\d*dp)?(?:sni|sci|snl|snt|cci|psnl|fnx)\b|spared nerve|nerve (?:injury|ligation|transection|crush|lesion|cut)"
    r"|cord (?:injury|contusion|crush|lesion|transection)|contusion|contused|hemisect|transect|axotom|crush|(?<!un)(?<!un-)(?<!non-)(?<!non)injur|(?<!un)lesion|ligat"
    r"|rhizotom|\bipsi(?:lateral)?\b"
)
_CONDITIONS = {
    "naive": re.compile(rf"\bna[iï]ve\b|\bintact\b|\bhealthy\b|\buntouched\b|\bbaseline\b|{_NO_INJURY}"),
    "sham": re.compile(
        r"sham|laminectomy (?:only|control|alone)|superficial (?:injury|incision)|skin incision|mock (?:surgery|operat)"
    ),
    "contralateral": re.compile(r"\bcontra(?:lateral(?:ly)?|lat)?\b"),
    "injured": re.compile(_INJURY),
}
_SINCE_INJURY = re.compile(
    r"(?<![\d.])(?!0+(?:\.0+)?\s?[hdwm]p)\d+(?:\.\d+)?\s?[hdwm]\.?\s?p\.?\s?i\b|\bdpi\s?0*[1-9]|\b[hdwm]pi\s0*[1-9]"
)
_CONTROL = re.compile(r"\b(?:control|controls|ctrls?|ctl|ctr|cont|con)\b\d*")


def read_conditions(text: str) -> list[str]:
    """Return the conditions that a text names: naive, sham, contralateral, injured, or control (which of them is not said).

    A word for what a control was spared does not make it injured: 'sham SNI' is sham, 'no injury' naive, 'SNI, contralateral'
    contralateral, 'uninjured control' naive.

    Examples
    --------
    >>> read_conditions("sham-operated, SNI model"), read_conditions("Ctl_1"), read_conditions("SNI 3d contra")
    (['sham'], ['control'], ['contralateral'])
    """
    plain = _plain(text)
    # letters and digits run together in file names: SNI3d, Sham14, Ctl1
    spaced = re.sub(r"(?<=[a-z])(?=\d)|(?<=\d)(?=[a-z])", " ", plain)
    both = f"{plain} | {re.sub(r'[-.,/:]', ' ', spaced)}"
    found = [name for name, pattern in _CONDITIONS.items() if pattern.search(both)]
    controls = [name for name in found if name != "injured"]
    if controls:
        return controls
    if found or _SINCE_INJURY.search(both):
        return ["injured"]
    return ["control"] if _CONTROL.search(both) else []


# ---------------------------------------------------------------- sex, chemistry, age


def read_sexes(text: str, *, stated: bool = False) -> list[str]:
    """Return the sexes that a text names; ``mixed`` where it says that animals of both were pooled.

    Parameters
    ----------
    text
        A title, or the value of a characteristic.
    stated
        Whether the text is the value of sex or gender, in which M and F are words.

    Examples
    --------
    >>> read_sexes("Female, 14d"), read_sexes("M", stated=True), read_sexes("M", stated=False)
    (['female'], ['male'], [])
    """
    plain = _plain(text)
    female = bool(re.search(r"(?<!\w)females?(?!\w)|♀", plain))
    male = bool(re.search(r"(?<!\w)males?(?!\w)|♂", plain))
    if stated:
        female |= bool(re.fullmatch(r"f|w|female.*", plain)) or bool(re.search(r"\bf\b", plain))
        male |= bool(re.fullmatch(r"m|male.*", plain)) or bool(re.search(r"\bm\b", plain))
    if re.search(r"\b(?:mixed|both|pooled) ?(?:sexes|sex|genders?)?\b", plain) and (stated or "sex" in plain):
        return ["mixed"]
    if female and male:
        return (
            ["mixed"]
            if re.search(r"(?:male|female|m|f)s?\s?(?:and|\+|&|/|,)\s?(?:male|female|m|f)", plain)
            else ["female", "male"]
        )
    return ["female"] * female + ["male"] * male


_TEN_X = re.compile(r"10\s?x|chromium|gem code|gemcode|next gem")
_OTHERS = {
    "Drop-seq": r"drop-?seq",
    "inDrops": r"\bindrops?\b",
    "Smart-seq2": r"smart-?seq ?2",
    "Smart-seq3": r"smart-?seq ?3",
    "CEL-Seq2": r"cel-?seq ?2",
    "MARS-seq": r"mars-?seq",
    "Parse Evercode": r"evercode|split-?seq|parse bio",
    "BD Rhapsody": r"rhapsody",
    "Seq-Well": r"seq-?well",
    "sci-RNA-seq3": r"sci-rna-seq ?3",
}


def read_chemistries(text: str) -> list[str]:
    """Return the library chemistries that a text names, written alike (``10x 3' v3``); without the version if none is named.

    Examples
    --------
    >>> read_chemistries("Chromium Single Cell 3' Reagent Kits v3.1 (10x Genomics)"), read_chemistries("Drop-seq")
    (["10x 3' v3.1"], ['Drop-seq'])
    """
    plain = _plain(text.replace("′", "'").replace("’", "'"))
    found = [name for name, pattern in _OTHERS.items() if re.search(pattern, plain)]
    if _TEN_X.search(plain):
        multiome = "multiome " if "multiome" in plain else ""
        end = "5'" if re.search(r"5['`]|5 prime|five prime", plain) and not re.search(r"3['`]|3 prime", plain) else "3'"
        versions = list(dict.fromkeys(re.findall(r"\bv(?:ersion)?\s?([1-4](?:\.[0-9])?)(?![0-9.])", plain)))
        found += [f"10x {multiome}{end} v{version}" for version in versions] or [f"10x {multiome}{end}"]
    return found


def read_age(text: str) -> list[str]:
    """Return the ages that a text names, as written: '10 weeks', 'P4', '8-10 weeks'.

    Examples
    --------
    >>> read_age("C57BL/6, 8-10 weeks old"), read_age("P4 pups")
    (['8-10 weeks'], ['P4'])
    """
    plain = _plain(text)
    ages = re.findall(rf"((?:\d+(?:\.\d+)?\s*(?:-|to|–)\s*)?\d+(?:\.\d+)?[\s-]*{_UNIT})[\s-]*(?:old|of age)", plain)
    ages += re.findall(rf"\bage[d]?:?\s*((?:\d+(?:\.\d+)?\s*(?:-|to|–)\s*)?\d+(?:\.\d+)?[\s-]*{_UNIT})", plain)
    ages += [f"P{day}" for day in re.findall(r"\bp\s?(\d{1,3})\b", plain) if "pod" not in plain]
    return list(dict.fromkeys(ages))


def distinct(readings: Iterable[str]) -> list[str]:
    """Return readings, each once, in order."""
    return list(dict.fromkeys(readings))
