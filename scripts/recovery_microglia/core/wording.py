"""Numbers and keys in plain words; a missing number is a dash, never an invented one."""

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from recovery_microglia.core.vocabulary import Condition, Status

DASH = "–"
PERCENT = "\N{NO-BREAK SPACE}%"  # a line must not begin with the sign
STATUS: dict[str, tuple[str, str]] = {
    Status.TESTED: ("tested", "days were compared with controls, over animals"),
    Status.DESCRIPTIVE: ("descriptive", "shares are described; this design allows no test"),
    Status.NOT_TESTABLE: ("not testable", "these data cannot answer the question"),
}

NOTICES: dict[str, str] = {
    "batch_unknown": "Batches are not stated",
    "batch_unknown_claim": "Batches are not stated",
    "bulk_profiles": "Bulk profiles instead of cells",
    "clusters_unstable": "Clusters are not stable",
    "columns_are_no_cells": "Columns without cells",
    "control_and_injured": "Control and injured at once",
    "controls_have_the_state": "Controls run the recovery programme",
    "day_is_age": "Day is confounded with age",
    "day_is_batch": "Day is confounded with batch",
    "day_is_chemistry": "Day is confounded with chemistry",
    "day_is_sex": "Day is confounded with sex",
    "day_is_sort": "Day is confounded with sorting",
    "day_unknown": "Day is not stated",
    "depth_differs": "Depth differs between groups",
    "doublets_not_called": "Doublets were not searched for",
    "features_are_no_genes": "Features that are no genes",
    "few_controls": "Few control microglia",
    "few_microglia": "Few microglia",
    "fpr_above_nominal": "More false positives than nominal",
    "genes_are_dates": "Genes turned into dates",
    "integration_erased": "Alignment removes the score's structure",
    "lineage_from_sort": "Lineage taken from the sorting",
    "lineage_not_judged": "Lineage could not be assigned",
    "many_macrophages": "Many macrophages",
    "mito_not_measured": "Mitochondrial genes were not measured",
    "no_controls": "No control microglia",
    "no_recovery_cluster": "No cluster of recovery cells",
    "not_clustered": "Cells were not clustered",
    "not_integrated": "Libraries were not aligned",
    "one_control_subject": "One control animal",
    "one_gene_carries": "One gene gives most of the evidence",
    "one_lineage": "One lineage only",
    "onset_hangs_on_choice": "Onset depends on the analysis choice",
    "recovery_not_testable": "Recovery cells were not called",
    "routes_disagree": "Clusters and scores disagree",
    "same_cells_twice": "The same cells in two libraries",
    "sex_mismatch": "Sex differs from the sheet",
    "signature_incomplete": "Signature genes that were not measured",
    "strata_differ": "Sexes or arms differ",
    "subject_not_named": "Animals are not named",
    "to_check": "To be checked",
    "unknown_names": "Unknown gene names",
}
"""Code of a notice to the title that a reader sees."""


def notice_title(code: str) -> str:
    """Return the title of a notice; of one that is not known, its code as words."""
    return NOTICES.get(code, key_words(code).capitalize())


def missing(value: Any) -> bool:
    """Return whether there is no value: None, NaN, NA, infinity or empty text."""
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, str) and value.strip() == ""):
        return True
    return isinstance(value, (float, np.floating)) and not np.isfinite(value)


def truthy(value: Any) -> bool:
    """Return a yes or no that may have passed through a text table."""
    return str(value).lower() in ("true", "1", "1.0", "yes")


def whole(value: Any) -> str:
    """Return a count: 12,345."""
    return DASH if missing(value) else f"{float(value):,.0f}"


def number(value: Any) -> str:
    """Return a number with three significant digits, without an exponent in the usual range."""
    if missing(value):
        return DASH
    x = float(value)
    if x == 0 or 1e-4 <= abs(x) < 1e5:
        return f"{x:,.0f}" if abs(x) >= 1000 else f"{x:.3g}"
    return f"{x:.2e}"


