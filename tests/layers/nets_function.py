"""A module of one's own, functions that make variables, and one of variables that it is given."""

from __future__ import annotations

import tensorflow as tf

from tensorlayer.layers import EstimatorLayer, Input, Lambda
from tensorlayer.models import Model, serializable


@serializable
class Affine(tf.Module):
    """A module that a saved model can hold, since it says how it was made."""

    def __init__(self, n_units: int) -> None:
        super().__init__()
        self.n_units = n_units
        self.w = tf.Variable(tf.ones([6, n_units]), name="w")
        self.mean = tf.Variable(tf.zeros([n_units]), trainable=False, name="mean")

    def __call__(self, x: tf.Tensor, is_training: bool = False) -> tf.Tensor:
        y = tf.matmul(x, self.w)
        if is_training:
            self.mean.assign(0.5 * self.mean + 0.5 * tf.reduce_mean(y, 0))
        return y - self.mean

    def get_config(self) -> dict[str, int]:
        return {"n_units": self.n_units}

    @classmethod
    def from_config(cls, config: dict[str, int]) -> Affine:
        return cls(**config)


@serializable
def dense(x: tf.Tensor, n_units: int) -> tf.Tensor:
    w = tf.Variable(lambda: tf.random.normal([x.shape[-1], n_units], seed=1), name="w")
    return tf.matmul(x, w) + tf.Variable(tf.zeros([n_units]), name="b")


@serializable
def scaled(features: tf.Tensor, is_training: bool) -> tf.Tensor:
    with tf.compat.v1.variable_scope("scaled"):
        scale = tf.compat.v1.get_variable("scale", [features.shape[-1]])
        steps = tf.compat.v1.get_variable("steps", initializer=0.0, trainable=False)
    if is_training:
        steps.assign_add(1.0)
    return features * scale


def build() -> Model:
    x = Input([None, 6], name="x")
    net = Lambda(x, Affine(4), name="affine")
    net = Lambda(net, dense, fn_args={"n_units": 3}, name="dense")
    return Model(x, EstimatorLayer(net, scaled, name="estimator"), name="functions")
