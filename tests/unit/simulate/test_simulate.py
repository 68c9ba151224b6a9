"""The demo's data and its truth: what is drawn is what the tables say."""

import gzip
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.io import mmread

import recovery_microglia.simulate
from made_up.one_library import demo_library, parameters
from recovery_microglia.core.errors import InputError
from recovery_microglia.simulate.libraries import SEX_GENES, add_signals, profiles, simulate, simulate_library
from recovery_microglia.simulate.parameters import load_parameters, load_signals
from recovery_microglia.summary.truth import compare

FOLDER = Path("config/datasets/demo/simulation")
LIBRARY = {"library": "D35_1", "condition": "injured", "day": 35, "sex": "female", "batch": "A"}


@pytest.fixture
def sheet(root: Path) -> pd.DataFrame:
    return pd.read_csv(root / "config/datasets/demo/samples.tsv", sep="\t", keep_default_na=False)


def test_the_demo_covers_the_design_that_it_promises(sheet: pd.DataFrame) -> None:
    animals = sheet.groupby(["day", "condition"])["subject"].nunique()
    assert set(animals.index) == {(0, "naive"), (14, "sham"), *((day, "injured") for day in (1, 3, 7, 14, 21, 35))}
    assert (animals == 3).all()
    assert set(sheet["sex"]) == {"female", "male"}
    assert sheet.groupby("batch")["day"].nunique().min() > 3  # batches are spread over the days
    tables = parameters()
    assert len(tables.genes) >= 2000
    assert tables.composition.query("cell_type == 'microglia'")["share"].between(0.15, 0.35).all()


def test_cell_types_and_depths_are_those_of_the_tables() -> None:
    counts, truth = simulate_library(parameters(), LIBRARY, n_cells=4000, seed=3)
    table = parameters().composition.query("condition == 'injured' and day == 35").set_index("cell_type")["share"]
    found = truth["cell_type"].value_counts(normalize=True).reindex(table.index, fill_value=0)
    # 4,000 cells: a share of .3 has a standard error of .007
    np.testing.assert_allclose(found, table / table.sum(), atol=0.03)
    facts = parameters().libraries.set_index("library").loc["D35_1"]
    assert truth["doublet"].mean() == pytest.approx(facts["doublets"], abs=0.013)
    single = ~truth["doublet"] & ~truth["low_quality"] & (truth["cell_type"] == "microglia")
    median = parameters().cell_types.set_index("cell_type").loc["microglia", "median_umis"] * facts["depth"]
    total = np.asarray(counts.X.sum(axis=1)).ravel()
    # about 900 cells with an SD of the logarithm near .4: the median is known to about 2 %
    assert np.median(total[single]) == pytest.approx(median, rel=0.08)


def test_recovery_is_a_gradient_whose_share_follows_the_table() -> None:
    states = parameters().states.query("condition == 'injured' and state == 'recovery'").set_index("day")["share"]
    assert states[[1, 3]].max() < 0.1 < states[[21, 35]].min()
    levels = []
    for seed in range(8):
        _, truth = simulate_library(parameters(), LIBRARY, n_cells=1500, seed=seed)
        levels.append(truth.loc[truth["cell_type"] == "microglia", "recovery_level"].to_numpy())
    level = np.concatenate(levels)
    # eight animals with a logit SD of .25 around .3: their mean is known to about .02; one in six of beta(5, 2)
    # lies below .5, and a few on their way lie above
    assert (level >= 0.5).mean() == pytest.approx(states[35] * 0.9, abs=0.06)
    assert 0.1 < ((level > 0.25) & (level < 0.75)).mean() < 0.4  # half-way cells are common: no switch


def test_signature_genes_rise_with_the_level_except_those_that_must_not() -> None:
    counts, truth = simulate_library(parameters(), LIBRARY, n_cells=6000, seed=5)
    microglia = (truth["cell_type"] == "microglia") & ~truth["doublet"] & ~truth["low_quality"]
    dense = pd.DataFrame(counts.X.toarray(), columns=counts.var_names)
    share = dense.div(dense.sum(axis=1), axis=0)
    high, low = share[microglia & (truth["recovery_level"] > 0.8)], share[microglia & (truth["recovery_level"] < 0.1)]
    programme = parameters().programmes.query("programme == 'recovery'").set_index("gene")["log2_fold_change"]
    for gene in ("Igf1", "Itgax", "Spp1", "Lpl"):
        assert high[gene].mean() > 1.5 * low[gene].mean(), gene
    for gene in ("Cadm1", "Ank"):  # in the signature, but silent here on purpose
        assert programme.get(gene, 0.0) == 0
    assert (dense.loc[microglia & (truth["recovery_level"] > 0.8), "Itgax"] > 0).mean() < 0.3  # as at 10x depth


