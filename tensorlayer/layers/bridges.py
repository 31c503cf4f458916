"""Other libraries by the names of TensorLayer 1.x: Keras, TF-Slim, functions of an Estimator.

Each does what [`tensorlayer.layers.Lambda`][] does, with the arguments that 1.x had.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.foreign import Foreign
from tensorlayer.layers.outputs import Outputs
from tensorlayer.layers.tree import is_keras

__all__ = ["EstimatorLayer", "KerasLayer", "SlimNetsLayer"]


class EstimatorLayer(Foreign):
    """A function in the style of an Estimator's ``model_fn``, from features to a tensor.

    Parameters
    ----------
    model_fn
        It takes the input, and makes its variables while it computes.
    layer_args
        More keyword arguments of the function.
    name
        Unique in the network.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> def scaled(features, start):
    ...     return features * tf.compat.v1.get_variable("scale", initializer=start)
    >>> net = tl.layers.Input([None, 2])
    >>> net = EstimatorLayer(net, scaled, layer_args={"start": 3.0}, name="scaled")
    >>> list(net.parameters), net(tf.ones([1, 2])).numpy().tolist()
    (['scaled/scale'], [[3.0, 3.0]])
    """

    def __init__(
        self,
        model_fn: Callable[..., Any],
        layer_args: Mapping[str, Any] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.adopt("model_fn", model_fn, layer_args)


class KerasLayer(Foreign):
    """A Keras layer or model, or a function that makes Keras layers while it computes.

    Parameters
    ----------
    keras_layer
        The layer, model or function. The layers that a function makes follow the mode, too.
    keras_args
        More keyword arguments of its call.
    name
        Unique in the network.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> def block(x):
    ...     x = tf.keras.layers.Dense(8, activation="relu")(x)
    ...     return tf.keras.layers.Dense(2)(x)
    >>> net = KerasLayer(tl.layers.Input([None, 4]), keras_layer=block, name="block")
    >>> list(net.parameters)
    ['block/kernel', 'block/bias', 'block/kernel_1', 'block/bias_1']
    """

    def __init__(
        self,
        keras_layer: Callable[..., Any],
        keras_args: Mapping[str, Any] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.adopt("keras_layer", keras_layer, keras_args)

    def call_foreign(self, *inputs: Any, **options: Any) -> Any:
        """Call it; a function as if a Keras layer called it."""
        if is_keras(self.fn):
            return super().call_foreign(*inputs, **options)
        return _in_keras(self.is_train, super().call_foreign, inputs, options)

    def named_weights(self) -> dict[str, tf.Variable]:
        """Return the variables by short names: Keras numbers the others over the process."""
        return self.code.short()


def _in_keras(is_train: bool, function: Callable[..., Any], inputs: Any, options: Any) -> Any:
    """Call a function as if a Keras layer did: the layers within follow its ``training``."""
    around = _around()(functools.partial(function, **options))
    return around(list(inputs), training=is_train)


@functools.cache
def _around() -> type[tf.keras.layers.Layer]:
    """Return the class of such a layer; Keras is not loaded before it is needed."""

    class Around(tf.keras.layers.Layer):
        def __init__(self, function: Callable[..., Any]) -> None:
            super().__init__(autocast=False, name="around")
            self.function = function
            self.built = True  # the variables are in no layer that lives

        def call(self, given: list[Any], training: bool = False) -> Any:
            del training  # Keras has noted it
            return self.function(*given)

    return Around


class SlimNetsLayer(Foreign):
    """A network of TF-Slim, such as those in ``tf_slim.nets``.

    Parameters
    ----------
    slim_layer
        A function of the input that returns a tensor, or ``(net, end_points)``.
    slim_args
        More keyword arguments of the function.
    name
        What the function calls its own scope, so that names of variables are those of checkpoints.

    Notes
    -----
    The end points are networks by their names: ``net.end_points["Mixed_5d"]``. In a trace, what
    nobody uses is not computed, but for what moves statistics in training.

    The layer is made in ``slim.arg_scope`` as in TensorLayer 1.x; the scope is kept. Where neither
    ``slim_args`` nor the scope says ``is_training``, it is the mode of the evaluation. Its weight
    decay is in ``net.regularization_losses``. See [`tensorlayer.layers.slim`][].

    Raises
    ------
    InvalidArgument
        The function gives something else, or makes no variables under ``name``.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> import tf_slim as slim
    >>> def tower(x):
    ...     with tf.compat.v1.variable_scope("tower"):
    ...         hidden = slim.fully_connected(x, 8, scope="fc1")
    ...         return slim.fully_connected(hidden, 2, scope="fc2"), {"hidden": hidden}
    >>> net = SlimNetsLayer(tl.layers.Input([None, 4]), slim_layer=tower, name="tower")
    >>> net.end_points["hidden"].outputs.shape
    TensorShape([None, 8])
    >>> list(net.parameters)[:2]
    ['tower/fc1/weights', 'tower/fc1/biases']
    """

    names_variables = False  # the function does

    def __init__(
        self,
        slim_layer: Callable[..., Any],
        slim_args: Mapping[str, Any] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.adopt("slim_layer", slim_layer, slim_args)
        self._is_for_graphs = self.code.needs_graph = True

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """Call the function; give its end points besides."""
        outputs = super().forward(*inputs, **options)
        self._require_variables()
        return Outputs(outputs[0], end_points=outputs[1]) if isinstance(outputs, tuple) else outputs

    def call_foreign(self, *inputs: Any, **options: Any) -> Any:
        """Call the function, and check what it gives."""
        with tf.name_scope(""):  # end points are called after scopes: the function has its own
            found = super().call_foreign(*inputs, **options)
        if tf.is_tensor(found):
            return found
        is_pair = isinstance(found, (tuple, list)) and len(found) == 2
        if not is_pair or not tf.is_tensor(found[0]) or not isinstance(found[1], Mapping):
            raise InvalidArgument(
                f"SlimNetsLayer {self.name!r}: slim_layer has to return a tensor, or (net, "
                f"end_points) with end points by name; got {_described(found)}."
            )
        net, end_points = found
        return net, {name: each for name, each in end_points.items() if tf.is_tensor(each)}

    def named_weights(self) -> dict[str, tf.Variable]:
        """Return the variables by their names after the scope that the function enters."""
        return self.code.named(self.name, self.facts.own_name or self.name)

    def _require_variables(self) -> None:
        """Raise InvalidArgument unless variables are called after the layer, as 1.x demanded."""
        own = self.facts.own_name
        made = [variable.name for variable in self.code.variables]
        if own is None or any(name.startswith(f"{own}/") for name in made):
            return
        begin = sorted({name.partition("/")[0] for name in made if "/" in name})
        remedy = f"Call it name={begin[0]!r}" if begin else "Use tl.layers.Lambda for it"
        raise InvalidArgument(
            f"SlimNetsLayer {self.name!r}: slim_layer makes no variables under this name, but "
            f"{len(made)} under {begin or 'no name'}. {remedy}, or give slim_args a scope="
            f"{own!r}: the names have to be those of checkpoints."
        )


def _described(found: Any) -> str:
    if isinstance(found, (tuple, list)):
        return f"{type(found).__name__} of {', '.join(type(each).__name__ for each in found)}"
    return f"a {type(found).__name__}"
