"""One library, from its counts to cells with quality and lineage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

from recovery_microglia.core.anndata_access import counts_of
from recovery_microglia.core.errors import InputError, Notice
from recovery_microglia.core.frame_access import records
from recovery_microglia.core.genes import MYELOID, Organism, Signatures, known_symbols, present
from recovery_microglia.core.kernels import group_sums, row_sums
from recovery_microglia.core.vocabulary import Severity
from recovery_microglia.core.wording import percent_in_sentence
from recovery_microglia.library.doublets import doublets_expected, find_doublets
from recovery_microglia.library.empty_droplets import EMPTY_COUNTS, Called, call_cells, looks_unfiltered
from recovery_microglia.library.lineage import LineageCall, assign_lineage, many_macrophages
from recovery_microglia.library.quality_control import TARGETED_GENES, call_sex, cell_metrics, compare_sex, filter_cells
from recovery_microglia.library.settings import CellSettings

REMOVED = ("low_counts", "high_counts", "low_genes", "high_mito", "high_haemoglobin", "doublet")
FEW_MICROGLIA = 50


@dataclass(frozen=True)
class LibraryResult:
    """What a library leaves behind: see ``docs/output.md``."""

    cells: pd.DataFrame
    myeloid: ad.AnnData
    lineage_sums: pd.DataFrame
    report: dict[str, Any]


def _select_cells(counts: ad.AnnData, droplets: str, seed: int) -> tuple[ad.AnnData, Called | None]:
    """Return the cells, and how they were called if the matrix held empty droplets."""
    unfiltered = looks_unfiltered(counts_of(counts)) if droplets == "auto" else droplets == "unfiltered"
    if not unfiltered:
        seen = row_sums(counts_of(counts)) > 0
        return (counts if seen.all() else counts[seen].copy()), None
    called = call_cells(counts_of(counts), seed=seed)
    return counts[called.mask].copy(), called


def process_library(
    counts: ad.AnnData,
    facts: Mapping[str, str],
    signatures: Signatures,
    settings: CellSettings,
    *,
    seed: int = 1,
) -> LibraryResult:
    """Take one library from raw counts to cells with quality, doublets and lineage.

    Parameters
    ----------
    counts
        Barcodes × genes, raw counts; ``uns['reading']`` says how they were read.
    facts
        library, sex, sort, droplets, injury_class.
    signatures
        Gene sets.
    settings
        Quality bounds.
    seed
        Seed of cell calling and doublets.

    Raises
    ------
    InputError
        No cell is left.
    """
    name = facts["library"]
    try:
        cells, called = _select_cells(counts, facts["droplets"], seed)
    except InputError as mistake:
        raise InputError(f"library {name}: {mistake}") from None
    if cells.n_obs == 0:
        raise InputError(f"library {name}: none of its {counts.n_obs} barcodes has a count")
    genes = pd.Index(cells.var_names)
    table = cell_metrics(counts_of(cells), genes, signatures)
    removed_by, filters = filter_cells(table, settings, n_genes=len(genes))
    if not (removed_by == "").any():
        raise InputError(f"library {name}: no cell passes quality control; filters: {_words(filters)}")
    table["doublet_score"] = np.nan
    doublets = _flag_doublets(counts_of(cells), table, removed_by, settings, seed)
    filters.loc[len(filters)] = ["doublet", np.nan, doublets["threshold"], doublets["called"]]
    kept = (removed_by == "").to_numpy()
    ambient = called.ambient if called else None
    lineage = assign_lineage(counts_of(cells), genes, signatures, ambient=ambient, sort=facts["sort"], good=kept)
    table = pd.concat([table, lineage.table], axis=1)
    table.insert(0, "library", name)
    table.insert(1, "barcode", cells.obs_names.to_numpy(str))
    table.insert(list(table.columns).index("lineage"), "removed_by", removed_by.astype(str))
    notices, sex = _notices(table[kept], genes, lineage, signatures, facts)
    notices += _dates_for_genes(counts.uns.get("reading", {}).get("spreadsheet_dates", []))
    notices += _left_out(counts.uns.get("reading", {}))
    notices += measured_notices(counts_of(cells), genes, table[kept], facts)
    if settings.doublets and doublets["reason"]:
        notices.append(
            Notice("doublets_not_called", Severity.INFO, f"{doublets['reason'][0].upper()}{doublets['reason'][1:]}.")
        )
    report = {
        "library": name,
        "reading": dict(counts.uns.get("reading", {})),
        "calling": _calling_report(counts, called),
        "filters": records(filters),
        "doublets": doublets,
        "lineage": {"n_cells": table[kept]["lineage"].value_counts().to_dict(), "method": lineage.method},
        "sex_stated": facts["sex"],
        "sex_called": sex,
        "notices": [notice.as_dict() for notice in notices],
    }
    return LibraryResult(
        table,
        _myeloid(cells, table, kept, ambient),
        _lineage_sums(counts_of(cells), genes, table["lineage"], kept),
        report,
    )


def _dates_for_genes(dates: Sequence[str]) -> list[Notice]:
    """Return what must be said where a spreadsheet has turned genes into dates; which gene 1-Mar was, nobody can tell."""
    if not len(dates):
        return []
    named = f"{len(dates)} gene{'s were' if len(dates) > 1 else ' was'} turned into {'dates' if len(dates) > 1 else 'a date'}"
    text = f"{named} by a spreadsheet ({', '.join(dates[:3])}); such genes count for nothing. Take the table from its source."
    return [Notice("genes_are_dates", Severity.WARNING, text)]


def _left_out(reading: Mapping[str, Any]) -> list[Notice]:
    """Return what must be said of features that are no genes, and of columns that are no cells."""
    notices = []
    if len(no_genes := reading.get("no_genes", [])):
        text = f"{len(no_genes)} of the features are no genes and were left out: {', '.join(no_genes[:5])}."
        notices.append(Notice("features_are_no_genes", Severity.INFO, text))
    if len(no_cells := reading.get("no_cells", [])):
        text = f"{len(no_cells)} of the table's columns hold no counts and were left out: {', '.join(no_cells[:5])}."
        notices.append(Notice("columns_are_no_cells", Severity.INFO, text))
    return notices


UNKNOWN_SHARE, UNKNOWN_NAME = 0.2, 0.1
"""Share of the counts in unknown names, and in one of them, that is told. In public mouse data of annotations from 2012 on it is
0.06 to 0.13 in all and below 0.01 in each (ten libraries of four studies)."""
BULK_COUNTS, BULK_GENES = 300_000, 10_500
"""Median counts and genes of a barcode from which on it looks like many cells. Sums of 300 real microglia (Hammond 2019, Sousa 2018,
MARS-seq of Keren-Shaul 2017) have 250,000 to 680,000 counts of 9,400 to 12,000 genes, of 1,000 12,000 to 14,400; the richest single cell
of ten such libraries has 6,600 genes, and a cell of a plate that is read deeply has half the genes of a sum."""


def measured_notices(
    counts: sp.csr_matrix, genes: pd.Index, kept: pd.DataFrame, facts: Mapping[str, str]
) -> list[Notice]:
    """Return what must be said of what was measured: counts of unknown names, no mitochondrial gene, bulk profiles."""
    known: Organism = "human" if facts.get("organism") == "human" else "mouse"
    unknown = np.flatnonzero(~genes.isin(known_symbols(known)))
    per_gene = group_sums(counts, np.zeros(counts.shape[0], dtype=np.int64), 1)[0].astype(np.float64)
    share = per_gene / max(per_gene.sum(), 1)
    notices = []
    top = unknown[np.argsort(-share[unknown], kind="stable")[:3]]
    targeted = len(genes) < TARGETED_GENES
    if share[unknown].sum() >= UNKNOWN_SHARE or (len(top) and share[top[0]] >= UNKNOWN_NAME and not targeted):
        named = ", ".join(f"{genes[k]} {percent_in_sentence(share[k])}" for k in top)
        text = (
            f"{percent_in_sentence(share[unknown].sum())} of the counts are of {len(unknown)} names that are no known genes "
            f"({named}): are there rows that are no genes, or is it another annotation?"
        )
        notices.append(Notice("unknown_names", Severity.WARNING, text))
    if kept["pct_mito"].isna().all():
        text = "No mitochondrial gene is in the matrix: cells were not filtered by their share of mitochondrial counts."
        notices.append(Notice("mito_not_measured", Severity.INFO, text))
    medians = kept[["n_counts", "n_genes"]].median()
    if medians["n_counts"] >= BULK_COUNTS and medians["n_genes"] >= BULK_GENES:
        text = (
            f"The barcodes look like bulk samples, not cells: a median of {medians['n_counts']:,.0f} counts of "
            f"{medians['n_genes']:,.0f} genes. Shares of cells mean nothing then."
        )
        notices.append(Notice("bulk_profiles", Severity.ALARM, text))
    return notices


def _words(filters: pd.DataFrame) -> str:
    return ", ".join(f"{row['filter']} {row['removed']}" for row in records(filters))


def _flag_doublets(
    counts: sp.csr_matrix, table: pd.DataFrame, removed_by: pd.Series, settings: CellSettings, seed: int
) -> dict[str, Any]:
    """Score the kept cells, mark the doublets in ``table`` and ``removed_by``, and say what was done."""
    kept = np.flatnonzero(removed_by == "")
    if not settings.doublets:
        return {"called": 0, "threshold": np.nan, "reason": "switched off in config.yaml"}
    rate = doublets_expected(len(removed_by), settings.expected_doublet_rate)
    found = find_doublets(counts, kept, expected_rate=rate, seed=seed)
    table.loc[kept, "doublet_score"] = found.score
    removed_by.iloc[kept[found.called]] = "doublet"
    return {"called": int(found.called.sum()), "threshold": found.threshold, "reason": found.reason}


def _calling_report(counts: ad.AnnData, called: Called | None) -> dict[str, Any]:
    n = int(counts.n_obs)
    if called is None:
        return {"barcodes": n, "unfiltered": False}
    return {
        "barcodes": n,
        "unfiltered": True,
        "cells": int(called.mask.sum()),
        "threshold": called.threshold,
        "by_counts": called.n_ordmag,
        "by_ambient_test": called.n_added,
        "empty_counts": EMPTY_COUNTS,
    }


def _notices(
    kept: pd.DataFrame,
    genes: pd.Index,
    lineage: LineageCall,
    signatures: Signatures,
    facts: Mapping[str, str],
) -> tuple[list[Notice], str]:
    """Return what the report must say of the library, and the sex that its genes tell."""
    here = set(genes)
    measured = {n: bool(present(signatures.technical[n].up, here)) for n in ("sex_female", "sex_male")}
    sex = call_sex(kept, y_genes_measured=measured["sex_male"], xist_measured=measured["sex_female"])
    notices = [*lineage.notices, *compare_sex(facts["sex"], sex, facts["library"])]
    if alarm := many_macrophages(kept, injury_class=facts["injury_class"]):
        notices.append(alarm)
    n = int((kept["lineage"] == "microglia").sum())
    if n < FEW_MICROGLIA:
        text = f"Fewer than {FEW_MICROGLIA} microglia: the share of a subgroup among so few is hardly known."
        notices.append(Notice("few_microglia", Severity.WARNING, text))
    return notices, sex


def _myeloid(cells: ad.AnnData, table: pd.DataFrame, kept: np.ndarray, ambient: np.ndarray | None) -> ad.AnnData:
    """Return the kept myeloid cells with raw counts, named ``<library>:<barcode>``; var has the soup of the others."""
    chosen = kept & table["lineage"].isin(MYELOID).to_numpy()
    obs = table[chosen].copy()
    obs.index = pd.Index(obs["library"] + ":" + obs["barcode"], dtype=object)
    soup = _soup(counts_of(cells), (table["lineage"] == "microglia").to_numpy(), ambient)
    var = pd.DataFrame({"soup": soup.astype(np.float32)}, index=cells.var_names)
    return ad.AnnData(counts_of(cells)[chosen].astype(np.int32), obs=obs, var=var)


def _soup(counts: sp.csr_matrix, microglia: np.ndarray, ambient: np.ndarray | None) -> np.ndarray:
    """Return the share of each gene in ambient RNA that is not of microglia (genes,); it sums to less than one.

    Ambient RNA is that of empty droplets, or of all cells together where there are none.
    """
    others, own = group_sums(counts, microglia.astype(np.int64), 2).astype(np.float64)
    every = others + own
    whole = every / every.sum() if ambient is None else np.asarray(ambient, dtype=np.float64)
    return np.asarray(np.maximum(whole - own / every.sum(), 0))


def _lineage_sums(counts: sp.csr_matrix, genes: pd.Index, lineage: pd.Series, kept: np.ndarray) -> pd.DataFrame:
    """Return summed counts of the kept cells, one row a gene, one column a lineage."""
    names = sorted(set(lineage[kept]))
    group = np.where(kept, pd.Index(names).get_indexer(lineage), -1)
    sums = dict(zip(names, group_sums(counts, group, len(names)), strict=True))
    return pd.DataFrame(sums, index=pd.Index(genes, name="gene")).astype(np.int64)


def write_library(result: LibraryResult, cells: Path, myeloid: Path, sums: Path) -> None:
    """Write the tables and the myeloid cells of a library (lzf: these files travel between jobs only)."""
    cells.parent.mkdir(parents=True, exist_ok=True)
    result.cells.to_parquet(cells, index=False)
    result.lineage_sums.to_parquet(sums)
    result.myeloid.write_h5ad(myeloid, compression="lzf")


# ---------------------------------------------------------------- tables over libraries


def qc_table(reports: Sequence[Mapping[str, Any]], cells: pd.DataFrame) -> pd.DataFrame:
    """Return one row a library (= qc.tsv): cells before and after each filter, medians, sex, notes."""
    rows = []
    for report in reports:
        own = cells[cells["library"] == report["library"]]
        kept = own[own["removed_by"] == ""]
        removed = {f"removed_{name}": int((own["removed_by"] == name).sum()) for name in REMOVED}
        tested = len(kept) + removed["removed_doublet"]
        medians = {
            f"median_{name}": float(kept[column].median())
            for name, column in [("counts", "n_counts"), ("genes", "n_genes")]
            + [(f"pct_{share}", f"pct_{share}") for share in ("mito", "haemoglobin", "dissociation", "myelin")]
        }
        rows.append(
            {
                "library": report["library"],
                "barcodes": report["calling"]["barcodes"],
                "cells_called": len(own),
                "kept": len(kept),
                **removed,
                **medians,
                "doublet_rate": removed["removed_doublet"] / tested if tested else np.nan,
                "sex_stated": report["sex_stated"],
                "sex_called": report["sex_called"],
                "microglia": int((kept["lineage"] == "microglia").sum()),
                "myeloid": int(kept["lineage"].isin(MYELOID).sum()),
                "ambiguous": int(kept["lineage"].isin(["ambiguous", "ambiguous_myeloid"]).sum()),
                "notes": "; ".join(notice["code"] for notice in report["notices"]),
            }
        )
    return pd.DataFrame(rows)


def lineage_table(cells: pd.DataFrame, sheet: pd.DataFrame) -> pd.DataFrame:
    """Return the cells of each lineage by library (= lineages.tsv); ``share`` is of the kept cells."""
    kept = cells[cells["removed_by"] == ""]
    counted = kept.groupby(["library", "lineage"]).size().rename("n").reset_index()
    counted["share"] = counted["n"] / counted.groupby("library")["n"].transform("sum")
    facts = sheet[["library", "subject", "day", "condition"]]
    return facts.merge(counted, on="library").sort_values(["library", "n"], ascending=[True, False])
