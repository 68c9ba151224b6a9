"""From what is told of samples to a sheet: what agrees is filled in, what does not stays empty and is said."""

import csv
from pathlib import Path

import pytest

from recovery_microglia.add_dataset.sample_metadata import DraftedSheet, SampleDescription, draft_rows, safe_name
from recovery_microglia.add_dataset.study_metadata import read_models, read_study


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def draft(*titles: str, **characteristics: list[str]) -> DraftedSheet:
    """Draft from titles, and for each key one value a library."""
    told = [
        SampleDescription(
            f"GSM{k}", title, {key: values[k] for key, values in characteristics.items() if values[k]}, file=f"f{k}"
        )
        for k, title in enumerate(titles)
    ]
    return draft_rows(told)


def column(found: DraftedSheet, name: str) -> list[str]:
    return [row[name] for row in found.rows]


# ---------------------------------------------------------------- the real lists


def read_right(found: list[str], true: list[str]) -> tuple[int, int]:
    """Return how many cells are filled as they should be, and how many are filled otherwise."""
    right = sum(mine == yours for mine, yours in zip(found, true, strict=True) if yours)
    return right, sum(mine not in ("", yours) for mine, yours in zip(found, true, strict=True))


def test_the_list_of_gse162807_is_read_without_an_error(shared_data: Path) -> None:
    rows = rows_of(shared_data / "geo_facts/GSE162807_mouse_samples.csv")
    told = [
        SampleDescription(
            row["gsm"], row["geo_title"], {"sex": row["sex"], "surgery": row["surgery"], "time": row["timepoint"]}
        )
        for row in rows
    ]
    found = draft_rows(told)
    days = [{"naive": "0", "3d": "3", "14d": "14", "5mo": "150"}[row["timepoint"]] for row in rows]
    conditions = [{"Naive": "naive", "Sham": "sham", "SNI": "injured"}[row["surgery"]] for row in rows]
    assert read_right(column(found, "day"), days) == (28, 0)
    assert read_right(column(found, "condition"), conditions) == (28, 0)
    assert read_right(column(found, "sex"), [row["sex"].lower() for row in rows]) == (
        26,
        0,
    )  # of two the list says none
    said = "\n".join(found.to_check)
    assert "'Mouse microglia 103-Redo' and 'Mouse microglia 103'" in said
    assert "'Mouse microglia 307A' and 'Mouse microglia 307B'" in said
    assert "'5mo' is written as day 150, 30 days a month" in said


def test_the_lists_of_three_other_series_are_read_without_an_error(shared_data: Path) -> None:
    facts = shared_data / "geo_facts"
    milich = rows_of(facts / "GSE162610_samples.csv")
    found = draft_rows(
        [SampleDescription(r["gsm"], r["sample_id"], {"chemistry": f"10x {r['chemistry']}"}) for r in milich]
    )
    assert read_right(column(found, "day"), [r["dpi"] for r in milich]) == (10, 0)
    assert column(found, "condition") == ["naive"] * 3 + ["injured"] * 7
    assert read_right(column(found, "chemistry"), [f"10x {r['chemistry']}" for r in milich]) == (10, 0)

    li = rows_of(facts / "GSE150871_samples.csv")
    found = draft_rows([SampleDescription(r["gsm"], r["sample_dir"].partition("_")[2]) for r in li])
    # 'Ctl' may be naive or sham: neither its condition nor its day is guessed
    assert column(found, "day") == ["", "3", "3", "5", "5"]
    assert column(found, "condition") == ["", "injured", "injured", "injured", "injured"]
    assert any("Only 'control', or day 0, is said of Ctl_1" in line for line in found.to_check)

    niehaus = rows_of(facts / "GSE134003_samples.csv")
    found = draft_rows(
        [SampleDescription(r["gsm_first"], r["cell_prefixes"], {"condition": r["condition"]}) for r in niehaus]
    )
    assert column(found, "condition") == ["sham", "injured"]
    assert column(found, "day") == ["", ""]


