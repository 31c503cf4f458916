"""Scripts as they were written for TensorLayer 1.11, but for ``import tensorflow.compat.v1``.

``run.py`` runs them; ``checks.py`` says what has to come out. Data are small, and made or shipped.
"""
