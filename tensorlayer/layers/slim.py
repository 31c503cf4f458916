"""TF-Slim functions: the scope of arguments that they were made in, and their mode.

    import tf_slim as slim

    def trunk(images, is_training):
        with slim.arg_scope(inception.inception_v3_arg_scope()):
            return inception.inception_v3(images, num_classes=None, is_training=is_training)

    net = tl.layers.Lambda(net, trunk, name="trunk")

Pass ``is_training`` on to the nets of ``tf_slim.nets``: by their own default they train, always.

``slim.arg_scope`` holds when a layer is *made*: it is kept, and holds again whenever the function
runs. ``is_training`` of batch normalisation and dropout is the mode of the evaluation wherever
neither the function nor a scope says it.

Import ``tf_slim`` in the module of a function, or in the function itself: what it calls may not be
the first to import it, and is refused.

What a ``weights_regularizer`` costs, the ``weight_decay`` of the scopes of ``tf_slim.nets``, is in
``net.regularization_losses`` after each evaluation; add it to the loss
([`tensorlayer.layers.losses`][]).

TF-Slim 1.1 was written for older releases of TensorFlow. As soon as a layer meets it, four things
of it are replaced, for good and for every thread; nothing of TensorFlow is touched.

- ``slim.batch_norm`` looks for a layer that ``tf_keras`` has moved; it is told where it is.
- Variables in collections were compared with ``==``, which compares their values today; they are
  compared by identity, as was meant.
- What is known of a tensor while a net is built was asked with a class that TensorFlow has moved.
- The stack of ``arg_scope`` was one for all threads; each has its own.
"""

from __future__ import annotations

import importlib
import inspect
import sys
import threading
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument, LibraryMissing
from tensorlayer.layers.arguments import differences, same
from tensorlayer.layers.get_variable import GraphNeeded
from tensorlayer.layers.referred import imports

__all__ = ["Scoped", "current_scope", "difference", "repaired", "scope", "within_scope"]

_LOCK = threading.Lock()
#: Where ``slim.batch_norm`` looks for its layer, and where ``tf_keras`` offers it.
_OLD_PLACE = "tf_keras.legacy_tf_layers.normalization"
_PLACE = "tf_keras.api._v1.keras.__internal__.legacy.layers"
#: Functions of these take no arguments from a scope.
_OTHERS = ("tensorflow", "keras", "tensorlayer", "numpy")


class Scoped:
    """A function that was given to a layer within ``slim.arg_scope``.

    It equals the plain function, so that a layer is shared by name outside of every scope as well:
    the scope that it was made in counts. Within another scope it is not shared: see `difference`.
    A saved model cannot hold the scope, so it refuses this.
    """

    def __init__(self, function: Callable[..., Any], arg_scope: Mapping[str, Any]) -> None:
        self.__wrapped__ = function  # where inspect.signature looks
        self.arg_scope = arg_scope
        name = getattr(function, "__name__", repr(function))
        self.__name__ = f"{name} within a slim.arg_scope around the layer"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function; the scope is entered by the layer, with the mode in it."""
        return self.__wrapped__(*args, **kwargs)

    def __eq__(self, other: object) -> bool:
        return same(self.__wrapped__, getattr(other, "__wrapped__", other))

    def __hash__(self) -> int:  # of a function that is defined again, the code is the same
        return hash(getattr(self.__wrapped__, "__code__", self.__wrapped__))


def repaired() -> types.ModuleType | None:
    """Return TF-Slim as today's TensorFlow needs it; None if nobody has imported it."""
    slim = sys.modules.get("tf_slim")
    if slim is None or not hasattr(slim, "arg_scope_func_key"):  # it is being imported
        return None
    scopes = sys.modules[slim.arg_scope_func_key.__module__]
    with _LOCK:
        if not getattr(scopes, "is_per_thread", False):
            moved = sys.modules.setdefault(_OLD_PLACE, types.ModuleType(_OLD_PLACE))
            vars(moved)["__getattr__"] = _normalization
            utils = importlib.import_module("tf_slim.layers.utils")
            vars(utils)["constant_value"] = _constant_value
            layers = sys.modules[slim.separable_conv2d.__module__]
            vars(layers)["_add_variable_to_collections"] = _add_to_collections
            stacks = _Stacks()
            stacks.stack = vars(scopes)["_get_arg_stack"]()  # of scopes that are entered now
            vars(scopes)["_get_arg_stack"] = lambda: stacks.stack
            scopes.is_per_thread = True
    return slim


