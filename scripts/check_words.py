"""Refuse words that must not reach a reader: in texts of the code, in templates, in documentation.

Looked at are strings of the package that hold a space (keys of tables and settings do not reach a reader), docstrings left out;
templates without their markup; README, docs and the descriptions in schemas. What is refused, and what stands in its place, is
`REFUSED`.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REFUSED: dict[str, str] = {
    r"told from|told apart|tell apart|inseparable": "confounded with; not estimable; distinguish",
    r"seen from|would have been seen|would be seen": "detection limit; would be detected",
    r"hangs? on": "depends on; is sensitive to",
    r"would other choices": "Sensitivity analysis",
    r"called against true": "Accuracy on simulated data",
    r"what to worry about": "Warnings",
    r"what (each|the) days? rests? on": "Data by day",
    r"(cluster|other|these|the|two|three) routes?\b": "calling method",
    r"(?<!-)\brivals?\b": "alternative states",
    r"on the way (into|to)|half-way cells": "intermediate",
    r"\bsoup\b": "ambient RNA",
    r"\bleast p\b|p,? permuted": "smallest attainable p; permutation p",
    r"not asked of": "not applicable",
    r"likeness of courses": "parallel time courses do not show causation",
    r"who supplies": "Sources of Igf1",
    r"^read are\b|\. read are\b": "It reads",
    r"(is|are) there twice|the least is": "is duplicated; must be at least",
    r"are no microglia and have none": "cells of other lineages (no score)",
    r"\bwere won\b": "were isolated",
    r"\b(is|are|was|were|be) told\b|\btold by\b|\btells\b": "reports, warns, states, distinguishes",
    r"for looking( only)?\b": "for viewing only",
}
"""Pattern (any case) to the words to take instead."""
PAGES = ["README.md", "docs/*.md", "config/README.md", "config/datasets/README.md"]
TEMPLATES = ["scripts/recovery_microglia/report/templates/*.j2", "scripts/recovery_microglia/report/templates/*.js"]
SCHEMAS = ["workflow/schemas/*.yaml"]


def strings_of(path: Path) -> Iterator[tuple[int, str]]:
    """Return line and text of the strings of a module that may reach a reader."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    silent = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in silent
            and " " in node.value
        ):
            yield node.lineno, node.value


def lines_of(path: Path) -> Iterator[tuple[int, str]]:
    """Return the lines of a page or template, comments of scripts left out."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        yield number, line.partition(" // ")[0] if path.suffix == ".js" else line


def refused(text: str) -> list[tuple[str, str]]:
    """Return the refused words of a text, each with what to take instead."""
    return [
        (found[0], instead)
        for pattern, instead in REFUSED.items()
        if (found := re.search(pattern, text, re.IGNORECASE))
    ]


def texts() -> Iterator[tuple[Path, int, str]]:
    """Return everything that is looked at: file, line, text."""
    for path in sorted((ROOT / "scripts").rglob("*.py")):
        if path.name != Path(__file__).name:
            yield from ((path, line, text) for line, text in strings_of(path))
    for pattern in (*PAGES, *TEMPLATES, *SCHEMAS):
        for path in sorted(ROOT.glob(pattern)):
            yield from ((path, line, text) for line, text in lines_of(path))


def main() -> int:
    """Print each refused word with its place and what to take instead; return how many there are."""
    n = 0
    for path, line, text in texts():
        for word, instead in refused(text):
            n += 1
            print(f"{path.relative_to(ROOT)}:{line}: '{word}': say {instead}")
    return min(n, 100)


if __name__ == "__main__":
    sys.exit(main())
