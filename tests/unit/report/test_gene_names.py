"""Gene symbols are in italics where a reader meets them, and nothing else is."""

import re
from collections.abc import Callable

import pandas as pd
import pytest
from markupsafe import Markup

from recovery_microglia.report import ReportInputs
from recovery_microglia.report.gene_names import GeneNames, gene_names
from recovery_microglia.report.sections.glossary import TERMS, Glossary

NAMES = GeneNames(("Cd9", "H2-Aa", "Lpl", "Ank", "Rest", "APOE", "a"))


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Cd9 (20.6 %), Lpl and Ank.", "<i>Cd9</i> (20.6 %), <i>Lpl</i> and <i>Ank</i>."),
        ("Itgax+ Igf1+ cells", "<i>Itgax</i>+ <i>Igf1</i>+ cells"),
        ("Igf1-high, H2-Aa-low; Cd9's", "<i>Igf1</i>-high, <i>H2-Aa</i>-low; <i>Cd9</i>&#39;s"),
        ("genes that go with *Igf1* within cells", "genes that go with <i>Igf1</i> within cells"),
        ("5 * Igf1", "5 * <i>Igf1</i>"),
        ("a < b & <b>Cd9</b>", "a &lt; b &amp; &lt;b&gt;<i>Cd9</i>&lt;/b&gt;"),
        ("CD9, cd9, Cd90, xCd9, Lpls and Ankle", None),  # case and the whole word decide
        ("figures/Igf1.svg, Igf1.tsv, Igf1/Cd9, data_Igf1, Igf1_KO_2, genes\\Cd9", None),
        ("the protein APOE is read", None),
        ("Rest of a cell", None),  # genes, and words
    ],
)  # fmt: skip
def test_a_symbol_is_in_italics_and_what_only_looks_like_one_is_not(text: str, html: str | None) -> None:
    marked = str(NAMES.mark(text))
    if html is None:
        assert "<i>" not in marked
    else:
        assert marked == html


def test_markup_keeps_its_attributes_links_and_code() -> None:
    glossary = Glossary()
    html = str(NAMES.mark(glossary.mark("A doublet of Cd9")))
    assert TERMS["doublet"] in html
    assert html.endswith(" of <i>Cd9</i>")
    for kept in ('<b title="Cd9">x</b>', '<a href="Cd9">Cd9</a>', "<code>Cd9 + Lpl</code>"):
        marked = str(NAMES.mark(Markup(kept + " Cd9")))
        assert marked == kept + " <i>Cd9</i>"


def test_the_symbols_are_those_of_the_tables_and_of_the_map_but_not_of_all_genes(tested: ReportInputs) -> None:
    every = pd.DataFrame({"gene": ["Zfp36"]})
    counts = tested.genes.assign(Tardbp=0)
    names = gene_names(ReportInputs(tested.summary, {**tested.tables, "driver_genes": every}, tested.cells, counts))
    here = tested.table("markers_used")["gene"].tolist()
    assert all("<i>" in names.mark(gene) for gene in [*here, "Tardbp"])
    assert "<i>" not in names.mark("Zfp36, n_counts, cell")


def test_titles_captions_and_columns_of_a_page_have_italic_genes_and_addresses_none(
    page_of: Callable[[str], str],
) -> None:
    page = re.sub(r"<(style|script|svg)\b.*?</\1>", "", page_of("tested"), flags=re.DOTALL)
    heading = re.search(r'<h3 class="result" id="title-igf1">(.*?)</h3>', page, re.DOTALL)
    assert heading is not None
    assert "source of <i>Igf1</i>" in heading[1]
    assert "Sources of <i>Igf1</i> by lineage" in page  # the title of a figure
    assert "least 20 <i>Igf1</i> counts" in page  # a caption
    columns = re.findall(r'<table class="[^"]*\bg1\b[^"]*" data-name="call-genes"', page)
    assert len(columns) == 1  # the style of the table sets its first column in italics
    assert not re.search(r'="[^"]*<i>', page)
    bare = re.sub(r"<[^>]*>", "\N{NULL}", re.sub(r"<i>.*?</i>", "", re.sub(r"<(td|option)\b.*?</\1>", "", page)))
    assert re.findall(r"[^\0]*(?<![\w./])(?:Igf1|Itgax)(?![\w./])[^\0]*", bare) == []
