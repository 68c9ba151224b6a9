"""The section of what is associated with the state."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_rgba
from matplotlib.text import Text

from recovery_microglia.drivers.activities import ACTIVITY_COLUMNS
from recovery_microglia.drivers.candidates import CANDIDATE_COLUMNS, TRUTH_COLUMNS
from recovery_microglia.drivers.genes import ANIMAL_COLUMNS, CONTRAST_COLUMNS, GENE_COLUMNS
from recovery_microglia.drivers.igf1 import IGF1_COLUMNS
from recovery_microglia.drivers.networks import NETWORK_COLUMNS
from recovery_microglia.drivers.signals import DROPPED_COLUMNS, SIGNAL_COLUMNS, nothing
from recovery_microglia.figures.drivers import heat_by_animal, volcano
from recovery_microglia.figures.files import write_figures
from recovery_microglia.report.blocks import Figures, Fold, Note, Prose
from recovery_microglia.report.inputs import ReportInputs
from recovery_microglia.report.sections.drivers import drivers_section


def _frame(columns: tuple[str, ...], *rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame([{**dict.fromkeys(columns, np.nan), **row} for row in rows], columns=list(columns))


def _tables(status: str = "tested") -> dict[str, pd.DataFrame]:
    words = {
        "arm": "",
        "control": "",
        "covariates": "",
        "not_held": "",
        "reason": "" if status == "tested" else "too few",
    }
    state = {"contrast": "state", "kind": "state", "status": status, "n_animals": 4, "n_controls": 4, "genes": 3}
    counted = {"genes_up": 2, "genes_down": 0, "genes_up_without": 1, "genes_down_without": 0}
    genes = [
        {
            "contrast": "state", "gene": gene, "base_mean": 50.0, "log2_fold_change": fold, "shrunken": fold, "se": 0.2,
            "statistic": 5 * fold, "p": q / 2, "q": q, "made_call": made, "rank": place, "q_without": np.nan if made else q,
            "rank_without": np.nan if made else place,
        }
        for place, (gene, fold, q, made) in enumerate(
            [("Spp1", 3.0, 1e-9, True), ("Cox6a2", 1.0, 0.01, False), ("Actb", 0.0, 0.9, False)], start=1
        )
    ]  # fmt: skip
    animals = [
        {"contrast": "state", "gene": gene, "made_call": made, "subject": f"m{k}", "day": 14.0, "cells": 20, "other_cells": 90, "log2_ratio": 1.0 + k}
        for gene, made in (("Spp1", True), ("Cox6a2", False))
        for k in range(4)
    ]  # fmt: skip
    activity = {
        "contrast": "state", "resource": "progeny", "kind": "pathway", "source": "TGFb", "targets": 30, "ulm": -3.0, "ulm_q": 0.01,
        "mlm": -2.5, "mlm_q": 0.02, "agree": True, "ulm_without": -2.0, "n_animals": 4, "animals_same": 4, "animals_mean": -2.0,
        "animals_p": 0.01, "animals_q": 0.04,
    }  # fmt: skip
    network = {**dict.fromkeys(NETWORK_COLUMNS, ""), "sources": 0, "targets": 0, "not_mapped": 0}
    igf1 = {
        "gene": "",
        "n_animals": 0,
        "animals_up": 0,
        "made_call": False,
        "status": "not_testable",
        "reason": "3 are needed",
    }
    candidate = {
        **dict.fromkeys(CANDIDATE_COLUMNS, ""), "candidate": "Bmp4", "kind": "signal", "evidence_for": 2, "evidence_against": 0,
        "speaks_for": "targets higher", "activity": 4.0, "animals": 4,
    }  # fmt: skip
    truth = {
        "ligand": "Bmp4", "truth": "signal", "sender": "astrocyte", "receptor": "Rgmb", "pair_found": True, "ligand_rises": True,
        "targets_rise": True, "evidence_for": 2, "evidence_against": 0, "as_expected": True,
    }  # fmt: skip
    decoy = {**truth, "ligand": "Adcyap1", "truth": "decoy", "sender": "neuron", "targets_rise": False}
    return {
        "driver_contrasts": _frame(CONTRAST_COLUMNS, {**state, **words, **(counted if status == "tested" else {})}),
        "driver_genes": _frame(GENE_COLUMNS, *(genes if status == "tested" else [])),
        "driver_animals": _frame(ANIMAL_COLUMNS, *(animals if status == "tested" else [])),
        "driver_activities": _frame(ACTIVITY_COLUMNS, activity),
        "driver_networks": _frame(NETWORK_COLUMNS, {**network, "resource": "dorothea", "status": "not there", "reason": "no network"}),
        "driver_igf1": _frame(IGF1_COLUMNS, igf1),
        "driver_signals": nothing("sorted tissue").table,
        "driver_signals_dropped": nothing("").dropped,
        "driver_candidates": _frame(CANDIDATE_COLUMNS, candidate),
        "driver_truth": _frame(TRUTH_COLUMNS, truth, decoy),
    }  # fmt: skip


def _section(status: str = "tested"):
    section = drivers_section(ReportInputs({"status": "tested"}, _tables(status)))
    assert section is not None
    return section


def _prose(section) -> str:
    return " ".join(block.text for block in section.blocks if isinstance(block, Prose))


def _notes(section) -> dict[str, str]:
    return {block.title: block.text for block in section.blocks if isinstance(block, Note)}


def test_the_first_line_says_what_it_cannot_show() -> None:
    assert _section().lead.startswith("This analysis cannot show what makes these cells")


def test_genes_of_the_call_are_marked_and_all_parts_are_there() -> None:
    section = _section()
    assert "1 are higher and 0 lower" in _prose(section)
    names = [plate.picture.name for block in section.blocks if isinstance(block, Figures) for plate in block.pictures]
    assert names == ["volcano-state", "heat-state", "activity-progeny-state"]


def test_an_arm_with_a_slash_makes_no_folder(tmp_path: Path) -> None:
    tables = _tables()
    for name in ("driver_contrasts", "driver_genes", "driver_animals", "driver_activities"):
        tables[name] = tables[name].assign(contrast="state C57BL/6 L4/5")
    section = drivers_section(ReportInputs({"status": "tested"}, tables))
    assert section is not None
    found = [plate.picture for block in section.blocks if isinstance(block, Figures) for plate in block.pictures]
    write_figures([(picture, ("tsv",)) for picture in found], tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert [name.split("-state-")[0] for name in names] == ["activity-progeny", "heat", "volcano"]


def test_signal_and_decoy_are_shown_with_what_was_found() -> None:
    text = _prose(_section())
    assert "Bmp4 (astrocyte) is a true upstream signal" in text
    assert "Adcyap1 (neuron) is a decoy that rises with injury only" in text
    assert text.count("as it should be") == 2


def test_what_is_not_tested_says_why() -> None:
    notes = _notes(_section("not_testable"))
    assert notes["Comparison not tested: state"] == "Too few."
    assert "dorothea: no network" in notes["Networks of targets that were not there"]
    assert "Sorted tissue" in notes["Signals: not tested"]
    assert notes["Igf1 within recovery cells: not tested"] == "3 are needed."


def test_no_word_of_the_code_reaches_the_reader() -> None:
    page = str(_section("not_testable").blocks) + str(_section().blocks)
    assert "not_testable" not in page
    assert "not testable" in page
    assert "told apart" not in page.lower()


def test_an_animal_whose_day_is_not_known_is_drawn_with_its_values() -> None:
    animals = _tables()["driver_animals"]
    picture = heat_by_animal(animals.assign(day=[np.nan, 14.0, 14.0, 14.0] * 2), "state")
    assert picture is not None
    assert "nan" not in picture.panels[0].svg
    (mesh,) = [found for found in picture.panels[0].figure.axes[0].collections if isinstance(found, QuadMesh)]
    assert np.isfinite(np.asarray(mesh.get_array(), dtype=float)).all()
    labels = [label.get_text() for label in picture.panels[0].figure.axes[0].get_xticklabels()]
    assert labels == ["d14", "d14", "d14", "?"]


def test_days_are_counted_once_though_two_arms_have_them() -> None:
    tables = _tables()
    tested = {"sender": "astrocyte", "ligand": "L", "receptor": "R", "status": "tested", "reason": ""}
    rows = [{**tested, "arm": arm, "day": day} for arm in ("a", "b") for day in (7.0, 14.0)]
    tables["driver_signals"] = _frame(SIGNAL_COLUMNS, *rows)
    section = drivers_section(ReportInputs({"status": "tested"}, tables))
    assert "on 2 days in 2 arms" in _prose(section)


def test_pairs_that_took_no_part_are_told_in_full_sentences() -> None:
    tables = _tables()
    dropped = [("A", "B", "drop", "not measured: A"), ("C", "D", "drop", "not a receptor")]
    tables["driver_signals_dropped"] = pd.DataFrame(dropped, columns=list(DROPPED_COLUMNS))
    section = drivers_section(ReportInputs({"status": "tested"}, tables))
    (fold,) = [
        block for block in section.blocks if isinstance(block, Fold) and block.summary == "Pairs that took no part"
    ]
    assert fold.blocks[0].text == "1 pair took no part because a gene of it was not measured."


def test_a_desk_and_a_phone_have_drawings_of_their_own() -> None:
    pictures = [plate.picture for block in _section().blocks if isinstance(block, Figures) for plate in block.pictures]
    assert all(picture.narrow is not None for picture in pictures)
    letters = [text.get_fontsize() for text in pictures[0].panels[0].figure.findobj(Text) if text.get_text()]
    assert min(letters) >= 9


def test_no_word_of_a_cause() -> None:
    section = _section()
    told = " ".join([section.lead, _prose(section), *_notes(section).values()]).lower()
    assert "cause" not in told


@pytest.mark.parametrize("tables", [{}, {"driver_contrasts": pd.DataFrame()}])
def test_a_run_without_the_step_has_no_section(tables: dict[str, pd.DataFrame]) -> None:
    assert drivers_section(ReportInputs({"status": "tested"}, tables)) is None


def test_genes_that_do_not_differ_are_pale_in_dark_mode_too() -> None:
    """They are an image, which does not change with the page: a pale grey was the brightest of all on black."""
    genes = _tables()["driver_genes"]
    picture = volcano(genes, "state")
    assert picture is not None
    quiet = next(line for line in picture.panels[0].figure.axes[0].lines if line.get_label() == "q ≥ 0.05")
    *_, alpha = to_rgba(quiet.get_color())
    assert alpha < 0.5
