from __future__ import annotations

import inspect

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.optimizers import AMSGrad

START = np.array([1.0, -2.0, 0.5])
GRADIENTS = np.random.default_rng(0).normal(size=(20, 3))
GRADIENTS *= np.resize([1, 10, 0.1, 0.01], [20, 1])


def steps(gradients, rate=0.01, beta1=0.9, beta2=0.99, epsilon=1e-8):
    """Return the parameters after each step, from the formula."""
    x, m, v, largest = START.copy(), np.zeros(3), np.zeros(3), np.zeros(3)
    for t, g in enumerate(gradients, 1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        largest = np.maximum(largest, v)
        corrected = rate * np.sqrt(1 - beta2**t) / (1 - beta1**t)
        x = x - corrected * m / (np.sqrt(largest) + epsilon)
        yield x


def run(optimizer, gradients, dtype=tf.float64, **function):
    x = tf.Variable(START, dtype=dtype)
    optimizer.build([x])

    @tf.function(**function)
    def step(g):
        optimizer.apply_gradients([(g, x)])

    found = []
    for gradient in gradients:
        step(tf.constant(gradient, dtype))
        found.append(x.numpy().copy())
    return found


@pytest.mark.parametrize("jit_compile", [False, True], ids=["traced", "xla"])
@pytest.mark.parametrize(
    "arguments", [{}, {"beta1": 0.5, "beta2": 0.9, "epsilon": 0.1}], ids=["defaults", "others"]
)
def test_steps_follow_the_formula(arguments, jit_compile):
    found = run(AMSGrad(**arguments), GRADIENTS, jit_compile=jit_compile)

    np.testing.assert_allclose(found, list(steps(GRADIENTS, **arguments)), rtol=1e-5)


def test_a_large_gradient_is_not_forgotten_as_adam_forgets_it():
    gradients = [np.full(3, 100.0)] + [np.full(3, 0.01)] * 200

    def last_step(optimizer):
        found = run(optimizer, gradients)
        return abs(found[-1] - found[-2]).max()

    adam = tf.keras.optimizers.Adam(0.01, beta_1=0.9, beta_2=0.9, epsilon=1e-8)

    assert last_step(AMSGrad(0.01, 0.9, 0.9)) < 0.01 * last_step(adam)


def test_half_precision_parameters_learn():
    found = run(AMSGrad(0.1, epsilon=1e-4), [np.ones(3)] * 3, dtype=tf.float16)

    np.testing.assert_allclose(found[-1], START - 0.3, atol=2e-2)


def test_sparse_gradients_are_summed_before_they_are_squared():
    table = tf.Variable(tf.ones([5, 2]))
    optimizer = AMSGrad(0.1)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.gather(table, [1, 3, 3]))
    gradient = tape.gradient(loss, table)

    optimizer.apply_gradients([(gradient, table)])

    assert isinstance(gradient, tf.IndexedSlices)  # row 3 is in it twice
    np.testing.assert_allclose(table[:, 0], [1, 0.9, 1, 0.9, 1], rtol=1e-5)


def test_signature_is_that_of_tensorlayer():
    parameters = inspect.signature(AMSGrad).parameters
    defaults = {name: each.default for name, each in parameters.items() if name != "kwargs"}

    assert defaults == {
        "learning_rate": 0.01,
        "beta1": 0.9,
        "beta2": 0.99,
        "epsilon": 1e-8,
        "use_locking": False,
        "name": "AMSGrad",
    }


def test_config_makes_an_equal_optimizer():
    optimizer = AMSGrad(0.5, beta1=0.8, beta2=0.7, epsilon=0.1, name="mine", clipnorm=2.0)

    again = AMSGrad.from_config(optimizer.get_config())

    assert again.get_config() == optimizer.get_config()
    assert (again.beta_1, again.beta_2, again.epsilon, again.clipnorm) == (0.8, 0.7, 0.1, 2.0)
    assert (again.name, again.amsgrad) == ("mine", True)


def test_old_argument_is_accepted():
    assert AMSGrad(0.1, 0.9, 0.99, 1e-8, True, "positional").name == "positional"


def test_checkpoint_carries_the_largest_squares(tmp_path):
    optimizer, x = AMSGrad(), tf.Variable(START)
    optimizer.apply_gradients([(tf.constant(GRADIENTS[0]), x)])
    path = tf.train.Checkpoint(optimizer=optimizer, x=x).write(str(tmp_path / "ckpt"))
    optimizer.apply_gradients([(tf.constant(GRADIENTS[1]), x)])
    expected = x.numpy()

    again, y = AMSGrad(), tf.Variable(np.zeros(3))
    again.build([y])
    tf.train.Checkpoint(optimizer=again, x=y).read(path)
    again.apply_gradients([(tf.constant(GRADIENTS[1]), y)])

    np.testing.assert_allclose(y, expected)


def test_in_a_session_it_is_the_formula_and_counts_steps():
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.get_variable("x", initializer=START)
        other = v1.get_variable("other", initializer=1.0)
        fed, count = v1.placeholder(tf.float64, [3]), v1.train.get_or_create_global_step()
        loss = tf.reduce_sum(fed * x) + tf.cast(other, tf.float64)
        train_op = AMSGrad().minimize(loss, global_step=count, var_list=[x], name="train")
        session.run(v1.global_variables_initializer())
        found = []
        for gradient in GRADIENTS:
            assert session.run(train_op, {fed: gradient}) is None
            found.append(session.run(x))

        assert train_op.name == "train"
        assert session.run([other, count]) == [1.0, len(GRADIENTS)]
    np.testing.assert_allclose(found, list(steps(GRADIENTS)), rtol=1e-5)


def test_in_a_session_all_that_is_trained_moves():
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.get_variable("x", initializer=1.0)
        v1.get_variable("unused", initializer=1.0)
        table = v1.get_variable("table", [4, 2], initializer=v1.ones_initializer())
        train_op = AMSGrad(0.1).minimize(x**2 + tf.reduce_sum(tf.gather(table, [1, 1])))
        session.run(v1.global_variables_initializer())
        session.run(train_op)
        values = dict(
            zip(("x", "unused", "table"), session.run(v1.trainable_variables()), strict=True)
        )

    assert values["unused"] == 1.0
    np.testing.assert_allclose(values["x"], 0.9, rtol=1e-5)
    np.testing.assert_allclose(values["table"], [[1, 1], [0.9, 0.9], [1, 1], [1, 1]], rtol=1e-5)


def test_where_there_is_no_graph_of_its_own_it_makes_no_operation():
    v1, optimizer = tf.compat.v1, AMSGrad()
    x = tf.Variable(1.0)
    message = "AMSGrad.minimize: it makes an operation of the TensorFlow 1 graph that the optimizer"

    with pytest.raises(InvalidArgument, match=message):
        optimizer.minimize(x**2)
    with pytest.raises(InvalidArgument, match=message):
        tf.function(lambda: optimizer.minimize(x**2))()
    with tf.Graph().as_default():
        with pytest.raises(InvalidArgument, match=message):
            optimizer.minimize(v1.get_variable("x", initializer=1.0) ** 2)
        with pytest.raises(InvalidArgument, match=r"depends on no variable of these"):
            AMSGrad().minimize(tf.constant(1.0), var_list=[v1.get_variable("y", [])])
        with pytest.raises(InvalidArgument, match=r"depends on no variable of these"):
            AMSGrad().minimize(v1.get_variable("z", []) ** 2, var_list=[])
