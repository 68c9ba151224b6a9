"""The tables that a simulation draws from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from recovery_microglia.core.errors import InputError
from recovery_microglia.core.frame_access import labelled
from recovery_microglia.core.frames import read_commented

COLUMNS = {
    "genes": ("gene", "id", "umis_per_10k"),
    "cell_types": ("cell_type", "median_umis", "sd_log_umis"),
    "markers": ("cell_type", "gene", "log2_fold_change"),
    "programmes": ("programme", "gene", "log2_fold_change"),
    "composition": ("condition", "day", "cell_type", "share"),
    "states": ("condition", "day", "state", "share"),
    "libraries": ("library", "depth", "ambient", "doublets", "low_quality", "stress"),
    "settings": ("setting", "value", "meaning"),
}
SIGNALS = {
    "signals": ("ligand", "receptor", "cell_type", "umis_per_10k", "follows", "target_umis_per_10k"),
    "targets": ("source", "target", "weight"),
}
"""Tables that a simulation may have beside: ligands of other cell types, and their targets in microglia."""


@dataclass(frozen=True)
class Parameters:
    """The tables of a simulation, checked; one DataFrame each, plus ``settings`` as numbers by name."""

    genes: pd.DataFrame
    cell_types: pd.DataFrame
    markers: pd.DataFrame
    programmes: pd.DataFrame
    composition: pd.DataFrame
    states: pd.DataFrame
    libraries: pd.DataFrame
    settings: Mapping[str, float]


def load_parameters(folder: Path) -> Parameters:
    """Read the tables of a simulation.

    Raises
    ------
    InputError
        A table or column is missing, a gene or cell type is not known, or shares do not add up to one.
    """
    tables: dict[str, pd.DataFrame] = {}
    for name, columns in COLUMNS.items():
        path = folder / f"{name}.tsv"
        if not path.is_file():
            raise InputError(f"{path}: no such file; a simulation needs {', '.join(COLUMNS)} (.tsv)")
        tables[name] = read_commented(path)
        if missing := [column for column in columns if column not in tables[name]]:
            raise InputError(f"{path}: column {', '.join(missing)} is missing; needed: {', '.join(columns)}")
    _check(tables, folder)
    settings = tables.pop("settings")
    return Parameters(**tables, settings=dict(zip(settings["setting"], settings["value"], strict=True)))


def load_signals(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the signals of a simulation and their targets; empty tables where it has none.

    Raises
    ------
    InputError
        A column is missing.
    """
    found = []
    for name, columns in SIGNALS.items():
        path = folder / f"{name}.tsv"
        table = read_commented(path) if path.is_file() else pd.DataFrame(columns=list(columns))
        if missing := [column for column in columns if column not in table]:
            raise InputError(f"{path}: column {', '.join(missing)} is missing; needed: {', '.join(columns)}")
        found.append(table)
    return found[0], found[1]


def _check(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    genes, types = set(tables["genes"]["gene"]), set(tables["cell_types"]["cell_type"])
    mistakes = []
    for name in ("markers", "programmes"):
        unknown = sorted(set(tables[name]["gene"]) - genes)
        mistakes += [f"{folder / name}.tsv: gene {gene} is not in genes.tsv" for gene in unknown]
    for name in ("markers", "composition"):
        unknown = sorted(set(tables[name]["cell_type"]) - types)
        mistakes += [f"{folder / name}.tsv: cell type {kind} is not in cell_types.tsv" for kind in unknown]
    sums = tables["composition"].groupby(["condition", "day"])["share"].sum()
    # 0.01: shares are written with four digits
    mistakes += [
        f"{folder}/composition.tsv: the shares of {condition}, day {day} add up to {total:.3f}, not 1"
        for (condition, day), total in labelled(sums)
        if abs(total - 1) > 0.01
    ]
    if mistakes:
        raise InputError("\n".join(mistakes))
