"""The words that data carry from the sheet to the page."""

CONTROLS = ("naive", "sham", "contralateral")
"""Conditions whose microglia are controls."""
