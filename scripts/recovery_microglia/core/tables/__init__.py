"""Every table that a run writes, described once: columns, kinds, units, meaning; code, documentation and page read it here."""

from recovery_microglia.core.tables.files import read_table, write_table
from recovery_microglia.core.tables.registry import SECTIONS, TABLES, made_by, paths_of, table_of
from recovery_microglia.core.tables.spec import ColumnSpec, Kind, TableSpec

__all__ = [
    "SECTIONS",
    "TABLES",
    "ColumnSpec",
    "Kind",
    "TableSpec",
    "made_by",
    "paths_of",
    "read_table",
    "table_of",
    "write_table",
]
