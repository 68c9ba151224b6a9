"""How every figure looks, and how a drawing becomes part of a page."""

import hashlib
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO
from typing import Any
from weakref import WeakKeyDictionary

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.ticker import FuncFormatter
from matplotlib.transforms import Bbox

from recovery_microglia.core.tables.spec import Kind
from recovery_microglia.core.vocabulary import CONTROLS, Condition
from recovery_microglia.figures.svg import inline

# Blue and vermilion of Okabe and Ito's palette: they differ with every common kind of colour vision.
BLUE, VERMILION, INK, GREY, PALE = "#0072B2", "#D55E00", "#1d2733", "#6b7684", "#d5dae0"

CONDITIONS: dict[str, tuple[str, str]] = {
    Condition.NAIVE: (GREY, "o"),
    Condition.SHAM: (GREY, "s"),
    Condition.CONTRALATERAL: (GREY, "D"),
    Condition.INJURED: (INK, "o"),
    Condition.TREATED: (INK, "^"),
    Condition.OTHER: (GREY, "v"),
}
"""Condition to colour and marker: controls are open and grey, the others filled and dark. Hues mean cells: vermilion is recovery,
blue the other microglia, on every figure."""
ONSET = "#f3c9a8"
"""The interval of the onset: the colour of recovery, pale."""
RASTER_DPI, PNG_DPI = 150, 300
FOLLOWS_THE_PAGE: dict[str, str] = {
    INK: "ink",
    "#47525e": "soft-ink",
    "#8a939e": "axis",
    "#e6e9ed": "grid",
    "#ffffff": "plate",
    BLUE: "blue",
    VERMILION: "vermilion",
    GREY: "grey",
    ONSET: "onset",
    "#332288": "first",  # lines of sexes, arms, data sets (strata.LOOKS)
    "#117733": "second",
    "#882255": "third",
    "#997700": "fourth",
}
"""Colour to the name it has in style.css, where dark mode gives it another value."""
_RC: dict[str, Any] = {
    "svg.fonttype": "none",  # text stays text: small files, readable by search and by screen readers
    "text.hinting": "none",  # letters on screens of today are not fitted to points: hinted ones are measured up to 7 % too narrow
    "text.parse_math": False,  # a dollar sign in the name of a sample is a dollar sign
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # wider than the fonts of browsers, so nothing that fits here overflows there
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 10,
    "axes.edgecolor": "#8a939e",
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "text.color": INK,
    "xtick.color": "#47525e",
    "ytick.color": "#47525e",
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "grid.color": "#e6e9ed",
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
}


@dataclass(frozen=True)
class Drawing:
    """A drawing as an element of a page, and as matplotlib has it, from which files are written.

    Attributes
    ----------
    svg
        The ``svg`` element: colours and letters are the page's.
    figure
        What it was made from.
    """

    svg: str
    figure: Figure = field(compare=False, repr=False)


@dataclass(frozen=True)
class Picture:
    """One figure of the page.

    Attributes
    ----------
    name
        Stable short name; the anchor on the page.
    title, caption
        What it shows, and how to read it.
    alt
        What it says, for those who cannot see it.
    panels
        Its drawings; several stand in a grid that folds on a narrow screen.
    numbers
        The numbers that are drawn, shown as a table beneath.
    panel_width
        Least width of a panel in the grid, in rem.
    of
        Name of the table of the run whose columns the numbers have; its description says how they are written.
    kinds
        Kinds of further columns of the numbers, and of those that mean something else than in that table.
    wide
        Whether the figure takes the whole width of the page.
    narrow
        The same drawing for a phone; without one, the panel itself is shown there.
    """

    name: str
    title: str
    caption: str
    alt: str
    panels: tuple[Drawing, ...]
    numbers: pd.DataFrame
    panel_width: float = 17
    of: str = ""
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    wide: bool = False
    narrow: Drawing | None = None

    def written_numbers(self) -> bytes:
        """Return the numbers as a file: TSV, all digits."""
        return self.numbers.to_csv(sep="\t", index=False, lineterminator="\n").encode()


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in the house style, whatever the user's matplotlib is set to."""
    with mpl.rc_context(), warnings.catch_warnings():
        # a name in a script that the drawing font lacks is drawn by the browser's fonts
        warnings.filterwarnings("ignore", message=".*[Gg]lyph.*missing")
        mpl.rcdefaults()
        mpl.rcParams.update(_RC)  # type: ignore[arg-type]  # its keys are typed one by one
        yield


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure of ``width`` × ``height`` inches with one pair of axes."""
    figure = Figure(figsize=(width, height))
    return figure, figure.add_axes((0.12, 0.16, 0.85, 0.74))


def mark_of(condition: str) -> tuple[str, str, str]:
    """Return colour, marker and filling of an animal's mark: controls are open."""
    colour, marker = CONDITIONS.get(condition, CONDITIONS[Condition.OTHER])
    return colour, marker, "white" if condition in CONTROLS else colour


_BOXES: WeakKeyDictionary[Figure, Bbox] = WeakKeyDictionary()


def drawn_box(figure: Figure) -> Bbox:
    """Return what is drawn, in inches; found once a figure, as it takes as long as drawing."""
    if figure not in _BOXES:
        _BOXES[figure] = figure.get_tightbbox()
    return _BOXES[figure]


