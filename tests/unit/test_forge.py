"""What a public forge and a newcomer find: workflows, forms, metadata, links."""

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from recovery_microglia.command.words import help_texts

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "CODE_OF_CONDUCT.md", "config/README.md")),
    *(ROOT / "docs").rglob("*.md"),
]  # fmt: skip
MADE_FOR_THE_SITE = {f"docs/{name}.md" for name in ("own-data", "contributing", "changelog")} | {
    f"docs/reference/{name}.md" for name in ("configuration", "dataset", "samples", "behaviour", "command")
}


def commands(workflow: Path) -> list[list[str]]:
    """Return the words of each command of a workflow."""
    jobs = yaml.safe_load(workflow.read_text())["jobs"].values()
    scripts = [step["run"] for job in jobs for step in job["steps"] if "run" in step]
    lines = [line for script in scripts for line in re.split(r"\n|&&", script) if line.strip()]
    return [shlex.split(line, comments=True) for line in lines if line.count("'") % 2 == 0]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_runs_what_is_there(workflow: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    for words in commands(workflow):
        if words and words[0] == "make":
            assert set(words[1:]) <= targets, words
        for word in words:
            if re.fullmatch(r"(tests|benchmarks|scripts)/[\w./]+", word):
                assert (ROOT / word).exists(), word


def test_checks_run_on_every_supported_python_and_on_macos() -> None:
    matrix = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text())["jobs"]["tests"]["strategy"]["matrix"]
    wanted = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', (ROOT / "pyproject.toml").read_text())
    assert wanted
    assert matrix["python"] == [f"3.{minor}" for minor in range(int(wanted[1]), int(wanted[2]))]
    assert any("macos" in more["os"] for more in matrix["include"])


def test_the_form_for_bugs_names_the_command_that_collects() -> None:
    text = (ROOT / ".github/ISSUE_TEMPLATE/bug.yml").read_text()
    assert "scripts/collect.py" in text
    assert (ROOT / "scripts/collect.py").exists()
    assert "recovery-microglia collect" in text
    assert "collect" in help_texts()


def test_metadata_agree() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    zenodo = json.loads((ROOT / ".zenodo.json").read_text())
    assert zenodo["title"] == citation["title"]
    assert zenodo["license"] == citation["license"]
    assert zenodo["description"] == citation["abstract"]
    assert [one["name"] for one in zenodo["creators"]] == [one["name"] for one in citation["authors"]]
    assert zenodo["related_identifiers"][0]["identifier"] in citation["references"][0]["notes"]


def test_the_site_shows_every_page_and_no_other() -> None:
    nav = re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), flags=re.MULTILINE)
    there = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert {f"docs/{page}" for page in nav} == there | MADE_FOR_THE_SITE


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http", "mailto:", "#")):
            continue
        path = (page.parent / target.partition("#")[0]).resolve()
        assert path.exists() or path.relative_to(ROOT).as_posix() in MADE_FOR_THE_SITE, target
