"""Settings of a run, each defined once: its type, default, bounds and sentence stand at the field of a dataclass.

``workflow/schemas/config.yaml`` is written from these classes by ``make config-schema``.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, get_args, get_origin, get_type_hints

_KINDS: dict[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}


def setting(
    description: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    above: float | None = None,
    unique: bool = False,
) -> Mapping[str, Any]:
    """Return the metadata of a dataclass's field that is a setting; `schema_of` reads them.

    Parameters
    ----------
    description
        One sentence for users.
    minimum, maximum
        The least and the largest value that is allowed; of a list, each of its values.
    above
        A value that must be exceeded.
    unique
        Whether a list may hold no value twice.
    """
    bounds = {"minimum": minimum, "maximum": maximum, "exclusiveMinimum": above}
    return {
        "description": description,
        "bounds": {name: value for name, value in bounds.items() if value is not None},
        "list": {"uniqueItems": True} if unique else {},
    }


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


@dataclass(frozen=True)
class RunSettings:
    """What is run and, by section, how it is analysed."""

    datasets: tuple[str, ...] = field(
        metadata=setting("Which data sets to run; each is a folder of config/datasets.", unique=True)
    )
    seed: int = field(
        default=1, metadata=setting("Seed of every random step, below 2^32.", minimum=0, maximum=4_000_000_000)
    )
