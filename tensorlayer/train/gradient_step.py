"""A step of gradient descent, made of a network, a cost and an optimizer."""

from __future__ import annotations

import contextlib
import math
import numbers
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf

from tensorlayer import optimizers
from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.precision import widened
from tensorlayer.optimizers.rows import summed
from tensorlayer.train.accumulating import accumulated
from tensorlayer.train.callbacks import is_count
from tensorlayer.train.measures import Measure, measured, require_measures, split
from tensorlayer.train.replicas import Replicas, n_samples, required, share_of, with_samples

__all__ = ["GradientStep"]


class GradientStep:
    r"""A training step: the gradient of a cost, clipped, and an update of an optimizer.

    For a batch of $n$ samples in parts of $n_1, n_2, \dots$, and the bound $c$,

    $$
    g=\sum_i\frac{n_i}{n}\nabla\,\mathrm{cost}_i,\qquad
    \theta\leftarrow\mathrm{update}\Bigl(\theta,\;g\,\frac{c}{\max(c,\lVert g\rVert)}\Bigr),
    $$

    where the norm is that of all gradients together. Without options it consists of the operations
    of a step that is written by hand.

    Parameters
    ----------
    network
        A network or model; its trainable weights are trained, but for what is frozen.
    cost
        A function of (output, target) that is a mean over the samples of the batch, such as
        `tl.cost.cross_entropy`. A mean over words under a mask
        (`tl.cost.cross_entropy_seq_with_mask`) is one only for the whole batch: with parts or
        replicas each of them counts by its samples.
    optimizer
        Of ``tl.optimizers`` or ``tf.optimizers``, with a learning rate or a schedule. With a
        `tl.optimizers.LossScaleOptimizer` the loss is scaled, as computing with 16 bits needs it,
        and an update that is not finite is left out as a whole.
    metrics
        More functions of (output, target) that are means over the batch, by name.
    clip_norm
        The largest global norm of the gradient that is allowed, after accumulation and over all
        replicas; None for any.
    accumulate
        In how many parts (micro-batches) a batch is computed, one after the other: gradient
        accumulation. As many times less memory for what is between the layers, and the update of
        the whole batch. 1 by default: parts take longer than the whole.

    Raises
    ------
    InvalidArgument
        ``clip_norm`` or ``accumulate`` is not positive, a metric is no function or called ``loss``
        (when the step is made); a batch is not (input, ..., target) or cannot be taken apart, a
        metric is no scalar, nothing can be trained, the network was made in the scope of a strategy
        and the step outside, or the optimizer was built for other weights or cannot change these
        (when it is traced); `run` is given a batch without a sample, which XLA does not see.

    Notes
    -----
    A batch is (input, target), or (input, input, ..., target) for a network of several inputs. The
    step returns the loss and the metrics; as means over the batch they are exact for any split.

    Gradients are accumulated within one step, so between steps there is nothing to be saved beside
    network and optimizer, and schedules count updates. Normalisation over the batch is that of each
    part, and its moving averages are moved by each part.

    Made in the scope of a ``tf.distribute`` strategy, the step runs on its replicas by itself: a
    batch counts as one, however it is spread. Call it outside of ``strategy.run``.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> x = tf.random.stateless_normal([64, 2], seed=[1, 2])
    >>> net = tl.layers.Dense(tl.layers.Input([None, 2]), 1)
    >>> optimizer = tl.optimizers.SGD(0.1)
    >>> step = GradientStep(net, tl.cost.mean_squared_error, optimizer, clip_norm=1.0, accumulate=4)
    >>> data = tf.data.Dataset.from_tensor_slices((x, x[:, :1])).batch(24)
    >>> epochs = tl.train.run(step, data, n_epoch=100)
    >>> epochs[-1].metrics["loss"] < 1e-3
    True
    """

    def __init__(
        self,
        network: Any,
        cost: Measure,
        optimizer: Any,
        *,
        metrics: Mapping[str, Measure] | None = None,
        clip_norm: float | None = None,
        accumulate: int = 1,
    ) -> None:
        _check(clip_norm, accumulate)
        self.network, self.cost, self.optimizer = network, cost, optimizer
        self.metrics = _measures(cost, metrics or {})
        self.clip_norm, self.accumulate = clip_norm, int(accumulate)
        self._replicas = Replicas()
        self._may_skip = isinstance(optimizer, tf.keras.optimizers.LossScaleOptimizer)

    def __call__(self, *batch: Any) -> dict[str, tf.Tensor]:
        """Make one update; return the loss and the metrics."""
        split(batch, "GradientStep")  # refused here, before replicas and parts
        return self._replicas.run(self._update, batch)

    def _update(self, *batch: Any) -> dict[str, tf.Tensor]:
        """Make the update of a batch, or of one replica's share in it."""
        weights = self._weights()
        if self._may_skip and not self.optimizer.built:
            self.optimizer.build(weights)  # which makes the scale of the loss
        if self.accumulate == self._replicas.n == 1:
            gradients, metrics = self._differentiate(with_samples(batch), None)
        else:
            gradients, metrics = self._accumulate(batch)
        gradients = self._finished(gradients)
        with self._explained():
            self.optimizer.apply_gradients(zip(gradients, weights, strict=True))
        return metrics

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Say of what an optimizer cannot do what helps."""
        optimizer = getattr(self.optimizer, "inner_optimizer", self.optimizer)
        kind = type(optimizer).__name__
        ours = getattr(optimizers, kind, None)
        try:
            yield
        except ValueError as error:
            is_keras = ours is not None and not isinstance(optimizer, ours)
            hint = f" Or take tl.optimizers.{kind}." if is_keras else ""
            raise InvalidArgument(
                f"GradientStep: the optimizer cannot change these weights. {error} If weights were "
                "frozen when it began, build it for all of them before they are frozen: "
                f"optimizer.build(network.trainable_weights).{hint}"
            ) from error
        except AttributeError as error:
            if not type(optimizer).__module__.startswith("keras."):
                raise
            raise InvalidArgument(
                f"GradientStep: {kind} asks for what only variables of Keras have ({error}). Take "
                "one of tl.optimizers."
            ) from error
        except RuntimeError as error:
            if "merge_call" not in str(error):
                raise
            raise InvalidArgument(
                f"GradientStep: {kind} changes weights within a condition, as Keras does with "
                "ema_overwrite_frequency and gradient_accumulation_steps, and replicas cannot do "
                "that. Leave them out; accumulate= of the step computes a batch in parts."
            ) from error

    def _weights(self) -> Sequence[tf.Variable]:
        weights = self.network.trainable_weights
        if not weights:
            raise InvalidArgument(
                f"GradientStep: {self.network!r} has no trainable weights. Set trainable = True; "
                "a model that makes its layers when it is called has to be called before."
            )
        is_spread = any(isinstance(each, tf.distribute.DistributedValues) for each in weights)
        is_across = tf.distribute.get_replica_context() is None
        if (is_spread or is_across) and not self._replicas.has_strategy:
            raise InvalidArgument(
                "GradientStep: it was made outside of the scope of the strategy of its network, or "
                "in which it is called. Make all of them within: with strategy.scope(): ..."
            )
        return weights

    def _accumulate(self, batch: Sequence[Any]) -> tuple[list[Any], dict[str, tf.Tensor]]:
        n = n_samples(batch)
        (total,) = self._replicas.summed([n])
        if not tf.get_static_value(n):  # else there are some, whatever the other replicas have
            total = required(total)

        def part(samples: Any, n: tf.Tensor) -> tuple[list[Any], dict[str, tf.Tensor]]:
            return self._differentiate(samples, n / total)

        if self.accumulate == 1:
            return part(batch, n)
        return accumulated(part, batch, self.accumulate, is_unrolled=self._replicas.has_strategy)

    def _differentiate(
        self, batch: Sequence[Any], share: tf.Tensor | None
    ) -> tuple[list[Any], dict[str, tf.Tensor]]:
        """Return the gradients of the scaled loss, and the metrics, times a share in the mean."""
        inputs, target = split(batch, "GradientStep")
        with tf.GradientTape() as tape:
            output = self.network(inputs, is_train=True)
            loss = self.cost(output, target)
            loss = loss if share is None else share_of(loss, share)
            objective = self._scaled(loss)
        metrics = measured(self.metrics, output, target, "GradientStep")
        if share is not None:
            metrics = {name: share_of(value, share) for name, value in metrics.items()}
        return tape.gradient(objective, self._weights()), {"loss": loss, **metrics}

    def _scaled(self, value: Any) -> Any:
        """Return a value times the scale of the loss, if the optimizer has one."""
        if not hasattr(self.optimizer, "scale_loss"):
            return value
        # The scaled loss of 16 bits would not be finite.
        return self.optimizer.scale_loss(widened(tf.convert_to_tensor(value)))

    def _finished(self, gradients: list[Any]) -> list[Any]:
        """Return the gradients times a factor for the sum that the optimizer makes over replicas.

        Each replica keeps its own gradients, and the factor is the same on all of them: that of
        clipping, or NaN if the sum is not finite, by which an update is left out on all.
        """
        if self.clip_norm is not None:
            norm = _norm(self._replicas.summed(gradients))
            bound = tf.cast(self._scaled(tf.constant(self.clip_norm, tf.float32)), norm.dtype)
            return tf.clip_by_global_norm(gradients, bound, use_norm=norm)[0]
        if self._may_skip and self._replicas.n > 1:
            finite = [tf.reduce_all(tf.math.is_finite(each)) for each in _values(gradients)]
            (n,) = self._replicas.summed([tf.cast(tf.reduce_all(finite), tf.float32)])
            factor = tf.where(n == self._replicas.n, 1.0, float("nan"))
            return [_times(each, factor) for each in gradients]
        return gradients


def _values(gradients: Sequence[Any]) -> list[tf.Tensor]:
    return [getattr(each, "values", each) for each in gradients if each is not None]


def _norm(gradients: Sequence[Any]) -> tf.Tensor:
    """Return the norm of all gradients in the widest of their types; squares of 16 overflow."""
    values = _values([summed(each) for each in gradients])
    dtype = tf.float64 if any(each.dtype == tf.float64 for each in values) else tf.float32
    return tf.linalg.global_norm([tf.cast(each, dtype) for each in values])


def _times(gradient: Any, factor: tf.Tensor) -> Any:
    if gradient is None:
        return None
    if isinstance(gradient, tf.IndexedSlices):
        values = _times(gradient.values, factor)
        return tf.IndexedSlices(values, gradient.indices, gradient.dense_shape)
    return gradient * tf.cast(factor, gradient.dtype)


def _measures(cost: Measure, metrics: Mapping[str, Measure]) -> dict[str, Measure]:
    if "loss" in metrics:
        raise InvalidArgument(
            "GradientStep: the cost is recorded as 'loss', and so is a metric. Rename the metric."
        )
    require_measures({"loss": cost}, "GradientStep")
    return require_measures(metrics, "GradientStep")


def _check(clip_norm: float | None, accumulate: int) -> None:
    is_number = isinstance(clip_norm, numbers.Real) and math.isfinite(clip_norm)
    if clip_norm is not None and not (is_number and clip_norm > 0):
        raise InvalidArgument(
            f"GradientStep: clip_norm is a positive number, got {clip_norm!r}. Leave it out to "
            "clip nothing."
        )
    if not is_count(accumulate):
        raise InvalidArgument(
            f"GradientStep: accumulate is a number of parts from 1 on, got {accumulate!r}."
        )
