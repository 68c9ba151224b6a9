"""Fixtures that several test modules share."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browser.chromium import chromium, executable

ROOT = Path(__file__).resolve().parents[1]


@pytest.hookimpl(tryfirst=True)  # before xdist looks at the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each file run in one process, and all that uses the copy of the project in the same, which goes first: it takes longest."""
    shared = {item: "project" in getattr(item, "fixturenames", ()) for item in items}
    for item in items:
        item.add_marker(pytest.mark.xdist_group("project" if shared[item] else str(item.path)))
    items.sort(key=lambda item: not shared[item])


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's root."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real public data beside the project; the test is skipped where they are not."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real data are not here ({folder} is absent)")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium; the test is skipped where none is installed."""
    if executable() is None:
        pytest.skip("no Chromium is installed here (Debian: apt-get install chromium; CHROMIUM=/path names another)")
    with chromium() as started:
        yield started
