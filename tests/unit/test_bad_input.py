"""Every bad input of docs/bad-input.md is refused in the words of that page."""

from pathlib import Path

import pytest

from bad_input.lab import Case, Lab
from bad_input.page import PAGE, SECTIONS, page
from recovery_microglia.core.errors import InputError

CASES = [pytest.param(case, id=f"{section.title}: {case.what}") for section in SECTIONS for case in section.cases]


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    root = tmp_path / "Projekt Rückenmark"  # a blank and a letter that is not ASCII
    root.mkdir()
    monkeypatch.chdir(root)
    return Lab(root)


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


@pytest.mark.filterwarnings("ignore:Variable names are not unique", "ignore:Observation names are not unique")
@pytest.mark.parametrize("case", CASES)
def test_a_bad_input_is_refused_in_plain_words(lab: Lab, case: Case) -> None:
    with pytest.raises(InputError) as error:
        case.make(lab)
    assert str(error.value) == case.says
    # only what the case itself made is there: nothing was written beside it, and nothing above it
    assert {path.split("/")[0] for path in files(lab.root)} <= {"config", "data", "results"}
    assert [path.name for path in lab.root.parent.iterdir()] == [lab.root.name]


def test_what_the_lab_starts_from_is_good(lab: Lab) -> None:
    lab.check()
    assert lab.read("N1.csv").n_obs == 3


def test_there_are_at_least_eighty_and_no_two_are_the_same() -> None:
    names = [(section.title, case.what) for section in SECTIONS for case in section.cases]
    assert len(names) >= 80
    assert len(set(names)) == len(names)


def test_every_refusal_is_lines_that_fit_a_screen_and_hold_nothing_that_a_terminal_obeys() -> None:
    for section in SECTIONS:
        for case in section.cases:
            assert max(map(len, case.says.split("\n"))) <= 300, case.what
            assert all(sign.isprintable() or sign == "\n" for sign in case.says), case.what


def test_whatever_stands_in_a_file_a_refusal_is_short_and_plain() -> None:
    told = str(InputError(f"data/m.csv: '{'x' * 5000}\x1b[31m\x00\u202e' is no name\nline 2"))
    first, second = told.split("\n")
    assert len(first) == 300
    assert (first[:11], first[-11:], second) == ("data/m.csv:", "' is no name"[1:], "line 2")
    assert first.isprintable()
    assert "\\x1b[31m\\x00\\u202e" in first


def test_the_page_is_written_from_this_list() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: make bad-input-page"
