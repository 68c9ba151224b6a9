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
        "arm": "", "day": 14.0, "sender": "astrocyte", "ligand": ligand, "receptor": "Rec", "magnitude_rank": 0.001, "n_animals": 4,
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
    assert table.loc["Decoy", "speaks_against"] == "no difference of targets (made) shown in recovery cells"
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


def test_what_is_known_and_was_looked_for_in_vain_says_so() -> None:
    none = {"agree": False, "ulm": 0.3, "ulm_q": 0.8, "mlm": 0.2, "mlm_q": 0.8}
    row = _table(
        activities=pd.DataFrame([_activity("IL4", kind="cytokine", resource="cytosig", **none)]),
        encoding={"IL4": ["Il4"]},
    ).loc["Il4"]
    assert row["speaks_against"] == "no difference of targets (cytosig) shown in recovery cells"
    assert row["direction"] == "", "an activity that is not shown has no direction"


def test_no_animal_or_one_is_no_evidence() -> None:
    signals = pd.DataFrame([
        _signal("Nowhere", n_animals=0, animals_agree=0, animals_first=0),
        _signal("Once", n_animals=1, animals_agree=1, animals_first=1), _signal("Half", n_animals=2, animals_agree=1),
    ])  # fmt: skip
    table = _table(signals=signals)
    assert "Nowhere" not in table.index, "none of no animals is half of them"
    assert "Once" not in table.index
    assert table.loc["Half", "evidence_for"] == 2


def test_every_pair_of_a_ligand_is_named_with_its_own_days() -> None:
    signals = pd.DataFrame([
        *[_signal("Lig", day=day, receptor="First") for day in (3.0, 7.0, 14.0, 21.0)],
        _signal("Lig", day=7.0, sender="neuron", receptor="Second", magnitude_rank=0.01, specificity_rank=0.01, n_animals=3),
    ])  # fmt: skip
    row = _table(signals=signals).loc["Lig"]
    assert "astrocyte to First (day 3, 7, 14, 21) and neuron to Second (day 7)" in row["speaks_for"]
    assert row["receptor"] == "First, Second", "four days of one pair do not hide another"
    assert row["animals"] == 3
    assert "higher after injury in astrocyte (day 3, 7, 14, 21) and neuron (day 7)" in row["speaks_for"]


def test_a_ligand_that_rises_in_one_sender_and_falls_in_another_has_a_line_for_and_one_against() -> None:
    signals = pd.DataFrame([_signal("Lig"), _signal("Lig", sender="neuron", ligand_change=-1.0)])
    row = _table(signals=signals).loc["Lig"]
    assert "ligand higher after injury in astrocyte (day 14)" in row["speaks_for"]
    assert row["speaks_against"].startswith("ligand lower after injury in neuron (day 14)")


def test_arms_are_rows_of_their_own_and_keep_their_own_activity() -> None:
    activities = pd.DataFrame([
        _activity("MCSF", kind="cytokine", contrast="state cervical"),
        _activity("MCSF", kind="cytokine", contrast="state lumbar", ulm=-3.0, mlm=-2.0, ulm_without=-2.0, animals_mean=-3.0),
        _activity("MCSF", kind="cytokine", contrast="injury lumbar day 7"),
    ])  # fmt: skip
    genes = pd.DataFrame({"contrast": ["state cervical", "state lumbar"], "gene": "Spi1", "q": [0.5, 0.01]})
    genes = genes.assign(made_call=False, log2_fold_change=1.0)
    known = pd.DataFrame([dict.fromkeys(MODULATORS.columns, "x") | {"gene": "Spi1", "kind": "transcription factor"}])
    signals = pd.DataFrame([_signal("Lig", arm="cervical")])
    table = _table(activities=activities, signals=signals, genes=genes, modulators=known).reset_index()
    rows = table.set_index(["arm", "candidate"])
    assert rows.loc[("cervical", "Csf1"), ["activity", "direction"]].tolist() == [5.0, "up"]
    assert rows.loc[("lumbar", "Csf1"), ["activity", "direction"]].tolist() == [-2.0, "down"]
    assert rows.loc[("lumbar", "Csf1"), "evidence_for"] == 0, "what falls in every animal does not speak for a cytokine"
    assert rows.loc[("lumbar", "Spi1"), "speaks_for"] == "its own gene is higher in recovery cells"
    assert rows.loc[("cervical", "Spi1"), "speaks_for"] == ""
    assert list(table.loc[table["candidate"] == "Lig", "arm"]) == ["cervical"]


