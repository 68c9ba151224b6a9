"""How a run works: what runs again, logs, costs, progress, memory and time, the disk."""
