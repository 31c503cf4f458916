"""The processes that train one network together: who leads, and what they agree on."""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import re
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument

__all__ = ["Workers", "are_parameter_servers", "require_cluster"]

_END = object()

#: What ``TF_CONFIG`` is, for those who have it wrong.
_EXAMPLE = (
    '{"cluster": {"worker": ["10.0.0.1:5000", "10.0.0.2:5000"]}, '
    '"task": {"type": "worker", "index": 0}}'
)


class Workers:
    """The processes of the strategy in whose scope this is made; without one, this one alone.

    All of them run the same program in lockstep: whatever one of them alone would decide by its
    clock or by a signal, they have to agree on, or they would wait for each other for ever. The
    *chief* is the first of them; it writes what is written once.

    Attributes
    ----------
    n
        How many there are.
    is_chief
        Whether this is the first of them.

    Examples
    --------
    >>> workers = Workers()
    >>> workers.n, workers.is_chief, workers.least(3), workers.any(False)
    (1, True, 3, False)
    """

    def __init__(self) -> None:
        strategy = tf.distribute.get_strategy()
        self.n, self.is_chief = 1, True
        if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            cluster = strategy.cluster_resolver
            tasks = cluster.cluster_spec().as_dict()
            self.n = max(1, sum(len(tasks.get(kind, ())) for kind in ("chief", "worker")))
            kind = "chief" if "chief" in tasks else "worker"
            self.is_chief = self.n == 1 or (cluster.task_type, cluster.task_id) == (kind, 0)

    def gathered(self, value: int) -> list[int]:
        """Return the numbers that the workers give, in their order; all have to ask together."""
        if self.n == 1:
            return [value]
        gather = _gathering(tf.distribute.get_strategy())
        return gather(tf.constant([value], tf.int64)).numpy().tolist()

    def least(self, value: int) -> int:
        """Return the smallest of the numbers that the workers give."""
        return min(self.gathered(value))

    def any(self, flag: bool) -> bool:
        """Whether one of the workers says so."""
        return self.least(int(not flag)) == 0

    def require_alike(self, what: str, value: Any) -> None:
        """Raise InvalidArgument unless the value is the same on all workers.

        Parameters
        ----------
        what
            Which is to be the same, for the error.
        value
            Something whose ``repr`` says all that counts.
        """
        if len(set(self.gathered(zlib.crc32(repr(value).encode())))) > 1:
            raise InvalidArgument(
                f"training by {self.n} workers: {what} must be the same on all of them, and they "
                f"differ; here: {value!r}."
            )

    def spread(self, data: Any) -> Any:
        """Return data of which each worker gets its share in every batch; others as they are.

        Raises
        ------
        InvalidArgument
            Workers have different numbers of batches, or batches of something else.
        """
        if self.n == 1 or not isinstance(data, tf.data.Dataset):
            return data
        found = {"batches": int(data.cardinality()), "of": data.element_spec}
        self.require_alike("the data, of which each takes its share,", found)
        return tf.distribute.get_strategy().experimental_distribute_dataset(data)

    def in_step(self, batches: Iterator[Any]) -> Iterator[Any]:
        """Yield the batches of this worker, as long as all of them have one.

        Raises
        ------
        InvalidArgument
            Some have come to their end, and others have not: they would wait for ever.
        """
        for count in itertools.count():
            batch = next(batches, _END)
            what = f"whether there is another batch, after {count} of this epoch,"
            self.require_alike(what, "none" if batch is _END else "yes")
            if batch is _END:
                return
            yield batch

    @contextlib.contextmanager
    def written(self, folder: str) -> Iterator[str]:
        """Return the folder to write to: all take part in saving, and only the chief keeps it."""
        if self.is_chief:
            yield folder
            return
        scratch = tempfile.mkdtemp(prefix="tensorlayer-")
        try:
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


@functools.lru_cache(maxsize=1)  # one that several workers have is made once in a process
def _gathering(strategy: tf.distribute.Strategy) -> Any:
    """Return a function of a number on each worker that returns all of them."""

    @tf.function
    def gather(value: tf.Tensor) -> tf.Tensor:
        return strategy.gather(strategy.run(lambda: tf.identity(value)), axis=0)

    return gather


def require_cluster(config: str) -> None:
    """Raise InvalidArgument unless ``TF_CONFIG`` says where the others are, and who this one is.

    TensorFlow would say so in its own words, or wait for ever. Without a cluster it is right.

    Examples
    --------
    >>> require_cluster('{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"index": 0}}')
    Traceback (most recent call last):
    ...
    tensorlayer.errors.InvalidArgument: TF_CONFIG: the type of the task is one of the cluster's,
    'worker', got None. It is, for example, {"cluster": ...
    """
    try:
        found = json.loads(config)
    except ValueError as error:
        raise _wrong(f"it is JSON, got {config!r} ({error})") from error
    cluster = found.get("cluster") if isinstance(found, dict) else None
    if cluster in (None, {}) and isinstance(found, dict):
        return
    if not (isinstance(cluster, dict) and all(isinstance(e, list) for e in cluster.values())):
        raise _wrong(f"the cluster has a list of addresses for each type of task, got {cluster!r}")
    addresses = [address for each in cluster.values() for address in each]
    for address in addresses:
        if not re.fullmatch(r".+:\d+", str(address)):
            raise _wrong(f"an address is 'host:port', got {address!r}")
        if addresses.count(address) > 1:
            raise _wrong(f"each task has an address of its own, got {address!r} twice")
    task = found.get("task")
    kind, index = (task.get("type"), task.get("index")) if isinstance(task, dict) else (None, None)
    if kind not in cluster:
        kinds = ", ".join(map(repr, cluster))
        raise _wrong(f"the type of the task is one of the cluster's, {kinds}, got {kind!r}")
    if not re.fullmatch(r"\d+", str(index)) or int(index) >= len(cluster[kind]):
        last = len(cluster[kind]) - 1
        raise _wrong(f"the index of a {kind} is a number from 0 to {last}, got {index!r}")


def _wrong(rule: str) -> InvalidArgument:
    return InvalidArgument(f"TF_CONFIG: {rule}. It is, for example, {_EXAMPLE}.")


def are_parameter_servers(strategy: tf.distribute.Strategy) -> bool:
    """Whether workers train by themselves, and find the weights on servers.

    Examples
    --------
    >>> are_parameter_servers(tf.distribute.get_strategy())
    False
    """
    return isinstance(strategy, tf.distribute.ParameterServerStrategy)
