"""Words that must not reach a reader are found where a reader meets them, and only there."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from made_up.sets import SETS
from recovery_microglia.report import ReportInputs, render_report

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def check() -> ModuleType:
    """The script that `make check` runs."""
    spec = importlib.util.spec_from_file_location("check_words", ROOT / "scripts" / "check_words.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["check_words"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "text",
    [
        "Seen from 17.7 %", "The answer hangs on that choice.", "it cannot be told from the days", "day and batch inseparable",
        "What each day rests on", "Called against true", "Who supplies Igf1", "column x is there twice", "it is told at the start",
        "cells on the way into the programme", "grey cells are no microglia and have none", "Read are Cell Ranger folders",
    ],
)  # fmt: skip
def test_a_refused_word_is_found_with_what_to_say_instead(check: ModuleType, text: str) -> None:
    found = check.refused(text)
    assert found
    assert all(instead for _, instead in found)


@pytest.mark.parametrize(
    "text", ["detection limit 17.7 %", "depends on the analysis choice", "confounded with the days", "is duplicated"]
)
def test_what_stands_in_its_place_is_not_refused(check: ModuleType, text: str) -> None:
    assert check.refused(text) == []


def test_keys_and_docstrings_are_not_texts_for_a_reader(check: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text('"""What a reader is told."""\nKEY = "hangs_on"\nTEXT = "it hangs on this"\n')
    assert list(check.strings_of(path)) == [(3, "it hangs on this")]


def test_nothing_refused_is_in_the_project(check: ModuleType) -> None:
    assert [(path.name, line, word) for path, line, text in check.texts() for word, _ in check.refused(text)] == []


@pytest.mark.parametrize("name", SETS)
def test_nothing_refused_stands_on_a_page(
    check: ModuleType, made_up: dict[str, ReportInputs], name: str, words_of: Callable[[str], str]
) -> None:
    assert check.refused(words_of(render_report(made_up[name]))) == []


@pytest.fixture
def words_of() -> Callable[[str], str]:
    """HTML to the text that a reader sees."""
    import re

    return lambda page: re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL))
