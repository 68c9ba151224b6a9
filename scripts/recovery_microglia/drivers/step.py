"""The step `drivers`: genes and activities that are associated with the state, by animal."""

from collections.abc import Sequence

import anndata as ad
import numpy as np
import pandas as pd

from recovery_microglia.core.anndata_access import obs_of
from recovery_microglia.core.genes import Signatures
from recovery_microglia.core.json_files import Json
from recovery_microglia.core.vocabulary import Status
from recovery_microglia.drivers.activities import ACTIVITY_COLUMNS, activities
from recovery_microglia.drivers.genes import (
    STATE,
    Contrast,
    contrasts_table,
    genes_by_animal,
    genes_table,
    injury_contrasts,
    not_called,
    ratios_by_animal,
    state_contrasts,
)
from recovery_microglia.drivers.igf1 import igf1_genes
from recovery_microglia.drivers.networks import Network, networks_table
from recovery_microglia.drivers.pseudobulks import ALL, Pseudobulks, by_call, pseudobulks

IGF1 = "igf1"


def genes_of_the_call(signatures: Signatures, refinement: pd.DataFrame) -> list[str]:
    """Return the genes by which recovery cells were called: the signature, and what was learnt and counts."""
    learnt = list(refinement.loc[refinement["decision"] != "dropped", "gene"]) if len(refinement) else []
    return sorted({*signatures.recovery.up, *learnt})


def drivers_step(
    *,
    sheet: pd.DataFrame,
    cells: pd.DataFrame,
    recovery: Json,
    refinement: pd.DataFrame,
    myeloid: ad.AnnData,
    signatures: Signatures,
    networks: Sequence[Network],
) -> dict[str, pd.DataFrame]:
    """Return the tables of genes and activities.

    Parameters
    ----------
    sheet
        One row a library.
    cells
        One row a microglia: cell, recovery_call.
    recovery
        What the call says of itself: status, reason.
    refinement
        Genes that were learnt (refinement.tsv).
    myeloid
        All myeloid cells, raw counts.
    signatures
        Gene sets.
    networks
        Networks of targets, with those that are not there.
    """
    microglia = myeloid[(myeloid.obs["lineage"] == "microglia").to_numpy()].copy()
    made_call = genes_of_the_call(signatures, refinement)
    called = recovery["status"] != Status.NOT_TESTABLE
    if called:
        bulks = by_call(microglia, cells, sheet)
        state = state_contrasts(bulks, made_call)
        inside = microglia[_recovery(microglia, cells)].copy()
        igf1 = igf1_genes(inside, made_call)
    else:
        bulks = by_call(microglia[:0].copy(), cells[:0], sheet)
        state = [not_called(str(recovery["reason"]))]
        igf1 = igf1_genes(microglia[:0].copy(), made_call).assign(reason=f"no call: {recovery['reason']}")
    injury = injury_contrasts(pseudobulks(microglia, [ALL] * microglia.n_obs, sheet), made_call)
    found = [*state, *injury]
    return {
        "driver_contrasts": contrasts_table(found),
        "driver_genes": genes_table(found),
        "driver_animals": genes_by_animal(state, bulks),
        "driver_activities": _activities(found, bulks, igf1, networks, made_call),
        "driver_networks": networks_table(networks),
        "driver_igf1": igf1,
    }


def _recovery(microglia: ad.AnnData, cells: pd.DataFrame) -> np.ndarray:
    """Return which microglia of injured animals are recovery cells."""
    called = set(cells.loc[cells["recovery_call"].fillna(False).astype(bool), "cell"])
    injured = (obs_of(microglia)["condition"] == "injured").to_numpy()
    return np.asarray(microglia.obs_names.isin(called)) & injured


def _activities(
    contrasts: Sequence[Contrast],
    bulks: Pseudobulks,
    igf1: pd.DataFrame,
    networks: Sequence[Network],
    made_call: Sequence[str],
) -> pd.DataFrame:
    """Return the activities of all contrasts, and of what goes with *Igf1*, under each other."""
    ratios, animals = ratios_by_animal(bulks)
    parts = []
    for contrast in contrasts:
        if contrast.genes.empty:
            continue
        own = ratios.loc[animals.loc[animals["arm"] == contrast.facts["arm"], "unit"]]
        genes = contrast.genes.set_index("gene")["statistic"]
        inside = own[genes.index] if contrast.facts["kind"] == STATE else None
        parts.append(activities(contrast.name, genes, networks, made_call=made_call, animals=inside))
    if (igf1["status"] == Status.TESTED).any():
        statistic = igf1.set_index("gene")["statistic"]
        parts.append(activities(IGF1, statistic, networks, made_call=made_call))
    parts = [part for part in parts if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(ACTIVITY_COLUMNS))