def test_sex_genes_tell_the_sex() -> None:
    for sex, genes in SEX_GENES.items():
        counts, _ = simulate_library(parameters(), LIBRARY | {"sex": sex}, n_cells=200, seed=1)
        sums = pd.Series(np.asarray(counts.X.sum(axis=0)).ravel(), index=counts.var_names)
        other = SEX_GENES["male" if sex == "female" else "female"]
        assert all(sums[g] > 20 for g in genes)
        assert sums[list(other)].sum() < 0.1 * sums[list(genes)].sum()


def test_more_ambient_rna_brings_foreign_markers_into_every_cell() -> None:
    def leaked(ambient: float) -> float:
        tables = parameters()
        libraries = tables.libraries.assign(ambient=ambient)
        counts, truth = simulate_library(replace(tables, libraries=libraries), LIBRARY, n_cells=800, seed=2)
        own = (truth["cell_type"] == "microglia") & ~truth["doublet"]
        myelin = counts.X[own.to_numpy()][:, counts.var_names.isin(["Plp1", "Mbp", "Mobp"])].sum()
        return float(myelin / counts.X[own.to_numpy()].sum())

    assert leaked(0.2) > 5 * leaked(0.01)


def test_states_are_blended_and_genes_burst_where_the_settings_say_so() -> None:
    tables = parameters()
    plain, before = simulate_library(tables, LIBRARY, n_cells=1500, seed=4)
    far = before["recovery"] & (before["recovery_level"] >= 0.5)
    assert set(before.loc[far, "state"]) <= {"recovery", "cycling"}
    blended = replace(tables, settings={**tables.settings, "states_exclude": 0})
    _, after = simulate_library(blended, LIBRARY, n_cells=1500, seed=4)
    np.testing.assert_array_equal(after["recovery_level"], before["recovery_level"])
    assert {"interferon", "migrating", "homeostatic"} <= set(after.loc[far, "state"])
    bursting = replace(tables, settings={**tables.settings, "burst_share": 0.003})
    struck, _ = simulate_library(bursting, LIBRARY, n_cells=1500, seed=4)
    more = (struck.X - plain.X).tocoo()  # the same draws otherwise
    assert more.data.min() == 5
    assert more.data.max() == 15
    # 1500 cells x 2600 genes x .003 = 11,700: four standard errors are 430
    assert more.nnz == pytest.approx(0.003 * np.prod(plain.shape), abs=430)


def test_the_same_seed_gives_the_same_bytes_and_a_library_does_not_depend_on_the_others(
    root: Path, sheet: pd.DataFrame, tmp_path: Path
) -> None:
    both, one = sheet[sheet["library"].isin(["N1", "D07_2"])], sheet[sheet["library"] == "D07_2"]
    for name, rows in (("both", both), ("again", both), ("one", one)):
        (tmp_path / name).mkdir()
        simulate(root / FOLDER, rows, tmp_path / name, cells_per_library=60, seed=7)
    files = sorted(p.relative_to(tmp_path / "both") for p in (tmp_path / "both").rglob("*.gz"))
    assert len(files) == 7
    for file in files:
        assert (tmp_path / "both" / file).read_bytes() == (tmp_path / "again" / file).read_bytes()
    for file in (f for f in files if "D07_2" in f.parts):
        assert (tmp_path / "both" / file).read_bytes() == (tmp_path / "one" / file).read_bytes()


