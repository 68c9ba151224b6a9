"""What is associated with the state, end to end: off by `drivers: false`, on with a true signal and a decoy distinguished."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from recovery_microglia.core.tables.registry import TABLES, table_of
from workflow.conftest import Project


@pytest.fixture(scope="module")
def switched_on(finished: Project) -> Iterator[Project]:
    """The finished copy with the step switched on and run; switched off again at the end."""
    config = finished.path / "config/config.yaml"
    before = config.read_text()
    assert "drivers: false" in before
    assert not finished.results("small", "drivers").exists()
    config.write_text(before.replace("drivers: false", "drivers: true"))
    planned = finished.planned()
    # no network for simulated data; a page that is written anew stands in the index anew
    assert planned == {"drivers": 1, "signals": 1, "candidates": 1, "report": 1, "index": 1}
    run = finished.snakemake()
    assert run.code == 0, run.out
    yield finished
    config.write_text(before)


def test_the_tables_and_the_section_are_there(switched_on: Project) -> None:
    folder = switched_on.results("small", "drivers")
    wanted = {Path(table.file).name for table in TABLES.values() if table.file.startswith("drivers/")}
    assert {path.name for path in folder.iterdir()} == wanted
    for path in folder.iterdir():
        table_of(path).check(list(pd.read_csv(path, sep="\t", nrows=0).columns))
    contrasts = pd.read_csv(folder / "driver_contrasts.tsv", sep="\t")
    state = contrasts[contrasts["kind"] == "state"].iloc[0]
    # half the animals and cells of the demo: what is needed is counted, and said where it is not there
    assert (state["status"] == "tested") == (state["n_animals"] >= 2)
    assert (contrasts.loc[contrasts["kind"] == "injury", "status"] == "tested").all()
    if state["status"] != "tested":
        assert "with at least 10 recovery cells and 10 others; 2 are needed" in state["reason"]
    page = switched_on.results("small", "report.html").read_text()
    assert "What is associated with the state" in page
    assert "This analysis cannot show what makes these cells" in page


def test_the_decoy_is_not_taken_for_a_signal(switched_on: Project) -> None:
    truth = pd.read_csv(switched_on.results("small", "drivers", "driver_truth.tsv"), sep="\t").set_index("truth")
    # half the animals and cells of the demo: the true signal may be missed here, the decoy's targets must not be found
    assert not truth.loc["decoy", "targets_rise"]
    assert truth.loc["decoy", "as_expected"]
