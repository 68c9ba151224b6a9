"""The tissue of the other hand holds what it says: folds, shares, levels, doublets."""

from types import ModuleType

import numpy as np
import pytest

from benchmark_modules import BENCHMARKS, benchmark


@pytest.fixture(scope="module")
def other_hand() -> ModuleType:
    return benchmark("other_hand")


def test_three_signature_genes_do_not_rise_and_forty_unnamed_ones_do(other_hand) -> None:
    there = other_hand.tissue(np.random.default_rng(1), alike=False)
    assert len(there.genes) == len(set(there.genes)) == other_hand.N_GENES
    recovery = there.programmes["recovery"]
    signature = recovery[there.of(other_hand.SIGNATURES.recovery.up)]
    assert (signature == 0).sum() == 3
    assert np.exp(signature.max()) <= 25
    unnamed = [place for place, gene in enumerate(there.genes) if gene.startswith("Gm1") and gene[2:].isdigit()]
    assert (recovery[unnamed] > 0).sum() == 40
    assert (recovery[there.of(other_hand.SIGNATURES.states["homeostatic"].up)] < 0).all()
    assert (there.programmes["migrating"][there.of(["Spp1", "Gpnmb"])] > 0).all()  # what recovery and migration share
    alike = other_hand.tissue(np.random.default_rng(1), alike=True)
    spp1 = there.of(["Spp1"])
    assert alike.share[2, spp1] == other_hand.SHARED["Spp1"] > 5 * there.share[2, spp1]


def test_a_library_holds_the_cells_that_were_asked_for_and_their_genes_rise_by_the_fold_to_the_level(
    other_hand,
) -> None:
    rng = np.random.default_rng(2)
    there = other_hand.tissue(rng, alike=False)
    study = other_hand.Study((0.5,) * 6, migrating=(0.02,) * 6)
    drawn = [other_hand.library(there, study, 4, rng) for _ in range(3)]
    counts = np.vstack([part.toarray() for part, _ in drawn])
    truth = np.concatenate([own[["recovery", "doublet"]].to_numpy() for _, own in drawn])
    level = np.concatenate([own["level"].to_numpy() for _, own in drawn])
    microglia = np.concatenate([(own["type"] == "microglia").to_numpy() for _, own in drawn])
    runs, single = truth[:, 0].astype(bool), ~truth[:, 1].astype(bool)
    assert runs[~microglia].sum() == 0
    assert runs[microglia].mean() == pytest.approx(
        0.5, abs=0.15
    )  # three animals that differ by an SD of .35 on the log odds
    assert (level[runs] >= 0.35).all()
    assert not level[~runs].any()
    assert 0.03 < (~single).mean() < 0.05
    rise = there.programmes["recovery"]
    loud = np.flatnonzero((rise > np.log(2)) & (there.share[0] > 1e-4))
    share = counts / counts.sum(axis=1, keepdims=True)
    found = share[np.ix_(runs & single, loud)].mean() / share[np.ix_(microglia & ~runs & single, loud)].mean()
    weight = there.share[0, loud] / there.share[0, loud].sum()
    expected = np.mean([(weight * np.exp(own * rise[loud])).sum() for own in level[runs]])
    # ambient RNA takes a tenth at most, and what rises takes its share from all others
    assert 0.7 * expected < found < 1.05 * expected


def test_the_page_has_a_place_for_the_table(other_hand) -> None:
    page = (BENCHMARKS.parent / "docs/accuracy.md").read_text(encoding="utf-8")
    assert page.index(other_hand.BEGIN) < page.index(other_hand.END)
