"""Which microglia are recovery cells."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from made_up.sheet import sheet
from recovery_microglia.core.genes import Signatures, load_signatures
from recovery_microglia.recovery import gene_weights, scores
from recovery_microglia.recovery.call import RecoveryResult, call_recovery
from recovery_microglia.recovery.clusters import agreement, recovery_clusters
from recovery_microglia.recovery.settings import RecoverySettings
from recovery_microglia.recovery.signature import coverage

PER_LIBRARY = 120
SETTINGS = RecoverySettings(n_null_sets=200)
DESIGN = [(0, "naive", 4), (14, "injured", 4)]


@pytest.fixture(scope="module")
def signatures(root) -> Signatures:
    return load_signatures(root / "config/signatures")


def simulate(
    signatures: Signatures,
    *,
    share: float = 0.0,
    programme: tuple[str, ...] | None = None,
    design: list = DESIGN,
    drop: tuple[str, ...] = (),
    depth: float = 1.0,
    seed: int = 1,
) -> tuple[ad.AnnData, np.ndarray]:
    """Microglia with 1,200 genes; ``share`` of the injured ones raise ``programme`` eightfold. Returns also which."""
    rng = np.random.default_rng(seed)
    samples = sheet(design)
    up = signatures.recovery.up
    states = sorted({g for s in signatures.states.values() for g in s.up} - set(up))
    genes = [*up, *states, *(f"Other{i}" for i in range(1200 - len(up) - len(states)))]
    # signature genes are seen in 2 to 40 % of the cells, as at the depth of 10x
    level = np.concatenate([np.geomspace(0.02, 0.5, len(up)), rng.gamma(0.6, 0.8, len(genes) - len(up))])
    obs = samples.loc[samples.index.repeat(PER_LIBRARY)].reset_index(drop=True)
    injured = (obs["condition"] == "injured").to_numpy()
    turned = injured & (rng.random(len(obs)) < share)
    mean = np.tile(level, (len(obs), 1)) * rng.lognormal(0, 0.25, (len(obs), 1))
    mean[injured] *= depth
    raised = np.isin(genes, up if programme is None else programme)
    mean[np.ix_(turned, raised)] *= 8
    X = sp.csr_matrix(rng.poisson(mean).astype(np.float32))
    obs.index = [f"{lib}:c{i}" for i, lib in enumerate(obs["library"])]
    obs["n_counts"] = np.asarray(X.sum(axis=1)).ravel()
    obs["lineage"], obs["lineage_confidence"], obs["leiden"] = "microglia", 1.0, "0"
    var = pd.DataFrame({"n_libraries": samples["library"].nunique()}, index=pd.Index(genes))
    adata = ad.AnnData(X, obs=obs, var=var)
    return adata[:, ~adata.var_names.isin(drop)].copy(), turned


def called(result: RecoveryResult) -> np.ndarray:
    return result.cells["recovery_call"].fillna(False).to_numpy(bool)


def codes(result: RecoveryResult) -> set[str]:
    return {notice["code"] for notice in result.report["notices"]}


def test_recovery_cells_are_found_and_controls_stay_quiet(signatures: Signatures) -> None:
    adata, truth = simulate(signatures, share=0.2)
    result = call_recovery(adata, signatures, SETTINGS)
    hits = called(result)
    control = (adata.obs["condition"] == "naive").to_numpy()
    assert result.report["status"] == "tested"
    assert hits[control].mean() <= 0.01
    assert hits[truth].mean() > 0.6
    # 384 injured cells that did not turn: 1 % pass, and 3 % is four standard errors above
    assert hits[~truth & ~control].mean() < 0.03
    assert result.report["n_recovery"] == hits.sum()
    found = result.tables["null"].set_index("subject")
    injured = found[found["condition"] == "injured"]
    assert (injured["p_empirical"] == 1 / 201).all()
    assert (found.loc[found["condition"] == "naive", "p_empirical"] > 0.02).all()


def test_in_the_null_next_to_no_cell_is_called(signatures: Signatures) -> None:
    rates = []
    for seed in range(6):
        adata, _ = simulate(signatures, seed=seed)
        hits = called(call_recovery(adata, signatures, RecoverySettings(n_null_sets=1), seed=seed))
        rates.append(hits[(adata.obs["condition"] == "injured").to_numpy()].mean())
    # the controls' quantile alone would call one in a hundred; of these cells less than half are recovery cells, so none is called.
    # Two of 2,880 were; ten would be three and a half per mille
    assert np.mean(rates) < 0.0035


def test_inflammation_that_raises_a_few_signature_genes_is_not_called(signatures: Signatures) -> None:
    few = ("Axl", "Spp1", "Lilrb4a")
    inflamed = (*signatures.states["acute_inflammatory"].up, *few)
    adata, truth = simulate(signatures, share=0.5, programme=inflamed)
    result = call_recovery(adata, signatures, SETTINGS)
    assert called(result)[truth].mean() < 0.05
    assert (result.cells["state"][truth] == "acute_inflammatory").mean() > 0.5


@pytest.mark.parametrize("other", ["interferon", "dissociation_stress"])
def test_a_recovery_cell_that_runs_another_programme_is_called_all_the_same(signatures: Signatures, other: str) -> None:
    found = {}
    for name, extra in (("alone", ()), ("both", signatures.states[other].up)):
        adata, truth = simulate(signatures, share=0.2, programme=(*signatures.recovery.up, *extra))
        cells = call_recovery(adata, signatures, RecoverySettings(n_null_sets=1)).cells
        found[name] = cells["recovery_call"][truth].astype(bool).mean()
    assert found["both"] > found["alone"] - 0.1  # 96 such cells: two standard errors of a difference are .1
    own = cells[truth]
    assert (own[f"p_{other}"] > 0.5).mean() > 0.8
    told = own["programmes"].str.split(", ")
    assert told.map(lambda names: {"recovery", other} <= set(names)).mean() > 0.7
    assert (own["state"] == "recovery").mean() > 0.9  # the first of them


def test_no_cell_is_called_on_counts_of_one_gene(signatures: Signatures) -> None:
    adata, truth = simulate(signatures, share=0.2)
    quiet = np.flatnonzero((adata.obs["condition"] == "injured").to_numpy() & ~truth)[:60]
    counts = adata.X.tolil()
    counts[np.ix_(quiet, range(len(signatures.recovery.up)))] = 0
    for place, cell in enumerate(
        quiet
    ):  # as bursts in plate assays: fifteen counts of one gene, and none of the others
        counts[cell, place % len(signatures.recovery.up)] = 15
    adata.X = sp.csr_matrix(counts)
    cells = call_recovery(adata, signatures, RecoverySettings(n_null_sets=1)).cells
    assert not cells["recovery_call"].fillna(False).to_numpy(bool)[quiet].any()
    assert cells["on_one_gene"].to_numpy(bool)[quiet].all()
    called_ = cells[cells["recovery_call"].fillna(False).to_numpy(bool)]
    assert not called_["on_one_gene"].any()
    assert (called_["hangs_on"] == "").mean() > 0.5


def test_a_cell_that_shows_one_signature_gene_is_called_on_genes_that_were_learnt(signatures: Signatures) -> None:
    further = tuple(f"Other{i}" for i in range(30))
    adata, truth = simulate(signatures, share=0.3, programme=(*signatures.recovery.up, *further))
    few = np.flatnonzero(truth)[::12]
    counts = adata.X.tolil()
    counts[np.ix_(few, range(len(signatures.recovery.up)))] = 0
    counts[few, 12] = 1  # a common one
    others = np.ix_(few, [adata.var_names.get_loc(gene) for gene in further])
    counts[others] = 4 * counts[others].toarray()  # against thirteen signature genes without a count
    adata.X = sp.csr_matrix(counts)
    learnt = call_recovery(adata, signatures, RecoverySettings(n_null_sets=1))
    assert len(set(learnt.report["refinement"]["added"]) & set(further)) > 10
    assert called(learnt)[few].mean() > 0.8
    plain = call_recovery(adata, signatures, RecoverySettings(n_null_sets=1, refine=False))
    assert not called(plain)[few].any()  # nothing but the one gene speaks for recovery
    assert plain.cells["on_one_gene"].to_numpy(bool)[few].all()


@pytest.mark.parametrize("state", ["dissociation_stress", "interferon", "cycling"])
def test_stressed_and_interferon_cells_are_not_called(signatures: Signatures, state: str) -> None:
    # whole states, in three injured cells of ten, and none of them recovery
    adata, truth = simulate(signatures, share=0.3, programme=signatures.states[state].up)
    result = call_recovery(adata, signatures, RecoverySettings(n_null_sets=1))
    hits = called(result)
    assert hits[truth].mean() < 0.03  # 140 such cells: the nominal 1 % and two standard errors
    assert (result.cells["state"][truth] == state).mean() > 0.8
    # a cell can run several programmes: what is left is the chance that it runs none
    runs = ["recovery_probability", *(c for c in result.cells if c.startswith("p_") and c != "p_homeostatic")]
    np.testing.assert_allclose(result.cells["p_homeostatic"], (1 - result.cells[runs]).prod(axis=1))
    assert result.tables["refinement"]["decision"].eq("as before").all()


def test_genes_that_the_assay_does_not_see_cost_little(signatures: Signatures) -> None:
    found = {}
    for name in ("whole", "blind"):
        adata, truth = simulate(signatures, share=0.25)
        if name == "blind":  # as nuclei: the genes are in the table, and next to nothing of them in the cells
            counts = adata.X.tolil()
            for gene in ("Spp1", "Cd9", "Lpl"):
                counts[:, adata.var_names.get_loc(gene)] = 0
            adata.X = sp.csr_matrix(counts)
        found[name] = call_recovery(adata, signatures, RecoverySettings(n_null_sets=1))
    hits = {name: called(result)[truth].mean() for name, result in found.items()}
    assert hits["blind"] > hits["whole"] - 0.25
    control = (adata.obs["condition"] == "naive").to_numpy()
    assert called(found["blind"])[control].mean() <= 0.012


def test_every_animal_is_judged_by_even_odds_of_its_own(signatures: Signatures) -> None:
    adata, truth = simulate(signatures, share=0.3)
    result = call_recovery(adata, signatures, RecoverySettings(n_null_sets=1))
    cells = result.cells
    injured = (cells["condition"] == "injured").to_numpy()
    # where three in ten are recovery cells less evidence is asked for than where next to none is: even odds against log(7 / 3) = .85, and more than 5
    assert cells["cutoff"][injured].to_numpy() == pytest.approx(np.log(7 / 3), abs=0.6)
    assert (cells["cutoff"][~injured] > 3).all()
    # a call is a probability above one half, no more and no less
    likely = (cells["recovery_probability"] > 0.5).to_numpy()
    plain = (cells["cutoff"] > 0).to_numpy() & ~cells["on_one_gene"].to_numpy(bool)
    np.testing.assert_array_equal(called(result)[plain], likely[plain])
    expected = result.report["expected"]
    hits = called(result) & injured
    assert expected["precision"] == pytest.approx(truth[hits].mean(), abs=0.1)
    # all cells are fully turned, where the model expects some to be less far: a part of the others passes for these
    assert expected["recall"] == pytest.approx(hits[truth].mean(), abs=0.25)


def test_what_is_learnt_is_reported_and_can_be_switched_off(signatures: Signatures) -> None:
    adata, _ = simulate(signatures, share=0.3)
    learnt = call_recovery(adata, signatures, RecoverySettings(n_null_sets=1))
    assert learnt.report["refinement"]["refused"] == ""
    assert set(learnt.tables["refinement"]["gene"]) >= set(signatures.recovery.up)
    plain = call_recovery(adata, signatures, RecoverySettings(n_null_sets=1, refine=False))
    assert list(plain.tables["refinement"].columns) == list(learnt.tables["refinement"].columns)  # a header even so
    assert plain.report["refinement"]["refused"] == "switched off in config.yaml"
    assert not np.allclose(plain.cells["recovery_score"], learnt.cells["recovery_score"])


def test_what_few_cells_taught_is_taken_back_where_controls_would_hold_the_programme(
    signatures: Signatures, monkeypatch: pytest.MonkeyPatch
) -> None:
    adata, _ = simulate(signatures, share=0.2)
    settings = RecoverySettings(n_null_sets=1)
    monkeypatch.setattr(gene_weights, "LEAST_CELLS", 1e9)  # as if they were few among very many
    kept = call_recovery(adata, signatures, settings)
    assert kept.report["refinement"]["refused"] == ""
    monkeypatch.setattr(scores, "RARE_IN_CONTROLS", -1.0)
    back = call_recovery(adata, signatures, settings)
    assert back.report["refinement"]["refused"].startswith(
        "few recovery cells to learn from, and the weights learnt from them find "
    )
    monkeypatch.setattr(gene_weights, "LEAST_CLEAR", 1e9)
    never = call_recovery(adata, signatures, settings)
    assert never.report["refinement"]["refused"].startswith("too few recovery cells to learn from")
    pd.testing.assert_frame_equal(back.cells, never.cells)
    pd.testing.assert_frame_equal(back.tables["refinement"], never.tables["refinement"])


def test_ambient_rna_of_injured_libraries_is_no_emergence(signatures: Signatures) -> None:
    # injured libraries float in RNA of cells that run the whole programme, and no microglia has turned
    adata, _ = simulate(signatures)
    rng = np.random.default_rng(3)
    foreign = ["Slc1a2", "Aldoc", "Pdgfra", "Snap25", "Cldn5", "Kdr", "Col1a1", "Dcn"]
    adata.var_names = [*adata.var_names[:-8], *foreign]
    native = adata.X.toarray()
    native[:, -8:] = 0
    soup = np.where(adata.var_names.isin([*signatures.recovery.up, *foreign]), 1.0, 0.05)
    soup = soup / soup.sum()
    injured = (adata.obs["condition"] == "injured").to_numpy()
    floating = rng.poisson(np.outer(adata.obs["n_counts"] * np.where(injured, 0.05, 0.005), soup))
    adata.X = sp.csr_matrix((native + floating).astype(np.float32))
    settings = RecoverySettings(n_null_sets=1)
    blind = call_recovery(adata, signatures, settings)
    assert blind.cells.loc[injured, "recovery_probability"].mean() > 0.05  # taken for a rise
    libraries = adata.obs["library"].unique()
    adata.varm["soup"] = pd.DataFrame(dict.fromkeys(libraries, soup), index=adata.var_names).astype(np.float32)
    known = call_recovery(adata, signatures, settings)
    # an estimate of what floats is not exact, and raising the score (see offset.py) makes more of what is left: .025 in place of .001
    assert known.cells.loc[injured, "recovery_probability"].mean() < 0.04
    assert called(known)[injured].mean() < 0.02
    shares = known.report["ambient_share"]
    assert shares[libraries[0]] == pytest.approx(0.005, abs=0.004)
    assert shares[libraries[-1]] == pytest.approx(0.05, rel=0.15)


def test_the_score_without_itgax_and_igf1_does_not_see_them(signatures: Signatures) -> None:
    adata, _ = simulate(signatures, share=0.2)
    other = adata.copy()
    columns = [other.var_names.get_loc(gene) for gene in ("Itgax", "Igf1")]
    dense = other.X.toarray()
    dense[:, columns] = 0
    other.X = sp.csr_matrix(dense)
    first, second = (call_recovery(a, signatures, RecoverySettings(n_null_sets=1)).cells for a in (adata, other))
    name = "recovery_score_without_itgax_igf1"
    # the two genes are a thousandth of the counts: the others' expected counts move by that much, scores hardly
    assert np.abs(first[name] - second[name]).max() < 0.15
    assert np.abs(first["recovery_score"] - second["recovery_score"]).max() > 1


@pytest.mark.parametrize(
    ("drop", "reason"),
    [
        (("Itgax", "Igf1"), "neither Itgax nor Igf1 is among the 12 of 14"),
        (("Itgax", "Clec7a", "Cst7", "Axl", "Csf1", "Lpl", "Cd9", "Spp1"), "6 of 14 signature genes were measured (7 are needed)"),
    ],
)  # fmt: skip
def test_without_its_genes_nothing_is_called_and_the_reason_is_said(
    signatures: Signatures, drop: tuple[str, ...], reason: str
) -> None:
    adata, _ = simulate(signatures, share=0.3, drop=drop)
    result = call_recovery(adata, signatures, SETTINGS)
    assert result.report["status"] == "not_testable"
    assert reason in result.report["reason"]
    assert result.cells["recovery_call"].isna().all()
    assert result.cells["cutoff"].isna().all()
    assert result.tables["null"].empty
    assert codes(result) >= {"recovery_not_testable"}
    table = result.tables["markers_used"].set_index("gene")
    assert (table.loc[list(drop), "status"] == "absent").all()


def test_one_missing_gene_is_told_and_the_call_is_made(signatures: Signatures) -> None:
    adata, _ = simulate(signatures, share=0.3, drop=("Gpnmb",))
    result = call_recovery(adata, signatures, SETTINGS)
    assert result.report["status"] == "tested"
    assert "signature_incomplete" in codes(result)


@pytest.mark.parametrize(
    ("design", "status", "reason"),
    [
        ([(14, "injured", 3)], "not_testable", "no control microglia"),
        ([(0, "naive", 1), (14, "injured", 3)], "not_testable", "too few control microglia"),
    ],
)
def test_without_enough_controls_nothing_is_called(
    signatures: Signatures, design: list, status: str, reason: str
) -> None:
    adata, _ = simulate(signatures, share=0.3, design=design)
    result = call_recovery(adata, signatures, SETTINGS)
    assert (result.report["status"], result.cells["recovery_call"].isna().all()) == (status, True)
    assert reason in result.report["reason"]


def test_one_control_subject_allows_calls_but_no_test(signatures: Signatures) -> None:
    adata, _ = simulate(signatures, share=0.3)
    adata.obs.loc[adata.obs["condition"] == "naive", "subject"] = "only"
    result = call_recovery(adata, signatures, SETTINGS)
    assert result.report["status"] == "descriptive"
    assert result.cells["recovery_call"].notna().all()
    assert "one_control_subject" in codes(result)


def test_deeper_injured_libraries_are_warned_of_and_fool_the_ranks_but_not_the_likelihood(
    signatures: Signatures,
) -> None:
    adata, _ = simulate(signatures, depth=3.0)
    result = call_recovery(adata, signatures, SETTINGS)
    assert "depth_differs" in codes(result)
    injured = (adata.obs["condition"] == "injured").to_numpy()
    passing = {
        name: (result.cells[name][injured] > np.quantile(result.cells[name][~injured], 0.99)).mean()
        for name in ("recovery_score", "recovery_score_depth_matched", "recovery_score_ranks")
    }
    # depth is in the model: one control cell in a hundred passes, and so do the deeper cells
    assert (
        max(passing["recovery_score"], passing["recovery_score_depth_matched"]) < 0.03 < passing["recovery_score_ranks"]
    )


def test_controls_that_have_the_state_are_warned_of(signatures: Signatures) -> None:
    adata, _ = simulate(signatures, share=0.3)
    turned = adata.obs["condition"].eq("injured").to_numpy()
    adata.obs["condition"] = np.where(turned, "naive", "injured")  # as in neonatal mice: the controls have it
    result = call_recovery(adata, signatures, SETTINGS)
    assert "controls_have_the_state" in codes(result)
    assert result.report["control_share"] > 0.1
    plain, _ = simulate(signatures, share=0.3)
    assert "controls_have_the_state" not in codes(call_recovery(plain, signatures, SETTINGS))


def test_recovery_cells_among_the_controls_do_not_hide_those_of_injured_animals(signatures: Signatures) -> None:
    shares, found = [], []
    for seed in (1, 2):
        # neonatal controls: three in ten have the state, and one in two after injury
        young, of_young = simulate(signatures, share=0.3, design=[(7, "injured", 4)], seed=seed + 50)
        adata, truth = simulate(signatures, share=0.5, seed=seed)
        control = (adata.obs["condition"] == "naive").to_numpy()
        counts = adata.X.tolil()
        counts[np.flatnonzero(control)] = young.X
        adata.X, truth[control] = counts.tocsr(), of_young
        result = call_recovery(adata, signatures, RecoverySettings(n_null_sets=1))
        assert result.report["refinement"]["refused"] == ""
        shares.append(result.cells.loc[~control, "recovery_probability"].mean() - truth[~control].mean())
        found.append(called(result)[truth & ~control].mean())
    # resting cells that are learnt from controls still half full of the state make a third of the injured animals'
    # recovery cells look rested. All turned cells are fully so here, where the model expects some to be less far, and shares come
    # out .18 too high with controls like these: a known weakness, told in docs/method.md
    assert abs(np.mean(shares)) < 0.2
    assert np.mean(found) > 0.85


def test_an_animals_probabilities_add_up_to_its_share_without_a_cutoff(signatures: Signatures) -> None:
    adata, truth = simulate(signatures, share=0.25)
    cells = call_recovery(adata, signatures, SETTINGS).cells
    injured = (adata.obs["condition"] == "injured").to_numpy()
    share = cells.groupby("subject")["recovery_probability"].mean()
    true = pd.Series(truth).groupby(cells["subject"]).mean()
    # eightfold in all cells, where the model expects half of that on average: shares come out a little high
    assert share[true > 0].mean() == pytest.approx(true[true > 0].mean(), rel=0.35)
    assert share[true == 0].max() < 0.05
    assert cells["recovery_probability"][injured & truth].mean() > 0.7


def test_an_embedding_that_erased_the_score_is_warned_of(signatures: Signatures) -> None:
    adata, truth = simulate(signatures, share=0.3)
    rng = np.random.default_rng(1)
    apart = rng.normal(0, 1, (adata.n_obs, 5)) + 8 * truth[:, None]
    erased = rng.normal(0, 1, (adata.n_obs, 5))
    for after, warned in ((apart, False), (erased, True)):
        adata.obsm = {"X_pca": apart, "X_pca_integrated": after}
        result = call_recovery(adata, signatures, RecoverySettings(n_null_sets=1))
        assert ("integration_erased" in codes(result)) == warned
        assert result.report["integration_keeps"] == pytest.approx(0 if warned else 1, abs=0.15)


def test_other_lineages_are_never_called(signatures: Signatures) -> None:
    adata, truth = simulate(signatures, share=0.2)
    adata.obs["lineage"] = np.where(truth, "infiltrating_macrophage", "microglia")
    result = call_recovery(adata, signatures, SETTINGS)
    assert set(result.cells["cell"]) == set(adata.obs_names[~truth])


def test_the_same_seed_gives_the_same_tables(signatures: Signatures) -> None:
    adata, _ = simulate(signatures, share=0.2)
    first, second = (call_recovery(adata, signatures, SETTINGS, seed=5) for _ in range(2))
    pd.testing.assert_frame_equal(first.cells, second.cells)
    for name, table in first.tables.items():
        pd.testing.assert_frame_equal(table, second.tables[name])


def test_agreement_is_cohens_kappa() -> None:
    from sklearn.metrics import cohen_kappa_score

    rng = np.random.default_rng(1)
    a = rng.random(300) < 0.3
    b = np.where(rng.random(300) < 0.8, a, ~a)
    first, second = pd.Series(a, dtype="boolean"), pd.Series(b, dtype="boolean")
    first[:20] = pd.NA  # cells that one route does not call do not count
    found = agreement(first, second)
    assert found["kappa"] == pytest.approx(cohen_kappa_score(a[20:], b[20:]))
    assert found["both"] == (a & b)[20:].sum()
    assert found["only_first"] == (a & ~b)[20:].sum()
    assert agreement(first, pd.Series([pd.NA] * 300, dtype="boolean"))["n"] == 0


def test_a_recovery_cluster_has_half_of_its_cells_above_the_cutoff() -> None:
    clusters = pd.Series(["a"] * 100 + ["b"] * 100 + ["c"] * 4 + ["d"] * 100)
    above = np.array([0.0] * 99 + [1.0] + [1.0] * 60 + [0.0] * 40 + [1.0, 1.0] + [0.0] * 2 + [1.0] * 40 + [0.0] * 60)
    table = recovery_clusters(clusters, above, nominal=0.01).set_index("cluster")
    assert table["recovery"].to_dict() == {"a": False, "b": True, "c": True, "d": False}
    assert table["recovery_share"].to_dict() == {"a": 0.01, "b": 0.6, "c": 0.5, "d": 0.4}
    # two of four cells: the interval reaches down to 15 %, above five times the nominal 1 % but not of 3.5 %
    assert not recovery_clusters(clusters, above, nominal=0.035).set_index("cluster").loc["c", "recovery"]


def test_coverage_names_what_is_there_and_what_is_not(signatures: Signatures) -> None:
    genes = pd.Index([*signatures.recovery.up[:9], "Actb"])
    found = coverage(signatures.recovery, genes, least=7)
    assert (found["n_present"], found["n_genes"], found["reason"]) == (9, 14, "")
    assert found["absent"] == list(signatures.recovery.up[9:])
