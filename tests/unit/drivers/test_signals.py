"""Ligand-receptor pairs from other cells to recovery cells."""

import numpy as np
import pandas as pd
import pytest

from made_up.bulks import animals
from recovery_microglia.core.frames import read_commented
from recovery_microglia.drivers.pseudobulks import OTHERS, RECOVERY, Pseudobulks
from recovery_microglia.drivers.signals import (
    RECEIVER,
    consensus_pairs,
    corrected_pairs,
    measured_pairs,
    nothing,
    sender_bulks,
    signals,
)

GENES = ["Lig", "Rec", "RecB", "Quiet", *[f"L{k}" for k in range(20)], *[f"R{k}" for k in range(20)]]
PAIRS = pd.DataFrame(
    [("Lig", "Rec_RecB"), ("Quiet", "Rec"), *((f"L{k}", f"R{k}") for k in range(20))], columns=["ligand", "receptor"]
)
NONE = pd.DataFrame(columns=["action", "ligand", "receptor", "instead_ligand", "instead_receptor", "reason"])


def _corrections(root) -> pd.DataFrame:
    return read_commented(root / "config/knowledge/pairs.tsv", text=True)


def test_the_traps_of_the_resource_are_met(root) -> None:
    pairs = consensus_pairs()
    assert len(pairs) > 3000
    used, told = corrected_pairs(pairs, _corrections(root))
    rows = set(used.itertuples(index=False, name=None))
    assert {("Csf1", "Csf1r"), ("Il34", "Csf1r")} <= rows, "a joined ligand is split"
    assert not [pair for pair in rows if pair[0] == "Csf1_Il34" or pair == ("Csf2", "Csf1r")]
    assert ("Csf2", "Csf2ra_Csf2rb") in rows
    assert not [pair for pair in rows if "Smad3" in pair[1].split("_")]
    assert set(told["action"]) == {"split", "drop"}
    assert len(told[told["ligand"] == "Csf1_Il34"]) == 1


def test_a_factor_that_stands_as_a_receptor_is_dropped_whatever_its_ligand(root) -> None:
    pairs = pd.DataFrame({"ligand": ["Tgfb1", "Tgfb1"], "receptor": ["Smad3", "Tgfbr1_Tgfbr2"]})
    used, told = corrected_pairs(pairs, _corrections(root))
    assert list(used["receptor"]) == ["Tgfbr1_Tgfbr2"]
    assert list(told["receptor"]) == ["Smad3"]


def test_pairs_whose_genes_were_not_all_measured_are_listed() -> None:
    used, dropped = measured_pairs(PAIRS, [gene for gene in GENES if gene != "RecB"])
    assert len(used) == len(PAIRS) - 1
    assert dropped.to_dict("records") == [
        {"ligand": "Lig", "receptor": "Rec_RecB", "action": "drop", "reason": "not measured: RecB"}
    ]


def _bulks(n: int = 4, *, seed: int = 1) -> Pseudobulks:
    """Astrocytes of injured animals make *Lig* and recovery cells its receptor; control animals make little of it."""
    rng = np.random.default_rng(seed)
    rows, counts = [], []
    for condition, day in (("naive", 0.0), ("injured", 14.0)):
        for k in range(n):
            kinds = ["astrocyte", "neuron", "microglia", *([RECEIVER] if condition == "injured" else [])]
            for kind in kinds:
                level = np.full(len(GENES), 5.0)
                level[GENES.index("Lig")] = 80.0 if kind == "astrocyte" and condition == "injured" else 4.0
                level[GENES.index("Rec")] = level[GENES.index("RecB")] = 60.0 if kind == RECEIVER else 4.0
                level[GENES.index("Quiet")] = 0
                rows.append({"subject": f"{condition}{k}", "condition": condition, "day": day, "cells_of": kind})
                counts.append(rng.poisson(level * rng.gamma(20, 1 / 20, len(GENES))))
    samples = animals(rows)
    return Pseudobulks(pd.DataFrame(np.array(counts), columns=GENES), samples)


def _sheet(bulks: Pseudobulks, sort: str = "none") -> pd.DataFrame:
    who = bulks.samples.drop_duplicates("subject")
    return who.assign(library=who["subject"], sort=sort, include=True)


