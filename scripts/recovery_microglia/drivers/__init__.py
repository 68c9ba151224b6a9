"""What goes with the recovery state: genes, activities and signals, by animal. Associations, never causes."""
