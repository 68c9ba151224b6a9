"""Find the CD11c+ recovery microglia in spinal-cord scRNA-seq and say when they emerge.

The science of the pipeline: an importable, typed package that never sees Snakemake. Its rooms
follow the counts, and each imports only what CONTRIBUTING.md's map names; the rules of ``workflow/`` call it through
the thin adapters in ``scripts/``.
"""

__version__ = "0.1.0"
