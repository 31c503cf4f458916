"""Layers that change the shape, and those that make one network of several."""

import tensorflow as tf

from tests.layers.spec import LayerSpec

SPECS = (
    LayerSpec("Concat", {"concat_dim": -1}, ((3, 4), (3, 2))),
    LayerSpec("Elementwise", {"combine_fn": tf.add, "act": tf.nn.relu}, ((3, 4), (3, 4))),
    LayerSpec("Flatten", {}, ((3, 4, 2),)),
    LayerSpec("Part", {"index": 1}, ((3, 4), (3, 2))),
    LayerSpec("Reshape", {"shape": (-1, 6)}, ((3, 2),)),
    LayerSpec("Slice", {"key": (slice(None), slice(0, 2), None)}, ((3, 2),)),
)
