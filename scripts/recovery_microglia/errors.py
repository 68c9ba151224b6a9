"""What a user is told: an error that stops a job, or a notice that travels to the report."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

Severity = Literal["info", "warning", "alarm"]
_ORDER: dict[str, int] = {"alarm": 0, "warning": 1, "info": 2}


class InputError(Exception):
    """Something in the user's input is wrong.

    The message is one plain line per mistake: where (file, row, column), what is wrong, what is allowed.
    """


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
    return sorted(notices, key=lambda notice: _ORDER[notice.severity])
