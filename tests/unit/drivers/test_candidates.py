"""Candidates with what speaks for and against each."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recovery_microglia.core.errors import InputError
from recovery_microglia.drivers.candidates import (
    candidates,
    encoded_by,
    load_compounds,
    load_knowledge,
    truth_table,
)

MODULATORS = pd.DataFrame([
    {"modulator": "IL-4", "gene": "Il4", "kind": "cytokine", "effect": "up", "sentence": "Raises them.", "source": "doi:1"},
])  # fmt: skip
COMPOUNDS = pd.DataFrame([
    {"compound": "Blocker", "target": "Bmp4", "effect": "inhibits", "source": "PMID:1"},
    {"compound": "Unrelated", "target": "Nothing", "effect": "activates", "source": "PMID:2"},
])  # fmt: skip
ENCODING = {"MCSF": ["Csf1"]}


def _signal(ligand: str, **known: object) -> dict[str, object]:
    usual = {
        "day": 14.0, "sender": "astrocyte", "ligand": ligand, "receptor": "Rec", "magnitude_rank": 0.001, "n_animals": 4,
        "animals_agree": 4, "animals_first": 4, "specificity_rank": 0.001, "ligand_change": 1.0, "ligand_p": 0.01, "status": "tested",
    }  # fmt: skip
    return {**usual, **known}


def _activity(source: str, **known: object) -> dict[str, object]:
    usual = {
        "contrast": "state", "resource": "made", "kind": "signal", "source": source, "ulm": 4.0, "ulm_q": 0.001, "mlm": 5.0,
        "mlm_q": 0.001, "agree": True, "ulm_without": 3.0, "n_animals": 5, "animals_same": 5, "animals_mean": 3.0,
        "animals_q": 0.01,
    }  # fmt: skip
    return {**usual, **known}


def _table(**known: pd.DataFrame) -> pd.DataFrame:
    usual = {
        "genes": pd.DataFrame(), "modulators": MODULATORS, "compounds": COMPOUNDS[:0], "encoding": ENCODING,
        "activities": pd.DataFrame([
            _activity("Bmp4"),
            _activity("Decoy", agree=False, ulm=0.1, ulm_q=0.9, mlm=0.2, mlm_q=0.9),
            _activity("MCSF", kind="cytokine", resource="cytosig"),
        ]),
        "signals": pd.DataFrame([
            _signal("Bmp4"), _signal("Decoy", sender="neuron"), _signal("Few", animals_agree=1, animals_first=1),
            _signal("Weak", magnitude_rank=0.5, specificity_rank=0.5), _signal("Specific", magnitude_rank=0.5, animals_agree=0),
        ]),
    }  # fmt: skip
    return candidates(**{**usual, **known}).set_index("candidate")


def test_a_signal_with_targets_goes_before_a_ligand_that_only_rises() -> None:
    table = _table()
    assert table.index[0] == "Bmp4"
    assert "by both methods" in table.loc["Bmp4", "speaks_for"]
    assert table.loc["Bmp4", "evidence_against"] == 0
    assert table.loc["Decoy", "speaks_against"] == "targets (made) do not differ in recovery cells"
    assert table.loc["Bmp4", "evidence_for"] > table.loc["Decoy", "evidence_for"]
    assert table.loc["Bmp4", "animals"] == 4, "the fewest of its lines"
    assert "Few" not in table.index, "one of four animals agrees"
    assert "Weak" not in table.index
    assert "specific" in table.loc["Specific", "speaks_for"]


def test_what_is_known_is_listed_though_nothing_speaks_for_it_here() -> None:
    table = _table()
    assert table.loc["Il4", "known"] == "up: Raises them."
    assert table.loc["Il4", "source"] == "doi:1"
    assert table.loc["Il4", ["evidence_for", "evidence_against"]].tolist() == [0, 0]


def test_a_signature_is_found_under_the_gene_that_encodes_it() -> None:
    assert _table().loc["Csf1", "kind"] == "cytokine"


def test_targets_that_fall_speak_against_a_cytokine() -> None:
    fallen = pd.DataFrame([_activity("MCSF", kind="cytokine", ulm=-4.0, mlm=-5.0, ulm_without=-3.0, animals_mean=-3.0)])
    row = _table(activities=fallen).loc["Csf1"]
    assert "lower in recovery cells" in row["speaks_against"]


def test_an_activity_that_hangs_on_genes_of_the_call_is_told() -> None:
    row = _table(activities=pd.DataFrame([_activity("Bmp4", ulm_without=-0.2)])).loc["Bmp4"]
    assert "not without the genes of the call" in row["speaks_against"]


def test_a_users_compound_takes_the_evidence_of_its_target() -> None:
    table = _table(compounds=COMPOUNDS)
    assert table.loc["Blocker", "kind"] == "compound"
    assert table.loc["Blocker", "direction"] == "down", "it inhibits what rises"
    assert "Unrelated" not in table.index


def test_a_table_of_compounds_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "compounds.tsv"
    assert load_compounds([]).empty
    path.write_text("compound\ttarget\teffect\tsource\nX\tBmp4\thelps\tPMID:1\n")
    with pytest.raises(InputError, match="effect 'helps' is not one of activates, inhibits"):
        load_compounds([path])
    path.write_text("compound\ttarget\nX\tBmp4\n")
    with pytest.raises(InputError, match="column effect, source is missing"):
        load_compounds([path])


def test_truth_says_whether_signal_and_decoy_were_told_apart() -> None:
    true = pd.DataFrame([
        {"ligand": "Bmp4", "receptor": "Rec", "cell_type": "astrocyte", "follows": "recovery"},
        {"ligand": "Decoy", "receptor": "Rec", "cell_type": "neuron", "follows": "injury"},
    ])  # fmt: skip
    signals = pd.DataFrame([_signal("Bmp4"), _signal("Decoy", sender="neuron")])
    activities = pd.DataFrame([_activity("Bmp4"), _activity("Decoy", agree=False)])
    table = truth_table(true, _table().reset_index(), signals, activities).set_index("ligand")
    assert table["told_apart"].tolist() == [True, True]
    assert table["targets_rise"].tolist() == [True, False]
    wrong = truth_table(true, _table().reset_index(), signals, pd.DataFrame([_activity("Bmp4"), _activity("Decoy")]))
    assert wrong["told_apart"].tolist() == [True, False], "a decoy whose targets rise is not told apart"
    assert truth_table(pd.DataFrame(), _table().reset_index(), signals, activities).empty


def test_every_modulator_that_ships_has_a_source(root: Path) -> None:
    table = load_knowledge(root / "config/knowledge/modulators.tsv")
    assert table["source"].str.match(r"(PMID:\d+|doi:10\.\d+/\S+)$").all()
    assert set(table["effect"]) == {"up", "down"}
    assert {"Il4", "Csf1", "Il34", "Ccl2", "Bhlhe40", "Bhlhe41", "Nr1h2", "Irf1"} <= set(table["gene"])
    names = encoded_by(load_knowledge(root / "config/knowledge/cytokines.tsv"), {"IL4": "Il4"})
    assert names["IL4"] == ["Il4"]
    assert names["MCSF"] == ["Csf1"]
    assert np.all([len(genes) for genes in names.values()])
