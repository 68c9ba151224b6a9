"""What a page is built of; the template knows one macro for each."""

import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from recovery_microglia.core import wording
from recovery_microglia.core.tables import TABLES, Kind
from recovery_microglia.figures import Picture
from recovery_microglia.figures.palette import LINEAGES, STATES, lineage_name
from recovery_microglia.figures.style import slug
from recovery_microglia.report.cellmap import CellMap

PRINTED_ROWS = 40
SENTENCE = 40
"""Letters from which on a cell holds words that wrap."""
MANY_COLUMNS, FEWEST_ALIKE = 10, 3
"""In a table of more columns than this, one that holds the same in each of so many rows and more is said once, beneath."""
MOST_ROWS = 400
"""Longer tables are cut on the page; the whole one is a file beside it."""
_IN_WORDS = wording.CODE_WORDS | {
    key: lineage_name(key) for key in (*LINEAGES, *STATES) if lineage_name(key) != key and key != "none"
}
"""Words of the code, as a reader meets them; ``none`` is a word of sentences too."""
_CODE = re.compile(rf"\b(?:{'|'.join(map(re.escape, _IN_WORDS))})\b")


def _text(value: Any) -> str:
    """Return a text without words of the code; a dash where there is none."""
    return _CODE.sub(lambda found: _IN_WORDS[found[0]], wording.plain(value))


_TEXT_OF: dict[Kind, Callable[[Any], str]] = {
    Kind.TEXT: _text,
    Kind.GENE: wording.plain,
    **dict.fromkeys((Kind.COUNT, Kind.BYTES), wording.whole),
    **dict.fromkeys((Kind.NUMBER, Kind.SECONDS), wording.number),
    Kind.SHARE: wording.percent,
    Kind.P: wording.p_value,
    Kind.DAY: wording.day,
    Kind.YES_NO: wording.yes_no,
    **dict.fromkeys(
        (Kind.LINEAGE, Kind.STATE), lambda value: wording.DASH if wording.missing(value) else lineage_name(str(value))
    ),
}
_NOT_NUMBERS = {Kind.TEXT, Kind.GENE, Kind.LINEAGE, Kind.STATE, Kind.YES_NO}


_HEADINGS = {"mixture": "share", "mixture_low": "share, from", "mixture_high": "to", "k": "called"}
"""Headings of columns beneath figures whose names are words of the code."""


class UndeclaredKind(UserWarning):
    """A column is shown whose kind is declared nowhere, or is not what the column holds; its type decides how it is written."""


@dataclass(frozen=True)
class Column:
    """A column: key in the frame, heading, kind, and what it means (shown on hovering).

    The kind may be left out where the table's description has the column; `table` fills it in.
    """

    key: str
    label: str
    kind: Kind | None = None
    help: str = ""
    aside: bool = False
    """Not shown: what it holds is said elsewhere, or for a programme. It is in the TSV that a reader saves."""

    @property
    def numeric(self) -> bool:
        """Whether the column holds numbers, which stand right."""
        return self.kind not in _NOT_NUMBERS

    @property
    def of_genes(self) -> bool:
        """Whether the column holds gene symbols, which are in italics."""
        return self.kind is Kind.GENE

    @property
    def of_words(self) -> bool:
        """Whether the column holds text, which may name genes."""
        return self.kind is Kind.TEXT


@dataclass(frozen=True)
class Cell:
    """A cell's text, and what it sorts by where that is not the text itself: a number that is rounded, or nothing."""

    text: str
    sort: str | None = None


