"""Which library each barcode of a matrix belongs to, where a matrix holds several."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd

from recovery_microglia.core.arrays import Integers
from recovery_microglia.core.errors import InputError
from recovery_microglia.readers.split_rule import compiled_split
from recovery_microglia.readers.text_rows import iter_rows


@dataclass(frozen=True)
class Rule:
    """How a barcode tells its library (``split`` in dataset.yaml).

    Attributes
    ----------
    pattern
        Regular expression on the barcodes with a group named ``library``.
    column
        Column of ``obs``, or of ``metadata``, that holds the key.
    metadata, barcode_column
        Table with one row a barcode, and its column of barcodes (the first if not given). R's changes to names
        (a leading X, dots for hyphens and blanks) are seen through.
    join
        ``barcode``, or ``position``: the table's rows are the matrix's barcodes in their order.
    """

    pattern: str | None = None
    column: str | None = None
    metadata: Path | None = None
    barcode_column: str | None = None
    join: str = "barcode"


@dataclass(frozen=True)
class BarcodeAssignment:
    """Whose each barcode is.

    Attributes
    ----------
    group
        Per barcode the place of its key in ``keys``, -1 for a barcode of no library.
    keys
        The keys of the libraries in the data, each once.
    key
        Library to the key that it has in the data; libraries with a barcode only.
    absent
        Library without a barcode to what the user is told, if the library is needed.
    """

    group: Integers
    keys: list[str]
    key: dict[str, str]
    absent: dict[str, str]


def owners(
    barcodes: Sequence[str], obs: pd.DataFrame | None, libraries: Mapping[str, str], rule: Rule
) -> BarcodeAssignment:
    """Return which library each barcode belongs to.

    Parameters
    ----------
    barcodes, obs
        Names of the matrix, and the columns that came with them.
    libraries
        Library to its key in the data. ``1wpi*#2`` stands for the second, in the order of the alphabet, of the keys that
        begin with 1wpi: where a deposit says how many libraries there are, but not what they are called.

    Raises
    ------
    InputError
        The pattern, the column or the number of rows does not fit.
    """
    key = np.asarray(_keys(barcodes, obs, rule), dtype=object)
    there = sorted(set(key) - {""})
    own = {library: _own_key(name, there) for library, name in libraries.items()}
    shown = ", ".join(there[:40]) or "none"
    absent = {
        library: f"no barcode belongs to '{libraries[library]}'; there are: {shown}"
        for library, name in own.items()
        if name not in there
    }
    found = {library: name for library, name in own.items() if library not in absent}
    keys = list(dict.fromkeys(found.values()))
    place = {name: number for number, name in enumerate(keys)}
    return BarcodeAssignment(np.array([place.get(name, -1) for name in key], dtype=np.int64), keys, found, absent)


def _keys(barcodes: Sequence[str], obs: pd.DataFrame | None, rule: Rule) -> Sequence[str]:
    """Return the key of each barcode, empty where it has none."""
    if rule.pattern:
        return _keys_by_pattern(barcodes, rule.pattern)
    if rule.column and rule.metadata:
        by_position = rule.join == "position"
        names, keys = _columns_of(rule.metadata, rule.column, None if by_position else rule.barcode_column)
        return (_by_position if by_position else _by_barcode)(barcodes, names, keys, rule.metadata)
    columns = [] if obs is None else list(obs.columns)
    if obs is not None and rule.column in columns:
        own = obs[rule.column].astype(object)
        return list(own.where(own.notna(), "").astype(str))
    what = f"column '{rule.column}' is not in obs ({', '.join(columns) or 'no columns'})" if rule.column else ""
    raise InputError(f"dataset.yaml: split: {what or 'pattern or column is needed for a file with several libraries'}")


def _own_key(name: str, there: list[str]) -> str:
    """Return the key that a sheet's ``key`` stands for: itself, or the n-th of those with a beginning."""
    ordinal = re.fullmatch(r"(.+)\*#([0-9]+)", name)
    if not ordinal or name in there:
        return name
    own = [key for key in there if key.startswith(ordinal[1])]
    place = int(ordinal[2])
    return own[place - 1] if 1 <= place <= len(own) else name


def _keys_by_pattern(barcodes: Sequence[str], pattern: str) -> list[str]:
    try:
        compiled = compiled_split(pattern)
    except ValueError as error:
        raise InputError(f"dataset.yaml: {error}") from None
    found = [compiled.search(name) for name in barcodes]
    return [(match["library"] or "") if match else "" for match in found]


def _plain(name: str) -> str:
    """Return a barcode without what R does to names."""
    bare = re.sub(r"^X(?=\d)", "", name)
    return re.sub(r"[ \-.]", ".", bare)


def _columns_of(path: Path, column: str, barcode_column: str | None) -> tuple[list[str], list[str]]:
    """Return the barcodes (the first column, if none is named) and the keys of a table with one row a barcode."""
    rows = iter_rows(path)
    header, first = next(rows, None), next(rows, None)
    if header is None or first is None:
        raise InputError(f"{path}: needs a header and one row a barcode")
    if len(header) == len(first) - 1:  # R's write.table: the row names have no heading
        header = ["", *header]
    name = barcode_column if barcode_column is not None else header[0]
    for needed in (column, name):
        if needed not in header:
            raise InputError(f"{path}: there is no column '{needed}'; there are: {', '.join(filter(None, header))}")
    own, other = header.index(name), header.index(column)
    barcodes, keys = [], []
    for number, row in enumerate(chain([first], rows), start=2):
        if len(row) != len(header):
            raise InputError(f"{path}: line {number}: {len(row)} fields, but the header has {len(header)}")
        barcodes.append(row[own])
        keys.append(row[other])
    return barcodes, keys


def _by_barcode(barcodes: Sequence[str], names: list[str], keys: list[str], path: Path) -> list[str]:
    own = list(map(_plain, barcodes))
    known: dict[str, str | None] = dict.fromkeys(own)
    for name, key in zip(names, keys, strict=True):
        before = known.get(plain := _plain(name), key)
        if before not in (None, key):
            raise InputError(f"{path}: barcode {name} is duplicated, for '{before}' and for '{key}'")
        if plain in known:
            known[plain] = key
    if not any(known.values()):
        example = f"'{barcodes[0]}' in the matrix, '{names[0]}' in the table"
        raise InputError(f"{path}: no barcode of the matrix is in its column of barcodes ({example})")
    return [known[name] or "" for name in own]


def _by_position(barcodes: Sequence[str], names: list[str], keys: list[str], path: Path) -> list[str]:
    if len(keys) != len(barcodes):
        raise InputError(
            f"{path}: {len(keys)} rows, but the matrix has {len(barcodes)} barcodes: they cannot be joined by position"
        )
    plain, own = list(map(_plain, names)), list(map(_plain, barcodes))
    other = next((k for k, name in enumerate(own) if name != plain[k]), None)
    if other is not None and len(set(plain) & set(own)) > len(set(own)) / 2:
        raise InputError(
            f"{path}: line {other + 2}: barcode {names[other]}, but {barcodes[other]} in the matrix: its first column holds the "
            "matrix's barcodes in another order; without 'join: position' it is joined by barcode"
        )
    return keys
