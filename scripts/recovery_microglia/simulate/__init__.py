"""Simulated libraries whose truth is known: the demo, and the data of benchmarks.

``load_parameters`` and ``simulate_library`` can be imported from here, and are when they are asked for.
"""

from importlib import import_module
from typing import Any

PUBLIC = {"load_parameters": "parameters", "simulate_library": "libraries"}
"""What others import from here, and the module that has it."""
__all__ = ["load_parameters", "simulate_library"]


def __getattr__(name: str) -> Any:
    """Return a public function of one of the modules."""
    if name not in PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{PUBLIC[name]}"), name)