@dataclass(frozen=True)
class Table:
    """A table of the page, sorted by its headings, filtered and saved under its name."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    marked: tuple[bool, ...] = ()
    note: str = ""
    name: str = ""
    block: str = field(default="table", init=False)

    @property
    def in_view(self) -> int:
        """How many columns are shown."""
        return sum(not column.aside for column in self.columns)

    @property
    def wordy(self) -> bool:
        """Whether several columns hold sentences: on a phone its rows are cards, since columns would be words wide."""
        long = [any(len(row[at].text) > SENTENCE for row in self.rows) for at in range(len(self.columns))]
        return sum(long) > 1


@dataclass(frozen=True)
class Note:
    """A box: severity (alarm, warning, info, why), a title and a text."""

    severity: str
    title: str
    text: str
    block: str = field(default="note", init=False)


@dataclass(frozen=True)
class Prose:
    """A paragraph, with words that stand before it in bold."""

    text: str
    head: str = ""
    block: str = field(default="prose", init=False)


@dataclass(frozen=True)
class Points:
    """Sentences below each other, one a line."""

    texts: tuple[str, ...]
    block: str = field(default="points", init=False)


@dataclass(frozen=True)
class Figures:
    """Figures beside each other, each with its numbers."""

    pictures: tuple["Plate", ...]
    block: str = field(default="figures", init=False)


@dataclass(frozen=True)
class Plate:
    """A picture and the table of its numbers.

    Attributes
    ----------
    number
        What it is cited by, ``Figure 1``; empty before pages are numbered.
    held
        Whether the page itself holds its files; if not, they lie beside it only.
    links
        Format to address of the files beside the page.
    """

    picture: Picture
    numbers: Table
    number: str = ""
    held: bool = False
    links: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Map:
    """The map of the cells in place of a picture, which stands for it on paper and in browsers without scripts."""

    plate: Plate
    map: CellMap
    block: str = field(default="map", init=False)


@dataclass(frozen=True)
class GlossaryList:
    """Terms and meanings."""

    entries: tuple[tuple[str, str], ...]
    block: str = field(default="glossary", init=False)


@dataclass(frozen=True)
class Fold:
    """Blocks that are opened on demand."""

    summary: str
    blocks: tuple[Any, ...]
    block: str = field(default="fold", init=False)

    @property
    def long(self) -> bool:
        """Whether it would fill a page on paper, where it is left out: what it holds is a file beside the page."""
        return any(isinstance(block, Table) and len(block.rows) > PRINTED_ROWS for block in self.blocks)


@dataclass(frozen=True)
class Tile:
    """A fact: label, value, and what to know about it."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Tiles:
    """Facts beside each other."""

    tiles: tuple[Tile, ...]
    block: str = field(default="tiles", init=False)


@dataclass(frozen=True)
class Chip:
    """One animal in the design: what is written on it, its number in the palette, and all that is known."""

    text: str
    tone: int
    title: str


@dataclass(frozen=True)
class Grid:
    """The design: a row an arm and condition, a column a day, chips for animals."""

    days: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[Chip, ...], ...]], ...]
    legend: str
    block: str = field(default="grid", init=False)


@dataclass(frozen=True)
class Links:
    """Files to download: (address, name, what it holds)."""

    links: tuple[tuple[str, str, str], ...]
    block: str = field(default="links", init=False)


@dataclass(frozen=True)
class References:
    """Numbered references: text and address (may be empty)."""

    items: tuple[tuple[str, str], ...]
    block: str = field(default="references", init=False)


@dataclass(frozen=True)
class GeneSearch:
    """A gene of the map over animals and states, drawn by the page's script from the map's data."""

    genes: tuple[str, ...]
    block: str = field(default="gene_search", init=False)


@dataclass(frozen=True)
class Section:
    """A part of the page: in the evidence its title states a result."""

    name: str
    title: str
    lead: str
    blocks: tuple[Any, ...]
    short: str = ""
    """Its words in the list of contents, where they are not those of all sections of its name."""


# ---------------------------------------------------------------- makers


def cell(value: Any, kind: Kind) -> Cell:
    """Return a value as it is written and sorted."""
    text = _TEXT_OF[kind](value)
    if wording.missing(value):
        return Cell(text, "")
    if isinstance(value, (bool, np.bool_)) or kind in _NOT_NUMBERS:
        return Cell(text)
    full = repr(float(value)).removesuffix(".0")
    return Cell(text, None if full == text else full)


def table(
    frame: pd.DataFrame,
    columns: Sequence[Column],
    *,
    of: str = "",
    caption: str = "",
    marked: Sequence[bool] = (),
    note: str = "",
    name: str = "",
) -> Table:
    """Return a table of the columns that exist and hold anything at all.

    ``of`` names the table of the run that the columns come from, which gives the kinds of those that have none of their own;
    see `kinds_of`.
    """
    shown = frame.head(MOST_ROWS)
    kept = [c for c in columns if c.key in frame and not all(wording.missing(value) for value in shown[c.key])]
    own = {c.key: c.kind for c in kept if c.kind is not None}
    kinds = kinds_of(frame[[c.key for c in kept]], of, own, where=name or caption)
    records = shown[list(kinds)].itertuples(index=False, name=None)
    rows = tuple(tuple(cell(value, kind) for value, kind in zip(row, kinds.values(), strict=True)) for row in records)
    if len(frame) > MOST_ROWS:
        note = f"{note} The first {MOST_ROWS} of {len(frame):,} rows; the whole table lies beside the page (Files).".strip()
    written = tuple(replace(c, kind=kinds[c.key]) for c in kept)
    written, said = _said_once(written, rows)
    note = f"{note} {said}".strip()
    return Table(caption, written, rows, tuple(marked)[:MOST_ROWS], note, name or slug(caption).lower() or of)


