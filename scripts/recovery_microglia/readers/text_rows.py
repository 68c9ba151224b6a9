"""Lines of text as fields and as numbers."""

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from recovery_microglia.core.arrays import Int32s
from recovery_microglia.core.errors import InputError
from recovery_microglia.core.genes import known_symbols
from recovery_microglia.readers.compression import lines_of, opened, whole_text
from recovery_microglia.readers.counts import BARNYARD

HEADINGS = {
    *("gene", "genes", "gene_id", "geneid", "gene_ids", "gene_name", "gene_names", "gene_symbol", "gene_symbols"),
    *("symbol", "symbols", "feature", "features", "feature_id", "feature_name", "ensembl_id", "ensembl"),
}


CELL_HEADINGS = {"barcode", "barcodes", "cell", "cells", "cell_id", "cellid", "cell_name", "index"}
"""What stands above lists of genes and of cells and is none."""


def separator_of(line: str) -> str | None:
    """Return the separator of a table's line: tab, comma or semicolon; None for runs of blanks."""
    return next((mark for mark in ("\t", ",", ";") if mark in line), None)


def fields_of(line: str, separator: str | None) -> list[str]:
    """Return the fields of a line, stripped and without quotes."""
    text = line.rstrip("\r\n")
    if separator and '"' in text:  # a quoted field may hold the separator
        return [part.strip() for part in next(csv.reader([text], delimiter=separator))]
    return [part.strip().strip('"') for part in text.split(separator)]


def read_rows(path: Path) -> list[list[str]]:
    """Return the rows of a list of genes or barcodes as fields."""
    with opened(path) as stream:
        lines = whole_text(stream, path).decode("utf-8-sig", "replace").splitlines()
    if not lines:
        raise InputError(f"{path}: empty")
    separator = separator_of(lines[0])
    return [fields_of(line, separator) for line in lines if line.strip()]


def iter_rows(path: Path) -> Iterator[list[str]]:
    """Yield the rows of a table as fields, the header first: a table of a million cells is not held at once."""
    with opened(path) as stream:
        separator: str | None = None
        for number, line in enumerate(lines_of(stream, path)):
            text = line.decode("utf-8-sig" if number == 0 else "utf-8", "replace")
            separator = separator_of(text) if number == 0 else separator
            if text.strip():
                yield fields_of(text, separator)


def numbers_of(text: bytes, mark: bytes | None, path: Path, line: int, name: str) -> np.ndarray:
    """Return the numbers of a line: whole numbers fast, others as they are."""
    if mark is not None and (fast := _whole_numbers(text, mark)) is not None:
        return fast
    parts = text.replace(b'"', b"").split(mark)
    try:
        if b"_" in text:  # Python reads 1_0 as 10
            raise ValueError
        return np.array(parts, dtype=np.int64)
    except (ValueError, OverflowError):
        pass
    try:
        if b"_" in text:
            raise ValueError
        return np.array([part or b"nan" for part in parts], dtype=np.float64)
    except ValueError:
        bad = next(part for part in parts if not is_number(part))
        word = bad.decode("utf-8", "replace")[:40]
        raise InputError(f"{path}: line {line} ({name}): '{word}' is not a number") from None


def _whole_numbers(text: bytes, mark: bytes) -> Int32s | None:
    """Return the numbers of a line of plain digits, None if it holds anything else.

    All fields at once: the last digit of every field, then the last but one, and so on; a table of counts of
    10,000 barcodes has 160 million fields, and asking Python for each takes longer than all the rest of the job.
    """
    line = np.frombuffer(text, dtype=np.uint8)
    is_mark = line == mark[0]
    if not np.all(is_mark | ((line >= 48) & (line <= 57))):
        return None
    start = np.concatenate([[0], np.flatnonzero(is_mark) + 1])
    length = np.diff(np.append(start, len(line) + 1)) - 1
    if length.min(initial=1) < 1 or length.max(initial=0) > 9:
        return None
    last = start + length - 1
    values = line[last].astype(np.int32) - 48
    for place in range(1, int(length.max())):
        longer = np.flatnonzero(length > place)
        values[longer] += (line[last[longer] - place].astype(np.int32) - 48) * np.int32(10**place)
    return np.asarray(values, dtype=np.int32)


def is_number(part: bytes) -> bool:
    """Return whether a field is a number; an empty one is, a missing one."""
    if b"_" in part:
        return False
    try:
        float(part or b"nan")
    except ValueError:
        return False
    return True


def gene_like(names: Sequence[str]) -> float:
    """Return the share of names that are known genes of mouse or human."""
    known = known_symbols("mouse") | known_symbols("human")
    sample = [re.sub(f"^({'|'.join(BARNYARD)})", "", name) for name in names[:: max(len(names) // 3000, 1)]]
    return sum(n in known or n.startswith(("ENSMUSG", "ENSG")) for n in sample) / max(len(sample), 1)
