from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument

RNG = np.random.default_rng(0)
X = RNG.normal(size=(103, 2)).astype("float32")
Y = (X[:, 0] > X[:, 1]).astype("int64")


def network():
    return tl.layers.Dense(tl.layers.Input([None, 2], name="x"), 2, name="logits")


def accuracy(output, target):
    return tf.reduce_mean(tf.cast(tf.argmax(output, 1) == target, tf.float32))


@pytest.mark.parametrize("as_model", [False, True])
def test_fit_trains_and_shows_lines(capsys, as_model):
    net = network()
    if as_model:
        net = tl.models.Model(net.input_nodes, net)

    epochs = tl.utils.fit(
        net, tf.optimizers.Adam(0.05), tl.cost.cross_entropy, X, Y, acc=accuracy, batch_size=10,
        n_epoch=10, print_freq=5, X_val=X[:50], y_val=Y[:50],
    )  # fmt: skip

    assert epochs[-1].metrics["acc"] > 0.95
    assert [e.n_steps for e in epochs] == [10] * 10
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("epoch")]
    assert [line.split()[1] for line in lines] == ["1", "5", "10"]
    assert all("train loss" in line and "val acc" in line for line in lines)


def test_fit_writes_for_tensorboard(tmp_path):
    tl.utils.fit(
        network(), tf.optimizers.SGD(0.1), tl.cost.cross_entropy, X, Y, n_epoch=5,
        tensorboard_dir=tmp_path, tensorboard_epoch_freq=3,
    )  # fmt: skip

    tags, graphs = set(), []
    for path in tmp_path.glob("events*"):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            tags |= {(event.step, value.tag) for value in event.summary.value}
            graphs += [event.graph_def] if event.graph_def else []
    assert {(1, "loss"), (3, "loss"), (3, "logits/weights")} <= tags
    assert {step for step, tag in tags if tag == "loss"} == {1, 3}  # the first, and every third
    names = {node.name for node in tf.compat.v1.GraphDef.FromString(graphs[0]).node}
    assert "logits/MatMul" in names


def test_test_is_the_mean_over_all_samples_in_inference_mode():
    net = tl.layers.Dropout(network(), keep=0.5)
    expected = np.mean(np.argmax(net(X, is_train=False), 1) == Y)

    assert tl.utils.test(net, accuracy, X, Y, batch_size=10) == pytest.approx(expected)
    acc, cost = tl.utils.test(net, accuracy, X, Y, batch_size=None, cost=tl.cost.cross_entropy)
    assert acc == pytest.approx(expected)
    assert cost == pytest.approx(float(tl.cost.cross_entropy(net(X, is_train=False), Y)), rel=1e-5)


@pytest.mark.parametrize("batch_size", [None, 1, 50, 103, 1000])
def test_predict_covers_every_sample_with_any_batch_size(batch_size):
    net = network()

    np.testing.assert_allclose(
        tl.utils.predict(net, X, batch_size), net(X, is_train=False), rtol=1e-5, atol=1e-6
    )


def test_errors():
    optimizer = tf.optimizers.SGD(0.1)
    with pytest.raises(
        InvalidArgument, match="are 103 samples, fewer than the batch_size 200: not one"
    ):
        tl.utils.fit(network(), optimizer, tl.cost.cross_entropy, X, Y, batch_size=200)
    with pytest.raises(InvalidArgument, match="same length and not empty, got 103 and 50"):
        tl.utils.fit(network(), optimizer, tl.cost.cross_entropy, X, Y[:50])
    with pytest.raises(InvalidArgument, match="not empty, got 0"):
        tl.utils.predict(network(), X[:0])
    with pytest.raises(InvalidArgument, match=r"batch_size must be positive .*, got -1"):
        tl.utils.predict(network(), X, batch_size=-1)
    with pytest.raises(InvalidArgument, match="fit: y_val is missing"):
        tl.utils.fit(network(), optimizer, tl.cost.cross_entropy, X, Y, X_val=X)
    with pytest.raises(InvalidArgument, match="fit: X_val is missing"):
        tl.utils.fit(network(), optimizer, tl.cost.cross_entropy, X, Y, y_val=Y)


