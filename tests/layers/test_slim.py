"""TF-Slim: whole nets, scopes of arguments, the mode, and what is repaired of it."""

from __future__ import annotations

import subprocess
import sys
import threading

import numpy as np
import pytest
import tensorflow as tf
import tf_slim as slim

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, NameMismatch, NotSerializable
from tensorlayer.layers import Dense, Input, InputLayer, Lambda, SlimNetsLayer, variable_scope
from tensorlayer.models import Model
from tests.layers import nets_slim, nets_slim_whole
from tests.layers.adopted import ROOT, assert_adopted

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

IMAGES = np.random.default_rng(0).normal(size=(4, 8, 8, 1)).astype("float32")


def norm_only(x):
    with tf.compat.v1.variable_scope("n"):
        return slim.batch_norm(x, decay=0.5, scope="bn")


def test_a_net_trains_moves_its_statistics_and_is_kept(tmp_path):
    assert_adopted("nets_slim", IMAGES, tmp_path, n_statistics=4)


def test_names_are_those_of_checkpoints_and_end_points_are_networks():
    net = SlimNetsLayer(Input([None, 8, 8, 1]), slim_layer=nets_slim.trunk, name="tower")

    assert list(net.parameters)[:3] == [
        "tower/conv1/weights", "tower/conv1/BatchNorm/beta", "tower/conv1/BatchNorm/moving_mean",
    ]  # fmt: skip
    assert net.all_params[0].name == "tower/conv1/weights:0"
    assert list(net.end_points) == ["tower/conv1", "tower/conv2", "tower/pool"]
    assert net.end_points["tower/pool"].outputs.shape == (None, 4, 4, 4)
    features = Dense(tl.layers.Flatten(net.end_points["tower/conv1"]), 2, name="head")
    assert features(IMAGES).shape == (4, 2)


def test_statistics_are_those_of_the_batches_in_training_only():
    net = SlimNetsLayer(Input([None, 3]), slim_layer=norm_only, name="n")
    x = np.random.default_rng(1).normal(size=(50, 3)).astype("float32")
    mean = net.parameters["n/bn/moving_mean"]

    for evaluate in (net, tf.function(lambda x, is_train: net(x, is_train=is_train))):
        before = mean.numpy()
        evaluate(x, is_train=False)
        np.testing.assert_array_equal(mean, before)
        evaluate(x, is_train=True)
        np.testing.assert_allclose(mean, 0.5 * before + 0.5 * x.mean(0), rtol=1e-4, atol=1e-6)
    found = net(x, is_train=True).numpy()
    np.testing.assert_allclose(found, (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-3), atol=1e-3)


def test_four_dimensions_go_through_the_layer_that_tf_keras_has_moved():
    net = SlimNetsLayer(Input([None, 4, 4, 3]), slim_layer=norm_only, name="n")
    x = np.random.default_rng(1).normal(size=(6, 4, 4, 3)).astype("float32")
    mean = net.parameters["n/bn/moving_mean"]

    for times in (1, 2):
        net(x, is_train=True)
        expected = (1 - 0.5**times) * x.mean((0, 1, 2))
        np.testing.assert_allclose(mean, expected, rtol=1e-3, atol=1e-5)
    net(x, is_train=False)
    np.testing.assert_allclose(mean, expected, rtol=1e-3, atol=1e-5)


def test_dropout_follows_the_mode_unless_somebody_says_it():
    def dropped(x):
        return slim.dropout(x, 0.5)

    def always(x):
        return slim.dropout(x, 0.5, is_training=True)

    x = np.ones([1, 1000], np.float32)
    for net in (Lambda(Input([None, 1000]), dropped), Lambda(Input([None, 1000]), slim.dropout)):
        np.testing.assert_array_equal(net(x, is_train=False), x)
        assert 400 < np.count_nonzero(net(x, is_train=True)) < 600
    assert np.count_nonzero(Lambda(Input([None, 1000]), always)(x, is_train=False)) < 600
    with slim.arg_scope([slim.dropout], is_training=False):
        silent = Lambda(Input([None, 1000]), dropped)
    np.testing.assert_array_equal(silent(x, is_train=True), x)


def test_the_scope_of_arguments_around_the_layer_is_kept():
    def plain(x, scope="tower"):
        return slim.conv2d(x, 4, [3, 3], scope=f"{scope}/conv")

    with slim.arg_scope([slim.conv2d], activation_fn=None, biases_initializer=None):
        net = SlimNetsLayer(Input([None, 8, 8, 1]), slim_layer=plain, name="tower")
    other = SlimNetsLayer(Input([None, 8, 8, 1]), slim_layer=plain, name="tower")

    assert list(net.parameters) == ["tower/conv/weights"]
    assert list(other.parameters) == ["tower/conv/weights", "tower/conv/biases"]
    for evaluate in (net, tf.function(lambda x: net(x))):
        found = evaluate(tf.constant(IMAGES)).numpy()
        expected = tf.nn.conv2d(IMAGES, net.all_params[0], 1, "SAME")
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert found.min() < 0 <= other(IMAGES).numpy().min()


