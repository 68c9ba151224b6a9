"""Pages of one PDF as files of their own: drawn in one go, figures share their letters, which are most of a small file.

What is read here is matplotlib's own PDF: numbered objects, a table of where each lies, one dictionary a kind of resource.
"""

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

_REFERENCE = re.compile(rb"(\d+) 0 R")
_NAMED_OBJECT = re.compile(rb"/([^\s/<>\[\]()]+) (\d+) 0 R")
_NAME = re.compile(rb"/([^\s/<>\[\]()]+)")
_OBJECT = re.compile(rb"\d+ 0 obj\n(.*?)(?:\nstream\r?\n(.*)\nendstream)?\nendobj\n\Z", re.DOTALL)
_TEXT_OR_NUMBER = re.compile(rb"\((?:\\.|[^\\()])*\)|-?\d+\.\d{4,}", re.DOTALL)
_BY_NAME = ("Font", "XObject", "Pattern", "Shading")
"""Resources that the commands of a page name; what none of them names is left out."""
HEAD = b"%PDF-1.4\n%\xac\xdc \xab\xba\n"


class Pages:
    """A PDF as matplotlib writes it, by the objects that it consists of."""

    def __init__(self, content: bytes) -> None:
        start = int(content.rpartition(b"startxref\n")[2].split()[0])
        lines = content[start:].split(b"\n")
        placed = {
            number: int(line[:10])
            for number, line in enumerate(lines[2 : 2 + int(lines[1].split()[1])])
            if line[17:18] == b"n"
        }
        ends = dict(pairwise([*sorted(placed.values()), start]))
        self._objects = {number: content[at : ends[at]] for number, at in placed.items()}
        trailer = content[start:].partition(b"trailer")[2]
        self._root, self._info = (_reference(trailer, key) for key in (b"Root", b"Info"))
        self._parent = _reference(self._dictionary(self._root), b"Pages")
        self._kids = [int(n) for n in _REFERENCE.findall(self._dictionary(self._parent).partition(b"/Kids")[2])]
        self._commands = {kid: self._shortened(_reference(self._dictionary(kid), b"Contents")) for kid in self._kids}

    def __len__(self) -> int:
        """Return how many pages it has."""
        return len(self._kids)

    def file_of(self, places: Sequence[int]) -> list[bytes]:
        """Return the pieces, to be written one after the other, of a PDF of some pages; files of one PDF have pieces in common."""
        kids = [self._kids[place] for place in places]
        listed = b" ".join(b"%d 0 R" % kid for kid in kids)
        own = {
            self._parent: b"%d 0 obj\n<< /Type /Pages /Kids [ %s ] /Count %d >>\nendobj\n"
            % (self._parent, listed, len(kids))
        }
        resources = self._dictionary(_reference(self._dictionary(kids[0]), b"Resources"))
        own |= self._resources(resources, b"".join(self._commands[kid] for kid in kids))
        kept: dict[int, bytes] = {}
        waiting = [self._root, self._info]
        while waiting:
            number = waiting.pop()
            if number in kept:
                continue
            kept[number] = own.get(number) or self._shortened(number)
            waiting.extend(map(int, _REFERENCE.findall(kept[number].partition(b"\nstream\n")[0])))
        return self._written(kept)

    def _resources(self, resources: bytes, commands: bytes) -> dict[int, bytes]:
        """Return the dictionaries of resources with the entries that are named."""
        own: dict[int, bytes] = {}
        named = set(_NAME.findall(self._text(commands)))
        for kind in _BY_NAME:
            number = _reference(resources, kind.encode())
            listed = dict(_NAMED_OBJECT.findall(self._dictionary(number)))
            used = {name: int(at) for name, at in listed.items() if name in named}
            entries = b" ".join(b"/%s %d 0 R" % item for item in used.items())
            own[number] = b"%d 0 obj\n<< %s >>\nendobj\n" % (number, entries)
        return own

    def _written(self, kept: Mapping[int, bytes]) -> list[bytes]:
        """Return head, objects, and the table of where they lie."""
        pieces, at, places = [HEAD], len(HEAD), {}
        for number in sorted(kept):
            places[number] = at
            pieces.append(kept[number])
            at += len(kept[number])
        table = [b"xref\n0 1\n0000000000 65535 f \n"]
        for run in _runs(sorted(places)):
            table.append(b"%d %d\n" % (run[0], len(run)))
            table.extend(b"%010d 00000 n \n" % places[number] for number in run)
        table.append(
            b"trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n"
            % (max(places) + 1, self._root, self._info, at)
        )
        return [*pieces, b"".join(table)]

    def _dictionary(self, number: int) -> bytes:
        return _parts(self._objects[number])[0]

    def _text(self, piece: bytes) -> bytes:
        """Return the commands of a piece as they were before deflating."""
        texts = []
        for own in piece.split(b"endobj\n"):
            stream = _parts(own + b"endobj\n")[1] if own else None
            texts.append(zlib.decompress(stream) if stream is not None else b"")
        return b"\n".join(texts)

    def _shortened(self, number: int) -> bytes:
        """Return an object; commands have their numbers to a thousandth of a point, and the length stands where the stream is."""
        head, stream = _parts(self._objects[number])
        length = re.search(rb"/Length (\d+) 0 R", head)
        if stream is None or length is None:
            return self._objects[number]
        if _is_drawing(head) and b"/FlateDecode" in head:
            stream = zlib.compress(_TEXT_OR_NUMBER.sub(_rounded, zlib.decompress(stream)), 9)
        head = head.replace(length[0], b"/Length %d" % len(stream))
        return b"%d 0 obj\n%s\nstream\n%s\nendstream\nendobj\n" % (number, head, stream)


def _parts(piece: bytes) -> tuple[bytes, bytes | None]:
    """Return the dictionary of an object, and its stream where it has one."""
    found = _OBJECT.match(piece)
    if found is None:
        raise ValueError(f"no object of a PDF: {piece[:60]!r}")
    return found[1], found[2]


def _reference(dictionary: bytes, key: bytes) -> int:
    """Return the number of the object that a key names."""
    found = re.search(rb"/%s (\d+) 0 R" % key, dictionary)
    if found is None:
        raise ValueError(f"a PDF without /{key.decode()}: {dictionary[:60]!r}")
    return int(found[1])


def _is_drawing(head: bytes) -> bool:
    """Whether a stream holds commands: that of a page says nothing of itself, that of a mark says Form."""
    return b"/Subtype /Form" in head or not re.search(
        rb"/(?:Type|Subtype|Length1|FunctionType|ShadingType|PatternType)\b", head
    )


def _rounded(found: re.Match[bytes]) -> bytes:
    if found[0].startswith(b"("):
        return found[0]
    return (b"%.3f" % float(found[0])).rstrip(b"0").rstrip(b".")


def _runs(numbers: Iterable[int]) -> list[list[int]]:
    """Return numbers in runs without a gap."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs
