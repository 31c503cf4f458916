"""Training, testing and prediction in a session."""

from __future__ import annotations

import threading

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

    def __init__(self, batch=None, keep=0.9, prefix=""):
        self.x, self.y_ = v1.placeholder("float32", [batch, 2]), v1.placeholder("int64", [batch])
        net = tl.layers.InputLayer(self.x, name=f"{prefix}in")
        net = tl.layers.DenseLayer(net, 16, act=tf.nn.relu, name=f"{prefix}d")
        net = tl.layers.DropoutLayer(net, keep=keep, name=f"{prefix}drop")
        self.net = tl.layers.DenseLayer(net, 2, name=f"{prefix}logits")
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


# -- placeholders of one size


def test_without_a_batch_size_they_get_theirs(sess):
    s = started(sess, batch=25)
    expected = s.outputs(sess, X)

    found = tl.utils.predict(sess, s.net, X, s.x, s.net.outputs)
    acc = tl.utils.test(sess, s.net, s.acc, X, Y, s.x, s.y_, batch_size=None)

    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert acc == pytest.approx(np.mean(expected[:100].argmax(1) == Y[:100]))


def test_another_batch_size_is_refused(sess):
    s = started(sess, batch=25)
    message = r"the placeholders take batches of 25 only, and batch_size is 10\. Give batch_size=25"

    with pytest.raises(InvalidArgument, match=f"fit: {message}"):
        tl.utils.fit(sess, s.net, s.train_op, s.cost, X, Y, s.x, s.y_, batch_size=10)
    with pytest.raises(InvalidArgument, match=f"test: {message}"):
        tl.utils.test(sess, s.net, s.acc, X, Y, s.x, s.y_, 10)
    with pytest.raises(InvalidArgument, match=f"predict: {message}"):
        tl.utils.predict(sess, s.net, X, s.x, s.net.outputs, 10)


def test_too_few_samples_are_refused_before_training(sess):
    s = started(sess, batch=25)
    before = sess.run(s.net.all_params)

    with pytest.raises(
        InvalidArgument, match=r"fit: there are 7 samples to be measured, and the pl"
    ):
        tl.utils.fit(
            sess, s.net, s.train_op, s.cost, X, Y, s.x, s.y_, batch_size=25, X_val=X[:7],
            y_val=Y[:7],
        )  # fmt: skip
    with pytest.raises(InvalidArgument, match=r"test: there are 7 samples .* batches of 25 only"):
        tl.utils.test(sess, s.net, s.acc, X[:7], Y[:7], s.x, s.y_)
    assert all(map(np.array_equal, before, sess.run(s.net.all_params)))
    few = tl.utils.predict(sess, s.net, X[:7], s.x, s.net.outputs)
    np.testing.assert_allclose(few, s.outputs(sess, X[:7]), rtol=1e-4, atol=1e-5)


def test_samples_and_targets_of_other_lengths_are_refused(sess):
    s = started(sess, batch=25)

    with pytest.raises(InvalidArgument, match="same length and not empty, got 103 and 102"):
        tl.utils.test(sess, s.net, s.acc, X, Y[:-1], s.x, s.y_)


# -- what predict returns


def rows(sess, batch):
    """Return a placeholder of sequences, and a network with a row for each step."""
    x = v1.placeholder("float32", [batch, 3, 2])
    net = tl.layers.ReshapeLayer(tl.layers.InputLayer(x, name="in"), [-1, 2], name="rows")
    return x, net


@pytest.mark.parametrize(("batch", "batch_size"), [(None, None), (None, 2), (2, None), (5, 5)])
def test_several_rows_for_a_sample_all_come_back(sess, batch, batch_size):
    x, net = rows(sess, batch)
    values = np.arange(30, dtype="float32").reshape(5, 3, 2)

    found = tl.utils.predict(sess, net, values, x, net.outputs, batch_size)

    np.testing.assert_array_equal(found, values.reshape(-1, 2))


def test_one_value_for_a_batch(sess):
    s = started(sess)
    mean = tf.reduce_mean(s.net.outputs)

    found = tl.utils.predict(sess, s.net, X, s.x, mean)

    assert found == pytest.approx(s.outputs(sess, X).mean(), rel=1e-4, abs=1e-5)
    with pytest.raises(InvalidArgument, match=r"predict: y_op is one value for a whole batch"):
        tl.utils.predict(sess, s.net, X, s.x, mean, 50)
    fixed = started(sess, batch=10, prefix="fixed/")
    with pytest.raises(
        InvalidArgument,
        match=r"last batch has 3 samples of the 10 .* y_op is of shape \(\): .*multiple of 10",
    ):
        tl.utils.predict(sess, fixed.net, X, fixed.x, tf.reduce_mean(fixed.net.outputs))