def test_no_lines_are_printed_with_a_frequency_of_zero(capsys):
    optimizer = tf.optimizers.SGD(0.1)
    tl.utils.fit(network(), optimizer, tl.cost.cross_entropy, X, Y, n_epoch=2, print_freq=0)
    assert "epoch 1 of" not in capsys.readouterr().out


def by_numpy(output, target):
    return np.mean(np.argmax(output, 1) == target.astype("int64"))


def by_conversion(output, target):
    right = tf.argmax(output, 1) == tf.convert_to_tensor(target, tf.int64)
    return tf.reduce_mean(tf.cast(right, tf.float32))


def converted(output, target):
    """Return a cost of targets that tensors of their type would not do for."""
    return tl.cost.cross_entropy(output, tf.convert_to_tensor(target, tf.int64))


@pytest.mark.parametrize("measure", [by_numpy, by_conversion])
def test_measures_of_arrays(measure):
    """Scripts of 2.x compute with NumPy, and convert targets to the type that they need."""
    y, kept = Y.astype(np.uint8), {"weights": None}
    results = []
    for each in (accuracy, measure):
        net = network()
        if kept["weights"] is None:
            kept["weights"] = [v.numpy() for v in net.all_params]
        for variable, value in zip(net.all_params, kept["weights"], strict=True):
            variable.assign(value)
        target = Y if each is accuracy else y
        [epoch] = tl.utils.fit(
            net, tf.optimizers.SGD(0.0), converted, X, target, acc=each, batch_size=103,
            n_epoch=1, X_val=X, y_val=target,
        )  # fmt: skip
        tested = tl.utils.test(net, each, X, target, batch_size=10)
        run = tl.utils.run_epoch(net, X, target, acc=each, batch_size=10)[1]
        results.append([epoch.metrics["acc"], tested, run])
    np.testing.assert_allclose(results[1], results[0], rtol=1e-6)


def test_a_cost_that_converts_its_target_is_descended():
    y, nets, losses = Y.astype(np.uint8), [network(), network()], []
    for variable, other in zip(nets[0].all_params, nets[1].all_params, strict=True):
        other.assign(variable)
    for net, cost, target in ((nets[0], converted, y), (nets[1], tl.cost.cross_entropy, Y)):
        optimizer = tf.optimizers.SGD(0.5)
        trained = [
            tl.utils.train_epoch(net, X, target, cost, optimizer, batch_size=10, shuffle=False)[0]
            for _ in range(3)
        ]
        losses.append([*trained, tl.utils.run_epoch(net, X, target, cost)[0]])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)
    assert losses[0][-1] < 0.7 * losses[0][0]


def test_a_cost_without_a_gradient_is_refused():
    """Else training would change nothing, in silence."""

    def cost(output, target):
        return np.mean((np.asarray(output)[:, 0] - target) ** 2)

    with pytest.raises((InvalidArgument, tf.errors.OpError), match="cost: it has no gradient"):
        tl.utils.fit(network(), tf.optimizers.SGD(0.1), cost, X, Y, n_epoch=1)


def test_a_mistake_in_a_measure_is_told():
    def mistaken(output, target):
        return output.missing

    with pytest.raises((AttributeError, tf.errors.OpError), match="missing"):
        tl.utils.fit(
            network(), tf.optimizers.SGD(0.1), tl.cost.cross_entropy, X, Y, mistaken, n_epoch=1
        )


