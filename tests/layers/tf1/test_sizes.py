"""What scripts see of the sizes of shapes that they chose."""

from __future__ import annotations

import subprocess
import sys

SIZES = """
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
import tensorlayer as tl

found = {}


def noted(name):
    def note(x):
        found[name] = type(x.shape[-1]).__name__
        return 2 * x

    return note


class Mine(tl.layers.Layer):
    def forward(self, inputs):
        return noted("layer")(inputs)


class Old(tl.layers.Layer):
    def __init__(self, prev_layer, name="old"):
        super().__init__(prev_layer=prev_layer, name=name)
        self.outputs = noted("constructor")(self.inputs)


x = tl.layers.InputLayer(tf.placeholder(tf.float32, [None, 3]), name="x")
net = tl.layers.DenseLayer(x, 4, name="d")
net = tl.layers.LambdaLayer(Mine(net, name="mine"), noted("function"), name="f")
net = Old(net)
noted("script")(net.outputs)
try:
    tl.layers.LambdaLayer(net, lambda x: 1 / 0, name="fails")
except ZeroDivisionError:
    pass
noted("after")(net.outputs)
print(sorted(found.items()), net.count_params())
"""


def test_a_script_that_chose_the_sizes_of_tensorflow_1_keeps_them():
    done = subprocess.run(
        [sys.executable, "-c", SIZES], capture_output=True, text=True, timeout=100, check=False
    )

    assert done.returncode == 0, done.stderr
    ints, dimensions = ["layer"], ["after", "constructor", "function", "script"]
    found = {**dict.fromkeys(ints, "int"), **dict.fromkeys(dimensions, "Dimension")}
    assert done.stdout.splitlines()[-1] == f"{sorted(found.items())} 16"
