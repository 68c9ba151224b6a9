"""One library under two names is refused; a part of another is an alarm; different cells are neither."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from recovery_microglia.core.errors import InputError
from recovery_microglia.myeloid import repeats as module
from recovery_microglia.myeloid.repeats import fingerprints, repeats


def cells(n: int, genes: int = 400, *, seed: int, mean: float = 1.0) -> sp.csr_matrix:
    return sp.csr_matrix(np.random.default_rng(seed).poisson(mean, (n, genes)).astype(np.int32))


def merged(libraries: dict[str, sp.csr_matrix], barcodes: dict[str, list[str]] | None = None) -> ad.AnnData:
    names = [
        f"{library}:{barcode}"
        for library, counts in libraries.items()
        for barcode in (barcodes or {}).get(library, [f"{library}-{i}" for i in range(counts.shape[0])])
    ]
    obs = pd.DataFrame({"library": pd.Categorical([name.split(":")[0] for name in names])}, index=names)
    return ad.AnnData(sp.csr_matrix(sp.vstack(list(libraries.values()))), obs=obs)


def test_a_copy_under_another_name_is_refused_whatever_its_barcodes() -> None:
    one = cells(60, seed=1)
    with pytest.raises(InputError, match=r"^libraries 'A' and 'C': 60 of 60 and 60 myeloid cells are the same") as said:
        repeats(merged({"A": one, "B": cells(60, seed=2), "C": one}))
    assert len(str(said.value).splitlines()) == 1


def test_each_pair_of_three_copies_is_named() -> None:
    one = cells(30, seed=1)
    with pytest.raises(InputError) as said:
        repeats(merged({"A": one, "B": one, "C": one}))
    assert [line.split(":")[0] for line in sorted(str(said.value).splitlines())] == [
        "libraries 'A' and 'B'", "libraries 'A' and 'C'", "libraries 'B' and 'C'",
    ]  # fmt: skip


def test_another_quality_control_of_the_same_library_is_the_same_library() -> None:
    one = cells(100, seed=1)
    with pytest.raises(InputError, match="80 of 80 and 100"):
        repeats(merged({"filtered": one[:80], "raw": one}))


def test_a_part_of_a_pool_is_an_alarm() -> None:
    pool = cells(200, seed=1)
    (notice,) = repeats(merged({"pool": pool, "part": pool[:40]}))
    assert (notice.code, notice.severity) == ("same_cells_twice", "alarm")
    assert "40 of the 40 myeloid cells of library part stand in library pool too" in notice.text


def test_cells_are_the_same_in_whatever_block_they_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    counts, names = cells(50, seed=4), np.array(["x"] * 50)
    counts = sp.csr_matrix(sp.vstack([counts[:7], sp.csr_matrix((1, 400), dtype=np.int32), counts[7:49]]))
    whole = fingerprints(counts, names)
    monkeypatch.setattr(module, "BLOCK", 7)
    np.testing.assert_array_equal(fingerprints(counts, names), whole)


def test_order_of_genes_within_a_cell_does_not_matter() -> None:
    counts = cells(20, seed=3)
    turned = counts.copy()
    for row in range(20):
        part = slice(turned.indptr[row], turned.indptr[row + 1])
        turned.indices[part], turned.data[part] = turned.indices[part][::-1].copy(), turned.data[part][::-1].copy()
    names = np.array(["x"] * 20)
    np.testing.assert_array_equal(fingerprints(counts, names), fingerprints(turned, names))
    assert len(np.unique(fingerprints(counts, names))) == 20


@pytest.mark.parametrize("genes", [5, 20, 98])
def test_shallow_cells_of_a_small_panel_are_not_taken_for_each_other(genes: int) -> None:
    """Of cells with a count or two many are alike; only where barcodes agree as well they are the same."""
    libraries = {name: cells(300, genes, seed=seed, mean=0.1) for seed, name in enumerate("ABC")}
    assert repeats(merged(libraries)) == []
    same = [f"cell{i}" for i in range(300)]
    with pytest.raises(InputError, match="'A' and 'D'"):
        repeats(merged({**libraries, "D": libraries["A"]}, {"A": same, "D": same}))


def test_barcodes_of_one_list_are_no_repeat() -> None:
    """All libraries of a chemistry draw from one list of barcodes."""
    same = [f"cell{i}" for i in range(100)]
    assert repeats(merged({"A": cells(100, seed=1), "B": cells(100, seed=2)}, {"A": same, "B": same})) == []


def test_a_few_cells_in_common_are_no_alarm_but_all_of_a_tiny_library_are() -> None:
    pool = cells(200, seed=1)
    assert repeats(merged({"pool": pool, "other": sp.csr_matrix(sp.vstack([pool[:5], cells(80, seed=2)]))})) == []
    (notice,) = repeats(merged({"pool": pool, "tiny": pool[:4]}))
    assert "4 of the 4 myeloid cells of library tiny" in notice.text


def counted_again(counts: sp.csr_matrix, share: float, *, seed: int) -> sp.csr_matrix:
    """The same molecules through another tool: some are not found again."""
    thinned = counts.copy()
    thinned.data = np.random.default_rng(seed).binomial(thinned.data, share).astype(np.int32)
    thinned.eliminate_zeros()
    return thinned


def sequences(n: int, *, seed: int) -> list[str]:
    letters = np.random.default_rng(seed).choice(list("ACGT"), (n, 16))
    return ["".join(row) for row in letters]


@pytest.mark.parametrize("share", [0.95, 0.7])
def test_a_library_that_was_counted_twice_is_one_library(share: float) -> None:
    """Two animals of one turned 'descriptive' into 'tested' where Cell Ranger had counted introns the second time."""
    one, names = cells(80, seed=1), sequences(80, seed=1)
    order = np.random.default_rng(0).permutation(80)
    libraries = {"A": one, "B": cells(80, seed=2), "C": counted_again(one, share, seed=3)[order][:70]}
    barcodes = {"A": [f"SNI_1_{name}-1" for name in names], "C": [names[k] for k in order[:70]]}
    with pytest.raises(InputError) as said:
        repeats(merged(libraries, barcodes))
    assert str(said.value) == (
        "libraries 'A' and 'C': 70 of 70 and 80 myeloid cells are the same cells, by their barcodes and nearly the same counts (counted "
        "twice, or decontaminated?); one library under two names would count as two. Correct the sheet, or leave one out (include = no)"
    )


def test_a_part_that_was_counted_again_is_an_alarm() -> None:
    pool, names = cells(200, seed=1), sequences(200, seed=1)
    libraries = {"pool": pool, "part": counted_again(pool[:40], 0.9, seed=2)}
    (notice,) = repeats(merged(libraries, {"pool": names, "part": names[:40]}))
    assert (notice.code, notice.severity) == ("same_cells_twice", "alarm")
    assert (
        "40 of the 40 myeloid cells of library part stand in library pool too, with nearly the same counts"
        in notice.text
    )


def test_wells_of_two_plates_that_are_named_alike_are_no_repeat() -> None:
    """Even where the wells of a row are deeper on every plate."""
    wells = [f"{row}{column}" for row in "ABCDEFGH" for column in range(1, 13)]
    depth = np.repeat(np.linspace(0.3, 3, 8), 12)[:, None]
    plates = {
        name: sp.csr_matrix(np.random.default_rng(seed).poisson(depth, (96, 400)).astype(np.int32))
        for seed, name in enumerate("AB")
    }
    assert repeats(merged(plates, {"A": wells, "B": wells})) == []
