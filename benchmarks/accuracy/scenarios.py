"""Scenarios: the demo's tables, changed as scenarios.yaml says."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from recovery_microglia.simulate.parameters import Parameters, load_parameters

HERE = Path(__file__).resolve().parent
LEUKOCYTE = ("Ptprc", "Tyrobp", "Fcer1g", "Laptm5", "Coro1a", "Cd53", "Ctss", "Spi1", "Cd37", "Cd52")
DEMO = HERE.parents[1] / "config/datasets/demo/simulation"


def load_scenarios() -> dict[str, dict[str, Any]]:
    """Return name to scenario, completed by the defaults."""
    table = yaml.safe_load((HERE / "scenarios.yaml").read_text(encoding="utf-8"))
    defaults = table.pop("defaults")
    return {name: {**defaults, **scenario} for name, scenario in table.items()}


def build(scenario: Mapping[str, Any], seed: int) -> tuple[Parameters, pd.DataFrame]:
    """Return the tables to simulate from, and the sheet (one row a library)."""
    demo = load_parameters(DEMO)
    sheet = _sheet(scenario)
    days = sheet[["condition", "day"]].drop_duplicates()
    groups = [(str(c), float(d)) for c, d in zip(days["condition"], days["day"], strict=True)]
    parameters = replace(
        demo,
        composition=_composition(demo, groups, scenario),
        states=_states(demo, groups, scenario),
        libraries=_libraries(demo, sheet, scenario, seed),
        genes=_genes(demo, scenario),
        programmes=_programmes(demo, scenario),
        markers=_markers(demo, scenario),
        settings={**demo.settings, **scenario.get("settings", {})},
    )
    return parameters, sheet


def _sheet(scenario: Mapping[str, Any]) -> pd.DataFrame:
    rows = []
    for condition, animals in scenario["design"].items():
        for day, n in animals.items():
            for i in range(n):
                name = f"{condition[0].upper()}{day}_{i + 1}"
                rows.append(
                    (name, f"mouse_{name}", float(day), condition, ("female", "male")[i % 2], ("A", "B")[i % 2])
                )
    sheet = pd.DataFrame(rows, columns=["library", "subject", "day", "condition", "sex", "batch"])
    sheet = sheet.assign(arm="", age="", chemistry="10x 3' v3", sort="none", pooled_n=1, include=True, reason="")
    if "keep" in scenario:
        sheet["sort"] = "microglia"
    for column in scenario.get("alias", []):
        sheet[column] = column + sheet["day"].map("{:g}".format)
    if "arms" in scenario:
        sheet["arm"] = np.where(sheet["condition"] == "injured", sheet["sex"], "")
    return sheet


def _nearest(table: pd.DataFrame, condition: str, day: float) -> pd.DataFrame:
    own = table[table["condition"] == condition]
    days = own["day"].to_numpy(float)
    nearest: pd.DataFrame = own[days == days[np.abs(days - day).argmin()]]
    return nearest


def _composition(demo: Parameters, groups: list[tuple[str, float]], scenario: Mapping[str, Any]) -> pd.DataFrame:
    parts = []
    for condition, day in groups:
        own = _nearest(demo.composition, condition, day).assign(day=day)
        if condition == "injured":
            own["share"] *= own["cell_type"].map(scenario.get("types", {})).fillna(1.0)
        for kind, others in scenario.get("keep", {}).items():
            rest = own["cell_type"] != kind
            own.loc[rest, "share"] *= others / own.loc[rest, "share"].sum()
            own.loc[~rest, "share"] = 1 - others
        parts.append(own.assign(share=own["share"] / own["share"].sum()))
    return pd.concat(parts, ignore_index=True)


def _states(demo: Parameters, groups: list[tuple[str, float]], scenario: Mapping[str, Any]) -> pd.DataFrame:
    parts = []
    for condition, day in groups:
        own = _nearest(demo.states, condition, day).assign(day=day)
        if condition == "injured":
            own["share"] *= own["state"].map(scenario.get("states", {})).fillna(1.0)
            others = own["state"] != "recovery"
            own.loc[others, "share"] *= min(1.0, 0.85 / own.loc[others, "share"].sum())
        share = scenario["course"][day if condition == "injured" else 0]
        own.loc[own["state"] == "recovery", "share"] = share
        parts.append(own)
    return pd.concat(parts, ignore_index=True)


def _libraries(demo: Parameters, sheet: pd.DataFrame, scenario: Mapping[str, Any], seed: int) -> pd.DataFrame:
    rng = np.random.default_rng([seed, 77])
    rows = demo.libraries.iloc[rng.integers(0, len(demo.libraries), len(sheet))].reset_index(drop=True)
    rows["library"] = sheet["library"].to_numpy()
    order = sheet["day"].rank(method="dense").to_numpy(float)
    place = (order - 1) / max(float(order.max()) - 1, 1.0)
    for column, value in scenario.get("libraries", {}).items():
        if isinstance(value, Mapping):
            rows[column] = value["from"] + (value["to"] - value["from"]) * place
        else:
            rows[column] = value * (rows[column] / rows[column].mean() if column == "depth" else 1.0)
    return rows


def _genes(demo: Parameters, scenario: Mapping[str, Any]) -> pd.DataFrame:
    factor = demo.genes["gene"].map(scenario.get("genes", {})).fillna(1.0).astype(float)
    return demo.genes.assign(umis_per_10k=demo.genes["umis_per_10k"] * factor)


def _programmes(demo: Parameters, scenario: Mapping[str, Any]) -> pd.DataFrame:
    own = demo.programmes.copy()
    own.loc[own["programme"] == "recovery", "log2_fold_change"] *= scenario.get("effect", 1.0)
    for programme, folds in scenario.get("folds", {}).items():
        own = own[(own["programme"] != programme) | ~own["gene"].isin(folds)]
        rows = [(programme, gene, np.log2(fold)) for gene, fold in folds.items()]
        own = pd.concat([own, pd.DataFrame(rows, columns=list(own.columns[:3]))], ignore_index=True)
    return own


def _markers(demo: Parameters, scenario: Mapping[str, Any]) -> pd.DataFrame:
    own = demo.markers.copy()
    for kind, change in scenario.get("markers", {}).items():
        # what all white blood cells hold tells none of them from another, and stays
        common = own["gene"].isin(LEUKOCYTE)
        own.loc[(own["cell_type"] == kind) & ~common, "log2_fold_change"] *= change["factor"]
    for kind, (programme, activity) in scenario.get("programmes", {}).items():
        moved = demo.programmes[demo.programmes["programme"] == programme]
        change = np.log2(1 + activity * (np.exp2(moved["log2_fold_change"]) - 1))
        extra = pd.DataFrame({"cell_type": kind, "gene": moved["gene"], "log2_fold_change": change})
        own = pd.concat([own, extra], ignore_index=True)
    return own


def silence_arm(parameters: Parameters, row: Mapping[str, Any], scenario: Mapping[str, Any]) -> Parameters:
    """Return the tables for one library: those of the sex that does not rise keep the control's share."""
    if scenario.get("arms") != row["sex"] or row["condition"] != "injured":
        return parameters
    states = parameters.states.copy()
    states.loc[states["state"] == "recovery", "share"] = scenario["course"][0]
    return replace(parameters, states=states)
