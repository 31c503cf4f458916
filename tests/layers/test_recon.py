from __future__ import annotations

import logging

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import (
    Concat,
    Dense,
    Dropout,
    Input,
    InputLayer,
    ReconLayer,
    initialize_global_variables,
    isolated,
)
from tensorlayer.models import Model

X = np.random.default_rng(0).uniform(size=(64, 12)).astype("float32")


def autoencoder(act="sigmoid", keep=0.5, cls=ReconLayer):
    x = Input([None, 12], name="x")
    noisy = Dropout(x, keep=keep, name="denoising")
    hidden = Dense(noisy, n_units=6, act=act, name="hidden")
    return hidden, cls(hidden, x_recon=x, n_units=12, act=act, name="recon")


def numpy_parts(recon):
    """Return hidden activations, reconstruction and weights, in 64 bits."""
    v, b, w, c = (each.numpy().astype("float64") for each in recon.all_params)
    return v, b, w, c


def softplus(x):
    return np.logaddexp(0, x)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("act", ["softplus", "sigmoid"])
def test_the_cost_is_error_decay_and_sparsity(act):
    _, recon = autoencoder(act)
    for variable in recon.all_params:
        variable.assign(np.random.default_rng(1).normal(size=variable.shape))
    v, b, w, c = numpy_parts(recon)
    fn = {"softplus": softplus, "sigmoid": sigmoid}[act]
    h = fn(X @ v + b)
    y = fn(h @ w + c)

    expected = ((y - X) ** 2).sum(1).mean() + 0.004 / 2 * ((v**2).sum() + (w**2).sum())
    if act == "softplus":
        expected += 0.001 * h.mean()
    else:
        m = h.mean(0)
        expected += 4 * (0.15 * np.log(0.15 / m) + 0.85 * np.log(0.85 / (1 - m))).sum()

    assert recon.cost(X).numpy().item() == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(recon(X, is_train=False), y, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("bias", [-1e4, 1e4])
def test_a_unit_that_is_always_off_or_on_costs_much_but_no_infinity(bias):
    _, recon = autoencoder()
    usual = recon.cost(X).numpy()
    recon.parameters["hidden/biases"].assign(np.full(6, bias))

    assert usual < recon.cost(X).numpy() < 1000


def test_pre_training_trains_this_layer_and_the_one_before_only():
    x = Input([None, 12], name="x")
    first = Dense(x, n_units=8, act="sigmoid", name="first")
    hidden = Dropout(Dense(first, n_units=6, act="sigmoid", name="hidden"), keep=0.5)
    recon = ReconLayer(hidden, x_recon=first, n_units=8, act="sigmoid", name="recon")
    before = {name: variable.numpy() for name, variable in recon.parameters.items()}

    costs = recon.pretrain(X, n_epoch=20, batch_size=16)

    changed = {n for n, v in recon.parameters.items() if not np.array_equal(v, before[n])}
    assert changed == {"hidden/weights", "hidden/biases", "recon/weights", "recon/biases"}
    assert [id(v) for v in recon.train_params()] == [
        id(recon.parameters[name]) for name in sorted(changed, key=list(before).index)
    ]
    assert costs == sorted(costs, reverse=True)
    assert len(costs) == 20


def test_it_goes_where_the_gradient_of_the_cost_points():
    _, recon = autoencoder("softplus", keep=1.0)
    before = [variable.numpy() for variable in recon.all_params]
    with tf.GradientTape() as tape:
        cost = recon.cost(X)
    gradients = tape.gradient(cost, recon.all_params)

    (first,) = recon.pretrain(X, n_epoch=1, batch_size=64)

    assert first == pytest.approx(cost.numpy(), rel=1e-5)
    for old, variable, gradient in zip(before, recon.all_params, gradients, strict=True):
        step = variable.numpy() - old  # the first of Adam has the size of its learning rate
        np.testing.assert_allclose(step, -1e-4 * np.sign(gradient), rtol=0.05, atol=1e-7)


def test_only_the_layer_that_is_told_makes_noise():
    x = Input([None, 12], name="x")
    hidden = Dense(Dropout(x, keep=0.5, name="denoising"), 6, act="sigmoid", name="hidden")
    dropped = Dropout(hidden, keep=0.5, name="other")
    recon = ReconLayer(dropped, x_recon=x, n_units=12, act="sigmoid", name="recon")

    assert recon.cost(X).numpy() == recon.cost(X).numpy()
    noisy = {recon.cost(X, "denoising").numpy().item() for _ in range(4)}
    assert len(noisy) == 4
    assert recon.cost(X, denoise_name="hidden").numpy() == recon.cost(X).numpy()


def test_the_costs_are_logged(caplog):
    _, recon = autoencoder()
    with caplog.at_level(logging.INFO, "tensorlayer"):
        costs = recon.pretrain(X, X_val=X[:8], denoise_name="denoising", n_epoch=4, print_freq=2)

    texts = [record.getMessage() for record in caplog.records]
    assert [text.partition(":")[0] for text in texts] == [
        "recon, epoch 2", "recon, epoch 2", "recon, epoch 4", "recon, epoch 4",
    ]  # fmt: skip
    assert texts[0].endswith(f"cost {costs[1]:.6f}")
    assert f"validation cost {recon.cost(X[:8]).numpy():.6f}" in texts[-1]


def test_a_subclass_has_another_cost():
    class Sparser(ReconLayer):
        kl = 40.0

    _, plain = autoencoder()
    _, sparser = autoencoder(cls=Sparser)
    for mine, other in zip(sparser.all_params, plain.all_params, strict=True):
        mine.assign(other)

    assert sparser.cost(X) > plain.cost(X)


def test_arrays_of_other_types_and_dictionaries():
    _, recon = autoencoder()

    assert len(recon.pretrain({"x": X.astype("float64")}, n_epoch=1, batch_size=48)) == 1


def test_a_model_of_it_computes_as_a_dense_layer():
    hidden, recon = autoencoder()
    x = recon.input_nodes[0]
    model = Model(x, [hidden, recon])

    np.testing.assert_allclose(model(X, is_train=False)[1], recon(X, is_train=False))
    again = Model.from_config(model.config)
    assert again.structure_digest == model.structure_digest


def test_what_it_needs_is_named():
    x = Input([None, 12], name="x")
    with pytest.raises(InvalidArgument, match=r"act is tf\.nn\.softplus or .*sigmoid, got 'relu'"):
        ReconLayer(x, x_recon=x, act="relu")
    with pytest.raises(InvalidArgument, match=r"x_recon is a network.*got 3"):
        ReconLayer(x, x_recon=3)
    with pytest.raises(InvalidArgument, match="the cost needs x_recon"):
        ReconLayer(x, n_units=12).cost(X)
    _, recon = autoencoder()
    with pytest.raises(InvalidArgument, match=r"one of 'denoising', 'hidden', 'recon'; got 'no'"):
        recon.cost(X, "no")
    with pytest.raises(AttributeError, match="no attribute 'pretrain'"):
        Dense(x, 3).pretrain(X)


def test_several_inputs():
    x, extra = Input([None, 12], name="x"), Input([None, 2], name="extra")
    hidden = Dense(Concat([x, extra]), n_units=6, act="sigmoid", name="hidden")
    recon = ReconLayer(hidden, x_recon=x, n_units=12, act="sigmoid", name="recon")

    cost = recon.cost([X, X[:, :2]])

    assert recon.pretrain({"x": X, "extra": X[:, :2]}, n_epoch=1, batch_size=64) == [
        pytest.approx(cost.numpy(), rel=1e-5)
    ]


@pytest.mark.parametrize("print_freq", [0, None])
def test_nothing_is_logged_with_a_frequency_of_zero(caplog, print_freq):
    _, recon = autoencoder()
    with caplog.at_level(logging.INFO, "tensorlayer"):
        costs = recon.pretrain(X, X_val=X[:8], n_epoch=2, print_freq=print_freq)

    assert len(costs) == 2
    assert not caplog.records


@pytest.mark.parametrize(("batch", "logged"), [(None, 0), (10, 2)])
def test_pre_training_in_a_session(caplog, batch, logged):
    with tf.Graph().as_default(), tf.compat.v1.Session() as sess, isolated():
        x = tf.compat.v1.placeholder("float32", [batch, 12], name="x")
        net = InputLayer(x, name="x")
        hidden = Dense(net, n_units=6, act="sigmoid", name="hidden")
        recon = ReconLayer(hidden, x_recon=net, n_units=12, act="sigmoid", name="recon")
        initialize_global_variables(sess)
        with caplog.at_level(logging.INFO, "tensorlayer"):
            costs = recon.pretrain(
                sess, x=x, X_train=X, X_val=X[:25], n_epoch=8, batch_size=24, print_freq=logged
            )
        assert costs[-1] < costs[0]
        assert len(caplog.records) == (8 if logged else 0)
        if batch is not None:
            with pytest.raises(InvalidArgument, match=r"there are 7 examples, .* batches of 10"):
                recon.pretrain(sess, x=x, X_train=X[:7], n_epoch=1)
