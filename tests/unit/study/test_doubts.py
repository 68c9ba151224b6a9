"""A drafted doubt is silent when its field is filled in or its row is gone, and not before."""

import pytest

from recovery_microglia.study.doubts import open_doubts

ENTRY = {"tissue": "", "injury_model": "", "injury_class": ""}
ROWS = [
    {
        "library": "a",
        "subject": "",
        "day": "",
        "condition": "",
        "chemistry": "",
        "batch": "",
        "file": "a.h5",
        "include": "yes",
    },
    {
        "library": "b",
        "subject": "m2",
        "day": "7",
        "condition": "sham",
        "chemistry": "10x",
        "batch": "x",
        "file": "b.h5",
        "include": "yes",
    },
]


def rows(**filled: str) -> list[dict[str, str]]:
    return [{**ROWS[0], **filled}, ROWS[1]]


@pytest.mark.parametrize(
    ("sentence", "column", "value"),
    [
        ("Nothing says whether a were injured: fill in the column condition.", "condition", "naive"),
        ("Nothing says whether a and 3 more were injured: fill in the column condition.", "condition", "naive"),
        ("Only 'control', or day 0, is said of a: write naive or sham in the column condition.", "condition", "sham"),
        ("The day is not known of a: fill in the column day, if it can be had.", "day", "0"),
        ("Several days are named (3, 7); the day of a is left empty.", "day", "3"),
        ("Nothing names the animals: each library is taken for an animal of its own (column subject).", "subject", "a"),
        ("What was processed together is not known (column batch): a batch effect cannot be looked for.", "batch", "1"),
    ],
)
def test_a_field_that_is_filled_in_ends_its_doubt(sentence: str, column: str, value: str) -> None:
    assert open_doubts([sentence], ENTRY, rows()) == [sentence]
    assert open_doubts([sentence], ENTRY, rows(**{column: value})) == []
    gone = [{**ROWS[0], "include": "no"}, ROWS[1]]
    assert open_doubts([sentence], ENTRY, gone) == []


def test_keys_of_the_entry() -> None:
    tissue, model = (
        "The tissue is not known: fill in tissue.",
        "The injury model is not known: fill in injury_model and injury_class (none, if there was no injury).",
    )
    assert open_doubts([tissue, model], ENTRY, ROWS) == [tissue, model]
    assert open_doubts([tissue, model], {**ENTRY, "tissue": "cord", "injury_model": "SNI"}, ROWS) == [model]
    assert open_doubts([model], {**ENTRY, "injury_model": "SNI", "injury_class": "peripheral_nerve"}, ROWS) == []


def test_the_version_of_a_chemistry() -> None:
    sentence = "The version of the 10x chemistry is not said (column chemistry)."
    assert open_doubts([sentence], ENTRY, ROWS) == [sentence]
    assert open_doubts([sentence], ENTRY, [{**row, "chemistry": "10x 3' v3"} for row in ROWS]) == []


def test_what_was_filled_by_guess_stays_until_its_row_is_gone_or_somebody_deletes_it() -> None:
    guess = "The day is read from a letter and a number, such as D7, which may be something else: a."
    many = guess.replace(": a.", ": a, b, c, d and 4 more.")
    own = "The authors say in a letter that mouse 3 was sick."
    assert open_doubts([guess, many, own], ENTRY, ROWS) == [guess, many, own]
    assert open_doubts([guess, many, own], ENTRY, ROWS[1:]) == [many, own]


def test_a_file_that_is_left_out() -> None:
    sentence = "a.h5 is left out: it cannot be read: not a whole HDF5 file."
    assert open_doubts([sentence], ENTRY, ROWS) == [sentence]
    assert open_doubts([sentence], ENTRY, ROWS[1:]) == []
