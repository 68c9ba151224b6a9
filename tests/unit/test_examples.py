"""The examples in docstrings are so."""

import doctest
import importlib
from pathlib import Path

import pytest

import recovery_microglia

PACKAGE = Path(recovery_microglia.__file__).parent
WITH_EXAMPLES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    for path in PACKAGE.rglob("*.py")
    if ">>>" in path.read_text(encoding="utf-8")
)


# anndata 0.13 asks pandas 3.1 for an option that is on its way out whenever it cuts a table with categories
@pytest.mark.filterwarnings("ignore:The 'mode.chained_assignment' option is deprecated")
@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples(module: str) -> None:
    found = doctest.testmod(importlib.import_module(module))
    assert found.attempted > 0
    assert found.failed == 0


@pytest.mark.parametrize("page", sorted((PACKAGE.parents[1] / "docs" / "api").glob("*.md")), ids=lambda page: page.stem)
def test_examples_of_the_documentation(page: Path) -> None:
    found = doctest.testfile(str(page), module_relative=False)
    assert found.failed == 0
    assert found.attempted > 0 or ">>>" not in page.read_text(encoding="utf-8")
