"""What a label takes is measured as a browser draws it: a hinted one was cut off at the left of its drawing."""

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.textpath import TextPath

from recovery_microglia.figures.style import house_style

LABEL = "injured, day 14 (n = 3; 119 counts)"


@pytest.mark.parametrize("size", [7.5, 8.0, 8.5, 9.0, 9.5, 10.0])
def test_a_text_is_measured_as_wide_as_its_outlines_are(size: float) -> None:
    with house_style():
        figure = Figure(figsize=(7, 3))
        renderer = FigureCanvasAgg(figure).get_renderer()
        text = figure.text(0.1, 0.5, LABEL, fontsize=size)
        measured = text.get_window_extent(renderer).width * 72 / figure.dpi
        outlines = TextPath((0, 0), LABEL, size=size).get_extents().width
    assert measured == pytest.approx(outlines, rel=0.015)
