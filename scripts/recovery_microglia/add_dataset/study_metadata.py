"""What the words of a study say of its injury, tissue and cells."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from recovery_microglia.add_dataset.sample_metadata import SampleDescription
from recovery_microglia.study.free_text import distinct

MODELS = {
    r"spared nerve injury|\bsni\b": ("spared nerve injury", "peripheral_nerve"),
    r"(?:l[45] |spinal )?spinal nerve transection|\bsnt\b": ("spinal nerve transection", "peripheral_nerve"),
    r"spinal nerve ligation|\bsnl\b": ("spinal nerve ligation", "peripheral_nerve"),
    r"chronic constriction|\bcci\b": ("chronic constriction injury", "peripheral_nerve"),
    r"partial sciatic nerve ligation|\bpsnl\b": ("partial sciatic nerve ligation", "peripheral_nerve"),
    r"facial nerve (?:axotomy|transection|crush|injury)": ("facial nerve axotomy", "peripheral_nerve"),
    r"sciatic nerve (?:crush|transection|axotomy|injury|lesion|cut)": ("sciatic nerve injury", "peripheral_nerve"),
    r"rhizotomy|dorsal root (?:crush|avulsion|injury)": ("dorsal root injury", "peripheral_nerve"),
    r"contus(?:ion|ive|ed)": (
        "spinal cord contusion",
        "spinal_cord",
    ),
    r"spinal cord (?:\w+ )?crush": ("spinal cord crush", "spinal_cord"),
    r"hemisection": ("spinal cord hemisection", "spinal_cord"),
    r"spinal cord (?:\w+ )?transection": ("spinal cord transection", "spinal_cord"),
    r"spinal cord (?:injur|lesion|trauma)|\bsci\b": ("spinal cord injury", "spinal_cord"),
    r"experimental autoimmune|\beae\b": ("experimental autoimmune encephalomyelitis", "inflammation"),
    r"lipopolysaccharide|\blps\b": ("LPS", "inflammation"),
    r"complete freund|\bcfa\b": ("complete Freund's adjuvant", "inflammation"),
}
_GENERAL = {"spinal cord injury", "sciatic nerve injury"}
"""Models that a more exact one includes."""

_SORTED = re.compile(r"facs|\bsort(?:ed|ing)|flow cytometry|magnetic|\bmacs\b|purif|enrich|bead")
_MARKERS = {
    "cd11b": r"cd11b|itgam",
    "cd45": r"\bcd45|ptprc",
    "microglia": r"cx3cr1|tmem119|p2ry12|sorted microglia|microglia(?:l cells)? were (?:sorted|isolated|purified)",
}


class Study(NamedTuple):
    """What is read of a study; empty where nothing, or several things, are said. ``to_check`` tells why."""

    injury_model: str
    injury_class: str
    tissue: str
    assay: str
    enrichment: str
    to_check: list[str]


def read_models(text: str) -> list[tuple[str, str]]:
    """Return the injury models that a text names, with their classes; a general word gives way to an exact one.

    Examples
    --------
    >>> read_models("Time course of microglia after spared nerve injury (SNI)")
    [('spared nerve injury', 'peripheral_nerve')]
    """
    lowered = re.sub(r"\s+", " ", text.lower().replace("_", " "))
    found = list(dict.fromkeys(model for pattern, model in MODELS.items() if re.search(pattern, lowered)))
    exact = [model for model in found if model[0] not in _GENERAL]
    classes = {model[1] for model in exact}
    return exact + [model for model in found if model[0] in _GENERAL and model[1] not in classes]


def _tissue(told: Sequence[SampleDescription], title: str) -> str:
    keyed = distinct(
        v for one in told for k, v in one.characteristics.items() if re.search(r"tissue|region|organ", k) and v
    )
    if keyed:
        return keyed[0] if len(keyed) == 1 else ", ".join(keyed[:4])
    return "spinal cord" if "spinal" in title.lower() else ""


def read_study(title: str, summary: str, told: Sequence[SampleDescription]) -> Study:
    """Return what the words of a study say.

    Parameters
    ----------
    title, summary
        Of the deposit; empty for a folder.
    told
        Its libraries.
    """
    to_check = []
    own = " ".join(f"{one.title} {' '.join(one.characteristics.values())}" for one in told)
    models = read_models(f"{title} {own}") or read_models(summary)
    model, kind = models[0] if len(models) == 1 else ("", "")
    if not models:
        to_check.append(
            "The injury model is not known: fill in injury_model and injury_class (none, if there was no injury)."
        )
    elif len(models) > 1:
        names = ", ".join(name for name, _ in models)
        to_check.append(f"Several injury models are named ({names}): fill in injury_model and injury_class.")
    tissue = _tissue(told, f"{title} {summary}")
    if not tissue:
        to_check.append("The tissue is not known: fill in tissue.")
    everything = f"{title} {summary} {own} {' '.join(one.protocol for one in told[:1])}".lower()
    nuclei = re.search(r"\bnuclei\b|nucleus|snrna|\bnuclear rna", everything)
    cells = re.search(r"scrna|single[- ]cell|cell suspension|cells were", everything)
    assay = "nuclei" if nuclei and not cells else "cells"
    if nuclei and cells:
        to_check.append("Both cells and nuclei are named; taken as cells: correct assay if they were nuclei.")
    elif not nuclei and not cells:
        to_check.append("Nothing says whether cells or nuclei were sequenced; taken as cells.")
    marks = (
        [name for name, pattern in _MARKERS.items() if re.search(pattern, everything)]
        if _SORTED.search(everything)
        else []
    )
    enrichment = marks[0] if marks else "none"
    if marks:
        to_check.append(f"The texts speak of sorting by {', '.join(marks)}: written as '{enrichment}' (enrichment).")
    else:
        to_check.append("Nothing says that cells were sorted or enriched; taken as unsorted tissue (enrichment).")
    return Study(model, kind, tissue, assay, enrichment, to_check)
