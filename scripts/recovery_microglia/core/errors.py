"""What a user is told: an error that stops a job, or a notice that travels to the report."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from recovery_microglia.core.vocabulary import Severity

LONGEST, LONGEST_LINE = 80, 300
"""Signs of a name or value, and of a line, that are shown; of a longer one its beginning and its end."""


def cut(text: object, most: int = LONGEST) -> str:
    r"""Return a name or value as it may be shown: what is not printed as its number, and of a long one beginning and end.

    Examples
    --------
    >>> cut("m\N{ZERO WIDTH SPACE}1"), cut("x" * 200, 9)
    ('m\\u200b1', 'xxxx…xxxx')
    """
    line = "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in str(text))
    end = (most - 1) // 2
    return line if len(line) <= most else f"{line[: most - 1 - end]}…{line[-end:]}"


class InputError(Exception):
    """Something in the user's input is wrong.

    The message is one plain line per mistake: where (file, row, column), what is wrong, what is allowed. Whatever stands in the
    user's files, a line holds no sign that a terminal obeys, and is not longer than a screen.
    """

    def __init__(self, text: object) -> None:
        super().__init__("\n".join(cut(line, LONGEST_LINE) for line in str(text).split("\n")))


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
