"""What the steps of a data set read: of simulated, local, fetched and shared files."""

from collections.abc import Callable
from pathlib import Path

import pytest

from recovery_microglia.deposit.manifest import fetched_path, write_fetched
from recovery_microglia.readers.split_passes import batch_name, write_record
from recovery_microglia.study.dataset import load_dataset
from recovery_microglia.study.inputs import Inputs, forget_lost_files

ENTRY = """\
title: A study
organism: mouse
injury_model: spared nerve injury
injury_class: peripheral_nerve
tissue: spinal cord
"""
SHEET = (
    "library\tday\tcondition\tsex\tfile\tinclude\treason\n"
    "A\t0\tnaive\tfemale\t{A}\t\t\n"
    "B\t14\tinjured\tmale\t{B}\t\t\n"
    "C\t14\tinjured\tmale\t{C}\tno\ttoo few cells\n"
)
SPLIT = "folder: data\nsplit:\n  column: library\n  metadata: cells.tsv\n"
Make = Callable[..., Inputs]


@pytest.fixture
def make(tmp_path: Path, root: Path) -> Make:
    """Return the inputs of a data set ``s`` with files in ``data``; further lines of the entry, and libraries' files."""

    def inputs(entry: str = "folder: data\n", *, code: str = "0", **files: str) -> Inputs:
        study = tmp_path / "config/datasets/s"
        (tmp_path / "data").mkdir(exist_ok=True)
        (study / "simulation").mkdir(parents=True, exist_ok=True)
        for name in ("genes.tsv", "arms.tsv"):
            (study / "simulation" / name).write_text("gene\n")
        for name in files.values():
            (tmp_path / "data" / name).write_text(name)
        (study / "dataset.yaml").write_text(ENTRY + entry)
        (study / "samples.tsv").write_text(SHEET.format(**{"A": "A.csv", "B": "B.csv", "C": "C.csv"} | files))
        schemas = root / "workflow/schemas"
        return Inputs.of(load_dataset(Path("config/datasets/s"), schemas), code)

    return inputs


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def local(make: Make) -> Inputs:
    return make(A="A.csv", B="B.csv", C="C.csv")


@pytest.fixture
def simulated(make: Make) -> Inputs:
    return make("simulation:\n  parameters: simulation\n  cells_per_library: 20\n")


@pytest.fixture
def fetched(make: Make) -> Inputs:
    files = "".join(f"    - name: {name}.csv\n      url: https://example.org/{name}.csv\n" for name in "ABC")
    return make(f"download:\n  files:\n{files}")


