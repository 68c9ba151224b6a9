"""Settings of a run, each defined once: its type, default, bounds and sentence stand at the field of a dataclass.

``workflow/schemas/config.yaml`` is written from these classes by ``make config-schema``.
"""

from collections.abc import Mapping
from typing import Any


def setting(
    description: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    above: float | None = None,
    unique: bool = False,
) -> Mapping[str, Any]:
    """Return the metadata of a dataclass's field that is a setting; ``make config-schema`` reads them.

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
