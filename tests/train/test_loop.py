"""One step, traced once, many in one call: on one device and on two."""

from __future__ import annotations

import copy
import dataclasses
import gc
import itertools
import threading
import weakref

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import BatchNorm, Dense, Input
from tensorlayer.layers.parameters import HasParameters, frozen_now
from tensorlayer.models import Model
from tensorlayer.train import Every, loop, run
from tensorlayer.train.loop import Loop
from tests.train import killed


def same(x):
    return x


def traced(traces, *, is_function=False):
    def step(x):
        traces.append(1)
        return tf.reduce_mean(tf.cast(x, tf.float32))

    return tf.function(step) if is_function else step


@pytest.mark.parametrize("is_function", [False, True])
def test_a_step_is_traced_once_and_not_again_in_a_second_run(is_function):
    traces = []
    step = traced(traces, is_function=is_function)
    data = tf.data.Dataset.range(7).batch(2)

    run(step, data, n_epoch=3)
    assert len(traces) == 1

    for _ in range(3):
        run(step, tf.data.Dataset.range(9).batch(4))
    assert len(traces) == 1


def test_a_function_that_was_traced_for_these_batches_is_not_traced_again():
    traces = []
    step = traced(traces, is_function=True)
    step(tf.constant([1, 2]))

    run(step, tf.data.Dataset.from_tensor_slices([1, 2, 3, 4]).batch(2, drop_remainder=True))

    assert len(traces) == 1


def test_variables_of_an_optimizer_are_the_only_reason_for_a_second_trace():
    network, traces = killed.Network(), []

    def step(x, y):
        traces.append(1)
        return network.step(x, y)

    for _ in range(2):
        run(step, tf.data.Dataset.from_tensor_slices(killed.samples()[0]).batch(2), n_epoch=2)

    assert len(traces) == 2


def test_the_loop_itself_is_traced_once():
    def step(x):
        return x

    loop = Loop.of(step)
    for _ in range(3):
        run(step, tf.data.Dataset.range(7), n_epoch=2)

    assert Loop.of(step) is loop
    assert loop._functions[1].experimental_get_tracing_count() == 1


class Trainer:
    def __init__(self, factor=1):
        self.factor, self.traces = factor, 0

    def step(self, x):
        self.traces += 1
        return self.factor * x

    def other(self, x):
        return 10 * self.factor * x


def test_methods_have_loops_of_their_own():
    one, two = Trainer(1), Trainer(2)
    data = tf.data.Dataset.from_tensors(1.0)

    for _ in range(2):
        found = [run(f, data)[0].metrics["loss"] for f in (one.step, two.step, one.other)]
        assert found == [1.0, 2.0, 10.0]
    assert (one.traces, two.traces) == (1, 1)


def run_and_forget(kind):
    network, trainer = killed.Network(), Trainer()
    step = {
        "function": lambda x: tf.reduce_sum(x),
        "tf.function": tf.function(lambda x: tf.reduce_sum(x)),
        "method": trainer.step,
        "variables": lambda x: network.step(x, x[:, :1]),
    }[kind]
    batch = 1.0 if kind == "method" else [[1.0, 2.0]]
    run(step, tf.data.Dataset.from_tensors(batch).repeat(5))
    return weakref.ref(trainer if kind == "method" else step)


@pytest.mark.parametrize("kind", ["function", "tf.function", "method", "variables"])
def test_a_step_that_was_run_can_be_forgotten(kind):
    alive = run_and_forget(kind)

    gc.collect()

    assert alive() is None


def test_a_step_that_cannot_be_held_weakly_is_run_all_the_same():
    class Slotted:
        __slots__ = ()

        def __call__(self, x):
            return x

    assert run(Slotted(), tf.data.Dataset.from_tensors(2.0))[0].metrics == {"loss": 2.0}


def test_many_short_runs_leave_memory_flat():
    (grown,) = killed.run("grow", [100])

    assert grown < 8, f"100 runs of one step left {grown:.1f} MB"  # traced anew: 70 MB


@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "AMSGrad"])
def test_two_devices_come_to_the_same_as_one_and_in_few_calls(optimizer):
    (found,) = killed.run("train_on_two_devices", [optimizer])

    np.testing.assert_allclose(*found["weights"], atol=1e-5)
    np.testing.assert_allclose(*found["losses"], atol=1e-5)
    assert sum(found["calls"]) == 11
    assert max(found["calls"]) > 3


def batches():
    return [np.full([n, 2], n, "float32") for n in (4, 4, 3, 1, 7)]


@pytest.mark.parametrize("make", [batches, lambda: iter(batches()), lambda: (b for b in batches())])
def test_batches_of_python_may_change_their_size(make):
    seen, traces = [], []
    total = tf.Variable(0.0)

    def step(x):
        traces.append(1)
        tf.py_function(lambda x: seen.append(x.numpy().shape), [x], [])
        total.assign_add(tf.reduce_sum(x))
        return tf.reduce_mean(x)

    epochs = run(step, make())

    assert sorted(seen) == sorted((n, 2) for n in (4, 4, 3, 1, 7))
    assert total.numpy() == 2 * (16 + 16 + 9 + 1 + 49)
    assert (epochs[0].n_steps, epochs[0].metrics["loss"]) == (5, pytest.approx(19 / 5))
    assert len(traces) <= 3