def percent(value: Any) -> str:
    """Return a fraction in percent; a small one keeps a digit, so that it does not read as none."""
    if missing(value):
        return DASH
    x = 100 * float(value)
    if x in (0, 100):
        return f"{x:.0f}{PERCENT}"
    if abs(x) >= 0.05:
        return f"{x:.1f}{PERCENT}"
    return f"{x:.2g}{PERCENT}" if abs(x) >= 0.001 else f"< 0.001{PERCENT}"


def share(k: Any, n: Any, fraction: Any = None) -> str:
    """Return a fraction with its counts: 12.8 % (59/462)."""
    if missing(n) or float(n) == 0:
        return DASH
    value = float(k) / float(n) if missing(fraction) else fraction
    return f"{percent(value)} ({whole(k)}/{whole(n)})"


def p_value(value: Any) -> str:
    """Return a p-value; never 0."""
    if missing(value):
        return DASH
    return "< 0.001" if float(value) < 1e-3 else f"{float(value):.2g}"


def p_equals(value: Any, letter: str = "p") -> str:
    """Return a p-value for a sentence: p = 0.012, p < 0.001."""
    text = p_value(value)
    return f"{letter} {text}" if text.startswith("<") else f"{letter} = {text}"


def with_signs(sentence: str) -> str:
    """Return a sentence of a table, whose signs are those of a keyboard, as a page has it: p = 0.42, −7 to 18."""
    equal = re.sub(r"\bp (?=\.?\d)", "p = ", sentence)
    return re.sub(r"(?<=[\s(])-(?=\d)", "\N{MINUS SIGN}", equal).replace(" %", PERCENT)


_NUMBER_BREAKS = re.compile(r"(?<=\d) ?(?=%(?!\w))|(?<=\b[Dd]ay) (?=\d)")
_SIGN_BREAKS = re.compile(r"\b(p|q|n) (=|<|≥|&lt;) (?=[\d.])")


def unbroken(text: str) -> str:
    """Return a text in which no line ends before a sign of percent, which has a space, or within p = 0.012 or day 14; it may be HTML."""
    joined = "\\1\N{NO-BREAK SPACE}\\2\N{NO-BREAK SPACE}"
    return _SIGN_BREAKS.sub(joined, _NUMBER_BREAKS.sub("\N{NO-BREAK SPACE}", text))


def day(value: Any) -> str:
    """Return a day: 7, or a dash."""
    return DASH if missing(value) else f"{float(value):g}"


def yes_no(value: Any) -> str:
    """Return yes, no or a dash."""
    return DASH if missing(value) else ("yes" if truthy(value) else "no")


def plain(value: Any) -> str:
    """Return a text, or a dash."""
    return DASH if missing(value) else str(value)


CODE_WORDS = {
    "score_without": "score without Itgax and Igf1",
    "depth_matched": "score at one depth",
    "fixed_cutoff": "score at the controls' cutoff",
    "low_detection": "low detection",
    "medium_detection": "medium detection",
    "high_detection": "high detection",
}
"""Words of the tables' code, as a reader meets them."""


def with_day(name: str, when: float) -> str:
    """Return a condition or a library with its day: injured, day 7; the name alone where there is no day."""
    return f"{name}, day {when:g}" if np.isfinite(when) else name


def by_condition(conditions: Iterable[Any], days: Iterable[Any]) -> str:
    """Return what distinguishes groups, in words: by condition and day; by condition, where no day but that of naive animals is known."""
    known = any(
        not missing(day) and condition != Condition.NAIVE for condition, day in zip(conditions, days, strict=True)
    )
    return "by condition and day" if known else "by condition"