def test_a_model_cannot_be_saved_without_the_scope():
    x = Input([None, 8, 8, 1], name="x")
    with slim.arg_scope(nets_slim.arg_scope()):
        model = Model(x, SlimNetsLayer(x, slim_layer=nets_slim.tower, name="tower"))

    message = r"tower within a slim.arg_scope around the layer. has no name(.|\n)*Define it at the"
    with pytest.raises(NotSerializable, match=message):
        model.config  # noqa: B018


def test_a_second_use_by_name_shares(tmp_path):
    def net(name, reuse=None):
        with variable_scope("s", reuse=reuse), slim.arg_scope(nets_slim.arg_scope()):
            return SlimNetsLayer(
                Input([None, 8, 8, 1], name=name), slim_layer=nets_slim.tower, name="tower"
            )

    first, second = net("x"), net("y", reuse=True)

    assert second.parents[0].layer is first.parents[0].layer
    both = Model([*first.input_nodes, *second.input_nodes], [first, second])
    assert len(both.all_weights) == 8


def reused(*, first, second):
    """Return the layers of one name that are made in two scopes of arguments."""

    def net(reuse, **kwargs):
        function = lambda x: slim.conv2d(x, 2, [3, 3], scope="c")  # noqa: E731
        with variable_scope("s", reuse=reuse):
            if not kwargs:
                return Lambda(Input([None, 8, 8, 1]), function, name="f")
            with slim.arg_scope([slim.conv2d], **kwargs):
                return Lambda(Input([None, 8, 8, 1]), function, name="f")

    return net(None, **first), net(True, **second)


def test_a_use_by_name_in_another_scope_of_arguments_is_refused():
    same = {"stride": 2, "weights_regularizer": slim.l2_regularizer(0.1)}
    again = {"stride": 2, "weights_regularizer": slim.l2_regularizer(0.1)}
    for second in (again, {}):  # outside of every scope it is as it was made
        one, other = reused(first=same, second=second)
        assert other.layer is one.layer
    message = r"Lambda 's/f': .*was made in a slim.arg_scope with other stride, weights_regularizer"
    with pytest.raises(NameMismatch, match=message):
        reused(first=same, second={"weights_regularizer": slim.l2_regularizer(0.2)})
    message = r"was made outside of the slim.arg_scope with other stride. Give it another name"
    with pytest.raises(NameMismatch, match=message):
        reused(first={}, second={"stride": 2})


