"""Settings checked against JSON schemas, each mistake in one plain line."""

import difflib
import math
import re
from collections.abc import Hashable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, TypeChecker, validators
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator

from recovery_microglia.core.errors import LONGEST, InputError, cut, shortened
from recovery_microglia.core.files import written_bytes


@cache
def load_schema(path: Path) -> dict[str, Any]:
    """Return a JSON schema written in YAML."""
    schema: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return schema


def _is_whole(_: TypeChecker, value: Any) -> bool:
    """1.0 is an integer to JSON schema, but not to a random number generator."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(_: TypeChecker, value: Any) -> bool:
    """YAML's .nan is below no maximum and above no minimum: it would pass every bound."""
    return _is_whole(_, value) or (isinstance(value, float) and math.isfinite(value))


_CHECKER = Draft202012Validator.TYPE_CHECKER.redefine_many({"integer": _is_whole, "number": _is_number})
_Validator: Any = validators.extend(Draft202012Validator, type_checker=_CHECKER)  # type: ignore[no-untyped-call]  # its stubs lack it


@cache
def _validator(path: Path) -> Validator:
    made: Validator = _Validator(load_schema(path))
    return made


def hint(word: str, allowed: Iterable[str]) -> str:
    """Return ``; did you mean …?`` where an allowed word is close, else nothing."""
    if len(word) > LONGEST:
        return ""
    written = {name.lower(): name for name in allowed}
    close = difflib.get_close_matches(word.lower(), written, n=1, cutoff=0.6)
    return f"; did you mean '{written[close[0]]}'?" if close else ""


def _unknown_keys(error: ValidationError) -> list[str]:
    schema: Any = error.schema
    instance: Any = error.instance
    allowed = list(schema.get("properties", {}))
    extra = [key for key in instance if key not in allowed]
    return [
        f"'{cut(key)}' is not known{hint(str(key), allowed) or '; allowed: ' + ', '.join(allowed)}" for key in extra
    ]


_KINDS = {
    "array": "a list, such as [a, b]",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "keys with values",
    "string": "a text (in quotes if it looks like a number or a date)",
}


def _quoted(value: Any) -> str:
    return f"'{cut(value)}'"


def _figure(value: Any) -> str:
    """Return a number as it is shown; of one that no float holds, its digits."""
    try:
        return f"{value:g}"
    except OverflowError:
        return cut(value, 20)


def plain(error: ValidationError) -> list[str]:
    """Return what is wrong and what is allowed, in plain words."""
    value: Any = error.instance
    rule: Any = error.validator_value
    match error.validator:
        case "additionalProperties":
            return _unknown_keys(error)
        case "required":
            return [f"'{name}' is missing" for name in rule if name not in value][:1]
        case "enum" if value in ("", None):
            return [f"empty; needed: one of {', '.join(str(v) for v in rule)}"]
        case "enum":
            allowed = ", ".join(f"'{v}'" if v == "" else str(v) for v in rule)
            return [f"'{cut(value)}' is not one of {allowed}{hint(str(value), map(str, rule))}"]
        case "type":
            return [f"{'empty' if value is None else _quoted(value)}; needed: {_KINDS[rule]}"]
        case "minimum":
            return [f"{_figure(value)} is too small; must be at least {rule}"]
        case "exclusiveMinimum":
            return [f"{_figure(value)} is too small; it must be above {rule}"]
        case "maximum":
            return [f"{_figure(value)} is too large; the most is {rule}"]
        case "minLength" | "minItems":
            return ["must not be empty"]
        case "uniqueItems":
            return [
                f"'{name}' is duplicated"
                for name in dict.fromkeys(map(str, value))
                if list(map(str, value)).count(name) > 1
            ]
        case "pattern" if value == "":
            return ["must not be empty"]
        case "pattern" if isinstance(error.schema, Mapping) and "x-allowed" in error.schema:
            return [f"'{cut(value)}' does not fit; allowed: {error.schema['x-allowed']}"]
        case "pattern":
            return [f"'{cut(value)}' does not fit {rule}"]
    return [error.message]


def errors(value: Any, schema: Path) -> list[ValidationError]:
    """Return the mistakes of ``value`` against a schema, in a stable order."""
    return sorted(_validator(schema).iter_errors(value), key=lambda e: [str(p) for p in e.absolute_path])


