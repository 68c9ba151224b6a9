"""A drawing in fewer bytes that looks the same: matplotlib writes a circle as eight curves, a group around each mark, photographs of dots."""

import base64
import re
from collections.abc import Sequence
from io import BytesIO
from itertools import groupby
from xml.etree import ElementTree

import numpy as np
from PIL import Image

_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?")
_SEGMENT = re.compile(r"([MLCQZz])([^MLCQZz]*)")
_OF_MATPLOTLIB = re.compile(r"(?:M\s*\S+\s+\S+\s*|[LCQ][-\d.e\s]+|[Zz]\s*)*")
_STROKED = re.compile(r"stroke: ?(?!none)")
_UNFILLED = re.compile(r"fill: ?none")
GRAIN = 100
"""Places are kept to a hundredth of a point, which no screen shows."""
LOOSE = 0.03
"""Points by which a curve may leave a circle and still be one: half the rounding of its ends, and that of its control points."""
TONES, FEW_BYTES = 256, 16_000
"""Colours of a picture of dots, whose soft edges make thousands; smaller pictures are fields of a heat map, whose colours are data."""
_PNG = "data:image/png;base64,"


def slimmed(drawing: ElementTree.Element, shared: Sequence[str] = ("clip-path", "class")) -> None:
    """Make a drawing without namespaces smaller in place; ``shared``: attributes that neighbours have in common are said once."""
    for element in drawing.iter():
        if element.tag == "path":
            _shorten(element)
        elif element.tag == "image":
            _fewer_colours(element)
    _flatten(drawing)
    for attribute in shared:
        _hoist(drawing, attribute)


def written(value: float) -> str:
    """Return a number of hundredths as SVG has it at its shortest: ``.5``, ``-12``."""
    text = f"{value / GRAIN:.2f}".rstrip("0").rstrip(".")
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


# ---------------------------------------------------------------- paths


def _shorten(path: ElementTree.Element) -> None:
    """Write a path as a circle where it is one, else by steps from point to point."""
    d = path.get("d", "")
    if not _OF_MATPLOTLIB.fullmatch(d):
        return
    segments = [
        (command, [float(number) for number in _NUMBER.findall(numbers)]) for command, numbers in _SEGMENT.findall(d)
    ]
    circle = _circle(segments)
    if circle is not None:
        del path.attrib["d"]
        path.tag = "circle"
        path.attrib = {
            key: written(round(value * GRAIN)) for key, value in circle.items() if key == "r" or value
        } | path.attrib
    elif segments:
        path.set("d", _by_steps(segments))


def _circle(segments: list[tuple[str, list[float]]]) -> dict[str, float] | None:
    """Return centre and radius of the circle that matplotlib writes as eight curves, None for other paths."""
    if "".join(command for command, _ in segments).upper() != "MCCCCCCCCZ":
        return None
    ends = np.array([numbers[-2:] for _, numbers in segments[:-1]])
    low, high = ends.min(axis=0), ends.max(axis=0)
    centre, radius = (low + high) / 2, float((high - low).mean()) / 2
    handles = np.array([numbers[:4] for command, numbers in segments if command == "C"]).reshape(-1, 2)
    far = np.hypot(*(handles - centre).T)  # control points of an eighth of a circle lie 1.0347 radii from its centre
    round_ = (
        np.abs(np.hypot(*(ends - centre).T) - radius).max() < LOOSE and np.abs(far - 1.0347 * radius).max() < 2 * LOOSE
    )
    return {"cx": float(centre[0]), "cy": float(centre[1]), "r": radius} if round_ else None


