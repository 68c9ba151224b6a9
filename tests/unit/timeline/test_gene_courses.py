"""Single genes over days, and where Igf1 comes from."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from scipy import stats

from made_up.sheet import sheet
from recovery_microglia.core.genes import Signatures, load_signatures
from recovery_microglia.core.statistics import welch_p
from recovery_microglia.timeline.design import audit
from recovery_microglia.timeline.gene_courses import gene_changes, gene_course, gene_tests
from recovery_microglia.timeline.igf1_sources import igf1_share

GENES = ["Igf1", "Itgax", "Apoe", "Actb"]


@pytest.fixture(scope="module")
def signatures(root) -> Signatures:
    return load_signatures(root / "config/signatures")


def microglia(samples: pd.DataFrame, counts: np.ndarray, per_library: int) -> ad.AnnData:
    keys = ["library", "subject", "day", "condition", "arm"]
    obs = samples.loc[samples.index.repeat(per_library), keys].reset_index(drop=True)
    obs.index = [f"c{i}" for i in range(len(obs))]
    return ad.AnnData(sp.csr_matrix(counts.astype(np.float32)), obs=obs, var=pd.DataFrame(index=GENES))


def test_a_genes_level_is_a_ratio_of_sums_over_the_animals_libraries(signatures: Signatures) -> None:
    samples = sheet([(0, "naive", 2)])
    samples["subject"] = "one"
    counts = np.array([[1, 0, 2, 97], [0, 0, 3, 197], [4, 0, 0, 96], [0, 0, 5, 595]])
    course = gene_course(microglia(samples, counts, 2), signatures).set_index("gene")
    # a deep cell weighs as many molecules as it has
    assert course.loc["Igf1", "mean_counts_per_10k"] == pytest.approx(1e4 * 5 / 1000)
    assert course.loc["Igf1", "share_detected"] == 0.5
    assert course.loc["Itgax", "mean_counts_per_10k"] == 0
    assert course.loc["Igf1", "libraries"] == "; ".join(samples["library"])
    assert course.loc["Igf1", "n"] == 4
    assert course.loc["Apoe", "role"] == "context"
    assert "Actb" not in course.index  # neither signature nor context


def test_welch_is_scipys() -> None:
    rng = np.random.default_rng(3)
    first, second = rng.normal(0, 1, 3), rng.normal(1, 3, 5)
    assert welch_p(first, second) == pytest.approx(stats.ttest_ind(first, second, equal_var=False).pvalue, rel=1e-10)
    assert np.isnan(welch_p(first[:1], second))
    assert np.isnan(welch_p(np.ones(3), np.ones(3)))


def course_of(samples: pd.DataFrame, levels: dict[float, list[float]]) -> pd.DataFrame:
    rows = samples.copy()
    position = rows.groupby(["day", "condition"]).cumcount()
    rows["mean_counts_per_10k"] = [
        levels[day][i] if condition == "injured" else levels[-1][i]
        for day, condition, i in zip(rows["day"], rows["condition"], position, strict=True)
    ]
    return rows.assign(gene="Apoe", role="context", n=100, share_detected=0.5, libraries=rows["library"])


def test_genes_are_tested_over_animals_with_the_smallest_p_beside() -> None:
    samples = sheet([(0, "naive", 3), (7, "injured", 3), (14, "injured", 3)])
    levels = {-1: [5.0, 6.0, 7.0], 7: [5.5, 6.5, 6.8], 14: [30.0, 40.0, 35.0]}
    table = gene_tests(course_of(samples, levels), audit(samples)).set_index("day")
    logs = {key: np.log2(1 + np.array(values)) for key, values in levels.items()}
    for day in (7, 14):
        expected = stats.ttest_ind(logs[day], logs[-1], equal_var=False).pvalue
        assert table.loc[day, "p"] == pytest.approx(expected, rel=1e-9)
        assert table.loc[day, "difference"] == pytest.approx(logs[day].mean() - logs[-1].mean())
    assert table.loc[14, "p_permutation"] == table.loc[14, "p_smallest"] == pytest.approx(0.1)
    np.testing.assert_allclose(table["q"], stats.false_discovery_control(table["p"]), rtol=1e-12)


def test_no_p_of_a_gene_where_the_design_allows_none() -> None:
    samples = sheet([(0, "naive", 3), (7, "injured", 3)], batches=False)
    table = gene_tests(course_of(samples, {-1: [5.0, 6, 7], 7: [50.0, 60, 70]}), audit(samples))
    assert table[["p", "q", "p_permutation"]].isna().all(axis=None)
    assert set(table["status"]) == {"descriptive"}
    assert table["difference"].notna().all()


def sums_of(samples: pd.DataFrame, igf1: dict[str, float]) -> dict[str, pd.DataFrame]:
    table = pd.DataFrame({lineage: {"Igf1": value, "Actb": 1000} for lineage, value in igf1.items()})
    return dict.fromkeys(samples["library"], table)


def test_igf1_is_shared_out_by_lineage_and_recovery_cells_are_split_from_microglia() -> None:
    samples = sheet([(14, "injured", 1)])
    recovery = pd.DataFrame({"library": samples["library"], "igf1": 15.0})
    table = igf1_share(sums_of(samples, {"microglia": 40, "neuron": 10, "astrocyte": 0}), samples, recovery)
    shares = table.set_index("lineage")["share"].to_dict()
    assert shares == pytest.approx({"recovery_microglia": 0.3, "microglia": 0.5, "neuron": 0.2, "astrocyte": 0.0})
    assert set(table["total_igf1_counts"]) == {50}


@pytest.mark.parametrize(
    ("sort", "igf1", "reason"),
    [
        ("microglia", {"microglia": 40}, "sorted tissue"),
        ("none", {"microglia": 10, "neuron": 9}, "19 Igf1 counts in all; at least 20 are needed"),
    ],
)
def test_the_share_of_igf1_is_not_given_where_it_means_nothing(sort: str, igf1: dict, reason: str) -> None:
    samples = sheet([(14, "injured", 1)], sort=sort)
    table = igf1_share(sums_of(samples, igf1), samples)
    assert set(table["status"]) == {"not_testable"}
    assert reason in table["reason"][0]
    assert table["share"].isna().all()


def test_igf1_that_was_not_measured_is_missing_not_zero() -> None:
    samples = sheet([(14, "injured", 1)])
    table = igf1_share({name: pd.DataFrame({"microglia": {"Actb": 5}}) for name in samples["library"]}, samples)
    assert table[["igf1_counts", "share"]].isna().all(axis=None)
    assert list(table["reason"]) == ["Igf1 was not measured"]


def pseudobulked(samples: pd.DataFrame, rise: dict[float, float], rng: np.random.Generator) -> ad.AnnData:
    """Counts of 300 genes in ten cells an animal; *Igf1* rises by the day, nothing else does, and animals differ."""
    names = [*GENES, *(f"Gene{i}" for i in range(296))]
    mean = np.exp(rng.normal(1, 1, len(names)))
    mean[[0, 2]] = 3
    rows = []
    for row in samples.to_dict("records"):
        own = mean * rng.gamma(20, 1 / 20, len(names)) * rng.uniform(0.6, 1.6)
        own[0] *= rise.get(row["day"], 1.0) if row["condition"] == "injured" else 1.0
        rows.append(rng.poisson(own, (10, len(names))))
    keys = ["library", "subject", "day", "condition", "arm"]
    obs = samples.loc[samples.index.repeat(10), keys].reset_index(drop=True)
    obs.index = [f"c{i}" for i in range(len(obs))]
    return ad.AnnData(sp.csr_matrix(np.vstack(rows).astype(np.float32)), obs=obs, var=pd.DataFrame(index=names))


def test_a_gene_that_rises_on_some_day_is_found_over_all_days_and_said(signatures: Signatures) -> None:
    samples = sheet([(0, "naive", 3), (7, "injured", 3), (14, "injured", 3), (14, "sham", 3), (21, "injured", 3)])
    cells = pseudobulked(samples, {14: 5.0}, np.random.default_rng(1))
    table, told = gene_changes(cells, signatures, audit(samples))
    assert table.columns[0] == "gene"
    table = table.set_index("gene")
    igf1 = table.loc["Igf1"]
    assert igf1["q"] < 0.001
    assert (igf1["peak_day"], igf1["direction"]) == (14, "up")
    assert igf1["fold"] == pytest.approx(5, rel=0.5)
    assert (igf1["n_days"], igf1["n_subjects"], igf1["n_control_subjects"]) == (3, 9, 6)
    assert table.loc["Apoe", "q"] > 0.05
    assert told.startswith(f"1 of the {len(table)} genes tested differs from control over the days")
    assert f"above control, at their highest: Igf1 ({igf1['fold']:.2g} times on day 14)" in told


def test_a_day_that_its_own_control_shares_is_no_change(signatures: Signatures) -> None:
    # everything processed on day 14 has five times as much, sham as well as injured
    samples = sheet([(0, "naive", 3), (7, "injured", 3), (14, "injured", 3), (14, "sham", 3)])
    cells = pseudobulked(samples.assign(condition="injured"), {14: 5.0}, np.random.default_rng(2))
    cells.obs["condition"] = samples.loc[samples.index.repeat(10), "condition"].to_numpy()
    table, told = gene_changes(cells, signatures, audit(samples))
    assert table.set_index("gene").loc["Igf1", "p"] > 0.05
    assert told.startswith(f"None of the {len(table)} genes tested was shown to differ")


def test_courses_are_not_tested_where_days_are_not(signatures: Signatures) -> None:
    samples = sheet([(0, "naive", 1), (7, "injured", 1)])
    table, told = gene_changes(pseudobulked(samples, {}, np.random.default_rng(3)), signatures, audit(samples))
    assert table["p"].isna().all()
    assert set(table["status"]) == {"descriptive"}
    assert told == ""
