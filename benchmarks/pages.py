"""Tables as Markdown, and the pages under docs/ that hold them."""

from pathlib import Path

import numpy as np
import pandas as pd

DOCS = Path(__file__).resolve().parents[1] / "docs"


def markdown(table: pd.DataFrame, number: str) -> str:
    """Return a table with its index as Markdown; ``number`` is the format of floats, a missing one is a dash."""
    shown = table.reset_index()
    lines = ["| " + " | ".join(map(str, shown.columns)) + " |", "|" + "---|" * shown.shape[1]]
    for row in shown.itertuples(index=False):
        cells = [
            "–" if isinstance(v, float) and np.isnan(v) else format(v, number) if isinstance(v, float) else str(v)
            for v in row
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write_below(page: str, mark: str, text: str) -> None:
    """Put a text below the mark of a page in docs/, in place of what stood there."""
    path = DOCS / page
    head = path.read_text(encoding="utf-8").partition(mark)[0]
    path.write_text(f"{head}{mark}\n\n{text}\n", encoding="utf-8")


def write_between(page: str, begin: str, end: str, text: str) -> None:
    """Put a text between two marks of a page in docs/, in place of what stood there; the rest of the page stays."""
    path = DOCS / page
    head, first, rest = path.read_text(encoding="utf-8").partition(begin)
    _, second, tail = rest.partition(end)
    if not first or not second:
        raise ValueError(f"docs/{page} lacks the marks {begin} and {end}, in this order")
    path.write_text(f"{head}{begin}\n\n{text}\n\n{end}{tail}", encoding="utf-8")
