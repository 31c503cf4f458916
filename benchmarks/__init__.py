"""Benchmarks: each runs alone, as ``python -m benchmarks.<name>``."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow reads it when it is imported