def _said_once(columns: tuple[Column, ...], rows: Sequence[Sequence[Cell]]) -> tuple[tuple[Column, ...], str]:
    """Return the columns with those aside that are the same in every row of a wide table, and a sentence of what is not shown.

    A p, a share and an interval stay where they are.
    """
    alike: list[str] = []
    found = list(columns)
    if sum(not column.aside for column in columns) > MANY_COLUMNS and len(rows) >= FEWEST_ALIKE:
        for at, column in enumerate(columns):
            texts = {row[at].text for row in rows}
            kept = at == 0 or column.aside or column.kind in (Kind.P, Kind.SHARE) or "interval" in column.label
            if not kept and len(texts) == 1:
                found[at] = replace(column, aside=True)
                alike.append(f"{column.label} {texts.pop()}")
    hidden = [column.label for column in columns if column.aside]
    said = f"In every row: {'; '.join(alike)}." if alike else ""
    more = f"The saved TSV also has: {', '.join(hidden)}." if hidden else ""
    return tuple(found), f"{said} {more}".strip()


def _kind_by_type(values: pd.Series) -> Kind:
    """Return the kind that a column's values suggest; a fraction is never a yes or no."""
    known = values.dropna()
    if len(known) and known.map(type).isin([bool, np.bool_]).all():
        return Kind.YES_NO
    if pd.api.types.is_integer_dtype(values.dtype):
        return Kind.COUNT
    return Kind.NUMBER if pd.api.types.is_float_dtype(values.dtype) else Kind.TEXT


def kinds_of(
    frame: pd.DataFrame, of: str = "", kinds: Mapping[str, Kind] | None = None, *, where: str = ""
) -> dict[str, Kind]:
    """Return how each column of a frame is written.

    Parameters
    ----------
    frame
        Its columns.
    of
        Table of the run that the columns come from; its description gives their kinds.
    kinds
        Kinds of other columns; they go before the description.
    where
        What is shown, for the warning.

    Warns
    -----
    UndeclaredKind
        Where a column has no kind, or is declared as yes or no and holds numbers. It is then written by its type.
    """
    names = [str(name) for name in frame.columns]
    declared = (TABLES[of].kinds(names) if of else {}) | dict(kinds or {})
    found = {}
    for place, name in enumerate(names):
        values = frame.iloc[:, place]
        kind = declared.get(name)
        if kind is None or (kind is Kind.YES_NO and pd.api.types.is_float_dtype(values.dtype) and values.notna().any()):
            wrong = "has no declared kind" if kind is None else f"is declared as {kind.words} and holds numbers"
            warnings.warn(f"{where or of or 'table'}: column '{name}' {wrong}", UndeclaredKind, stacklevel=2)
            kind = _kind_by_type(values)
        found[name] = kind
    return found


def whole_table(
    frame: pd.DataFrame,
    *,
    of: str = "",
    kinds: Mapping[str, Kind] | None = None,
    caption: str = "",
    note: str = "",
    name: str = "",
) -> Table:
    """Return a table of all columns; see `kinds_of` for how they are written."""
    names = [str(column) for column in frame.columns]
    columns = [Column(key, _HEADINGS.get(key, lineage_name(key)), (kinds or {}).get(key)) for key in names]
    return table(frame.set_axis(names, axis=1), columns, of=of, caption=caption, note=note, name=name)


def plates(*pictures: Picture | None) -> tuple[Figures, ...]:
    """Return the pictures that exist as one block, or nothing."""
    found = tuple(plate(picture) for picture in pictures if picture is not None)
    return (Figures(found),) if found else ()


def plate(picture: Picture) -> Plate:
    """Return a picture with its numbers, unless these would be too many for a page."""
    return Plate(picture, whole_table(picture.numbers, of=picture.of, kinds=picture.kinds, name=picture.name))


def pairs(values: Mapping[str, Any], *, names: tuple[str, str], caption: str = "") -> Table:
    """Return a mapping as a table of two columns."""
    frame = pd.DataFrame({"name": list(values), "value": [str(value) for value in values.values()]}, dtype=object)
    return table(frame, [Column("name", names[0], Kind.TEXT), Column("value", names[1], Kind.TEXT)], caption=caption)
