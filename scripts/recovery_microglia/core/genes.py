"""Gene symbols, their aliases and identifiers, and the gene sets of the signatures.

Symbols are those of GENCODE (mouse M37, human 48); the tables in ``data/`` hold identifier, symbol and
biotype of every gene that a count matrix is likely to name.
"""

import csv
import gzip
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np

from recovery_microglia.core.arrays import Texts
from recovery_microglia.core.errors import InputError
from recovery_microglia.core.tsv import looks_like_date, read_tsv

Organism = Literal["mouse", "human"]
DATA = Path(__file__).parent / "data"

MYELOID = (
    "microglia",
    "infiltrating_macrophage",
    "monocyte",
    "border_macrophage",
    "dendritic_cell",
    "plasmacytoid_dendritic_cell",
    "neutrophil",
    "ambiguous_myeloid",
)
"""Lineages that travel on as single cells; every other lineage travels as sums."""

_ENSEMBL = {"ENSMUSG": "mouse", "ENSG": "human"}
_NEEDED_SETS = {
    "recovery": ("recovery", "context"),
    "states": ("homeostatic",),
    "lineages": (
        "microglia",
        "infiltrating_macrophage",
        "border_macrophage",
        "dendritic_cell",
        "neutrophil",
        "oligodendrocyte",
    ),
    "technical": ("sex_female", "sex_male", "dissociation", "haemoglobin", "myelin"),
}
"""Sets that the code asks for by name; any other is the user's own choice."""
_SET_COLUMNS = ("set", "gene", "direction", "role", "source")


@dataclass(frozen=True)
class GeneSet:
    """A named set of genes.

    Attributes
    ----------
    name
        Name of the set, e.g. ``recovery``.
    up, down
        Current symbols of genes that rise or fall in the state.
    roles
        Symbol to role, e.g. ``low_detection``.
    written
        Current symbol to the name the file uses, where the two differ.
    """

    name: str
    up: tuple[str, ...]
    down: tuple[str, ...] = ()
    roles: dict[str, str] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Signatures:
    """All gene sets of a run (``config/signatures/*.tsv``)."""

    recovery: GeneSet
    context: GeneSet
    related: GeneSet
    states: dict[str, GeneSet]
    lineages: dict[str, GeneSet]
    technical: dict[str, GeneSet]
    leukocyte: GeneSet = GeneSet("leukocyte", ())


@dataclass(frozen=True)
class Resolved:
    """Names of a matrix brought to current symbols.

    Attributes
    ----------
    symbols
        One symbol per input name, in order; unknown names stay as they are.
    kind
        ``symbol``, ``ensembl`` or ``mixed``.
    organism_guess
        The organism most names belong to; None where too few names are known.
    renamed
        Input name to symbol, where a known alias was replaced (identifiers are not listed).
    unknown
        Number of names that are neither a known symbol, nor alias, nor identifier.
    """

    symbols: Texts
    kind: Literal["symbol", "ensembl", "mixed"]
    organism_guess: Organism | None
    renamed: dict[str, str]
    unknown: int


@cache
def symbols_by_id(organism: Organism) -> dict[str, str]:
    """Return Ensembl gene id (no version) to symbol."""
    with gzip.open(DATA / f"genes_{organism}.tsv.gz", "rt", encoding="utf-8") as lines:
        return {row["id"]: row["symbol"] for row in csv.DictReader(lines, delimiter="\t")}


@cache
def known_symbols(organism: Organism) -> frozenset[str]:
    """Return every current symbol of the organism."""
    return frozenset(symbols_by_id(organism).values())


@cache
def aliases(organism: Organism) -> dict[str, str]:
    """Return older name to current symbol; a curated list of the genes that the pipeline uses."""
    path = DATA / f"aliases_{organism}.tsv"
    if not path.exists():
        return {}
    with path.open(encoding="utf-8") as lines:
        return {row["alias"]: row["symbol"] for row in csv.DictReader(lines, delimiter="\t")}


def _strip_version(name: str) -> str:
    """Return an Ensembl id without its version (``ENSMUSG00000030789.9``); other names unchanged."""
    return name.partition(".")[0] if name.startswith(tuple(_ENSEMBL)) else name


def current_symbol(name: str, organism: Organism = "mouse") -> str:
    """Return the current symbol of a symbol, alias or Ensembl id; an unknown name comes back as it is.

    R turns ``H2-Aa`` and ``mt-Nd1`` into ``H2.Aa`` and ``mt.Nd1``; the hyphen is put back where that makes a
    known symbol.

    Examples
    --------
    >>> current_symbol("Lilrb4"), current_symbol("ENSMUSG00000030789.9"), current_symbol("H2.Aa")
    ('Lilrb4a', 'Itgax', 'H2-Aa')
    """
    known = known_symbols(organism)
    if name in known:
        return name
    if (bare := _strip_version(name)) in (ids := symbols_by_id(organism)):
        return ids[bare]
    if name in (old := aliases(organism)):
        return old[name]
    hyphened = name.replace(".", "-")
    return hyphened if hyphened in known else old.get(hyphened, name)


def _guess_organism(names: Sequence[str]) -> Organism | None:
    """Return the organism that most of the names belong to, by identifier or symbol."""
    hits: dict[Organism, int] = {}
    for organism in ("mouse", "human"):
        known = known_symbols(organism) | aliases(organism).keys() | symbols_by_id(organism).keys()
        hits[organism] = sum(_strip_version(name) in known for name in names)
    best: Organism = "mouse" if hits["mouse"] >= hits["human"] else "human"
    other: Organism = "human" if best == "mouse" else "mouse"
    # Symbols shared by both ("C1qa" is not, "H19" is) are few; a clear majority is asked for all the same.
    return best if hits[best] >= max(3, 2 * hits[other]) and hits[best] >= 0.05 * len(names) else None


