"""Benchmarks: each runs alone, as ``python -m benchmarks.<name>``."""

from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()
