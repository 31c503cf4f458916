"""Training by parameter servers: real processes, which may die."""

from __future__ import annotations

import signal

import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.train.loop import Loop
from tensorlayer.train.scheduling import Scheduled
from tests.train import cluster

pytestmark = pytest.mark.timeout(300)  # several processes, one after the other


def coordinated(*arguments, kills=False):
    """Return what the coordinator of two workers comes to."""
    server, workers, chief = cluster.start_servers(2, *arguments, kills=kills)
    try:
        found = cluster.ended([chief])[0]
        assert workers[-1].poll() == (-signal.SIGKILL if kills else None)
        return found
    finally:
        for each in (server, *workers, chief):
            each.kill()
            each.wait()


@pytest.mark.slow
def test_workers_learn_what_one_process_learns():
    found = coordinated(None, 30)

    first, last = found["metrics"][0], found["metrics"][-1]
    assert found["n_steps"] == [6] * 30
    assert found["n_traces"] < 10  # not in every epoch
    assert last[0] < 0.05 * first[0]  # the cost of training
    assert last[1] < 0.05 * first[1]  # and of what is evaluated


@pytest.mark.slow
def test_a_run_goes_on_from_its_checkpoint(tmp_path):
    first = coordinated(str(tmp_path), 2)
    second = coordinated(str(tmp_path), 3)

    assert second["n_steps"] == [6, 6, 6]
    assert second["metrics"][:2] == first["metrics"]


@pytest.mark.slow
def test_a_worker_may_die():
    found = coordinated(None, 4, kills=True)

    assert found["n_steps"] == [6] * 4
    assert found["metrics"][-1][1] < found["metrics"][0][1]  # what is held out, after the death


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([1.0, 2.0], "workers read the data themselves, got a list"),
        (tf.data.Dataset.range(3).repeat(), "data of unknown or endless length"),
        (tf.data.Dataset.range(3).filter(lambda x: x > 0), "data of unknown or endless length"),
    ],
)
def test_data_that_workers_cannot_share_is_refused(data, message):
    with pytest.raises(InvalidArgument, match=message):
        Scheduled(Loop.of(lambda x: x), data)


def test_data_without_a_batch_is_over():
    empty = Scheduled(Loop.of(lambda x: x), tf.data.Dataset.range(0))

    assert (empty.n_batches, empty.is_over) == (0, True)
