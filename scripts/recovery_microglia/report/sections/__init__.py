"""The sections of the page of a data set."""