def check(value: Any, schema: Path, where: str) -> list[str]:
    """Return one plain line per mistake of ``value`` against a schema; ``where`` begins each line."""
    lines = []
    for error in errors(value, schema):
        place = ".".join(str(part) for part in error.absolute_path)
        lines += [f"{where}: {place + ': ' if place else ''}{text}" for text in plain(error)]
    return shortened(list(dict.fromkeys(lines)))


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


DEEPEST = 12
"""Lists and mappings inside each other that a file of settings may have; the deepest of ours has four."""
LONGEST_NUMBER = 18
"""Digits of a number, beyond which it is none that anybody means."""
_DECIMAL = re.compile(
    r"[-+]?(0|[1-9][0-9]*)(\.[0-9]*)?([eE][-+]?[0-9]+)?|[-+]?\.[0-9]+([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF|nan|NaN|NAN)"
)
"""A number that everybody reads alike."""


class _StrictLoader(yaml.SafeLoader):
    """A YAML loader that takes for a mistake what is read in another way than it looks, or grows beyond what is written.

    A key given twice; aliases, by which some lines become millions of values; nesting without end; numbers that YAML reads as
    octal (0300 is 192), hexadecimal, binary, minutes (190:20) or through underscores; dates, which become none of ours.
    """

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Return the next node, unless it is an alias or too deep."""
        event = self.peek_event()  # type: ignore[no-untyped-call]  # its stubs lack it
        at = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            raise InputError(f"line {at}: an alias (*{event.anchor}) stands for other lines; write them out")
        if self.depth > DEEPEST:
            raise InputError(f"line {at}: more than {DEEPEST} lists or mappings inside each other")
        self.depth += 1
        found: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return found


def _mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, Hashable):
            raise InputError(f"line {key_node.start_mark.line + 1}: a list or a mapping cannot be a key")
        if key in seen:
            raise InputError(f"line {key_node.start_mark.line + 1}: '{key}' is given twice")
        seen[key] = loader.construct_object(value_node, deep=True)
    return seen


def _number(loader: _StrictLoader, node: yaml.ScalarNode) -> Any:
    text, at = str(node.value), node.start_mark.line + 1
    if len(text) > LONGEST_NUMBER + 6:
        raise InputError(f"line {at}: a number of {len(text)} signs ({text[:12]}…); put it in quotes, if it is a name")
    of_yaml = yaml.SafeLoader.construct_yaml_int if node.tag.endswith(":int") else yaml.SafeLoader.construct_yaml_float
    number = of_yaml(loader, node)
    if not _DECIMAL.fullmatch(text):
        raise InputError(f"line {at}: '{text}' would be read as the number {number}; write that, or put it in quotes")
    return number


def _date(_: _StrictLoader, node: yaml.ScalarNode) -> Any:
    raise InputError(f"line {node.start_mark.line + 1}: '{cut(node.value)}' would be read as a date; put it in quotes")


def _text(loader: _StrictLoader, node: yaml.ScalarNode) -> str:
    text = str(loader.construct_scalar(node))
    if sign := next((sign for sign in text if sign < " " and sign not in "\n\t"), ""):
        raise InputError(f"line {node.start_mark.line + 1}: a sign that is not printed ({sign!r}); take it out")
    return text


_StrictLoader.add_constructor("tag:yaml.org,2002:map", _mapping)
_StrictLoader.add_constructor("tag:yaml.org,2002:int", _number)
_StrictLoader.add_constructor("tag:yaml.org,2002:float", _number)
_StrictLoader.add_constructor("tag:yaml.org,2002:timestamp", _date)
_StrictLoader.add_constructor("tag:yaml.org,2002:str", _text)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping.

    Raises
    ------
    InputError
        The file is missing, is not YAML, is not a mapping or gives a key twice.
    """
    content = written_bytes(path)
    try:
        value = yaml.load(content.decode("utf-8-sig"), Loader=_StrictLoader)
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except RecursionError:
        raise InputError(f"{path}: lists or mappings inside each other without end") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = f" line {mark.line + 1}, column {mark.column + 1}:" if mark else ""
        raise InputError(f"{path}:{at} not valid YAML ({getattr(error, 'problem', 'unreadable')})") from None
    if not isinstance(value, dict):
        raise InputError(f"{path}: should hold 'key: value' lines")
    return value
