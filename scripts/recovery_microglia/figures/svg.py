"""How matplotlib's SVG file becomes an element of a page that holds many."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from functools import cache
from xml.etree import ElementTree

MANY = 4
"""Elements with one style from which on it is written once."""
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_PLACES = {"d", "x", "y", "width", "height", "cx", "cy", "points"}
_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")


def inline(svg: str, name: str, alt: str, tips: Mapping[str, str], variables: Mapping[str, str]) -> str:
    """Return a drawing as an ``svg`` element of a page: only what the page needs, ids of its own, the page's colours.

    Parameters
    ----------
    svg
        The file as matplotlib writes it.
    name
        What makes its ids unique on the page.
    alt
        Text alternative of the whole.
    tips
        Id of a group to the text that it shows on hovering.
    variables
        Colour, in whatever case, to the variable of the style sheet that takes its place.
    """
    # the parser leaves out comments; a control character in the name of a sample would stop it
    drawing = ElementTree.fromstring(_NOT_IN_XML.sub("", svg))
    _forget_namespaces(drawing)
    _strip(drawing)
    _add_tips(drawing, tips)
    _own_ids(drawing, hashlib.sha256(name.encode()).hexdigest()[:6])
    _follow_the_page(drawing, variables)
    _share_styles(drawing)
    _open_as(drawing, alt, has_tips=bool(tips))
    return ElementTree.tostring(drawing, encoding="unicode")


def _forget_namespaces(drawing: ElementTree.Element) -> None:
    """Name elements and attributes as HTML does: ``svg`` for ``{http://…}svg``, ``href`` for ``xlink:href``."""
    for element in drawing.iter():
        element.tag = element.tag.rpartition("}")[2]
        for key in [key for key in element.attrib if key.startswith("{")]:
            element.set(key.rpartition("}")[2], element.attrib.pop(key))


def _strip(drawing: ElementTree.Element) -> None:
    """Remove what describes a file, and indentation: a line an element keeps the page readable."""
    for metadata in drawing.findall("metadata"):
        drawing.remove(metadata)
    for element in drawing.iter():
        element.text, element.tail = _unindented(element.text), _unindented(element.tail)
        for key in _PLACES & element.attrib.keys():  # a path has a line a segment, and places of six decimals
            element.set(key, _rounded(" ".join(element.attrib[key].split())))
        if element.get("transform", "").startswith("rotate(-0 "):  # of every text: turned by nothing
            del element.attrib["transform"]


def _rounded(text: str) -> str:
    """Return a text with its numbers to a hundredth of a point, which no screen shows."""
    return _LONG_NUMBER.sub(lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), text)


def _unindented(text: str | None) -> str | None:
    return "\n" if text and text.isspace() else text


def _add_tips(drawing: ElementTree.Element, tips: Mapping[str, str]) -> None:
    """Give groups the text that the page shows on hovering and a screen reader speaks."""
    for group in drawing.iter("g"):
        if (text := tips.get(group.get("id", ""))) is not None:
            del group.attrib["id"]
            group.attrib |= {"class": "tip", "role": "img", "aria-label": text, "data-tip": text}


def _own_ids(drawing: ElementTree.Element, prefix: str) -> None:
    """Put the prefix before each id and each reference to one; drop ids that nothing refers to."""
    used: set[str] = set()

    def renamed(reference: str) -> str:
        used.add(reference)
        return f"{prefix}-{reference}"

    for element in drawing.iter():
        for key, value in element.items():
            if key == "href" and value.startswith("#"):
                element.set(key, f"#{renamed(value[1:])}")
            elif key == "href":  # base64 of an image comes in lines
                element.set(key, "".join(value.split()))
            elif "url(#" in value and key not in ("aria-label", "data-tip"):
                element.set(key, _REFERENCE.sub(lambda found: f"url(#{renamed(found[1])})", value))
    for element in drawing.iter():
        if (own := element.attrib.pop("id", None)) in used:
            element.set("id", f"{prefix}-{own}")


def _follow_the_page(drawing: ElementTree.Element, variables: Mapping[str, str]) -> None:
    """Give styles the page's fonts, and its colours, which change in dark mode."""
    variables = {colour.lower(): variable for colour, variable in variables.items()}  # as matplotlib writes them

    @cache  # thousands of elements share a few styles
    def restyled(style: str) -> str:
        declarations = (part.partition(":") for part in style.split(";") if part.strip())
        return "; ".join(
            f"{key.strip()}: {_page_value(key.strip(), value.strip(), variables)}" for key, _, value in declarations
        )

    for element in drawing.iter():
        if "style" in element.attrib:
            element.set("style", restyled(element.attrib["style"]))


def _share_styles(drawing: ElementTree.Element) -> None:
    """Write styles that many elements have once, as classes named by what they say: thousands of dots share a few."""
    styled = [element for element in drawing.iter() if "style" in element.attrib]
    often = [style for style, n in Counter(element.attrib["style"] for element in styled).items() if n >= MANY]
    if not often:
        return
    names = {style: f"s{hashlib.sha256(style.encode()).hexdigest()[:7]}" for style in often}
    for element in styled:
        if (name := names.get(element.attrib["style"])) is not None:
            del element.attrib["style"]
            element.set("class", f"{element.attrib['class']} {name}" if "class" in element.attrib else name)
    rules = ElementTree.Element("style")
    rules.text = "".join(f".{name}{{{style}}}" for style, name in names.items())
    drawing.insert(0, rules)


def _page_value(key: str, value: str, variables: Mapping[str, str]) -> str:
    """Return the value of a declaration as the page has it; a family in a style attribute would win over its own."""
    if key == "font-family":
        return "var(--sans)"
    if key == "font":  # before matplotlib 3.10: style, weight and size, then the families
        return f"{value.partition('px')[0]}px var(--sans)"
    return f"var(--{variables[value]})" if value in variables else value


def _open_as(drawing: ElementTree.Element, alt: str, *, has_tips: bool) -> None:
    """Let the drawing shrink with the page but not grow, and be read out: as one picture, or as a group of its dots."""
    box = drawing.attrib["viewBox"]
    width = float(box.split()[2]) * 4 / 3  # points to CSS pixels
    drawing.attrib.clear()
    drawing.attrib |= {"viewBox": box, "role": "group" if has_tips else "img"}
    if has_tips:
        drawing.set("class", "dots")
    drawing.attrib |= {
        "aria-label": alt,
        "style": f"max-width:{width:.0f}px",
        "preserveAspectRatio": "xMinYMin meet",
    }