JOINTS = (
    "oligo-dendro-cyte", "macro-phage", "infil-trating", "endo-thelial", "neutro-phil", "mono-cyte", "astro-cyte", "fibro-blast",
    "ambig-uous", "unas-signed", "micro-glia", "mito-chon-drial", "haemo-globin", "homeo-static", "inflam-matory",
    "dissoci-ation", "permu-tation", "multi-variate", "univari-ate", "attain-able", "resol-ution", "integ-rated", "compari-son",
    "compat-ible", "detec-tion", "differ-ence", "uncor-rected", "plasma-cytoid", "epen-dymal", "peri-cyte",
)  # fmt: skip
"""Long words of headings, and where they may be broken: browsers know no English hyphens everywhere."""
_JOINED = {word.replace("-", ""): word.replace("-", "\N{SOFT HYPHEN}") for word in JOINTS}
_LONG_WORDS = re.compile("|".join(_JOINED), re.IGNORECASE)


def breakable(text: str) -> str:
    """Return a heading whose long words may be broken at their joints."""

    def joined(found: re.Match[str]) -> str:
        word = _JOINED[found[0].lower()]
        return found[0][0] + word[1:] if found[0][0].isupper() else word

    return _LONG_WORDS.sub(joined, text)


_SORTED_FOR = {"cd11b": "CD11b", "cd45": "CD45", "myeloid": "myeloid cells"}


def sorted_for(sort: str) -> str:
    """Return what was sorted, in words; ``sort`` is as the sheet has it."""
    return _SORTED_FOR.get(sort, sort)


def key_words(key: str) -> str:
    """Return a column or setting's name in words."""
    return key.replace("_", " ")


def listed(items: list[str], *, most: int = 8, last: str = "and") -> str:
    """Return items as 'a, b and c'; a long list is cut and counted."""
    if len(items) > most:
        return ", ".join(items[:most]) + f" and {len(items) - most} more"
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + (f" {last} {items[-1]}" if items else "")


def onset_words(row: Any) -> str:
    """Return the onset of a tested row as an interval in words; empty if the row was not tested."""
    if row.get("status") != Status.TESTED:
        return ""
    low, high = row.get("onset_low"), row.get("onset_high")
    if missing(high):
        return "not shown"
    if truthy(row.get("left_censored")) or missing(low):
        return f"by day {day(high)}"
    return f"between day {day(low)} and day {day(high)}"


def count(n: int, one: str, many: str | None = None) -> str:
    """Return '1 animal', '3 animals'."""
    return f"{whole(n)} {one if n == 1 else many or one + 's'}"


def percent_in_sentence(value: float) -> str:
    """Return a share in percent for a sentence: rounded as `percent` rounds it, so that one share reads the same everywhere."""
    return percent(value).replace(PERCENT, " %")


def percent_interval(low: Any, high: Any) -> str:
    """Return the ends of a share's interval for a sentence: 26–45 %; an end below a tenth keeps one digit."""
    if missing(low) or missing(high):
        return DASH
    ends = [
        f"{100 * float(end):.0f}" if end == 0 or end >= 0.0995 else f"{100 * float(end):.1f}" for end in (low, high)
    ]
    return f"{ends[0]}\N{EN DASH}{ends[1]} %"


def whole_percent(value: float) -> str:
    """Return a chosen level (power, quantile) in percent: 80 %."""
    return f"{100 * value:g} %"


def interval(low: float, high: float) -> str:
    """Return an onset in words: between day 3 and day 7, by day 7, or no onset shown."""
    if np.isnan(high):
        return "no onset shown"
    return f"by day {high:g}" if np.isnan(low) else f"between day {low:g} and day {high:g}"


def as_sentence(reason: str) -> str:
    """Return a reason with a capital letter and a full stop."""
    text = reason or "the data do not allow it"
    return text[0].upper() + text[1:].rstrip(".") + "."


def duration(seconds: float) -> str:
    """Return a time in the largest unit that fits: 42 seconds, 12 minutes, 3.5 hours."""
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"
