"""workflow/schemas/config.yaml, written from the classes of settings: ``make config-schema``."""

from pathlib import Path
from typing import Any

import yaml

from recovery_microglia.core.settings import RunSettings, schema_of
from recovery_microglia.library.settings import CellSettings
from recovery_microglia.myeloid.settings import ClusterSettings
from recovery_microglia.recovery.settings import RecoverySettings
from recovery_microglia.timeline.settings import TimelineSettings

SCHEMA = Path(__file__).resolve().parents[1] / "workflow" / "schemas" / "config.yaml"
SECTIONS: dict[str, type] = {
    "cells": CellSettings,
    "clusters": ClusterSettings,
    "recovery": RecoverySettings,
    "timeline": TimelineSettings,
}
"""Section of config.yaml to the class that defines it."""
HEAD = "# Written from the classes of settings (settings.py of each room) by: make config-schema\n"


class _Dumper(yaml.SafeDumper):
    """Lists in one line, mappings one key a line."""

    def represent_list(self, data: Any) -> yaml.SequenceNode:
        return self.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=True)


_Dumper.add_representer(list, _Dumper.represent_list)


def schema() -> dict[str, Any]:
    """Return the JSON schema of config.yaml."""
    top = schema_of(RunSettings)
    sections = {name: schema_of(settings) for name, settings in SECTIONS.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "config/config.yaml",
        **top,
        "properties": top["properties"] | sections,
    }


def text() -> str:
    """Return the file."""
    return HEAD + yaml.dump(schema(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)


if __name__ == "__main__":
    SCHEMA.write_text(text(), encoding="utf-8")
