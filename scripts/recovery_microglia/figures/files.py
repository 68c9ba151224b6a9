"""Figures as files that stand alone: for a talk, a paper, a spreadsheet."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from recovery_microglia.core.processes import mapped
from recovery_microglia.figures.pdf import Pages
from recovery_microglia.figures.style import PNG_DPI, RASTER_DPI, Picture, drawn_box, house_style
from recovery_microglia.figures.svg import alone

FORMATS = ("svg", "pdf", "png", "tsv")
CREATOR = "recovery-microglia"
_STANDING_ALONE: dict[str, Any] = {
    "svg.fonttype": "path",  # letters as outlines: the same on every machine
    "pdf.fonttype": 42,  # letters embedded as TrueType, which drawing programs can edit
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.hashsalt": "recovery-microglia",  # the same drawing gives the same bytes
}
_NO_DATE: dict[str, dict[str, Any]] = {
    "svg": {"Date": None, "Creator": CREATOR},
    "pdf": {"CreationDate": None, "Creator": CREATOR},
    "png": {"Software": CREATOR},
}


def file_names(picture: Picture, format_: str) -> list[str]:
    """Return the names of a picture's files of a format: an SVG or PNG a panel; one PDF, a page a panel; one TSV."""
    n = len(picture.panels)
    if n == 1 or format_ in ("pdf", "tsv"):
        return [f"{picture.name}.{format_}"]
    return [f"{picture.name}-{place}.{format_}" for place in range(1, n + 1)]


def files_of(picture: Picture, formats: Sequence[str] = FORMATS) -> Iterator[tuple[str, bytes]]:
    """Return the files of a picture, by name."""
    figures = [panel.figure for panel in picture.panels]
    with _standing_alone():
        boxes = [_box(figure) for figure in figures] if set(formats) - {"tsv"} else []
        for format_ in formats:
            names = file_names(picture, format_)
            if format_ == "tsv":
                yield names[0], picture.written_numbers()
            elif format_ == "pdf":
                yield names[0], b"".join(_pdf_pieces([picture])[names[0]])
            else:
                for name, figure, box in zip(names, figures, boxes, strict=True):
                    yield name, _saved(figure, box, format_)


Wanted = tuple[Picture, Sequence[str]]
"""A picture, and the formats in which it is drawn."""


def drawn_files(wanted: Sequence[Wanted], threads: int = 1) -> dict[str, bytes]:
    """Return the files of many pictures, by name, drawn by so many processes."""
    drawn = mapped(lambda one: dict(files_of(*one)), wanted, threads)
    return {name: content for files in drawn for name, content in files.items()}


def pieces_of(pictures: Sequence[Picture], threads: int = 1) -> dict[str, list[bytes]]:
    """Return SVG and PDF of pictures by name, in pieces to be written one after the other; their PDFs have letters in common."""
    parts: list[Callable[[], dict[str, list[bytes]]]] = [
        lambda: _pdf_pieces(pictures),
        *(partial(_svg_pieces, picture) for picture in pictures),
    ]
    return {name: own for part in mapped(lambda part: part(), parts, threads) for name, own in part.items()}


def _svg_pieces(picture: Picture) -> dict[str, list[bytes]]:
    return {name: [content] for name, content in files_of(picture, ("svg",))}


def _pdf_pieces(pictures: Sequence[Picture]) -> dict[str, list[bytes]]:
    figures = [panel.figure for picture in pictures for panel in picture.panels]
    if not figures:
        return {}
    with _standing_alone():
        pages = Pages(_pages(figures, [_box(figure) for figure in figures]))
    found, first = {}, 0
    for picture in pictures:
        last = first + len(picture.panels)
        found[file_names(picture, "pdf")[0]] = pages.file_of(range(first, last))
        first = last
    return found


def write_figures(
    pictures: Iterable[Wanted],
    folder: Path,
    made: Mapping[str, bytes] = MappingProxyType({}),
    threads: int = 1,
) -> None:
    """Write files of pictures, each in its formats, into a folder, which is made anew; ``made``: files that were drawn before, by name."""
    files: dict[str, bytes] = {}
    missing: list[Wanted] = []
    for picture, formats in pictures:
        files |= {name: made[name] for format_ in formats for name in file_names(picture, format_) if name in made}
        left = [format_ for format_ in formats if not files.keys() >= set(file_names(picture, format_))]
        missing.append((picture, left))
    files |= drawn_files(missing, threads)
    if folder.is_dir():
        for old in folder.iterdir():
            old.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


@contextmanager
def _standing_alone() -> Iterator[None]:
    with house_style():
        mpl.rcParams.update(_STANDING_ALONE)  # type: ignore[arg-type]  # its keys are typed one by one
        yield


def _box(figure: Figure) -> Bbox:
    """Return what is drawn with a margin, in inches."""
    return drawn_box(figure).padded(0.08)


def _saved(figure: Figure, box: Bbox, format_: str) -> bytes:
    stream = BytesIO()
    dpi = PNG_DPI if format_ == "png" else RASTER_DPI
    figure.savefig(stream, format=format_, bbox_inches=box, dpi=dpi, metadata=_NO_DATE[format_], facecolor="white")
    return alone(stream.getvalue().decode(), CREATOR).encode() if format_ == "svg" else stream.getvalue()


def _pages(figures: Sequence[Figure], boxes: Sequence[Bbox]) -> bytes:
    stream = BytesIO()
    with PdfPages(stream, metadata=_NO_DATE["pdf"]) as pages:
        for figure, box in zip(figures, boxes, strict=True):
            pages.savefig(figure, bbox_inches=box, dpi=RASTER_DPI, facecolor="white")
    return stream.getvalue()
