"""Bad inputs, and what a user sees: one list, from which the tests run and docs/bad-input.md is written."""
