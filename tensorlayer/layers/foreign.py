"""What layers of other libraries and of functions share: variables, mode and scope."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import naming, slim, tflearn
from tensorlayer.layers.base import Layer
from tensorlayer.layers.in_graph import InGraph
from tensorlayer.layers.referred import referred
from tensorlayer.layers.tf1 import require_shared, shared_code
from tensorlayer.layers.tree import is_keras

__all__ = ["Foreign"]

# How functions and layers of other libraries call the mode.
_MODE_ARGUMENTS = ("is_train", "training", "is_training")
#: Libraries that are written for graphs, with no Python control flow on tensors.
_FOR_GRAPHS = ("tf_slim.", "tflearn.")


class Foreign(Layer):
    """A layer that computes with something that is no layer of ours.

    Its constructor gives [`adopt`][] what that is.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> class Scaled(Foreign):
    ...     def __init__(self, function, name=None):
    ...         super().__init__(name=name)
    ...         self.adopt("function", function)
    >>> net = Scaled(tl.layers.Input([3]), lambda x: x * tf.Variable(2.0, name="v"), name="s")
    >>> net(tf.ones([3])).numpy().tolist(), list(net.parameters)
    ([2.0, 2.0, 2.0], ['s/v'])
    """

    #: the function's own variables are not ours to cast
    keeps_precision = True

    needs_autograph = True  # the function is somebody else's

    #: whether variables that are asked for by name are called after it, as they were in 1.x
    names_variables = True

    fn: Callable[..., Any]
    _mode_argument: str | None = None
    _fn_args: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name=name)
        self.code = InGraph()

    def adopt(self, argument: str, fn: Any, fn_args: Mapping[str, Any] | None = None) -> None:
        """Compute with ``fn``, and let its variables be the layer's.

        Parameters
        ----------
        argument
            What the constructor calls it.
        fn
            A function, module, or Keras layer.
        fn_args
            More keyword arguments of it.

        Raises
        ------
        InvalidArgument
            It cannot be called.
        """
        if not callable(fn):
            raise InvalidArgument(
                f"{type(self).__name__}: {argument} must be callable, got {fn!r}."
            )
        self.fn = slim.within_scope(fn)
        if self.fn is not fn:  # a saved model would lose the scope
            self.arguments[argument] = self.fn
        self._fn_args = dict(fn_args or {})
        self._is_for_graphs = (getattr(fn, "__module__", None) or "").startswith(_FOR_GRAPHS)
        self.code.needs_graph = self._is_for_graphs
        self._mode_argument = _mode_argument(fn, self._fn_args)

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """Call it."""
        options = {**self._fn_args, **options}
        shared = shared_code(self)
        if shared is not None:  # of the layer that was made with other arguments
            self.code = shared
        if self._mode_argument:
            options[self._mode_argument] = self.is_train
        self.code.scope = self._path if self.names_variables else None
        outputs = self.code.run(self.call_foreign, *inputs, **options)
        if len(self._own_weights) != len(self.code.variables):
            require_shared(self)
            self._keep_weights(self.named_weights())
        return outputs

    def named_weights(self) -> dict[str, tf.Variable]:
        """Return the variables that it made, by their names in the layer."""
        return self.code.named(self._path)

    def call_foreign(self, *inputs: Any, **options: Any) -> Any:
        """Call it in the mode; a subclass may look at the result. Its variables are captured."""
        fn = tf.autograph.experimental.do_not_convert(self.fn) if self._is_for_graphs else self.fn
        if is_keras(fn):
            return fn(*inputs, **options)
        with slim.scope(self.fn, self.is_train), tflearn.mode(self.is_train):
            return fn(*inputs, **options)

    @functools.cached_property
    def _path(self) -> str:
        """What its variables are called after, also when the layer gets another name."""
        return naming.as_path(self.facts.label or self.name)

    def differs_here(self) -> str:
        """Say in which way ``slim.arg_scope`` is another one here than where it was made."""
        return slim.difference(self.fn)

    def parts(self) -> Iterator[tuple[str, Any]]:
        """Yield its variables; a Keras object knows best which of them are trained."""
        if is_keras(self.fn):
            yield "", self.fn
        yield from super().parts()

    def own_losses(self, require: bool) -> list[tf.Tensor]:
        """Return what regularizers cost in its function; those of a Keras object it tells."""
        return [] if is_keras(self.fn) else self.code.losses.here(self, require)

    @tf.autograph.experimental.do_not_convert
    def refers_to(self) -> list[Any]:
        """Return what its function is bound to, and refers to by the names in its code."""
        return referred(self.fn)


def _mode_argument(fn: Callable[..., Any], given: Mapping[str, Any]) -> str | None:
    """Return the argument by which ``fn`` wants to be told the mode, if it has one."""
    if is_keras(fn):  # which passes it on to what is inside, whether it takes it itself or not
        return None if "training" in given else "training"
    target = getattr(fn, "call", fn)
    try:
        names = inspect.signature(target).parameters
    except (TypeError, ValueError):  # built-in functions do not tell
        return None
    return next((name for name in _MODE_ARGUMENTS if name in names and name not in given), None)
