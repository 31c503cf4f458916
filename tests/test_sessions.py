"""Sessions of TensorFlow 1: told from other things, and what is said when one is not ready."""

from __future__ import annotations

import inspect

import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.sessions import (
    explained,
    first_or_named,
    is_session,
    may_come_first,
    only_batch_size,
    require_session,
    uninitialized,
)

v1 = tf.compat.v1


class LooksLikeOne:
    """A class of a user, with the attributes of a session."""

    graph = "a picture"

    def run(self):
        return None


def test_sessions_are_told_from_other_things():
    with tf.Graph().as_default():
        v1.train.get_or_create_global_step()
        interactive = v1.InteractiveSession()
        interactive.close()
        with v1.Session() as plain, v1.train.MonitoredSession() as monitored:
            assert all(map(is_session, (plain, interactive, monitored)))
    with tf.Graph().as_default():
        operation = tf.no_op()
    others = (None, "a", tf.Graph(), LooksLikeOne(), tf.constant(1.0), operation)
    assert not any(map(is_session, others))


def test_a_session_first_or_by_name_chooses_the_other_function():
    @first_or_named(lambda sess, x: ("of a session", x))
    def value(x, y=2):
        return x, y

    sess = v1.Session(graph=tf.Graph())

    assert value(1) == (1, 2)
    assert value(sess, 1) == value(sess=sess, x=1) == ("of a session", 1)
    assert list(inspect.signature(value).parameters) == ["x", "y"]


def test_a_session_that_was_forgotten_chooses_it_as_well():
    class Thing:
        @first_or_named(lambda self, network, sess, x: ("of a session", sess, x))
        def train(self, network, X, n=2):
            return X, n

    assert Thing().train("net", 1) == (1, 2)
    assert Thing().train("net", None, 1) == ("of a session", None, 1)
    assert Thing().train("net", sess=None, x=1) == ("of a session", None, 1)


def test_the_only_size_of_batches_is_that_of_the_first_placeholder_that_has_one():
    with tf.Graph().as_default():
        free, fixed = v1.placeholder("float32", [None, 2]), v1.placeholder("float32", [3, 2])
        scalar, unknown = v1.placeholder("float32", []), v1.placeholder("float32")

    assert only_batch_size(free, scalar, unknown, None) is None
    assert only_batch_size(free, fixed) == only_batch_size(fixed) == 3


def test_a_session_that_comes_first_is_an_argument_by_name():
    @may_come_first
    def save(name="a", folder="b", sess=None):
        return name, folder, sess

    sess = v1.Session(graph=tf.Graph())

    assert save("c") == ("c", "b", None)
    assert save(sess, "c", folder="d") == ("c", "d", sess)
    assert save("c", sess=sess) == ("c", "b", sess)


def test_a_session_has_to_be_one_of_the_graph():
    graph = tf.Graph()
    sess = v1.Session(graph=graph)

    require_session(sess, graph, "f")
    with pytest.raises(InvalidArgument, match=r"f: .*in a session. Give sess=.*got None"):
        require_session(None, graph, "f")
    with pytest.raises(InvalidArgument, match="f: a session was given, and the network is in no"):
        require_session(sess, None, "f")
    with pytest.raises(InvalidArgument, match="f: the session is of another graph"):
        require_session(sess, tf.Graph(), "f")


def test_variables_without_a_value_are_named():
    with tf.Graph().as_default(), v1.Session() as sess:
        variables = [v1.get_variable(f"v{i}", [2]) for i in range(12)]
        sess.run(variables[0].initializer)

        assert uninitialized(sess) == [f"v{i}" for i in range(1, 12)]
        with (
            pytest.raises(
                InvalidArgument,
                match=r"f: variables have no value in this session: 'v1', .*'v10' and 1 more. Call "
                r"tl.layers.initialize_global_variables\(sess\)",
            ) as raised,
            explained(sess, "f"),
        ):
            sess.run(variables[3])
        assert isinstance(raised.value.__cause__, tf.errors.FailedPreconditionError)


def test_other_errors_are_left_as_they_are():
    with tf.Graph().as_default(), v1.Session() as sess:
        x = v1.placeholder(tf.float32, [])
        with (
            pytest.raises(tf.errors.InvalidArgumentError, match="must feed a value"),
            explained(sess, "f"),
        ):
            sess.run(2 * x)
        iterator = v1.data.make_initializable_iterator(tf.data.Dataset.range(3))
        step = iterator.get_next()
        with pytest.raises(tf.errors.FailedPreconditionError), explained(sess, "f"):
            sess.run(step)  # an iterator is no variable


def test_a_graph_that_is_finished_cannot_be_asked():
    with tf.Graph().as_default() as graph, v1.Session() as sess:
        variable = v1.get_variable("v", [2])
        value = variable.read_value()
        graph.finalize()
        with pytest.raises(tf.errors.FailedPreconditionError), explained(sess, "f"):
            sess.run(value)
