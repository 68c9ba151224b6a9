"""Which small changes of the code the unit tests do not notice.

    .venv/bin/python benchmarks/mutation.py recovery timeline --sample 60 --seed 1

Each mutant changes one thing: a number of a module's or a class's constants, or one that something is compared with or
bounded by (doubled, halved); ``>`` and ``>=``, ``<`` and ``<=``; ``and`` and ``or``, ``&`` and ``|``; ``+`` and ``-``. It is
written into a temporary copy of the project, and its module's unit tests run there: ``test_<module>.py`` and the files that
import the module; where there are none, those of the modules that import it. It is killed if a test fails or takes too long.
A survivor changes nothing that anyone can see, or it lacks a test.

Of the libraries mutmut changes no constants, pytest-gremlins no numbers, and Cosmic Ray writes into the sources.
"""

import argparse
import ast
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from recovery_microglia.jobs.code_digest import imports_of  # noqa: E402

PACKAGE, TESTS = ROOT / "scripts" / "recovery_microglia", ROOT / "tests" / "unit"
SWAPPED = {">": ">=", ">=": ">", "<": "<=", "<=": "<", "and": "or", "or": "and", "&": "|", "|": "&", "+": "-", "-": "+"}
BOUNDING = {"max", "min", "maximum", "minimum", "clip"}
NO_SUMS = (ast.JoinedStr, ast.List, ast.ListComp, ast.Dict, ast.Set)
"""Operands that are joined, not added: such a mutant does not run, and tells nothing of the tests."""
# byte code of the original would be taken for that of a mutant of the same size and second
ENVIRONMENT = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class Mutant(NamedTuple):
    """One change: the bytes of a file (inside the project) from ``start`` become ``after`` instead of ``before``."""

    file: str
    line: int
    start: int
    before: str
    after: str

    def written(self, source: bytes) -> bytes:
        """Return the file's bytes with the change."""
        return source[: self.start] + self.after.encode() + source[self.start + len(self.before.encode()) :]

    def __str__(self) -> str:
        source = (ROOT / self.file).read_bytes()
        line, column = source.splitlines()[self.line - 1].decode(), self.start - source.rfind(b"\n", 0, self.start)
        return f"{self.file}:{self.line}:{column}  {self.before} -> {self.after}  in  {line.strip()}"


