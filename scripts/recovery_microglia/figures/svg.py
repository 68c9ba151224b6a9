"""How matplotlib's SVG file becomes an element of a page that holds many."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from functools import cache
from xml.etree import ElementTree

from markupsafe import Markup

from recovery_microglia.figures.slim import slimmed

MANY = 4
"""Elements with one style from which on it is written once."""
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_PLACES = {"x", "y", "width", "height", "cx", "cy", "points"}
_MOVE = re.compile(r"translate\([^)]*\)")
_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_OPACITY = re.compile(r";?((?:fill|stroke)-opacity):([\d.]+)")
_OF_THE_WHOLE = re.compile(r"(?<!-)opacity")
_RULES = re.compile(r"<style>(.*?)</style>\n", re.DOTALL)
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
    _own_ids(drawing, _prefix(name))
    _follow_the_page(drawing, variables)
    _share_styles(drawing)
    slimmed(drawing)
    _open_as(drawing, alt, has_tips=bool(tips))
    return ElementTree.tostring(drawing, encoding="unicode")


class Styles:
    """The styles of the drawings of one page, each written once: they hold for the whole page."""

    def __init__(self) -> None:
        self._written: set[str] = set()

    def once(self, svg: str) -> Markup:
        """Return a drawing of `inline` without the styles that an earlier one has."""
        return Markup(_RULES.sub(self._new, svg))  # every text in it is escaped

    def _new(self, found: re.Match[str]) -> str:
        rules = [rule for rule in found[1].split("\n") if rule not in self._written]
        self._written.update(rules)
        return "<style>{}</style>\n".format("\n".join(rules)) if rules else ""


def alone(svg: str, creator: str) -> str:
    """Return a drawing as a file that needs no page: as matplotlib writes it, in fewer bytes.

    Each element keeps its style, and links their older name, since not all programs that draw know style sheets and SVG 2.
    """
    drawing = ElementTree.fromstring(svg)
    size = {key: drawing.attrib[key] for key in ("width", "height", "viewBox")}
    _forget_namespaces(drawing)
    _strip(drawing, page=False)
    _own_ids(drawing, _prefix(svg))
    slimmed(drawing, shared=("clip-path",))
    for element in drawing.iter():
        if "href" in element.attrib:
            element.set("xlink:href", element.attrib.pop("href"))
    drawing.attrib.clear()
    drawing.attrib |= {
        "xmlns": "http://www.w3.org/2000/svg",
        "xmlns:xlink": "http://www.w3.org/1999/xlink",
        "version": "1.1",
        **size,
    }
    made = ElementTree.Element("metadata")
    made.text, made.tail = creator, "\n"
    drawing.insert(0, made)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(drawing, encoding="unicode")}\n'


def _forget_namespaces(drawing: ElementTree.Element) -> None:
    """Name elements and attributes as HTML does: ``svg`` for ``{http://…}svg``, ``href`` for ``xlink:href``."""
    for element in drawing.iter():
        element.tag = element.tag.rpartition("}")[2]
        for key in [key for key in element.attrib if key.startswith("{")]:
            element.set(key.rpartition("}")[2], element.attrib.pop(key))


def _strip(drawing: ElementTree.Element, *, page: bool = True) -> None:
    """Remove what describes a file, and indentation: a line an element keeps the page readable."""
    for metadata in drawing.findall("metadata"):
        drawing.remove(metadata)
    for defs in drawing.iter("defs") if page else ():  # how lines meet and end is in style.css, once
        for style in defs.findall("style"):
            defs.remove(style)
    for element in drawing.iter():
        element.text, element.tail = _unindented(element.text), _unindented(element.tail)
        for key in _PLACES & element.attrib.keys():
            element.set(key, _rounded(element.attrib[key]))
        if "transform" in element.attrib:  # sizes and angles keep their digits
            element.set("transform", _MOVE.sub(lambda found: _rounded(found[0]), element.attrib["transform"]))
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


def _prefix(name: str) -> str:
    return f"f{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def _own_ids(drawing: ElementTree.Element, prefix: str) -> None:
    """Put the prefix before each id and each reference to one; drop ids that nothing refers to."""
    used: dict[str, str] = {}

    def renamed(reference: str) -> str:
        return used.setdefault(reference, f"{prefix}-{len(used)}")

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
            element.set("id", used[own])


def _follow_the_page(drawing: ElementTree.Element, variables: Mapping[str, str]) -> None:
    """Give styles the page's fonts, and its colours, which change in dark mode."""
    variables = {colour.lower(): variable for colour, variable in variables.items()}  # as matplotlib writes them

    @cache  # thousands of elements share a few styles
    def restyled(style: str) -> str:
        declarations = (part.partition(":") for part in style.split(";") if part.strip())
        return ";".join(
            f"{key.strip()}:{_page_value(key.strip(), _rounded(value.strip()), variables)}"
            for key, _, value in declarations
        )

    for element in drawing.iter():
        if "style" in element.attrib:
            element.set("style", restyled(element.attrib["style"]))


def _share_styles(drawing: ElementTree.Element) -> None:
    """Write styles that many elements have once, as classes named by what they say: thousands of dots share a few."""
    styled = [element for element in drawing.iter() if "style" in element.attrib]
    often = _frequent(styled)
    for element in styled:  # dots that differ only in how dense they are share the rest
        if element.attrib["style"] not in often:
            element.attrib |= dict(_OPACITY.findall(element.attrib["style"]))
            element.set("style", _OPACITY.sub("", element.attrib["style"]).lstrip(";"))
    often |= _frequent(styled)
    if not often:
        return
    names = {style: _class_of(style) for style in sorted(often)}
    for element in styled:
        if (name := names.get(element.attrib["style"])) is not None:
            del element.attrib["style"]
            element.set("class", f"{element.attrib['class']} {name}" if "class" in element.attrib else name)
    rules = ElementTree.Element("style")
    rules.text = "\n".join(f".{name}{{{style}}}" for style, name in names.items())
    drawing.insert(0, rules)


def _frequent(elements: list[ElementTree.Element]) -> set[str]:
    counted = Counter(element.attrib["style"] for element in elements)
    return {style for style, n in counted.items() if n >= MANY}


def _class_of(style: str) -> str:
    """Return the name of a style; one that begins with ``s`` means the same when it is said of a group."""
    return f"{'o' if _OF_THE_WHOLE.search(style) else 's'}{hashlib.sha256(style.encode()).hexdigest()[:7]}"


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
