"""Which lists of genes and barcodes go with which MatrixMarket file, by their names."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path

MATRIX = re.compile(r"\.mtx(\.gz)?$", re.IGNORECASE)


_TEXT = r"\.(tsv|txt|csv)(\.gz)?$"


GENE_LIST = re.compile(f"(features|genes|gene_names|gene|quants_mat_cols)[^/]*{_TEXT}", re.IGNORECASE)


BARCODE_LIST = re.compile(f"(barcodes?|cells?|quants_mat_rows)[^/]*{_TEXT}", re.IGNORECASE)


_GENE_LISTS = [*(re.compile(f"(features|genes){end}", re.I) for end in (r"\.tsv(\.gz)?$", _TEXT)), GENE_LIST]


_BARCODE_LISTS = [re.compile(f"barcodes?{end}", re.I) for end in (r"\.tsv(\.gz)?$", _TEXT, f"[^/]*{_TEXT}")]
"""Names of lists, the plainest first. Tables of cells come last of all, as they have an order of their own."""


def is_list(file: Path) -> bool:
    """Return whether a file is a list of genes or barcodes, by its name."""
    return bool(GENE_LIST.search(file.name) or BARCODE_LIST.search(file.name))


def lists_of(files: Collection[Path]) -> dict[Path, tuple[list[Path], list[Path]]]:
    """Return the gene list and the barcode list of each MatrixMarket file among the files of a folder.

    A file goes with the matrices whose names it shares the longest beginning with; of those that go with a matrix the ones
    with the longest beginning are asked first, and of these the plainest name is taken. Where names do not tell
    (``barcodes.tsv`` and ``barcodes.tsv.gz``) there is more than one, where there is none the list is empty.
    """
    of_matrix = {file: _beginnings(MATRIX.sub("", file.name)) for file in files if MATRIX.search(file.name)}
    known = {beginning for some in of_matrix.values() for beginning in some}
    by_beginning: dict[str, list[Path]] = {}
    for file in sorted(set(files) - set(of_matrix)):
        longest = next((beginning for beginning in _beginnings(file.name) if beginning in known), "")
        by_beginning.setdefault(longest, []).append(file)
    found = {}
    for matrix, beginnings in of_matrix.items():
        groups = [by_beginning[beginning] for beginning in beginnings if beginning in by_beginning]
        genes = _plainest(_GENE_LISTS, groups)
        rest = [[file for file in group if file not in genes] for group in groups]
        found[matrix] = genes, _plainest(_BARCODE_LISTS, rest) or _plainest([BARCODE_LIST], rest)
    return found


def _beginnings(name: str) -> list[str]:
    """Return the beginnings of a name that end where a word of it does, the longest first and the empty one last.

    Examples
    --------
    >>> _beginnings("S1_raw.x")
    ['S1_raw.x', 'S1_raw.', 'S1_raw', 'S1_', 'S1', '']
    """
    ends = {0, len(name), *(place for match in re.finditer(r"[^A-Za-z0-9]+", name) for place in match.span())}
    return [name[:end] for end in sorted(ends, reverse=True)]


def _plainest(kinds: Sequence[re.Pattern[str]], groups: Sequence[Sequence[Path]]) -> list[Path]:
    """Return the files of the first group and kind that has any: those with least before what tells the kind.

    Of the plainest kind (``genes.tsv``, ``features.tsv``) all of these, of the others the shortest names only.
    """
    for files in groups:
        for kind in kinds:
            found = {file: match.start() for file in files if (match := kind.search(file.name))}
            if found:
                first = [file for file in found if found[file] == min(found.values())]
                shortest = min(len(file.name) for file in first)
                return [file for file in first if kind is kinds[0] or len(file.name) == shortest]
    return []
