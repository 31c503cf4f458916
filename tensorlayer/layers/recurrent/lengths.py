"""How long sequences are: counted from what is padding and what is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from tensorlayer.errors import WrongShape

__all__ = [
    "initialize_rnn_state",
    "retrieve_seq_length_op",
    "retrieve_seq_length_op2",
    "retrieve_seq_length_op3",
    "target_mask_op",
]


def retrieve_seq_length_op(data: Any) -> tf.Tensor:
    """Return how many steps of each sequence have a feature that is not 0.

    Parameters
    ----------
    data
        `(batch, steps, channels)`.

    Returns
    -------
    tf.Tensor
        int32, `(batch)`.

    Notes
    -----
    Steps of zeros *within* a sequence are not counted either, as in TensorLayer. Where data may
    hold some, count the ids before they are embedded: [`retrieve_seq_length_op2`][].

    Examples
    --------
    >>> data = [[[1], [2], [0], [0]], [[1], [2], [3], [4]]]
    >>> retrieve_seq_length_op(data).numpy()
    array([2, 4], dtype=int32)
    """
    data = _of_rank("retrieve_seq_length_op", data, 3)
    return _count(tf.reduce_any(tf.not_equal(data, 0), axis=2))


def retrieve_seq_length_op2(data: Any) -> tf.Tensor:
    """Return how many ids of each sequence are above 0.

    Parameters
    ----------
    data
        `(batch, steps)` of ids, with 0 for padding.

    Examples
    --------
    >>> retrieve_seq_length_op2([[1, 2, 0, 0], [1, 2, 3, 4]]).numpy()
    array([2, 4], dtype=int32)
    """
    return _count(_of_rank("retrieve_seq_length_op2", data, 2) > 0)


def retrieve_seq_length_op3(data: Any, pad_val: Any = 0) -> tf.Tensor:
    """Return how many steps of each sequence are not `pad_val`.

    Parameters
    ----------
    data
        `(batch, steps)`, or `(batch, steps, channels)`, where one channel that differs is enough.
    pad_val
        What stands for padding; numbers or strings.

    Raises
    ------
    WrongShape
        `data` has another rank.

    Examples
    --------
    >>> retrieve_seq_length_op3([["a", "b", "_"], ["a", "_", "_"]], pad_val="_").numpy()
    array([2, 1], dtype=int32)
    """
    return _count(_differs("retrieve_seq_length_op3", data, pad_val))


def target_mask_op(data: Any, pad_val: Any = 0) -> tf.Tensor:
    """Return 1 for each step that is not `pad_val`, 0 for the others.

    Parameters
    ----------
    data
        `(batch, steps)`, or `(batch, steps, channels)`, where one channel that differs is enough.
    pad_val
        What stands for padding; numbers or strings.

    Returns
    -------
    tf.Tensor
        int32, `(batch, steps)`.

    Raises
    ------
    WrongShape
        `data` has another rank.

    Examples
    --------
    >>> target_mask_op([[1, 2, 0], [1, 0, 0]]).numpy()
    array([[1, 1, 0],
           [1, 0, 0]], dtype=int32)
    """
    return tf.cast(_differs("target_mask_op", data, pad_val), tf.int32)


def initialize_rnn_state(state: Any, feed_dict: Any = None) -> Any:
    """Return a state with arrays in the place of its tensors.

    Parameters
    ----------
    state
        Tensors, or lists, tuples and dictionaries of them: an `initial_state` or `final_state`.
    feed_dict
        For tensors of a graph: what their placeholders stand for. They are evaluated in the default
        session.

    Examples
    --------
    >>> h, c = initialize_rnn_state([tf.zeros([2, 3]), tf.ones([2, 3])])
    >>> c.shape
    (2, 3)
    """

    def value(tensor: Any) -> np.ndarray:
        tensor = getattr(tensor, "outputs", tensor)  # a network of 1.x
        return tensor.numpy() if hasattr(tensor, "numpy") else tensor.eval(feed_dict=feed_dict)

    return tf.nest.map_structure(value, state)


def _count(counts: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.cast(counts, tf.int32), axis=1)


def _of_rank(who: str, data: Any, *ranks: int) -> tf.Tensor:
    data = tf.convert_to_tensor(data)
    if data.shape.rank not in ranks:
        wanted = " or ".join(map(str, ranks))
        raise WrongShape(f"{who}: data is of rank {wanted}, got shape {data.shape}.")
    return data


def _differs(who: str, data: Any, pad_val: Any) -> tf.Tensor:
    data = _of_rank(who, data, 2, 3)
    differs = tf.not_equal(data, tf.convert_to_tensor(pad_val, data.dtype))
    return tf.reduce_any(differs, axis=2) if data.shape.rank == 3 else differs
