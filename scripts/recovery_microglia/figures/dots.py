"""Dots of genes in groups of cells: area is the share of cells with a count, strength of the colour the mean count."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from recovery_microglia.core import wording
from recovery_microglia.core.arrays import Floats
from recovery_microglia.figures.style import GREY, WIDE, legend


@dataclass(frozen=True)
class Look:
    """How dots look: their colour, the area where no cell has a count, what is added where all have, the opacity at a mean of 0."""

    colour: str
    least: float
    added: float
    palest: float

    def area(self, share: Any) -> Any:
        """Return the area for a share of cells."""
        return self.least + self.added * share

    def opacity(self, level: Any) -> Any:
        """Return the opacity for a mean relative to the highest."""
        return np.clip(self.palest + (1 - self.palest) * level, 0, 1)


def draw_dots(
    ax: Axes,
    places: tuple[NDArray[Any], NDArray[Any]],
    share: Floats,
    level: Floats,
    look: Look,
    *,
    names: tuple[Sequence[str], Sequence[str]],
    upright: bool,
) -> None:
    """Draw the dots, name both axes and add the legend.

    Parameters
    ----------
    places
        Where the gene and where the group of each dot stands.
    share, level
        Share of cells with a count; mean relative to the group with the highest mean of the gene.
    names
        Genes and groups in order.
    upright
        Whether genes run downwards (for a phone) and not to the right.
    """
    # one colour, stronger where more is: it reads on paper and in the dark, and with every kind of colour vision
    shade = np.column_stack([np.tile(to_rgb(look.colour), (len(level), 1)), look.opacity(level)])
    ax.scatter(*(places[::-1] if upright else places), s=look.area(share), c=shade, lw=0, clip_on=False)
    _name_axes(ax, *names, upright=upright)
    handles = [
        *(
            _handle(np.sqrt(look.area(part)), GREY, 1.0, f"{100 * part:.0f}{wording.PERCENT} of the cells")
            for part in (0.1, 0.5, 1.0)
        ),
        *(
            _handle(8, look.colour, float(look.opacity(part)), word)
            for part, word in ((0, "none"), (0.5, "half"), (1, "highest mean"))
        ),
    ]
    if upright:
        ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(-0.5, 0.0), ncols=1)
    else:
        legend(ax, WIDE, handles=handles, labelspacing=0.7)


def _handle(size: float, colour: str, alpha: float, label: str) -> Line2D:
    return Line2D([], [], ls="", marker="o", ms=size, color=colour, alpha=alpha, mew=0, label=label)


def _name_axes(ax: Axes, genes: Sequence[str], groups: Sequence[str], *, upright: bool) -> None:
    along, across = (ax.yaxis, ax.xaxis) if upright else (ax.xaxis, ax.yaxis)
    along.set_ticks(range(len(genes)), list(genes), fontstyle="italic", fontsize=9, rotation=0 if upright else 90)
    across.set_ticks(range(len(groups)), list(groups), rotation=60 if upright else 0, ha="left" if upright else "right")
    if upright:
        ax.xaxis.tick_top()
    (ax.set_ylim if upright else ax.set_xlim)((len(genes) - 0.3, -0.7) if upright else (-0.7, len(genes) - 0.3))
    (ax.set_xlim if upright else ax.set_ylim)((-0.7, len(groups) - 0.3) if upright else (len(groups) - 0.3, -0.7))
    ax.tick_params(length=0)
