"""Figures of a page: found in its parts, numbered, and given their files."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import count, islice, pairwise, product
from string import ascii_lowercase
from typing import Any

from recovery_microglia.figures import Picture
from recovery_microglia.figures.files import FORMATS, file_names
from recovery_microglia.report.blocks import Figures, Fold, Map, Plate, Section

FOLDER = "figures"
"""Folder of the files, beside the page."""


def plates_in(blocks: Sequence[Any]) -> Iterator[Plate]:
    """Return the plates of blocks in reading order, those in folds too."""
    for block in blocks:
        if isinstance(block, Figures):
            yield from block.pictures
        elif isinstance(block, Map):
            yield block.plate
        elif isinstance(block, Fold):
            yield from plates_in(block.blocks)


def changed(blocks: Sequence[Any], change: Callable[[Plate], Plate]) -> tuple[Any, ...]:
    """Return blocks in which every plate was changed, in reading order."""
    found: list[Any] = []
    for block in blocks:
        if isinstance(block, Figures):
            found.append(replace(block, pictures=tuple(change(plate) for plate in block.pictures)))
        elif isinstance(block, Map):
            found.append(replace(block, plate=change(block.plate)))
        elif isinstance(block, Fold):
            found.append(replace(block, blocks=changed(block.blocks, change)))
        else:
            found.append(block)
    return tuple(found)


def in_front(section: Section) -> list[str]:
    """Return the names of the figures of a section that are not folded, nor the map, whose pictures are large."""
    shown = [block for block in section.blocks if not isinstance(block, (Fold, Map))]
    return [plate.picture.name for plate in plates_in(shown)]


def linked(plate: Plate, formats: Sequence[str] = FORMATS) -> Plate:
    """Return a plate with the addresses of its files beside the page."""
    links = tuple((kind, f"{FOLDER}/{name}") for kind in formats for name in file_names(plate.picture, kind))
    return replace(plate, links=links)


JOINED = {"drivers": "genes"}
"""Sections whose figures go on with the letters of the section before, where that is this one: both are of genes."""
SIMULATED = "truth"
"""The section that only simulated data have; its figures have numbers of their own, T1 and on, so that Figure 6 is the same on all pages."""


def numbered(sections: Sequence[Section], first: int) -> list[Section]:
    """Return sections with a number for each that has figures, from ``first`` on: Figure 2, or Figure 2a and 2b."""
    sizes = {section.name: sum(1 for _ in plates_in(section.blocks)) for section in sections}
    shared = {before.name: own.name for before, own in pairwise(sections) if JOINED.get(own.name) == before.name}
    found: list[Section] = []
    number, start = first, ""
    ends: Iterator[object] = iter(())
    for section in sections:
        n = sizes[section.name]
        if section.name == SIMULATED:
            section = replace(section, blocks=changed(section.blocks, _naming("Figure T", count(1))))
        elif n:
            if section.name not in shared.values() or not sizes[JOINED[section.name]]:
                n += sizes.get(shared.get(section.name, ""), 0)
                start, ends = f"Figure {number}", _letters() if n > 1 else iter([""])
                number += 1
            section = replace(section, blocks=changed(section.blocks, _naming(start, ends)))
        found.append(section)
    return found


def lettered(section: Section, number: int, *, after: int) -> Section:
    """Return a section whose figures go on with the letters of a number, behind so many that stand elsewhere."""
    letters = islice(_letters(), after, None)
    return replace(section, blocks=changed(section.blocks, _naming(f"Figure {number}", letters)))


def _letters() -> Iterator[str]:
    """Return a to z, then aa, ab and on."""
    return ("".join(letters) for length in count(1) for letters in product(ascii_lowercase, repeat=length))


def _naming(start: str, ends: Iterable[object]) -> Callable[[Plate], Plate]:
    """Return what numbers one plate after the other."""
    rest = iter(ends)
    return lambda plate: replace(plate, number=f"{start}{next(rest)}")


def supplementary(sections: Sequence[Section]) -> list[Section]:
    """Return sections whose figures are numbered through, S1 and on."""
    naming = _naming("Figure S", count(1))
    return [replace(section, blocks=changed(section.blocks, naming)) for section in sections]


def files_beside(plates: Iterable[Plate]) -> Iterator[tuple[Picture, list[str]]]:
    """Return the pictures with the formats in which their files lie beside the page."""
    for plate in plates:
        yield plate.picture, list(dict.fromkeys(kind for kind, _ in plate.links))
