"""Training, testing and prediction in a session."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument

v1 = tf.compat.v1
RNG = np.random.default_rng(0)
X = RNG.normal(size=(103, 2)).astype("float32")
Y = (X[:, 0] > X[:, 1]).astype("int64")


class Script:
    """What a script has at hand."""

    def __init__(self, batch=None, keep=0.9):
        self.x, self.y_ = v1.placeholder("float32", [batch, 2]), v1.placeholder("int64", [batch])
        net = tl.layers.InputLayer(self.x, name="in")
        net = tl.layers.DenseLayer(net, 16, act=tf.nn.relu, name="d")
        net = tl.layers.DropoutLayer(net, keep=keep, name="drop")
        self.net = tl.layers.DenseLayer(net, 2, name="logits")
        self.cost = tl.cost.cross_entropy(self.net.outputs, self.y_, "cost")
        right = tf.equal(tf.argmax(self.net.outputs, 1), self.y_)
        self.acc = tf.reduce_mean(tf.cast(right, tf.float32))
        self.train_op = v1.train.AdamOptimizer(0.03).minimize(self.cost)

    def outputs(self, sess, values):
        """Return what NumPy computes, with every unit kept."""
        W, b, V, c = sess.run(self.net.all_params)
        return np.maximum(values @ W + b, 0) @ V + c


@pytest.fixture
def sess():
    with tf.Graph().as_default(), v1.Session() as session, tl.layers.isolated():
        yield session


def started(sess, **options):
    script = Script(**options)
    tl.layers.initialize_global_variables(sess)
    return script


def test_fit_trains_and_shows_lines(sess, capsys):
    s = started(sess)

    epochs = tl.utils.fit(
        sess, s.net, s.train_op, s.cost, X, Y, s.x, s.y_, acc=s.acc, batch_size=10, n_epoch=20,
        print_freq=10, X_val=X[:50], y_val=Y[:50],
    )  # fmt: skip

    assert [each.n_steps for each in epochs] == [10] * 20
    assert epochs[-1].metrics["loss"] < 0.5 * epochs[0].metrics["loss"]
    assert epochs[-1].metrics["acc"] > 0.9
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("epoch")]
    assert [line.split()[1] for line in lines] == ["1", "10", "20"]
    right = np.mean(s.outputs(sess, X[:50]).argmax(1) == Y[:50])
    assert f"val acc {right:.6g}" in lines[-1]  # measured with every unit kept
    assert "train loss" in lines[-1]


def test_fit_feeds_dropout(sess):
    s = started(sess, keep=0.5)
    fed = []

    class Watching:
        """The session, and what it was fed with."""

        graph = sess.graph

        def run(self, fetches, feed_dict=None):
            fed.append(feed_dict[next(iter(s.net.all_drop))])
            return sess.run(fetches, feed_dict)

    tl.utils.fit(
        Watching(), s.net, s.train_op, s.cost, X, Y, s.x, s.y_, batch_size=50, n_epoch=1,
        eval_train=True,
    )  # fmt: skip

    assert fed == [0.5, 0.5, 1, 1, 1]


def test_the_last_shorter_batch_is_dropped_and_the_order_follows_numpy(sess):
    s = started(sess, keep=1.0)
    start = sess.run(s.net.all_params)
    losses = []
    for seed in (1, 1, 2):
        tl.files.assign_params(sess, start, s.net)
        sess.run(
            [v.initializer for v in v1.global_variables() if "Adam" in v.name or "beta" in v.name]
        )
        np.random.seed(seed)
        (epoch,) = tl.utils.fit(
            sess, s.net, s.train_op, s.cost, X, Y, s.x, s.y_, batch_size=60, n_epoch=1, print_freq=0
        )
        losses.append(epoch.metrics["loss"])

    assert losses[0] == pytest.approx(losses[1])
    assert losses[0] != pytest.approx(losses[2])


def test_fit_writes_for_tensorboard(tmp_path):
    with tf.Graph().as_default(), v1.Session() as sess:
        s = started(sess)
        tl.utils.fit(
            sess, s.net, s.train_op, s.cost, X, Y, s.x, s.y_, n_epoch=5, print_freq=0,
            tensorboard_dir=tmp_path, tensorboard_epoch_freq=3,
        )  # fmt: skip

    tags, graphs = set(), []
    for path in tmp_path.glob("events*"):
        for record in tf.data.TFRecordDataset(str(path)):
            event = v1.Event.FromString(record.numpy())
            tags |= {(event.step, value.tag) for value in event.summary.value}
            graphs += [event.graph_def] if event.graph_def else []
    assert {(1, "loss"), (3, "loss"), (3, "logits/weights")} <= tags
    assert {step for step, _ in tags} == {1, 3}
    names = {node.name for node in v1.GraphDef.FromString(graphs[0]).node}
    assert any(name.startswith("logits/") for name in names)


@pytest.mark.parametrize("batch_size", [None, 1, 50, 103, 1000])
def test_test_and_predict_cover_every_sample(sess, batch_size):
    s = started(sess)
    expected = s.outputs(sess, X)

    found = tl.utils.predict(sess, s.net, X, s.x, s.net.outputs, batch_size)
    acc, cost = tl.utils.test(sess, s.net, s.acc, X, Y, s.x, s.y_, batch_size, cost=s.cost)

    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert acc == pytest.approx(np.mean(expected.argmax(1) == Y))
    logs = expected - np.log(np.exp(expected).sum(1, keepdims=True))
    assert cost == pytest.approx(-logs[np.arange(len(Y)), Y].mean(), rel=1e-3)
    assert tl.utils.test(
        sess=sess, network=s.net, acc=s.acc, X_test=X, y_test=Y, x=s.x, y_=s.y_
    ) == pytest.approx(acc)


def test_placeholders_of_one_size_take_full_batches(sess):
    s = started(sess, batch=25)
    expected = s.outputs(sess, X)

    found = tl.utils.predict(sess, s.net, X, s.x, s.net.outputs, 25)
    acc = tl.utils.test(sess, s.net, s.acc, X, Y, s.x, s.y_, 25)
    (epoch,) = tl.utils.fit(
        sess, s.net, s.train_op, s.cost, X, Y, s.x, s.y_, batch_size=25, n_epoch=1
    )

    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert acc == pytest.approx(np.mean(expected[:100].argmax(1) == Y[:100]))
    assert epoch.n_steps == 4


def test_what_is_forgotten_is_said(sess):
    s = Script()
    arguments = (s.net, s.train_op, s.cost, X, Y, s.x, s.y_)

    with pytest.raises(InvalidArgument, match=r"fit: variables have no value.*'d/weights'"):
        tl.utils.fit(sess, *arguments)
    with pytest.raises(InvalidArgument, match="predict: variables have no value"):
        tl.utils.predict(sess, s.net, X, s.x, s.net.outputs)
    tl.layers.initialize_global_variables(sess)
    with v1.Session(graph=tf.Graph()) as other:
        with pytest.raises(InvalidArgument, match="fit: the session is of another graph"):
            tl.utils.fit(other, *arguments)
        with pytest.raises(InvalidArgument, match="predict: the session is of another graph"):
            tl.utils.predict(other, s.net, X, s.x, s.net.outputs)
    with pytest.raises(InvalidArgument, match=r"test: after the session comes a network, got <t"):
        tl.utils.test(sess, s.cost, s.acc, X, Y, s.x, s.y_)
    with pytest.raises(InvalidArgument, match="fewer than the batch_size 200"):
        tl.utils.fit(sess, *arguments, batch_size=200)
    with pytest.raises(InvalidArgument, match="fit: y_val is missing"):
        tl.utils.fit(sess, *arguments, X_val=X)
    with pytest.raises(
        InvalidArgument, match="predict: batch_size must be positive and X not empty"
    ):
        tl.utils.predict(sess, s.net, X[:0], s.x, s.net.outputs)


def test_a_network_of_today_needs_no_session(sess):
    with tf.init_scope():
        net = tl.layers.Dense(tl.layers.Input([None, 2]), 2, name="today")
    s = started(sess)

    with pytest.raises(InvalidArgument, match=r"predict: .* the network is in no graph of TensorF"):
        tl.utils.predict(sess, net, X, s.x, s.net.outputs)
