"""Several processes train one network: real ones, over the network of this machine."""

from __future__ import annotations

import signal

import numpy as np
import pytest

from tensorlayer.train.workers import Workers
from tests.train import cluster

pytestmark = pytest.mark.timeout(300)  # several processes, one after the other

KILL, TERM = int(signal.SIGKILL), int(signal.SIGTERM)
N_STEPS = cluster.N_EPOCH * -(-cluster.N_SAMPLES // cluster.BATCH)


@pytest.fixture(scope="module")
def one():
    """Return what a single process comes to: one of its own, without the seeds of other tests."""
    return cluster.ended(cluster.start(1, "alone"))[0]


def require_same(found, expected):
    assert found["n_steps"] == expected["n_steps"]
    np.testing.assert_allclose(found["weights"], expected["weights"], atol=1e-5)
    np.testing.assert_allclose(found["metrics"], expected["metrics"], atol=1e-5)


def test_without_a_strategy_this_process_is_the_chief():
    workers = Workers()

    assert (workers.n, workers.is_chief) == (1, True)
    assert [workers.least(-2), workers.any(True), workers.any(False)] == [-2, True, False]
    with workers.written("here") as folder:
        assert folder == "here"


def test_data_of_one_process_stays_as_it_is():
    data = cluster.dataset()

    assert Workers().spread(data) is data


@pytest.mark.slow
def test_two_workers_come_to_the_result_of_one(one):
    first, second = cluster.ended(cluster.start(2, "train"))

    require_same(first, one)
    require_same(second, one)


@pytest.mark.slow
def test_after_a_worker_was_killed_the_run_goes_on(tmp_path, one):
    chief_dies = cluster.start(2, "train", str(tmp_path), per_worker={0: [KILL, 5]})
    found = cluster.ended(chief_dies)
    assert found[0] == -KILL
    assert found[1] != 0  # it does not wait for ever

    other_dies = cluster.start(2, "train", str(tmp_path), per_worker={1: [KILL, 11]})
    found = cluster.ended(other_dies)
    assert found[1] == -KILL

    first, second = cluster.ended(cluster.start(2, "train", str(tmp_path)))
    require_same(first, one)
    require_same(second, one)


@pytest.mark.slow
def test_a_signal_to_one_worker_ends_all_and_nothing_is_lost(tmp_path, one):
    found = cluster.ended(cluster.start(2, "train", str(tmp_path), per_worker={1: [TERM, 9]}))
    assert found == [-TERM, -TERM]

    first, second = cluster.ended(cluster.start(2, "train", str(tmp_path)))
    require_same(first, one)
    require_same(second, one)


@pytest.mark.slow
def test_workers_that_call_different_things_are_told_before_they_wait():
    chief, other = cluster.ended(cluster.start(2, "unlike"))

    assert "training by 2 workers: what is called between steps" in chief
    assert "they differ; here: {'every': [], 'callbacks': True" in chief
    assert "'callbacks': False" in other


@pytest.mark.slow
def test_workers_do_not_choose_by_the_clock():
    found = cluster.ended(cluster.start(2, "hesitant"))

    assert all("jit_compile='auto'. Give True or False" in each for each in found)


@pytest.mark.slow
def test_outside_of_the_scope_nobody_waits_for_nobody():
    found = cluster.ended(cluster.start(2, "outside"))

    assert all("call tl.train.run, or the step, within strategy.scope()" in each for each in found)


@pytest.mark.slow
def test_one_worker_ends_training_for_all(tmp_path):
    started = cluster.start(2, "train", str(tmp_path), None, 0, per_worker={1: [8]})

    first, second = cluster.ended(started)

    assert first["n_steps"] == second["n_steps"] == [6, 2]
    assert sorted(path.name for path in tmp_path.iterdir())[:1] == ["checkpoint"]
