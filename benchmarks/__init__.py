"""Benchmarks: each runs alone, as ``python -m benchmarks.<name>``."""
