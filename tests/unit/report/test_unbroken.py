"""No line of a sentence ends within a number."""

import re
from collections.abc import Callable

import pytest

from recovery_microglia.core import wording

PLAIN = re.compile(r"\d %|\b[pqn] [=<] [\d.]|\b[pqn] &lt; [\d.]")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the share (7.3 %) is", "the share (7.3\N{NO-BREAK SPACE}%) is"),
        ("p = 0.42, q &lt; 0.001", "p\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}0.42, q\N{NO-BREAK SPACE}&lt;\N{NO-BREAK SPACE}0.001"),
        ("3.9% of", "3.9\N{NO-BREAK SPACE}% of"),
        ("a%20b3%20c", "a%20b3%20c"),
        ("between day 3 and days 7", "between day\N{NO-BREAK SPACE}3 and days 7"),
        ("map = 3 cells, in % of", "map = 3 cells, in % of"),
    ],
)  # fmt: skip
def test_no_line_ends_within_a_number(text: str, expected: str) -> None:
    assert wording.unbroken(text) == expected


def test_sentences_of_the_sheet_do_not_break_within_a_number(page_of: Callable[[str], str]) -> None:
    sheet = page_of("tested").partition('id="answer"')[2].partition('id="evidence"')[0]
    sentences = re.findall(r"<li[^>]*>(.*?)</li>", sheet)
    assert sentences
    assert [text for text in sentences if PLAIN.search(text)] == []