def _by_steps(segments: list[tuple[str, list[float]]]) -> str:
    """Return a path written as steps from point to point; sums stay exact, as all are whole hundredths."""
    text: list[str] = []
    at = start = (0, 0)
    last = ""
    for place, (command, numbers) in enumerate(segments):
        points = [(round(x * GRAIN), round(y * GRAIN)) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
        if command in "Zz":
            text.append("z")
            at, last = start, "z"
            continue
        closes = place + 1 < len(segments) and segments[place + 1][0] in "Zz"
        if command == "L" and closes and points[-1] == start:
            points.pop()  # the line home is what z draws
        if command == "M":
            start = at = points[-1]
            text.append(_step("M", points[-1:], ""))
            last = "M"
            continue
        size = {"L": 1, "C": 3, "Q": 2}[command]
        for first in range(0, len(points), size):
            part = [(x - at[0], y - at[1]) for x, y in points[first : first + size]]
            at = points[first + size - 1]
            name, values = _named(command, part)
            text.append(_step(name, values, last))
            last = name
    return "".join(text)


def _named(command: str, part: list[tuple[int, int]]) -> tuple[str, list[tuple[int, ...]]]:
    """Return the shortest command for one segment of steps."""
    if command == "L" and part[0][1] == 0:
        return "h", [(part[0][0],)]
    if command == "L" and part[0][0] == 0:
        return "v", [(part[0][1],)]
    return command.lower(), [*part]


def _step(name: str, points: list[tuple[int, ...]] | list[tuple[int, int]], last: str) -> str:
    """Return a command and its numbers; the name is left out where it is that of the last."""
    numbers = " ".join(written(value) for point in points for value in point).replace(" -", "-")
    if name != last:
        return name + numbers
    return numbers if numbers.startswith("-") else f" {numbers}"


# ---------------------------------------------------------------- groups


def _flatten(element: ElementTree.Element) -> None:
    """Take away groups that say nothing, and what is not seen: an outline of nothing, filled by nothing."""
    children: list[ElementTree.Element] = []
    for child in element:
        _flatten(child)
        if child.tag == "g" and not child.attrib:
            children.extend(child)
        elif not (child.tag in ("g", "defs") and not len(child)) and not _unseen(child):
            children.append(child)
    element[:] = children
    if len(element):
        element.text = "\n" if element.tag != "text" else element.text
        for child in element:
            child.tail = "\n"


def _unseen(element: ElementTree.Element) -> bool:
    style = element.get("style", "")
    return (
        element.tag == "path"
        and "id" not in element.attrib
        and bool(_UNFILLED.search(style))
        and not _STROKED.search(style)
    )


def _hoist(element: ElementTree.Element, shared: str) -> None:
    """Say once, at a group around them, what neighbours have in common."""
    for child in element:
        if child.tag not in ("defs", "text", "style"):
            _hoist(child, shared)
    found: list[ElementTree.Element] = []
    for value, run in groupby(element, key=lambda child: _sharable(child, shared)):
        members = list(run)
        if value is None or len(members) < 2:
            found.extend(members)
            continue
        for member in members:
            del member.attrib[shared]
        whole = element.tag == "g" and len(members) == len(element) and shared not in element.attrib
        if whole:
            element.set(shared, value)
            return
        group = ElementTree.Element("g", {shared: value})
        group.text = group.tail = "\n"
        group.extend(
            member for each in members for member in ([*each] if each.tag == "g" and not each.attrib else [each])
        )
        found.append(group)
    element[:] = found


def _sharable(element: ElementTree.Element, shared: str) -> str | None:
    """Return what may be said at a group: not a clip in a frame of its own, and no class of the page's."""
    value = element.get(shared)
    if value is None or element.tag in ("defs", "style", "clipPath"):
        return None
    if shared == "clip-path":
        return None if "transform" in element.attrib else value
    return value if re.fullmatch(r"s[0-9a-f]{7}", value) else None


# ---------------------------------------------------------------- pictures of dots


def _fewer_colours(image: ElementTree.Element) -> None:
    """Write a picture with a table of colours where that is smaller."""
    address = image.get("href", "")
    if not address.startswith(_PNG):
        return
    old = base64.b64decode(address.removeprefix(_PNG))
    if len(old) < FEW_BYTES:
        return
    with Image.open(BytesIO(old)) as picture:
        fewer = picture.convert("RGBA").quantize(TONES, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    stream = BytesIO()
    fewer.save(stream, format="png", optimize=True)
    if stream.tell() < len(old):
        image.set("href", _PNG + base64.b64encode(stream.getvalue()).decode("ascii"))
