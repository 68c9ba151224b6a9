"""Which cells are microglia, where it is hard."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from made_up.one_library import demo_library, demo_shapes, draw, signatures
from recovery_microglia.library.lineage import assign_lineage, gate, many_macrophages
from recovery_microglia.library.lineage.evidence import MeasuredCounts
from recovery_microglia.library.lineage.profiles import normalised, scores

COMMON = ("oligodendrocyte", "astrocyte", "neuron", "endothelial")


def tissue(extra: dict[str, tuple[np.ndarray, int]], *, microglia: int = 150, **how) -> tuple[np.ndarray, pd.DataFrame]:
    """A library of the demo's cell types with some kinds of one's own; returns true kinds and the gate's table."""
    genes, types, _ = demo_shapes()
    kinds = {name: (types[name], 80) for name in COMMON} | {"microglia": (types["microglia"], microglia)} | extra
    counts, names = draw(kinds, **how)
    return names, assign_lineage(counts, genes, signatures()).table


def moved(profile: np.ndarray, genes: list[str], factor: float) -> np.ndarray:
    """Return a profile with some genes at ``factor`` times their level."""
    columns = demo_shapes()[0].get_indexer(genes)
    changed = profile.copy()
    changed[columns[columns >= 0]] *= factor
    return changed


def share(table: pd.DataFrame, names: np.ndarray, kind: str, lineage: str) -> float:
    return float((table["lineage"][names == kind] == lineage).mean())


def test_the_demos_cells_are_what_they_were_drawn_as() -> None:
    counts, truth = demo_library("D07_1", 600)
    table = assign_lineage(sp.csr_matrix(counts.X), pd.Index(counts.var_names), signatures()).table
    single = (~truth["doublet"] & ~truth["low_quality"]).to_numpy()
    called, true = table["lineage"].to_numpy()[single], truth["cell_type"].to_numpy()[single]
    microglia = true == "microglia"
    assert (called[microglia] == "microglia").mean() > 0.97
    assert (true[called == "microglia"] == "microglia").mean() > 0.99
    confidence = table["lineage_confidence"][single][called == "microglia"]
    assert confidence.between(0.9, 1).all()


def test_profiles_learnt_from_some_cells_of_each_kind_name_all_cells_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    counts, truth = demo_library("D07_1", 600)
    cells, names = sp.csr_matrix(counts.X), pd.Index(counts.var_names)
    whole = assign_lineage(cells, names, signatures()).table
    monkeypatch.setattr(gate, "ALL_LEARN", 500)
    monkeypatch.setattr(gate, "ENOUGH", 10**9)
    pd.testing.assert_frame_equal(assign_lineage(cells, names, signatures()).table, whole)
    # 40 cells of a kind, where a library of the size that this is for gives a thousand
    monkeypatch.setattr(gate, "ENOUGH", 40)
    some = assign_lineage(cells, names, signatures()).table
    assert not some.equals(whole)
    single = (~truth["doublet"] & ~truth["low_quality"]).to_numpy()
    assert (some["lineage"] == whole["lineage"])[single].mean() > 0.98
    named = single & (whole["lineage"] == "microglia").to_numpy()
    assert (some["lineage"] == "microglia")[named].mean() > 0.98


@pytest.mark.parametrize("state", ["recovery", "acute_inflammatory", "interferon", "cycling"])
def test_microglia_in_any_state_are_microglia(state: str) -> None:
    _, types, programmes = demo_shapes()
    names, table = tissue({state: (types["microglia"] * programmes[state], 60)})
    assert share(table, names, state, "microglia") > 0.95


def test_microglia_that_lost_their_homeostatic_genes_are_still_microglia() -> None:
    _, types, programmes = demo_shapes()
    lost = ["P2ry12", "Tmem119", "Cx3cr1", "P2ry13", "Gpr34", "Selplg", "Sall1", "Siglech"]
    profile = moved(types["microglia"] * programmes["recovery"], lost, 0.1)
    names, table = tissue({"reactive": (profile, 60)})
    assert share(table, names, "reactive", "microglia") > 0.85
    assert share(table, names, "reactive", "infiltrating_macrophage") < 0.02


def test_macrophages_that_gained_the_recovery_genes_are_not_microglia() -> None:
    _, types, _ = demo_shapes()
    gained = ["Igf1", "Spp1", "Gpnmb", "Lpl", "Itgax", "Fabp5", "Cd9"]
    profile = moved(types["infiltrating_macrophage"], gained, 20)
    names, table = tissue({"macrophage": (profile, 100)})
    assert share(table, names, "macrophage", "microglia") < 0.02
    assert share(table, names, "macrophage", "infiltrating_macrophage") > 0.8


def test_dendritic_cells_full_of_itgax_are_not_microglia() -> None:
    _, types, _ = demo_shapes()
    names, table = tissue({"dendritic_cell": (moved(types["dendritic_cell"], ["Itgax"], 30), 60)})
    assert share(table, names, "dendritic_cell", "microglia") < 0.02
    assert share(table, names, "dendritic_cell", "dendritic_cell") > 0.8


def test_border_macrophages_and_neutrophils_keep_their_names() -> None:
    _, types, _ = demo_shapes()
    names, table = tissue({k: (types[k], 50) for k in ("border_macrophage", "neutrophil")})
    for kind in ("border_macrophage", "neutrophil"):
        assert share(table, names, kind, kind) > 0.9
        assert share(table, names, kind, "microglia") < 0.02


def test_a_doublet_of_microglia_and_another_kind_is_ambiguous() -> None:
    _, types, _ = demo_shapes()
    profiles = {k: types[k] / types[k].sum() for k in ("microglia", "oligodendrocyte", "astrocyte")}
    extra = {f"microglia+{k}": (profiles["microglia"] + profiles[k], 40) for k in ("oligodendrocyte", "astrocyte")}
    names, table = tissue(extra, depth=3000)
    for kind in extra:
        assert share(table, names, kind, "microglia") < 0.15
        # an equal part of each; many are given to the other kind with ambient RNA, which does the microglia no harm
        assert share(table, names, kind, "ambiguous") > 0.2
    assert share(table, names, "microglia", "microglia") > 0.97


def test_microglia_full_of_myelin_stay_microglia() -> None:
    genes, types, _ = demo_shapes()
    myelin = np.zeros(len(genes))
    myelin[genes.get_indexer([g for g in ("Plp1", "Mbp", "Mobp") if g in genes])] = 1.0
    # a quarter of their RNA is engulfed
    profile = 0.75 * types["microglia"] / types["microglia"].sum() + 0.25 * myelin / myelin.sum()
    names, table = tissue({"eater": (profile * types["microglia"].sum(), 60)})
    assert share(table, names, "eater", "microglia") > 0.95


def test_heavy_ambient_rna_makes_no_microglia_of_others_and_loses_few() -> None:
    names, table = tissue({}, ambient=0.3)
    assert share(table, names, "microglia", "microglia") > 0.9
    for kind in COMMON:
        assert share(table, names, kind, "microglia") < 0.01


def test_a_library_without_microglia_yields_next_to_none() -> None:
    genes, types, _ = demo_shapes()
    counts, _ = draw({name: (types[name], 150) for name in COMMON})
    found = assign_lineage(counts, genes, signatures()).table
    assert (found["lineage"] == "microglia").mean() < 0.005


def test_sorted_microglia_alone_are_microglia() -> None:
    genes, types, _ = demo_shapes()
    counts, _ = draw({"microglia": (types["microglia"], 300)})
    found = assign_lineage(counts, genes, signatures(), sort="microglia").table
    assert (found["lineage"] == "microglia").mean() > 0.95


def test_shallow_cells_are_doubtful_rather_than_wrong() -> None:
    _, types, _ = demo_shapes()
    names, table = tissue({k: (types[k], 60) for k in ("infiltrating_macrophage", "border_macrophage")}, depth=500)
    for kind in ("infiltrating_macrophage", "border_macrophage"):
        assert share(table, names, kind, "microglia") < 0.05
    unnamed = ["ambiguous", "ambiguous_myeloid", "unassigned"]
    assert (table["lineage_confidence"].notna() | table["lineage"].isin(unnamed)).all()


