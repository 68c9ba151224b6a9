"""A stand-in of GSE162807 for the tutorial: the deposit's layout and its animals, with simulated cells.

  PYTHONPATH=tests:scripts .venv/bin/python -m stand_in /tmp/geo
  GEO_MIRROR=/tmp/geo .venv/bin/snakemake --cores 8 --config 'datasets=[GSE162807]'

The cells are those of the demo, nine in ten of them microglia as after sorting. They say nothing about the real series.
"""

import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from geo_fakes import h5, tar
from recovery_microglia.core.anndata_access import counts_of
from recovery_microglia.core.frame_access import records
from recovery_microglia.core.places import project
from recovery_microglia.simulate.libraries import simulate_library
from recovery_microglia.simulate.parameters import Parameters, load_parameters

SERIES = "GSE162807"
SORTED = 0.9
"""Share of microglia after sorting."""
CELLS = 300
DAYS = {("naive", 0): 0, ("injured", 3): 3, ("injured", 14): 14, ("injured", 150): 35}
"""Condition and day of the series to the demo's day; every sham is as on the demo's only day of shams."""


def sorted_cells(parameters: Parameters) -> Parameters:
    """Return the demo's tables with the shares of a sorted sample."""
    table = parameters.composition.copy()
    microglia = table["cell_type"] == "microglia"
    rest = 1 - table["share"][microglia].set_axis(pd.MultiIndex.from_frame(table[microglia][["condition", "day"]]))
    own = pd.MultiIndex.from_frame(table[["condition", "day"]])
    scaled = table["share"] * (1 - SORTED) / rest.reindex(own).to_numpy()
    table["share"] = np.where(microglia, SORTED, scaled)
    return dataclasses.replace(parameters, composition=table)


def library_of(row: Mapping[str, Any], parameters: Parameters) -> tuple[dict[str, Any], Parameters]:
    """Return a library of the series in the simulation's words, and the tables with a row for it."""
    condition, day = row["condition"], int(float(row["day"]))
    days = 14 if condition == "sham" else DAYS[condition, day]
    facts = parameters.libraries.iloc[[0]].assign(library=row["library"])
    library = {"library": row["library"], "condition": condition, "day": days, "sex": row["sex"], "batch": "A"}
    return library, dataclasses.replace(parameters, libraries=facts)


def deposit(cells: int = CELLS, *, seed: int = 7) -> bytes:
    """Return ``GSE162807_RAW.tar``: a Cell Ranger h5 a library, of both generations; the human ones hold a few counts."""
    parameters = sorted_cells(load_parameters(project() / "config/datasets/demo/simulation"))
    genes = list(parameters.genes["gene"])
    sheet = pd.read_csv(project() / f"config/datasets/{SERIES}/samples.tsv", sep="\t", dtype=str, keep_default_na=False)
    members = {}
    for k, row in enumerate(records(sheet)):
        kind = ("filtered_feature_bc_matrix.h5", "filtered_gene_bc_matrices_h5.h5")[k % 2]
        if row["include"] == "yes":
            library, own = library_of(row, parameters)
            counts, _ = simulate_library(own, library, n_cells=cells, seed=seed)
            content = h5(np.asarray(counts_of(counts).todense()), genes, version=3 - k % 2)
        else:
            content = h5(
                np.ones((3, len(genes)), dtype=int), [g.upper() for g in genes], version=3 - k % 2, genome="GRCh38"
            )
        members[f"{row['file']}{row['library']}_{kind}"] = content
    return tar(members)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{SERIES}_RAW.tar").write_bytes(deposit())
    print(
        f"{folder}/{SERIES}_RAW.tar: {CELLS} simulated cells a library. Say GEO_MIRROR={folder} before the run's command."
    )
