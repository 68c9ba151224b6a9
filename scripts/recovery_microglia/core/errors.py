"""What a user is told: an error that stops a job, or a notice that travels to the report."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from recovery_microglia.core.vocabulary import Severity


class InputError(Exception):
    """Something in the user's input is wrong.

    The message is one plain line per mistake: where (file, row, column), what is wrong, what is allowed.
    """


SHOWN = 20
"""Lines of one kind of mistake that are told in full."""


def shortened(lines: Sequence[str], shown: int = SHOWN) -> list[str]:
    """Return the lines, or the first of them and how many more there are: a slip in a column is a slip in every row."""
    if len(lines) <= shown:
        return list(lines)
    more = len(lines) - shown
    return [*lines[:shown], f"… and {more:,} more line{'s' if more > 1 else ''} like these"]


@dataclass(frozen=True)
class Notice:
    """One remark that must reach the report.

    Attributes
    ----------
    code
        Short stable name, e.g. ``few_microglia``; tests and users can look for it.
    severity
        ``alarm`` (the answer may be wrong), ``warning`` (weaker than it looks), ``info``.
    text
        One or two plain sentences.
    """

    code: str
    severity: Severity
    text: str

    def as_dict(self) -> dict[str, str]:
        """Return the notice as a JSON-able dict."""
        return asdict(self)


def by_severity(notices: Iterable[Notice]) -> list[Notice]:
    """Return the notices, the worst first, otherwise in the order they came."""
    return sorted(notices, key=lambda notice: list(Severity).index(notice.severity))
