"""The words that data carry from the sheet to the page, each list once.

The members are texts: they compare equal to what stands in tables, and are written as it.
"""

from enum import StrEnum


class Condition(StrEnum):
    """What was done to an animal (column ``condition`` of the sheet)."""

    NAIVE = "naive"
    SHAM = "sham"
    CONTRALATERAL = "contralateral"
    INJURED = "injured"
    TREATED = "treated"
    OTHER = "other"


def rank_of(condition: str) -> int:
    """Return the place of a condition in tables and figures; one that is not known stands last."""
    return next((rank for rank, known in enumerate(Condition) if known == condition), len(Condition))


CONTROLS = (Condition.NAIVE, Condition.SHAM, Condition.CONTRALATERAL)
"""Conditions whose microglia are controls."""


class Status(StrEnum):
    """What may be claimed: tests over animals, numbers without a test, or nothing."""

    TESTED = "tested"
    DESCRIPTIVE = "descriptive"
    NOT_TESTABLE = "not_testable"


class Severity(StrEnum):
    """How much a notice weighs: the answer may be wrong, is weaker than it looks, or neither."""

    ALARM = "alarm"
    WARNING = "warning"
    INFO = "info"


class Route(StrEnum):
    """How recovery cells were called: by their score, by the score without *Itgax* and *Igf1*, or by clusters."""

    SCORE = "score"
    SCORE_WITHOUT = "score_without"
    CLUSTER = "cluster"


class Denominator(StrEnum):
    """What recovery cells are a share of."""

    MICROGLIA = "microglia"
    MYELOID = "myeloid"
    ALL = "all"
