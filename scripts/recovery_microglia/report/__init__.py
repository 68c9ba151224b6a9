"""One self-contained HTML page per data set, and one over all of them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from recovery_microglia import figures
from recovery_microglia.core import wording
from recovery_microglia.core.vocabulary import Route, Severity, Status
from recovery_microglia.figures.files import FORMATS, write_figures
from recovery_microglia.figures.svg import Styles
from recovery_microglia.report.blocks import Plate, Section, plates
from recovery_microglia.report.gene_names import GeneNames, gene_names
from recovery_microglia.report.held import Held, held
from recovery_microglia.report.inputs import ReportInputs, load_answer, load_inputs
from recovery_microglia.report.numbering import (
    FOLDER,
    changed,
    files_beside,
    in_front,
    lettered,
    linked,
    numbered,
    plates_in,
    supplementary,
)
from recovery_microglia.report.sections.accuracy import truth_section
from recovery_microglia.report.sections.cells import cells_section, lineage_section
from recovery_microglia.report.sections.design import design_section
from recovery_microglia.report.sections.drivers import drivers_section
from recovery_microglia.report.sections.genes import genes_section
from recovery_microglia.report.sections.glossary import Glossary, glossary_section
from recovery_microglia.report.sections.igf1 import igf1_section
from recovery_microglia.report.sections.methods import files_section, methods_section, provenance_section, to_paste
from recovery_microglia.report.sections.quality import quality_section
from recovery_microglia.report.sections.sensitivity import robustness_section
from recovery_microglia.report.sections.sheet import Sheet, answers, key_numbers, sheet_of, speaking_against, timelines
from recovery_microglia.report.sections.subgroup import calibration_section, subgroup_section
from recovery_microglia.report.sections.timeline import timeline_section
from recovery_microglia.report.sections.warnings import warnings_section

__all__ = [
    "Page",
    "ReportInputs",
    "load_answer",
    "load_inputs",
    "page_of",
    "render_index",
    "render_report",
    "write_index",
    "write_report",
]

TEMPLATES = Path(__file__).parent / "templates"
MOST_COLUMNS = 40
"""Places of columns that the style knows."""
IN_AUDIT = ("svg", "tsv")
"""Formats in which figures of the audit are written."""


def _environment(names: GeneNames) -> Environment:
    """Return what the templates of one page know; its glossary marks each term once, and gene symbols are in italics."""
    glossary = Glossary()
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["plain"] = Markup  # written by us, with every text in it escaped
    environment.filters["svg"] = Styles().once

    def read(text: str) -> Markup:
        return Markup(wording.unbroken(names.mark(text)))  # names.mark has escaped it

    environment.filters["symbols"] = names.mark  # of a cell of a table, which is saved as it stands
    environment.filters["genes"] = read
    environment.filters["breakable"] = wording.breakable
    environment.filters["glossed"] = lambda text: read(glossary.mark(text))
    environment.globals["style"] = Markup((TEMPLATES / "style.css").read_text(encoding="utf-8") + _columns_by_kind())
    environment.globals["script"] = Markup((TEMPLATES / "page.js").read_text(encoding="utf-8"))
    environment.globals["map_script"] = Markup((TEMPLATES / "cellmap.js").read_text(encoding="utf-8"))
    return environment


def _columns_by_kind() -> str:
    """Return the style of columns of numbers, of genes and of what is not shown, by their place, which spares each of ten thousand cells a word: n3 is the third."""
    numbers = ", ".join(f".n{place} td:nth-child({place})" for place in range(1, MOST_COLUMNS + 1))
    genes = ", ".join(f".g{place} td:nth-child({place})" for place in range(1, MOST_COLUMNS + 1))
    aside = ", ".join(f".x{place} tr > :nth-child({place})" for place in range(1, MOST_COLUMNS + 1))
    return f"{numbers} {{ text-align: right; }}\n{genes} {{ font-style: italic; }}\n{aside} {{ display: none; }}"


@dataclass(frozen=True)
class Page:
    """What stands on a page: the sheet, the evidence in reading order, the audit, which is folded, and files of figures."""

    sheet: Sheet
    evidence: list[Section]
    audit: list[Section]
    held: Held = field(default_factory=Held)

    @property
    def plates(self) -> list[Plate]:
        """All figures, the main one first."""
        first = [self.sheet.figure] if self.sheet.figure else []
        parts = [*self.evidence, *self.audit]
        return [*first, *(plate for section in parts for plate in plates_in(section.blocks))]


def _with_files(section: Section) -> Section:
    """Return a section of the evidence whose figures can be downloaded; those in front also from a page that was sent alone."""
    front = in_front(section)
    change = lambda plate: replace(linked(plate), held=plate.picture.name in front)  # noqa: E731
    return replace(section, blocks=changed(section.blocks, change))


def page_of(inputs: ReportInputs, threads: int = 1) -> Page:
    """Return what stands on the page of a data set; figures are drawn here, and numbered.

    Where recovery cells cannot be judged, the genes that were measured are the main evidence and come first.
    """
    drawn = timelines(inputs)
    sheet = sheet_of(inputs, drawn[0] if drawn else None)
    course = timeline_section(inputs, drawn[1:])
    genes = genes_section(inputs)
    found = [
        cells_section(inputs),
        subgroup_section(inputs),
        igf1_section(inputs),
        genes,
        drivers_section(inputs),
        robustness_section(inputs),
        truth_section(inputs),
    ]
    if inputs.status == Status.NOT_TESTABLE:
        found = [genes, *(section for section in found if section is not genes)]
    evidence = [section for section in found if section is not None]
    first = 1
    if sheet.figure is not None:
        beside = any(plates_in(course.blocks))
        number = "Figure 1a" if beside else "Figure 1"
        sheet = replace(sheet, figure=linked(replace(sheet.figure, number=number, held=True)))
        course = lettered(course, 1, after=1)
        first = 2
    evidence = [course, *numbered(evidence, first)] if course.blocks else numbered(evidence, first)
    audit = [
        warnings_section(inputs),
        design_section(inputs),
        quality_section(inputs),
        lineage_section(inputs),
        calibration_section(inputs),
        methods_section(inputs),
        provenance_section(inputs),
        files_section(inputs),
        glossary_section(),
    ]
    page = Page(
        sheet,
        [_with_files(section) for section in evidence],
        [
            replace(section, blocks=changed(section.blocks, lambda plate: linked(plate, IN_AUDIT)))
            for section in supplementary([part for part in audit if part is not None])
        ],
    )
    return replace(page, held=held([plate for plate in page.plates if plate.held], threads))


def render_report(inputs: ReportInputs, page: Page | None = None) -> str:
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
        facts.append(("Sorted for", wording.sorted_for(inputs.text("enrichment"))))
    if inputs.run.get("date"):
        facts.append(("Run", inputs.run["date"]))
    template = _environment(gene_names(inputs)).get_template("report.html.j2")
    return template.render(
        title=inputs.text("title") or inputs.text("dataset"),
        dataset=inputs.text("dataset"),
        simulated=inputs.simulated,
        facts=facts,
        notes=inputs.text("notes"),
        page=page or page_of(inputs),
        to_paste=json.dumps(to_paste(inputs)).replace("<", "\\u003c"),
        version=(inputs.summary.get("versions") or {}).get("recovery-microglia", ""),
        run=inputs.run,
    )


def write_report(inputs: ReportInputs, path: Path, threads: int = 1) -> None:
    """Write the page of a data set, and beside it the files of its figures, drawn by so many processes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    page = page_of(inputs, threads)
    path.write_text(render_report(inputs, page), encoding="utf-8")
    write_figures(files_beside(page.plates), path.parent / FOLDER, page.held.files, threads)


