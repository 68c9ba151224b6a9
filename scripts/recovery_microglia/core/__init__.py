"""What every room may use: mistakes, gene sets, tables, words, compiled passes over counts."""
