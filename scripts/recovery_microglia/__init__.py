"""Find the CD11c+ recovery microglia in spinal-cord scRNA-seq and say when they emerge.

The science of the pipeline: an importable, typed package that never sees Snakemake. A module imports only
from the floors below it (CONTRIBUTING.md has the map); the rules of ``workflow/`` call it through the thin
adapters in ``scripts/``.
"""

__version__ = "0.1.0"
