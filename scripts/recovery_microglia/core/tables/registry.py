"""Every table that a run writes, by name, by step and by section of the documentation."""

from pathlib import Path

from recovery_microglia.core.tables.answer import ANSWER
from recovery_microglia.core.tables.calling import CALLING
from recovery_microglia.core.tables.drivers import DRIVERS
from recovery_microglia.core.tables.genes import GENES
from recovery_microglia.core.tables.libraries import LIBRARIES
from recovery_microglia.core.tables.provenance import PROVENANCE_TABLES
from recovery_microglia.core.tables.spec import TableSpec, name_of

SECTIONS: dict[str, tuple[TableSpec, ...]] = {
    "The answer": ANSWER,
    "How cells were called": CALLING,
    "Samples, quality and lineages": LIBRARIES,
    "Single genes and sources of *Igf1*": GENES,
    "Genes, activities and signals associated with the state": DRIVERS,
    "Accuracy on simulated data, provenance and costs": PROVENANCE_TABLES,
}
"""Heading of docs/output.md to its tables."""
TABLES: dict[str, TableSpec] = {table.name: table for tables in SECTIONS.values() for table in tables}
"""Name to table, the answer first."""


def table_of(path: Path) -> TableSpec:
    """Return the description of the table in a file, found by the stem of the file's name.

    Raises
    ------
    ValueError
        Where no table has that name.
    """
    name = name_of(path)
    if name not in TABLES:
        raise ValueError(f"{path}: no table of this name is described in core/tables")
    return TABLES[name]


def made_by(*steps: str) -> list[str]:
    """Return the names of the tables that some rules write as ``tables/<name>.tsv``."""
    plain = [table for table in TABLES.values() if table.file == f"tables/{table.name}.tsv"]
    return [table.name for table in plain if table.step in steps]


def paths_of(*steps: str) -> dict[str, str]:
    """Return name to place, below ``results/<data set>``, of the tables that some rules write."""
    return {table.name: table.file for table in TABLES.values() if table.step in steps}
