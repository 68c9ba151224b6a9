"""Subjects over days: fractions, tests, onset, and what the design allows to be said."""
