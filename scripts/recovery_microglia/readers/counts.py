"""From what a layout's reader found to AnnData: features become genes, counts are checked."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import cast

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

from recovery_microglia.core.anndata_access import counts_of
from recovery_microglia.core.arrays import Integers
from recovery_microglia.core.errors import InputError
from recovery_microglia.core.genes import Organism, Resolved, aliases, known_symbols, resolve_symbols, symbols_by_id
from recovery_microglia.core.tsv import looks_like_date
from recovery_microglia.readers.renumber import renumber
from recovery_microglia.readers.table import Table
from recovery_microglia.readers.validation import check_counts, check_depths, check_names

BARNYARD = (
    "mm10___", "mm10_", "GRCm38___", "GRCm38_", "GRCm39___", "GRCm39_", "mm39___", "mm39_", "hg19___", "hg19_", "GRCh38___", "GRCh38_",
    "hg38___", "hg38_", "MOUSE_", "HUMAN_",
)  # fmt: skip
"""What stands before the names of genes where genomes are counted together."""


OTHER_ANIMALS = {
    "ENSRNOG": "rat",
    "ENSMMUG": "macaque",
    "ENSMFAG": "macaque",
    "ENSDARG": "zebrafish",
    "ENSSSCG": "pig",
    "ENSCAFG": "dog",
}
"""What Ensembl's gene identifiers of animals begin with whose spinal cords are sequenced too."""


RAT_NAMES = re.compile(r"RT1-\w+|RGD\d{5,}|AABR\d+\.\d+")
"""Names that rats alone have: their MHC, numbers of their genome data base, clones of their assembly."""


HUMAN_GENOME = re.compile(r"GRCh|hg[0-9]|hs[0-9]|HUMAN", re.IGNORECASE)
RAT_GENOME = re.compile(r"rn[0-9]|rnor|mratbn|grcr[0-9]", re.IGNORECASE)
"""Names of genomes, by their beginnings. Files of mice that say GRCh38 are in use: it decides only where the names do not."""


MISSING = ("", "nan", "na", "none", "<na>", "null", "-", ".", "n/a", "unknown")
"""What stands for a symbol that is not there, in lower case."""


SPIKES_AND_TAGS = re.compile(
    r"ERCC[-_.]\d{5}"
    r"|(anti|adt|cite|hto|hashtag|hash|totalseq|sample_?tag|cmo|lmo|multi_?seq|bar)([-_. ]?\d[\w-]*|[-_. ][\w .-]+)"
    r"|.+[-_.| ](totalseq[-_ ]?[abcd]?|adt|hto|st?abo|pabo|ab[-_]?seq|antibody|prot)",
    re.IGNORECASE,
)
"""Spike-ins, hashtags and antibodies, which tables of text do not tell from genes."""


SUMS = re.compile(
    r"(grand_?)?(total|sum|all)s?([-_. ]?(counts?|umis?|reads?|genes|mapped|sums?))?|n_?(umi|gene|read|count)s?|(unmapped|unassigned|unaligned)(_\w+)?|"
    r"library_?size|size_?factor",
    re.IGNORECASE,
)
"""Rows that are sums of the others."""


NO_GENES = re.compile(
    r"^(__(no_feature|ambiguous|too_low_aQual|not_aligned|alignment_not_unique)|N_(unmapped|multimapping|noFeature|ambiguous)"
    r"|n(Count|Feature)_\w+|nUMIs?|nGenes?|n_(genes|counts|umis)(_by_counts)?|total_counts(_\w+)?|pct_counts_\w+"
    r"|percent[._](mt|mito|ribo|rb)|seurat_clusters|orig\.ident|leiden|louvain)$",
    re.MULTILINE,
)
"""What HTSeq, STAR, Seurat and scanpy write beside the genes: sums and labels of cells, which would count twice."""


GENE_TYPES = ("gene expression", "gene", "")


@dataclass(frozen=True)
class Genes:
    """What becomes of a table's features.

    Attributes
    ----------
    column
        New column of each feature; -1: left out.
    var
        One row a gene, named by its current symbol; ``id`` where the table has ids.
    reading
        What was recognised and changed, for the report.
    """

    column: Integers
    var: pd.DataFrame
    reading: dict[str, object]


