"""All warnings of the run."""

import numpy as np
import pandas as pd

from recovery_microglia.core import wording
from recovery_microglia.core.tables import Kind
from recovery_microglia.core.vocabulary import Severity
from recovery_microglia.report.blocks import Column, Prose, Section, table
from recovery_microglia.report.inputs import ReportInputs
from recovery_microglia.report.sections.sheet import warnings_of


def warnings_section(inputs: ReportInputs) -> Section:
    """Return every warning, the worst first."""
    notes = warnings_of(inputs)
    if not notes:
        return Section("warnings", "Warnings", "", (Prose("There are none."),))
    frame = pd.DataFrame(
        {
            "severity": [n.severity for n in notes],
            "title": [n.title for n in notes],
            "text": [wording.unbroken(n.text) for n in notes],
        }
    )
    columns = [
        Column("severity", "Severity", Kind.TEXT),
        Column("title", "About", Kind.TEXT),
        Column("text", "What", Kind.TEXT),
    ]
    counts = [
        wording.count(int(np.sum(frame["severity"] == key)), key)
        for key in ("alarm", "warning")
        if (frame["severity"] == key).any()
    ]
    counts += (
        [f"{int((frame['severity'] == Severity.INFO).sum())} for information"]
        if (frame["severity"] == Severity.INFO).any()
        else []
    )
    marked = [severity == Severity.ALARM for severity in frame["severity"]]
    lead = "An alarm means that the answer may be wrong, a warning that it is weaker than it looks."
    return Section(
        "warnings",
        "Warnings",
        f"{wording.listed(counts)}. {lead}",
        (table(frame, columns, marked=marked, name="warnings"),),
    )
