"""What decides that a step runs again: a digest of its script, of the files that the script imports, and of their data.

Snakemake notices a changed script, but not a changed module behind it. The files are derived from the script's imports, file
by file. A name that a package's ``__init__`` only hands on counts as the file that defines it, so that a change in
one module of a room does not run the steps that use another.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from recovery_microglia.core.places import project

SCRIPTS = Path(__file__).resolve().parents[2]
"""The folder of this package; in a clone the scripts of the rules lie there too."""
ADAPTERS = project() / "scripts"
"""The folder of the scripts of the rules."""
PACKAGE = Path(__file__).resolve().parents[1].name


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _place(module: str, root: Path) -> Path | None:
    """Return the file of a module, or the folder of a package; None for what is not of this package."""
    parts = module.split(".")
    if parts[0] != PACKAGE:
        return None
    path = root.joinpath(*parts)
    if path.is_dir():
        return path
    file = path.with_suffix(".py")
    return file if file.is_file() else None


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what stands in a node and below it, but for expressions, which are most of a file and import nothing."""
    for block in ("body", "orelse", "finalbody", "handlers", "cases"):
        for inner in getattr(node, block, ()):
            yield inner
            yield from _statements(inner)


@cache
def imports_of(file: Path) -> tuple[tuple[str, str], ...]:
    """Return module and name of what a file imports anywhere, also inside functions; the name is empty for ``import m``."""
    found: list[tuple[str, str]] = []
    for node in _statements(_tree(file)):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found += ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            found += ((alias.name, "") for alias in node.names)
    return tuple(found)


@cache
def _handed_on(name: str, init: Path) -> str | None:
    """Return the module that a package's ``__init__`` takes a name from; None if it defines the name itself."""
    for node in _tree(init).body:
        if isinstance(node, ast.ImportFrom) and any((alias.asname or alias.name) == name for alias in node.names):
            return node.module
    return None


@cache
def _defining(module: str, name: str, root: Path) -> frozenset[Path]:
    """Return the files that an imported name comes from."""
    place = _place(module, root)
    if place is None:
        return frozenset()
    if place.is_file():
        return frozenset({place})
    if name and (inner := _place(f"{module}.{name}", root)):
        return frozenset({inner}) if inner.is_file() else _defining(f"{module}.{name}", "", root)
    init = place / "__init__.py"
    if name and (source := _handed_on(name, init)):
        return _defining(source, name, root)
    return frozenset({init})  # the package as a whole, or what it defines itself


def _path_of(node: ast.expr, file: Path) -> Path | None:
    """Return the path that an expression such as ``Path(__file__).parents[1] / "data"`` stands for; None for others."""
    match node:
        case ast.Call(func=ast.Name(id="Path"), args=[ast.Name(id="__file__")]):
            return file
        case ast.Call(func=ast.Attribute(value=inner, attr="resolve"), args=[]):
            return _path_of(inner, file)
        case ast.Attribute(value=inner, attr="parent"):
            found = _path_of(inner, file)
            return found and found.parent
        case ast.Subscript(value=ast.Attribute(value=inner, attr="parents"), slice=ast.Constant(value=int(level))):
            found = _path_of(inner, file)
            return found and found.parents[level]
        case ast.BinOp(left=inner, op=ast.Div(), right=ast.Constant(value=str(part))):
            found = _path_of(inner, file)
            return found and found / part
    return None


@cache
def _data_of(file: Path, root: Path) -> frozenset[Path]:
    """Return the data files of the package that a file names beside itself: a file, or all files of a folder."""
    if "__file__" not in file.read_text(encoding="utf-8"):
        return frozenset()
    found: set[Path] = set()
    inner: set[ast.expr] = set()  # of ``folder / "a" / "b"`` the whole counts, not its beginning, which is walked later
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.BinOp) and (path := _path_of(node, file)):
            inner.add(node.left)
            if node not in inner and path.is_relative_to(root / PACKAGE):
                found.update(child for child in (path, *path.rglob("*")) if child.is_file())
    return frozenset(path for path in found if path.suffix != ".py" and "__pycache__" not in path.parts)


@cache
def files_behind(script: Path, root: Path = SCRIPTS) -> tuple[Path, ...]:
    """Return a script, all files of the package that it imports, directly or not, and the data files that these read.

    Parameters
    ----------
    script
        Path of a Python file; a name alone is taken in ``root`` or, of the project itself, in `ADAPTERS`.
    root
        The folder that holds the package.

    Examples
    --------
    >>> [file.name for file in files_behind(Path("embedding.py"))][0]
    'embedding.py'
    """
    start = (ADAPTERS if root == SCRIPTS else root) / script
    waiting, seen = [start], {start}
    while waiting:
        file = waiting.pop()
        found: set[Path] = set().union(*(_defining(module, name, root) for module, name in imports_of(file)))
        waiting += found - seen
        seen |= found
    data = set().union(*(_data_of(file, root) for file in seen))
    return (start, *sorted((seen | data) - {start}))


def code_digest(script: str, root: Path = SCRIPTS) -> str:
    """Return a digest of the code behind ``<root>/<script>.py``, its data files included: 16 hexadecimal digits.

    As a param of a rule it makes Snakemake run the step again exactly when code behind it changed.
    """
    digest = hashlib.sha256()
    for file in files_behind(Path(f"{script}.py"), root):
        name = file.relative_to(root) if file.is_relative_to(root / PACKAGE) else Path(file.name)
        digest.update(name.as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]