def test_a_planted_signal_is_first_with_its_sender_and_its_rise_after_injury() -> None:
    bulks = _bulks()
    found = signals(bulks, _sheet(bulks), NONE, PAIRS)
    first = found.table.iloc[0]
    assert (first["sender"], first["ligand"], first["receptor"]) == ("astrocyte", "Lig", "Rec_RecB")
    assert first["status"] == "tested"
    # first in all three scores of 63 pairs: rank aggregation gives about four times 1 in 63
    assert first["magnitude_rank"] < 0.07
    assert first["n_animals"] == first["animals_agree"] == first["animals_first"] == 4
    # counts of 80 and 4 among 250: log2 with half a count per 10,000 added
    assert first["ligand_change"] == pytest.approx(np.log2(80 / 4), abs=0.8)
    assert first["ligand_p"] < 0.01
    assert first["receptor_log2_ratio"] > 2
    assert "Quiet" not in set(found.table["ligand"]), "a ligand without counts makes no pair"


def test_a_receptor_has_no_ratio_where_no_other_microglia_were_measured() -> None:
    bulks = _bulks()
    alone = bulks.of(bulks.samples["cells_of"] != "microglia")
    table = signals(alone, _sheet(bulks), NONE, PAIRS).table
    assert table["receptor_log2_ratio"].isna().all(), "not 0, which says that there is no difference"
    assert table["receptor_level"].notna().all()


def test_the_level_of_a_complex_is_that_of_its_scarcest_part() -> None:
    bulks = _bulks()
    row = signals(bulks, _sheet(bulks), NONE, PAIRS).table.iloc[0]
    per = bulks.counts.div(bulks.counts.sum(axis=1), axis=0) * 1e4
    inside = per[(bulks.samples["cells_of"] == RECEIVER).to_numpy()]
    assert row["receptor_level"] == pytest.approx(inside[["Rec", "RecB"]].min(axis=1).mean())


def test_sorted_tissue_is_not_testable() -> None:
    bulks = _bulks()
    table = signals(bulks, _sheet(bulks, "CD11b"), NONE, PAIRS).table
    assert list(table["status"]) == ["not_testable"]
    assert "sorted tissue" in table.loc[0, "reason"]


def test_one_animal_is_not_testable() -> None:
    bulks = _bulks(1)
    table = signals(bulks, _sheet(bulks), NONE, PAIRS).table
    assert list(table["status"]) == ["not_testable"]
    assert "2 are needed" in table.loc[0, "reason"]
    assert nothing("no call").table.loc[0, "reason"] == "no call"


def test_libraries_of_an_animal_are_summed_and_few_cells_left_out() -> None:
    sheet = pd.DataFrame({
        "library": ["a", "b"], "subject": "m1", "arm": "", "day": 14.0, "condition": "injured", "sex": "", "chemistry": "",
        "batch": "", "include": True,
    })  # fmt: skip
    lineages = ["astrocyte"] * 12 + ["neuron"] * 3 + ["microglia"]
    cells = pd.concat(
        [pd.DataFrame({"library": name, "lineage": lineages, "removed_by": [""] * 15 + ["doublet"]}) for name in "ab"]
    )
    sums = {
        name: pd.DataFrame({"astrocyte": [5, 1], "neuron": [1, 1], "microglia": [9, 9]}, index=["Lig", "Rec"])
        for name in "ab"
    }
    samples = animals([{"subject": "m1", "cells_of": kind} for kind in (OTHERS, RECOVERY)])
    microglia = Pseudobulks(pd.DataFrame([[1, 2], [3, 4]], columns=["Lig", "Rec"]), samples)
    found = sender_bulks(sums, cells, sheet, microglia)
    assert dict(zip(found.samples["cells_of"], found.samples["cells"], strict=True)) == {
        "microglia": 50, RECEIVER: 50, "astrocyte": 24,
    }  # fmt: skip
    assert found.counts[(found.samples["cells_of"] == "astrocyte").to_numpy()].to_numpy().tolist() == [[10, 2]]