@pytest.fixture
def shared(make: Make, tmp_path: Path) -> Inputs:
    """A and C in one file, B in another, which is taken apart too; a table tells the cells apart."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data/cells.tsv").write_text("barcode\tlibrary\n")
    return make(SPLIT, A="all.csv", B="b.csv", C="all.csv")


def test_a_simulated_data_set(simulated: Inputs) -> None:
    assert simulated.counts("A") == ["resources/s/simulated"]
    assert simulated.own_counts("A") == ["resources/s/simulated"]
    assert simulated.reading("A") == {
        "format": "auto",
        "genome": "",
        "layer": "",
        "path": "resources/s/simulated/A.csv",
    }
    assert simulated.parameters() == "config/datasets/s/simulation"
    assert simulated.parameter_tables() == [f"config/datasets/s/simulation/{name}.tsv" for name in ("arms", "genes")]
    assert simulated.truth() == ["resources/s/simulated"]
    assert simulated.sources() == simulated.readings() == []
    assert simulated.seen(["config/datasets/s/samples.tsv"]) == ""
    assert simulated.costs()[:2] == ["resources/s/costs/simulate.json", "results/s/costs/library.A.json"]


def test_a_data_set_in_a_folder(local: Inputs) -> None:
    assert local.counts("A") == local.own_counts("A") == ["data/A.csv"]
    assert local.reading("B") == {"format": "auto", "genome": "", "layer": "", "path": "data/B.csv"}
    assert local.library_reads("B") == [Path("data/B.csv")]
    assert local.merged_reads() == [Path("results/s/intermediate/clustered.h5ad")]
    assert local.sources() == ["data/A.csv", "data/B.csv"]
    assert local.readings() == [(f"data/{name}.csv", f"results/s/libraries/{name}/library.json") for name in "AB"]
    assert local.truth() == local.early_steps() == []
    assert local.recipes == local.batches == {}


def test_a_library_that_is_left_out_has_no_files_and_no_costs(local: Inputs) -> None:
    assert list(local.libraries) == ["A", "B"]
    assert local.per_library("cells.parquet") == [f"results/s/libraries/{name}/cells.parquet" for name in "AB"]
    late = ("library.A", "library.B", "myeloid", "embedding", "recovery", "timeline", "summary")
    assert local.costs() == [f"results/s/costs/{step}.json" for step in late]
    assert [row["library"] for row in local.sheet()] == ["A", "B", "C"]


def test_a_users_own_file_is_seen_to_change(local: Inputs, tmp_path: Path) -> None:
    before = local.seen(local.counts("A"))
    (tmp_path / "data/A.csv").write_text("other")
    assert before != local.seen(local.counts("A"))


def test_a_fetched_data_set_reads_its_files_and_depends_on_their_tables(fetched: Inputs) -> None:
    assert fetched.counts("B") == ["resources/s/fetched/B.csv.tsv"]
    assert fetched.reading("B")["path"] == "resources/s/files/B.csv"
    assert fetched.sources() == [f"resources/s/fetched/{name}.csv.tsv" for name in "AB"]
    assert fetched.seen(fetched.counts("B")) == ""
    assert fetched.download("C.csv").url == "https://example.org/C.csv"
    # what was made of a file is known when the file is there
    assert fetched.readings() == []
    (Path("resources/s/files")).mkdir(parents=True)
    Path("resources/s/files/B.csv").write_text("x")
    assert fetched.readings() == [("resources/s/files/B.csv", "results/s/libraries/B/library.json")]


def test_a_fetched_file_that_is_lost_is_forgotten(fetched: Inputs) -> None:
    table = fetched_path("s", "A.csv")
    write_fetched([("A.csv", 1, "0" * 64)], table)
    assert forget_lost_files([fetched.dataset]) == [
        "resources/s/files: some of A.csv is gone or changed; it is fetched again when it is needed"
    ]
    assert not table.exists()
    assert forget_lost_files([fetched.dataset]) == []


def test_libraries_of_shared_files_come_from_one_pass(shared: Inputs) -> None:
    (batch,) = shared.batches
    folder = f"resources/s/split/{batch}"
    assert shared.counts("A") == shared.counts("B") == [folder]
    assert shared.own_counts("A") == []
    assert shared.reading("A") == {"path": f"{folder}/A.h5ad", "format": "h5ad"}
    assert shared.splits == Path("resources/s/split")
    assert shared.early_steps() == [f"split.{batch}"]
    assert shared.costs()[0] == f"resources/s/costs/split.{batch}.json"
    assert shared.readings() == [("data/all.csv", folder), ("data/b.csv", folder)]


def test_a_pass_reads_the_shared_files_and_the_table_of_their_cells(shared: Inputs) -> None:
    (batch,) = shared.batches
    # the one that is left out too, so that it can come back
    assert set(shared.batch_recipes(batch)) == {"A", "B", "C"}
    assert shared.batch_recipes(batch)["C"] == {
        "file": "all.csv",
        "key": "C",
        "format": "auto",
        "genome": "",
        "layer": "",
        "split": {"column": "library", "metadata": "cells.tsv"},
        "organism": "mouse",
        "code": "0",
    }
    assert shared.shared_counts(batch) == ["data/all.csv", "data/b.csv", "data/cells.tsv"]
    assert shared.shared_reads(batch) == [Path("data/all.csv"), Path("data/b.csv")]


def test_a_pass_that_was_made_is_used_as_long_as_the_code_is_the_same(shared: Inputs, make: Make) -> None:
    earlier = {name: shared.recipes[name] for name in "AC"}
    name = batch_name(earlier)
    (shared.splits / name).mkdir(parents=True)
    write_record(earlier, shared.splits / name)
    again = make(SPLIT, A="all.csv", B="b.csv", C="all.csv")
    assert again.split_folder("A") == shared.splits / name
    assert again.split_folder("B") != shared.splits / name
    assert again.shared_reads(name) == [Path("data/all.csv")]
    assert again.early_steps()[0] == f"split.{name}"
    assert len(again.early_steps()) == 2
    other = make(SPLIT, code="1", A="all.csv", B="b.csv", C="all.csv")
    assert other.split_folder("A") != shared.splits / name


def test_results_and_resources_may_lie_elsewhere(simulated: Inputs) -> None:
    there = Inputs(simulated.dataset, {}, {}, Path("/elsewhere"))
    assert there.counts("A") == ["/elsewhere/resources/s/simulated"]
    assert there.per_library("x")[0] == "/elsewhere/results/s/libraries/A/x"


def test_a_library_is_told_no_day(local: Inputs) -> None:
    assert local.library_facts("B") == {
        "organism": "mouse",
        "injury_class": "peripheral_nerve",
        "assay": "cells",
        "droplets": "auto",
        "library": "B",
        "sex": "male",
        "sort": "none",
    }
    assert local.behaviour() == []
