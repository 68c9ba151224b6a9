"""Which microglia are recovery cells: scores, learnt weights, cutoffs on controls, calls."""