def test_several_tensors_at_once(sess):
    s = started(sess)
    expected = s.outputs(sess, X)
    wanted = {"logits": s.net.outputs, "best": tf.argmax(s.net.outputs, 1)}

    found = tl.utils.predict(sess, s.net, X, s.x, wanted, 40)

    np.testing.assert_allclose(found["logits"], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(found["best"], expected.argmax(1))


# -- what is given


def test_arguments_by_position_are_those_of_1_11(sess, capsys):
    s = started(sess)

    epochs = tl.utils.fit(
        sess, s.net, s.train_op, s.cost, X, Y, s.x, s.y_, s.acc, 20, 3, 2, X[:50], Y[:50], False
    )

    assert [each.n_steps for each in epochs] == [5] * 3
    assert set(epochs[0].metrics) == {"loss", "acc"}
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("epoch")]
    assert [line.split()[1] for line in lines] == ["1", "2"]
    assert all("val acc" in line for line in lines)


def test_a_session_that_was_forgotten_is_missed(sess):
    s = started(sess)
    arguments = (s.net, s.train_op, s.cost, X, Y, s.x, s.y_)
    message = r"values of a TensorFlow 1 graph are in a session\. Give sess=.*got None"

    with pytest.raises(InvalidArgument, match=f"fit: {message}"):
        tl.utils.fit(None, *arguments)
    with pytest.raises(InvalidArgument, match=f"predict: {message}"):
        tl.utils.predict(sess=None, network=s.net, X=X, x=s.x, y_op=s.net.outputs)
    with pytest.raises(InvalidArgument, match=f"test: {message}"):
        tl.utils.test(None, s.net, s.acc, X, Y, s.x, s.y_)


def test_a_placeholder_that_was_forgotten_is_missed(sess):
    s = started(sess)

    with pytest.raises(
        InvalidArgument,
        match=r"^test: missing a required argument: 'y_'\. With a session it takes \(sess, net"
        r"work, acc, X_test, y_test, x, y_, batch_size=None, cost=None\)",
    ):
        tl.utils.test(sess, s.net, s.acc, X, Y, s.x)


def test_what_is_of_today_is_refused(sess):
    s = started(sess)

    with pytest.raises(
        InvalidArgument, match=r"fit: with a session, cost and acc are scalar tenso"
    ):
        tl.utils.fit(sess, s.net, s.train_op, tl.cost.cross_entropy, X, Y, s.x, s.y_)
    with pytest.raises(
        InvalidArgument, match=r"test: .*scalar tensors .* for acc\. Take tf\.reduce_"
    ):
        tl.utils.test(sess, s.net, s.net.outputs, X, Y, s.x, s.y_)
    optimizer = v1.train.AdamOptimizer()
    with pytest.raises(
        InvalidArgument, match=r"fit: with a session train_op is an operation, got "
    ):
        tl.utils.fit(sess, s.net, optimizer, s.cost, X, Y, s.x, s.y_)


def test_lists_are_arrays(sess):
    s = started(sess)

    (epoch,) = tl.utils.fit(
        sess, s.net, s.train_op, s.cost, X.tolist(), Y.tolist(), s.x, s.y_, n_epoch=1, print_freq=0
    )

    assert epoch.n_steps == 1
    acc = tl.utils.test(sess, s.net, s.acc, X.tolist(), Y.tolist(), s.x, s.y_, 10)
    assert acc == pytest.approx(tl.utils.test(sess, s.net, s.acc, X, Y, s.x, s.y_))


# -- TensorBoard


def test_files_for_tensorboard_are_closed(sess, tmp_path):
    s = started(sess)
    threads = set(threading.enumerate())
    arguments = (sess, s.net, s.train_op, s.cost, X, Y, s.x, s.y_)

    tl.utils.fit(*arguments, n_epoch=2, print_freq=0, tensorboard_dir=tmp_path)
    late = Script(prefix="late/")
    with pytest.raises(InvalidArgument, match="variables have no value"):
        tl.utils.fit(
            sess, late.net, late.train_op, late.cost, X, Y, late.x, late.y_, n_epoch=2,
            tensorboard_dir=tmp_path / "late",
        )  # fmt: skip

    assert not [each for each in threading.enumerate() if each not in threads]
    assert len(list(tmp_path.rglob("events*"))) == 2
    with pytest.raises(InvalidArgument, match=r"tensorboard_epoch_freq .* at least 1, got 0"):
        tl.utils.fit(*arguments, tensorboard_dir=tmp_path, tensorboard_epoch_freq=0)


def test_a_finalized_graph_gets_no_histograms(sess, tmp_path):
    s = started(sess)
    arguments = (sess, s.net, s.train_op, s.cost, X, Y, s.x, s.y_)
    sess.graph.finalize()

    with pytest.raises(InvalidArgument, match=r"is finalized\. Give tensorboard_weight_histogr"):
        tl.utils.fit(*arguments, n_epoch=1, print_freq=0, tensorboard_dir=tmp_path)
    assert list(tmp_path.iterdir()) == []
    tl.utils.fit(
        *arguments,
        n_epoch=1,
        print_freq=0,
        tensorboard_dir=tmp_path,
        tensorboard_weight_histograms=False,
    )
    assert len(list(tmp_path.iterdir())) == 1
