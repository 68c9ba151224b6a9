"""The data sets of a run beside each other."""
