"""The command ``recovery-microglia`` of an installed package: the same Snakefile, from any folder."""

from recovery_microglia.command.words import main

__all__ = ["main"]