def test_in_a_graph_of_tensorflow_1_another_scope_of_arguments_shares_the_variables():
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session, tl.layers.isolated():
        x = InputLayer(v1.placeholder(tf.float32, [None, 8, 8, 1]))
        nets = []
        for reuse, act in ((None, None), (True, tf.nn.relu), (True, tf.abs)):
            with (
                v1.variable_scope("m", reuse=reuse),
                slim.arg_scope([slim.conv2d], activation_fn=act),
            ):
                nets.append(Lambda(x, lambda y: slim.conv2d(y, 2, [3, 3], scope="c"), name="f"))
        session.run(v1.global_variables_initializer())
        plain, relu, absolute = session.run(nets, {x: IMAGES})

        assert len(v1.trainable_variables()) == 2
    np.testing.assert_allclose(relu, np.maximum(plain, 0), atol=1e-6)
    np.testing.assert_allclose(absolute, np.abs(plain), atol=1e-6)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_on_two_replicas_statistics_move_alike_and_losses_are_each_ones_own():
    done = subprocess.run(
        [sys.executable, "-m", "tests.layers.slim_replicas"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=280,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr[-4000:]


def test_eagerly_it_runs_in_a_graph_and_shares_with_traces():
    graph = tf.compat.v1.get_default_graph()
    before = {key: list(graph.get_collection(key)) for key in graph.get_all_collection_keys()}
    net = SlimNetsLayer(InputLayer(tf.constant(IMAGES)), slim_layer=nets_slim.trunk, name="tower")
    declared = net.layer(Input([None, 8, 8, 1]))

    assert net.outputs.shape == (4, 64)
    assert len(net.all_params) == 8
    expected = net.layer(IMAGES, is_train=False)
    np.testing.assert_allclose(declared(IMAGES, is_train=False), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(net.layer(IMAGES[:1]), expected[:1], rtol=1e-4, atol=1e-5)
    for key in graph.get_all_collection_keys():
        assert [id(each) for each in graph.get_collection(key)] == list(
            map(id, before.get(key, []))
        )


@pytest.mark.parametrize(
    ("given", "got"),
    [
        (lambda x: [x, x, x], "list of SymbolicTensor, SymbolicTensor, SymbolicTensor"),
        (lambda x: (x, [x]), "tuple of SymbolicTensor, list"),
        (lambda x: None, "a NoneType"),
        (lambda x: {"net": x}, "a dict"),
    ],
)
def test_another_result_is_refused(given, got):
    message = rf"SlimNetsLayer 's': slim_layer has to return a tensor, or \(net, .* got {got}"
    with pytest.raises(InvalidArgument, match=message):
        SlimNetsLayer(Input([None, 3]), slim_layer=given, name="s")


def test_variables_have_to_be_called_after_the_layer():
    def other(x):
        return slim.fully_connected(x, 2, scope="InceptionV3/fc")

    message = r"no variables under this name, but 2 under \[.InceptionV3.\]. Call it name=.Incep"
    with pytest.raises(InvalidArgument, match=message):
        SlimNetsLayer(Input([None, 3]), slim_layer=other, name="tfslim_layer")
    with pytest.raises(InvalidArgument, match=r"but 0 under no name. Use tl.layers.Lambda for it"):
        SlimNetsLayer(Input([None, 4, 4, 3]), slim_layer=slim.flatten, name="flat")
    with pytest.raises(InvalidArgument, match="SlimNetsLayer: slim_layer must be callable, got 3"):
        SlimNetsLayer(Input([None, 3]), slim_layer=3, name="s")


def test_threads_have_scopes_of_their_own():
    Lambda(Input([None, 3]), norm_only)  # TF-Slim is repaired by now
    entered, left, found = threading.Event(), threading.Event(), []

    def other():
        entered.wait(10)
        found.append(dict(slim.current_arg_scope()))
        left.set()

    thread = threading.Thread(target=other)
    thread.start()
    with slim.arg_scope([slim.conv2d], stride=2):
        entered.set()
        left.wait(10)
        found.append(dict(slim.current_arg_scope()))
    thread.join()

    assert found[0] == {}
    assert list(found[1].values()) == [{"stride": 2}]


def test_tensors_are_compared_as_tensorflow_2_does():
    """TensorFlow's own comparison is left alone, also while a net is traced."""
    seen = []

    def looking(x):
        net = slim.conv2d(x, 2, [3, 3], scope="tower/c")
        seen.append(tf.is_tensor(net == net))
        return net

    SlimNetsLayer(Input([None, 8, 8, 1]), slim_layer=looking, name="tower")

    assert seen
    assert all(seen)


def test_a_program_without_tf_slim_does_not_load_it():
    code = (
        "import sys, tensorflow as tf, tensorlayer as tl\n"
        "net = tl.layers.Lambda(tl.layers.Input([None, 2]), lambda x: 2 * x)\n"
        "net(tf.ones([1, 2]))\n"
        "assert not {'tf_slim', 'tflearn', 'tf_keras'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_a_function_that_imports_tf_slim_only_while_it_runs_follows_the_mode():
    code = (
        "import functools, numpy as np, tensorflow as tf, tensorlayer as tl\n"
        "def dropped(x, keep):\n"
        "    from tf_slim import layers\n"
        "    return layers.dropout(x, keep)\n"
        "def calls(x): return dropped(x, 0.5)\n"
        "def made(fn): return tl.layers.Lambda(tl.layers.Input([None, 99]), fn)\n"
        "try: made(calls)\n"  # it would train in inference as well
        "except tl.errors.InvalidArgument as error: print(error)\n"
    )
    works = (
        "net, x = made(functools.partial(dropped, keep=0.5)), np.ones([4, 99], 'float32')\n"
        "assert (net(x, is_train=False).numpy() == x).all()\n"
        "assert (net(x, is_train=True).numpy() != x).any()\n"
    )
    refused, done = (
        subprocess.run([sys.executable, "-c", each], capture_output=True, text=True, check=False)
        for each in (code, code.replace("try: made(calls)", "try: pass") + works)
    )

    assert done.returncode == 0, done.stderr
    assert refused.returncode == 0, refused.stderr
    assert "calls what imports tf_slim, too late to be told the mode." in refused.stdout


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("name", "end_point"),
    [
        ("vgg_16", "vgg_16/conv5/conv5_3"),
        ("InceptionV3", "Mixed_5d"),
        ("resnet_v1_50", "resnet_v1_50/block4"),
        ("resnet_v2_50", "resnet_v2_50/block4"),
    ],
)
def test_whole_nets_train_are_kept_and_compute_as_in_a_graph_of_tensorflow_1(
    name, end_point, tmp_path
):
    function, side = nets_slim_whole.NETS[name]
    shape = (1 if side > 200 else 2, side, side, 3)
    images = np.random.default_rng(0).normal(size=shape).astype("float32")

    model = assert_adopted("nets_slim_whole", images, tmp_path, n_statistics=None, given=[name])

    expected, names = in_session(function, model.to_arrays(), images)
    assert {each.name[:-2] for each in model.trainable_weights} == names
    np.testing.assert_allclose(model(images, is_train=False), expected, rtol=1e-2, atol=1e-3)
    (net,) = model.outputs.parents
    assert end_point in net.end_points


def in_session(function, parameters, images):
    """Return what the net gives with these values in TensorFlow 1, and what it would train."""
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        fed = v1.placeholder(tf.float32, [None, *images.shape[1:]])
        outputs, _ = function(fed, is_training=False)
        every = {each.op.name: each for each in v1.global_variables()}
        assert every.keys() == parameters.keys()
        for name, variable in every.items():
            variable.load(parameters[name], session)
        found = session.run(outputs, {fed: images})
        return found.reshape(len(images), -1), {each.op.name for each in v1.trainable_variables()}
