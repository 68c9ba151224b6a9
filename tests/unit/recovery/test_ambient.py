"""The share of ambient RNA, from counts that were drawn with a known one."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from recovery_microglia.core.genes import load_signatures
from recovery_microglia.recovery.ambient import ambient_profiles, marker_columns_of_others

SIGNATURES = load_signatures(Path(__file__).parents[3] / "config" / "signatures")
FOREIGN = ["Slc1a2", "Aldoc", "Pdgfra", "Snap25", "Syt1", "Cldn5", "Kdr", "Col1a1", "Dcn", "Pdgfrb"]
OWN = ["Hexb", "Cx3cr1", "P2ry12", "Spp1"]
WEAK = [f"Other{i}" for i in range(100, 200)]
GENES = pd.Index([*FOREIGN, *OWN, "Mog", "Plp1", *(f"Other{i}" for i in range(200))])


def draw(share: dict[str, float], *, n: int = 150, doublets: int = 0, seed: int = 1, weak: float = 1.0):
    """Microglia of some libraries with a known share of ambient RNA, and the libraries' soups."""
    rng = np.random.default_rng(seed)
    native = np.where(GENES.isin(OWN), 40.0, np.where(GENES.str.startswith("Other"), 1.0, 0.0))
    native[GENES == "Snap25"] = 2.0  # a marker of others that microglia make after all
    native[GENES.isin(WEAK)] = weak
    soup = np.where(GENES.isin([*FOREIGN, "Mog", "Plp1", "Spp1"]), 10.0, 1.0)
    native, soup = native / native.sum(), soup / soup.sum()
    counts, library = [], []
    for name, ambient in share.items():
        mean = 2000 * np.repeat([(1 - ambient) * native + ambient * soup], n, axis=0)
        mean[:doublets] = 2000 * (0.5 * native + 0.5 * soup)
        counts.append(rng.poisson(mean * rng.gamma(5, 0.2, mean.shape)))
        library += [name] * n
    table = pd.DataFrame(dict.fromkeys(share, soup), index=GENES)
    return sp.csr_matrix(np.concatenate(counts).astype(float)), np.array(library), table


def test_the_share_of_each_library_is_found() -> None:
    true = {"a": 0.03, "b": 0.08, "c": 0.2}
    counts, library, soup = draw(true)
    found = ambient_profiles(counts, library, soup, SIGNATURES)
    # 150 cells of 2,000 counts, a third of them told by foreign genes: known to a few percent; drawn a little to the mean
    assert found.sum().to_dict() == pytest.approx(true, rel=0.12)
    np.testing.assert_allclose(found["c"] / found["c"].sum(), soup["c"])


def test_genes_that_microglia_make_as_much_of_as_they_take_up_are_not_taken_for_ambient() -> None:
    # each such gene is 1/333 of the soup: a share of .05 brings 1.5e-4 of all counts, and microglia make 1.7e-4 themselves
    counts, library, soup = draw({"a": 0.05, "b": 0.05}, weak=0.048)
    found = ambient_profiles(counts, library, soup, SIGNATURES)
    # they are 100 of 210 parts of what tells the share: taken for ambient, they would make it .077
    assert found.sum().to_numpy() == pytest.approx(0.05, rel=0.12)


def test_a_few_doublets_do_not_count_as_ambient_rna() -> None:
    counts, library, soup = draw({"a": 0.05, "b": 0.05}, doublets=6)
    found = ambient_profiles(counts, library, soup, SIGNATURES)
    assert found.sum().to_numpy() == pytest.approx(0.05, abs=0.012)


def test_a_library_with_few_cells_leans_on_the_others() -> None:
    counts, library, soup = draw({"a": 0.05, "b": 0.05})
    kept = np.concatenate([np.flatnonzero(library == "a"), np.flatnonzero(library == "b")[:1]])
    found = ambient_profiles(counts[kept], library[kept], soup.assign(empty=soup["a"]), SIGNATURES)
    assert found.sum().to_numpy() == pytest.approx(0.05, abs=0.015)  # a library without any cell too


def test_without_foreign_genes_nothing_is_said() -> None:
    counts, library, soup = draw({"a": 0.05})
    keep = ~GENES.isin([*FOREIGN, "Mog", "Plp1"])
    found = ambient_profiles(counts[:, keep], library, soup[keep], SIGNATURES)
    assert found.to_numpy().sum() == 0


def test_foreign_genes_are_of_tissue_cells_and_not_myelin() -> None:
    names = set(GENES[marker_columns_of_others(SIGNATURES, GENES)])
    assert {"Slc1a2", "Snap25", "Col1a1"} <= names
    assert not names & {"Hexb", "Spp1", "Mog", "Plp1"}