def test_a_gene_that_is_a_ligand_and_a_factor_is_two_candidates() -> None:
    fallen = {"ulm": -4.0, "mlm": -5.0, "ulm_without": -3.0, "animals_mean": -3.0}
    activities = pd.DataFrame([_activity("Hmgb1", kind="transcription factor", resource="dorothea", **fallen)])
    table = _table(activities=activities, signals=pd.DataFrame([_signal("Hmgb1")])).reset_index()
    rows = table[table["candidate"] == "Hmgb1"].set_index("kind")
    assert np.isnan(rows.loc["ligand", "activity"])
    assert rows.loc["transcription factor", "direction"] == "down"
    assert rows.loc["ligand", "evidence_against"] == 0


def test_two_animals_are_too_few_for_a_test_over_them_and_speak_neither_way() -> None:
    row = _table(activities=pd.DataFrame([_activity("Bmp4", n_animals=2, animals_q=np.nan)])).loc["Bmp4"]
    assert row["evidence_against"] == 0
    assert "over animals" not in row["speaks_for"]


def test_a_method_that_could_not_be_fitted_is_not_one_that_found_nothing() -> None:
    alone = _activity("Bmp4", agree=False, mlm=np.nan, mlm_q=np.nan)
    row = _table(activities=pd.DataFrame([alone])).loc["Bmp4"]
    assert (
        row["speaks_against"] == "targets (made) higher in recovery cells by one method; the other could not be fitted"
    )
    assert row["activity"] == 4.0


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
    assert table.loc["Blocker", "evidence_for"] == table.loc["Bmp4", "evidence_for"]
    assert table.loc["Blocker", "speaks_for"].startswith("inhibits Bmp4, a signal: pair strong")
    assert "Unrelated" not in table.index


def test_a_compound_has_no_direction_where_its_target_has_none_and_keeps_what_speaks_against_it() -> None:
    compound = COMPOUNDS[:1].assign(target="Decoy", effect="activates")
    row = _table(compounds=compound).loc["Blocker"]
    assert row["direction"] == ""
    assert row["speaks_against"] == "activates Decoy, a signal: no difference of targets (made) shown in recovery cells"
    assert row["evidence_against"] == 1


def test_a_table_of_compounds_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "compounds.tsv"
    assert load_compounds([]).empty
    path.write_text("compound\ttarget\teffect\tsource\nX\tBmp4\thelps\tPMID:1\n")
    with pytest.raises(InputError, match="effect 'helps' is not one of activates, inhibits"):
        load_compounds([path])
    path.write_text("# mine\ncompound\ttarget\teffect\tsource\nNo. #7\tBmp4\tinhibits\tsheet #2\n")
    assert load_compounds([path]).loc[0, ["compound", "source"]].tolist() == ["No. #7", "sheet #2"], (
        "a # in a field is text"
    )
    path.write_text("compound\ttarget\nX\tBmp4\n")
    with pytest.raises(InputError, match="column effect, source is missing"):
        load_compounds([path])


def test_truth_says_whether_signal_and_decoy_were_distinguished() -> None:
    true = pd.DataFrame([
        {"ligand": "Bmp4", "receptor": "Rec", "cell_type": "astrocyte", "follows": "recovery"},
        {"ligand": "Decoy", "receptor": "Rec", "cell_type": "neuron", "follows": "injury"},
    ])  # fmt: skip
    signals = pd.DataFrame([_signal("Bmp4"), _signal("Decoy", sender="neuron")])
    activities = pd.DataFrame([_activity("Bmp4"), _activity("Decoy", agree=False)])
    table = truth_table(true, _table().reset_index(), signals, activities).set_index("ligand")
    assert table["as_expected"].tolist() == [True, True]
    assert table["targets_rise"].tolist() == [True, False]
    wrong = truth_table(true, _table().reset_index(), signals, pd.DataFrame([_activity("Bmp4"), _activity("Decoy")]))
    assert wrong["as_expected"].tolist() == [True, False], "a decoy whose targets rise is wrong"
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
