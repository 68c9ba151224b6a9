"""A new entry under config/datasets/, drafted from an accession or a folder."""
