"""workflow/schemas/config.yaml, written from the classes of settings: ``make config-schema``."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import yaml

from recovery_microglia.core.settings import setting
from recovery_microglia.library.settings import CellSettings
from recovery_microglia.myeloid.settings import ClusterSettings
from recovery_microglia.recovery.settings import RecoverySettings
from recovery_microglia.timeline.settings import TimelineSettings

_KINDS: dict[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}
SCHEMA = Path(__file__).resolve().parents[1] / "workflow" / "schemas" / "config.yaml"
SECTIONS: dict[str, type] = {
    "cells": CellSettings,
    "clusters": ClusterSettings,
    "recovery": RecoverySettings,
    "timeline": TimelineSettings,
}
"""Section of config.yaml to the class that defines it."""
HEAD = "# Written from the classes of settings (settings.py of each room) by: make config-schema\n"


@dataclass(frozen=True)
class RunSettings:
    """What is run and, by section, how it is analysed."""

    datasets: tuple[str, ...] = field(
        metadata=setting("Which data sets to run; each is a folder of config/datasets.", unique=True)
    )
    seed: int = field(
        default=1, metadata=setting("Seed of every random step, below 2^32.", minimum=0, maximum=4_000_000_000)
    )
    drivers: bool = field(
        default=True,
        metadata=setting("Whether genes, activities and signals that are associated with the state are looked for."),
    )


def schema_of(settings: type) -> dict[str, Any]:
    """Return the JSON schema of a dataclass of settings: an object, described by the first line of its docstring.

    A field without default is required; a list must not be empty.
    """
    kinds = get_type_hints(settings)
    found = fields(settings)
    schema: dict[str, Any] = {"type": "object", "additionalProperties": False}
    if required := [one.name for one in found if one.default is MISSING]:
        schema["required"] = required
    schema["description"] = (settings.__doc__ or "").splitlines()[0]
    schema["properties"] = {
        one.name: {
            **_kind(kinds[one.name], one.metadata),
            **({} if one.default is MISSING else {"default": _plain(one.default)}),
            "description": one.metadata["description"],
        }
        for one in found
    }
    return schema


def _kind(kind: Any, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return type and bounds of a setting."""
    if get_origin(kind) is tuple:
        item = {"type": _KINDS[get_args(kind)[0]], **metadata["bounds"]}
        return {"type": "array", "minItems": 1, **metadata["list"], "items": item}
    return {"type": _KINDS[kind], **metadata["bounds"]}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


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
