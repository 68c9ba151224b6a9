"""Files of figures that the page itself holds, so that it can be sent alone; its script puts them together from what they share."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from recovery_microglia.figures.files import file_names, pieces_of
from recovery_microglia.report.blocks import Plate
from recovery_microglia.report.cellmap import deflated


@dataclass(frozen=True)
class Held:
    """The files of some figures.

    Attributes
    ----------
    text
        JSON for the page: ``pieces`` (all, one after the other, deflated), ``sizes`` of them, and by figure the numbers of the pieces
        of each file. The PNG is drawn from the SVG, the TSV written from the table of the page, unless that is cut.
    files
        Name to content, so that those beside the page need not be drawn again.
    """

    text: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)


def held(plates: Sequence[Plate], threads: int = 1) -> Held:
    """Return the files of figures as a page holds them, each piece once; so many processes draw them."""
    if not plates:
        return Held()
    pieces = pieces_of([plate.picture for plate in plates], threads)
    for plate in plates:
        if len(plate.numbers.rows) < len(plate.picture.numbers):
            name = file_names(plate.picture, "tsv")[0]
            pieces[name] = [plate.picture.written_numbers()]
    places = {
        piece: place for place, piece in enumerate(dict.fromkeys(part for own in pieces.values() for part in own))
    }
    figures = {
        plate.picture.name: {
            name: [places[piece] for piece in pieces[name]]
            for kind in ("svg", "pdf", "tsv")
            for name in file_names(plate.picture, kind)
            if name in pieces
        }
        for plate in plates
    }
    data = {"pieces": deflated(b"".join(places)), "sizes": [len(piece) for piece in places], "figures": figures}
    return Held(json.dumps(data, separators=(",", ":")), {name: b"".join(own) for name, own in pieces.items()})