def test_no_cell_of_the_ready_made_sheets_is_filled_otherwise(root: Path) -> None:
    """Names alone, without characteristics: what is filled agrees with the sheets that were put together by hand."""
    wrong, filled = [], 0
    for path in sorted((root / "config/datasets").glob("GSE*/samples.tsv")):
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream, delimiter="\t"))
        # a lab's own shorthand (one letter and a number) is read, and noted as unsure; it is not looked at here
        found = draft_rows([SampleDescription(r["library"], r.get("key") or r["library"]) for r in rows])
        for row, drafted in zip(rows, found.rows, strict=True):
            for name in ("day", "condition"):
                if row.get("include", "yes") == "no" or row["condition"] in ("treated", "other") or not drafted[name]:
                    continue
                filled += 1
                if row.get(name, "") and drafted[name] != row[name]:
                    wrong.append((path.parent.name, row["library"], name, row[name], drafted[name]))
    assert wrong == []
    assert filled > 80


# ---------------------------------------------------------------- rules


def test_what_all_libraries_share_tells_nothing_of_one() -> None:
    found = draft("mouse 1", "mouse 2", surgery=["naive", "SNI"], model=["SNI", "SNI"], time=["", "14 dpi"])
    assert column(found, "condition") == ["naive", "injured"]
    assert column(found, "day") == ["0", "14"]


def test_one_time_for_all_libraries_is_a_day_all_the_same() -> None:
    found = draft("a", "b", surgery=["sham", "SNI"], time=["14 days", "14 days"])
    assert column(found, "day") == ["14", "14"]


@pytest.mark.parametrize(
    ("title", "characteristics", "day", "words"),
    [
        ("SNI 14d", {"time": "7 dpi"}, "", "Several days are named (7, 14)"),
        ("SNI 3-5 dpi", {}, "", "Several days are named (3, 5)"),
        ("SNI", {"days post injury": "7"}, "7", ""),
        ("SNI", {"time (weeks)": "2"}, "14", ""),
        ("SNI", {"time point": "7"}, "", "The day is not known"),
        ("SNI D7", {}, "7", "a letter and a number"),
        ("SNI", {"age": "8 weeks"}, "", "The day is not known"),
    ],
)
def test_days_of_titles_and_characteristics(title: str, characteristics: dict[str, str], day: str, words: str) -> None:
    found = draft_rows([SampleDescription("GSM1", title, characteristics, file="f")])
    assert column(found, "day") == [day]
    assert (not words) or any(words in line for line in found.to_check), found.to_check


@pytest.mark.parametrize(
    ("title", "surgery", "condition", "words"),
    [
        ("a", "SNI; contralateral", "contralateral", ""),
        ("SNI", "contralateral", "contralateral", ""),
        ("sham", "SNI", "", "Several conditions are named (sham, injured)"),
        ("ctrl", "naive", "naive", ""),
        ("ctrl 7 dpi", "", "injured", ""),
        ("ctrl 7 days", "", "", "Only 'control'"),
        ("x", "", "", "Nothing says whether x, other were injured"),
    ],
)
def test_conditions_of_titles_and_characteristics(title: str, surgery: str, condition: str, words: str) -> None:
    found = draft(title, "other", surgery=[surgery, "none"])
    assert column(found, "condition")[0] == condition
    assert (not words) or any(words in line for line in found.to_check), found.to_check


def test_human_libraries_and_those_without_rna_are_left_out_with_the_reason() -> None:
    told = [
        SampleDescription("GSM1", "SNI 3d", {}, "Mus musculus"),
        SampleDescription("GSM2", "donor 1", {}, "Homo sapiens"),
        SampleDescription("GSM3", "SNI 3d ATAC", {}, "Mus musculus", strategy="ATAC-seq"),
        SampleDescription("GSM4", "Visium section 1", {}, "Mus musculus"),
    ]
    found = draft_rows(told)
    assert column(found, "include") == ["yes", "no", "no", "no"]
    assert column(found, "reason")[1:] == [
        "Homo sapiens, not Mus musculus", "chromatin (ATAC), not single-cell RNA", "spatial, not single-cell RNA",
    ]  # fmt: skip


def test_arms_are_what_varies_and_says_nothing_of_the_injury() -> None:
    found = draft(
        "1", "2", "3", "4",
        genotype=["WT", "WT", "KO", "KO"], treatment=["SNI", "sham", "SNI", "sham"], strain=["C57BL/6J"] * 4,
        time=["7 dpi", "7 days", "7 dpi", "7 days"],
    )  # fmt: skip
    assert column(found, "arm") == ["WT", "WT", "KO", "KO"]
    assert column(found, "condition") == ["injured", "sham", "injured", "sham"]
    assert column(found, "x_strain") == ["C57BL/6J"] * 4
    assert any("The arms are taken from genotype" in line for line in found.to_check)


