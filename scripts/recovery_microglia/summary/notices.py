"""The notices of all steps as one table."""

from collections.abc import Mapping, Sequence

import pandas as pd

from recovery_microglia.core.errors import Notice, by_severity
from recovery_microglia.core.json_files import Json
from recovery_microglia.core.vocabulary import Severity

STEPS = ("dataset", "library", "myeloid", "recovery", "timeline")
"""Steps whose notices reach the report, in the order of the data."""


def collect_notices(reports: Mapping[str, Sequence[Json]]) -> pd.DataFrame:
    """Return the notices of all steps (= warnings.tsv): code, severity, text, step, library; the worst first.

    The same remark on several libraries becomes one row that lists them.
    """
    rows: dict[tuple[str, str, str, str], list[str]] = {}
    for step in STEPS:
        for report in reports.get(step, ()):
            library = str(report.get("library", ""))
            for notice in report.get("notices", ()):
                key = (notice["code"], notice["severity"], notice["text"], step)
                rows.setdefault(key, []).append(library)
    notices = by_severity(Notice(code, Severity(severity), text) for code, severity, text, _ in rows)
    where = {key[:3]: (key[3], ", ".join(filter(None, found))) for key, found in rows.items()}
    table = []
    for notice in notices:
        step, libraries = where[notice.code, notice.severity, notice.text]
        table.append({**notice.as_dict(), "step": step, "library": libraries})
    return pd.DataFrame(table, columns=["code", "severity", "text", "step", "library"])
