"""The step `drivers`: genes and activities that are associated with the state, by animal."""

from collections.abc import Callable, Sequence

import anndata as ad
import numpy as np
import pandas as pd

from recovery_microglia.core.anndata_access import obs_of
from recovery_microglia.core.arrays import Bools
from recovery_microglia.core.genes import Signatures
from recovery_microglia.core.json_files import Json
from recovery_microglia.core.processes import mapped
from recovery_microglia.core.vocabulary import Status
from recovery_microglia.drivers.activities import ACTIVITY_COLUMNS, activities
from recovery_microglia.drivers.genes import (
    STATE,
    Contrast,
    Ratios,
    contrasts_table,
    genes_by_animal,
    genes_table,
    injury_contrasts,
    not_called,
    ratios_by_animal,
    state_contrasts,
)
from recovery_microglia.drivers.igf1 import igf1_genes, untested
from recovery_microglia.drivers.networks import Network, networks_table
from recovery_microglia.drivers.pseudobulks import ALL, by_call, pseudobulks

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
    threads: int = 1,
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
    threads
        Processes that share the models: recovery cells against others, and injured against control animals.
    """
    made_call = genes_of_the_call(signatures, refinement)
    called = recovery["status"] != Status.NOT_TESTABLE
    bulks = by_call(myeloid, cells if called else cells[:0], sheet)
    microglia = [ALL if name == "microglia" else "" for name in obs_of(myeloid)["lineage"]]
    of_animals = pseudobulks(myeloid, microglia, sheet)
    models: list[Callable[[], list[Contrast]]] = [lambda: injury_contrasts(of_animals, made_call)]
    if called:
        models.append(lambda: state_contrasts(bulks, made_call))
        igf1 = igf1_genes(myeloid[_recovery(myeloid, cells)], made_call)
    else:
        models.append(lambda: [not_called(str(recovery["reason"]))])
        igf1 = untested(f"no call: {recovery['reason']}")
    injury, state = mapped(lambda model: model(), models, threads)
    ratios = ratios_by_animal(bulks)
    return {
        "driver_contrasts": contrasts_table([*state, *injury]),
        "driver_genes": genes_table([*state, *injury]),
        "driver_animals": genes_by_animal(state, ratios),
        "driver_activities": _activities([*state, *injury], ratios, igf1, networks, made_call),
        "driver_networks": networks_table(networks),
        "driver_igf1": igf1,
    }


def _recovery(myeloid: ad.AnnData, cells: pd.DataFrame) -> Bools:
    """Return which cells are recovery cells of injured animals."""
    called = set(cells.loc[cells["recovery_call"].fillna(False).astype(bool), "cell"])
    injured = (obs_of(myeloid)["condition"] == "injured").to_numpy()
    return np.asarray(myeloid.obs_names.isin(called)) & injured


def _activities(
    contrasts: Sequence[Contrast],
    by_animal: Ratios,
    igf1: pd.DataFrame,
    networks: Sequence[Network],
    made_call: Sequence[str],
) -> pd.DataFrame:
    """Return the activities of all contrasts, and of what goes with *Igf1*, under each other."""
    parts = []
    for contrast in contrasts:
        if contrast.genes.empty:
            continue
        genes = contrast.genes.set_index("gene")["statistic"]
        inside = by_animal.of_arm(str(contrast.facts["arm"]))[genes.index] if contrast.facts["kind"] == STATE else None
        parts.append(activities(contrast.name, genes, networks, made_call=made_call, animals=inside))
    if (igf1["status"] == Status.TESTED).any():
        statistic = igf1.set_index("gene")["statistic"]
        parts.append(activities(IGF1, statistic, networks, made_call=made_call))
    parts = [part for part in parts if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(ACTIVITY_COLUMNS))
