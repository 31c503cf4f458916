"""Reinforcement learning: rewards, policy losses, choices.

What works on arrays does not need TensorFlow; the losses import it when they are called.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorlayer.errors import InvalidArgument
from tensorlayer.seeds import Seed, generator

if TYPE_CHECKING:
    import tensorflow as tf

__all__ = [
    "choice_action_by_probs",
    "cross_entropy_reward_loss",
    "discount_episode_rewards",
    "log_weight",
]

#: How far probabilities may be from a sum of 1: a softmax in half precision is off by that much.
SUM_TOLERANCE = 1e-2
#: Smaller probabilities count as this one in a logarithm, which is -27.6 then and not infinite.
LEAST_PROBABILITY = 1e-12


def discount_episode_rewards(
    rewards: Sequence[float] | np.ndarray | None = None, gamma: float = 0.99, mode: int = 0
) -> np.ndarray:
    r"""Return the discounted return of each step: $R_t=r_t+\gamma R_{t+1}$.

    Parameters
    ----------
    rewards
        Of each step, ``(n_steps,)`` or ``(n_steps, 1)``: an array or a list. Further axes are
        separate episodes.
    gamma
        How much a reward is worth one step earlier, in [0, 1].
    mode
        0 starts anew at every reward that is not 0, for games of many points such as Pong; 1 sums
        over the whole episode.

    Returns
    -------
    numpy.ndarray
        The shape of ``rewards``, float32; computed in float64.

    Raises
    ------
    InvalidArgument
        There are no rewards, ``gamma`` is out of range, or ``mode`` is neither 0 nor 1.

    Examples
    --------
    >>> discount_episode_rewards([0, 0, 1, 0, 2], gamma=0.5, mode=0).tolist()
    [0.25, 0.5, 1.0, 1.0, 2.0]
    >>> discount_episode_rewards([0, 0, 1, 0, 2], gamma=0.5, mode=1).tolist()
    [0.375, 0.75, 1.5, 1.0, 2.0]
    """
    who = "discount_episode_rewards"
    if rewards is None:
        raise InvalidArgument(f"{who}: rewards must be an array or a list, got None.")
    if not 0 <= gamma <= 1:
        raise InvalidArgument(f"{who}: gamma must be in [0, 1], got {gamma!r}.")
    if mode not in (0, 1):
        raise InvalidArgument(f"{who}: mode is 0 (start anew at rewards) or 1, got {mode!r}.")
    rewards = np.asarray(rewards, np.float64)
    if not rewards.size:
        return rewards.astype(np.float32)
    discount = _returns_until_reward if mode == 0 else _returns
    return np.apply_along_axis(discount, 0, rewards, gamma).astype(np.float32)


def _returns_until_reward(rewards: np.ndarray, gamma: float) -> np.ndarray:
    steps = np.arange(len(rewards))
    own = np.where(rewards != 0, steps, len(rewards))
    following = np.minimum.accumulate(own[::-1])[::-1]  # the step of the next reward, or the end
    return np.append(rewards, 0)[following] * gamma ** (following - steps)


def _returns(rewards: np.ndarray, gamma: float) -> np.ndarray:
    from scipy.signal import lfilter

    return lfilter([1.0], [1.0, -gamma], rewards[::-1])[::-1]


def cross_entropy_reward_loss(
    logits: tf.Tensor, actions: tf.Tensor, rewards: tf.Tensor, name: str | None = None
) -> tf.Tensor:
    r"""Policy gradient loss: the sum $-\sum_i R_i\log p_{i,a_i}$.

    Parameters
    ----------
    logits
        Of the actions, ``(n_steps, n_actions)``.
    actions
        The actions taken, integers in [0, n_actions), ``(n_steps,)``.
    rewards
        The discounted return of each step, ``(n_steps,)`` or ``(n_steps, 1)``, or one number for
        all steps.
    name
        The name of the operation.

    Returns
    -------
    tf.Tensor
        A scalar, the *sum* over the steps; in float32 for half-precision logits.

    References
    ----------
    Williams, "Simple statistical gradient-following algorithms for connectionist reinforcement
    learning", 1992.

    Examples
    --------
    >>> import tensorflow as tf
    >>> cross_entropy_reward_loss(tf.zeros([2, 4]), [0, 3], [1.0, 2.0]).numpy().item()
    4.158...
    """
    import tensorflow as tf

    from tensorlayer.cost.numerics import wide

    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=actions, logits=wide(logits))
    weights = tf.cast(rewards, losses.dtype)
    if weights.shape.rank != 0:  # a column of rewards would broadcast to all pairs
        weights = tf.reshape(weights, tf.shape(losses))
    return tf.reduce_sum(losses * weights, name=name)


def log_weight(probs: tf.Tensor, weights: tf.Tensor, name: str = "log_weight") -> tf.Tensor:
    r"""Weighted log-likelihood: the mean of $w\log p$.

    Parameters
    ----------
    probs
        Probabilities, any shape; below 1e-12 they count as 1e-12.
    weights
        Such as advantages; the same shape, or one that broadcasts.
    name
        The name of the operation.

    Returns
    -------
    tf.Tensor
        A scalar, to be maximised; in float32 for half-precision probabilities.

    Examples
    --------
    >>> import tensorflow as tf
    >>> log_weight(tf.constant([0.5, 1.0]), tf.constant([2.0, 3.0])).numpy().item()
    -0.693...
    """
    import tensorflow as tf

    from tensorlayer.cost.numerics import wide

    logarithms = tf.math.log(tf.maximum(wide(probs), LEAST_PROBABILITY))
    return tf.reduce_mean(logarithms * tf.cast(weights, logarithms.dtype), name=name)


def choice_action_by_probs(
    probs: Sequence[float] | np.ndarray = (0.5, 0.5),
    action_list: Sequence[Any] | None = None,
    seed: Seed = None,
) -> Any:
    """Draw one action.

    Parameters
    ----------
    probs
        Of each action. What rounding takes from or adds to their sum of 1 is made good.
    action_list
        The actions, of any type; None for 0, 1, 2, ...
    seed
        An integer for the same choice every time, or a generator, which goes on from choice to
        choice. None for a fresh one.

    Returns
    -------
    object
        An item of ``action_list``, or an int.

    Raises
    ------
    InvalidArgument
        These are no probabilities, or there is not one for each action.

    Examples
    --------
    >>> choice_action_by_probs([0.0, 1.0, 0.0], ["left", "stay", "right"])
    'stay'
    >>> choice_action_by_probs([0.2, 0.4, 0.4], seed=3) in (0, 1, 2)
    True
    """
    chances = np.asarray(probs, np.float64)
    if action_list is not None and len(action_list) != len(chances):
        raise InvalidArgument(
            f"choice_action_by_probs: there must be a probability for each action, got "
            f"{len(chances)} for {len(action_list)} actions."
        )
    total = chances.sum()
    if chances.ndim != 1 or not np.all(chances >= 0) or not abs(total - 1) < SUM_TOLERANCE:
        raise InvalidArgument(
            f"choice_action_by_probs: probabilities are a vector, none negative, with a sum of 1, "
            f"got {probs!r}. Apply a softmax to logits."
        )
    choice = int(generator(seed).choice(len(chances), p=chances / total))
    return choice if action_list is None else action_list[choice]
