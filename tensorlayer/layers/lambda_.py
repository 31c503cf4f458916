"""Any function, module or foreign layer as a layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.base import Layer
from tensorlayer.layers.capture import Capture
from tensorlayer.layers.tree import is_keras

__all__ = ["Lambda", "LambdaLayer"]

# How functions and layers of other libraries call the mode.
_MODE_ARGUMENTS = ("is_train", "training", "is_training")


class Lambda(Layer):
    """A function of tensors as a layer; its variables become the network's.

    Parameters
    ----------
    fn
        A function of the inputs (or of a list of inputs), a ``tf.Module``, or a Keras layer or
        model. If it takes ``is_train``, ``training`` or ``is_training``, it is told the mode.
    fn_weights
        Variables that the function uses but does not make. One that is used and neither made nor
        listed here is an error.
    fn_args
        More keyword arguments of the function. Those given when the layer is called come after.
    name
        Unique in the network.

    Notes
    -----
    Output shape: that of the function, found by tracing it. Parameters: the variables that the
    function made in its first run, those of the module, and ``fn_weights``. Moving averages that
    the function updates are updated in training only, as far as it follows the mode.

    A model that is to be saved needs a function that can be found again by its name: see
    [`tensorlayer.models.serializable`][].

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, 4])
    >>> Lambda(net, lambda x: 2 * x, name="double")(tf.ones([1, 4])).numpy().tolist()
    [[2.0, 2.0, 2.0, 2.0]]
    >>> Lambda(net, tf.keras.layers.Dense(3), name="keras").count_params()
    15
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        fn_weights: Sequence[tf.Variable] | None = None,
        fn_args: Mapping[str, Any] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        if not callable(fn):
            raise InvalidArgument(f"Lambda: fn must be callable, got {fn!r}.")
        self.fn = fn
        self.fn_weights = list(fn_weights or [])
        self._fn_args = dict(fn_args or {})
        self._capture = Capture()
        self._mode_argument = _mode_argument(fn, self._fn_args)

    #: the function's own variables are not ours to cast
    keeps_precision = True

    needs_autograph = True  # the function is somebody else's

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """Call the function."""
        options = {**self._fn_args, **options}
        if self._mode_argument:
            options[self._mode_argument] = self.is_train
        outputs = self._capture.run(self.fn, *inputs, **options)
        if len(self._own_weights) != len(self._capture.variables):
            self._keep_weights(self._capture.named(self.name))
        return outputs

    def parts(self) -> Iterator[tuple[str, Any]]:
        """Yield the function's variables; a Keras object knows best which of them are trained."""
        if is_keras(self.fn):
            yield "", self.fn
        yield from super().parts()


def _mode_argument(fn: Callable[..., Any], given: Mapping[str, Any]) -> str | None:
    """Return the argument by which ``fn`` wants to be told the mode, if it has one."""
    target = getattr(fn, "call", fn)
    try:
        names = inspect.signature(target).parameters
    except (TypeError, ValueError):  # built-in functions do not tell
        return None
    return next((name for name in _MODE_ARGUMENTS if name in names and name not in given), None)


LambdaLayer = Lambda
