"""Fixtures that several test modules share, and which tests run in one process."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from browser.chromium import chromium, executable

ROOT = Path(__file__).resolve().parents[1]
ON_ONE_COPY = {
    f"test_{name}.py"
    for name in (
        "drivers",
        "killed",
        "mistakes",
        "one_step",
        "own_data",
        "r",
        "real_data",
        "rerun",
        "run",
        "scale",
        "tl",
    )
}
"""Files of tests on the copy of the project that workflow/conftest.py makes: another process would run it once more."""


# A job that a shell starts in the background ignores Ctrl-C, and so do its children; some tests send it to theirs.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let those go first that take longest, as they stay in one process."""
    items.sort(key=lambda item: item.path.name not in ON_ONE_COPY)


class _ByFile(LoadScopeScheduling):  # type: ignore[misc]  # xdist comes without types
    """A file's tests in one process. (Marks of groups would do, but for xdist 3.8 on pytest 9.2: its issue 1386.)"""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        return "one copy" if Path(file).name in ON_ONE_COPY else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Hand out the tests of a run of several processes."""
    return _ByFile(config, log)


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
def made_up() -> dict[str, Any]:
    """Four data sets in the schema of a run's tables (`ReportInputs`) by name; tests must not change them."""
    from made_up.sets import SETS  # imports what draws pages, which most tests do not need

    return {name: build() for name, build in SETS.items()}


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium; the test is skipped where none is installed."""
    if executable() is None:
        pytest.skip("no Chromium is installed here (Debian: apt-get install chromium; CHROMIUM=/path names another)")
    with chromium() as started:
        yield started
