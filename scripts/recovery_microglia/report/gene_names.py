"""Gene symbols in what a reader reads: set in italics, as the field writes them."""

import re
from collections.abc import Iterable

from markupsafe import Markup, escape

from recovery_microglia.core.tables import TABLES, Kind
from recovery_microglia.figures.genes import counted_genes
from recovery_microglia.report.inputs import ReportInputs

ALWAYS = ("Itgax", "Igf1")
"""Symbols that the page's own sentences name, whatever was measured."""
OF_ALL_GENES = ("driver_genes", "driver_igf1")
"""Tables with a row for every gene that was measured: among so many symbols are the words of any sentence (Set, Rest, Kit)."""
_ALSO_WORDS = (
    "Bad", "Cast", "Cat", "Clock", "Cope", "Cry", "Fat", "Gas", "Impact", "Kit", "Large", "Map", "Max", "Met", "Mice", "Neo", "Net",
    "Pan", "Ran", "Rest", "Ring", "Set", "Ship", "Spring", "Star", "Tank", "Via", "Was",
)  # fmt: skip
WORDS = frozenset((*_ALSO_WORDS, *(word.upper() for word in _ALSO_WORDS)))
"""Symbols that are words too; they stay upright."""
_TAG = re.compile(r"(<[^>]*>)")
_SYMBOL = re.compile(
    r"(?<![\w./\\#&*-])(?P<star>\*?)(?P<word>[A-Z][A-Za-z0-9]+(?:-[A-Za-z0-9]+)*)(?P=star)(?![\w/\\*]|[.-][A-Za-z0-9])"
)
"""A word that may be a symbol, with a capital and a second sign (the agouti gene of mice is ``a``): no part of a longer word, of a path or of a file's name; ``*Igf1*``, as descriptions of tables write it, too."""
_UPRIGHT = {"a", "code", "script", "style"}
"""Elements whose text stays as it is."""


class GeneNames:
    """Sets known gene symbols in italics."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset((*ALWAYS, *names)) - WORDS

    def mark(self, text: str) -> Markup:
        """Return a text, or markup, in which every known symbol stands in italics; attributes, links and code stay as they are."""
        parts = []
        upright = 0
        for part in _TAG.split(str(escape(text))):
            if part.startswith("<"):
                name = part.strip("</>").split()[0].lower() if part.strip("</>") else ""
                if name in _UPRIGHT:
                    upright += -1 if part.startswith("</") else 1
                parts.append(part)
            else:
                parts.append(part if upright else _SYMBOL.sub(self._set, part))
        return Markup("".join(parts))  # escaped above

    def _set(self, found: re.Match[str]) -> str:
        """Return a word with the symbol at its start in italics; as it was, if it starts with none."""
        whole, word = found[0], found["word"]
        if found.string[: found.start()].endswith("protein "):  # of man, a protein is written as its gene is
            return whole
        pieces = word.split("-")
        for n in range(len(pieces), 0, -1):  # Igf1-high, and H2-Aa whole
            symbol = "-".join(pieces[:n])
            if symbol in self._names:
                return f"<i>{symbol}</i>{word[len(symbol) :]}"
        return whole


def gene_names(inputs: ReportInputs) -> GeneNames:
    """Return the symbols that a page may name: of the signatures, of its tables of genes, and of the map."""
    found: set[str] = set(counted_genes(inputs.genes))
    for name, table in inputs.tables.items():
        if name in TABLES and name not in OF_ALL_GENES:
            for column in TABLES[name].columns:
                if column.kind is Kind.GENE and column.name in table:
                    found.update(str(gene) for gene in table[column.name].dropna().unique())
    return GeneNames(found)
