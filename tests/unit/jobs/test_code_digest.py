"""A change in any file runs exactly the rules again whose script reaches it."""

import re
import shutil
from pathlib import Path

import pytest

from recovery_microglia.jobs.code_digest import SCRIPTS, code_digest, files_behind

EXPECTED = Path(__file__).with_name("reruns.tsv")
"""File to the rules that run again when it changes; `python tests/unit/jobs/test_code_digest.py` writes it anew."""
NO_DIGEST = {"fetch", "network"}
"""Rules without a digest: bytes that passed their check are the same, whoever fetched them."""


def scripts_of_rules() -> dict[str, str]:
    """Return rule to the name of its script."""
    text = "".join(path.read_text() for path in sorted((SCRIPTS.parent / "workflow/rules").glob("*.smk")))
    rules = re.split(r"^rule ", text, flags=re.MULTILINE)[1:]
    found = ((re.match(r"\w+", rule), re.search(r'script:\s+"\.\./\.\./scripts/(\w+)\.py"', rule)) for rule in rules)
    return {name[0]: script[1] for name, script in found if name and script}


def copied(target: Path) -> Path:
    """Copy the scripts, so that their files can be changed."""
    shutil.copytree(SCRIPTS, target, ignore=shutil.ignore_patterns("__pycache__"))
    return target


def rules_that_run_again(root: Path) -> dict[str, list[str]]:
    """Return file to the rules whose digest changes with one more line at its end."""
    scripts = {rule: script for rule, script in scripts_of_rules().items() if rule not in NO_DIGEST}
    before = {rule: code_digest(script, root) for rule, script in scripts.items()}
    changed = {}
    for file in sorted({file for script in scripts.values() for file in files_behind(Path(f"{script}.py"), root)}):
        content = file.read_bytes()
        file.write_bytes(content + b"\n# one line more\n")
        again = [rule for rule, script in scripts.items() if code_digest(script, root) != before[rule]]
        file.write_bytes(content)
        changed[file.relative_to(root).as_posix()] = sorted(again)
    return changed


def test_one_more_line_in_a_file_runs_exactly_these_rules_again(tmp_path: Path) -> None:
    expected = dict(line.split("\t") for line in EXPECTED.read_text().splitlines())
    found = {file: " ".join(rules) for file, rules in rules_that_run_again(copied(tmp_path / "scripts")).items()}
    assert found == expected


def test_no_file_of_the_package_is_reached_by_nothing() -> None:
    commands = {*scripts_of_rules().values(), "add_dataset", "collect"}
    reached = {file for script in commands for file in files_behind(Path(f"{script}.py"))}
    package = SCRIPTS / "recovery_microglia"
    reached.update(files_behind(package / "tl" / "__init__.py"))  # what scripts of other people import
    for module in re.findall(r"^from recovery_microglia\.([\w.]+) import", rules_text(), flags=re.MULTILINE):
        reached.update(files_behind(package / f"{module.replace('.', '/')}.py"))
    for file in package.rglob("__init__.py"):  # a face hands on what others define, and no more
        reached.add(file)
    unused = {path.relative_to(package).as_posix() for path in package.rglob("*.py") if path not in reached}
    assert unused == set()


def rules_text() -> str:
    """Return the rule files as one text."""
    return "\n".join(path.read_text() for path in sorted((SCRIPTS.parent / "workflow/rules").glob("*.smk")))


def test_every_rule_with_a_script_carries_the_digest_of_that_script() -> None:
    for rule in re.split(r"^rule ", rules_text(), flags=re.MULTILINE)[1:]:
        script = re.search(r'script:\s+"\.\./\.\./scripts/(\w+)\.py"', rule)
        name = re.match(r"\w+", rule)
        if script and name and name[0] not in NO_DIGEST | {"split"}:  # the recipes of a split hold its digest
            assert f'code=code_digest("{script[1]}")' in rule, name[0]
    assert 'code_digest("split")' in rules_text()


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A small package: a room that hands on names of two modules, data beside one of them, and two scripts."""
    files = {
        "one.py": "from recovery_microglia.room import first\n",
        "two.py": "def run():\n    from recovery_microglia.room import second\n",
        "all.py": "from recovery_microglia import room\nimport recovery_microglia.lone\n",
        "version.py": "from recovery_microglia import __version__\n",
        "recovery_microglia/__init__.py": '__version__ = "1"\n',
        "recovery_microglia/lone.py": "x = 1\n",
        "recovery_microglia/room/__init__.py": "from recovery_microglia.room.a import first\nfrom recovery_microglia.room.b import second\n",
        "recovery_microglia/room/a.py": "from recovery_microglia.room import deep\nfirst = 1\n",
        "recovery_microglia/room/b.py": 'from pathlib import Path\nsecond = Path(__file__).parents[1] / "data" / "t.tsv"\n',
        "recovery_microglia/room/deep.py": "import json\n",
        "recovery_microglia/data/t.tsv": "x\n",
        "recovery_microglia/data/other.tsv": "x\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("script", "files"),
    [
        ("one", ["room/a.py", "room/deep.py"]),
        ("two", ["data/t.tsv", "room/b.py"]),
        ("all", ["data/t.tsv", "lone.py", "room/__init__.py", "room/a.py", "room/b.py", "room/deep.py"]),
        ("version", ["__init__.py"]),
    ],
)
def test_a_name_counts_as_the_file_that_defines_it(house: Path, script: str, files: list[str]) -> None:
    package = house / "recovery_microglia"
    assert [path.relative_to(package).as_posix() for path in files_behind(Path(f"{script}.py"), house)[1:]] == files


def test_imports_are_absolute() -> None:
    """A relative import would not be followed."""
    for path in SCRIPTS.rglob("*.py"):
        assert not re.search(r"^\s*from \.", path.read_text(), flags=re.MULTILINE), path


def test_the_digest_changes_with_the_script_itself(house: Path) -> None:
    before = code_digest("one", house)
    (house / "one.py").write_text("from recovery_microglia.room import first\n\n")
    assert code_digest("one", house) != before


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        lines = [
            f"{file}\t{' '.join(rules)}" for file, rules in rules_that_run_again(copied(Path(folder) / "s")).items()
        ]
    EXPECTED.write_text("\n".join(lines) + "\n")
    print(f"{len(lines)} files")
