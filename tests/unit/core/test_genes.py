"""Symbols, aliases, identifiers and gene sets."""

import gzip
from pathlib import Path

import pytest

from recovery_microglia.core import genes
from recovery_microglia.core.errors import InputError

HEADER = "set\tgene\tdirection\trole\tsource\n"


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("Itgax", "Itgax"),
        ("Lilrb4", "Lilrb4a"),
        ("Hist1h2ac", "H2ac6"),
        ("ENSMUSG00000030789.9", "Itgax"),
        ("H2.Aa", "H2-Aa"),
        ("mt.Nd1", "mt-Nd1"),
        ("NoSuchGene", "NoSuchGene"),
    ],
)
def test_current_symbol(name: str, symbol: str) -> None:
    assert genes.current_symbol(name) == symbol


def test_resolve_reports_what_it_did() -> None:
    resolved = genes.resolve_symbols(["ENSMUSG00000030789", "Lilrb4", "Igf1", "Qqq1"])
    assert resolved.symbols.tolist() == ["Itgax", "Lilrb4a", "Igf1", "Qqq1"]
    assert resolved.kind == "mixed"
    assert resolved.renamed == {"Lilrb4": "Lilrb4a"}
    assert resolved.unknown == 1
    assert resolved.organism_guess == "mouse"


def test_organism_is_guessed_from_symbols_and_ids() -> None:
    assert genes.resolve_symbols(["ITGAX", "IGF1", "P2RY12", "CX3CR1"]).organism_guess == "human"
    assert genes.resolve_symbols(["ENSG00000140678", "ENSG00000017427", "ENSG00000169313"]).organism_guess == "human"
    assert genes.resolve_symbols(["a", "b", "c"]).organism_guess is None


def test_every_alias_leads_to_a_current_symbol() -> None:
    known = genes.known_symbols("mouse")
    assert {symbol for symbol in genes.aliases("mouse").values() if symbol not in known} == set()
    assert {alias for alias in genes.aliases("mouse") if alias in known} == set()


def test_shipped_signatures_hold_only_known_genes(root: Path) -> None:
    signatures = genes.load_signatures(root / "config" / "signatures")
    known = genes.known_symbols("mouse")
    groups = [signatures.states, signatures.lineages, signatures.technical]
    sets = [signatures.recovery, signatures.context, *(s for group in groups for s in group.values())]
    assert {(s.name, gene) for s in sets for gene in s.up + s.down if gene not in known} == set()
    assert len(signatures.recovery.up) == 14
    assert not signatures.recovery.down, "homeostatic loss must never count as recovery (docs/traps.md, trap 3)"
    assert signatures.lineages["microglia"].written == {"Fcrl2": "Fcrls"}


def test_homeostatic_genes_stay_out_of_the_recovery_signature(root: Path) -> None:
    signatures = genes.load_signatures(root / "config" / "signatures")
    assert not set(signatures.recovery.up) & set(signatures.states["homeostatic"].up)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("set\tgene\n", "the header lacks direction, role, source"),
        (HEADER + "a\tItgax\tsideways\t\t\n", "row 2, column direction: 'sideways' is not one of up, down"),
        (HEADER + "a\tLilrb4\tup\t\t\na\tLilrb4a\tup\t\t\n", "row 3: Lilrb4a is already in set a"),
        (HEADER + "a\t\tup\t\t\n", "row 2: set and gene must not be empty"),
    ],
)
def test_bad_gene_sets_say_where(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "sets.tsv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        genes.load_gene_sets(path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"recovery\.tsv: no such file"):
        genes.load_signatures(tmp_path)


def test_gene_tables_are_readable_and_unique(root: Path) -> None:
    for organism, least in (("mouse", 30_000), ("human", 25_000)):
        path = root / "scripts/recovery_microglia/core/data" / f"genes_{organism}.tsv.gz"
        with gzip.open(path, "rt") as lines:
            ids = [line.split("\t")[0] for line in lines][1:]
        assert len(ids) == len(set(ids)) > least
