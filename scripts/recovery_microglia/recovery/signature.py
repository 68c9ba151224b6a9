"""The signature in these data: which genes were measured, and how often they are seen."""

from collections.abc import Mapping
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd

from recovery_microglia.core.anndata_access import counts_of, gene_counts, obs_of
from recovery_microglia.core.arrays import Bools
from recovery_microglia.core.frame_access import positions
from recovery_microglia.core.genes import GeneSet, Signatures, present
from recovery_microglia.core.vocabulary import Condition
from recovery_microglia.recovery.rank_scores import thin_counts

LEFT_OUT = ("Itgax", "Igf1")
"""Scores are given with and without the two genes that name the subgroup (double dipping)."""


def coverage(signature: GeneSet, genes: pd.Index, *, least: int) -> dict[str, Any]:
    """Return which signature genes exist, and whether the call can be made.

    The call needs ``least`` genes, and *Itgax* or *Igf1* among them.
    """
    here = present(signature.up, set(genes))
    absent = [gene for gene in signature.up if gene not in here]
    named = [gene for gene in LEFT_OUT if gene in here]
    total = len(signature.up)
    reason = ""
    if len(here) < least:
        reason = f"{len(here)} of {total} signature genes were measured ({least} are needed"
        reason += "; Itgax and Igf1 are not among them)" if not named else ")"
    elif not named:
        reason = f"neither Itgax nor Igf1 is among the {len(here)} of {total} signature genes that were measured"
    return {"present": here, "absent": absent, "n_present": len(here), "n_genes": total, "reason": reason}


def markers_used(
    signatures: Signatures, microglia: ad.AnnData, control: Bools, renamed: Mapping[str, str]
) -> pd.DataFrame:
    """Return signature and context genes with their fate in the data (= markers_used.tsv)."""
    genes, counts = pd.Index(microglia.var_names), counts_of(microglia)
    injured = (microglia.obs["condition"] == Condition.INJURED).to_numpy()
    rows = []
    for gene_set in (signatures.recovery, signatures.context):
        for gene in gene_set.up:
            here = gene in genes
            seen = gene_counts(counts, genes, gene) > 0 if here else np.zeros(0, bool)
            rows.append(
                {
                    "set": gene_set.name,
                    "gene": gene,
                    "direction": "up",
                    "role": gene_set.roles.get(gene, ""),
                    "status": ("renamed" if gene in renamed else "present") if here else "absent",
                    "named_in_data": renamed.get(gene, gene) if here else "",
                    "libraries_with_gene": int(microglia.var["n_libraries"][gene]) if here else 0,
                    "detected_control": float(seen[control].mean()) if here and control.any() else np.nan,
                    "detected_injured": float(seen[injured].mean()) if here and injured.any() else np.nan,
                }
            )
    return pd.DataFrame(rows)


def itgax_igf1(microglia: ad.AnnData, *, seed: int) -> pd.DataFrame:
    """Return the share of cells with *Itgax* and with *Igf1* per subject, raw and at a common depth."""
    genes, raw = pd.Index(microglia.var_names), counts_of(microglia)
    keys = obs_of(microglia)[["subject", "day", "condition"]].reset_index(drop=True)
    total = np.asarray(raw.sum(axis=1)).ravel()
    own = positions(genes, present(LEFT_OUT, set(genes)))
    thinned = thin_counts(raw, float(np.quantile(total, 0.25)) if len(total) else 0.0, seed=seed, kept=own)
    for name, counts in (("", raw), ("_matched", thinned)):
        for gene in LEFT_OUT:
            here = gene in genes
            column = gene_counts(counts, genes, gene) > 0 if here else np.nan
            keys[f"{gene.lower()}_share{name}"] = np.asarray(column, dtype=float)
    grouped = keys.groupby(["subject", "day", "condition"], dropna=False, sort=False)
    return grouped.mean().reset_index().merge(grouped.size().rename("n").reset_index())
