import numpy as np
import pandas as pd
import pytest

from recovery_microglia.core.frame_access import groups, labelled, positions, records, row_of_largest


@pytest.mark.parametrize("index", [pd.Index(["b", "a"]), pd.Index(["b", "a"], dtype=object)])
def test_a_label_that_is_not_there_has_no_position(index: pd.Index) -> None:
    assert positions(index, ["a", "x", "b"]).tolist() == [1, -1, 0]
    assert positions(index, []).tolist() == []
    assert positions(index, []).dtype == np.int64


def test_the_first_of_the_largest_rows_is_taken_and_missing_values_never() -> None:
    frame = pd.DataFrame({"day": [1.0, 3.0, 7.0, 14.0], "share": [0.1, np.nan, 0.4, 0.4], "arm": list("abcd")})
    assert row_of_largest(frame.set_axis([9, 8, 7, 6]), "share")["arm"] == "c"


def test_rows_keep_the_order_of_columns_and_their_values() -> None:
    frame = pd.DataFrame({"n": [1, 2], "name": ["x", None], "share": [0.5, np.nan]})
    first, second = records(frame)
    assert list(first.items()) == [("n", 1), ("name", "x"), ("share", 0.5)]
    assert second["name"] is None or pd.isna(second["name"])
    assert np.isnan(second["share"])


def test_labels_of_several_levels_are_tuples() -> None:
    counts = pd.Series({("naive", 0.0): 3, ("injured", 7.0): 4})
    assert [(condition, day, n) for (condition, day), n in labelled(counts)] == [("naive", 0.0, 3), ("injured", 7.0, 4)]
    frame = pd.DataFrame({"condition": ["sham", "sham", "naive"], "day": [3.0, 3.0, np.nan]})
    assert [(key, len(own)) for key, own in groups(frame, ["condition", "day"])] == [(("sham", 3.0), 2)]
    assert len(list(groups(frame, ["condition", "day"], dropna=False))) == 2
