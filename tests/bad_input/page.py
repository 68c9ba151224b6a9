"""docs/bad-input.md, written from the list that the tests run over: ``make bad-input-page``."""

from pathlib import Path

from bad_input import gene_sets, matrices, runs, settings, sheets
from bad_input.lab import ROOT, Section

PAGE = ROOT / "docs" / "bad-input.md"
SECTIONS: list[Section] = [
    sheets.SECTION,
    *settings.SECTIONS,
    gene_sets.SECTION,
    *matrices.SECTIONS,
    *runs.SECTIONS,
]

HEAD = """\
# Bad input: what is refused, and in which words

Nothing bad gets in: {n} mistakes, each with what the user sees. Every row is a test, and this page is written from the list that
the tests run over (`tests/bad_input`, `make bad-input-page`). For each, the words are the whole of what is said: no traceback, an
exit code that is not zero, no file half-written, nothing lost that was computed before. All mistakes that can be found before
the first job starts are reported together; a mistake in one library's files stops that library and lets the others finish.

A mistake that every row repeats is reported {shown} times, and then how often it comes again.
"""


def cell(text: str) -> str:
    """Return a message as a cell of a Markdown table; of a long one the first and the last line."""
    lines = text.splitlines()
    if len(lines) > 5:
        lines = [*lines[:2], lines[-1]]
    return "<br>".join(f"`{line.replace('|', chr(92) + '|')}`" for line in lines)


def page() -> str:
    """Return the page."""
    from recovery_microglia.core.errors import SHOWN

    parts = [HEAD.format(n=sum(len(section.cases) for section in SECTIONS), shown=SHOWN)]
    for section in SECTIONS:
        parts.append(f"\n## {section.title}\nReported {section.told}.\n\n| mistake | what the user sees |\n|---|---|\n")
        parts += [f"| {case.what} | {cell(case.says)} |\n" for case in section.cases]
    return "".join(parts)


if __name__ == "__main__":
    Path(PAGE).write_text(page(), encoding="utf-8")
