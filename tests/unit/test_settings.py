"""The defaults are written three times, for three readers, and must be the same."""

from dataclasses import asdict
from pathlib import Path

import pytest
import yaml

from recovery_microglia.core.schemas import defaults
from recovery_microglia.library.settings import CellSettings
from recovery_microglia.myeloid import ClusterSettings
from recovery_microglia.recovery.settings import RecoverySettings
from recovery_microglia.timeline.settings import TimelineSettings

SECTIONS = {
    "cells": CellSettings,
    "clusters": ClusterSettings,
    "recovery": RecoverySettings,
    "timeline": TimelineSettings,
}


def as_plain(settings: object) -> dict:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(settings).items()}


@pytest.mark.parametrize("section", SECTIONS)
def test_dataclass_config_and_schema_give_the_same_defaults(root: Path, section: str) -> None:
    code = as_plain(SECTIONS[section]())
    assert yaml.safe_load((root / "config/config.yaml").read_text())[section] == code
    assert defaults(root / "workflow/schemas/config.yaml")[section] == code


def test_the_configuration_has_no_other_section_and_every_schema_field_is_described(root: Path) -> None:
    config = yaml.safe_load((root / "config/config.yaml").read_text())
    assert set(config) == {"datasets", "seed", *SECTIONS}
    undescribed = []

    def walk(schema: dict, where: str) -> None:
        for name, field in schema.get("properties", {}).items():
            if not field.get("description") and "properties" not in field:
                undescribed.append(f"{where}{name}")
            walk(field, f"{where}{name}.")

    for path in sorted((root / "workflow/schemas").glob("*.yaml")):
        walk(yaml.safe_load(path.read_text()), f"{path.name}: ")
    assert undescribed == []


def test_every_column_of_the_sheet_is_explained_to_users(root: Path) -> None:
    columns = set(yaml.safe_load((root / "workflow/schemas/samples.yaml").read_text())["properties"])
    text = (root / "config/README.md").read_text()
    assert {name for name in columns if f"`{name}`" not in text} == set()
