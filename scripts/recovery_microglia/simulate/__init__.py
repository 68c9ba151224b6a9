"""Simulated libraries whose truth is known: the demo, and the data of benchmarks."""
