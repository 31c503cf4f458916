from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer import cost
from tensorlayer.errors import InvalidArgument, WrongShape

W = np.random.default_rng(5).normal(size=(4, 3)).astype("float32")
GROUP_LASSO = [cost.li_regularizer, cost.lo_regularizer]
MAXNORM = [cost.maxnorm_regularizer, cost.maxnorm_o_regularizer, cost.maxnorm_i_regularizer]


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (cost.li_regularizer, sum(np.linalg.norm(row) for row in W)),
        (cost.lo_regularizer, sum(np.linalg.norm(column) for column in W.T)),
        (cost.maxnorm_regularizer, np.abs(W).max()),
        (cost.maxnorm_o_regularizer, sum(np.abs(column).max() for column in W.T)),
        (cost.maxnorm_i_regularizer, sum(np.abs(row).max() for row in W)),
    ],
)
def test_penalty_is_scale_times(make, expected):
    assert make(0.25)(W).numpy() == pytest.approx(0.25 * expected, rel=1e-5)
    assert make(0.25)(tf.Variable(W), name="penalty").numpy() == pytest.approx(0.25 * expected)


@pytest.mark.parametrize("make", GROUP_LASSO)
def test_gradient_of_a_group_of_zeros_is_finite(make):
    @tf.function(jit_compile=True)
    def penalty_and_gradient(W):
        with tf.GradientTape() as tape:
            tape.watch(W)
            penalty = make(0.1)(W)
        return penalty, tape.gradient(penalty, W)

    penalty, gradient = penalty_and_gradient(tf.zeros([4, 3]))

    assert penalty.numpy() == 0
    assert np.all(gradient.numpy() == 0)


@pytest.mark.parametrize("make", GROUP_LASSO + MAXNORM)
def test_strength_0_adds_nothing(make):
    assert make(0.0)(W) is None


@pytest.mark.parametrize("make", GROUP_LASSO + MAXNORM)
@pytest.mark.parametrize("scale", [1, -0.5, "0.1", None, float("nan")])
def test_scale_is_a_float_that_is_not_negative(make, scale):
    with pytest.raises(InvalidArgument, match=rf"{make.__name__}: scale must be a float in \[0, "):
        make(scale)


@pytest.mark.parametrize("make", GROUP_LASSO)
def test_scale_of_group_sparsity_is_below_1(make):
    with pytest.raises(InvalidArgument, match=r"in \[0, 1\), got 1.5"):
        make(1.5)


@pytest.mark.parametrize("make", MAXNORM)
def test_scale_of_a_largest_weight_has_no_upper_limit(make):
    assert make(3.5)(W).numpy() == pytest.approx(35 * make(0.1)(W).numpy(), rel=1e-5)


@pytest.mark.parametrize("make", [*GROUP_LASSO, *MAXNORM[1:]])
def test_rows_and_columns_need_a_matrix(make):
    with pytest.raises(WrongShape, match=rf"{make.__name__}: .*\(3, 3, 2, 4\)\. Reshape a kernel"):
        make(0.1)(tf.zeros([3, 3, 2, 4]))


def test_largest_weight_of_any_shape():
    assert cost.maxnorm_regularizer()(W.reshape(2, 2, 3)).numpy() == np.abs(W).max()


@pytest.mark.parametrize("make", GROUP_LASSO + MAXNORM)
def test_a_penalty_is_called_by_the_name_of_its_call_or_by_its_scope(make):
    with tf.Graph().as_default():
        assert make(0.1, scope="here")(tf.constant(W), name="there").op.name == "there"
        assert make(0.1, scope="here")(tf.constant(W)).op.name == "here"


@pytest.mark.parametrize("make", GROUP_LASSO + MAXNORM)
def test_regularizers_are_values(make):
    assert make(0.1, scope="a") == make(0.1) != make(0.2)