def test_measuring_again_and_again_traces_nothing_anew(caplog):
    """Scripts measure after each epoch; TensorFlow warns of functions that are traced each time."""
    runs = []

    def noted(x):
        runs.append(tf.executing_eagerly())
        return 2 * x

    net = tl.layers.Lambda(network(), noted, name="noted")
    for _ in range(8):
        tl.utils.test(net, accuracy, X, Y, batch_size=20)
        tl.utils.run_epoch(net, X, Y, tl.cost.cross_entropy, batch_size=20)
    assert "retracing" not in caplog.text
    runs.clear()
    tl.utils.fit(net, tf.optimizers.SGD(0.1), tl.cost.cross_entropy, X, Y, n_epoch=12, print_freq=1)
    n_traces = len(runs)
    assert not any(runs), "all of it is traced"
    runs.clear()
    tl.utils.fit(net, tf.optimizers.SGD(0.1), tl.cost.cross_entropy, X, Y, n_epoch=3, print_freq=1)
    assert len(runs) == n_traces, "as often for 3 epochs as for 12"


@pytest.mark.parametrize("tell", ["train", "eval"])
def test_a_model_that_was_told_a_mode_is_trained_measured_and_asked(tell):
    x = tl.layers.Input([None, 2], name="x")
    model = tl.models.Model(x, tl.layers.Dense(x, 2, name="logits"), name="told")
    getattr(model, tell)()
    loss = tl.cost.cross_entropy

    epochs = tl.utils.fit(
        model, tf.optimizers.Adam(0.1), loss, X, Y, accuracy, 20, X_val=X, y_val=Y, n_epoch=3
    )

    assert epochs[-1].metrics["acc"] > 0.9
    assert tl.utils.test(model, accuracy, X, Y) > 0.9
    assert tl.utils.predict(model, X, batch_size=50).shape == (103, 2)
    assert tl.utils.run_epoch(model, X, Y, cost=loss, batch_size=20)[0] < 0.5
    assert model.is_train is (tell == "train")


def test_a_cost_may_add_what_regularizers_cost():
    def decayed(x):
        return x * tf.compat.v1.get_variable(
            "w", [3], initializer=tf.compat.v1.ones_initializer(), regularizer=tf.nn.l2_loss
        )

    net = tl.layers.Lambda(tl.layers.Input([None, 3]), decayed, name="f")
    X = np.zeros([8, 3], "float32")

    (epoch,) = tl.utils.fit(
        net,
        tf.optimizers.SGD(0.1),
        lambda y, target: tf.reduce_mean((y - target) ** 2) + tf.add_n(net.regularization_losses),
        X,
        X,
        batch_size=4,
        n_epoch=1,
        eval_train=True,
        print_freq=1,
    )

    np.testing.assert_allclose(net.all_params[0], 0.9**2 * np.ones(3), rtol=1e-6)
    np.testing.assert_allclose(epoch.metrics["loss"], 1.5 * (1 + 0.81) / 2, rtol=1e-5)


@pytest.mark.parametrize("how", ["weights", "losses"])
def test_a_cost_of_arrays_that_uses_weights_by_themselves_is_refused(how):
    """Only its gradient to the output is known: the others would be lost, in silence."""

    def decayed(x):
        return x * tf.compat.v1.get_variable("w", [3], regularizer=tf.nn.l2_loss)

    net = tl.layers.Lambda(tl.layers.Input([None, 3]), decayed, name="f")
    X = np.zeros([8, 3], "float32")
    net(X)

    def cost(output, target):
        decay = {
            "weights": lambda: tf.nn.l2_loss(net.all_params[0]),
            "losses": lambda: tf.add_n(net.regularization_losses),
        }[how]()
        return tf.reduce_mean((output - target.astype("float32")) ** 2) + decay

    message = {"weights": "cost: it uses .*w:0 besides the output", "losses": "not evaluated eager"}
    with pytest.raises((InvalidArgument, tf.errors.OpError), match=message[how]):
        tl.utils.fit(net, tf.optimizers.SGD(0.1), cost, X, X, batch_size=4, n_epoch=1)
