"""Where `tl.utils.fit`, `test` and `predict` compute if a session of TensorFlow 1 comes first.

They take then the arguments of TensorLayer 1.x, in its order: those of today, with the session
before them and the placeholders behind the arrays that they are fed with.

    tl.utils.fit(sess, network, train_op, cost, X_train, y_train, x, y_, acc=acc, n_epoch=200)
    tl.utils.test(sess, network, acc, X_test, y_test, x, y_, batch_size=None, cost=cost)
    tl.utils.predict(sess, network, X, x, y_op, batch_size=100)

``train_op`` is an operation, ``cost``, ``acc`` and ``y_op`` are tensors. Dropout is fed: with the
values of ``network.all_drop`` to train, with ones to measure and to predict.

A placeholder that was made for batches of one size gets no others. ``fit`` and ``test`` leave out
the last, shorter batch; ``predict`` fills it up for the while.
"""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import tensorflow as tf

from tensorlayer import seeds, train
from tensorlayer.errors import InvalidArgument
from tensorlayer.sessions import explained, first_or_named, only_batch_size, require_session
from tensorlayer.utils.conversions import dict_to_one

__all__ = ["InSession", "also_in_session"]

v1 = tf.compat.v1

Function = TypeVar("Function", bound=Callable[..., Any])


def also_in_session(after: str, *placeholders: str) -> Callable[[Function], Function]:
    """Let a function of a network take a session first, with the arguments of TensorLayer 1.x.

    The function gets an [`InSession`][] for its network. The signature that is shown stays its own.

    Parameters
    ----------
    after
        The argument behind which 1.x had the placeholders.
    placeholders
        What it called them.

    Examples
    --------
    >>> @also_in_session("X", "x", "y_op")
    ... def predict(network, X, batch_size=None):
    ...     return network, X, batch_size
    >>> predict("net", [1])
    ('net', [1], None)
    >>> predict(tf.compat.v1.Session(graph=tf.Graph()), "net", [1], None)
    Traceback (most recent call last):
    tensorlayer.errors.InvalidArgument: predict: missing a required argument: 'y_op'. With a session
    it takes (sess, network, X, x, y_op, batch_size=None).
    """

    def decorate(function: Function) -> Function:
        shown = _signature_of_1x(function, after, placeholders)
        who = function.__name__

        def of_session(*args: Any, **kwargs: Any) -> Any:
            try:
                bound = shown.bind(*args, **kwargs)
            except TypeError as error:
                raise InvalidArgument(
                    f"{who}: {error}. With a session it takes {shown}."
                ) from error
            given = dict(bound.arguments)
            sess, network = given.pop("sess"), given.pop("network")
            fed = {name: given.pop(name) for name in placeholders}
            return function(InSession(sess, network, who, **fed), **given)

        of_session.__signature__ = shown  # type: ignore[attr-defined]
        return first_or_named(of_session)(function)

    return decorate


def _signature_of_1x(
    function: Callable[..., Any], after: str, placeholders: Sequence[str]
) -> inspect.Signature:
    plain = inspect.Parameter.POSITIONAL_OR_KEYWORD
    today = [
        each.replace(annotation=inspect.Parameter.empty)
        for each in inspect.signature(function).parameters.values()
    ]
    place = [each.name for each in today].index(after) + 1
    added = [inspect.Parameter(name, plain) for name in placeholders]
    return inspect.Signature(
        [inspect.Parameter("sess", plain), *today[:place], *added, *today[place:]]
    )