def to_anndata(table: Table, *, organism: Organism, genome: str | None, where: str) -> ad.AnnData:
    """Turn what a reader found into AnnData: genes only, current symbols, duplicates summed, raw counts checked.

    The table's matrix is used up: its memory becomes the result's.

    Raises
    ------
    InputError
        No cell or gene, duplicated barcodes, several genomes and none chosen, the wrong organism, no raw counts.
    """
    matrix = sp.csr_matrix(table.matrix)
    check_names(table, matrix.shape, where)
    matrix.sum_duplicates()
    counts = check_counts(matrix, table.symbols, table.barcodes, where)
    genes = checked_genes(counts, table.symbols, genes_of(table, organism=organism, genome=genome, where=where), where)
    adata = with_genes(counts, table.barcodes, table.obs, genes)
    check_depths(counts_of(adata), where)
    return adata


def without_sums(counts: sp.csr_matrix, symbols: Sequence[str], genes: Genes) -> Genes:
    """Return the genes without rows that are the sum of the others, whatever their names; they would count all twice.

    The sum may be of the genes alone or of the spike-ins with them, and there may be several. Only names that are no known
    genes are looked at, and only those with much of the counts of the first cells.
    """
    first = counts[:SUMMED_CELLS]
    total = np.bincount(first.indices, first.data, counts.shape[1])
    large = np.flatnonzero((total > LARGE_SHARE * total.sum()) & (genes.column >= 0))
    known = known_symbols("mouse") | known_symbols("human") if len(large) else frozenset()
    large = np.array([k for k in large if genes.var.index[genes.column[k]] not in known], dtype=np.int64)
    if not len(large) or counts.shape[0] < 2:
        return genes
    of_genes = genes.column >= 0
    of_genes[large] = False
    spikes = np.array([SPIKES_AND_TAGS.fullmatch(name) is not None for name in symbols]) & (genes.column < 0)
    sums = [counts @ chosen.astype(np.int64) for chosen in (of_genes, of_genes | spikes)]
    dense = {int(k): np.asarray(counts[:, [int(k)]].todense()).ravel() for k in large}
    found = [k for k, own in dense.items() if own.any() and any((own == one).all() for one in sums)]
    if not found:
        return genes
    column = genes.column.copy()
    column[found] = -1
    named = [*cast(list[str], genes.reading["no_genes"]), *(str(symbols[k]) for k in found)]
    return Genes(column, genes.var, {**genes.reading, "no_genes": named})


SUMMED_CELLS, LARGE_SHARE = 500, 0.2
"""Cells in which a row must hold this share of the counts to be looked at as a sum: one sum holds a half, four a fifth."""


def checked_genes(counts: sp.csr_matrix, symbols: Sequence[str], genes: Genes, where: str) -> Genes:
    """Return the genes that a library's counts (barcodes × features) leave, or refuse a table that holds itself twice.

    Raises
    ------
    InputError
        The table holds its genes twice.
    """
    _refuse_repeated(counts, genes, where)
    return without_sums(counts, symbols, genes)


def _refuse_repeated(counts: sp.csr_matrix, genes: Genes, where: str) -> None:
    """Refuse a table that holds its genes twice with the same counts, as where a file was appended to itself."""
    column = genes.column
    used = column >= 0
    rows_of = np.bincount(column[used], minlength=len(genes.var))
    twice = rows_of > 1
    if twice.mean() < 0.5:  # some names of a genome have several genes
        return
    total = np.bincount(counts.indices, counts.data, counts.shape[1])
    order = np.lexsort((total, np.where(used, column, -1)))
    same = (np.diff(column[order]) == 0) & (np.diff(total[order]) == 0) & (total[order][1:] > 0) & used[order][1:]
    if same.sum() > 0.5 * ((rows_of - 1)[twice]).sum():
        raise InputError(
            f"{where}: {twice.sum()} of {len(genes.var)} genes are duplicated with the same counts; is its content repeated?"
        )