def render_index(
    answers_: Sequence[ReportInputs],
    comparison: pd.DataFrame,
    agreement: Sequence[str] = (),
    overview: Sequence[figures.Picture] | None = None,
) -> str:
    """Return the page over all finished data sets; each links to ``<dataset>/report.html`` beside it.

    Parameters
    ----------
    answers_
        The answer of each data set.
    comparison
        comparison.tsv of all of them.
    agreement
        How data sets of one injury model agree, in sentences.
    overview
        The figures over all data sets, where they are drawn already.
    """
    entries = [_entry(inputs) for inputs in answers_]
    drawn = _overview(answers_, comparison, agreement) if overview is None else overview
    shown = [changed((block,), linked)[0] for block in plates(*drawn)]
    page = _environment(GeneNames(())).get_template("index.html.j2")
    simulated = any(entry["simulated"] for entry in entries)
    return page.render(entries=entries, any_simulated=simulated, overview=shown)


def _overview(
    answers_: Sequence[ReportInputs], comparison: pd.DataFrame, agreement: Sequence[str]
) -> list[figures.Picture]:
    """Return the figures over all data sets."""
    drawn = (figures.forest(comparison, agreement), figures.courses(_all_days(answers_)))
    return [picture for picture in drawn if picture is not None]


def _all_days(answers_: Sequence[ReportInputs]) -> pd.DataFrame:
    """Return the days of the reported calling method of all data sets."""
    parts = []
    for inputs in answers_:
        days = inputs.table("timeline")
        if len(days) and inputs.status != Status.NOT_TESTABLE:
            own = days[days["route"] == Route.SCORE]
            parts.append(own.assign(dataset=inputs.text("dataset"), injury_model=inputs.text("injury_model")))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _entry(inputs: ReportInputs) -> dict[str, Any]:
    found = answers(inputs)
    notices = inputs.summary.get("notices") or []
    design = (inputs.summary.get("design") or {}).get("groups") or []
    return {
        "link": f"{inputs.text('dataset')}/report.html",
        "dataset": inputs.text("dataset"),
        "title": inputs.text("title") or inputs.text("dataset"),
        "simulated": inputs.simulated,
        "status": inputs.status,
        "status_word": wording.STATUS[inputs.status][0],
        "answers": found,
        "onsets": [wording.onset_words(row) or wording.DASH for row in inputs.onsets] or [wording.DASH],
        "numbers": key_numbers(inputs),
        "reason": inputs.reason if inputs.status != Status.TESTED else "",
        "worst": speaking_against(inputs)[:1],
        "model": inputs.text("injury_model") or wording.DASH,
        "tissue": inputs.text("tissue") or wording.DASH,
        # the design holds only animals that can be compared; treated and other ones are animals too
        "animals": sum(int(row["subjects"]) for row in inputs.summary.get("days") or [])
        or sum(int(group["n_subjects"]) for group in design),
        "run": inputs.run.get("date", ""),
        "n_alarms": sum(note.get("severity") == Severity.ALARM for note in notices),
        "n_warnings": sum(note.get("severity") == Severity.WARNING for note in notices),
    }


def write_index(
    answers_: Sequence[ReportInputs], path: Path, comparison: pd.DataFrame, agreement: Sequence[str] = ()
) -> None:
    """Write the page over all finished data sets, and the files of its figures."""
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = _overview(answers_, comparison, agreement)
    path.write_text(render_index(answers_, comparison, agreement, drawn), encoding="utf-8")
    write_figures([(picture, FORMATS) for picture in drawn], path.parent / FOLDER)