class InSession:
    """A network of a TensorFlow 1 graph, with what training and measuring on arrays ask of it.

    [`tensorlayer.utils.eagerly.Eagerly`][] has the same methods for TensorFlow 2.

    Parameters
    ----------
    sess
        The session, whose variables are initialized.
    network
        The network, with ``all_drop``.
    who
        The function that is called, for messages.
    x, y_
        The placeholders of samples and targets.
    y_op
        What ``predict`` is to compute.

    Raises
    ------
    InvalidArgument
        The session is none, or of another graph.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
    ...     x = tf.compat.v1.placeholder(tf.float32, [None, 1])
    ...     net = tl.layers.LambdaLayer(tl.layers.InputLayer(x), lambda x: 2 * x)
    ...     found = InSession(sess, net, "predict", x, y_op=net.outputs).predict([[1.0], [2.0]], 1)
    >>> found.ravel().tolist()
    [2.0, 4.0]
    """

    def __init__(
        self, sess: Any, network: Any, who: str, x: Any = None, y_: Any = None, y_op: Any = None
    ) -> None:
        if not hasattr(network, "all_drop") or not hasattr(network, "outputs"):
            raise InvalidArgument(
                f"{who}: after the session comes a network, got {network!r}. Without a session the "
                "network comes first."
            )
        require_session(sess, getattr(network.outputs, "graph", None), who)
        self.sess, self.network, self.who = sess, network, who
        self.x, self.y_, self.y_op = x, y_, y_op

    def array(self, values: Any) -> Any:
        """Return a list as an array, which can be taken apart by index."""
        return np.asarray(values) if isinstance(values, (list, tuple)) else values

    def batch_size(self, asked: int | None, n: int) -> int:
        """Return how many samples to feed at a time.

        Raises
        ------
        InvalidArgument
            The placeholders were made for batches of another size.
        """
        only = only_batch_size(self.x, self.y_)
        if only is None:
            return asked or n
        if asked not in {None, only}:
            raise InvalidArgument(
                f"{self.who}: the placeholders take batches of {only} only, and batch_size is "
                f"{asked!r}. Give batch_size={only}, or make them of shape [None, ...]."
            )
        return only

    def whole(self, X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the samples that can be measured: of full batches, if others cannot be fed.

        Raises
        ------
        InvalidArgument
            There is not one full batch.
        """
        only = only_batch_size(self.x, self.y_)
        if only is None or len(X) != len(y):
            return X, y
        n = len(X) // only * only
        if len(X) and not n:
            raise InvalidArgument(
                f"{self.who}: there are {len(X)} samples to be measured, and the placeholders take "
                f"batches of {only} only. Give more samples, or make them of shape [None, ...]."
            )
        return X[:n], y[:n]

    def measuring(
        self, measures: Mapping[str, tf.Tensor], is_repeated: bool
    ) -> Callable[..., Mapping[str, float]]:
        """Return a function of one batch that evaluates tensors with every dropout off."""
        del is_repeated  # a graph is made once in any case
        self._require_scalars(measures)
        off = dict_to_one(self.network.all_drop)

        def step(X: np.ndarray, y: np.ndarray) -> Mapping[str, float]:
            return self._run(dict(measures), {self.x: X, self.y_: y, **off})

        return step

    def epochs(
        self,
        train_op: Any,
        measures: Mapping[str, tf.Tensor],
        X: np.ndarray,
        y: np.ndarray,
        batch_size: int,
        n_epoch: int,
        callbacks: Sequence[Callable[[train.Epoch], Any]],
    ) -> list[train.Epoch]:
        """Train; call back after each epoch."""
        self._require_scalars(measures)
        if hasattr(train_op, "apply_gradients"):
            raise InvalidArgument(
                f"{self.who}: with a session train_op is an operation, got {train_op!r}. Give what "
                "its minimize(cost) returns."
            )
        rng, epochs = seeds.generator(), []
        for number in range(1, n_epoch + 1):
            started, sums, n_steps = time.perf_counter(), dict.fromkeys(measures, 0.0), 0
            order = rng.permutation(len(X))
            for start in range(0, len(X) - batch_size + 1, batch_size):
                batch = order[start : start + batch_size]
                feed = {self.x: X[batch], self.y_: y[batch], **self.network.all_drop}
                found, _ = self._run([dict(measures), train_op], feed)
                sums = {name: total + float(found[name]) for name, total in sums.items()}
                n_steps += 1
            means = {name: total / n_steps for name, total in sums.items()}
            seconds = time.perf_counter() - started
            epochs.append(
                train.Epoch(number=number, n_steps=n_steps, seconds=seconds, metrics=means)
            )
            for callback in callbacks:
                callback(epochs[-1])
        return epochs

    @contextmanager
    def board(
        self, path: str, with_histograms: bool, with_graph: bool, X: np.ndarray
    ) -> Iterator[Callable[[train.Epoch], None]]:
        """Give a function that writes an epoch for TensorBoard, within the block."""
        del X
        weights = self.network.all_params if with_histograms else []
        if weights and self.sess.graph.finalized:
            raise InvalidArgument(
                f"{self.who}: histograms of weights are operations, and the graph of this session "
                "is finalized. Give tensorboard_weight_histograms=False."
            )
        with self.sess.graph.as_default():
            # Not v1.summary.histogram: that would number the tags.
            ops = [tf.raw_ops.HistogramSummary(tag=each.op.name, values=each) for each in weights]
            histograms = v1.summary.merge(ops, collections=[]) if ops else None
            writer = v1.summary.FileWriter(path, self.sess.graph if with_graph else None)

        def write(epoch: train.Epoch) -> None:
            means = [v1.Summary.Value(tag=n, simple_value=v) for n, v in epoch.metrics.items()]
            writer.add_summary(v1.Summary(value=means), epoch.number)
            if histograms is not None:
                writer.add_summary(self.sess.run(histograms), epoch.number)
            writer.flush()

        try:
            yield write
        finally:
            writer.close()  # else its thread and its file stay as long as the process

    def predict(self, X: np.ndarray, batch_size: int) -> Any:
        """Return the tensor, or structure of tensors, for all samples, with every dropout off."""
        off, only = dict_to_one(self.network.all_drop), only_batch_size(self.x)
        parts = []
        for start in range(0, len(X), batch_size):
            part = X[start : start + batch_size]
            if only in {None, len(part)}:
                found = self._run(self.y_op, {self.x: part, **off})
            else:
                last = np.repeat(part[-1:], only - len(part), axis=0)
                found = self._run(self.y_op, {self.x: np.concatenate([part, last]), **off})
                found = tf.nest.map_structure(
                    functools.partial(self._first, n=len(part), filled=only), found
                )
            parts.append(found)
        if len(parts) == 1:
            return parts[0]
        return tf.nest.map_structure(lambda *each: self._joined(each), *parts)

    def _first(self, found: Any, n: int, filled: int) -> Any:
        """Return what is of the first ``n`` of ``filled`` samples; each may have several rows."""
        rows = np.shape(found)[0] if np.ndim(found) else 0
        if rows == 0 or rows % filled:
            raise InvalidArgument(
                f"{self.who}: the last batch has {n} samples of the {filled} that the placeholder "
                f"takes, and y_op is of shape {np.shape(found)}: nobody can tell which values are "
                f"theirs. Give a multiple of {filled} samples, or a placeholder of shape "
                "[None, ...]."
            )
        return found[: rows // filled * n]

    def _joined(self, parts: Sequence[Any]) -> np.ndarray:
        if np.ndim(parts[0]) == 0:
            raise InvalidArgument(
                f"{self.who}: y_op is one value for a whole batch, so that those of several "
                "batches cannot be joined. Give a tensor with a value for each sample, or "
                "batch_size=None."
            )
        return np.concatenate(parts)

    def _run(self, fetches: Any, feed: Mapping[Any, Any]) -> Any:
        with explained(self.sess, self.who):
            return self.sess.run(fetches, feed)

    def _require_scalars(self, measures: Mapping[str, Any]) -> None:
        for name, tensor in measures.items():
            if not tf.is_tensor(tensor) or tensor.shape.rank not in {0, None}:
                raise InvalidArgument(
                    f"{self.who}: with a session, cost and acc are scalar tensors of its graph; "
                    f"got {tensor!r} for {name}. Take tf.reduce_mean of it, if it is a tensor."
                )
