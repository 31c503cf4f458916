"""The training steps of Table 1: our step has the operations of the native one, and its numbers."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.workloads import cifar10, ptb, skipgram
from tests.operations import operations

WORKLOADS = {each.WORKLOAD.name: each.WORKLOAD for each in (cifar10, ptb, skipgram)}
#: Which contestant is the twin of the native step, operation for operation.
TWINS = {"CIFAR-10": "TensorLayer", "PTB": ptb.CELLS, "word2vec": "TensorLayer"}


@pytest.fixture(scope="module", params=list(WORKLOADS))
def begun(request):
    tf.random.set_seed(0)
    workload = WORKLOADS[request.param]
    batches = [tuple(map(tf.constant, batch)) for batch in workload.batches(3)]
    return workload, batches, workload.begin()


def test_the_operations_are_those_of_the_native_step(begun):
    workload, batches, made = begun
    specs = [tf.TensorSpec(each.shape, each.dtype) for each in batches[0]]

    native = operations(made["native"].step, *specs)

    assert operations(made[TWINS[workload.name]].step, *specs) == native
    assert native["ResourceApplyGradientDescent"] + native["ResourceScatterAdd"] >= 3


def test_contestants_begin_alike_and_compute_alike(begun):
    workload, batches, made = begun
    if workload.name == "word2vec":  # which words are sampled differs
        assert [float(tf.norm(each.weights[0])) for each in made.values()] == pytest.approx(
            [float(tf.norm(made["native"].weights[0]))] * len(made)
        )
        return
    if workload.name == "PTB":  # gates in another order are other weights
        made = {name: each for name, each in made.items() if name != "Sonnet"}
    costs = {name: [float(each.step(*batch)) for batch in batches] for name, each in made.items()}

    native = costs.pop("native")

    assert native[0] == pytest.approx(
        np.log(cifar10.CLASSES if "CIFAR" in workload.name else ptb.WORDS), rel=0.02
    )
    assert len(set(native)) == 3
    for name, found in costs.items():
        assert found == pytest.approx(native, rel=1e-4), name


@pytest.mark.parametrize("name", list(WORKLOADS))
def test_what_keras_trains_has_as_many_weights(name):
    workload = WORKLOADS[name]
    native = next(iter(workload.contestants.values()))()

    model = workload.keras()
    batch = workload.batches(1)[0]
    before = float(model.train_on_batch(*batch))
    for _ in range(3):
        after = float(model.train_on_batch(*batch))

    count = sum(int(np.prod(weight.shape)) for weight in native.weights)
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == count
    assert after < before


def test_states_of_the_language_model_go_on_from_batch_to_batch():
    tf.random.set_seed(0)
    found = {}
    for name in ("native", "TensorLayer"):
        made = ptb.WORKLOAD.begin()
        x, y = map(tf.constant, ptb.text(1)[0])
        frozen = [tf.identity(each) for each in made[name].weights]
        first = float(made[name].step(x, y))
        for variable, value in zip(made[name].weights, frozen, strict=True):
            variable.assign(value)
        found[name] = first, float(made[name].step(x, y))

    for first, second in found.values():
        assert first != second  # the same words and weights: only the states are others


def test_datasets_hold_the_batches():
    for workload in WORKLOADS.values():
        for expected, found in zip(workload.batches(2), workload.dataset(2), strict=True):
            for a, b in zip(expected, found, strict=True):
                np.testing.assert_array_equal(a, b)