def genes_of(table: Table, *, organism: Organism, genome: str | None, where: str) -> Genes:
    """Return the genes among a table's features, by their current symbols; see `to_anndata`."""
    names, keep, genomes, no_genes = _choose_features(table, organism, genome, where)
    ids = [table.ids[k] for k in keep] if len(table.ids) else []
    _refuse_other_animals(names, ids, organism, where)
    if any(RAT_GENOME.match(name) for name in genomes) and not any(name.startswith("H2-") for name in names):
        raise InputError(f"{where}: the genes are of rat (genome {', '.join(genomes)}), which is not supported")
    names, cased = _own_case(names, organism)
    resolved = resolve_symbols(names, organism)
    if resolved.organism_guess not in (None, organism):
        raise InputError(f"{where}: {_other_organism(names, resolved, organism, genomes)}")
    if resolved.unknown == len(names):
        raise InputError(f"{where}: none of the {len(names)} features is a known gene ({', '.join(names[:3])}, …)")
    symbols, column = np.unique(resolved.symbols, return_inverse=True)
    to = np.full(len(table.symbols), -1, dtype=np.int64)
    to[keep] = column
    var = pd.DataFrame(index=pd.Index(symbols, dtype=object))
    if len(ids):
        first = np.zeros(len(symbols), dtype=np.int64)
        first[column[::-1]] = np.arange(len(names))[::-1]
        var["id"] = np.asarray(ids, dtype=object)[first]
    reading = {
        "layout": table.layout,
        "barcodes": len(table.barcodes),
        "features": len(table.symbols),
        "genes": len(symbols),
        "names": resolved.kind,
        "unknown_names": resolved.unknown,
        "duplicates_summed": len(names) - len(symbols),
        "other_features_dropped": len(table.symbols) - len(names),
        "no_genes": no_genes,
        "no_cells": list(table.no_cells),
        "genomes": genomes,
        "spreadsheet_dates": [name for name in names if looks_like_date(name)],
        "renamed": {old: new for old, new in resolved.renamed.items() if new in known_symbols(organism) and not cased},
    }
    return Genes(to, var, reading)


def _refuse_other_animals(names: Sequence[str], ids: Sequence[str], organism: Organism, where: str) -> None:
    """Refuse the genes of other animals, whatever stands beside their identifiers, and of two organisms together."""
    for prefix, animal in OTHER_ANIMALS.items():
        for some in (names, ids):
            if sum(name.startswith(prefix) for name in some) > len(names) / 2:
                raise InputError(f"{where}: the genes are of {animal} ({prefix}…), which is not supported")
    rats = [name for name in names if RAT_NAMES.fullmatch(name)]
    if len(rats) >= 3 and not any(name.startswith("H2-") for name in names):
        raise InputError(f"{where}: the genes are of rat ({', '.join(rats[:3])}, …), which is not supported")
    human = [sum(name.startswith("ENSG") for name in some) for some in (names, ids)]
    mouse = [sum(name.startswith("ENSMUSG") for name in some) for some in (names, ids)]
    if min(max(human), max(mouse)) > 0.05 * len(names):
        raise InputError(
            f"{where}: genes of human ({max(human)}) and of mouse ({max(mouse)}) together; keep one organism's genes and cells"
        )
    own, other = (human, mouse) if organism == "human" else (mouse, human)
    if max(other) > len(names) / 2 > max(own):
        raise InputError(
            f"{where}: the genes are {'mouse' if organism == 'human' else 'human'}, but the data set says {organism}"
        )


def _own_case(names: list[str], organism: Organism) -> tuple[list[str], bool]:
    """Return mouse symbols that were written in capitals as they are spelt, and whether they were.

    Half of the mouse's symbols are no symbols of human in any case, and the other way round.
    """
    if organism != "mouse":
        return names, False
    mouse, human = known_symbols("mouse"), known_symbols("human")
    if sum(name in mouse for name in names) > 0.2 * len(names):
        return names, False
    spelt = {symbol.upper(): symbol for symbol in mouse} | {old.upper(): new for old, new in aliases("mouse").items()}
    only_mouse = sum(name in spelt and name not in human for name in names)
    only_human = sum(name in human and name not in spelt for name in names)
    if only_mouse < 3 or only_mouse <= 3 * only_human:
        return names, False
    return [spelt.get(name, name) for name in names], True


