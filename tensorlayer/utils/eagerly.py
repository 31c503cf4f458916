"""Where `tl.utils.fit`, `test` and `predict` compute if no session is given: in TensorFlow 2."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf

from tensorlayer import train
from tensorlayer.utils import steps
from tensorlayer.utils.steps import Measure

__all__ = ["Eagerly"]


class Eagerly:
    """A network or model, with what training and measuring on arrays ask of it.

    [`tensorlayer.utils.in_session.InSession`][] has the same methods for a session.

    Parameters
    ----------
    network
        The network or model.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Lambda(tl.layers.Input([None, 1]), lambda x: 2 * x)
    >>> Eagerly(net).predict(np.ones([3, 1], "float32"), batch_size=2).ravel().tolist()
    [2.0, 2.0, 2.0]
    """

    def __init__(self, network: Any) -> None:
        self.network = network

    def array(self, values: Any) -> Any:
        """Return a list as an array, of the type that TensorFlow gives it."""
        return tf.convert_to_tensor(values).numpy() if isinstance(values, (list, tuple)) else values

    def batch_size(self, asked: int | None, n: int) -> int:
        """Return how many samples to take at a time: all, unless a number was asked for."""
        return asked or n

    def whole(self, X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the samples that can be measured: all of them."""
        return X, y

    def measuring(
        self, measures: Mapping[str, Measure], is_repeated: bool
    ) -> Callable[..., Mapping[str, Any]]:
        """Return a function of one batch that measures in inference mode."""
        if not is_repeated:
            return steps.measuring_step(self.network, measures)
        others = dict(measures)
        return steps.traced_measuring_step(self.network, others.pop("loss"), others)

    def epochs(
        self,
        train_op: Any,
        measures: Mapping[str, Measure],
        X: np.ndarray,
        y: np.ndarray,
        batch_size: int,
        n_epoch: int,
        callbacks: Sequence[Callable[[train.Epoch], Any]],
    ) -> list[train.Epoch]:
        """Train; call back after each epoch."""
        others = dict(measures)
        step = steps.training_step(self.network, train_op, others.pop("loss"), others)
        data = tf.data.Dataset.from_tensor_slices((X, y)).shuffle(len(X))
        data = data.batch(batch_size, drop_remainder=True).prefetch(2)
        return train.run(step, data, n_epoch=n_epoch, callbacks=list(callbacks))

    @contextmanager
    def board(
        self, path: str, with_histograms: bool, with_graph: bool, X: np.ndarray
    ) -> Iterator[Callable[[train.Epoch], None]]:
        """Give a function that writes an epoch for TensorBoard, within the block."""
        writer = tf.summary.create_file_writer(path)
        weights = self.network.parameters if with_histograms else {}

        def write(epoch: train.Epoch) -> None:
            with writer.as_default(step=epoch.number):
                for name, value in epoch.metrics.items():
                    tf.summary.scalar(name, value)
                for name, variable in weights.items():
                    tf.summary.histogram(name, variable)
            writer.flush()

        try:
            if with_graph:
                _write_graph(writer, self.network, X)
            yield write
        finally:
            writer.close()

    def predict(self, X: np.ndarray, batch_size: int) -> np.ndarray:
        """Return the outputs in inference mode."""
        starts = range(0, len(X), batch_size)
        parts = (tf.convert_to_tensor(X[i : i + batch_size]) for i in starts)
        return np.concatenate([steps.output_of(self.network, x, False).numpy() for x in parts])


def _write_graph(writer: Any, network: Any, X: np.ndarray) -> None:
    spec = tf.TensorSpec([None, *X.shape[1:]], X.dtype)
    infer = tf.function(lambda x: steps.output_of(network, x, False)).get_concrete_function(spec)
    with writer.as_default(step=0):
        tf.summary.graph(infer.graph)
