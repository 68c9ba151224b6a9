"""The subjects: what animals with hardly any cells are worth."""

import numpy as np
import pandas as pd

from made_up.sheet import sheet
from recovery_microglia.timeline.days import compare_days
from recovery_microglia.timeline.fractions import FEW_CELLS, fractions, group_of
from recovery_microglia.timeline.settings import TimelineSettings


def test_an_animal_without_cells_has_no_share_and_one_with_few_is_marked() -> None:
    samples = sheet([(7, "injured", 4)])
    sizes = [0, 1, FEW_CELLS - 1, FEW_CELLS]
    cells = pd.DataFrame({"library": samples["library"].repeat(sizes)})
    cells["recovery_call"] = pd.array([True] * len(cells), dtype="boolean")
    totals = pd.DataFrame({"library": samples["library"], "microglia": sizes, "myeloid": sizes, "all": 100})
    table = fractions(cells, samples, totals, calls={"score": "recovery_call"}).query("denominator == 'microglia'")
    np.testing.assert_array_equal(table["fraction"], [np.nan, 1, 1, 1])
    few = f"fewer than {FEW_CELLS} cells"
    assert table["note"].tolist() == [few, few, few, ""]
    # it stands in the table, and takes no part in any test
    assert group_of(table).k.tolist() == group_of(table).n.tolist() == sizes[1:]
    np.testing.assert_allclose(group_of(table).grid, group_of(table[table["n"] > 0]).grid)


def test_the_reason_names_the_side_that_has_too_few_animals() -> None:
    units = sheet([(0, "naive", 1), (7, "injured", 2)]).assign(n=100, k=[1, 10, 12])
    settings = TimelineSettings(n_draws=100, n_bootstrap=0)
    (row,) = compare_days(units, status="tested", reason="", settings=settings, seed=1).to_dict("records")
    assert (row["status"], row["reason"]) == ("descriptive", "fewer than two subjects on the control")