def test_what_is_written_is_the_layout_of_cell_ranger_3_with_the_truth_beside(
    root: Path, sheet: pd.DataFrame, tmp_path: Path
) -> None:
    row = sheet[sheet["library"] == "N1"]
    simulate(root / FOLDER, row, tmp_path, cells_per_library=50, seed=1)
    library = row.iloc[0].to_dict()
    counts, truth = simulate_library(parameters(), library, n_cells=50, seed=1)
    add_signals(counts, truth, parameters(), *load_signals(root / FOLDER), library, seed=1)
    matrix = mmread(tmp_path / "N1/matrix.mtx.gz", spmatrix=True)
    assert (matrix.T != counts.X).nnz == 0
    with gzip.open(tmp_path / "N1/features.tsv.gz", "rt") as stream:
        first = stream.readline().rstrip("\n").split("\t")
    assert first == [counts.var["id"].iloc[0], counts.var_names[0], "Gene Expression"]
    written = pd.read_csv(tmp_path / "truth_cells.tsv.gz", sep="\t", keep_default_na=False)
    assert written["barcode"].tolist() == truth["barcode"].tolist()
    days = pd.read_csv(tmp_path / "truth_days.tsv", sep="\t")
    own = truth[(truth["cell_type"] == "microglia") & ~truth["doublet"] & ~truth["low_quality"]]
    assert days["recovery_fraction"][0] == pytest.approx(own["recovery"].mean(), rel=1e-5)


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("markers.tsv", "\tMbp\t", "\tMbpp\t", "gene Mbpp is not in genes.tsv"),
        ("composition.tsv", "microglia\t0.2", "microglia\t0.9", "add up to"),
        ("composition.tsv", "\tmicroglia\t", "\tmicrogla\t", "cell type microgla is not in cell_types.tsv"),
        ("states.tsv", "state\tshare", "state\tshre", "column share is missing"),
    ],
)
def test_a_mistake_in_a_table_is_named(root: Path, tmp_path: Path, file: str, old: str, new: str, words: str) -> None:
    shutil.copytree(root / FOLDER, tmp_path / "s")
    text = (tmp_path / "s" / file).read_text()
    assert old in text
    (tmp_path / "s" / file).write_text(text.replace(old, new))
    with pytest.raises(InputError, match=words):
        load_parameters(tmp_path / "s")


def test_profiles_add_what_the_tables_say() -> None:
    shape, tables = profiles(parameters()), parameters()
    row = tables.markers.iloc[0]
    base = tables.genes.set_index("gene").loc[row["gene"], "umis_per_10k"]
    own = tables.markers[(tables.markers["cell_type"] == row["cell_type"]) & (tables.markers["gene"] == row["gene"])]
    found = shape.log2_types[shape.types.index(row["cell_type"]), tables.genes["gene"].tolist().index(row["gene"])]
    assert found == pytest.approx(np.log2(base) + own["log2_fold_change"].sum())


# ---------------------------------------------------------------- called against true


def test_called_against_true_by_hand() -> None:
    truth = pd.DataFrame({
        "library": "L", "barcode": list("abcdefgh"),
        "cell_type": ["microglia"] * 6 + ["neuron", "microglia"],
        "recovery": [True, True, True, False, False, False, False, False],
        "doublet": [False] * 7 + [True], "low_quality": False,
    })  # fmt: skip
    cells = truth[["library", "barcode"]].assign(
        removed_by=["", "", "low_counts", "", "", "", "", "doublet"],
        lineage=["microglia", "microglia", "microglia", "microglia", "microglia", "neuron", "microglia", "microglia"],
    )
    calls = pd.DataFrame({"library": "L", "barcode": list("abdeg")})
    calls["recovery_call"] = pd.array([True, False, True, False, True], dtype="boolean")
    calls["recovery_probability"] = [0.9, 0.4, 0.8, 0.1, 0.8]
    sheet = pd.DataFrame({"library": ["L"], "subject": ["s"], "day": [0.0], "condition": ["naive"]})
    table, found = compare(calls, cells, truth, sheet)
    assert found["precision"] == pytest.approx(1 / 3)  # a is right; d and g (a neuron) are not
    assert found["recall"] == pytest.approx(1 / 2)  # a and b were judged, a was called
    assert found["f1"] == pytest.approx(2 * 1 / (3 + 2))
    assert found["lineage_precision"] == pytest.approx(4 / 5)
    assert found["lineage_recall"] == pytest.approx(4 / 5)  # f was called a neuron
    assert (found["doublets_removed"], found["good_cells_removed"]) == (1.0, pytest.approx(1 / 7))
    row = table.iloc[0]
    assert (row["microglia_true"], row["microglia_called"], row["n"]) == (6, 5, 5)
    assert row["true_fraction"] == pytest.approx(3 / 6)
    assert row["called_fraction"] == pytest.approx(3 / 5)
    assert row["mixture"] == pytest.approx(0.6)


