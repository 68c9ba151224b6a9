"""Names and colours of lineages and states."""

from recovery_microglia.figures.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION

LINEAGES: dict[str, str] = {
    "recovery_microglia": VERMILION,
    "microglia": BLUE,
    "infiltrating_macrophage": ORANGE,
    "monocyte": "#b37400",
    "border_macrophage": GREEN,
    "dendritic_cell": PURPLE,
    "plasmacytoid_dendritic_cell": "#8c4a73",
    "neutrophil": "#e6d72a",
    "ambiguous_myeloid": "#9aa3ad",
    "t_cell": "#7a5195",
    "nk_cell": "#9b78b0",
    "b_cell": "#bda3cc",
    "oligodendrocyte": "#33485c",
    "opc": "#5b7690",
    "astrocyte": SKY,
    "ependymal": "#a6d8f3",
    "endothelial": "#a34a32",
    "pericyte": "#c47f6b",
    "fibroblast": "#dfb3a6",
    "neuron": "#4f6f52",
    "schwann": "#93ad92",
    "ambiguous": "#c3c9d0",
    "unassigned": "#e1e5e9",
}
STATES: dict[str, str] = {
    "homeostatic": BLUE,
    "recovery": VERMILION,
    "near_recovery": "#f2a97a",
    "acute_inflammatory": PURPLE,
    "interferon": "#e6d72a",
    "cycling": GREEN,
    "dissociation_stress": ORANGE,
    "migrating": SKY,
    "none": "#c3c9d0",
}
_NAMES = {
    "opc": "OPC",
    "t_cell": "T cell",
    "nk_cell": "NK cell",
    "b_cell": "B cell",
    "schwann": "Schwann cell",
    "recovery_microglia": "recovery microglia",
    "none": "none stands out",
    "near_recovery": "recovery likely, not called",
    "microglia": "microglia",
    "ambiguous": "ambiguous",
}


def lineage_name(key: str) -> str:
    """Return a lineage or state in plain words."""
    return _NAMES.get(key, key.replace("_", " "))


def lineage_colour(key: str) -> str:
    """Return the colour of a lineage; grey for one that is not known here."""
    return LINEAGES.get(key, GREY)


def state_colour(key: str) -> str:
    """Return the colour of a state; grey for one that is not known here."""
    return STATES.get(key, GREY)
