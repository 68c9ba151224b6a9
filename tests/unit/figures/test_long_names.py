"""Names of sixty letters left a phone's drawing no room; colours of animals are those of the other figures."""

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex

from recovery_microglia import figures
from recovery_microglia.figures.style import BLUE, GREY, INK, VERMILION, short_names


def test_of_long_names_what_differs_is_kept() -> None:
    names = [f"Lumbar_cord_SNI_{k:02d}_10x_v3_filtered" for k in range(12)]
    assert short_names(names, 40) == names
    assert short_names(names, 18)[:2] == ["…00…", "…01…"]


def test_a_single_long_name_loses_its_middle_and_no_two_names_become_one() -> None:
    assert short_names(["a" * 30 + "b" * 30], 15) == ["a" * 7 + "…" + "b" * 7]
    alike = ["start" * 4 + str(k) + "end" * 8 for k in range(3)]
    assert len(set(short_names(alike, 9))) == 3
    assert short_names([], 9) == []


def test_animals_beside_random_genes_have_the_colours_of_animals() -> None:
    """Blue is the other microglia and vermilion recovery, on every figure."""
    null = pd.DataFrame({"subject": ["a", "b"], "condition": ["naive", "injured"], "day": [0.0, 7.0], "observed": [0.01, 0.2],
                         "null_low": 0.0, "null_high": 0.03, "null_median": 0.01, "n": 100, "p_empirical": np.nan})  # fmt: skip
    picture = figures.random_sets(null)
    assert picture is not None
    used = {to_hex(edge) for part in picture.panels[0].figure.axes[0].collections for edge in part.get_edgecolor()}
    assert {GREY.lower(), INK.lower()} <= used
    assert not used & {BLUE.lower(), VERMILION.lower()}
