"""A data set as it is described: entry, sample sheet, behaviour, read and checked before any job starts."""
