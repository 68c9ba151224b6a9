"""What becomes of matplotlib's SVG on a page."""

import re
from xml.etree import ElementTree

import pytest

from recovery_microglia.figures import style
from recovery_microglia.figures.style import house_style
from recovery_microglia.figures.svg import Styles, inline

HEAD = """<?xml version="1.0" encoding="utf-8" standalone="no"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN"
  "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns:xlink="http://www.w3.org/1999/xlink" width="72pt" height="36pt" viewBox="0 0 72 36"
 xmlns="http://www.w3.org/2000/svg" version="1.1">
"""
COLOURS = {"#0072B2": "blue"}


def inlined(body: str, *, name: str = "one", alt: str = "", **tips: str) -> str:
    return inline(f"{HEAD}{body}</svg>", name, alt, tips, COLOURS)


def parsed(body: str, **how: str) -> ElementTree.Element:
    return ElementTree.fromstring(inlined(body, **how))


def test_what_only_a_file_needs_is_gone() -> None:
    svg = inlined("<metadata><date>today</date></metadata>\n  <!-- Text -->\n  <g>\n   <rect/>\n  </g>\n")
    assert svg.startswith("<svg viewBox=")
    assert not re.search(r"metadata|today|<!--|xmlns|DOCTYPE|version|\n ", svg)
    assert [element.tag for element in ElementTree.fromstring(svg).iter()] == [
        "svg",
        "rect",
    ]  # a group that says nothing is gone too


def test_a_drawing_shrinks_with_the_page_but_does_not_grow() -> None:
    drawing = parsed("")
    assert drawing.get("viewBox") == "0 0 72 36"
    assert drawing.get("style") == "max-width:96px"  # an inch
    assert "width" not in drawing.attrib


def test_ids_differ_between_drawings_and_references_find_them() -> None:
    body = """<defs><clipPath id="a"><rect/></clipPath><pattern id="h"/></defs><path id="m" d="M 0 0 \nL 1 1 \n"/>
      <use xlink:href='#m' clip-path="url(#a)" style="fill: url(#h); stroke: none"/>"""
    one, two = parsed(body), parsed(body, name="two")
    for drawing in (one, two):
        use, path = drawing.find("use"), drawing.find("path")
        assert use is not None
        assert path is not None
        assert use.get("href") == f"#{path.get('id')}"
        assert use.get("clip-path") == f"url(#{drawing.find('.//clipPath').get('id')})"
        assert use.get("style") == f"fill:url(#{drawing.find('.//pattern').get('id')});stroke:none"
        assert path.get("d") == "M0 0l1 1"
    ids = [{element.get("id") for element in drawing.iter()} - {None} for drawing in (one, two)]
    assert len(ids[0]) == len(ids[1]) == 3
    assert not ids[0] & ids[1]


def test_an_id_that_nothing_refers_to_is_dropped() -> None:
    assert "id=" not in inlined(
        '<g id="figure_1"><g id="axes_1"><image href="data:image/png;base64,\nAA\nBB"/></g></g>'
    )


def test_an_image_is_one_line() -> None:
    assert 'href="data:image/png;base64,AABB"' in inlined('<image xlink:href="data:image/png;base64,\nAA\nBB"/>')


@pytest.mark.parametrize(
    ("style", "on_the_page"),
    [
        ("fill: #0072b2; stroke: #0072b2", "fill:var(--blue);stroke:var(--blue)"),
        ("fill: #0072b3; opacity: 0.5", "fill:#0072b3;opacity:0.5"),  # no colour of the house
        ("font-size: 9px; font-family: 'DejaVu Sans', sans-serif", "font-size:9px;font-family:var(--sans)"),
        ("font: italic 700 10.5px 'DejaVu Sans', sans-serif", "font:italic 700 10.5px var(--sans)"),
        ("fill: none;", "fill:none"),
    ],
)
def test_styles_follow_the_page(style: str, on_the_page: str) -> None:
    text = parsed(f'<text style="{style}">x</text>').find("text")
    assert text is not None
    assert text.get("style") == on_the_page


def test_tips_are_shown_and_spoken() -> None:
    words = 'mouse "7" & <b>: 3 of 9'
    drawing = parsed('<g id="tip-1"><use/></g><g id="tip-10"><rect/></g>', alt="Two dots.", **{"tip-1": words})
    (group,) = drawing.findall("g")  # that of tip-10 says nothing
    assert group.attrib == {"class": "tip", "role": "img", "aria-label": words, "data-tip": words}
    # a screen reader goes through the dots of a group, and takes a picture as one
    assert (drawing.get("role"), drawing.get("class"), drawing.get("aria-label")) == ("group", "dots", "Two dots.")
    assert (parsed("").get("role"), parsed("").get("class")) == ("img", None)


def test_words_that_look_like_markup_stay_words() -> None:
    from matplotlib.figure import Figure

    name = 'a <b> & "c" id="d" url(#e): #0072b2 \x07--> $x$'
    with house_style():
        figure = Figure(figsize=(2, 1))
        figure.text(0, 0.5, name)
        svg = style.drawing(figure, "words", name).svg
    drawing = ElementTree.fromstring(svg.replace("\x07", ""))
    assert [text.text for text in drawing.iter("text")] == [name.replace("\x07", "")]
    assert drawing.get("aria-label") == name.replace("\x07", "")


def test_a_style_of_many_elements_is_written_once_and_says_the_same() -> None:
    style = "fill: #0072b2; stroke: none"
    dots = "".join(f'<rect width="1" style="{style}"/><rect width="2" style="fill: red"/>' for _ in range(2))
    drawing = parsed(dots * 2 + f'<rect width="3" style="{style}; fill-opacity: 0.12345"/>')
    rects = drawing.findall("rect")
    (rules,) = drawing.findall("style")
    said = dict(re.findall(r"\.(\w+)\{(.*)\}", rules.text))
    assert [said[rect.get("class")] for rect in rects[::2]] == ["fill:var(--blue);stroke:none"] * 5
    assert [said[rect.get("class")] for rect in rects[1::2]] == ["fill:red"] * 4
    assert all("style" not in rect.attrib for rect in rects)
    assert rects[-1].get("fill-opacity") == "0.12"  # of one that is less dense, beside what it shares


def test_a_page_has_each_style_once() -> None:
    drawings = [
        inlined(f'<rect style="fill: red"/><rect style="fill: {other}"/>' * 4, name=name)
        for name, other in (("one", "blue"), ("two", "green"), ("three", "blue"))
    ]
    styles = Styles()
    on_the_page = [styles.once(drawing) for drawing in drawings]
    rules = [re.findall(r"\{(.*?)\}", drawing) for drawing in on_the_page]
    assert [sorted(own) for own in rules] == [["fill:blue", "fill:red"], ["fill:green"], []]
    assert [drawing.count("class=") for drawing in on_the_page] == [drawing.count("class=") for drawing in drawings]


def test_neighbours_say_once_what_they_share_and_opacity_of_the_whole_stays_with_each() -> None:
    """A group of two half-dense dots is less dense where they overlap than each of them alone."""
    dots = "".join('<rect style="fill: red"/>' for _ in range(4)) + "".join(
        '<rect style="opacity: 0.5"/>' for _ in range(4)
    )
    drawing = parsed(dots)
    (group,) = drawing.findall("g")
    assert [rect.attrib for rect in group] == [{}] * 4
    assert "fill:red" in drawing.find("style").text
    assert [rect.get("class") is not None for rect in drawing.findall("rect")] == [True] * 4