def test_batches_of_python_train_like_those_of_tensorflow():
    networks = killed.Network(), killed.Network()
    samples = killed.samples()
    tensors = tf.data.Dataset.from_generator(
        lambda: samples, output_signature=(tf.TensorSpec([4, 2]), tf.TensorSpec([4, 1]))
    )

    run(networks[0].step, samples, n_epoch=3)
    run(networks[1].step, tensors, n_epoch=3)

    assert networks[0].weights() == networks[1].weights()


def test_numbers_and_dictionaries_of_python_are_batches_too():
    assert run(lambda x: x, [1.0, 2.0, 6.0])[0].metrics["loss"] == 3.0
    assert run(lambda d: d["a"] * d["b"], [{"a": 2.0, "b": 3.0}])[0].metrics["loss"] == 6.0


@pytest.mark.parametrize("data", [tf.data.Dataset.range(3), [1, 2, 3]])
@pytest.mark.parametrize(
    ("result", "message"),
    [
        (None, "got None as 'loss'. Return the loss, or {'loss': loss}"),
        ({"cost": None}, "got None as 'cost'"),
        ((1.0, 2.0), "got 'loss' of type tuple. Name several in a dictionary"),
        ([[1.0]], "got 'loss' of type list"),
        (tf.zeros([2, 3]), r"got 'loss' of shape \(2, 3\). Reduce it"),
        ({"name": tf.constant("a")}, "got 'name' of type string"),
    ],
)
def test_what_a_step_returns_is_looked_at_before_it_runs(data, result, message):
    steps = tf.Variable(0)

    def step(x):
        steps.assign_add(1)
        return result

    with pytest.raises(InvalidArgument, match=message):
        run(step, data)
    assert steps.numpy() == 0


def test_python_control_flow_is_converted():
    def step(x):
        if x > 2:
            x *= 10
        while x > 35:
            x -= 1
        return x

    assert run(step, tf.data.Dataset.range(5))[0].metrics["loss"] == (0 + 1 + 2 + 30 + 35) / 5
    assert run(step, [1, 4])[0].metrics["loss"] == 18


def test_a_variable_that_depends_on_the_batch_has_to_be_made_before():
    made = []

    def step(x):
        if not made:
            made.append(tf.Variable(x))
        return made[0]

    with pytest.raises(InvalidArgument, match="initial value is computed from the batch"):
        run(step, tf.data.Dataset.from_tensors(1.0))


def test_between_calls_no_batch_is_drawn_ahead():
    running = Loop.of(same).begin(tf.data.Dataset.range(10))
    count = 0
    while count < 7:
        count += running.advance(at_most=7 - count)[0]

    assert next(running.iterator).numpy() == 7
    assert not running.is_over


def test_a_pass_is_over_when_the_data_has_come_to_its_end():
    running = Loop.of(same).begin([1.0, 2.0])
    calls = []
    while not running.is_over:
        calls.append(running.advance(at_most=100))

    assert sum(count for count, _ in calls) == 2
    assert sum(sums.get("loss", 0) for _, sums in calls) == 3.0


def test_batches_that_were_used_are_passed_over():
    running = Loop.of(same).begin([1, 2, 3])
    running.skip(2)
    assert list(running.iterator) == [3]

    with pytest.raises(InvalidArgument, match="4 of them were used already, and now there are 3"):
        Loop.of(same).begin([1, 2, 3]).skip(4)


def double(x):
    return 2 * x


def endless(at_the_end):
    """Return data without an end, and what is called when its iterator is gone."""

    def batches():
        try:
            yield from itertools.repeat(1.0)
        finally:
            at_the_end()

    return tf.data.Dataset.from_generator(batches, output_signature=tf.TensorSpec([]))


def test_training_does_not_wait_for_the_end_of_an_iterator():
    may_end, has_ended = threading.Event(), threading.Event()

    def end():
        may_end.wait(60)
        has_ended.set()

    running = Loop.of(double).begin(endless(end))
    running.advance(at_most=3)
    running.is_over = True  # whatever it still holds
    running.close()

    assert not has_ended.is_set()
    may_end.set()
    assert has_ended.wait(60)


def test_steps_over_other_data_begin_with_one_in_a_call():
    """A step that takes ten thousand times as long could not be interrupted for an hour."""
    short, other = (tf.data.Dataset.range(1000).map(lambda x: x) for _ in range(2))
    steps = Loop.of(double)
    counts = []
    for data in (short, short, other):
        running = steps.begin(data)
        counts.append(running.advance(at_most=1000)[0])
        while not running.is_over:
            running.advance(at_most=1000)

    assert counts[0] == counts[2] == 1
    assert counts[1] > 1


