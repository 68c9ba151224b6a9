"""The benchmark of associated genes: labels are permuted in every way, once, and animals keep their cells."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from driver_checks import counted, paired_bulks, splits

from recovery_microglia.drivers.pseudobulks import OTHERS, RECOVERY


def test_every_division_into_halves_comes_once() -> None:
    found = [tuple(second) for second in splits(6)]
    assert len(found) == 10, "half of 6 over 3"
    assert {sum(second) for second in found} == {3}
    # a division and its mirror image are one
    assert len({frozenset((second, tuple(~np.array(second)))) for second in found}) == 10


def test_a_pair_stands_in_one_animal() -> None:
    first, second = (pd.DataFrame({"a": [k, k + 1], "b": 9}) for k in (1, 5))
    bulks, inside = paired_bulks(first, second)
    assert bulks.counts["a"].tolist() == [1, 2, 5, 6]
    assert bulks.samples["subject"].tolist() == ["m0", "m1", "m0", "m1"]
    assert bulks.samples.loc[inside, "cells_of"].tolist() == [RECOVERY] * 2
    assert bulks.samples.loc[~inside, "cells_of"].tolist() == [OTHERS] * 2


def test_data_sets_are_counted_in_which_any_gene_passes() -> None:
    table = counted({("real", "2 against 2"): [(0, 0.01), (8, 0.03)]})
    assert table.loc[0, ["data sets", "with any gene at FDR 5 %"]].tolist() == [2, 1]
    assert table.loc[0, "genes that pass, mean"] == 4