def test_a_metric_without_a_denominator_is_missing() -> None:
    _, truth = demo_library("N1", 60)
    cells = truth[["library", "barcode"]].assign(removed_by="low_counts", lineage="neuron")
    calls = pd.DataFrame(
        {"library": [], "barcode": [], "recovery_call": pd.array([], dtype="boolean"), "recovery_probability": []}
    )
    sheet = pd.DataFrame({"library": ["N1"], "subject": ["s"], "day": [0.0], "condition": ["naive"]})
    table, found = compare(calls, cells, truth, sheet)
    assert found["precision"] is None
    assert found["f1"] is None
    assert table["called_fraction"].isna().all()


def test_signals_are_added_to_what_was_drawn_and_change_nothing_else(root: Path, tmp_path: Path) -> None:
    own = load_parameters(root / "config/datasets/demo/simulation")
    signals, targets = load_signals(root / "config/datasets/demo/simulation")
    assert load_signals(tmp_path)[0].empty
    library = LIBRARY
    plain, truth = simulate_library(own, library, n_cells=600, seed=1)
    added = plain.copy()
    add_signals(added, truth, own, signals, targets, library, seed=1)
    more = np.asarray((added.X - plain.X).todense())
    genes = pd.Index(plain.var_names)
    touched = set(genes[more.sum(axis=0) > 0])
    true_targets = set(targets.loc[targets["source"] == "Bmp4", "target"])
    assert touched == {"Bmp4", "Adcyap1", *true_targets}, "the targets of the decoy do not move"
    kind = truth["cell_type"].to_numpy()
    assert set(kind[more[:, genes.get_loc("Bmp4")] > 0]) == {"astrocyte"}
    assert set(kind[more[:, genes.get_loc("Adcyap1")] > 0]) == {"neuron"}
    extra = more[:, genes.get_indexer(sorted(true_targets))].sum(axis=1)
    recovery = truth["recovery"].to_numpy(bool)
    assert extra[recovery].mean() > 5 * extra[(kind == "microglia") & ~recovery].mean()
    # a few counts of two thousand: nothing that a score or a filter would see
    assert more.sum() / plain.X.sum() < 0.002
    early = plain.copy()
    add_signals(early, truth, own, signals, targets, library | {"condition": "naive", "day": 0}, seed=1)
    assert (early.X - plain.X)[:, genes.get_loc("Adcyap1")].sum() == 0, "the decoy rises with injury only"


def test_two_cell_types_that_make_one_ligand_both_do(root: Path) -> None:
    own = load_parameters(root / "config/datasets/demo/simulation")
    signals, targets = load_signals(root / "config/datasets/demo/simulation")
    twice = pd.concat([signals[:1], signals[:1].assign(cell_type="neuron")])
    plain, truth = simulate_library(own, LIBRARY, n_cells=600, seed=1)
    added = plain.copy()
    add_signals(added, truth, own, twice, targets, LIBRARY, seed=1)
    more = np.asarray((added.X - plain.X).todense())[:, list(plain.var_names).index("Bmp4")]
    assert set(truth["cell_type"].to_numpy()[more > 0]) == {"astrocyte", "neuron"}


def test_a_simulation_without_signals_needs_no_recovery_cells(root: Path) -> None:
    own = load_parameters(root / "config/datasets/demo/simulation")
    signals, targets = load_signals(root / "config/datasets/demo/simulation")
    plain, truth = simulate_library(own, LIBRARY, n_cells=60, seed=1)
    without = replace(own, states=own.states[own.states["state"] != "recovery"])
    added = plain.copy()
    add_signals(added, truth, without, signals[:0], targets, LIBRARY, seed=1)
    assert (added.X != plain.X).nnz == 0


def test_what_others_import_from_the_package_is_there() -> None:
    """Scripts outside the project make their small libraries with ``from recovery_microglia.simulate import *``."""
    there: dict[str, object] = {}
    exec("from recovery_microglia.simulate import *", there)  # as those scripts do
    assert there["load_parameters"] is load_parameters
    assert there["simulate_library"] is simulate_library
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        recovery_microglia.simulate.nothing  # type: ignore[attr-defined]  # noqa: B018