def test_animals_that_are_named_are_the_subjects() -> None:
    found = draft("a", "b", "c", **{"mouse id": ["m1", "m1", "m2"]})
    assert column(found, "subject") == ["m1", "m1", "m2"]
    assert not any("Nothing names the animals" in line for line in found.to_check)


def test_animals_are_read_from_names_where_all_name_one() -> None:
    found = draft("naive_m1_F", "SNI_d14_m2_ipsi", "SNI_d14_m2_contra", "SNI_d7_mouse-3")
    assert column(found, "subject") == ["m1", "m2", "m2", "m3"]
    (line,) = [line for line in found.to_check if "column subject" in line]
    assert line == (
        "The animals are read from the names, such as m1 (4 libraries, 1 of them of an animal that has another): check the column subject."
    )


@pytest.mark.parametrize(
    "titles",
    [
        ("naive_m1", "SNI_d14_m1"),  # each group counts anew
        ("SNI_d14_m1", "SNI_d21_m1"),
        ("naive_m1", "SNI_d14_2"),  # not all name one
        ("naive 8 months m1 m2", "SNI_d14_m3"),  # a pool
        ("naive_P14_wm1x", "SNI_d14_3m"),
    ],
)
def test_names_that_may_be_no_animals_leave_the_column_empty(titles: tuple[str, ...]) -> None:
    found = draft(*titles)
    assert set(column(found, "subject")) == {""}
    assert any("Nothing names the animals" in line for line in found.to_check)


def test_letters_are_sexes_where_all_names_have_one_and_both_are_there() -> None:
    found = draft("naive_1_F", "SNI_d14_2_M")
    assert column(found, "sex") == ["female", "male"]
    assert "F and M in the names were taken for the sexes: check the column sex." in found.to_check
    for titles in (
        ("naive_1_M", "SNI_d14_2_M"),
        ("naive_1_F", "SNI_d14_2"),
        ("naive_F_M", "SNI_d14_F"),
        ("F1 naive", "SNI M2"),
    ):
        assert set(column(draft(*titles), "sex")) == {""}, titles


def test_names_are_the_titles_if_they_differ_else_the_accessions() -> None:
    assert column(draft("SNI 3d (1)", "SNI 3d (2)"), "library") == ["SNI_3d_1", "SNI_3d_2"]
    assert column(draft("SNI", "SNI"), "library") == ["GSM0", "GSM1"]
    assert safe_name("Müller, ♀ 1") == "M_ller_1"


# ---------------------------------------------------------------- studies


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("microglia after spared nerve injury (SNI)", "spared nerve injury"),
        ("Spinal cord injury, contusion, 7 dpi", "spinal cord contusion"),
        ("SCI atlas", "spinal cord injury"),
        ("L4 spinal nerve transection", "spinal nerve transection"),
        ("facial nerve axotomy", "facial nerve axotomy"),
        ("EAE", "experimental autoimmune encephalomyelitis"),
    ],
)
def test_injury_models(text: str, model: str) -> None:
    assert [name for name, _ in read_models(text)] == [model]


def test_a_study_of_two_models_or_none_is_left_to_the_user() -> None:
    both = read_study("SNI and SCI", "", [SampleDescription("1", "a")])
    assert (both.injury_model, both.injury_class) == ("", "")
    assert any("Several injury models" in line for line in both.to_check)
    none = read_study("", "", [SampleDescription("1", "a")])
    assert none.injury_model == ""
    assert any("not known: fill in injury_model" in line for line in none.to_check)


def test_nuclei_and_sorting_are_read_and_always_to_be_checked() -> None:
    study = read_study(
        "snRNA-seq of lumbar spinal cord after SNI", "", [SampleDescription("1", "a", {"tissue": "lumbar spinal cord"})]
    )
    assert (study.assay, study.tissue, study.enrichment) == ("nuclei", "lumbar spinal cord", "none")
    sorted_cells = SampleDescription(
        "1", "a", protocol="Cell suspensions were sorted by FACS for CD11b+ CD45int cells."
    )
    study = read_study("scRNA-seq of microglia", "", [sorted_cells])
    assert (study.assay, study.enrichment) == ("cells", "cd11b")
    assert any("'cd11b'" in line for line in study.to_check)
