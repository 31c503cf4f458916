"""Sessions of TensorFlow 1: which one a script gave, and what it forgot before it ran one.

In a graph of TensorFlow 1 only a session has values. Functions that need some take it as ``sess``,
in most of them as the first argument, as in TensorLayer 1.x.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from tensorlayer.errors import InvalidArgument

if TYPE_CHECKING:
    import tensorflow as tf

__all__ = [
    "explained",
    "first_or_named",
    "is_session",
    "may_come_first",
    "only_batch_size",
    "require_session",
    "uninitialized",
]

Function = TypeVar("Function", bound=Callable[..., Any])

#: So many names are listed in a message.
_MOST_NAMES = 10


def is_session(value: Any) -> bool:
    """Whether it is a session of TensorFlow 1, also a monitored one.

    Examples
    --------
    >>> import tensorflow as tf
    >>> with tf.compat.v1.Session(graph=tf.Graph()) as sess:
    ...     is_session(sess), is_session(None)
    (True, False)
    """
    if not callable(getattr(value, "run", None)) or not hasattr(value, "graph"):
        return False  # without loading TensorFlow
    import tensorflow as tf

    # An operation has a graph, and can be run, as well.
    return isinstance(value.graph, tf.Graph) and not isinstance(value, tf.Operation)


def first_or_named(of_session: Callable[..., Any]) -> Callable[[Function], Function]:
    """Call ``of_session`` instead of the decorated function where it is given a session.

    By name, or in the place where ``of_session`` takes ``sess``. There, None is a session that was
    forgotten; ``of_session`` says so. The signature that is shown stays that of the decorated
    function.

    Examples
    --------
    >>> import tensorflow as tf
    >>> @first_or_named(lambda sess, x: f"{x} of a session")
    ... def value(x):
    ...     return x
    >>> value(1), value(tf.compat.v1.Session(graph=tf.Graph()), 1)
    (1, '1 of a session')
    """
    # Of a method, the first ones are the object and what it belongs to.
    place = list(inspect.signature(of_session).parameters).index("sess")

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            is_there = len(args) > place and (args[place] is None or is_session(args[place]))
            return (of_session if is_there or "sess" in kwargs else function)(*args, **kwargs)

        return call  # type: ignore[return-value]

    return decorate


def may_come_first(function: Function) -> Function:
    """Take a session that comes first as ``sess=``.

    Examples
    --------
    >>> import tensorflow as tf
    >>> @may_come_first
    ... def save(name, sess=None):
    ...     return name, sess is not None
    >>> save("a"), save(tf.compat.v1.Session(graph=tf.Graph()), "a")
    (('a', False), ('a', True))
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if args and is_session(args[0]):
            return function(*args[1:], sess=args[0], **kwargs)
        return function(*args, **kwargs)

    return call  # type: ignore[return-value]


def require_session(sess: Any, graph: tf.Graph | None, who: str) -> None:
    """Raise InvalidArgument unless ``sess`` is a session of this graph.

    Parameters
    ----------
    sess
        What was given as a session.
    graph
        That of the variables or the network; None if they are in none.
    who
        The function that needs the session.
    """
    if not is_session(sess):
        raise InvalidArgument(
            f"{who}: values of a TensorFlow 1 graph are in a session. Give sess=, such as "
            f"tf.compat.v1.Session(); got {sess!r}."
        )
    if graph is None:
        raise InvalidArgument(
            f"{who}: a session was given, and the network is in no graph of TensorFlow 1. Begin it "
            "with tl.layers.InputLayer(placeholder), or leave the session out."
        )
    if sess.graph is not graph:
        raise InvalidArgument(
            f"{who}: the session is of another graph than the network. Make both within one "
            "`with graph.as_default():`, or the session by tf.compat.v1.Session(graph=graph)."
        )


def only_batch_size(*placeholders: Any) -> int | None:
    """Return how many samples placeholders were made for, None if they take any number.

    Examples
    --------
    >>> import tensorflow as tf
    >>> with tf.Graph().as_default():
    ...     v1 = tf.compat.v1
    ...     x, y_ = v1.placeholder(tf.float32, [16, 3]), v1.placeholder(tf.float32, [None])
    >>> only_batch_size(x, y_), only_batch_size(y_)
    (16, None)
    """
    shapes = [each.shape for each in placeholders if hasattr(each, "shape")]
    sizes = [shape.as_list()[0] for shape in shapes if shape.rank]
    return next((size for size in sizes if size is not None), None)


def uninitialized(sess: Any) -> list[str]:
    """Return the names of the variables that have no value yet in a session.

    Examples
    --------
    >>> import tensorflow as tf
    >>> with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
    ...     v = tf.compat.v1.get_variable("v", [2])
    ...     before = uninitialized(sess)
    ...     sess.run(v.initializer)
    ...     before, uninitialized(sess)
    (['v'], [])
    """
    import tensorflow as tf

    v1 = tf.compat.v1
    with sess.graph.as_default():
        found = sess.run(v1.report_uninitialized_variables(v1.global_variables()))
    return [name.decode() for name in found]


@contextmanager
def explained(sess: Any, who: str) -> Iterator[None]:
    """Say which variables have no value, if that is why what runs within the block fails.

    Raises
    ------
    InvalidArgument
        Variables of the session were not initialized.

    Examples
    --------
    >>> import tensorflow as tf
    >>> with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
    ...     v = tf.compat.v1.get_variable("v", [2])
    ...     with explained(sess, "example"):
    ...         sess.run(v)
    Traceback (most recent call last):
    tensorlayer.errors.InvalidArgument: example: variables have no value in this session: 'v'. ...
    """
    import tensorflow as tf

    try:
        yield
    except tf.errors.FailedPreconditionError as error:
        names = _names_of_uninitialized(sess)
        if not names:  # there are other preconditions, such as those of tables
            raise
        raise InvalidArgument(
            f"{who}: variables have no value in this session: {_listed(names)}. Call "
            "tl.layers.initialize_global_variables(sess) first; again, if an optimizer was made "
            "since."
        ) from error


def _names_of_uninitialized(sess: Any) -> list[str]:
    try:
        return uninitialized(sess)
    except RuntimeError:  # the graph is finished, so nobody can ask it
        return []


def _listed(names: Sequence[str]) -> str:
    rest = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(map(repr, names[:_MOST_NAMES])) + rest
