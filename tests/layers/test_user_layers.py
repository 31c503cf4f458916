"""Layers of a user's own in every place where the library's own layers work.

The layers are in ``user_layers.py``. What each computes is checked against NumPy.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.layers import Concat, Dense, Input, InputLayer, isolated, variable_scope
from tests.layers.user_layers import (
    GRU,
    Attention,
    Bilinear,
    Embedding,
    Own,
    Residual,
    SubpixelConv,
    WeightNorm,
)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gru_states(p, x, state=None):
    """Return the states after every step, ``(batch, steps, units)``."""
    W, U, b = p["kernel"], p["recurrent"], p["biases"]
    n = U.shape[0]
    h = np.zeros([len(x), n]) if state is None else state
    states = []
    for t in range(x.shape[1]):
        zr = sigmoid(x[:, t] @ W[:, : 2 * n] + b[: 2 * n] + h @ U[:, : 2 * n])
        z, r = zr[:, :n], zr[:, n:]
        new = np.tanh(x[:, t] @ W[:, 2 * n :] + b[2 * n :] + (r * h) @ U[:, 2 * n :])
        h = z * h + (1 - z) * new
        states.append(h)
    return np.stack(states, 1)


def subpixel(p, x):
    y = np.maximum(x @ p["filters"][0, 0], 0)
    n, h, w, c = y.shape
    out = np.zeros([n, 2 * h, 2 * w, c // 4])
    for i in range(2):
        for j in range(2):
            block = 2 * i + j
            out[:, i::2, j::2] = y[..., block * c // 4 : (block + 1) * c // 4]
    return out


def residual(p, x):
    def dense(name, act, values):
        return act(values @ p[f"{name}/weights"] + p[f"{name}/biases"])

    y = x
    for name in ("entry", "second", "more/0", "last"):
        y = dense(name, np.tanh, y)
    return x + dense("_gate", sigmoid, x) * y


def attention(p, queries, memory):
    scores = (queries @ p["queries"]) @ np.swapaxes(memory @ p["keys"], 1, 2)
    exp = np.exp(scores - scores.max(-1, keepdims=True))
    return exp / exp.sum(-1, keepdims=True) @ memory


def weight_norm(p, x):
    v = p["layer/weights"]
    return np.tanh(x @ (p["g"] * v / np.sqrt((v**2).sum(0))) + p["layer/biases"])


@dataclasses.dataclass(frozen=True)
class Case:
    """A layer of a user, and what it is to compute."""

    kind: type
    arguments: Callable[[], dict[str, Any]]  #: of the constructor, anew for each layer
    shapes: tuple[tuple[int, ...], ...]  #: of the inputs, without the batch
    parameters: tuple[str, ...]
    compute: Callable[..., np.ndarray]  #: in NumPy, from parameters by name and inputs
    dtype: str = "float32"
    is_list: bool = False  #: several inputs come as one list, and not by position

    def __str__(self):
        return self.kind.__name__

    def make(self, *nets, name="user"):
        return self.kind(*nets, **self.arguments(), name=name)

    def values(self, seed=0, batch=3):
        rng = np.random.default_rng(seed)
        sizes = [[batch, *shape] for shape in self.shapes]
        if self.dtype == "int32":
            return [rng.integers(0, 5, size).astype("int32") for size in sizes]
        return [rng.normal(size=size).astype("float32") for size in sizes]

    def inputs(self, prefix="x"):
        return [
            Input([None, *shape], self.dtype, name=f"{prefix}{i}")
            for i, shape in enumerate(self.shapes)
        ]

    def apply(self, layer, nets):
        return layer(nets) if self.is_list else layer(*nets)

    def network(self, prefix="x", name="user"):
        return randomized(self.apply(self.make(name=name), self.inputs(prefix)), name)

    def model(self, name="user"):
        inputs = self.inputs()
        return tl.models.Model(inputs, self.apply(self.make(name=name), inputs))

    def own(self, name="user"):
        model = Own(self.make(name=name))
        self.apply_own(model, self.values(), is_train=False)
        return model

    def apply_own(self, model, values, is_train=False):
        given = [values] if self.is_list else values
        return model(*given, is_train=is_train)

    def expected(self, owner, values, prefix="user/"):
        arrays = {
            name.removeprefix(prefix): v.numpy().astype("float64")
            for name, v in owner.parameters.items()
        }
        wide = [x if self.dtype == "int32" else x.astype("float64") for x in values]
        return self.compute(arrays, *wide)


def randomized(net, seed_text):
    """Give every parameter another value than that of its initializer."""
    rng = np.random.default_rng(len(seed_text))
    for variable in net.all_params:
        variable.assign(rng.normal(scale=0.5, size=variable.shape) + 0.1)
    return net


CASES = (
    Case(Embedding, lambda: {"n_words": 5, "n_units": 4}, ((6,),), ("table",),
         lambda p, x: p["table"][x], dtype="int32"),
    Case(GRU, lambda: {"n_units": 4}, ((5, 3),), ("kernel", "recurrent", "biases"), gru_states),
    Case(SubpixelConv, lambda: {"n_filter": 2, "act": "relu"}, ((3, 4, 3),), ("filters",),
         subpixel),
    Case(Residual, lambda: {"n_units": 4}, ((4,),), tuple(
        f"{layer}/{name}" for layer in ("entry", "second", "more/0", "last", "_gate")
        for name in ("weights", "biases")), residual),
    Case(Bilinear, lambda: {"n_units": 3}, ((4,), (5,)), ("weights",),
         lambda p, a, b: np.einsum("ni,nj,ijk->nk", a, b, p["weights"]), is_list=True),
    Case(Attention, lambda: {"n_units": 4}, ((2, 3), (5, 6)), ("queries", "keys"), attention),
    Case(WeightNorm, lambda: {"layer": Dense(4, act="tanh")}, ((3,),),
         ("g", "layer/weights", "layer/biases"), weight_norm),
)  # fmt: skip
every_case = pytest.mark.parametrize("case", CASES, ids=str)


@pytest.fixture
def mixed_policy():
    """Set a global policy, and the one that was there again."""
    before = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    yield tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy(before)


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


# -- alone


@every_case
def test_it_computes_the_numbers(case):
    net, values = case.network(), case.values()

    close(net(values, is_train=False), case.expected(net, values))


@every_case
def test_it_is_declared_with_the_shape_it_computes(case):
    net = case.network()

    for batch in (1, 4):
        out = net(case.values(batch=batch))
        assert net.outputs.shape.is_compatible_with(out.shape)
        assert net.outputs.shape[1:].is_compatible_with(out.shape[1:])


@every_case
def test_it_lists_its_parameters(case):
    net = case.network()

    assert tuple(net.parameters) == tuple(f"user/{name}" for name in case.parameters)
    assert net.trainable_weights == net.all_params


@every_case
def test_both_spellings_are_the_same_network(case):
    if len(case.shapes) > 1 and not case.is_list:
        pytest.skip("several networks by position are what a layer is called with")
    nets = case.inputs()
    stacked = case.make(nets if case.is_list else nets[0])
    called = case.apply(case.make(), case.inputs())

    assert stacked.outputs == called.outputs
    assert list(stacked.parameters) == list(called.parameters)


@every_case
def test_it_computes_at_once_on_tensors_that_are_there(case):
    values = case.values()
    layer = case.make()
    net = randomized(
        case.apply(layer, [InputLayer(x, name=f"x{i}") for i, x in enumerate(values)]), ""
    )

    again = case.apply(layer, [tf.constant(x) for x in values])

    close(again, case.expected(net, values))
    close(net(values), again)


@every_case
def test_it_is_traced_for_any_batch(case):
    net = case.network()
    specs = [tf.TensorSpec([None, *shape], case.dtype) for shape in case.shapes]
    traced = tf.function(lambda *x: net(list(x), is_train=True), input_signature=specs)

    for batch in (2, 5):
        values = case.values(batch=batch)
        close(traced(*values), case.expected(net, values))


@every_case
def test_gradients_reach_every_parameter_and_training_uses_no_other(case):
    net = case.network()

    @tf.function
    def gradients(values):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(net(values, is_train=True) ** 2)
        assert {id(v) for v in tape.watched_variables()} == {id(v) for v in net.all_params}
        return tape.gradient(loss, net.all_params)

    for name, gradient in zip(net.parameters, gradients(case.values()), strict=True):
        assert gradient is not None, name
        dense = tf.convert_to_tensor(gradient).numpy()
        assert np.all(np.isfinite(dense)), name
        assert np.any(dense != 0), name


@every_case
def test_under_a_mixed_policy_it_computes_with_16_bits(case, mixed_policy):
    net = case.network()

    with tf.GradientTape() as tape:
        outputs = net(case.values(), is_train=True)
        loss = tf.reduce_sum(tf.cast(outputs, tf.float32) ** 2)
    gradients = tape.gradient(loss, net.all_params)

    assert outputs.dtype == net.outputs.dtype == mixed_policy.compute_dtype
    assert {variable.dtype for variable in net.all_params} == {tf.float32}
    for name, gradient in zip(net.parameters, gradients, strict=True):
        assert gradient is not None, name
        assert np.all(np.isfinite(tf.convert_to_tensor(gradient))), name


# -- in a static model


@every_case
def test_in_a_model_it_computes_the_numbers(case):
    model, values = randomized(case.model(), "m"), case.values()

    assert tuple(model.parameters) == tuple(f"user/{name}" for name in case.parameters)
    close(model(values, is_train=False), case.expected(model, values))


@every_case
def test_a_model_of_it_is_described_by_its_config(case):
    model, values = randomized(case.model(), "m"), case.values()

    again = tl.models.Model.from_config(json.loads(json.dumps(model.config)))
    again.assign_arrays(model.to_arrays())

    assert again.structure_digest == model.structure_digest
    np.testing.assert_array_equal(again(values, is_train=False), model(values, is_train=False))


@every_case
@pytest.mark.parametrize("name", ["w.safetensors", "w.npz", "w.h5"])
@pytest.mark.parametrize("kind", ["model", "own"])
def test_its_weights_are_saved_and_loaded(case, kind, name, tmp_path):
    model, other = (randomized(getattr(case, kind)(), text) for text in ("m", "other"))
    model.save_weights(tmp_path / name)

    other.load_weights(tmp_path / name)

    np.testing.assert_equal(other.to_arrays(), model.to_arrays())


@every_case
def test_a_model_of_it_is_saved_as_a_whole(case, tmp_path):
    model, values = randomized(case.model(), "m"), case.values()
    model.save(tmp_path / "m.safetensors")

    again = tl.models.Model.load(tmp_path / "m.safetensors")

    np.testing.assert_array_equal(again(values, is_train=False), model(values, is_train=False))


@every_case
def test_a_model_of_it_is_exported(case, tmp_path):
    model, values = randomized(case.model(), "m"), case.values()
    model.export(tmp_path / "m")

    serve = tf.saved_model.load(str(tmp_path / "m")).signatures["serving_default"]
    (out,) = serve(**{f"x{i}": tf.constant(x) for i, x in enumerate(values)}).values()

    close(out, case.expected(model, values))


# -- in a model of one's own


@every_case
def test_in_a_model_of_ones_own_it_computes_the_numbers(case):
    model, values = randomized(case.own(), "own"), case.values()

    assert tuple(model.parameters) == tuple(f"user/{name}" for name in case.parameters)
    close(case.apply_own(model, values), case.expected(model, values))


@every_case
def test_an_unnamed_one_goes_by_the_attribute_of_the_model(case):
    model = case.own(name=None)

    assert tuple(model.parameters) == tuple(f"layer/{name}" for name in case.parameters)


@every_case
def test_in_a_model_of_ones_own_it_trains_in_a_trace(case):
    model, values = randomized(case.own(), "own"), case.values()
    before = model.to_arrays()

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(case.apply_own(model, values, is_train=True) ** 2)
        gradients = tape.gradient(loss, model.trainable_weights)
        for variable, gradient in zip(model.trainable_weights, gradients, strict=True):
            variable.assign_sub(0.01 * tf.convert_to_tensor(gradient))
        return loss

    losses = [float(step()) for _ in range(3)]

    assert losses[2] < losses[1] < losses[0]
    for name, value in model.to_arrays().items():
        assert not np.array_equal(value, before[name]), f"{name} did not change"


@every_case
def test_a_model_of_ones_own_is_part_of_a_network(case):
    model, values = randomized(case.own(), "own"), case.values()
    net = case.apply(model.as_layer(name="part"), case.inputs())

    close(net(values, is_train=False), case.apply_own(model, values))
    assert tuple(net.parameters) == tuple(f"part/user/{name}" for name in case.parameters)


# -- shared


@every_case
def test_it_is_shared_by_name(case):
    def tower(prefix, reuse):
        with variable_scope("tower", reuse=reuse):
            return case.apply(case.make(), case.inputs(prefix))

    with isolated():
        first = randomized(tower("x", None), "first")
        second = tower("y", True)

    assert [v.ref() for v in second.all_params] == [v.ref() for v in first.all_params]
    assert list(second.parameters) == [f"tower/user/{name}" for name in case.parameters]
    values = case.values()
    close(second(values), case.expected(first, values, "tower/user/"))


@every_case
def test_siamese_networks_use_it_twice(case):
    layer = case.make()
    one, other = (case.apply(layer, case.inputs(prefix)) for prefix in "xy")
    net = randomized(Concat([one, other], name="both"), "siamese")
    left, right = case.values(1), case.values(2)

    out = net(left + right, is_train=True)

    assert tuple(net.parameters) == tuple(f"user/{name}" for name in case.parameters)
    both = [case.expected(net, values) for values in (left, right)]
    close(out, np.concatenate(both, -1))


@every_case
def test_a_siamese_model_is_described_by_its_config(case):
    layer = case.make()
    inputs = [case.inputs(prefix) for prefix in "xy"]
    outputs = Concat([case.apply(layer, each) for each in inputs], name="both")
    model = tl.models.Model(inputs[0] + inputs[1], outputs)
    values = case.values(1) + case.values(2)

    again = tl.models.Model.from_config(json.loads(json.dumps(model.config)))
    again.assign_arrays(model.to_arrays())

    assert len(again.parameters) == len(case.parameters)
    np.testing.assert_array_equal(again(values, is_train=False), model(values, is_train=False))
