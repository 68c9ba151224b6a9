"""A class of settings says all that its schema holds."""

from dataclasses import dataclass, field

import pytest

from config_schema import schema_of
from recovery_microglia.core.settings import setting


@dataclass(frozen=True)
class Example:
    """How examples are made.

    More words.
    """

    names: tuple[str, ...] = field(metadata=setting("Names.", unique=True))
    share: float = field(default=0.5, metadata=setting("A share.", minimum=0, maximum=1))
    steps: tuple[float, ...] = field(default=(1.0, 2.0), metadata=setting("Steps.", above=0))
    quick: bool = field(default=False, metadata=setting("Whether it is quick."))


def test_type_bounds_default_and_sentence_come_from_the_field() -> None:
    assert schema_of(Example) == {
        "type": "object",
        "additionalProperties": False,
        "required": ["names"],
        "description": "How examples are made.",
        "properties": {
            "names": {
                "type": "array",
                "minItems": 1,
                "uniqueItems": True,
                "items": {"type": "string"},
                "description": "Names.",
            },
            "share": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.5, "description": "A share."},
            "steps": {
                "type": "array",
                "minItems": 1,
                "items": {"type": "number", "exclusiveMinimum": 0},
                "default": [1.0, 2.0],
                "description": "Steps.",
            },
            "quick": {"type": "boolean", "default": False, "description": "Whether it is quick."},
        },
    }


def test_a_field_that_is_no_setting_is_refused() -> None:
    @dataclass(frozen=True)
    class Bare:
        """Bare."""

        n: int = 1

    with pytest.raises(KeyError):
        schema_of(Bare)
