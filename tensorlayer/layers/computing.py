"""How a layer computes: once it makes its parameters, then it runs its ``forward``.

Every run of ``forward`` happens here, eager or traced: in the layer's own scope, with its types and
frozen if it is to be frozen. The first run in each mode is compared with what the layer lists:
a variable that is computed with and not listed would be neither trained nor saved, so it is an
error. A trace sees every variable that is read; what runs eagerly sees the trainable ones.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from tensorlayer.errors import (
    InvalidArgument,
    TensorLayerError,
    UnknownArgument,
    UnlistedVariable,
)
from tensorlayer.layers import arguments, naming, tree
from tensorlayer.layers.mode import current_mode, mode
from tensorlayer.layers.outputs import Outputs
from tensorlayer.layers.owner import naming_variables, path_of, scope_of
from tensorlayer.layers.precision import (
    cast,
    exactly,
    first_float,
    require_floats,
    stand_in,
    within,
)
from tensorlayer.layers.sharing import Registry, Reuse
from tensorlayer.layers.structure import leaves, rebuild
from tensorlayer.layers.tf1 import plain_sizes, sharing

if TYPE_CHECKING:
    from tensorlayer.layers.base import Layer
    from tensorlayer.models.model import Model

__all__ = [
    "LOCK",
    "build",
    "compute",
    "explain",
    "require_tensors",
    "run",
    "settle",
    "tensors_of",
]

#: Held while parameters come to exist, so that threads make them once. One for all layers: what is
#: built contains what is built, and locks of their own could wait for each other.
LOCK = threading.RLock()


def compute(owner: Layer | Model, args: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
    """Return the outputs of a layer or model for tensors; the first time, make the parameters."""
    if _mode_of(owner) in owner.facts.compared_modes:
        return run(owner, args, options)
    with _making(owner), _named_after(owner):  # eagerly variables only, and this run makes them
        build(owner, args, options)
        with tf.GradientTape() as tape:  # it sees the variables that are read, and adds nothing
            try:
                outputs = run(owner, args, options)
            except (TypeError, ValueError, tf.errors.OpError) as error:
                if not isinstance(error, TensorLayerError):
                    explain(owner, args, options, error)
                raise
        require_tensors(owner, outputs)
        settle(owner, tape.watched_variables())
    return outputs


def _mode_of(owner: Layer | Model) -> bool:
    """Return whether it trains: what is frozen infers."""
    return bool(current_mode()) and owner.trainable


def _making(owner: Layer | Model) -> AbstractContextManager[Any]:
    """Return what to hold while a first run makes parameters.

    Replicas of a strategy run one at a time and wait for each other wherever they synchronise; one
    that held a lock meanwhile would wait for ever.
    """
    is_replica = tf.distribute.has_strategy() and not tf.distribute.in_cross_replica_context()
    return nullcontext() if owner.facts.compared_modes or is_replica else LOCK


def build(layer: Layer, args: tuple[Any, ...], options: Mapping[str, Any]) -> None:
    """Make the parameters, once, for inputs (tensors or specs) of these shapes and types."""
    if layer.is_built:
        return
    layer.facts.variable_dtype = layer.facts.precision.variable or first_float((args, options))
    shapes = [rebuild(each, _sizes) for each in args]
    named = {key: rebuild(value, _sizes) for key, value in options.items() if _is_input(value)}
    named = {key: value for key, value in named.items() if arguments.takes(layer.build, key)}
    before = dict(vars(layer))
    lists = {k: v for k, v in before.items() if isinstance(v, (list, Mapping))}
    held = {name: (rebuild(value, lambda leaf: leaf), _ids(value)) for name, value in lists.items()}
    try:
        with (
            naming.inside(scope_of(layer.name)),
            within(layer.facts.precision),
            naming_variables(type(layer), layer.facts.label or layer.name),
            sharing(layer.facts),
            plain_sizes(layer),
        ):
            layer.build(shapes[0] if len(shapes) == 1 else shapes, **named)
    except Exception:  # it may still be applied to something that fits
        vars(layer).clear()
        vars(layer).update(before)
        for name, (value, ids) in held.items():
            if _ids(before[name]) != ids:  # it had put something into a list
                setattr(layer, name, value)
        raise
    layer.is_built = True


def _ids(structure: Any) -> list[int]:
    return list(map(id, leaves(structure)))


def run(owner: Layer | Model, args: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
    """Run ``forward`` of a layer or model that is built."""
    # The library's own layers make none in it; what others make there belongs to the owner.
    makes_layers = getattr(type(owner), "needs_autograph", True) is True
    is_graph = not tf.executing_eagerly()
    with (
        mode(None if owner.trainable else False),
        sharing(owner.facts),
        naming.inside(_own_scope(owner)) if makes_layers else nullcontext(),
        _in_graph(owner) if is_graph else nullcontext(),
    ):
        return _forward(owner, args, options)


def _named_after(owner: Layer | Model) -> AbstractContextManager[object]:
    """Return the scope of TensorFlow in which operations and variables are called after it."""
    return tf.name_scope(f"{naming.as_path(owner.facts.label or path_of(owner))}/")


@contextmanager
def _in_graph(owner: Layer | Model) -> Iterator[None]:
    with _named_after(owner), plain_sizes(owner):
        yield


def _own_scope(owner: Layer | Model) -> naming.VariableScope:
    """Return the scope of its ``forward``, in which layers are found again in every later run."""
    if owner.facts.scope is None:
        owner.made_in_forward = {}  # an attribute, so that checkpoints find what is in it
        made = Registry(kept=owner.made_in_forward)
        owner.facts.scope = scope_of(path_of(owner), reuse=Reuse.AUTO, made=made)
    return owner.facts.scope


def _forward(layer: Layer | Model, args: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
    types = layer.facts.precision
    if types.of_input:
        return forward_of(layer)(*args, **options)
    with exactly(types):
        if layer.keeps_precision:
            args, options = cast((args, options), types.variable)
            outputs = forward_of(layer)(*args, **options)
            if isinstance(outputs, Outputs):  # a cost, for example, is not for the next layer
                return Outputs(cast(outputs.main, types.compute), outputs.sides)
            return cast(outputs, types.compute)
        args, options = cast((args, options), types.compute)
        if not types.is_mixed:
            return forward_of(layer)(*args, **options)
        with stand_in(layer, types.compute) as standing:
            # Never traced by itself: a trace would keep the casts of this run as constants.
            forward = standing.forward
            return getattr(forward, "python_function", forward)(*args, **options)


class _PerMode(dict):
    """Traced functions by mode and what is frozen; a copied layer traces its own."""

    def __deepcopy__(self, memo: dict[int, Any]) -> _PerMode:
        return _PerMode()


def forward_of(owner: Layer | Model) -> Callable[..., Any]:
    """Return ``forward``; one that is a ``tf.function`` is traced for each mode.

    So it is when something in it is frozen or thawed. Neither is an argument, so
    that TensorFlow would not see that it is another.
    """
    forward = owner.forward
    if not hasattr(forward, "get_concrete_function"):
        return forward
    if not tf.executing_eagerly():
        return forward.python_function  # it becomes a part of the trace around
    traced = vars(owner).setdefault("forward_by_mode", _PerMode())
    frozen = tuple(each.is_frozen for each in tree.listing(owner, require_all=False))
    key = (bool(current_mode()), frozen)
    if key not in traced:
        traced[key] = tf.function(forward.python_function)
    return traced[key]


@tf.autograph.experimental.do_not_convert
def settle(owner: Layer | Model, used: Collection[tf.Variable]) -> None:
    """Compare what it lists with what a first run used.

    Raises
    ------
    UnlistedVariable
        A variable was used that is not among the parameters.
    NameMissing, InvalidName
        It has parameters, and sharing by name does not allow new ones here.
    """
    _require_listed(owner, used)
    if owner.facts.pending is not None:
        error, scope = owner.facts.pending
        if owner.parameters:
            raise error
        if owner.facts.is_named:
            scope.remember(owner)
        owner.facts.pending = None
    owner.facts.compared_modes |= {_mode_of(owner)}


def _require_listed(owner: Layer | Model, used: Collection[tf.Variable]) -> None:
    if not used:
        return
    listed = {
        id(each)
        for parameter in tree.listing(owner, require_all=False, with_random=True)
        for each in tree.components(parameter.variable)
    }
    lost = [variable for variable in used if id(variable) not in listed]
    if lost:
        raise UnlistedVariable(
            f"{owner!r} computes with the variable {lost[0].name!r} of shape "
            f"{tuple(lost[0].shape)}, which is not among its parameters: it would be neither "
            "trained nor saved. Keep the variable, or the layer or module that has it, in an "
            "attribute of its own; a tl.layers.Lambda takes fn_weights=[...]."
        )


def explain(
    owner: Layer | Model, args: tuple[Any, ...], options: Mapping[str, Any], error: Exception
) -> None:
    """Raise an error of ours if the reason of ``error`` is an argument or type that does not fit.

    Raises
    ------
    UnknownArgument
        The call has an argument that ``forward`` does not take.
    InvalidArgument
        The input is of another type than the parameters.
    """
    computes = owner.transform if _is_plain(owner) else owner.forward
    for name in options:
        if not arguments.takes(computes, name):
            raise UnknownArgument(
                f"{owner!r}: a call of it takes no argument {name!r}. What configures a layer is "
                "given to its class."
            ) from error
    has, gets = owner.facts.variable_dtype, first_float(args)
    if not owner.is_built or not tree.listing(owner, require_all=False):
        return
    tensors = [leaf for leaf in leaves(args) if hasattr(leaf, "dtype")]
    is_layer_of_ours = getattr(owner, "needs_autograph", True) is False  # a model says nothing
    if is_layer_of_ours and not any(each.dtype.is_floating for each in tensors):
        for each in tensors:
            require_floats(owner, each)
    if has not in {None, gets}:
        raise InvalidArgument(
            f"{owner!r}: its parameters are {has.name}, its input is {gets.name}. Cast the input, "
            f"or give the layer dtype={gets.name!r}."
        ) from error


def _is_plain(owner: Layer | Model) -> bool:
    """Whether its ``forward`` is that of every layer: ``transform``, then the activation."""
    return getattr(type(owner).forward, "__qualname__", "") == "Layer.forward"


def require_tensors(owner: Layer | Model, outputs: Any) -> None:
    """Raise InvalidArgument unless the outputs of ``forward`` are tensors."""
    for leaf in leaves(outputs):
        if not tf.is_tensor(leaf):
            raise InvalidArgument(
                f"{owner!r}: forward returns tensors, or lists, tuples and dictionaries of "
                f"tensors; got {type(leaf).__name__} among them."
            )


def tensors_of(owner: Layer | Model, args: Any, options: Mapping[str, Any]) -> Any:
    """Return inputs with arrays and lists of numbers as tensors.

    Floating-point numbers of Python and NumPy are of no type that somebody chose: they become that
    of the layer.

    Raises
    ------
    InvalidArgument
        TensorFlow makes no tensor of it.
    """
    dtype = owner.facts.variable_dtype or tf.float32
    try:
        return (
            tuple(_tensors(value, dtype, is_input=True) for value in args),
            {key: _tensors(value, dtype, is_input=False) for key, value in options.items()},
        )
    except (TypeError, ValueError) as error:
        kinds = ", ".join(type(value).__name__ for value in (*args, *options.values()))
        raise InvalidArgument(
            f"{owner!r}: it takes networks, tensors, arrays and lists of numbers, got {kinds}: "
            f"{str(error)[:200]} Make an array of it."
        ) from error


def _tensors(value: Any, dtype: tf.DType, is_input: bool) -> Any:
    if isinstance(value, tf.Tensor) or value is None or tf.is_tensor(value):
        return value
    if isinstance(value, (list, tuple, Mapping)):
        flat = leaves(value)
        is_structure = any(tf.is_tensor(leaf) or isinstance(leaf, np.ndarray) for leaf in flat)
        if is_structure or isinstance(value, Mapping):
            return rebuild(value, lambda leaf: _tensors(leaf, dtype, is_input=False))
    if isinstance(value, np.ndarray) or is_input:
        array = np.asarray(value)
        return tf.convert_to_tensor(array, dtype if array.dtype.kind == "f" else None)
    return value


def _is_input(value: Any) -> bool:
    return any(isinstance(leaf, tf.TensorSpec) or tf.is_tensor(leaf) for leaf in leaves(value))


def _sizes(value: Any) -> list[int | None] | None:
    """Return the sizes of a tensor or spec; None where even the rank is unknown."""
    shape = tf.TensorShape(value.shape if hasattr(value, "shape") else np.shape(value))
    return None if shape.rank is None else shape.as_list()
