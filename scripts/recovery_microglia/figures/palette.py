"""Names and colours of lineages and states."""

from recovery_microglia.figures.style import BLUE, GREY, VERMILION

LINEAGES: dict[str, str] = {
    "recovery_microglia": VERMILION,
    "microglia": BLUE,
    "infiltrating_macrophage": "#cac400",
    "monocyte": "#5e2511",
    "border_macrophage": "#52ad74",
    "dendritic_cell": "#ef91d4",
    "plasmacytoid_dendritic_cell": "#502b66",
    "neutrophil": "#effea7",
    "ambiguous_myeloid": "#add0be",
    "t_cell": "#7d7fba",
    "nk_cell": "#9c96e9",
    "b_cell": "#4b3b8f",
    "oligodendrocyte": "#2b3b4d",
    "opc": "#598993",
    "astrocyte": "#97c2f0",
    "ependymal": "#cadbef",
    "endothelial": "#8f2f2f",
    "pericyte": "#c67685",
    "fibroblast": "#e3aaa8",
    "neuron": "#41613f",
    "schwann": "#93ad92",
    "ambiguous": "#c3c9d0",
    "unassigned": "#e1e5e9",
}
STATES: dict[str, str] = {
    "homeostatic": BLUE,
    "recovery": VERMILION,
    "near_recovery": "#f0d3a4",
    "acute_inflammatory": "#af1b74",
    "interferon": "#e8ec1f",
    "cycling": "#01a76c",
    "dissociation_stress": "#623b19",
    "migrating": "#4cc6f7",
    "none": "#c3c9d0",
}
"""Of states, and of myeloid lineages, each pair differs by 10 (CIEDE2000) for every kind of colour vision (a test)."""
_NAMES = {
    "opc": "OPC",
    "t_cell": "T cell",
    "nk_cell": "NK cell",
    "b_cell": "B cell",
    "schwann": "Schwann cell",
    "none": "none stands out",
    "near_recovery": "recovery likely, not called",
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