def _other_organism(names: Sequence[str], resolved: Resolved, organism: Organism, genomes: Sequence[str]) -> str:
    other = resolved.organism_guess
    upper = {symbol.upper() for symbol in known_symbols("mouse")}
    if any(HUMAN_GENOME.match(name) for name in genomes):
        return f"the genes are {other} (genome {', '.join(genomes)}), but the data set says {organism}"
    if other == "human" and all(name in upper or name not in known_symbols("human") for name in names):
        return (
            f"the genes are written in capitals, as human ones are, and none of them distinguishes mouse from human; the data set says {organism}: "
            "write them as the mouse's (Itgax), or put Ensembl ids beside them"
        )
    return f"the genes are {other}, but the data set says {organism}"


def with_genes(counts: sp.csr_matrix, barcodes: Sequence[str], obs: pd.DataFrame | None, genes: Genes) -> ad.AnnData:
    """Return counts (barcodes × features, int32, used up) as AnnData of genes."""
    summed = renumber(counts, genes.column, len(genes.var))
    table = obs if obs is not None else pd.DataFrame(index=_names(barcodes))
    adata = ad.AnnData(summed, obs=table, var=genes.var.copy())
    adata.obs_names = pd.Index(np.asarray(barcodes, dtype=object))
    adata.uns["reading"] = dict(genes.reading)
    return adata


def _choose_features(
    table: Table, organism: Organism, genome: str | None, where: str
) -> tuple[list[str], Integers, list[str], list[str]]:
    """Return the gene names, their columns, the genomes seen, and what is no gene.

    Antibodies, other genomes, spike-ins, sums and facts of cells are left out. A symbol that is missing is replaced by the id.
    """
    kinds = [kind.lower() for kind in table.types] or [""] * len(table.symbols)
    is_gene = np.array([kind in GENE_TYPES for kind in kinds])
    others = _no_genes(table, organism)
    is_gene[others] = False
    if not is_gene.any():
        raise InputError(f"{where}: no gene among the features (types: {', '.join(sorted(set(table.types)))})")
    names = list(table.ids) if _prefer_ids(table, organism) else _single_names(table.symbols)
    if len(table.ids):
        names = [name if name.lower() not in MISSING else table.ids[k] for k, name in enumerate(names)]
    nameless = [k for k, name in enumerate(names) if name.lower() in MISSING]
    is_gene[nameless] = False
    names = _summed_parts(names)
    prefixes = [next((p for p in BARNYARD if name.startswith(p)), "") for name in names]
    seen = list(table.genomes) if len(table.genomes) else [prefix.strip("_") for prefix in prefixes]
    found = sorted({name for name, gene in zip(seen, is_gene, strict=True) if gene and name})
    if genome:
        if genome not in found:
            raise InputError(
                f"{where}: genome '{genome}' is not in the file; there are: {', '.join(found) or 'none named'}"
            )
        is_gene &= np.array([name == genome for name in seen])
    elif len(found) > 1:
        raise InputError(
            f"{where}: the file holds several genomes ({', '.join(found)}); say which in the column genome"
        )
    keep = np.flatnonzero(is_gene)
    left = [table.symbols[k] for k in others] + [f"({len(nameless)} without a name)"] * bool(nameless)
    return [names[k][len(prefixes[k]) :] for k in keep], keep, found, left


_JOINED = (
    re.compile(r"ENS[A-Z]*G\d{6,}(?:\.\d+)?[_|:;]+(?P<name>.+)"),
    re.compile(r"(?P<name>.+?)[_|:;]+ENS[A-Z]*G\d{6,}(?:\.\d+)?"),
    re.compile(r"(?P<name>.+)__chr[\w.]+"),
)
"""Names in which an identifier, or the chromosome (CEL-Seq2), stands beside the symbol."""


