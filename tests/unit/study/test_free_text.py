"""Days, conditions, sexes, ages and chemistries as people write them: a table of phrases with their readings."""

import pytest

from recovery_microglia.study.free_text import read_age, read_chemistries, read_conditions, read_days, read_sexes

DAYS = {
    # how days after injury are written
    "14 dpi": [14], "14dpi": [14], "14 d.p.i.": [14], "DPI14": [14], "DPI 14": [14], "14 days post injury": [14],
    "14 days post-injury": [14], "day 14": [14], "Day-14": [14], "day14": [14], "Day 03": [3], "POD14": [14], "POD 14": [14],
    "pod-7": [7], "postoperative day 14": [14], "SNI day 3": [3], "SNI-3d": [3], "SNI14d_1": [14], "Sham7d": [7],
    "3d": [3], "3 d": [3], "00 d Control": [0], "07 d Sham-A": [7], "d0": [0], "D7": [7], "SNI_D14_1": [14], "D3_F_1": [3],
    "14dpSNI": [14], "21-dpi": [21], "1dpi_sample1": [1], "3dpi_1": [3], "Young.7d": [7], "timecourse_14d": [14],
    "Day 7 post SCI": [7], "4 days after nerve injury": [4], "0.5 dpi": [0.5], "0 dpi": [0], "three days after SNI": [3],
    # weeks, months, hours
    "2 weeks": [14], "two weeks": [14], "2wpi": [14], "1 wpi": [7], "six weeks post-injury": [42], "week 2 after SNL": [14],
    "2wk": [14], "2w": [14], "5 months": [150], "5mo": [150], "5 mo": [150], "1 month post SCI": [30], "3 mpi": [90],
    "timecourse_1m": [30], "24 h": [1], "24hpi": [1], "12 hours": [0.5], "6h": [0.25], "90 min": [0.0625],
    # several days are several readings, and no cell is filled
    "3-5 dpi": [3, 5], "7/14 dpi": [7, 14], "7 dpi, 14 dpi": [7, 14], "3 and 7 days": [3, 7], "day 3 to 5 days": [3, 5],
    # an age, a stage, a treatment's length, an animal or a file is no day after injury
    "8 weeks old": [], "10-week-old mice, 7 dpi": [7], "age: 8 weeks": [], "aged 8 weeks, 14 dpi": [14], "P60": [], "P4": [],
    "P4 crush 3dpi": [3], "E14.5": [], "postnatal day 5": [], "embryonic day 14": [], "treated for 5 days": [],
    "two weeks of PLX5622 diet": [], "2M": [], "RNA_2M_3": [], "Sham 14": [], "sample 14": [], "GSM4960303": [],
    "Mouse microglia 103-Redo": [], "v3.1": [], "naive": [], "": [], "D7x_3": [], "10x": [], "CD11b": [],
}  # fmt: skip

CONDITIONS = {
    "naive": "naive", "Naïve": "naive", "naive_1": "naive", "uninjured": "naive", "uninj_sample1": "naive", "un-injured": "naive",
    "non-injured": "naive", "no injury": "naive", "not injured": "naive", "without injury": "naive", "intact": "naive",
    "Healthy": "naive", "uninjured control": "naive", "SNI model, naive": "naive",
    "sham": "sham", "Sham-operated": "sham", "Sham14d": "sham", "sham SNI": "sham", "SNI-sham 3d": "sham", "07 d Sham": "sham",
    "laminectomy only": "sham", "superficial injury (sham control)": "sham", "superficial injury": "sham",
    "contra": "contralateral", "contralateral": "contralateral", "SNI day 3 contra": "contralateral",
    "contralateral side of SNI": "contralateral",
    "SNI": "injured", "SNI_14d_1": "injured", "SNI14d": "injured", "SCI 7 dpi": "injured", "L4 SNT d7": "injured",
    "spared nerve injury": "injured", "spinal cord contusion": "injured", "sciatic nerve crush": "injured", "axotomized": "injured",
    "ipsilateral": "injured", "hemisection 3d": "injured", "injured, day 0": "injured", "3dpi_1": "injured", "1wpi": "injured",
    "DPI14": "injured", "lesioned": "injured", "14dpSNI": "injured",
    "Ctl_1": "control", "ctrl": "control", "Control": "control", "00 d Control": "control",
    "0 dpi": "", "d0": "", "14d": "", "vehicle": "", "": "", "microglia": "", "replicate 2": "", "female": "", "scissors": "",
}  # fmt: skip

SEXES = {
    "Female": "female", "male": "male", "SNI_female_1": "female", "males": "male", "14d, Male": "male", "male and female": "mixed",
    "M": "", "F": "", "SNI_F_1": "", "mouse": "", "femur": "", "formale": "", "": "",
}  # fmt: skip
STATED = {"M": "male", "F": "female", "m": "male", "Female": "female", "both": "mixed", "mixed": "mixed", "M/F": "mixed",
          "unknown": "", "NA": "", "": ""}  # fmt: skip

CHEMISTRIES = {
    "Chromium Single Cell 3' Reagent Kits v2": ["10x 3' v2"],
    "Chromium Next GEM Single Cell 3′ Reagent Kits v3.1": ["10x 3' v3.1"],
    "10X Genomics 3’ v3": ["10x 3' v3"],
    "10x Chromium 5' v2": ["10x 5' v2"],
    "10x Genomics Chromium": ["10x 3'"],
    "Chromium v2 and v3 (10x Genomics)": ["10x 3' v2", "10x 3' v3"],
    "Drop-seq": ["Drop-seq"],
    "mCEL-Seq2": ["CEL-Seq2"],
    "Smart-seq2": ["Smart-seq2"],
    "cells were sorted": [],
}

AGES = {
    "8-10 weeks old": ["8-10 weeks"], "10-week-old": ["10-week"], "age: 12 weeks": ["12 weeks"], "P4 pups": ["P4"],
    "3 months old": ["3 months"], "SNI 14 days": [], "POD14": [], "": [],
}  # fmt: skip


@pytest.mark.parametrize(("phrase", "days"), DAYS.items())
def test_days(phrase: str, days: list[float]) -> None:
    assert sorted(reading.day for reading in read_days(phrase)) == days


@pytest.mark.parametrize(("phrase", "condition"), CONDITIONS.items())
def test_conditions(phrase: str, condition: str) -> None:
    assert read_conditions(phrase) == ([condition] if condition else [])


@pytest.mark.parametrize(("phrase", "sex"), SEXES.items())
def test_sexes(phrase: str, sex: str) -> None:
    assert read_sexes(phrase) == ([sex] if sex else [])


@pytest.mark.parametrize(("phrase", "sex"), STATED.items())
def test_sexes_where_sex_is_what_is_stated(phrase: str, sex: str) -> None:
    assert read_sexes(phrase, stated=True) == ([sex] if sex else [])


@pytest.mark.parametrize(("phrase", "kits"), CHEMISTRIES.items())
def test_chemistries(phrase: str, kits: list[str]) -> None:
    assert read_chemistries(phrase) == kits


@pytest.mark.parametrize(("phrase", "ages"), AGES.items())
def test_ages(phrase: str, ages: list[str]) -> None:
    assert read_age(phrase) == ages


@pytest.mark.parametrize(
    ("phrase", "plain"), [("14 dpi", True), ("D14", False), ("day 14", True), ("d0", False), ("3d", True)]
)
def test_a_letter_and_a_number_alone_are_no_plain_day(phrase: str, plain: bool) -> None:
    assert [reading.plain for reading in read_days(phrase)] == [plain]