def resolve_symbols(names: Sequence[str], organism: Organism = "mouse") -> Resolved:
    """Bring the gene names of a matrix to current symbols.

    Parameters
    ----------
    names
        Symbols or Ensembl ids, versioned or not, one per gene of the matrix.
    organism
        The organism whose symbols and aliases apply.
    """
    known, ids = known_symbols(organism), symbols_by_id(organism)
    n_ids = sum(name.startswith(tuple(_ENSEMBL)) for name in names)
    symbols = [current_symbol(name, organism) for name in names]
    renamed = {
        name: symbol
        for name, symbol in zip(names, symbols, strict=True)
        if name != symbol and _strip_version(name) not in ids
    }
    kind: Literal["symbol", "ensembl", "mixed"]
    kind = "symbol" if n_ids == 0 else "ensembl" if n_ids >= 0.9 * len(names) else "mixed"
    return Resolved(
        symbols=np.asarray(symbols, dtype=np.str_),
        kind=kind,
        organism_guess=_guess_organism(names),
        renamed=renamed,
        unknown=sum(symbol not in known for symbol in symbols),
    )


def present(genes: Sequence[str], available: Collection[str]) -> list[str]:
    """Return those of ``genes`` that are in ``available``, in their order."""
    pool = available if isinstance(available, (set, frozenset, dict)) else set(available)
    return [gene for gene in genes if gene in pool]


def _not_a_symbol(gene: str) -> str:
    """Return what a name surely is instead of a mouse gene's, or nothing; an unknown name may be a transgene."""
    if looks_like_date(gene):
        return f"'{gene}' looks like a date that a spreadsheet has made of a gene's name; format the column as text, write it again"
    symbol = current_symbol(gene)
    if symbol in known_symbols("mouse") or (mouse := gene.capitalize()) not in known_symbols("mouse"):
        return ""
    return f"'{gene}' is no mouse symbol; did you mean '{mouse}'?"


def load_gene_sets(path: Path) -> dict[str, GeneSet]:
    """Read gene sets from a table with the columns set, gene, direction, role, source.

    Names are brought to current symbols.

    Raises
    ------
    InputError
        One line per mistake: a missing column, an empty gene, an unknown direction, a gene twice.
    """
    header, rows = read_tsv(path, " ".join(_SET_COLUMNS))
    missing = [column for column in _SET_COLUMNS if column not in header]
    if missing:
        needed = " ".join(_SET_COLUMNS)
        raise InputError(f"{path}: row 1: the header lacks {', '.join(missing)}; needed (tab separated): {needed}")
    mistakes: list[str] = []
    members: dict[str, dict[str, dict[str, str]]] = {}
    for line, row in rows:
        name, gene, direction = row.get("set", ""), row.get("gene", ""), row.get("direction", "")
        where = f"{path}: row {line}"
        if not name or not gene:
            mistakes.append(f"{where}: set and gene must not be empty")
        elif direction not in ("up", "down"):
            mistakes.append(f"{where}, column direction: '{direction}' is not one of up, down")
        elif wrong := _not_a_symbol(gene):
            mistakes.append(f"{where}, column gene: {wrong}")
        elif (symbol := current_symbol(gene)) in members.setdefault(name, {}):
            twice = members[name][symbol]["gene"]
            as_what = "" if twice == gene else f", as {twice}"
            mistakes.append(f"{where}: {gene} is already in set {name}{as_what}")
        else:
            members[name][symbol] = {"gene": gene, "direction": direction, "role": row.get("role", "")}
    if mistakes:
        raise InputError("\n".join(mistakes))
    return {name: _gene_set(name, genes) for name, genes in members.items()}


def _gene_set(name: str, genes: dict[str, dict[str, str]]) -> GeneSet:
    """Build a gene set from symbol to row."""
    return GeneSet(
        name=name,
        up=tuple(symbol for symbol, row in genes.items() if row["direction"] == "up"),
        down=tuple(symbol for symbol, row in genes.items() if row["direction"] == "down"),
        roles={symbol: row["role"] for symbol, row in genes.items()},
        written={symbol: row["gene"] for symbol, row in genes.items() if row["gene"] != symbol},
    )


def load_signatures(folder: Path) -> Signatures:
    """Read ``recovery.tsv``, ``states.tsv``, ``lineages.tsv`` and ``technical.tsv`` of a folder.

    Raises
    ------
    InputError
        A file or a needed set is missing, or a file is malformed.
    """
    sets: dict[str, dict[str, GeneSet]] = {}
    mistakes: list[str] = []
    for stem in ("recovery", "states", "lineages", "technical"):
        path = folder / f"{stem}.tsv"
        try:
            sets[stem] = load_gene_sets(path)
        except InputError as error:
            mistakes.append(str(error))
            continue
        absent = [name for name in _NEEDED_SETS[stem] if name not in sets[stem]]
        mistakes += [f"{path}: there is no set '{name}', which is needed" for name in absent]
    if mistakes:
        raise InputError("\n".join(mistakes))
    return Signatures(
        recovery=sets["recovery"]["recovery"],
        context=sets["recovery"]["context"],
        related=sets["recovery"].get("related", GeneSet("related", ())),
        states=sets["states"],
        lineages={name: genes for name, genes in sets["lineages"].items() if name != "leukocyte"},
        technical=sets["technical"],
        leukocyte=sets["lineages"].get("leukocyte", GeneSet("leukocyte", ())),
    )
