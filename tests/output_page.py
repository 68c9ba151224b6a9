"""The tables of docs/output.md, written from their descriptions in `core.tables`: ``make output-page``."""

from itertools import groupby
from pathlib import Path

from recovery_microglia.core.tables import SECTIONS, ColumnSpec, Kind, TableSpec

PAGE = Path(__file__).parents[1] / "docs" / "output.md"
BEGIN = "<!-- The tables: written by `make output-page` from scripts/recovery_microglia/core/tables; what is changed here is lost. -->"
END = "<!-- End of the tables. -->"


def holds(column: ColumnSpec) -> str:
    """Return what the values of a column are: its kind and unit."""
    said = not column.unit or column.kind is Kind.DAY  # the kind says the unit
    return column.kind.words if said else f"{column.kind.words}, {column.unit}"


def section(table: TableSpec) -> str:
    """Return a table's part of the page; neighbours that say the same share a row."""
    lines = [f"### {Path(table.file).name}"]
    lines += [table.sentence, ""] if table.sentence else []
    lines += ["| column | values | meaning |", "|---|---|---|"]
    for (values, sentence), columns in groupby(table.columns, key=lambda column: (holds(column), column.sentence)):
        names = ", ".join(f"`{column.name}`" for column in columns)
        lines.append(f"| {names} | {values} | {sentence.replace('|', chr(92) + '|')} |")
    return "\n".join(lines)


def tables() -> str:
    """Return the sections of all tables."""
    parts = [f"## {title}\n\n" + "\n\n".join(map(section, found)) for title, found in SECTIONS.items()]
    return "\n\n".join(parts)


def page(text: str) -> str:
    """Return the page with its tables written anew; all else stays as it is."""
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n\n{tables()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