def drawing(figure: Figure, name: str, alt: str, tips: dict[str, str] | None = None) -> Drawing:
    """Return the figure with an SVG element of it that can stand inside a page beside others.

    Parameters
    ----------
    figure
        The drawing.
    name
        Prefix of all ids, unique on the page.
    alt
        Text alternative.
    tips
        Artist gid to the text shown on hovering.
    """
    stream = StringIO()
    with mpl.rc_context({"svg.hashsalt": name}):
        no_facts: Any = {"Date": None, "Creator": None, "Format": None, "Type": None}
        box = drawn_box(figure).padded(0.04)
        figure.savefig(stream, format="svg", bbox_inches=box, metadata=no_facts, dpi=RASTER_DPI)
    return Drawing(inline(stream.getvalue(), name, alt, tips or {}, FOLLOWS_THE_PAGE), figure)


WIDE, NARROW = 7.2, 3.3
"""Widths in inches of a drawing for a desk and for a phone."""


def room_of_names(width: float) -> int:
    """Return the letters that the name of a row may have in a drawing of a width."""
    return 40 if width >= WIDE else 18


def at_two_widths(draw: Callable[[float], Figure], name: str, alt: str) -> tuple[Drawing, Drawing]:
    """Return a drawing for a desk and one for a phone, on which its letters stay as large; see `drawing`."""
    return drawing(draw(WIDE), name, alt), drawing(draw(NARROW), f"{name}-narrow", alt)


def legend(ax: Axes, width: float, **options: Any) -> Legend:
    """Put the legend beside a wide drawing, above a narrow one."""
    if width >= WIDE:
        place: dict[str, Any] = {
            "loc": "upper left",
            "bbox_to_anchor": (1.035, 1.02),
        }  # clear of the last name on the axis: 100 %
    else:
        handles = options.get("handles") or ax.get_legend_handles_labels()[0]
        longest = max((len(str(handle.get_label())) for handle in handles), default=0)
        place = {
            "loc": "lower left",
            "bbox_to_anchor": (-0.15, 0.915),
            "ncols": 2 if longest <= 20 else 1,
            "fontsize": 8.5,
            "columnspacing": 0.9,
        }
        place["bbox_transform"] = ax.figure.transFigure
    return ax.legend(**{"handlelength": 1, "handletextpad": 0.5, **place, **options})


def short_names(names: Sequence[str], most: int) -> list[str]:
    """Return names for the rows of a drawing: of names longer than ``most`` what all have in common is cut, then the middle.

    Names that would become equal stay as they are, since a row must be one animal's.
    """
    if max(map(len, names), default=0) <= most:
        return list(names)
    head, tail = 0, 0
    if len(names) > 1:
        head = _in_common(names)
        tail = min(_in_common([name[::-1] for name in names]), min(map(len, names)) - head)
        while head and names[0][head - 1].isalnum():  # whole words
            head -= 1
        while tail and names[0][-tail].isalnum():
            tail -= 1
    cut = [("…" if head > 1 else name[:head]) + name[head : len(name) - tail] + ("…" if tail > 1 else name[len(name) - tail :])
           for name in names]  # fmt: skip
    half = (most - 1) // 2
    cut = [name if len(name) <= most else f"{name[:half]}…{name[-half:]}" for name in cut]
    return cut if len(set(cut)) == len(set(names)) else list(names)


def _in_common(names: Sequence[str]) -> int:
    """Return how many letters all names begin with."""
    letters = zip(*names, strict=False)
    return next((place for place, own in enumerate(letters) if len(set(own)) > 1), min(map(len, names)))


def slug(text: str) -> str:
    """Return a text as an anchor: letters and digits, the rest dashes, and a digest where anything was lost."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")
    return plain if plain == text else f"{plain}-{hashlib.sha256(text.encode()).hexdigest()[:6]}".strip("-")


# ---------------------------------------------------------------- axes


def percent_axis(ax: Axes, axis: str = "y") -> None:
    """Label an axis of fractions in percent."""
    which = ax.yaxis if axis == "y" else ax.xaxis
    which.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.3g} %"))


def root_days(days: Sequence[float] | np.ndarray[Any, Any] | pd.Series) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return where days stand on the axis: square root, so that early days have room."""
    return np.asarray(np.sqrt(np.maximum(np.asarray(days, dtype=float), 0)))


def day_axis(ax: Axes, days: Sequence[float], *, label: str = "days after injury", every: bool = True) -> None:
    """Put ticks at the sampled days of a `root_days` axis."""
    shown = sorted({float(day) for day in days if np.isfinite(day)})
    if not every and len(shown) > 4:
        ax.set_xticks(root_days(shown), minor=True)  # a tick at every day, names where they fit
        shown = _spread(shown)
    ax.set_xticks(root_days(shown), [f"{day:g}" for day in shown])
    ax.set_xlabel(label)


def _spread(days: list[float]) -> list[float]:
    """Leave out days whose labels would touch."""
    kept = [days[0]]
    gap = (root_days([days[-1]])[0] - root_days([days[0]])[0]) / 6
    for day in days[1:]:
        if root_days([day])[0] - root_days([kept[-1]])[0] >= gap:
            kept.append(day)
    return kept


def sidestep(n: int, width: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return ``n`` offsets around 0 so that dots of one day stand side by side, ``width`` in all at most."""
    if n < 2:
        return np.zeros(n)
    step = min(width / (n - 1), width / 3)
    return np.asarray((np.arange(n) - (n - 1) / 2) * step, dtype=np.float64)
