"""A small net of TF-Slim with what the large ones have: scopes, statistics, dropout, end points."""

from __future__ import annotations

import tensorflow as tf
import tf_slim as slim

from tensorlayer.layers import Dense, Input, SlimNetsLayer
from tensorlayer.models import Model, serializable


def arg_scope():
    """Regularised, normalised convolutions, with statistics in a collection as Inception's are."""
    collections = {"moving_mean": ["moving_vars"], "moving_variance": ["moving_vars"]}
    norm = {"decay": 0.5, "variables_collections": collections}
    with slim.arg_scope(
        [slim.conv2d],
        normalizer_fn=slim.batch_norm,
        normalizer_params=norm,
        weights_regularizer=slim.l2_regularizer(1e-4),
    ) as scope:
        return scope


def tower(images, scope="tower"):
    """Give the net and its end points; nothing is said of the mode."""
    with tf.compat.v1.variable_scope(scope, "tower", [images]) as entered:
        ends = f"{entered.original_name_scope}_end_points"
        with slim.arg_scope([slim.conv2d, slim.max_pool2d], outputs_collections=ends):
            net = slim.conv2d(images, 4, [3, 3], scope="conv1")
            net = slim.conv2d(net, 4, [3, 3], scope="conv2")
            net = slim.max_pool2d(net, [2, 2], scope="pool")
        net = slim.dropout(slim.flatten(net), 0.5, scope="drop")
        return net, slim.utils.convert_collection_to_dict(ends)


@serializable
def trunk(images, scope="tower"):
    with slim.arg_scope(arg_scope()):
        return tower(images, scope)


def build() -> Model:
    x = Input([None, 8, 8, 1], name="x")
    net = SlimNetsLayer(x, slim_layer=trunk, name="tower")
    return Model(x, Dense(net, 2, name="out"), name="slim")
