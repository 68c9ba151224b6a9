"""The main job from one end to the other, as a user runs it."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from browser.checks import assert_numbers_are_the_tables, assert_sound, opened_to_the_end, tables_of
from recovery_microglia.core.tables import TABLES, table_of
from recovery_microglia.core.wording import onset_words
from recovery_microglia.report import load_answer
from recovery_microglia.report.sections.sheet import answers
from workflow.conftest import Project

ROOT = Path(__file__).parents[2]


def table(project: Project, name: str, dataset: str = "small") -> pd.DataFrame:
    return pd.read_csv(project.results(dataset, "tables", name), sep="\t")


def summary(project: Project, dataset: str = "small") -> dict:
    return json.loads(project.results(dataset, "summary.json").read_text())


def test_a_second_run_has_nothing_to_do(finished: Project) -> None:
    run = finished.snakemake()
    assert run.code == 0
    assert "Nothing to be done" in run.out


def test_every_table_and_column_is_described_and_every_described_one_exists(finished: Project) -> None:
    beside = [finished.results("small", "costs.tsv"), finished.results("comparison.tsv")]
    files = [*finished.results("small", "tables").iterdir(), *beside]
    for path in files:
        columns = list(pd.read_csv(path, sep="\t", nrows=0).columns)
        table_of(path).check(columns)
        fixed = [column.name for column in table_of(path).columns if not column.varies]
        assert [name for name in columns if name in fixed] == fixed, path  # in the order of the description
    # the step `drivers` is off here; its tables are looked at in test_drivers.py
    wanted = [table.file for table in TABLES.values() if not table.file.startswith("drivers/")]
    assert sorted(path.name for path in files) == sorted(Path(file).name for file in wanted)


def test_every_job_leaves_what_it_cost(finished: Project) -> None:
    costs = pd.read_csv(finished.results("small", "costs.tsv"), sep="\t")
    steps = ["simulate", "library", "myeloid", "embedding", "recovery", "timeline", "summary"]
    assert list(costs["step"].unique()) == steps
    assert list(costs["library"].dropna()) == list(table(finished, "samples.tsv")["library"])
    # a library of a hundred cells takes half a second, as its imports are those of the run
    assert (costs["seconds"] > 0.1).all()
    assert (costs["cpu_seconds"] > 0.1).all()
    assert costs["peak_mb"].between(100, 4000).all()
    libraries = costs[costs["step"] == "library"]
    read = [
        sum(file.stat().st_size for file in (finished.path / "resources/small/simulated" / name).iterdir())
        for name in libraries["library"]
    ]
    assert list(libraries["input_bytes"]) == read
    assert list(libraries["cells"]) == list(table(finished, "qc.tsv")["barcodes"])


def test_the_page_says_what_the_run_cost(finished: Project) -> None:
    words = " ".join(" ".join(Page(finished.results("small", "report.html")).words).split())
    assert "Costs of this run" in words
    assert "costs.tsv" in Page(finished.results("small", "report.html")).links


def test_the_summary_has_the_documented_keys(finished: Project) -> None:
    text = (ROOT / "docs/output.md").read_text().split("## summary.json")[1].split("## myeloid.h5ad")[0]
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    assert set(summary(finished)) == set(re.findall(r"`(\w+)`", " ".join(cells)))


def test_the_counts_of_every_stage_add_up(finished: Project) -> None:
    qc, lineages, fractions = (table(finished, f"{name}.tsv") for name in ("qc", "lineages", "fractions"))
    removed = qc.filter(like="removed_").sum(axis=1)
    assert (qc["kept"] + removed == qc["cells_called"]).all()
    assert lineages.groupby("library")["n"].sum().to_dict() == dict(zip(qc["library"], qc["kept"], strict=True))
    own = fractions[(fractions["route"] == "score") & (fractions["denominator"] == "microglia")]
    assert own["n"].sum() == qc["microglia"].sum() == summary(finished)["totals"]["microglia"]
    cells = table(finished, "cells.tsv.gz")
    assert int(cells["recovery_call"].sum()) == own["k"].sum() == summary(finished)["totals"]["recovery_cells"]


def test_the_simulated_rise_is_found_where_it_was_put(finished: Project) -> None:
    truth, onset = table(finished, "truth.tsv"), table(finished, "onset.tsv").query("route == 'score'").iloc[0]
    late = truth[truth["day"] == 35]["true_fraction"].mean()
    assert late > 0.2  # the truth of this seed has a rise to be found
    assert onset["status"] == "tested"
    # both days have the rise; with 60 microglia an animal either may show it first, or show more of it
    assert onset["first_above"] in (14, 35)
    assert onset["peak_day"] in (14, 35)
    facts = summary(finished)["truth"]
    assert facts["lineage_recall"] > 0.95
    assert facts["lineage_precision"] > 0.98
    assert facts["precision"] > 0.5
    # the cutoff lets 1 % of control microglia pass; of about 350 that is 3.5, and 11 is three standard errors above
    assert facts["false_positive_rate_control"] < 11 / 350


def test_the_h5ad_holds_raw_counts_and_all_that_was_found(finished: Project) -> None:
    adata = ad.read_h5ad(finished.results("small", "myeloid.h5ad"))
    assert np.array_equal(adata.X.data, np.round(adata.X.data))
    assert adata.X.data.min() >= 1
    assert {"lineage", "state", "recovery_score", "recovery_call", "leiden"} <= set(adata.obs)
    assert {"X_pca", "X_umap", "X_umap_integrated"} <= set(adata.obsm)
    cells = table(finished, "cells.tsv.gz").set_index("cell")
    again = adata.obs.loc[cells.index, "recovery_score"].to_numpy(float)
    np.testing.assert_allclose(again, cells["recovery_score"], rtol=1e-5)  # tables have six digits


class Page(HTMLParser):
    """Addresses that a page would load, its words, and its anchors."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loads, self.ids, self.links, self.words = [], [], [], []
        # symbols of genes are italic within sentences
        self.feed(re.sub(r"</?i>", "", path.read_text(encoding="utf-8")))

    def handle_starttag(self, tag, attrs):
        facts = dict(attrs)
        self.ids += [facts["id"]] if "id" in facts else []
        if tag == "a" and facts.get("href"):
            self.links.append(facts["href"])
        elif "src" in facts or (tag == "link" and "href" in facts):
            self.loads.append(facts.get("src") or facts.get("href"))

    def handle_data(self, data):
        self.words.append(data)