def test_the_confidence_is_honest_where_genes_go_in_pairs() -> None:
    rng = np.random.default_rng(1)
    # 30 genes tell two lineages apart fourfold, each has a twin that always holds the same count; 2,000 cells of each
    level = rng.uniform(2e-5, 8e-5, 30) * np.where(np.arange(30) % 2, [[4], [1]], [[1], [4]])
    true = np.repeat([0, 1], 2000)
    seen = np.repeat(rng.poisson(1500 * level[true]), 2, axis=1)
    rest = 1500 - seen.sum(axis=1, keepdims=True)
    both = np.repeat(level, 2, axis=1)
    profiles = np.column_stack([both, 1 - both.sum(axis=1)])
    heard = MeasuredCounts(sp.csr_matrix(np.hstack([seen, rest]).astype(np.int32)), np.arange(61))
    chance = normalised(scores(heard, profiles, np.ones(61), np.array([0.5, 0.5])))
    right = (chance.argmax(axis=1) == true).mean()
    # 4,000 cells know their share to .006; taken as independent, pairs would make the cells far too sure
    assert chance.max(axis=1).mean() == pytest.approx(right, abs=0.02)
    assert right < 0.95


def test_a_panel_that_cannot_tell_says_so_and_takes_the_sorts_word() -> None:
    genes, types, _ = demo_shapes()
    few = genes.isin(["Apoe", "Ctsb", "Ctsd", "Cd63", "Actb", "Tyrobp"])
    counts, _ = draw({"microglia": (types["microglia"], 50)})
    plain = assign_lineage(counts[:, few], genes[few], signatures())
    assert plain.method == "none"
    assert set(plain.table["lineage"]) == {"unassigned"}
    assert [(n.code, n.severity) for n in plain.notices] == [("lineage_not_judged", "alarm")]
    told = assign_lineage(counts[:, few], genes[few], signatures(), sort="microglia")
    assert set(told.table["lineage"]) == {"microglia"}
    assert told.table["lineage_confidence"].isna().all()  # nothing was judged
    assert [(n.code, n.severity) for n in told.notices] == [("lineage_from_sort", "warning")]


def test_a_cell_does_not_depend_on_genes_of_the_recovery_signature() -> None:
    genes, types, _ = demo_shapes()
    counts, names = draw({name: (types[name], 60) for name in (*COMMON, "microglia", "infiltrating_macrophage")})
    silent = counts.toarray()
    silent[:, genes.isin(list(set(signatures().recovery.up) - set(signatures().lineages["microglia"].up)))] = 0
    first = assign_lineage(counts, genes, signatures()).table["lineage"]
    second = assign_lineage(sp.csr_matrix(silent), genes, signatures()).table["lineage"]
    # the depth of a cell changes by its few signature counts, and with it a doubtful cell in a thousand
    assert (first == second).mean() > 0.995
    assert len(names) == len(first)


def test_pericytes_with_genes_of_macrophages_are_neither_macrophages_nor_teach_what_one_is() -> None:
    genes, types, _ = demo_shapes()
    pericyte = types["pericyte"].copy()
    # seen in 80 to 90 % of pericytes of 2,000 counts, as in cords of another simulator
    for gene, share_of_rna in (("S100a4", 1.15e-3), ("S100a6", 1.1e-3), ("Fn1", 8e-4)):
        pericyte[genes.get_loc(gene)] = share_of_rna * pericyte.sum()
    names, table = tissue(
        {"pericyte": (pericyte, 250), "infiltrating_macrophage": (types["infiltrating_macrophage"], 60)}
    )
    for lineage in ("infiltrating_macrophage", "monocyte", "border_macrophage", "microglia", "ambiguous_myeloid"):
        assert share(table, names, "pericyte", lineage) == 0
    assert share(table, names, "pericyte", "pericyte") > 0.95
    assert share(table, names, "infiltrating_macrophage", "infiltrating_macrophage") > 0.9
    assert share(table, names, "infiltrating_macrophage", "microglia") == 0


