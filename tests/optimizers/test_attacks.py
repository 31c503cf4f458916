"""What optimizers meet in the hands of users: every one of them with all that Keras's take."""

from __future__ import annotations

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl

N_ROWS = 7
START = np.random.default_rng(0).normal(size=(N_ROWS, 3)).astype("float32")
NAMES = sorted(set(tl.optimizers.__all__) - {"LossScaleOptimizer", "summed"})
OPTIONS = [
    {"weight_decay": 0.05},
    {"clipnorm": 0.4},
    {"global_clipnorm": 0.4},
    {"clipvalue": 0.2},
    {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 2},
    {"gradient_accumulation_steps": 2},
    {"loss_scale_factor": 4.0},
]
every_optimizer = pytest.mark.parametrize("name", NAMES)


def made(name, **options):
    return getattr(tl.optimizers, name)(0.1, **options)


def of_keras(name, **options):
    """Return Keras's own that an optimizer is on dense gradients."""
    if name == "AMSGrad":
        options = {"amsgrad": True, "beta_2": 0.99, "epsilon": 1e-8, **options}
    return getattr(keras.optimizers, {"AMSGrad": "Adam", "LazyAdam": "Adam"}.get(name, name))(
        0.1, **options
    )


def batches(names_all, n=6):
    """Yield rows, some of them more than once, with their gradients."""
    rng = np.random.default_rng(1)
    for _ in range(n):
        rows = np.concatenate([rng.integers(0, N_ROWS, 5), np.arange(N_ROWS) if names_all else []])
        yield rows.astype("int64"), rng.normal(size=(len(rows), 3)).astype("float32")


def trained(optimizer, is_sparse, names="words/embeddings words/biases words/unused"):
    """Train a table, a vector and a variable without gradients under these names."""
    table, vector, unused = (
        tf.Variable(value, name=name)
        for value, name in zip((START, [1.0, 2.0], [5.0]), names.split(), strict=True)
    )
    optimizer.build([table, vector, unused])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int64), tf.TensorSpec([None, 3])])
    def step(rows, values):
        gradient = tf.IndexedSlices(values, rows, tf.constant([N_ROWS, 3], tf.int64))
        if not is_sparse:
            gradient = tf.math.unsorted_segment_sum(values, rows, N_ROWS)
        pairs = [(gradient, table), (tf.constant([0.5, -0.3]), vector), (None, unused)]
        optimizer.apply_gradients(pairs)

    for rows, values in batches(names_all=True):
        step(rows, values)
    return table.numpy(), vector.numpy()


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
@pytest.mark.parametrize("options", [{}, *OPTIONS], ids=lambda each: next(iter(each), "plain"))
@every_optimizer
def test_where_all_rows_are_named_it_is_that_of_keras_on_dense_gradients(name, options):
    """Also where some are named twice, and for variables of layers, whose names have slashes."""
    ours = trained(made(name, **options), is_sparse=True)
    theirs = trained(of_keras(name, **options), is_sparse=False, names="a b c")

    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("options", [{}, {"use_ema": True}, {"gradient_accumulation_steps": 2}])
@every_optimizer
def test_it_goes_on_from_a_checkpoint_and_from_its_configuration(name, options, tmp_path):
    def step(optimizer, table, rows, values):
        shape = tf.constant([N_ROWS, 3], tf.int64)
        gradient = tf.IndexedSlices(tf.constant(values), tf.constant(rows), shape)
        optimizer.apply_gradients([(gradient, table)])

    all_batches = list(batches(names_all=False))
    table, optimizer = tf.Variable(START, name="a/b"), made(name, **options)
    for batch in all_batches[:3]:
        step(optimizer, table, *batch)
    path = tf.train.Checkpoint(optimizer=optimizer, table=table).write(str(tmp_path / "c"))
    for batch in all_batches[3:]:
        step(optimizer, table, *batch)

    again, other = tf.Variable(0 * START, name="c/d"), made(name, **options)
    other.build([again])
    tf.train.Checkpoint(optimizer=other, table=again).read(path).assert_consumed()
    for batch in all_batches[3:]:
        step(other, again, *batch)
    np.testing.assert_allclose(again, table, atol=1e-6)

    anew, same = tf.Variable(START), type(optimizer).from_config(optimizer.get_config())
    for batch in all_batches:
        step(same, anew, *batch)
    np.testing.assert_allclose(anew, table, atol=1e-6)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"Ftrl"}))  # which divides by the rate
