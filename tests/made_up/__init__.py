"""Inputs made for tests and benchmarks.

Tables as a run writes them: `sheet` has the libraries of a study; `libraries`, `cells`, `course`, `genes` and `answers` what a run
finds in them; `sets` puts whole data sets together, which the fixture `made_up` hands to tests.
Deposits and counts: `soft` (what GEO says of a series), `one_library` (cells of known truth), `parts` (a shared matrix taken apart).
"""
