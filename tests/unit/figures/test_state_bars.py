"""Bars of states say of how many cells they are."""

from recovery_microglia import figures
from recovery_microglia.report import ReportInputs


def test_bars_of_states_say_of_how_many_cells(made_up: dict[str, ReportInputs]) -> None:
    tested = made_up["tested"]
    picture = figures.state_shares(tested.cells)
    assert picture is not None
    own = tested.cells[(tested.cells["lineage"] == "microglia") & (tested.cells["state"].astype(str) != "")]
    assert picture.numbers["cells"].sum() == own["state"].notna().sum()
    for row in picture.numbers.itertuples():
        assert f"{row.group} (n = {row.cells:,})" in picture.panels[0].svg