def current_scope() -> Mapping[str, Any]:
    """Return the arguments that ``slim.arg_scope`` gives here; nothing without TF-Slim."""
    slim = repaired()
    return {} if slim is None else slim.current_arg_scope()


def within_scope(function: Any) -> Any:
    """Return what is to be called for ``function``: itself, or with the scope that it is in."""
    arg_scope = current_scope() if _takes_scope(function) else {}
    return Scoped(function, arg_scope) if arg_scope else function


def _takes_scope(function: Any) -> bool:
    module = getattr(function, "__module__", None) or ""
    return inspect.isroutine(function) and not module.startswith(_OTHERS)


def difference(function: Any) -> str:
    """Say in which way the scope here is not that in which a layer got ``function``.

    Empty if it is the same, or if there is none here: then the layer keeps its own.
    """
    here = current_scope()
    was = function.arg_scope if isinstance(function, Scoped) else {}
    if not here or not (isinstance(function, Scoped) or _takes_scope(function)):
        return ""
    names = {
        name
        for key in differences(was, here)
        for name in differences(was.get(key, {}), here.get(key, {}))
    }
    if not names:
        return ""
    made = "in a slim.arg_scope" if was else "outside of the slim.arg_scope"
    return f"the layer that exists was made {made} with other {', '.join(sorted(names))}"


def scope(function: Any, is_train: bool) -> AbstractContextManager[Any]:
    """Return the scope of arguments for a run of ``function``, with the mode in it."""
    if imports(function, "tf_slim"):  # now, so that it can be told the mode
        with suppress(ImportError):  # which the function will raise
            importlib.import_module("tf_slim")
    slim = repaired()
    if slim is None:
        return _not_imported(function)
    given = function.arg_scope if isinstance(function, Scoped) else {}
    told = {
        key: {"is_training": is_train, **given.get(key, {})}
        for key in map(slim.arg_scope_func_key, (slim.batch_norm, slim.dropout))
    }
    return slim.arg_scope({**given, **told})


@contextmanager
def _not_imported(function: Any) -> Iterator[None]:
    """Raise InvalidArgument if TF-Slim is imported in the block: the mode would not reach it."""
    try:
        yield
    except GraphNeeded:  # it will run again
        raise
    except Exception as error:
        _require_not_imported(function, error)
        raise
    _require_not_imported(function)


def _require_not_imported(function: Any, error: Exception | None = None) -> None:
    if "tf_slim" in sys.modules:
        raise InvalidArgument(
            f"{function!r} calls what imports tf_slim, too late to be told the mode. Import "
            "tf_slim before the layer is made, such as at the top of the module."
        ) from error


class _Stacks(threading.local):
    """The stack of scopes of each thread."""

    def __init__(self) -> None:
        self.stack: list[Any] = [{}]


def _add_to_collections(variable: Any, collections_set: Any, collections_name: str) -> None:
    """Add a variable to the collections that a layer was given for this kind, each once."""
    v1, utils = tf.compat.v1, importlib.import_module("tf_slim.layers.utils")
    for name in utils.get_variable_collections(collections_set, collections_name) or ():
        if all(each is not variable for each in v1.get_collection(name)):
            v1.add_to_collection(name, variable)


def _constant_value(value: Any, dtype: Any = None) -> Any:
    """Return the value that is known of a number, tensor or variable; None if there is none."""
    if value is None:
        raise ValueError("value_or_tensor_or_var cannot be None")
    if isinstance(value, tf.Variable):
        return None
    if dtype and tf.is_tensor(value) and value.dtype != dtype:
        raise ValueError(f"It has the wrong type {value.dtype} instead of {dtype}")
    return tf.get_static_value(value) if tf.is_tensor(value) else value


def _normalization(name: str) -> Any:
    """Return what ``slim.batch_norm`` looks for; ``tf_keras`` is loaded when it does."""
    if name.startswith("__"):  # of a module, asked for by whoever looks at all modules
        raise AttributeError(name)
    try:
        return getattr(importlib.import_module(_PLACE), name)
    except ImportError as error:
        raise LibraryMissing(
            "slim.batch_norm: its layer is one of tf_keras, which cannot be imported: "
            f"{error}. Run pip install 'tensorlayer[slim]'."
        ) from error
