"""Pages of the site that are made when it is built: from the schemas, the command line, and files beside docs/.

Also formulas: `arithmatex` marks them, and here they become MathML, which a browser draws without any script.
"""

import html
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
BESIDE = {"own-data.md": "config/README.md", "contributing.md": "CONTRIBUTING.md", "changelog.md": "CHANGELOG.md"}
"""Page to the file of the project that it shows."""
SCHEMAS = {
    "configuration": ("config.yaml", "Configuration", "What `config/config.yaml` may hold. Every key but `datasets` may be left out."),
    "dataset": ("dataset.yaml", "dataset.yaml", "What `config/datasets/<name>/dataset.yaml` may hold: what the study is, and where its files are."),
    "samples": ("samples.yaml", "samples.tsv", "The columns of `config/datasets/<name>/samples.tsv`: one row a library, tab separated."),
    "behaviour": ("behaviour.yaml", "behaviour.tsv", "The columns of `config/datasets/<name>/behaviour.tsv`: pain measured beside the cells."),
}  # fmt: skip


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    pages = {page: _beside(file) for page, file in BESIDE.items()}
    pages |= {f"reference/{name}.md": _of_schema(*about) for name, about in SCHEMAS.items()}
    pages["reference/command.md"] = _command()
    for page, content in pages.items():
        files.append(File.generated(config, page, content=content))
    return files


def _beside(file: str) -> str:
    """Return a file of the project with its links as they are in the site; those to files outside it become their names."""
    text = (ROOT / file).read_text(encoding="utf-8")
    pages = {str((ROOT / to).resolve()): page for page, to in BESIDE.items()}

    def moved(found: re.Match[str]) -> str:
        label, target = found[1], found[2]
        if target.startswith(("http", "#")):
            return found[0]
        path = (ROOT / file).parent.joinpath(target).resolve()
        if path.is_relative_to(ROOT / "docs"):
            return f"[{label}]({path.relative_to(ROOT / 'docs')})"
        if str(path) in pages:
            return f"[{label}]({pages[str(path)]})"
        return f"`{path.relative_to(ROOT)}`"

    return re.sub(r"\[([^\]]+)\]\(([^)\s]+)\)", moved, text)


def _allowed(node: Mapping[str, Any]) -> str:
    """Return what values a key may have, in words."""
    if "enum" in node:
        return ", ".join(f"`{value}`" if value != "" else "empty" for value in node["enum"])
    kind = {"array": "list", "integer": "whole number", "boolean": "true or false", "string": "text"}.get(
        str(node.get("type", "")), str(node.get("type", ""))
    )
    inner = node.get("items", node)
    bounds = [
        f"{word} {inner[key]}"
        for key, word in (("minimum", "from"), ("exclusiveMinimum", "above"), ("maximum", "to"))
        if key in inner
    ]
    return " ".join([kind, *bounds, node.get("x-allowed", "")]).strip()


def _rows(schema: Mapping[str, Any], before: str = "") -> list[str]:
    rows = []
    for name, node in schema.get("properties", {}).items():
        key = f"{before}{name}"
        needed = " (needed)" if name in schema.get("required", ()) else ""
        says = " ".join(str(node.get("description", "")).split()).replace("|", "\\|")
        allowed = _allowed(node).replace("|", "\\|")
        default = f"`{json.dumps(node['default'])}`" if "default" in node else ""
        rows.append(f"| `{key}`{needed} | {says} | {allowed} | {default} |")
        nested = node if node.get("type") == "object" else node.get("items", {})
        rows += _rows(nested, f"{key}.")
    return rows


def _of_schema(file: str, title: str, about: str) -> str:
    schema = yaml.safe_load((ROOT / "workflow" / "schemas" / file).read_text(encoding="utf-8"))
    table = ["| key | what it says | allowed | default |", "|---|---|---|---|", *_rows(schema)]
    made = f"This page is made from `workflow/schemas/{file}`, against which every run checks your files."
    return "\n".join([f"# {title}", "", about, "", made, "", *table, ""])


def _command() -> str:
    """Return the page of the command line, from its own help."""
    sys.path.insert(0, str(ROOT / "scripts"))
    from recovery_microglia.command.words import help_texts

    head = [
        "# The command",
        "",
        "`pip install .` in a clone gives the command `recovery-microglia`. It starts the same Snakefile as `snakemake` in a clone does, from any folder.",
    ]
    for name, text in help_texts().items():
        head += ["", f"## {name}", "", "```text", text.rstrip(), "```"]
    return "\n".join([*head, ""])


_FORMULA = re.compile(r'<(span|div) class="arithmatex">\\(?:\(|\[)(.*?)\\(?:\)|\])</\1>', re.DOTALL)


def on_page_content(content: str, **_: object) -> str:
    """Turn marked formulas into MathML."""

    def drawn(found: re.Match[str]) -> str:
        display = "block" if found[1] == "div" else "inline"
        return convert(html.unescape(found[2]), display=display)

    return _FORMULA.sub(drawn, content)
