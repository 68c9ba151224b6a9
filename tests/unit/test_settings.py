"""The settings are defined once, by their classes; the schema is written from them, config.yaml gives their defaults."""

from dataclasses import asdict
from pathlib import Path

import pytest
import yaml

from config_schema import SCHEMA, SECTIONS, text
from recovery_microglia.core.schemas import defaults


def as_plain(settings: object) -> dict:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(settings).items()}


def test_the_schema_is_written_from_the_classes() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == text(), "run: make config-schema"


@pytest.mark.parametrize("section", SECTIONS)
def test_config_and_schema_give_the_defaults_of_the_class(root: Path, section: str) -> None:
    code = as_plain(SECTIONS[section]())
    assert yaml.safe_load((root / "config/config.yaml").read_text())[section] == code
    assert defaults(root / "workflow/schemas/config.yaml")[section] == code


def test_the_seed_of_config_is_the_default(root: Path) -> None:
    given = yaml.safe_load((root / "config/config.yaml").read_text())["seed"]
    assert given == defaults(root / "workflow/schemas/config.yaml")["seed"]


def test_the_configuration_has_no_other_section_and_every_schema_field_is_described(root: Path) -> None:
    config = yaml.safe_load((root / "config/config.yaml").read_text())
    assert set(config) == {"datasets", "seed", "drivers", *SECTIONS}
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
