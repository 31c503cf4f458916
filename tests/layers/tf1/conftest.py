from __future__ import annotations

import pytest
import tensorflow as tf

import tensorlayer as tl


@pytest.fixture
def sess():
    """Give a session of a graph, which is the default one."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session, tl.layers.isolated():
        yield session
