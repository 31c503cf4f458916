"""What tests of layers draw is the same in every run.

A weight near the threshold of a quantiser falls on one side of it in 32 bits and on the other in
16; with other weights in every run such a test would fail once in a hundred.
"""

from __future__ import annotations

import pytest
import tensorflow as tf


@pytest.fixture(autouse=True)
def _seed():
    tf.keras.utils.set_random_seed(0)
