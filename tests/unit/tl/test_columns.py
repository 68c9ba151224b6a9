"""From the columns of an AnnData to the sheet, and what is said where they contradict themselves."""

import numpy as np
import pandas as pd
import pytest

from recovery_microglia.core.errors import InputError
from recovery_microglia.tl.columns import libraries_of

OBS = pd.DataFrame(
    {
        "mouse": pd.Categorical(["m1", "m1", "m2", "m2"]),
        "lane": ["L1", "L2", "L3", "L3"],
        "group": ["SNI", "SNI", "sham", "sham"],
        "dpi": [14, 14, 7, 7],
        "kit": ["10X 3' v3", "10x 3’ v3", "10x 3' v3", "10x 3' v3"],
    },
    index=["a", "b", "c", "d"],
)
COLUMNS = {"subject": "mouse", "condition": "group", "day": "dpi"}
WORDS = {"SNI": "injured"}


def mistakes(obs: pd.DataFrame, columns: dict[str, str], **options: object) -> list[str]:
    with pytest.raises(InputError) as caught:
        libraries_of(obs, columns, **options)  # type: ignore[arg-type]
    return str(caught.value).splitlines()


def test_each_animal_is_a_library_where_none_is_named() -> None:
    libraries, of_cell = libraries_of(OBS, COLUMNS, conditions=WORDS)
    found = [(one.library, one.subject, one.day, one.condition) for one in libraries]
    assert found == [("m1", "m1", 14.0, "injured"), ("m2", "m2", 7.0, "sham")]
    assert list(of_cell) == ["m1", "m1", "m2", "m2"]


def test_an_animal_can_have_several_libraries_and_kits_are_spelt_as_in_sheets() -> None:
    libraries, _ = libraries_of(OBS, {**COLUMNS, "library": "lane", "chemistry": "kit"}, conditions=WORDS)
    assert [(one.library, one.subject) for one in libraries] == [("L1", "m1"), ("L2", "m1"), ("L3", "m2")]
    assert {one.chemistry for one in libraries} == {"10x 3' v3"}


def test_what_is_not_known_stays_empty() -> None:
    obs = OBS.assign(dpi=[np.nan, np.nan, 7, 7], sex=[None, None, "female", "female"])
    first, second = libraries_of(obs, {**COLUMNS, "sex": "sex"}, conditions=WORDS)[0]
    assert (first.day, first.sex, second.day, second.sex) == (None, "", 7.0, "female")


def test_a_missing_column_is_named_with_those_that_are_there() -> None:
    assert mistakes(OBS, {**COLUMNS, "day": "day"}) == [
        "adata.obs: there is no column 'day' (day); there are: mouse, lane, group, dpi, kit"
    ]


def test_an_unknown_fact_is_refused() -> None:
    assert mistakes(OBS, {**COLUMNS, "strain": "kit"}) == [
        "'strain' is no fact of a library; known: library, subject, day, condition, arm, sex, age, chemistry, batch, sort, pooled_n"
    ]


def test_a_library_with_two_values_is_refused() -> None:
    assert mistakes(OBS, {**COLUMNS, "chemistry": "kit"}, conditions=WORDS) == [
        "adata.obs: library 'm1', column kit: one library has several values ('10X 3' v3', '10x 3’ v3')"
    ]


def test_an_unknown_condition_is_told_in_the_users_names() -> None:
    assert mistakes(OBS, COLUMNS) == [
        "adata.obs: library 'm1', column group: 'sni' is not one of naive, sham, contralateral, injured, treated, other; write injured"
    ]


def test_an_animal_on_two_days_is_refused() -> None:
    obs = OBS.assign(dpi=[14, 7, 7, 7])
    (line,) = mistakes(obs, {**COLUMNS, "library": "lane"}, conditions=WORDS)
    assert line.startswith("adata.obs: library 'L2', column dpi: 7, but animal 'm1' has 14 in library 'L1'")


def test_cells_of_no_library_are_refused() -> None:
    obs = OBS.assign(mouse=["m1", None, "m2", ""])
    assert mistakes(obs, COLUMNS, conditions=WORDS) == [
        "adata.obs: column mouse: 2 cells have none; leave them out or say what they are of"
    ]
