"""From what a layout's reader found to AnnData: features become genes, counts are checked."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

from recovery_microglia.core.anndata_access import counts_of
from recovery_microglia.core.arrays import Integers
from recovery_microglia.core.errors import InputError
from recovery_microglia.core.genes import Organism, Resolved, known_symbols, resolve_symbols
from recovery_microglia.core.tsv import looks_like_date
from recovery_microglia.readers.renumber import renumber
from recovery_microglia.readers.table import Table
from recovery_microglia.readers.validation import check_counts, check_depths, check_names

BARNYARD = ("mm10___", "mm10_", "GRCm38_", "GRCm39_", "mm39_", "hg19_", "GRCh38_", "hg38_")


OTHER_ANIMALS = {
    "ENSRNOG": "rat",
    "ENSMMUG": "macaque",
    "ENSMFAG": "macaque",
    "ENSDARG": "zebrafish",
    "ENSSSCG": "pig",
    "ENSCAFG": "dog",
}
"""What Ensembl's gene identifiers of animals begin with whose spinal cords are sequenced too."""


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
    genes = genes_of(table, organism=organism, genome=genome, where=where)
    _refuse_repeated(counts, genes, where)
    adata = with_genes(counts, table.barcodes, table.obs, genes)
    check_depths(counts_of(adata), where)
    return adata


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
            f"{where}: {twice.sum()} of {len(genes.var)} genes are there twice with the same counts; is its content repeated?"
        )


def genes_of(table: Table, *, organism: Organism, genome: str | None, where: str) -> Genes:
    """Return the genes among a table's features, by their current symbols; see `to_anndata`."""
    names, keep, genomes, no_genes = _choose_features(table, genome, where)
    resolved = resolve_symbols(names, organism)
    if resolved.organism_guess not in (None, organism):
        raise InputError(f"{where}: the genes are {resolved.organism_guess}, but the data set says {organism}")
    _refuse_what_is_no_gene(names, resolved, where)
    symbols, column = np.unique(resolved.symbols, return_inverse=True)
    to = np.full(len(table.symbols), -1, dtype=np.int64)
    to[keep] = column
    var = pd.DataFrame(index=pd.Index(symbols, dtype=object))
    if len(table.ids):
        first = np.zeros(len(symbols), dtype=np.int64)
        first[column[::-1]] = np.arange(len(names))[::-1]
        var["id"] = np.asarray(table.ids, dtype=object)[keep][first]
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
        "genomes": genomes,
        "spreadsheet_dates": [name for name in names if looks_like_date(name)],
        "renamed": {old: new for old, new in resolved.renamed.items() if new in known_symbols(organism)},
    }
    return Genes(to, var, reading)


def with_genes(counts: sp.csr_matrix, barcodes: Sequence[str], obs: pd.DataFrame | None, genes: Genes) -> ad.AnnData:
    """Return counts (barcodes × features, int32, used up) as AnnData of genes."""
    summed = renumber(counts, genes.column, len(genes.var))
    table = obs if obs is not None else pd.DataFrame(index=_names(barcodes))
    adata = ad.AnnData(summed, obs=table, var=genes.var.copy())
    adata.obs_names = pd.Index(np.asarray(barcodes, dtype=object))
    adata.uns["reading"] = dict(genes.reading)
    return adata


def _choose_features(table: Table, genome: str | None, where: str) -> tuple[list[str], Integers, list[str], list[str]]:
    """Return the gene names, their columns, the genomes seen, and what is no gene.

    Antibodies, other genomes and sums of cells are left out.
    """
    kinds = [kind.lower() for kind in table.types] or [""] * len(table.symbols)
    is_gene = np.array([kind in GENE_TYPES for kind in kinds])
    # one search over all names first: there are tens of thousands, and mostly none of these
    odd = NO_GENES.search("\n".join(table.symbols))
    others = [k for k, name in enumerate(table.symbols) if NO_GENES.fullmatch(name)] if odd else []
    is_gene[others] = False
    if not is_gene.any():
        raise InputError(f"{where}: no gene among the features (types: {', '.join(sorted(set(table.types)))})")
    names = list(table.ids) if _prefer_ids(table) else list(table.symbols)
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
    return [names[k][len(prefixes[k]) :] for k in keep], keep, found, [table.symbols[k] for k in others]


def _refuse_what_is_no_gene(names: Sequence[str], resolved: Resolved, where: str) -> None:
    """Refuse other animals' genes, which would only be absent, and features that are no genes (peaks, numbers)."""
    if resolved.unknown < len(names):
        return
    for prefix, animal in OTHER_ANIMALS.items():
        if sum(name.startswith(prefix) for name in names) > len(names) / 2:
            raise InputError(f"{where}: the genes are of {animal} ({prefix}…), which is not supported")
    shown = ", ".join(names[:3])
    raise InputError(f"{where}: none of the {len(names)} features is a known gene ({shown}, …)")


def _prefer_ids(table: Table) -> bool:
    """Return whether the column of symbols is empty or only repeats numbers, so that the ids must serve."""
    sample = [name for name in table.symbols[:2000] if name]
    return bool(len(table.ids)) and (not sample or all(name.isdigit() for name in sample))


def _names(barcodes: Sequence[str]) -> pd.Index:
    names: pd.Index = pd.Index(np.asarray(barcodes, dtype=object), dtype=object)
    return names