def mutants(file: str, source: bytes) -> list[Mutant]:
    """Return all mutants of a module."""
    lines, found = [0, *(newline.end() for newline in re.finditer(b"\n", source))], set[Mutant]()

    def place(node: ast.expr) -> tuple[int, int]:
        start, end = lines[node.lineno - 1], lines[(node.end_lineno or node.lineno) - 1]
        return start + node.col_offset, end + (node.end_col_offset or 0)

    def sign(left: ast.expr, right: ast.expr, pattern: bytes) -> None:
        if hit := re.compile(pattern).search(source, place(left)[1], place(right)[0]):
            word = hit[0].decode()
            found.add(Mutant(file, source.count(b"\n", 0, hit.start()) + 1, hit.start(), word, SWAPPED[word]))

    def number(node: ast.AST) -> None:
        node = node.operand if isinstance(node, ast.UnaryOp) else node
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(node, ast.Constant) and isinstance(value, int | float) and not isinstance(value, bool):
            start, end = place(node)
            for other in {value * 2, value // 2 if isinstance(value, int) else value / 2} - {value} or {1}:
                found.add(Mutant(file, node.lineno, start, source[start:end].decode(), repr(other)))

    for node in _code(ast.parse(source)):
        for child in node.body if isinstance(node, ast.Module | ast.ClassDef) else []:
            if isinstance(child, ast.Assign | ast.AnnAssign) and child.value:
                for part in ast.walk(child.value):
                    number(part)
        if isinstance(node, ast.Compare):
            number(node.left)
            for left, right in zip([node.left, *node.comparators], node.comparators, strict=False):
                sign(left, right, b"[<>]=?")
                number(right)
        elif isinstance(node, ast.BoolOp):
            for left, right in zip(node.values, node.values[1:], strict=False):
                sign(left, right, rb"\b(and|or)\b")
        elif isinstance(node, ast.BinOp):
            if not any(isinstance(side, NO_SUMS) for side in (node.left, node.right)):
                sign(node.left, node.right, b"[&|+-]")
        elif isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in BOUNDING:
            for argument in node.args:
                number(argument)
    return sorted(found)


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """Return a node and all below it without annotations, whose ``|`` is no operation."""
    yield node
    for child in ast.iter_child_nodes(node):
        if child not in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            yield from _code(child)


@cache
def imported(file: Path) -> frozenset[Path]:
    """Return the modules of the package that a file imports, also through the ``__init__`` of a folder."""
    found = set[Path]()
    names = {name for module, inner in imports_of(file) for name in (module, f"{module}.{inner}" if inner else module)}
    for path in (PACKAGE.parent / name.replace(".", "/") for name in names):
        inside = path / "__init__.py"
        if inside.is_file() and inside != file:
            found |= {inside, *imported(inside)}
        found.add(path.with_suffix(".py"))
    return frozenset(file for file in found if file.is_file())


def tests_of(module: Path) -> list[str]:
    """Return the files of unit tests that a module's mutants are judged by."""
    named = f"test_{module.parent.name if module.stem == '__init__' else module.stem}.py"
    asked, seen = {module}, set[Path]()
    while asked:
        files = [file for file in TESTS.rglob("test_*.py") if file.name == named or imported(file) & asked]
        if files:
            return [str(file.relative_to(ROOT)) for file in sorted(files, key=lambda file: (file.name != named, file))]
        seen |= asked
        asked = {file for file in PACKAGE.rglob("*.py") if imported(file) & asked} - seen
    return []


def survivors(chosen: list[Mutant]) -> Iterator[Mutant]:
    """Run each mutant in a copy of the project, one after the other, and return those that no test notices."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
        for source, copy in ((ROOT / name, Path(folder, name)) for name in names if (ROOT / name).is_file()):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)

        def passes(tests: list[str], seconds: float | None = None) -> bool:
            command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
            with suppress(subprocess.TimeoutExpired):
                return not subprocess.run(
                    command, cwd=folder, env=ENVIRONMENT, capture_output=True, timeout=seconds
                ).returncode
            return False

        limits: dict[str, float] = {}
        for mutant in chosen:
            tests, copy, start = tests_of(ROOT / mutant.file), Path(folder, mutant.file), time.monotonic()
            if mutant.file not in limits:
                if tests and not passes(tests):
                    raise SystemExit(f"the tests of {mutant.file} fail without any change")
                limits[mutant.file] = 30 + 4 * (time.monotonic() - start)
            original = copy.read_bytes()
            copy.write_bytes(mutant.written(original))
            if not tests or passes(tests, limits[mutant.file]):
                yield mutant
            copy.write_bytes(original)


def main() -> None:
    """Print the survivors among the mutants of some modules."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("modules", nargs="+", help="folders and modules inside the package: recovery lineage/gate")
    parser.add_argument("--sample", type=int, default=10**6, help="mutants to draw at random (default: all)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    named = {file for name in given.modules for file in [*(PACKAGE / name).rglob("*.py"), PACKAGE / f"{name}.py"]}
    files = sorted(file for file in named if file.is_file())
    every = [mutant for file in files for mutant in mutants(str(file.relative_to(ROOT)), file.read_bytes())]
    chosen = sorted(random.Random(given.seed).sample(every, min(given.sample, len(every))))
    killed = len(chosen)
    for survivor in survivors(chosen):
        print(survivor, flush=True)
        killed -= 1
    print(f"{killed} of {len(chosen)} mutants killed ({killed / max(len(chosen), 1):.0%}); {len(every)} in all")


if __name__ == "__main__":
    main()
