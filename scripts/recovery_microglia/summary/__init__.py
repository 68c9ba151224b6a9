"""What leaves the pipeline: summary.json, closing tables, the h5ad."""
