"""What describes a table: its columns with their kinds, units and sentences, and the check of a frame against them."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Kind(StrEnum):
    """What the values of a column are; it decides how they are read from a file and written on the page."""

    TEXT = "text"
    COUNT = "count"
    SHARE = "share"
    NUMBER = "number"
    P = "p"
    DAY = "day"
    YES_NO = "yes_no"
    LINEAGE = "lineage"
    STATE = "state"
    GENE = "gene"
    BYTES = "bytes"
    SECONDS = "seconds"

    @property
    def words(self) -> str:
        """The kind as documentation names it."""
        others = {
            "p": "p-value",
            "yes_no": "yes or no",
            "count": "whole number",
            "bytes": "whole number",
            "seconds": "number",
        }
        return others.get(self, self.value)


DTYPES: dict[Kind, str] = {
    **dict.fromkeys((Kind.TEXT, Kind.LINEAGE, Kind.STATE, Kind.GENE), "str"),
    **dict.fromkeys((Kind.COUNT, Kind.BYTES), "int64"),
    **dict.fromkeys((Kind.SHARE, Kind.NUMBER, Kind.P, Kind.DAY, Kind.SECONDS), "float64"),
    Kind.YES_NO: "bool",
}
"""Kind to the dtype of a column without missing values, unless its description gives another."""


@dataclass(frozen=True)
class ColumnSpec:
    """A column of a table.

    Attributes
    ----------
    name
        Name in the header. A part in braces stands for any word, so that ``score_{state}`` describes one column a state;
        a table may have any number of such columns, none included.
    dtype
        How it is held where no value is missing: ``str``, ``int64``, ``float64`` or ``bool``. A missing value is an empty
        field: empty text in a column of text, else a missing number.
    kind
        What the values are.
    unit
        Unit of the values; empty where they have none.
    sentence
        What it means.
    """

    name: str
    dtype: str
    kind: Kind
    unit: str
    sentence: str

    @property
    def varies(self) -> bool:
        """Whether it stands for several columns, or none."""
        return "{" in self.name

    def describes(self, name: str) -> bool:
        """Return whether a column of a file is this one."""
        if not self.varies:
            return name == self.name
        parts = re.split(r"\{\w+\}", self.name)
        return re.fullmatch(r"\w+".join(map(re.escape, parts)), name) is not None


@dataclass(frozen=True)
class TableSpec:
    """A table that a run writes.

    Attributes
    ----------
    name
        Stem of its file's name, unique among all tables.
    file
        Where it lies below ``results/<data set>``; of a table over all data sets, below ``results``.
    caption
        What it holds, in a few words; a label beside the file.
    sentence
        What a reader should know of its rows; may be empty.
    columns
        Its columns in the order of the file.
    step
        Rule that writes it.
    """

    name: str
    file: str
    caption: str
    sentence: str
    columns: tuple[ColumnSpec, ...]
    step: str

    def column(self, name: str) -> ColumnSpec | None:
        """Return the description of a column; None if there is no such column."""
        exact = next((column for column in self.columns if column.name == name), None)
        return exact or next((column for column in self.columns if column.describes(name)), None)

    def kinds(self, names: Iterable[str]) -> dict[str, Kind]:
        """Return the kinds of those columns that the table describes."""
        found = {name: self.column(name) for name in names}
        return {name: column.kind for name, column in found.items() if column is not None}

    def text_columns(self, names: Iterable[str]) -> list[str]:
        """Return the columns that hold text, where an empty field is an empty text."""
        found = {name: self.column(name) for name in names}
        return [name for name, column in found.items() if column is not None and column.dtype == "str"]

    def check(self, names: Collection[str]) -> None:
        """Raise unless these are exactly the columns of the table.

        Raises
        ------
        ValueError
            Naming every column that is unknown, missing or there twice.
        """
        given = list(names)
        unknown = [name for name in dict.fromkeys(given) if self.column(name) is None]
        missing = [column.name for column in self.columns if not column.varies and column.name not in given]
        twice = [name for name in dict.fromkeys(given) if given.count(name) > 1]
        wrong = [
            f"{word}: {', '.join(map(str, found))}"
            for word, found in (("unknown", unknown), ("missing", missing), ("twice", twice))
            if found
        ]
        if wrong:
            raise ValueError(f"{self.file}: columns differ from their description in core/tables; {'; '.join(wrong)}")


def name_of(path: Path) -> str:
    """Return the name of the table that a file holds: ``cells`` of ``tables/cells.tsv.gz``."""
    return path.name.split(".")[0]


# ---------------------------------------------------------------- columns, one function a kind


def _column(kind: Kind, name: str, sentence: str, unit: str = "", dtype: str = "") -> ColumnSpec:
    return ColumnSpec(name, dtype or DTYPES[kind], kind, unit, sentence)


def text(name: str, sentence: str) -> ColumnSpec:
    """Describe a column of text."""
    return _column(Kind.TEXT, name, sentence)


def count(name: str, sentence: str, unit: str = "", *, dtype: str = "int64") -> ColumnSpec:
    """Describe a column of counts; ``float64`` where a median of counts may lie between two of them."""
    return _column(Kind.COUNT, name, sentence, unit, dtype)


def share(name: str, sentence: str) -> ColumnSpec:
    """Describe a column of shares, 1 being all; a difference of two shares is one as well."""
    return _column(Kind.SHARE, name, sentence)


def number(name: str, sentence: str, unit: str = "") -> ColumnSpec:
    """Describe a column of numbers that are neither counts nor shares."""
    return _column(Kind.NUMBER, name, sentence, unit)


def p_value(name: str, sentence: str) -> ColumnSpec:
    """Describe a column of p-values, or of p-values corrected for multiple comparisons."""
    return _column(Kind.P, name, sentence)


def day(name: str, sentence: str) -> ColumnSpec:
    """Describe a column of days of the design."""
    return _column(Kind.DAY, name, sentence, "days after injury")


def yes_no(name: str, sentence: str) -> ColumnSpec:
    """Describe a column of True and False."""
    return _column(Kind.YES_NO, name, sentence)


def lineage(name: str, sentence: str) -> ColumnSpec:
    """Describe a column of lineages."""
    return _column(Kind.LINEAGE, name, sentence)


def state(name: str, sentence: str) -> ColumnSpec:
    """Describe a column of states of microglia."""
    return _column(Kind.STATE, name, sentence)


def gene(name: str, sentence: str) -> ColumnSpec:
    """Describe a column of gene symbols."""
    return _column(Kind.GENE, name, sentence)


def size_in_bytes(name: str, sentence: str) -> ColumnSpec:
    """Describe a column of sizes in bytes."""
    return _column(Kind.BYTES, name, sentence, "bytes")


def seconds(name: str, sentence: str) -> ColumnSpec:
    """Describe a column of times in seconds."""
    return _column(Kind.SECONDS, name, sentence, "s")
