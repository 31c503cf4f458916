"""How much two masks overlap: coefficients in [0, 1], 1 for equal masks.

A loss is ``1 - dice_coe(...)``. The other two count pixels after a threshold; they measure, but
have no gradient.
"""

from __future__ import annotations

import tensorflow as tf

from tensorlayer.cost.numerics import Axis, pair, ratio
from tensorlayer.errors import InvalidArgument, WrongShape

__all__ = ["dice_coe", "dice_hard_coe", "iou_coe"]

_IMAGE_AXES = (1, 2, 3)  # height, width, classes
_TYPES = ("jaccard", "sorensen")


def dice_coe(
    output: tf.Tensor,
    target: tf.Tensor,
    loss_type: str = "jaccard",
    axis: Axis = _IMAGE_AXES,
    smooth: float = 1e-5,
) -> tf.Tensor:
    r"""Soft dice coefficient: the mean of $(2\sum ot+s)/(\sum l+\sum r+s)$ over the samples.

    Parameters
    ----------
    output
        Probabilities in [0, 1], ``(batch, height, width, classes)``.
    target
        0 and 1, or probabilities, the same shape.
    loss_type
        What is summed in the denominator: ``"jaccard"`` squares ($l=o^2,\ r=t^2$),
        ``"sorensen"`` the values themselves ($l=o,\ r=t$).
    axis
        The axes of one sample; all but the batch of images by default.
    smooth
        $s$. Two empty masks are equal and give 1, with 0 as well.

    Returns
    -------
    tf.Tensor
        A scalar, the mean over the batch.

    Raises
    ------
    InvalidArgument
        ``loss_type`` is neither of the two.
    WrongShape
        Output and target have different ranks, or there is no such axis.

    References
    ----------
    Milletari et al., "V-Net", 3DV 2016.

    Examples
    --------
    >>> mask = tf.constant([[1.0, 1.0, 0.0, 0.0]])
    >>> shifted = tf.constant([[0.0, 1.0, 1.0, 0.0]])
    >>> dice_coe(shifted, mask, axis=-1, smooth=0.0).numpy().item()
    0.5
    """
    if loss_type not in _TYPES:
        raise InvalidArgument(f"dice_coe: loss_type is one of {_TYPES}, got {loss_type!r}.")
    o, t = _masks("dice_coe", output, target, axis)
    left, right = (o * o, t * t) if loss_type == "jaccard" else (o, t)
    whole = tf.reduce_sum(left, axis) + tf.reduce_sum(right, axis)
    return _mean_ratio(2 * tf.reduce_sum(o * t, axis), whole, smooth)


def dice_hard_coe(
    output: tf.Tensor,
    target: tf.Tensor,
    threshold: float = 0.5,
    axis: Axis = _IMAGE_AXES,
    smooth: float = 1e-5,
) -> tf.Tensor:
    r"""Dice coefficient of what is above a threshold, $(2|O\cap T|+s)/(|O|+|T|+s)$.

    Parameters
    ----------
    output, target
        Values of the same shape, ``(batch, height, width, classes)``.
    threshold
        What is larger belongs to the mask.
    axis
        The axes of one sample.
    smooth
        $s$. Two empty masks give 1.

    Returns
    -------
    tf.Tensor
        A scalar, the mean over the batch. It has no gradient.

    Raises
    ------
    WrongShape
        Output and target have different ranks, or there is no such axis.

    Examples
    --------
    >>> output, target = tf.constant([[0.9, 0.8, 0.1]]), tf.constant([[1.0, 0.0, 0.0]])
    >>> dice_hard_coe(output, target, axis=1, smooth=0.0).numpy().item()
    0.666...
    """
    both, first, second, _ = _counts("dice_hard_coe", output, target, threshold, axis)
    return _mean_ratio(2 * both, first + second, smooth)


def iou_coe(
    output: tf.Tensor,
    target: tf.Tensor,
    threshold: float = 0.5,
    axis: Axis = _IMAGE_AXES,
    smooth: float = 1e-5,
) -> tf.Tensor:
    r"""Intersection over union of what is above a threshold, $(|O\cap T|+s)/(|O\cup T|+s)$.

    Parameters
    ----------
    output, target
        Values of the same shape, ``(batch, height, width, classes)``.
    threshold
        What is larger belongs to the mask.
    axis
        The axes of one sample.
    smooth
        $s$. Two empty masks give 1.

    Returns
    -------
    tf.Tensor
        A scalar, the mean over the batch. It has no gradient.

    Raises
    ------
    WrongShape
        Output and target have different ranks, or there is no such axis.

    Examples
    --------
    >>> output, target = tf.constant([[0.9, 0.8, 0.1]]), tf.constant([[1.0, 0.0, 0.0]])
    >>> iou_coe(output, target, axis=1, smooth=0.0).numpy().item()
    0.5
    """
    both, _, _, either = _counts("iou_coe", output, target, threshold, axis)
    return _mean_ratio(both, either, smooth)


def _counts(
    who: str, output: tf.Tensor, target: tf.Tensor, threshold: float, axis: Axis
) -> tuple[tf.Tensor, ...]:
    """Return the pixels of each sample in both masks, the first, the second, either of them."""
    values = _masks(who, output, target, axis)
    o, t = (each > threshold for each in values)
    parts = (o & t, o, t, o | t)
    return tuple(tf.reduce_sum(tf.cast(part, values[0].dtype), axis) for part in parts)


def _masks(
    who: str, output: tf.Tensor, target: tf.Tensor, axis: Axis
) -> tuple[tf.Tensor, tf.Tensor]:
    output, target = pair(who, output, target)
    rank = output.shape.rank
    axes = [axis] if isinstance(axis, int) else list(axis)
    if rank is not None and not all(-rank <= each < rank for each in axes):
        raise WrongShape(
            f"{who}: axis {axis!r} does not exist in shape {output.shape}. Give the axes of one "
            "sample, for example axis=(1, 2) for masks without channels."
        )
    return output, target


def _mean_ratio(part: tf.Tensor, whole: tf.Tensor, smooth: float) -> tf.Tensor:
    return tf.reduce_mean(ratio(part + smooth, whole + smooth, empty=1.0))