def test_steps_begin_with_one_in_a_call_where_something_was_frozen_or_thawed():
    data = tf.data.Dataset.range(1000)
    steps, layer = Loop.of(double), Dense(n_units=1, in_channels=1)

    def first_call():
        running = steps.begin(data)
        count = running.advance(at_most=1000)[0]
        while not running.is_over:
            running.advance(at_most=1000)
        return count

    first_call()
    assert first_call() > 1
    layer.trainable = False
    assert first_call() == 1


def test_nothing_is_a_part_of_a_batch_as_well():
    (epoch,) = run(lambda x, y: x if y is None else y, [(np.float32(3.0), None)])

    assert epoch.metrics == {"loss": 3.0}


def test_data_that_is_left_unread_is_closed_when_training_ends():
    ends = []
    data = endless(lambda: ends.append("closed"))

    (epoch,) = run(lambda x: x, data, callbacks=[Every(3, lambda interval: True)])

    assert epoch.n_steps == 3
    assert ends == ["closed"]


def test_steps_that_are_equal_are_not_one_step():
    @dataclasses.dataclass(frozen=True)
    class Trainer:
        rate: float
        total: tf.Variable = dataclasses.field(compare=False)

        def step(self, x):
            return self.total.assign_add(self.rate * x)

    one, other = (Trainer(1.0, tf.Variable(0.0)) for _ in range(2))
    data = tf.data.Dataset.from_tensors(3.0)

    run(one.step, data)
    run(other.step, data)

    assert (one.total.numpy(), other.total.numpy()) == (3.0, 3.0)


# -- freezing


def fine_tuned():
    x = Input([None, 2], name="x")
    model = Model(x, Dense(BatchNorm(Dense(x, 3, name="body"), name="bn"), 1, name="head"))
    traces = []

    def step(x):
        traces.append(1)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(x, is_train=True) - 1.0) ** 2)
        weights = model.trainable_weights
        for weight, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
            weight.assign_sub(0.1 * gradient)
        return loss

    return model, step, traces


def moved(model, work):
    before = model.to_arrays()
    work()
    after = model.to_arrays()
    return {n.split("/")[0] for n in before if not np.array_equal(before[n], after[n])}


SAMPLES = np.random.default_rng(0).normal(size=(8, 2)).astype("float32")
BATCHES = [tf.data.Dataset.from_tensor_slices(SAMPLES).batch(4), [SAMPLES[:4], SAMPLES[4:]]]


@pytest.mark.parametrize("batches", BATCHES, ids=["dataset", "list"])
def test_what_is_frozen_or_thawed_between_runs_is_so_in_the_next(batches):
    model, step, traces = fine_tuned()
    parts = [model.get_layer(name) for name in ("body", "bn")]

    def trained():
        return moved(model, lambda: run(step, batches))

    assert trained() == {"body", "bn", "head"}
    for part in parts:
        part.trainable = False
    assert trained() == {"head"}
    for part in parts:
        part.trainable = True
    assert trained() == {"body", "bn", "head"}
    assert len(traces) == 2, "what was traced before is found again"


def test_what_a_callback_freezes_stands_still_in_the_next_epoch():
    model, step, _ = fine_tuned()
    seen = []

    def freeze(epoch):
        model.get_layer("body").trainable = False
        seen.append(model.to_arrays()["body/weights"])

    run(step, BATCHES[0], n_epoch=3, callbacks=[freeze])

    np.testing.assert_array_equal(seen[0], seen[2])


def test_what_others_freeze_keeps_a_few_traces_at_most(monkeypatch):
    """A program that freezes models for ever would else keep a trace for each of them."""
    monkeypatch.setattr(loop, "MAX_TRACED", 2)
    gc.collect()  # what other tests have frozen ends here, and not between two steps
    _, step, traces = fine_tuned()
    held = []
    for _ in range(4):
        frozen = Dense(n_units=1, in_channels=1, name=f"other_{len(held)}")
        frozen.trainable = False
        held.append(frozen)
        run(step, BATCHES[0])
    assert len(traces) == 4
    assert len(Loop.of(step)._traced) == 2


def test_one_that_is_frozen_in_the_place_of_another_is_not_mistaken_for_it():
    """The second may get the very address of the first."""
    for _ in range(20):
        first = HasParameters()
        first.trainable = False
        before = frozen_now()
        address = id(first)
        del first
        gc.collect()
        second = HasParameters()
        second.trainable = False
        assert frozen_now() != before
        if id(second) == address:
            return
        del second
    pytest.skip("no address was given twice")


def test_a_copy_of_what_is_frozen_is_frozen_for_itself():
    frozen = HasParameters()
    frozen.trainable = False
    copied = copy.deepcopy(frozen)
    assert not copied.trainable
    both = frozen_now()
    frozen.trainable = True
    assert frozen_now() != both
    assert not copied.trainable
    frozen.trainable = False
    assert frozen_now() == both
