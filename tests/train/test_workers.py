"""Several processes train one network: real ones, over the network of this machine."""

from __future__ import annotations

import json
import signal

import numpy as np
import pytest

from tensorlayer.errors import InvalidArgument
from tensorlayer.train.workers import Workers, require_cluster
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
    assert list(Workers().in_step(iter([3, None, 5]))) == [3, None, 5]


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
def test_workers_that_have_different_data_are_told_before_they_wait():
    found = cluster.ended(cluster.start(2, "misfits"))

    for each in found:
        for name in ("amounts", "amounts of every epoch", "of something else", "held out"):
            assert "by 2 workers: the data, of which each takes its share, must" in each[name]
        for name in ("lists", "an empty list"):
            assert "by 2 workers: the number of batches must be the same" in each[name]
        assert "'epoch': (1, " in each["epochs"]
        assert "there is another batch, after 2 of this epoch, must" in each["generators"]
        assert [each["lists alike"][0], each["unknown"][0], each["a sample"][0]] == [2, 6, 1]
    assert ["here: {'batches': 2" in each["amounts"] for each in found] == [True, False]
    assert found[0]["lists alike"] == found[1]["lists alike"]
    assert found[0]["unknown"] == found[1]["unknown"]


EXAMPLE = {"cluster": {"worker": ["a:1", "b:1"], "ps": ["c:1"]}, "task": {"type": "ps", "index": 0}}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"cluster": []}, r"the cluster has a list of addresses for each type of task, got \[\]"),
        ({"cluster": {"worker": "a:1"}}, r"a list of addresses .*got {'worker': 'a:1'}"),
        ({"cluster": {"ps": ["a"]}}, r"an address is 'host:port', got 'a'"),
        ({"cluster": {"ps": ["a:1", "a:1"]}}, r"an address of its own, got 'a:1' twice"),
        ({"task": None}, r"is one of the cluster's, 'worker', 'ps', got None"),
        ({"task": {"type": "chief", "index": 0}}, r"'worker', 'ps', got 'chief'\. It is, for exam"),
        ({"task": {"type": "ps"}}, r"index of a ps is a number from 0 to 0, got None"),
        ({"task": {"type": "ps", "index": 1}}, r"index of a ps is a number from 0 to 0, got 1"),
        ({"task": {"type": "worker", "index": -1}}, r"a worker is a number from 0 to 1, got -1"),
    ],
)
def test_a_wrong_cluster_is_named(changed, message):
    require_cluster(json.dumps(EXAMPLE))
    with pytest.raises(InvalidArgument, match=f"^TF_CONFIG: .*{message}"):
        require_cluster(json.dumps({**EXAMPLE, **changed}))


def test_what_is_no_json_is_no_cluster():
    with pytest.raises(InvalidArgument, match=r"it is JSON, got \"{'cluster'\""):
        require_cluster("{'cluster'")
    with pytest.raises(InvalidArgument, match=r"a list of addresses .* got None"):
        require_cluster("[]")


@pytest.mark.parametrize(
    "config",
    [
        "{}",
        '{"task": {}}',
        '{"cluster": {}}',
        json.dumps({**EXAMPLE, "task": {"type": "worker", "index": "1"}}),
    ],
)
def test_without_a_cluster_or_with_an_index_in_text_it_is_right(config):
    require_cluster(config)


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