def _single_names(names: Sequence[str]) -> list[str]:
    """Return the symbols of names that are two in one (``ENSMUSG00000000001_Gnai3``, ``Gnai3__chr3``); others as they are."""
    some = names[:: max(len(names) // 50, 1)]
    for pattern in _JOINED:
        if sum(pattern.fullmatch(name) is not None for name in some) > 0.5 * len(some):
            return [match["name"] if (match := pattern.fullmatch(name)) else name for name in names]
    return list(names)


def _no_genes(table: Table, organism: Organism) -> list[int]:
    """Return which features are no genes by their names: sums, spike-ins, tags, and facts of cells beside the genes."""
    names = table.symbols
    # one search over all names first: there are tens of thousands, and mostly none of these
    found = (
        {k for k, name in enumerate(names) if NO_GENES.fullmatch(name)} if NO_GENES.search("\n".join(names)) else set()
    )
    known = known_symbols(organism)
    tags = [k for k, name in enumerate(names) if name not in known and SPIKES_AND_TAGS.fullmatch(name)]
    found |= {k for k in tags if names[k].capitalize() not in known and names[k] not in known_symbols("human")}
    if table.layout.startswith("dense text"):
        found |= {k for k, name in enumerate(names) if name not in known and SUMS.fullmatch(name)}
        found |= set(_beside_the_genes(names, known))
    return sorted(found)


TRANSGENES = re.compile(
    r"[et]?(gfp|yfp|cfp|rfp|bfp)|cre(ert2?)?|tdtomato|mcherry|venus|luciferase|laczs?|dta|dtr|wpre|neo", re.IGNORECASE
)
_FACT = re.compile(
    r"[a-z][a-z0-9]*([_. -][a-z0-9]+)*|[a-z]+[A-Z]\w*_\w+|(Sample|Day|Cluster|Batch|Age|Sex|Group|Plate|Well|Condition|Treatment)([_. -]?\w+)?"
)
MOST_FACTS = 60
"""Columns of facts that are looked for before the first gene and behind the last."""


def _beside_the_genes(names: Sequence[str], known: Collection[str]) -> list[int]:
    """Return which features before the first known gene, or behind the last, are named as facts of cells are (``day``, ``cluster``).

    Only where nearly all between them are genes; a transgene (``gfp``) is no fact.
    """
    own = [name in known or name.startswith("ENS") for name in names[:MOST_FACTS]]
    before = own.index(True) if True in own else 0
    own_last = [name in known or name.startswith("ENS") for name in names[: -MOST_FACTS - 1 : -1]]
    behind = own_last.index(True) if True in own_last else 0
    edges = [*range(before), *range(len(names) - behind, len(names))]
    return [k for k in edges if _FACT.fullmatch(names[k]) and not TRANSGENES.fullmatch(names[k])]


def _summed_parts(names: list[str]) -> list[str]:
    """Return names without alevin-fry's marks of unspliced and ambiguous molecules: a gene's count is the sum of its parts."""
    whole = set(names)
    marked = [name for name in names if name.endswith(("-U", "-A")) and name[:-2] in whole]
    if len(marked) < len(names) / 2:
        return names
    return [name[:-2] if name.endswith(("-U", "-A")) and name[:-2] in whole else name for name in names]


def _prefer_ids(table: Table, organism: Organism) -> bool:
    """Return whether the symbols are empty, mere numbers or of another spelling, so that the ids must serve."""
    if not len(table.ids):
        return False
    sample = range(0, len(table.symbols), max(len(table.symbols) // 2000, 1))
    symbols = [table.symbols[k] for k in sample if table.symbols[k].lower() not in MISSING]
    if not symbols or all(name.isdigit() for name in symbols):
        return True
    known, own = known_symbols(organism), symbols_by_id(organism)
    ids = [table.ids[k] for k in sample]
    bare = (re.sub(f"^({'|'.join(BARNYARD)})", "", name).partition(".")[0] for name in ids)
    return (
        sum(name in own for name in bare) > len(ids) / 2 and sum(name in known for name in symbols) < len(symbols) / 4
    )


def _names(barcodes: Sequence[str]) -> pd.Index:
    names: pd.Index = pd.Index(np.asarray(barcodes, dtype=object), dtype=object)
    return names
