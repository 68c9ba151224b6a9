"""Pages of the made-up data sets, each drawn once: that takes seconds."""

from collections.abc import Callable
from functools import cache

import pytest

from recovery_microglia.report import ReportInputs, render_report


@pytest.fixture(scope="session")
def tested(made_up: dict[str, ReportInputs]) -> ReportInputs:
    """The data set of which everything can be asked; tests must not change it."""
    return made_up["tested"]


@pytest.fixture(scope="session")
def page_of(made_up: dict[str, ReportInputs]) -> Callable[[str], str]:
    """Name of a made-up data set to its page."""
    return cache(lambda name: render_report(made_up[name]))
