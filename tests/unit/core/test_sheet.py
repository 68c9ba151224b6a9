"""The sheet as a table: the same columns and types in every step."""

from dataclasses import asdict, fields

import numpy as np
import pandas as pd
import pytest

from recovery_microglia.core.errors import InputError
from recovery_microglia.core.sheet import SHEET_COLUMNS, sheet_frame
from recovery_microglia.study.samples import Library

A = asdict(Library("A", "m1", 0.0, "naive"))
B = asdict(Library("B", "m2", None, "injured", pooled_n=3, include=False, reason="too few cells"))


def test_the_columns_are_those_of_a_library() -> None:
    assert list(SHEET_COLUMNS) == [field.name for field in fields(Library)]


@pytest.mark.parametrize("rows", [[A, B], [A], [B], []])
def test_every_column_has_its_type_whatever_it_holds(rows: list[dict[str, object]]) -> None:
    frame = sheet_frame(rows)
    numbers = {"day": "float64", "pooled_n": "int64", "include": "bool"}
    assert {name: str(frame[name].dtype) for name in numbers} == numbers
    assert all(pd.api.types.is_string_dtype(frame[name]) for name in frame.columns.difference(list(numbers)))


def test_what_is_not_known_is_missing_in_a_number_and_empty_in_a_text() -> None:
    frame = sheet_frame([A, B])
    assert frame["day"].tolist()[0] == 0
    assert np.isnan(frame["day"].tolist()[1])
    assert frame["include"].tolist() == [True, False]
    assert frame["pooled_n"].tolist() == [1, 3]
    assert frame["arm"].tolist() == ["", ""]


def test_a_sheet_survives_the_way_through_params() -> None:
    frame = sheet_frame([A, B])
    again = sheet_frame(frame.to_dict("records"))
    assert again.equals(frame)
    assert (again.dtypes == frame.dtypes).all()


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({name: value for name, value in B.items() if name != "day"}, "column 'day' is missing"),
        (B | {"dya": 3}, "column 'dya' is not known"),
        ({"library": "B"} | {name: "" for name in SHEET_COLUMNS if name != "sex"} | {"x": 1}, "column 'sex' is missing; column 'x' is not known"),
    ],
)  # fmt: skip
def test_a_column_that_is_missing_or_unknown_is_named(row: dict[str, object], says: str) -> None:
    with pytest.raises(InputError) as error:
        sheet_frame([A, row])
    assert str(error.value) == f"sheet: library 2: {says}"
