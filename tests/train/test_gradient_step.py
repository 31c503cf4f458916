"""A step made of a network, a cost and an optimizer, against plain TensorFlow."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument
from tensorlayer.train import GradientStep, run
from tests.operations import operations

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(24, 3)).astype("float32")
Y = RANDOM.normal(size=(24, 2)).astype("float32")
START = [RANDOM.normal(size=shape).astype("float32") for shape in ([3, 4], [4], [4, 2], [2])]


def network():
    net = tl.layers.Dense(tl.layers.Input([None, 3], name="x"), 4, act="tanh", name="hidden")
    net = tl.layers.Dense(net, 2, name="out")
    for variable, value in zip(net.trainable_weights, START, strict=True):
        variable.assign(value)
    return net


class Plain:
    """The same network and training in TensorFlow alone."""

    def __init__(self, optimizer):
        self.weights, self.optimizer = [tf.Variable(value) for value in START], optimizer

    def gradients(self, x, y):
        w1, b1, w2, b2 = self.weights
        with tf.GradientTape() as tape:
            hidden = tf.tanh(tf.nn.bias_add(tf.matmul(x, w1), b1))
            output = tf.nn.bias_add(tf.matmul(hidden, w2), b2)
            loss = tf.reduce_mean(tf.square(output - y))
        return tape.gradient(loss, self.weights), loss

    def apply(self, gradients):
        self.optimizer.apply_gradients(zip(gradients, self.weights, strict=True))

    def step(self, x, y):
        gradients, loss = self.gradients(x, y)
        self.apply(gradients)
        return loss


def squared(output, target):
    return tf.reduce_mean(tf.square(output - target))


def assert_close(found, wanted, atol=1e-6):
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, atol=atol, rtol=0)


def batches(n):
    return [(X[i : i + n], Y[i : i + n]) for i in range(0, len(X), n)]


# -- without options


def test_it_has_the_operations_of_a_step_written_by_hand():
    specs = tf.TensorSpec([8, 3], tf.float32), tf.TensorSpec([8, 2], tf.float32)
    ours = tf.function(GradientStep(network(), squared, tf.optimizers.SGD(0.1)))
    plain = tf.function(lambda x, y: {"loss": Plain.step(native, x, y)})
    native = Plain(tf.optimizers.SGD(0.1))

    assert operations(ours, *specs) == operations(plain, *specs)


def test_of_batches_of_any_size_it_also_asks_whether_they_are_empty():
    specs = tf.TensorSpec([None, 3], tf.float32), tf.TensorSpec([None, 2], tf.float32)
    ours = tf.function(GradientStep(network(), squared, tf.optimizers.SGD(0.1)))
    plain = tf.function(lambda x, y: {"loss": Plain.step(native, x, y)})
    native = Plain(tf.optimizers.SGD(0.1))

    added = operations(ours, *specs)
    added.subtract(operations(plain, *specs))

    assert {name for name, n in added.items() if n} == {
        *("Shape", "StridedSlice", "Greater", "Assert", "Identity", "Const")
    }


@pytest.mark.parametrize("accumulate", [1, 3])
@pytest.mark.parametrize("kind", ["dataset", "list"])
def test_an_empty_batch_is_refused_and_changes_nothing(kind, accumulate):
    batches = [(X[:4], Y[:4]), (X[:0], Y[:0]), (X[4:8], Y[4:8])]
    data = batches
    if kind == "dataset":
        spec = tf.TensorSpec([None, 3], tf.float32), tf.TensorSpec([None, 2], tf.float32)
        data = tf.data.Dataset.from_generator(lambda: iter(batches), output_signature=spec)
    net, expected = network(), network()
    options = {"accumulate": accumulate}

    with pytest.raises(InvalidArgument, match=r"a batch has no sample, .* dataset\.filter"):
        run(GradientStep(net, squared, tf.optimizers.SGD(0.1), **options), data, progress=False)

    run(GradientStep(expected, squared, tf.optimizers.SGD(0.1), **options), batches[:1])
    assert_close(net.trainable_weights, expected.trainable_weights)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (tf.optimizers.Adafactor, r"cannot contain character `/`.* Or take tl\.optimizers\.Adafac"),
        (tf.keras.optimizers.Muon, r"Muon asks for what only variables of Keras have \(.*path"),
    ],
)
def test_optimizers_of_keras_that_need_its_variables_are_named(make, message):
    step = GradientStep(network(), squared, make(0.1))

    with pytest.raises(InvalidArgument, match=message):
        run(step, batches(8), progress=False)


def test_metrics_add_their_operations_and_no_gradient():
    specs = tf.TensorSpec([8, 3], tf.float32), tf.TensorSpec([8, 2], tf.float32)
    others = {"largest": lambda output, target: tf.reduce_max(output)}
    without = operations(
        tf.function(GradientStep(network(), squared, tf.optimizers.SGD(0.1))), *specs
    )
    within = operations(
        tf.function(GradientStep(network(), squared, tf.optimizers.SGD(0.1), metrics=others)),
        *specs,
    )

    assert {op: n for op, n in (within - without).items() if op not in {"Const", "Identity"}} == {
        "Max": 1
    }


def test_several_inputs_are_a_list_and_the_last_one_is_the_target():
    one, two = (tl.layers.Input([None, 2], name=name) for name in "ab")
    net = tl.layers.Dense(tl.layers.Concat()([one, two]), 1, name="d")
    step = GradientStep(net, squared, tf.optimizers.SGD(0.0))
    a, b, y = X[:, :2], X[:, 1:], Y[:, :1]

    found = step(*map(tf.constant, (a, b, y)))

    wanted = np.mean((np.concatenate([a, b], 1) @ net.all_weights[0].numpy() - y) ** 2)
    assert float(found["loss"]) == pytest.approx(wanted, rel=1e-5)


# -- accumulation


@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "RMSprop"])
@pytest.mark.parametrize(("n_samples", "n_parts"), [(24, 4), (24, 24), (23, 4), (7, 3), (3, 5)])
def test_parts_come_to_the_update_of_the_whole_batch(optimizer, n_samples, n_parts):
    make = getattr(tf.optimizers, optimizer)
    net, plain = network(), Plain(make(0.01))
    step = tf.function(GradientStep(net, squared, make(0.01), accumulate=n_parts))
    x, y = tf.constant(X[:n_samples]), tf.constant(Y[:n_samples])

    for _ in range(3):
        loss = plain.step(x, y)
        assert float(step(x, y)["loss"]) == pytest.approx(float(loss), abs=1e-6)

    assert_close(net.trainable_weights, plain.weights)


def test_a_batch_in_four_parts_is_the_mean_of_four_small_batches():
    net, plain = network(), Plain(tf.optimizers.Adam(0.01))
    step = GradientStep(net, squared, tf.optimizers.Adam(0.01), accumulate=4)

    run(step, batches(24), n_epoch=3)
    for _ in range(3):
        small = [plain.gradients(x, y)[0] for x, y in batches(6)]
        plain.apply([tf.add_n(each) / 4 for each in zip(*small, strict=True)])

    assert_close(net.trainable_weights, plain.weights)


def test_it_may_be_called_without_a_trace():
    net, plain = network(), Plain(tf.optimizers.SGD(0.1))

    GradientStep(net, squared, tf.optimizers.SGD(0.1), accumulate=5)(X, Y)
    plain.step(X, Y)

    assert_close(net.trainable_weights, plain.weights)


def test_a_short_last_batch_is_not_traced_anew():
    def count(n_batch):
        traces = []

        def cost(output, target):
            traces.append(1)
            return squared(output, target)

        step = GradientStep(network(), cost, tf.optimizers.SGD(0.1), clip_norm=1.0, accumulate=4)
        data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(n_batch)
        run(step, data, n_epoch=3)
        return len(traces)

    assert count(7) == count(8) == 2  # the first part, and the others


def test_metrics_are_means_over_the_batch():
    metrics = {"positive": lambda output, target: tf.reduce_mean(tf.cast(target > 0, tf.float32))}
    step = GradientStep(network(), squared, tf.optimizers.SGD(0.0), metrics=metrics, accumulate=3)

    assert float(step(X[:7], Y[:7])["positive"]) == pytest.approx(np.mean(Y[:7] > 0))


def test_what_is_between_the_layers_is_not_kept_for_all_parts():
    """Parts are computed in a loop, one at a time."""
    step = tf.function(GradientStep(network(), squared, tf.optimizers.SGD(0.1), accumulate=16))
    specs = tf.TensorSpec([None, 3], tf.float32), tf.TensorSpec([None, 2], tf.float32)

    found = operations(step, *specs)

    assert found["While"] + found["StatelessWhile"] == 1
    assert found["Tanh"] == 2


# -- embeddings


WORDS = np.array([[1, 2, 2], [7, 1, 3], [3, 3, 3], [0, 2, 9], [5, 5, 1]])
TABLE = RANDOM.normal(size=(12, 2)).astype("float32")


def embedding():
    net = tl.layers.Embedding(tl.layers.Input([None, 3], "int64"), 12, 2, name="words")
    net.trainable_weights[0].assign(TABLE)
    return net


def first_of(output, target):
    return tf.reduce_mean(tf.square(output - target[:, :, None]))


@pytest.mark.parametrize("clip_norm", [None, 0.05])
@pytest.mark.parametrize("optimizer", ["SGD", "Adagrad", "LazyAdam", "Adam"])
def test_gradients_of_tables_stay_sparse_and_come_to_the_same(optimizer, clip_norm):
    make = getattr(tl.optimizers, optimizer)
    whole, parts = embedding(), embedding()
    targets = RANDOM.normal(size=WORDS.shape).astype("float32")
    options = {"clip_norm": clip_norm}
    one = tf.function(GradientStep(whole, first_of, make(0.1), **options))
    many = tf.function(GradientStep(parts, first_of, make(0.1), accumulate=3, **options))

    for words in (WORDS, WORDS[:2]):
        for step in (one, many):
            step(tf.constant(words), tf.constant(targets[: len(words)]))

    assert_close(parts.trainable_weights, whole.trainable_weights)
    unnamed = sorted({*range(12)} - {*WORDS.ravel().tolist()})
    np.testing.assert_array_equal(parts.trainable_weights[0].numpy()[unnamed], TABLE[unnamed])


def test_a_table_against_plain_tensorflow():
    net, table, optimizer = embedding(), tf.Variable(TABLE), tf.optimizers.SGD(0.3)
    targets = RANDOM.normal(size=WORDS.shape).astype("float32")
    step = GradientStep(net, first_of, tl.optimizers.SGD(0.3), accumulate=2, clip_norm=0.1)

    step(tf.constant(WORDS), tf.constant(targets))
    with tf.GradientTape() as tape:
        loss = first_of(tf.gather(table, WORDS), targets)
    (clipped,), norm = tf.clip_by_global_norm(
        [tf.convert_to_tensor(tape.gradient(loss, table))], 0.1
    )
    optimizer.apply_gradients([(clipped, table)])

    assert norm > 0.1
    assert_close(net.trainable_weights, [table])


# -- clipping


@pytest.mark.parametrize("accumulate", [1, 4])
@pytest.mark.parametrize("clip_norm", [0.1, 0.7, 1000.0])
def test_the_norm_of_all_gradients_is_bounded(accumulate, clip_norm):
    net, plain = network(), Plain(tf.optimizers.SGD(1.0))
    step = GradientStep(
        net, squared, tf.optimizers.SGD(1.0), clip_norm=clip_norm, accumulate=accumulate
    )

    step(X, Y)

    gradients = [each.numpy().astype("float64") for each in plain.gradients(X, Y)[0]]
    norm = np.sqrt(sum((each**2).sum() for each in gradients))
    factor = min(1.0, clip_norm / norm)
    assert 0.7 < norm < 1000
    assert_close(
        net.trainable_weights, [w - factor * g for w, g in zip(START, gradients, strict=True)]
    )


@pytest.mark.parametrize("dtypes", [("float64", "float64"), ("float32", "float64")])
def test_gradients_of_other_types_are_clipped_too(dtypes):
    net = tl.layers.Dense(tl.layers.Input([None, 3]), 4, dtype=dtypes[0], name="one")
    net = tl.layers.Dense(net, 2, dtype=dtypes[1], name="two")
    before = [each.numpy() for each in net.all_weights]
    step = GradientStep(net, lambda out, y: 100 * tf.reduce_sum(out), tf.optimizers.SGD(1.0))
    clipped = GradientStep(net, step.cost, tf.optimizers.SGD(1.0), clip_norm=0.5, accumulate=2)

    clipped(X, Y)

    steps = [one - two.numpy() for one, two in zip(before, net.all_weights, strict=True)]
    assert np.sqrt(sum((each.astype("float64") ** 2).sum() for each in steps)) == pytest.approx(0.5)


# -- scaling of the loss


def test_a_scaled_loss_trains_as_one_that_is_not():
    net, plain = network(), Plain(tf.optimizers.Adam(0.01))
    optimizer = tl.optimizers.LossScaleOptimizer(
        tl.optimizers.Adam(0.01), initial_scale=1024.0, dynamic_growth_steps=2
    )
    step = GradientStep(net, squared, optimizer, accumulate=3, clip_norm=0.5)
    scales = []
    for x, y in batches(8):
        assert float(step(x, y)["loss"]) == pytest.approx(float(plain.gradients(x, y)[1]), rel=1e-5)
        gradients, _ = tf.clip_by_global_norm(plain.gradients(x, y)[0], 0.5)
        plain.apply(gradients)
        scales.append(float(optimizer.dynamic_scale))

    assert_close(net.trainable_weights, plain.weights)
    assert scales == [1024.0, 2048.0, 2048.0]


def test_the_norm_of_64_bits_is_not_that_of_32_in_which_it_would_be_infinite():
    net = tl.layers.Dense(tl.layers.Input([None, 1], "float64"), 1, W_init=0.0, name="wide")
    large = lambda output, target: 1e30 * tf.reduce_mean(output - target)  # noqa: E731
    step = GradientStep(net, large, tf.optimizers.SGD(1.0), clip_norm=5.0)

    step(tf.constant([[3.0]], tf.float64), tf.constant([[4.0]], tf.float64))

    weight, bias = net.trainable_weights  # by 3e30 and 1e30, whose norm becomes 5
    np.testing.assert_allclose(weight, [[-5 * 3 / 10**0.5]], rtol=1e-12)
    np.testing.assert_allclose(bias, [-5 / 10**0.5], rtol=1e-12)


@pytest.mark.parametrize("clip_norm", [None, 1.0])
@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_one_part_that_is_not_finite_leaves_the_whole_update_out(bad, clip_norm):
    net = network()
    optimizer = tl.optimizers.LossScaleOptimizer(tl.optimizers.Adam(0.01), initial_scale=64.0)
    step = GradientStep(net, squared, optimizer, accumulate=4, clip_norm=clip_norm)
    broken = Y.copy()
    broken[20] = bad  # of the last part

    run(step, [(X, broken)])
    assert_close(net.trainable_weights, START, atol=0)
    assert (float(optimizer.dynamic_scale), int(optimizer.iterations)) == (32.0, 0)

    run(step, [(X, Y)])
    plain = Plain(tf.optimizers.Adam(0.01))
    gradients = plain.gradients(X, Y)[0]
    plain.apply(gradients if clip_norm is None else tf.clip_by_global_norm(gradients, 1.0)[0])
    assert_close(net.trainable_weights, plain.weights)


def test_gradients_too_small_for_16_bits_arrive():
    """Of 1e-9 nothing is left in float16; scaled by 2**15 it is."""

    def train(optimizer):
        net = tl.layers.Dense(
            tl.layers.Input([None, 1]), 1, b_init=None, W_init=1.0, dtype="mixed_float16"
        )
        tiny = lambda output, target: 1e-8 * tf.reduce_mean(tf.cast(output, tf.float32))  # noqa: E731
        GradientStep(net, tiny, optimizer)(tf.ones([4, 1]), tf.zeros([4, 1]))
        return 1 - net.all_weights[0].numpy().item()

    assert train(tl.optimizers.SGD(1e6)) == 0
    scaled = tl.optimizers.LossScaleOptimizer(tl.optimizers.SGD(1e6))
    assert train(scaled) == pytest.approx(1e-2, rel=1e-2)


# -- together with the rest


def test_a_schedule_counts_updates():
    rates = tf.optimizers.schedules.PiecewiseConstantDecay([1, 2], [1.0, 0.5, 0.25])
    w = tl.layers.Dense(tl.layers.Input([None, 1]), 1, b_init=None, W_init=0.0)
    falling = lambda output, target: -tf.reduce_mean(output)  # noqa: E731 - its slope is -1
    step = GradientStep(w, falling, tf.optimizers.SGD(rates), accumulate=2)
    seen = []
    for _ in range(4):
        step(tf.ones([4, 1]), tf.zeros([4, 1]))
        seen.append(w.all_weights[0].numpy().item())

    np.testing.assert_allclose(np.diff([0, *seen]), [1.0, 1.0, 0.5, 0.25])


def test_what_is_frozen_between_runs_stands_still():
    net = network()
    step = GradientStep(net, squared, tf.optimizers.SGD(0.1), accumulate=2)
    run(step, batches(8))
    before = [each.numpy() for each in net.all_weights]
    net.layer.trainable = False  # the last one

    run(step, batches(8))

    moved = [not np.array_equal(*each) for each in zip(net.all_weights, before, strict=True)]
    assert moved == [True, True, False, False]


def test_weights_that_the_cost_does_not_need_have_no_gradient(recwarn):
    net = network()
    hidden = lambda output, target: tf.reduce_mean(net.layer.all_weights[0] ** 2)  # noqa: E731
    step = tf.function(GradientStep(net, hidden, tf.optimizers.SGD(0.1), accumulate=2))

    step(tf.constant(X), tf.constant(Y))

    w1, _, w2, _ = net.all_weights
    np.testing.assert_array_equal(w1, START[0])
    np.testing.assert_allclose(w2, START[2] * (1 - 0.2 / START[2].size), rtol=1e-6)


def test_it_may_be_compiled():
    net, plain = network(), Plain(tf.optimizers.SGD(0.1))
    step = GradientStep(net, squared, tf.optimizers.SGD(0.1), accumulate=3, clip_norm=1.0)
    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(9)

    run(step, data, jit_compile=True)
    for x, y in batches(9):
        plain.apply(tf.clip_by_global_norm(plain.gradients(x, y)[0], 1.0)[0])

    assert_close(net.trainable_weights, plain.weights, atol=1e-5)


# -- arguments


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"accumulate": 0}, "accumulate is a number of parts from 1 on, got 0"),
        ({"accumulate": -3}, "accumulate is a number of parts from 1 on, got -3"),
        ({"accumulate": 2.0}, "accumulate is a number of parts from 1 on, got 2.0"),
        ({"accumulate": True}, "accumulate is a number of parts from 1 on, got True"),
        ({"clip_norm": 0}, "clip_norm is a positive number, got 0. Leave it out to clip nothing"),
        ({"clip_norm": "5"}, "clip_norm is a positive number, got '5'"),
        ({"clip_norm": -1.0}, "clip_norm is a positive number, got -1.0"),
        ({"clip_norm": float("nan")}, "clip_norm is a positive number, got nan"),
        ({"metrics": [squared]}, r"functions of \(output, target\) by name, got \["),
        ({"metrics": {"loss": squared}}, "recorded as 'loss', and so is a metric. Rename"),
    ],
)
def test_arguments_are_looked_at_at_once(options, message):
    with pytest.raises(InvalidArgument, match=message):
        GradientStep(network(), squared, tf.optimizers.SGD(0.1), **options)


def test_objects_of_keras_are_refused_since_they_take_the_target_first():
    for cost in (tf.keras.losses.MeanSquaredError(), tf.keras.metrics.MeanSquaredError()):
        with pytest.raises(InvalidArgument, match=r"got Keras's MeanSquaredError, which takes \("):
            GradientStep(network(), cost, tf.optimizers.SGD(0.1))


@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_metric_is_a_scalar(accumulate):
    options = {"metrics": {"each": lambda output, target: output}, "accumulate": accumulate}
    step = GradientStep(network(), squared, tf.optimizers.SGD(0.1), **options)

    with pytest.raises(InvalidArgument, match=r"a metric is a scalar, got 'each' of shape \("):
        step(X, Y)


def test_weights_that_were_frozen_when_the_optimizer_began_are_named():
    net = network()
    layers = [each for each in net.all_layers if each.trainable_weights]
    step = GradientStep(net, squared, tf.optimizers.Adam(0.1))
    layers[0].trainable = False
    step(X, Y)
    layers[0].trainable = True

    with pytest.raises(InvalidArgument, match=r"optimizer\.build\(network\.trainable_weights\)"):
        step(X, Y)


def test_a_batch_has_a_target():
    step = GradientStep(network(), squared, tf.optimizers.SGD(0.1))

    with pytest.raises(InvalidArgument, match=r"got 1 value of type dict.*dataset.map"):
        step({"image": X, "label": Y})


def test_what_cannot_be_trained_is_refused():
    net = tl.layers.Lambda(tl.layers.Input([None, 3]), lambda x: x, name="same")

    with pytest.raises(InvalidArgument, match=r"has no trainable weights\. Set trainable = True"):
        GradientStep(net, squared, tf.optimizers.SGD(0.1))(X, X)