@pytest.mark.parametrize("name", ["small/report.html", "index.html"])
def test_a_page_is_one_file_that_loads_nothing_and_says_simulated(finished: Project, name: str) -> None:
    path = finished.results(*name.split("/"))
    page = Page(path)
    assert [address for address in page.loads if not address.startswith("data:")] == []
    assert path.stat().st_size < 6e6
    assert "SIMULATED" in " ".join(page.words)
    assert len(set(page.ids)) == len(page.ids)
    inside = {link[1:] for link in page.links if link.startswith("#")}
    assert inside <= set(page.ids)
    for link in page.links:
        if not link.startswith(("#", "http")):
            assert (path.parent / link.split("#")[0]).exists(), link


def test_the_page_gives_the_answer_of_the_summary(finished: Project) -> None:
    words = " ".join(
        " ".join(Page(finished.results("small", "report.html")).words).replace("\N{NO-BREAK SPACE}", " ").split()
    )
    onset = summary(finished)["onset"][0]
    (answer,) = answers(load_answer(finished.results("small")))
    assert f"{answer.word}: {answer.sentence}" in words
    assert answer.word == "Yes"
    when = onset_words(onset)
    assert when in answer.sentence
    assert when in summary(finished)["headline"]  # for programs: the same interval
    for step in summary(finished)["next_steps"]:
        assert step["text"] in words


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_the_pages_of_a_run_are_sound_in_a_browser(finished: Project, browser: Any, size: str) -> None:
    assert_sound(browser, finished.results("small", "report.html"), size=size, axe=size == "desktop")
    assert_sound(browser, finished.results("index.html"), size=size, axe=size == "desktop")


def test_the_numbers_on_the_page_of_a_run_are_those_of_its_tables(finished: Project, browser: Any) -> None:
    opened = opened_to_the_end(browser, finished.results("small", "report.html"))
    compared = assert_numbers_are_the_tables(opened, tables_of(finished.results("small")))
    assert {
        "days",
        "days-tests",
        "quality",
        "timeline",
        "call-genes",
        "markers",
        "clusters",
        "null",
        "robustness",
    } <= compared
    opened.page.close()


@pytest.mark.long
def test_one_core_gives_the_same_tables_as_two(finished: Project) -> None:
    before = {p.name: p.read_bytes() for p in finished.results("small", "tables").iterdir()}
    run = finished.snakemake("--cores", "1", "--forceall")
    assert run.code == 0, run.out
    after = {p.name: p.read_bytes() for p in finished.results("small", "tables").iterdir()}
    assert {name for name in before if before[name] != after[name]} == set()


def test_snakemakes_own_report_tells_every_table_in_words(finished: Project) -> None:
    run = finished.snakemake("--report", "provenance.html")
    assert run.code == 0, run.out
    text = (finished.path / "provenance.html").read_text(encoding="utf-8")
    for name in ("timeline", "call_genes", "gate", "qc"):
        assert f"{name}.tsv" in text
        assert TABLES[name].caption in text
    assert "The answer" in text
    assert "Every number on the page comes from a table" in text  # the caption of a table
