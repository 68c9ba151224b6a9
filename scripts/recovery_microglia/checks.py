"""Settings checked against JSON schemas, each mistake in one plain line (floor 1)."""

import difflib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from recovery_microglia.errors import InputError


@cache
def load_schema(path: Path) -> dict[str, Any]:
    """Return a JSON schema written in YAML."""
    schema: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return schema


@cache
def _validator(path: Path) -> Draft202012Validator:
    return Draft202012Validator(load_schema(path))


def hint(word: str, allowed: Iterable[str]) -> str:
    """Return ``; did you mean …?`` where an allowed word is close, else nothing."""
    close = difflib.get_close_matches(word.lower(), [a.lower() for a in allowed], n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


def _unknown_keys(error: ValidationError) -> list[str]:
    schema: Any = error.schema
    instance: Any = error.instance
    allowed = list(schema.get("properties", {}))
    extra = [key for key in instance if key not in allowed]
    return [f"'{key}' is not known{hint(str(key), allowed) or '; allowed: ' + ', '.join(allowed)}" for key in extra]


def plain(error: ValidationError) -> list[str]:
    """Return what is wrong and what is allowed, in plain words."""
    value: Any = error.instance
    rule: Any = error.validator_value
    match error.validator:
        case "additionalProperties":
            return _unknown_keys(error)
        case "required":
            return [f"'{name}' is missing" for name in rule if name not in value][:1]
        case "enum":
            allowed = ", ".join(f"'{v}'" if v == "" else str(v) for v in rule)
            return [f"'{value}' is not one of {allowed}{hint(str(value), map(str, rule))}"]
        case "type":
            return [f"'{value}' is not {'a list' if rule == 'array' else f'of type {rule}'}"]
        case "minimum" | "exclusiveMinimum":
            return [f"{value} is too small; the least is {rule}"]
        case "maximum" | "exclusiveMaximum":
            return [f"{value} is too large; the most is {rule}"]
        case "minLength" | "minItems":
            return ["must not be empty"]
        case "pattern":
            return [f"'{value}' does not fit {rule}"]
    return [error.message]


def errors(value: Any, schema: Path) -> list[ValidationError]:
    """Return the mistakes of ``value`` against a schema, in a stable order."""
    return sorted(_validator(schema).iter_errors(value), key=lambda e: [str(p) for p in e.absolute_path])


def check(value: Any, schema: Path, where: str) -> list[str]:
    """Return one plain line per mistake of ``value`` against a schema; ``where`` begins each line."""
    lines = []
    for error in sorted(_validator(schema).iter_errors(value), key=lambda e: [str(p) for p in e.absolute_path]):
        place = ".".join(str(part) for part in error.absolute_path)
        lines += [f"{where}: {place + ': ' if place else ''}{text}" for text in plain(error)]
    return list(dict.fromkeys(lines))


def defaults(schema: Path) -> dict[str, Any]:
    """Return key to default of a schema's top level, nested objects included."""

    def of(node: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, child in node.get("properties", {}).items():
            if child.get("type") == "object" and (inner := of(child)):
                found[key] = inner
            elif "default" in child:
                found[key] = child["default"]
        return found

    return of(load_schema(schema))


def with_defaults(value: Mapping[str, Any], standard: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``value`` completed by ``standard``, section by section."""
    result: dict[str, Any] = dict(standard)
    for key, own in value.items():
        base = standard.get(key)
        result[key] = with_defaults(own, base) if isinstance(own, Mapping) and isinstance(base, Mapping) else own
    return result


class _StrictLoader(yaml.SafeLoader):
    """A YAML loader that takes a key given twice for a mistake."""


def _mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise InputError(f"line {key_node.start_mark.line + 1}: '{key}' is given twice")
        seen[key] = loader.construct_object(value_node, deep=True)
    return seen


_StrictLoader.add_constructor("tag:yaml.org,2002:map", _mapping)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping.

    Raises
    ------
    InputError
        The file is missing, is not YAML, is not a mapping or gives a key twice.
    """
    try:
        value = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_StrictLoader)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = f" line {mark.line + 1}, column {mark.column + 1}:" if mark else ""
        raise InputError(f"{path}:{at} not valid YAML ({getattr(error, 'problem', 'unreadable')})") from None
    if not isinstance(value, dict):
        raise InputError(f"{path}: should hold 'key: value' lines")
    return value
