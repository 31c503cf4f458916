"""Decoding: from a step function to whole sequences, in one loop of TensorFlow.

A step function is anything that says what may come next:

    step(ids, state)    # (batch) int32, tensors (batch, ...) -> (batch, vocabulary) logits, state

The state is a tensor, or lists, tuples and dictionaries of tensors, of any meaning: those of
recurrent cells, for example. Its tensors keep their shapes from step to step. What does not change,
such as what attention looks at, need not be in it.

A search is a value that says how one of the possible sequences is found, and a function:
``search(step, state, start, n_steps, end)``. Called in a ``tf.function`` it is a ``tf.while_loop``
in its graph, which stops when all sequences have come to an end.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers.arguments import positive

__all__ = ["BeamSearch", "Decoded", "GreedySearch", "SampledSearch"]

Step = Callable[[tf.Tensor, Any], tuple[tf.Tensor, Any]]
Chooser = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


class Decoded(NamedTuple):
    """What a search found; of a beam with an axis more, the best ones first."""

    ids: tf.Tensor  #: `(batch, n_steps)` int32; after an end the end again
    log_probabilities: tf.Tensor  #: `(batch)`: of all ids of a sequence, its end included
    lengths: tf.Tensor  #: `(batch)` int32: how many ids there are, the end included
    state: Any  #: that of the last step that was computed

    @property
    def best(self) -> Decoded:
        """The best of each beam; what had no beam as it is."""
        if self.ids.shape.rank == 2:
            return self
        return Decoded(*tf.nest.map_structure(lambda each: each[:, 0], tuple(self)))


@dataclasses.dataclass(frozen=True)
class GreedySearch:
    r"""The likeliest id at each step: $y_t = \mathrm{argmax}_y p(y \mid y_{<t})$.

    Notes
    -----
    The sequence is not always the likeliest one; `BeamSearch` comes nearer.

    Examples
    --------
    >>> def count(ids, state):  # after each number the next one, of five
    ...     return 9.0 * tf.one_hot((ids + 1) % 5, 5), state
    >>> found = GreedySearch()(count, (), start=[0, 2], n_steps=4, end=4)
    >>> found.ids.numpy().tolist(), found.lengths.numpy().tolist()
    ([[1, 2, 3, 4], [3, 4, 4, 4]], [4, 2])
    """

    def __call__(
        self, step: Step, state: Any, start: Any, n_steps: Any, end: Any = None
    ) -> Decoded:
        """Decode.

        Parameters
        ----------
        step
            From ids and state to logits and the next state.
        state
            To begin with.
        start
            The ids before the first ones that are chosen: `(batch)`, or one for all.
        n_steps
            How many ids are chosen at most.
        end
            The id that ends a sequence; None if they are all as long.

        Raises
        ------
        WrongShape
            `start` is one id, and there is no state that would tell for how many.
        """
        return _one_by_one(step, state, start, n_steps, end, lambda _, logits: _likeliest(logits))


@dataclasses.dataclass(frozen=True)
class SampledSearch:
    r"""Ids drawn from what the model says: $y_t \sim p(y \mid y_{<t})^{1/T}$.

    Parameters
    ----------
    top_n
        How many of the likeliest ids may be drawn. None for all.
    temperature
        $T$. At 1 the model's own probabilities; below it, likely ids become likelier.
    seed
        A number for a result that can be repeated, the same in each call, another one if XLA
        compiles it. None for what `tf.random.set_seed` says, anew in each call.

    Raises
    ------
    InvalidArgument
        `top_n` or the temperature is not positive, or the seed no whole number of 64 bits.

    Examples
    --------
    >>> def any_of_three(ids, state):
    ...     return tf.zeros([len(ids), 3]), state
    >>> found = SampledSearch(top_n=2, seed=1)(any_of_three, (), start=[0], n_steps=50)
    >>> sorted(set(found.ids[0].numpy().tolist()))
    [0, 1]
    """

    top_n: int | None = None
    temperature: float = 1.0
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.top_n is not None:
            positive(self.top_n, "SampledSearch", "top_n, if it is not None,")
        if not (isinstance(self.temperature, numbers.Real) and self.temperature > 0):
            raise InvalidArgument(
                f"SampledSearch: the temperature is positive, got {self.temperature!r}. "
                "GreedySearch() is the limit at 0."
            )
        is_whole = isinstance(self.seed, numbers.Integral)
        if self.seed is not None and not (is_whole and -(2**63) <= self.seed < 2**63):
            raise InvalidArgument(
                f"SampledSearch: the seed is a whole number of 64 bits, got {self.seed!r}. None is "
                "for what tf.random.set_seed says."
            )

    def __call__(
        self, step: Step, state: Any, start: Any, n_steps: Any, end: Any = None
    ) -> Decoded:
        """Decode, as [`GreedySearch`][tensorlayer.models.decoding.GreedySearch] says."""
        return _one_by_one(step, state, start, n_steps, end, self._draw)

    def _draw(self, t: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        n = tf.shape(logits)[-1]
        # Sorted, so that equal models draw equal ids whatever the order of equal logits.
        logits, ids = tf.math.top_k(logits, n if self.top_n is None else tf.minimum(self.top_n, n))
        logits /= self.temperature
        if self.seed is None:
            drawn = tf.random.categorical(logits, 1, dtype=tf.int32)
        else:
            seed = tf.stack([tf.constant(self.seed, tf.int64), tf.cast(t, tf.int64)])
            drawn = tf.argmax(logits + _gumbel(tf.shape(logits), seed), -1, tf.int32)[:, None]
        return tf.gather(ids, drawn[:, 0], batch_dims=1)


def _gumbel(shape: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    r"""Return noise by which the largest of $\log p + $ noise is drawn with probability $p$.

    XLA compiles it, which cannot draw from probabilities by a seed.
    """
    even = tf.random.stateless_uniform(shape, seed, np.finfo("float32").tiny)
    return -tf.math.log(-tf.math.log(even))


@dataclasses.dataclass(frozen=True)
class BeamSearch:
    r"""The best sequences that are found by following several at a time.

    At each step the sequences are continued with each id, and the best of all these are kept, by

    $$\frac{\log p(y)}{\left((5 + |y|) / 6\right)^\alpha}$$

    Parameters
    ----------
    size
        How many are followed. With one it is `GreedySearch`, with as many as there are sequences
        nothing is missed; 4 to 10 are usual in translation.
    length_penalty
        $\alpha$. At 0 the likeliest sequence is the best one, and short ones have an advantage;
        0.6 to 1 take it away.

    Notes
    -----
    Of the result, `ids` are `(batch, size, n_steps)`, the best first, and the others with the same
    axis. Where there are fewer sequences than `size`, the log-probabilities of the rest are
    $-\infty$.

    Raises
    ------
    InvalidArgument
        The size is not positive, or the penalty negative or not finite.

    References
    ----------
    Wu et al., *Google's neural machine translation system*, 2016, section 7.

    Examples
    --------
    The likelier first id leads to nothing good:

    >>> import math
    >>> after = tf.math.log([[0.0, 0.6, 0.4], [0.4, 0.3, 0.3], [0.0, 0.0, 1.0]])
    >>> def step(ids, state):
    ...     return tf.gather(after, ids), state
    >>> found = BeamSearch(size=2)(step, (), start=[0], n_steps=2)
    >>> found.best.ids.numpy().tolist(), round(math.exp(found.best.log_probabilities[0]), 3)
    ([[2, 2]], 0.4)
    >>> GreedySearch()(step, (), start=[0], n_steps=2).ids.numpy().tolist()
    [[1, 0]]
    """

    size: int = 4
    length_penalty: float = 0.0

    def __post_init__(self) -> None:
        positive(self.size, "BeamSearch", "size")
        is_number = isinstance(self.length_penalty, numbers.Real)
        if not (is_number and 0 <= self.length_penalty < math.inf):
            raise InvalidArgument(
                f"BeamSearch: length_penalty is a number from 0, at which the length does not "
                f"count; got {self.length_penalty!r}."
            )

    def __call__(
        self, step: Step, state: Any, start: Any, n_steps: Any, end: Any = None
    ) -> Decoded:
        """Decode, as [`GreedySearch`][tensorlayer.models.decoding.GreedySearch] says."""
        start, n_steps = _start(start, state), tf.convert_to_tensor(n_steps, tf.int32)
        batch, size = tf.shape(start)[0], self.size

        def rows(beams: tf.Tensor) -> tf.Tensor:
            return tf.reshape(beams, tf.concat([[-1], tf.shape(beams)[2:]], 0))

        def beams(rows: tf.Tensor) -> tf.Tensor:
            return tf.reshape(rows, tf.concat([[batch, size], tf.shape(rows)[1:]], 0))

        def body(t: tf.Tensor, found: _Beams, flat: list[tf.Tensor]) -> Any:
            logits, new = step(rows(found.last), tf.nest.pack_sequence_as(state, flat))
            found, parents = self._continued(found, beams(_log_softmax(logits)), t, end)
            new = [
                rows(tf.gather(beams(each), parents, batch_dims=1)) for each in tf.nest.flatten(new)
            ]
            return t + 1, found, _as_before(new, flat)

        flat = [tf.repeat(each, size, axis=0) for each in tf.nest.flatten(state)]
        _, found, flat = tf.while_loop(
            lambda t, found, _: (t < n_steps) & ~tf.reduce_all(found.is_over | _is_none(found)),
            body,
            (0, _Beams.beginning(start, size, n_steps, end), flat),
            maximum_iterations=n_steps,
        )
        last = tf.nest.pack_sequence_as(state, [beams(each) for each in flat])
        return Decoded(found.ids, found.log_probabilities, found.lengths, last)

    def _continued(
        self, found: _Beams, log_probabilities: tf.Tensor, t: tf.Tensor, end: Any
    ) -> tuple[_Beams, tf.Tensor]:
        """Return the best continuations, and of which ones they are."""
        n = tf.shape(log_probabilities)[-1]
        if end is not None:  # what is over goes on with its end, at no cost
            only_end = tf.where(tf.range(n) == end, 0.0, float("-inf"))
            over = found.is_over[..., tf.newaxis]
            log_probabilities = tf.where(over, only_end, log_probabilities)
        totals = found.log_probabilities[..., tf.newaxis] + log_probabilities
        lengths = found.lengths + tf.cast(~found.is_over, tf.int32)
        penalty = ((5.0 + tf.cast(lengths, tf.float32)) / 6.0) ** self.length_penalty
        flat_shape = [tf.shape(totals)[0], self.size * n]
        _, places = tf.math.top_k(
            tf.reshape(totals / penalty[..., tf.newaxis], flat_shape), self.size
        )
        parents, chosen = places // n, places % n

        def of_parents(each: tf.Tensor) -> tf.Tensor:
            return tf.gather(each, parents, batch_dims=1)

        is_over = of_parents(found.is_over)
        return _Beams(
            ids=_written(of_parents(found.ids), t, chosen),
            last=chosen,
            log_probabilities=tf.gather(tf.reshape(totals, flat_shape), places, batch_dims=1),
            lengths=of_parents(lengths),
            is_over=is_over if end is None else is_over | (chosen == end),
        ), parents


class _Beams(NamedTuple):
    """The sequences that are followed: each `(batch, size)`, the ids with their steps."""

    ids: tf.Tensor
    last: tf.Tensor
    log_probabilities: tf.Tensor
    lengths: tf.Tensor
    is_over: tf.Tensor

    @classmethod
    def beginning(cls, start: tf.Tensor, size: int, n_steps: tf.Tensor, end: Any) -> _Beams:
        """Return one empty sequence, and others that are none yet."""
        last = tf.tile(start[:, tf.newaxis], [1, size])
        alone = tf.where(tf.range(size) == 0, 0.0, float("-inf"))
        return cls(
            ids=_nothing(tf.shape(last), n_steps, end),
            last=last,
            log_probabilities=tf.zeros(tf.shape(last)) + alone,
            lengths=tf.zeros_like(last),
            is_over=tf.zeros_like(last, tf.bool),
        )


def _is_none(found: _Beams) -> tf.Tensor:
    return tf.math.is_inf(found.log_probabilities)


def _one_by_one(
    step: Step, state: Any, start: Any, n_steps: Any, end: Any, choose: Chooser
) -> Decoded:
    """Decode with one sequence for each start."""
    start, n_steps = _start(start, state), tf.convert_to_tensor(n_steps, tf.int32)

    def body(t: tf.Tensor, ids: Any, last: Any, total: Any, lengths: Any, flat: Any) -> Any:
        logits, new = step(last, tf.nest.pack_sequence_as(state, flat))
        is_live = _is_live(last, t, end)
        chosen = choose(t, tf.cast(logits, tf.float32))
        if end is not None:
            chosen = tf.where(is_live, chosen, end)
        gained = tf.gather(_log_softmax(logits), chosen, batch_dims=1)
        total += tf.where(is_live, gained, 0.0)
        lengths += tf.cast(is_live, tf.int32)
        ids = _written(ids, t, chosen)
        return t + 1, ids, chosen, total, lengths, _as_before(tf.nest.flatten(new), flat)

    _, ids, _, total, lengths, flat = tf.while_loop(
        lambda t, _, last, *__: (t < n_steps) & tf.reduce_any(_is_live(last, t, end)),
        body,
        (
            0,
            _nothing(tf.shape(start), n_steps, end),
            start,
            tf.zeros(tf.shape(start)),
            tf.zeros_like(start),
            tf.nest.flatten(state),
        ),
        maximum_iterations=n_steps,
    )
    return Decoded(ids, total, lengths, tf.nest.pack_sequence_as(state, flat))


def _is_live(last: tf.Tensor, t: tf.Tensor, end: Any) -> tf.Tensor:
    """Return which sequences go on. A start may be the end as well."""
    if end is None:
        return tf.ones_like(last, tf.bool)
    return (last != end) | (t == 0)


def _start(start: Any, state: Any) -> tf.Tensor:
    """Return the ids to begin with, `(batch)`."""
    start = tf.cast(tf.convert_to_tensor(start), tf.int32)
    if start.shape.rank == 1:
        return start
    flat = tf.nest.flatten(state)
    if start.shape.rank != 0 or not flat:
        raise WrongShape(
            f"decoding: start is (batch) ids, or one id for as many sequences as the state is of; "
            f"got shape {start.shape} and {len(flat)} tensors of a state."
        )
    return tf.fill(tf.shape(flat[0])[:1], start)


def _nothing(shape: tf.Tensor, n_steps: tf.Tensor, end: Any) -> tf.Tensor:
    """Return ids that are not chosen yet: ends, if there is one."""
    return tf.fill(tf.concat([shape, [n_steps]], 0), tf.cast(0 if end is None else end, tf.int32))


def _written(ids: tf.Tensor, t: tf.Tensor, chosen: tf.Tensor) -> tf.Tensor:
    """Return the ids with those of step `t`."""
    return tf.where(tf.range(tf.shape(ids)[-1]) == t, chosen[..., tf.newaxis], ids)


def _likeliest(logits: tf.Tensor) -> tf.Tensor:
    return tf.argmax(logits, -1, output_type=tf.int32)


def _log_softmax(logits: tf.Tensor) -> tf.Tensor:
    return tf.nn.log_softmax(tf.cast(logits, tf.float32))


def _as_before(new: list[tf.Tensor], old: list[tf.Tensor]) -> list[tf.Tensor]:
    """Return the new tensors with what is known of the shapes of the old ones."""
    return [tf.ensure_shape(a, b.shape) for a, b in zip(new, old, strict=True)]
