"""The config is a promise: what version 1 wrote is read by every later version."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.layers import BatchNorm, Concat, Conv2d, Dense, Flatten, Input, MaxPool2d
from tensorlayer.models import Model

GOLDEN = Path(__file__).parent / "golden" / "small_cnn.json"


def small_cnn():
    x = Input([None, 8, 8, 3], name="x")
    with tl.layers.variable_scope("features"):
        net = Conv2d(x, 4, (3, 3), act=tf.nn.relu, name="conv")
        net = BatchNorm(net, act="lrelu0.1", name="bn")
        net = MaxPool2d(net, name="pool")
    flat = Flatten(net, name="flat")
    head = Dense(n_units=5, W_init=tl.initializers.RandomNormal(stddev=0.01), name="head")
    return Model(x, Concat([head(flat), flat[:, :2]], name="out"), name="small_cnn")


def described():
    model = small_cnn()
    shapes = {name: list(variable.shape) for name, variable in model.parameters.items()}
    return {"config": model.config, "digest": model.structure_digest, "parameters": shapes}


def test_the_config_is_what_it_was():
    assert described() == json.loads(GOLDEN.read_text())


def test_a_config_of_version_1_is_read():
    golden = json.loads(GOLDEN.read_text())

    model = Model.from_config(golden["config"])

    assert model.structure_digest == golden["digest"]
    assert {n: list(v.shape) for n, v in model.parameters.items()} == golden["parameters"]
    assert model(np.zeros([2, 8, 8, 3]), is_train=False).shape == (2, 7)


if __name__ == "__main__":  # python -m tests.models.test_config writes the file anew
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(json.dumps(described(), indent=1) + "\n")
