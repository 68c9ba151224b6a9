"""Find the CD11c+ recovery microglia in spinal-cord scRNA-seq and say when they emerge.

The science of the pipeline: an importable, typed package that never sees Snakemake. Its rooms
follow the counts, and each imports only what CONTRIBUTING.md's map names; the rules of ``workflow/`` call it through
the thin adapters in ``scripts/``. For scripts and notebooks of your own: `recovery_microglia.tl`.
"""

from importlib import import_module
from typing import Any

__version__ = "0.2.0"


def __getattr__(name: str) -> Any:
    """Import `tl` when it is first asked for: jobs of the pipeline must not wait for what they do not use."""
    if name == "tl":
        return import_module("recovery_microglia.tl")
    raise AttributeError(f"module 'recovery_microglia' has no attribute '{name}'")