def test_macrophages_that_have_come_to_resemble_microglia_are_not_microglia() -> None:
    genes, types, programmes = demo_shapes()
    reactive = moved(
        types["microglia"] * programmes["recovery"], ["P2ry12", "Tmem119", "Siglech", "Sall1", "Gpr34"], 0.3
    )
    own = [gene for gene in signatures().lineages["infiltrating_macrophage"].up if gene in genes]
    pure = {
        kind: profile / profile.sum() for kind, profile in (("m", types["infiltrating_macrophage"]), ("g", reactive))
    }
    # halfway to a reactive microglia in everything; its own markers keep half of their level
    alike = np.sqrt(pure["m"] * pure["g"])
    columns = genes.get_indexer(own)
    alike[columns] = 0.5 * pure["m"][columns]
    names, table = tissue({"reactive": (reactive, 100), "alike": (alike, 150)})
    assert share(table, names, "alike", "microglia") < 0.03
    assert share(table, names, "reactive", "microglia") > 0.9
    assert share(table, names, "microglia", "microglia") > 0.97


@pytest.mark.parametrize("other", ["infiltrating_macrophage", "border_macrophage"])
def test_most_cells_that_are_half_microglia_half_macrophage_are_not_microglia(other: str) -> None:
    _, types, _ = demo_shapes()
    half = types["microglia"] / types["microglia"].sum() + types[other] / types[other].sum()
    names, table = tissue({"half": (half, 40), other: (types[other], 80)})
    # far from the none that is wanted: .35 of 40 here; without neighbours and markers against it was four fifths
    assert share(table, names, "half", "microglia") < 0.4
    assert share(table, names, other, other) > 0.9


def test_cells_that_failed_quality_control_teach_nothing() -> None:
    genes, types, _ = demo_shapes()
    deep, _ = draw({"microglia": (types["microglia"], 150)}, depth=5000)
    empty, _ = draw({"microglia": (types["microglia"], 240)}, depth=40)
    counts = sp.csr_matrix(sp.vstack([deep, empty]))
    good = np.arange(390) < 150
    with_empty = assign_lineage(counts, genes, signatures(), good=good).table["lineage"][:150]
    alone = assign_lineage(deep, genes, signatures()).table["lineage"]
    assert (with_empty == "microglia").mean() > 0.95
    assert list(with_empty) == list(alone)


@pytest.mark.parametrize("depth", [2_000, 8_000, 25_000])
def test_a_few_cells_of_two_kinds_keep_their_names_at_any_depth(depth: float) -> None:
    genes, types, _ = demo_shapes()
    counts, names = draw({kind: (types[kind], 15) for kind in ("oligodendrocyte", "neuron")}, depth=depth)
    found = assign_lineage(counts, genes, signatures()).table["lineage"].to_numpy()
    assert (found == names).mean() >= 0.9


def test_bulk_profiles_are_named_and_told() -> None:
    genes, types, _ = demo_shapes()
    counts, _ = draw({"microglia": (types["microglia"], 12)}, depth=3e6)
    found = assign_lineage(counts, genes, signatures())
    assert (found.table["lineage"] == "microglia").mean() > 0.9
    assert "bulk_profiles" in [notice.code for notice in found.notices]
    single, _ = draw({"microglia": (types["microglia"], 12)})
    assert "bulk_profiles" not in [notice.code for notice in assign_lineage(single, genes, signatures()).notices]


def test_a_library_of_one_kind_is_told() -> None:
    genes, types, _ = demo_shapes()
    counts, _ = draw({"microglia": (types["microglia"], 200)})
    assert "one_lineage" in [notice.code for notice in assign_lineage(counts, genes, signatures()).notices]
    two, _ = draw({"microglia": (types["microglia"], 100), "neuron": (types["neuron"], 100)})
    assert "one_lineage" not in [notice.code for notice in assign_lineage(two, genes, signatures()).notices]


@pytest.mark.parametrize(
    ("macrophages", "injury_class", "alarm"),
    [(40, "peripheral_nerve", True), (10, "peripheral_nerve", False), (40, "spinal_cord", False)],
)
def test_many_macrophages_alarm_after_a_nerve_injury_only(macrophages: int, injury_class: str, alarm: bool) -> None:
    table = pd.DataFrame({"lineage": ["microglia"] * 160 + ["infiltrating_macrophage"] * macrophages})
    found = many_macrophages(table, injury_class=injury_class)
    assert (found is not None) == alarm
    if found:
        assert (found.code, found.severity) == ("many_macrophages", "alarm")
        assert "40 of 200" in found.text