@pytest.mark.parametrize("is_sparse", [False, True])
def test_it_follows_a_schedule(name, is_sparse):
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([1], [0.1, 0.0])
    optimizer, table = getattr(tl.optimizers, name)(schedule), tf.Variable(START)
    found = []
    for rows, values in batches(names_all=True, n=3):
        gradient = tf.IndexedSlices(tf.constant(values), tf.constant(rows))
        dense = tf.math.unsorted_segment_sum(values, rows, N_ROWS)
        optimizer.apply_gradients([(gradient if is_sparse else dense, table)])
        found.append(table.numpy())

    assert np.abs(found[1] - START).max() > 1e-4
    np.testing.assert_allclose(found[2], found[1], atol=1e-7)


@every_optimizer
def test_no_rows_at_all_and_rows_outside_of_the_table(name):
    table, optimizer = tf.Variable(START), made(name)
    none = tf.IndexedSlices(tf.zeros([0, 3]), tf.zeros([0], tf.int64))
    outside = tf.IndexedSlices(tf.ones([1, 3]), tf.constant([N_ROWS]))

    optimizer.apply_gradients([(none, table)])
    np.testing.assert_allclose(table, START, rtol=1e-3)  # the weights of AdamW decay
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"indices|segment_ids"):
        optimizer.apply_gradients([(outside, table)])


@every_optimizer
def test_scaled_losses_give_the_same_steps_and_those_that_overflow_none(name):
    optimizer = tl.optimizers.LossScaleOptimizer(
        made(name), initial_scale=8.0, dynamic_growth_steps=2
    )
    plain, table, expected = made(name), tf.Variable(START), tf.Variable(START)
    for rows, values in batches(names_all=False, n=3):
        scaled = tf.constant(values) * optimizer.scale_loss(1.0)
        optimizer.apply_gradients([(tf.IndexedSlices(scaled, tf.constant(rows)), table)])
        gradient = tf.IndexedSlices(tf.constant(values), tf.constant(rows))
        plain.apply_gradients([(gradient, expected)])
    np.testing.assert_allclose(table, expected, rtol=1e-3, atol=1e-4)
    assert float(optimizer.dynamic_scale) == 16.0

    before = table.numpy()
    bad = tf.IndexedSlices(tf.constant([[np.inf] * 3]), tf.constant([1]))
    optimizer.apply_gradients([(bad, table)])
    np.testing.assert_array_equal(table, before)


@pytest.mark.parametrize(
    "make", [*[getattr(tl.optimizers, n) for n in NAMES], keras.optimizers.Nadam]
)
def test_it_trains_layers_that_have_embeddings(make):
    x = tl.layers.Input([None, 4], dtype="int64")
    net = tl.layers.Flatten()(tl.layers.Embedding(N_ROWS, 3, name="words")(x))
    model = tl.models.Model(x, tl.layers.Dense(2, name="a/out")(net))
    ids = np.random.default_rng(0).integers(0, N_ROWS, [32, 4])
    targets = (ids[:, 0] > 3) * 1
    before = [weight.numpy() for weight in model.trainable_weights]

    tl.utils.fit(model, make(0.1), tl.cost.cross_entropy, ids, targets, batch_size=8, n_epoch=3)

    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert np.isfinite(weight).all()
        assert not np.array_equal(weight, old)


REPLICAS = """
import numpy as np
import tensorflow as tf
import tensorlayer as tl

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
rows, values = np.array([[1, 1], [1, 2]]), np.ones([2, 2, 3], "float32")
for name in {names}:
    found = []
    for devices in (["CPU:0"], ["CPU:0", "CPU:1"]):
        strategy = tf.distribute.MirroredStrategy(devices)
        with strategy.scope():
            table = tf.Variable(np.ones([5, 3], "float32"), name="words/embeddings")
            optimizer = getattr(tl.optimizers, name)(0.1)
            optimizer.build([table])

        @tf.function
        def step():
            def of_replica():
                i = tf.distribute.get_replica_context().replica_id_in_sync_group
                mine = tf.reshape(tf.gather(rows, i), [-1]), tf.gather(values, i)
                if len(devices) == 1:
                    mine = tf.reshape(rows, [-1]), tf.reshape(values, [-1, 3])
                gradient = tf.IndexedSlices(mine[1], mine[0], tf.constant([5, 3]))
                optimizer.apply_gradients([(gradient, table)])
            strategy.run(of_replica)

        for _ in range(2):
            step()
        found.append([copy.numpy() for copy in strategy.experimental_local_results(table)])
    (one,), many = found
    assert all(np.allclose(one, each, atol=1e-5) for each in many), (name, one, many)
    print(name)
"""


def test_two_replicas_take_the_step_of_one_with_all_rows():
    ended = subprocess.run(
        [sys.executable, "-c", REPLICAS.replace("{names}", repr(NAMES))],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip

    assert ended.stdout.split() == NAMES, ended.stderr[-2000:]
