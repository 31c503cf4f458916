from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import log_softmax

from tensorlayer import rein
from tensorlayer.errors import InvalidArgument

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(5, 3)).astype("float32")
ACTIONS = np.array([0, 2, 1, 1, 0])
REWARDS = np.array([1.0, -0.5, 0.0, 2.0, 0.25])
LOSSES = -log_softmax(LOGITS, -1)[np.arange(5), ACTIONS]


def step_by_step(rewards, gamma, mode):
    returns, running = [], 0.0
    for reward in reversed(rewards):
        running = reward if mode == 0 and reward != 0 else reward + gamma * running
        returns.insert(0, running)
    return returns


# -- rewards


@settings(max_examples=50)
@given(
    st.lists(st.sampled_from([0.0, 0.0, 1.0, -1.0, 2.5]), max_size=30),
    st.sampled_from([0.0, 0.5, 0.99, 1.0]),
    st.sampled_from([0, 1]),
)
def test_returns_are_those_of_the_recursion(rewards, gamma, mode):
    found = rein.discount_episode_rewards(rewards, gamma, mode)

    assert found.dtype == np.float32
    assert found.shape == (len(rewards),)
    np.testing.assert_allclose(found, step_by_step(rewards, gamma, mode), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("mode", [0, 1])
def test_lists_arrays_and_columns_give_the_same(mode):
    rewards = [0, 0, 1, 0, -1, 0]
    expected = rein.discount_episode_rewards(rewards, mode=mode)

    column = rein.discount_episode_rewards(np.vstack(rewards), mode=mode)
    integers = rein.discount_episode_rewards(np.array(rewards), mode=mode)

    np.testing.assert_array_equal(column, expected[:, None])
    np.testing.assert_array_equal(integers, expected)


def test_returns_do_not_change_the_rewards():
    rewards = np.array([0.0, 1.0])
    rein.discount_episode_rewards(rewards)

    np.testing.assert_array_equal(rewards, [0.0, 1.0])


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        ({}, "rewards must be an array or a list, got None"),
        ({"rewards": [1], "gamma": 1.5}, r"gamma must be in \[0, 1\], got 1.5"),
        ({"rewards": [1], "gamma": float("nan")}, r"gamma must be in \[0, 1\], got nan"),
        ({"rewards": [1], "mode": 2}, r"mode is 0 \(start anew at rewards\) or 1, got 2"),
    ],
)
def test_rewards_name_their_rules(arguments, fragment):
    with pytest.raises(InvalidArgument, match=fragment):
        rein.discount_episode_rewards(**arguments)


# -- losses


@pytest.mark.parametrize("rewards", [REWARDS, REWARDS[:, None], REWARDS.tolist()])
def test_policy_gradient_loss_is_a_sum(rewards):
    loss = rein.cross_entropy_reward_loss(LOGITS, ACTIONS, rewards)

    assert loss.numpy() == pytest.approx((LOSSES * REWARDS).sum(), rel=1e-5)


def test_log_weight_is_a_mean():
    probs = RNG.uniform(0.1, 1, size=(4, 3))
    weights = RNG.normal(size=(4, 3))

    found = rein.log_weight(probs, weights).numpy()

    assert found == pytest.approx((np.log(probs) * weights).mean(), rel=1e-5)


LOSSES_BY_NAME = {
    "cross_entropy_reward_loss": (
        lambda x: rein.cross_entropy_reward_loss(x, ACTIONS, REWARDS),
        LOGITS,
    ),
    "log_weight": (lambda x: rein.log_weight(x, REWARDS[:, None]), np.abs(LOGITS)),
}
every_loss = pytest.mark.parametrize("name", LOSSES_BY_NAME)


@every_loss
@pytest.mark.parametrize("jit_compile", [False, True], ids=["traced", "xla"])
def test_traced_and_compiled_equal_eager(name, jit_compile):
    function, values = LOSSES_BY_NAME[name]

    traced = tf.function(function, jit_compile=jit_compile)(tf.constant(values))

    np.testing.assert_allclose(traced, function(values), rtol=1e-5)


@every_loss
@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16], ids=["float16", "bfloat16"])
def test_half_precision_is_computed_in_float32(name, dtype):
    function, values = LOSSES_BY_NAME[name]
    values = tf.cast(values, dtype)

    loss = function(values)

    assert loss.dtype == tf.float32
    np.testing.assert_array_equal(loss, function(tf.cast(values, tf.float32)))


def test_log_weight_of_an_impossible_event_is_finite():
    probs = tf.constant([0.0, 1.0])
    with tf.GradientTape() as tape:
        tape.watch(probs)
        value = rein.log_weight(probs, [1.0, 1.0])

    assert value.numpy() == pytest.approx(np.log(1e-12) / 2)
    assert np.all(np.isfinite(tape.gradient(value, probs)))


# -- choices


def test_choices_follow_the_probabilities():
    generator = np.random.default_rng(0)
    probs = [0.1, 0.6, 0.0, 0.3]

    drawn = [rein.choice_action_by_probs(probs, seed=generator) for _ in range(5000)]

    counts = np.bincount(drawn, minlength=4)
    assert counts[2] == 0
    assert stats.chisquare(counts[[0, 1, 3]], [500, 3000, 1500]).pvalue > 1e-3


def test_actions_of_any_type_are_returned_as_they_are():
    actions = [("left", 1), None, {"jump": True}]

    drawn = [rein.choice_action_by_probs([0, 0.5, 0.5], actions, seed=s) for s in range(20)]

    assert all(any(each is action for action in actions[1:]) for each in drawn)
    assert type(rein.choice_action_by_probs()) is int


def test_a_seed_repeats_the_choice():
    draws = [rein.choice_action_by_probs(np.full(1000, 1e-3), seed=4) for _ in range(5)]

    assert len(set(draws)) == 1


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_softmax_in_low_precision_is_a_distribution(dtype):
    probs = tf.nn.softmax(tf.constant(RNG.normal(size=500), dtype)).numpy()

    assert 0 <= rein.choice_action_by_probs(probs) < 500


@pytest.mark.parametrize(
    "probs", [[0.5, 0.6], [1.5, -0.5], [0.5, float("nan")], [], [[0.5, 0.5]], [0.0, 0.0]]
)
def test_what_is_no_distribution_is_named(probs):
    with pytest.raises(InvalidArgument, match="none negative, with a sum of 1, got"):
        rein.choice_action_by_probs(probs)


def test_a_probability_for_each_action():
    with pytest.raises(InvalidArgument, match="got 2 for 3 actions"):
        rein.choice_action_by_probs([0.5, 0.5], ["a", "b", "c"])


def test_one_reward_for_all_steps():
    logits = tf.constant(np.random.default_rng(0).normal(size=(3, 4)).astype("float32"))
    one = rein.cross_entropy_reward_loss(logits, [0, 1, 2], 2.5)
    each = rein.cross_entropy_reward_loss(logits, [0, 1, 2], [2.5] * 3)
    np.testing.assert_allclose(one, each, rtol=1e-6)
