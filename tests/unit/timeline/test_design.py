"""What a sheet lets anyone claim."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats.contingency import association

from made_up.sheet import sheet
from recovery_microglia.core.statistics import cramers_v, smallest_p
from recovery_microglia.timeline.confirmatory_tests import permutation_p
from recovery_microglia.timeline.design import audit, subjects

GOOD = [(0, "naive", 3), (7, "injured", 3), (14, "injured", 3)]


def codes(found: object) -> set[str]:
    return {notice.code for notice in found.notices}


def test_balanced_batches_allow_tests() -> None:
    found = audit(sheet(GOOD))
    assert (found.status, found.reason, codes(found)) == ("tested", "", set())
    assert found.groups.set_index(["day", "condition"])["n_subjects"].to_dict() == {
        (0, "naive"): 3, (7, "injured"): 3, (14, "injured"): 3,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        (lambda s: s.assign(batch="run" + s["day"].astype(str)), "descriptive", "day and batch confounded"),
        (lambda s: s.assign(chemistry=np.where(s["day"] > 0, "v3", "v2")), "descriptive", "day and chemistry confounded"),
        # controls and injured in batches of their own: no day can be told from its batch either
        (lambda s: s.assign(batch=np.where(s["day"] > 0, "B", "A")), "descriptive", "day and batch confounded"),
        (lambda s: s[s["condition"] == "naive"], "not_testable", "there is no injured library"),
        (lambda s: s[s["condition"] == "injured"], "not_testable", "there is no control library"),
        (lambda s: s.assign(day=np.nan), "not_testable", "the days after injury are not known"),
        (lambda s: s.drop_duplicates(["day", "condition"]), "descriptive", "one animal a day"),
        (lambda s: s[(s["condition"] == "injured") | (s["library"] == "N00_1")], "descriptive", "one control animal"),
    ],
)  # fmt: skip
def test_what_the_design_does_not_allow_is_not_tested(change, status: str, reason: str) -> None:
    found = audit(change(sheet(GOOD)))
    assert found.status == status
    assert reason in found.reason


@pytest.mark.parametrize("variable", ["batch", "chemistry"])
def test_one_day_alone_in_its_batch_is_held_back_and_the_others_are_tested(variable: str) -> None:
    samples = sheet(GOOD)
    samples.loc[samples["day"] == 14, variable] = "C"
    found = audit(samples)
    assert (found.status, found.held) == ("tested", {("", 14.0): f"day and {variable} confounded"})
    assert codes(found) == {f"day_is_{variable}"}
    row = found.confounding.set_index("variable").loc[variable]
    assert (row["aliased"], row["note"]) == (True, "confounded with day 14")
    assert found.as_dict()["held"] == [{"arm": "", "day": 14.0, "reason": f"day and {variable} confounded"}]


def test_days_of_an_arm_are_held_against_the_controls_of_that_arm() -> None:
    one, other = sheet(GOOD).assign(arm="WT"), sheet(GOOD).assign(arm="KO")
    other = other.assign(library="k" + other["library"], subject="k" + other["subject"])
    other.loc[other["condition"] == "injured", "batch"] = "K"  # no control of the knock-outs was in it
    found = audit(pd.concat([one, other], ignore_index=True))
    assert found.status == "tested"
    assert {arm for arm, _ in found.held} == {"KO"}
    assert found.held_of("WT") == {}
    assert set(found.held_of("KO")) == {7.0, 14.0}


def test_the_rank_says_whether_anything_is_the_same_thing_as_another() -> None:
    samples = sheet(GOOD)
    assert (samples["sex"] == "female").equals(samples["batch"] == "A")
    both = audit(samples)  # sex and batch are one: two days, controls, batch, sex, one too many
    assert (both.rank, both.columns) == (4, 5)
    batch_only = audit(samples.assign(sex="female"))
    assert (batch_only.rank, batch_only.columns) == (4, 4)


def test_variables_that_are_the_same_thing_name_each_other() -> None:
    same = audit(sheet(GOOD)).confounding.set_index("variable")["note"]  # the fixture's batches are its sexes
    assert same["sex"] == "not confounded with the days; confounded with batch"
    assert same["batch"] == "not confounded with the days; confounded with sex"
    finer = sheet(GOOD)
    finer["batch"] = finer["batch"] + (finer["subject"].str[-1].astype(int) % 3).astype(str)
    notes = audit(finer).confounding.set_index("variable")["note"]
    assert notes["sex"].endswith("; confounded with batch")  # each batch is of one sex
    assert "from sex" not in notes["batch"]  # but a sex has several batches


def test_a_day_that_shares_its_batch_with_a_control_can_be_told_from_it() -> None:
    samples = sheet([(0, "naive", 2), (7, "injured", 2), (7, "sham", 2)])
    samples["batch"] = ["A", "A", "B", "B", "B", "B"]  # the sham of batch B connects the two
    assert audit(samples).status == "tested"


def test_libraries_that_are_left_out_or_treated_count_for_nothing() -> None:
    samples = sheet([*GOOD, (7, "treated", 5)])
    samples.loc[samples["day"] == 14, "include"] = False
    found = audit(samples)
    assert set(found.groups["day"]) == {0, 7}
    assert set(found.groups["condition"]) == {"naive", "injured"}


def test_two_libraries_of_an_animal_are_one_subject() -> None:
    samples = sheet(GOOD)
    twice = pd.concat([samples, samples.assign(library=samples["library"] + "b")])
    assert len(subjects(twice)) == len(subjects(samples)) == 9
    # six libraries of one animal a day are still one animal a day
    one = samples.assign(subject=samples["day"].astype(str))
    assert audit(pd.concat([one, one.assign(library=one["library"] + "b")])).status == "descriptive"


def test_unstated_batches_are_remarked_on_and_sex_that_goes_with_the_day_is_warned_of() -> None:
    assert codes(audit(sheet(GOOD).assign(batch=""))) == {"batch_unknown"}
    samples = sheet(GOOD)
    assert codes(audit(samples.assign(sex=np.where(samples["day"] == 14, "male", "female")))) == {"day_is_sex"}


def test_an_injured_animal_without_a_day_is_named() -> None:
    samples = sheet(GOOD)
    samples.loc[samples["library"] == "I07_2", "day"] = np.nan
    found = audit(samples)
    assert found.status == "tested"
    (notice,) = [n for n in found.notices if n.code == "day_unknown"]
    assert samples.set_index("library").loc["I07_2", "subject"] in notice.text


def test_cramers_v_is_that_of_scipy() -> None:
    rng = np.random.default_rng(1)
    first, second = pd.Series(rng.integers(0, 3, 60)), pd.Series(rng.integers(0, 4, 60))
    expected = association(pd.crosstab(first, second).to_numpy(), method="cramer")
    assert cramers_v(first, second) == pytest.approx(expected, rel=1e-12)
    assert cramers_v(first, first) == pytest.approx(1.0)
    assert np.isnan(cramers_v(first, pd.Series(["same"] * 60)))


@pytest.mark.parametrize(("m", "n"), [(3, 3), (2, 4), (4, 3), (4, 4)])
def test_smallest_p_is_what_our_permutation_gives_for_complete_separation(m: int, n: int) -> None:
    low, high = np.arange(m) / 100, 1 + np.arange(n) / 100
    assert smallest_p(m, n) == pytest.approx(permutation_p(low, high, limit=100, seed=1))
    assert np.isnan(smallest_p(0, n))


def test_an_animal_that_is_control_and_injured_at_once_or_has_no_name_is_warned_of() -> None:
    samples = sheet([*GOOD, (7, "sham", 2)]).assign(batch="A")
    assert codes(audit(samples)) == set()
    injured = samples[(samples["day"] == 7) & (samples["condition"] == "injured")]["subject"].iloc[0]
    sham = samples["condition"] == "sham"
    twice = samples.assign(subject=samples["subject"].mask(sham & ~sham.shift(fill_value=False), injured))
    (notice,) = audit(twice).notices
    assert (notice.code, notice.severity) == ("control_and_injured", "warning")
    assert notice.text.startswith(f"{injured}: ")
    other_side = twice.assign(condition=twice["condition"].replace("sham", "contralateral"))
    assert codes(audit(other_side)) == set()
    unnamed = samples.assign(subject=samples["subject"].mask(samples["library"] == samples["library"][0], "NA"))
    assert codes(audit(unnamed)) == {"subject_not_named"}
