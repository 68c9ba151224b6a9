"""A drawing in fewer bytes is the same drawing."""

import base64
import re
from io import BytesIO
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.path import Path
from PIL import Image

from recovery_microglia.figures.slim import slimmed, written

NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)")


def slim(body: str) -> ElementTree.Element:
    drawing = ElementTree.fromstring(f"<svg>{body}</svg>")
    slimmed(drawing)
    return drawing


def points_of(d: str) -> list[tuple[float, float]]:
    """Walk a path of relative steps as a browser does (SVG 1.1, 8.3); the ends of its segments."""
    found, at, start = [], np.zeros(2), np.zeros(2)
    for command, numbers in re.findall(r"([MLhvclqz])([^MLhvclqz]*)", d):
        values = [float(number) for number in NUMBER.findall(numbers)]
        if command == "M":
            at = start = np.array(values)
            found.append(tuple(at))
        elif command == "z":
            at = start
        elif command in "hv":
            for value in values:
                at = at + (np.array([value, 0]) if command == "h" else np.array([0, value]))
                found.append(tuple(at))
        else:
            size = {"l": 2, "q": 4, "c": 6}[command]
            for first in range(0, len(values), size):
                at = at + np.array(values[first + size - 2 : first + size])
                found.append(tuple(at))
    return found


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("M 181.7 32.15 L 183.28 32.15 L 183.28 21.19 L 181.7 21.19 z", "M181.7 32.15h1.58v-10.96h-1.58z"),
        ("M 0 0 L 0 3.5", "M0 0v3.5"),
        ("M 0 0 L 1 1 L 0 0 z", "M0 0l1 1z"),  # home is drawn by z
        ("M 0.5 -0.25 L 1 1", "M.5-.25l.5 1.25"),
        ("M 1 1 L 2 3 L 4 2 M 9 9 L 8 8", "M1 1l1 2 2-1M9 9l-1-1"),
        ("M 0 0 Q 1 1 2 0 Q 3 -1 4 0", "M0 0q1 1 2 0 1-1 2 0"),
        ("M 0 0 A 1 1 0 0 0 2 2", "M 0 0 A 1 1 0 0 0 2 2"),  # not of matplotlib: left as it is
    ],
)
def test_a_path_is_told_by_its_steps(before: str, after: str) -> None:
    path = slim(f'<path d="{before}"/>').find("path")
    assert path is not None
    assert path.get("d") == after


def test_a_long_line_does_not_drift() -> None:
    """Steps of rounded places sum up to the rounded place; steps rounded by themselves would be off by a point after thousands."""
    rng = np.random.default_rng(1)
    places = np.cumsum(rng.normal(size=(3000, 2)), axis=0)
    path = slim('<path d="M ' + " L ".join(f"{x:.6f} {y:.6f}" for x, y in places) + '"/>').find("path")
    np.testing.assert_allclose(points_of(path.get("d")), places, atol=0.0051)  # half a hundredth


def test_a_circle_of_matplotlib_becomes_one_and_an_ellipse_does_not() -> None:
    circle = Path.unit_circle()  # a start, eight curves, a close

    def d(width: float, height: float) -> str:
        numbers = [f"{x:.6f} {y:.6f}" for x, y in circle.vertices[:-1] * [width, height] + [5, 7]]
        return f"M {numbers[0]} " + " ".join(f"C {' '.join(numbers[i : i + 3])}" for i in range(1, 25, 3)) + " z"

    found = slim(f'<path d="{d(2.5, 2.5)}" class="a"/>').find("circle")
    assert found is not None
    assert found.attrib == {"cx": "5", "cy": "7", "r": "2.5", "class": "a"}
    assert slim(f'<path d="{d(2.5, 2.0)}"/>').find("circle") is None


def test_dots_of_matplotlib_are_where_they_were() -> None:
    figure = Figure(figsize=(2, 1))
    ax = figure.add_axes((0, 0, 1, 1))
    x, y, sizes = [0.2, 0.5, 0.9], [0.3, 0.8, 0.1], [30, 200, 3]
    ax.scatter(x, y, s=sizes)
    ax.set(xlim=(0, 1), ylim=(0, 1))
    stream = BytesIO()
    figure.savefig(stream, format="svg")
    drawing = ElementTree.fromstring(stream.getvalue())
    for element in drawing.iter():
        element.tag = element.tag.rpartition("}")[2]
    slimmed(drawing)
    circles = [[float(circle.get(key)) for key in ("cx", "cy", "r")] for circle in drawing.iter("circle")]
    wanted = [
        (144 * a, 72 * (1 - b), np.sqrt(s) / 2) for a, b, s in zip(x, y, sizes, strict=True)
    ]  # a dot of area s has a diameter of its root
    np.testing.assert_allclose(circles, wanted, atol=0.011)


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (50, ".5"), (-5, "-.05"), (1000, "10"), (-1234, "-12.34")])
def test_numbers_are_written_at_their_shortest(value: float, text: str) -> None:
    assert written(value) == text


# ---------------------------------------------------------------- groups


def test_what_is_not_seen_is_gone_and_what_is_referred_to_stays() -> None:
    drawing = slim(
        '<g><g/><path d="M 0 0 L 1 1" style="fill: none"/></g><defs/>'
        '<path d="M 0 0 L 1 1" style="fill: none; stroke: red"/><path id="m" d="M 0 0 L 1 1" style="fill: none"/>'
    )
    assert [(element.tag, element.get("id")) for element in drawing] == [("path", None), ("path", "m")]


def test_a_clip_is_said_once_where_neighbours_share_it() -> None:
    drawing = slim(
        '<rect clip-path="url(#a)"/><g><rect clip-path="url(#a)"/></g>'
        '<rect clip-path="url(#b)"/><rect clip-path="url(#a)" transform="scale(2)"/>'
    )
    assert [(element.tag, element.get("clip-path"), len(element)) for element in drawing] == [
        ("g", "url(#a)", 2),
        ("rect", "url(#b)", 0),
        ("rect", "url(#a)", 0),
    ]


# ---------------------------------------------------------------- pictures


def with_picture(pixels: np.ndarray) -> tuple[int, np.ndarray]:
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, format="png")
    text = base64.b64encode(stream.getvalue()).decode()
    image = slim(f'<image href="data:image/png;base64,{text}"/>').find("image")
    new = base64.b64decode(image.get("href").partition(",")[2])
    return len(new) - stream.tell(), np.asarray(Image.open(BytesIO(new)).convert("RGBA"))


def test_a_cloud_of_dots_has_fewer_colours_and_the_same_look() -> None:
    rng = np.random.default_rng(1)
    pixels = np.zeros((300, 300, 4), np.uint8)
    places = rng.integers(0, 300, (2, 20_000))
    pixels[places[0], places[1]] = np.c_[
        rng.choice([[0, 114, 178], [213, 94, 0]], 20_000), rng.integers(1, 256, 20_000)
    ]
    gained, after = with_picture(pixels)
    assert gained < 0
    seen = [
        picture[..., :3] * (picture[..., 3:] / 255) + 255 * (1 - picture[..., 3:] / 255) for picture in (pixels, after)
    ]
    assert np.abs(seen[0] - seen[1]).mean() < 2  # of 255 steps


def test_fields_of_a_heat_map_keep_their_colours() -> None:
    colours = np.random.default_rng(1).integers(0, 256, (30, 12, 4), dtype=np.uint8)
    pixels = np.kron(colours, np.ones((10, 10, 1), np.uint8))
    _, after = with_picture(pixels)
    assert (after == pixels).all()
