"""One library: cells among droplets, quality, doublets, lineage. It knows nothing of the others."""
