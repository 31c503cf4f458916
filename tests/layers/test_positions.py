"""Arguments by position, in the order of 1.11 and in that of today."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import Input, InputLayer
from tensorlayer.layers.compat import name_today
from tensorlayer.layers.positions import ORDERS, by_name
from tests.test_api_names import TABLE, parameters

v1 = tf.compat.v1

#: What scripts give for the arguments of 1.11.
VALUES = {
    "act": tf.nn.relu,
    "align_corners": False,
    "bitA": 3,
    "bitW": 2,
    "center": True,
    "channel_shared": True,
    "data_format": "channels_last",
    "decay": 0.99,
    "depth_multiplier": 2,
    "dilation": 4,
    "dilation_rate": 4,
    "embedding_size": 7,
    "epsilon": 1e-3,
    "filter_size": (3, 3),
    "fn": tf.identity,
    "fn_args": {"name": "of_fn"},
    "is_fix": True,
    "is_scale": False,
    "is_train": True,
    "keep": 0.8,
    "method": 1,
    "n_filter": 11,
    "n_group": 3,
    "n_out_channel": 5,
    "n_units": 12,
    "name": "named",
    "num_sampled": 6,
    "out_size": [40, 41],
    "output_shape": (1, 8, 8, 3),
    "padding": "VALID",
    "perm": [0, 2, 1],
    "rate": 3,
    "scale": 2,
    "seed": 5,
    "shape": (3, 3, 8, 9),
    "size": [20, 30],
    "stride": 2,
    "strides": (2, 2),
    "theta_layer": Input([None, 6]),
    "train_labels": Input([None, 1], "int32"),
    "use_cudnn_on_gpu": True,
    "use_gemm": False,
    "vocabulary_size": 100,
}
#: By other names today, where the order is the same so far.
SAME = {"ksize": "filter_size", "size": "scale", "embeddings_initializer": "E_init"}
#: The order of today is meant there: nothing tells that it is not.
OPEN = {
    ("LayerNorm", "reuse"),  # TensorFlow 1 alone had it, and what follows
    ("QuanConv2d", "n_filter"),
    ("GaussianNoise", "is_train"),  # the same by another name
}


def order_of_1x(name):
    entry = TABLE["layers"][name]
    entry = TABLE["layers"][entry["alias"]] if "alias" in entry else entry
    listed = list(parameters(entry["1.11.1"])) if "1.11.1" in entry else []
    first = {"inputs", "layers", "prev_layer", "net_encode_in"}
    return [each for each in listed if each not in first]


@functools.cache
def value_of(name):
    """Return what no other argument is given."""
    if name in VALUES:
        return VALUES[name]
    if name.endswith(("_args", "_kwargs")):
        return {}
    return tf.constant_initializer(0.0) if name.endswith(("_init", "_initializer")) else None


LAYERS = [
    name
    for name in TABLE["layers"]
    if isinstance(getattr(tl.layers, name, None), type)
    and issubclass(getattr(tl.layers, name), tl.layers.Layer)
    and name != "Layer"  # of which people make their own
    and order_of_1x(name)
]


@pytest.mark.parametrize("name", LAYERS)
def test_positions_of_1_11_mean_what_they_meant(name):
    cls, order = getattr(tl.layers, name), order_of_1x(name)
    for n in range(1, len(order) + 1):
        if any((cls.__name__, each) in OPEN for each in order[:n]) and cls.__name__ != "QuanConv2d":
            break
        if (cls.__name__, order[n - 1]) in OPEN:
            continue
        given = {}
        args = by_name(cls, tuple(map(value_of, order[:n])), given)
        today = list(tl.layers.base.arguments.signature_of(cls).parameters)
        given |= dict(zip(today, args, strict=False))
        for each in order[:n]:
            key = each if each in given else name_today(cls, each)
            key = SAME.get(key, key) if args else key
            assert key in given, (n, each, given)
            assert given[key] is value_of(each), (n, each, given)


@pytest.mark.parametrize("name", [name for name in LAYERS if "name" in order_of_1x(name)])
def test_a_name_is_found_behind_arguments_that_are_left_open(name):
    """Scripts wrote None for W_init_args and b_init_args, to get to the name."""
    cls, order = getattr(tl.layers, name), order_of_1x(name)
    order = order[: order.index("name") + 1]
    if any((cls.__name__, each) in OPEN - {("QuanConv2d", "n_filter")} for each in order):
        return
    values = [None if value_of(each) == {} else value_of(each) for each in order]
    given = {}

    args = by_name(cls, tuple(values), given)

    given |= dict(zip(tl.layers.base.arguments.signature_of(cls).parameters, args, strict=False))
    assert given["name"] == "named"


def test_every_class_of_the_table_is_a_layer():
    for name in ORDERS:
        assert issubclass(getattr(tl.layers, name), tl.layers.Layer)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("Dropout", (0.8, 42)),
        ("Conv1d", (32, 5, 1, tf.nn.relu, "SAME")),
        ("Conv2dLayer", (tf.nn.relu, (3, 3, 1, 2), (1, 1, 1, 1), "SAME", "NHWC", (1, 1, 1, 1))),
        ("DeConv2d", (32, (3, 3), (2, 2), "relu", "SAME", (1, 1), "channels_last")),
        ("Lambda", (tf.identity, [], {"name": "x"}, "f")),
        ("UpSampling2d", ((2, 2), "nearest", False)),
        ("PRelu", (False, 8, tf.zeros_initializer())),
        ("InstanceNorm", (None, 1e-5, "zeros", "ones")),
        ("Transpose", ([0, 2, 1], True)),
        ("QuanConv2d", (8, 8, 32, (3, 3))),
        ("MaxPool1d", (3, 2, "SAME", "channels_last", 1)),
        ("Dense", (3, None, "zeros", None, 8, "d")),
    ],
)
def test_the_order_of_today_stays(name, args):
    given = {}

    assert by_name(getattr(tl.layers, name), args, given) == args
    assert given == {}


def test_what_fits_no_order_is_left_to_its_error():
    with pytest.raises(
        InvalidArgument, match=r"^Dropout: too many positional arguments\. It takes"
    ):
        tl.layers.Dropout(Input([None, 3]), 0.8, "a", "b", "c", "d", "e")


def test_a_layer_that_is_not_stacked_is_none_of_1_11():
    with pytest.raises(InvalidArgument, match=r"method is one of .*, got True"):
        tl.layers.UpSampling2d(2, True)
    assert by_name(tl.layers.Dropout, (0.8, True), {}, is_stacked=False) == (0.8, True)
    net = tl.layers.UpSampling2d(Input([None, 2, 2, 1]), 2, True)
    assert net.shape.as_list() == [None, 4, 4, 1]
    named = tl.layers.DropoutLayer(0.8, True, prev_layer=Input([None, 3]))
    assert named.layer.is_fix is True


def test_the_mode_by_position_as_in_2_x():
    called = tl.layers.BatchNorm(0.99, 1e-3, tf.nn.relu, True, "zeros")
    with_features = (0.9, 1e-5, None, False, "zeros", "ones", "zeros", "ones", 3, "channels_last")

    assert called.config["args"]["decay"] == 0.99
    assert (called.facts.is_train, called.arguments["beta_init"]) == (True, "zeros")
    assert tl.layers.BatchNorm(*with_features, "bn").arguments["num_features"] == 3
    quantized = tl.layers.QuanDenseWithBN(3, None, 0.9, 1e-5, False, 8, 8, name="q")
    assert quantized.facts.is_train is False


def test_a_layer_of_ones_own_has_its_own_order():
    class Dropout(tl.layers.Dropout):
        def __init__(self, keep, times, name=None):
            super().__init__(keep, name=name)
            self.times = times

    class Plain(tl.layers.Dropout):
        pass

    assert Dropout(Input([None, 3]), 0.8, True).layer.times is True
    assert by_name(Plain, (0.8, True), kwargs := {}) == ()
    assert kwargs == {"keep": 0.8, "is_fix": True}


def test_networks_of_scripts():
    with tf.Graph().as_default(), v1.Session() as sess, tl.layers.isolated():
        x = v1.placeholder(tf.float32, [None, 6, 6, 3])
        net = InputLayer(x, name="in")
        net = tl.layers.DeConv2d(net, 4, (3, 3), (2, 2), "SAME", tf.nn.relu, name="up")
        net = tl.layers.BatchNormLayer(net, 0.99, 1e-5, tf.nn.tanh, True, name="bn")
        net = tl.layers.UpSampling2dLayer(net, [24, 20], False, 1, False, "resized")
        net = tl.layers.LambdaLayer(net, lambda x, times: times * x, {"times": 2.0}, "twice")
        net = tl.layers.DropoutLayer(net, 0.5, True, False, name="drop")
        tl.layers.initialize_global_variables(sess)
        values = np.ones([2, 6, 6, 3], "float32")
        found = sess.run(net.outputs, {x: values})

        assert found.shape == (2, 24, 20, 4)
        assert net.all_drop == {}
        assert [each.name for each in net.all_layers] == ["up", "bn", "resized", "twice", "drop"]
        ids, labels = v1.placeholder(tf.int32, [5]), v1.placeholder(tf.int32, [5, 1])
        words = tl.layers.Word2vecEmbeddingInputlayer(ids, labels, 20, 4, 3, name="words")
        table = tl.layers.EmbeddingInputlayer(ids, 20, 4, tf.ones_initializer(), None, "table")
        tl.layers.initialize_global_variables(sess)
        cost, vectors = sess.run(
            [words.nce_cost, table.outputs], {ids: np.arange(5), labels: np.ones([5, 1])}
        )
        assert cost > 0
        np.testing.assert_array_equal(vectors, np.ones([5, 4]))
