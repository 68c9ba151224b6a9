"""One self-contained HTML page per data set, and one over all of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from recovery_microglia.core.vocabulary import Severity, Status
from recovery_microglia.figures import Picture
from recovery_microglia.report.blocks import Section, plates
from recovery_microglia.report.inputs import ReportInputs, load_inputs
from recovery_microglia.report.sections.accuracy import truth_section
from recovery_microglia.report.sections.answer import verdict
from recovery_microglia.report.sections.cells import cells_section
from recovery_microglia.report.sections.design import design_section
from recovery_microglia.report.sections.drivers import drivers_section
from recovery_microglia.report.sections.genes import genes_section
from recovery_microglia.report.sections.glossary import Glossary, glossary_section
from recovery_microglia.report.sections.igf1 import igf1_section
from recovery_microglia.report.sections.methods import methods_section
from recovery_microglia.report.sections.quality import quality_section
from recovery_microglia.report.sections.sensitivity import robustness_section
from recovery_microglia.report.sections.subgroup import subgroup_section
from recovery_microglia.report.sections.timeline import timeline_section
from recovery_microglia.report.sections.warnings import warnings_section

__all__ = ["ReportInputs", "load_inputs", "render_index", "render_report", "write_index", "write_report"]

TEMPLATES = Path(__file__).parent / "templates"


def _environment() -> Environment:
    """Return what the templates of one page know; its glossary marks each term once."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["svg"] = Markup  # drawn by us, with every text in it escaped
    environment.filters["glossed"] = Glossary().mark
    environment.globals["style"] = Markup((TEMPLATES / "style.css").read_text(encoding="utf-8"))
    environment.globals["script"] = Markup((TEMPLATES / "page.js").read_text(encoding="utf-8"))
    environment.globals["map_script"] = Markup((TEMPLATES / "cellmap.js").read_text(encoding="utf-8"))
    return environment


def sections_of(inputs: ReportInputs) -> list[Section]:
    """Return the parts of a page in reading order.

    Where recovery cells cannot be judged, the genes that were measured are the main evidence and come first.
    """
    genes = genes_section(inputs)
    first = [timeline_section(inputs), truth_section(inputs)]
    middle = [design_section(inputs), quality_section(inputs), cells_section(inputs), subgroup_section(inputs)]
    last = [
        igf1_section(inputs),
        drivers_section(inputs),
        robustness_section(inputs),
        warnings_section(inputs),
        methods_section(inputs),
    ]
    last.append(glossary_section())
    order = [*first, genes, *middle, *last] if inputs.status == Status.NOT_TESTABLE else [*first, *middle, genes, *last]
    return [section for section in order if section is not None]


def render_report(inputs: ReportInputs) -> str:
    """Return the page of a data set as HTML that needs no other file and no network."""
    facts = [
        (label, inputs.text(key))
        for label, key in (
            ("Injury", "injury_model"),
            ("Tissue", "tissue"),
            ("Organism", "organism"),
            ("Assay", "assay"),
            ("Accession", "accession"),
        )
        if inputs.text(key)
    ]
    if inputs.sorted_tissue:
        facts.append(("Sorted for", inputs.text("enrichment")))
    page = _environment().get_template("report.html.j2")
    return page.render(
        title=inputs.text("title") or inputs.text("dataset"),
        dataset=inputs.text("dataset"),
        simulated=inputs.simulated,
        facts=facts,
        notes=inputs.text("notes"),
        verdict=verdict(inputs),
        sections=sections_of(inputs),
        version=(inputs.summary.get("versions") or {}).get("recovery-microglia", ""),
    )


def write_report(inputs: ReportInputs, path: Path) -> None:
    """Write the page of a data set."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render_report(inputs), encoding="utf-8")


def render_index(summaries: Sequence[Mapping[str, Any]], overview: Sequence[Picture] = ()) -> str:
    """Return the page over all data sets of a run; each links to ``<dataset>/report.html`` beside it.

    Parameters
    ----------
    summaries
        summary.json of each data set.
    overview
        Figures over all data sets, which stand before the cards.
    """
    entries = [_entry(ReportInputs(summary)) for summary in summaries]
    page = _environment().get_template("index.html.j2")
    drawn = plates(*overview)
    simulated = any(entry["simulated"] for entry in entries)
    return page.render(entries=entries, any_simulated=simulated, overview=drawn[0] if drawn else None)


def _entry(inputs: ReportInputs) -> dict[str, Any]:
    found = verdict(inputs)
    return {
        "link": f"{inputs.text('dataset')}/report.html",
        "dataset": inputs.text("dataset"),
        "title": inputs.text("title") or inputs.text("dataset"),
        "simulated": inputs.simulated,
        "verdict": found,
        "facts": [
            inputs.text(key) for key in ("injury_model", "tissue", "organism") if inputs.text(key) not in ("", "none")
        ],
        "n_alarms": sum(note.get("severity") == Severity.ALARM for note in inputs.summary.get("notices") or []),
    }


def write_index(summaries: Sequence[Mapping[str, Any]], path: Path, overview: Sequence[Picture] = ()) -> None:
    """Write the page over all data sets."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render_index(summaries, overview), encoding="utf-8")
