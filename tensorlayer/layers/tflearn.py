"""TFLearn functions: the library as it can be imported today, and their mode.

    from tensorlayer.layers.tflearn import load_tflearn

    tflearn = load_tflearn()

    def tower(x):
        x = tflearn.fully_connected(x, 32, activation="relu")
        return tflearn.fully_connected(tflearn.dropout(x, 0.8), 10)

    net = tl.layers.Lambda(net, tower, name="tower")

A plain ``import tflearn`` (0.5.0) switches the behaviour of TensorFlow 2 off for the whole process,
and then fails, since what it asks TensorFlow and Pillow for has other names now. After
[`load_tflearn`][] neither is so, for every later ``import tflearn`` as well.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
import threading
import types
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext

import tensorflow as tf

from tensorlayer.errors import LibraryMissing

__all__ = ["load_tflearn", "mode"]

_LOCK = threading.Lock()
#: The collection in which TFLearn looks for the mode; it makes a variable if there is none.
_MODE = "is_training"


def mode(is_train: bool) -> AbstractContextManager[object]:
    """Let functions of TFLearn that are traced within the block follow this mode.

    They may be the first to import it.
    In a TensorFlow 1 graph the mode is the program's, as ever: ``tflearn.is_training``.
    """
    if tf.executing_eagerly():
        return nullcontext()
    graph = tf.compat.v1.get_default_graph()
    return _told(graph, is_train) if graph.building_function else nullcontext()


@contextlib.contextmanager
def _told(graph: tf.Graph, is_train: bool) -> Iterator[None]:
    collection = graph.get_collection_ref(_MODE)
    before = list(collection)
    with tf.init_scope():  # where nobody asks for it, it is no operation of the trace
        collection[:] = [tf.constant(is_train)]
    try:
        yield
    finally:
        collection[:] = before


def load_tflearn() -> types.ModuleType:
    """Return TFLearn, imported without harm to TensorFlow 2.

    While it is imported, ``tf.compat.v1.disable_v2_behavior`` does nothing: no other thread should
    call that meanwhile.

    Raises
    ------
    LibraryMissing
        It is not installed, or cannot be imported.
    """
    with _LOCK:
        if "tflearn" not in sys.modules:
            try:
                with _old_names(), _version_2_stays():
                    importlib.import_module("tflearn")
            except ImportError as error:
                raise LibraryMissing(
                    f"TFLearn cannot be imported: {error}. Run pip install 'tensorlayer[tflearn]'."
                ) from error
        return sys.modules["tflearn"]


@contextlib.contextmanager
def _old_names() -> Iterator[None]:
    """Let what TFLearn imports have the names that it asks for, within the block."""
    nest, image = sys.modules[tf.nest.flatten.__module__], importlib.import_module("PIL.Image")
    old = [(nest, "is_sequence", tf.nest.is_nested)]
    old.append((image, "ANTIALIAS", image.Resampling.LANCZOS))
    missing = [each for each in old if not hasattr(*each[:2])]
    for module, name, value in missing:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, _ in missing:
            delattr(module, name)


@contextlib.contextmanager
def _version_2_stays() -> Iterator[None]:
    """Let ``disable_v2_behavior`` do nothing within the block."""
    # TensorFlow has the module twice: as an attribute, and as what an import gives.
    modules = {id(m): m for m in (tf.compat.v1, importlib.import_module("tensorflow.compat.v1"))}
    before = [(each, each.disable_v2_behavior) for each in modules.values()]
    for module, _ in before:
        module.disable_v2_behavior = _nothing
    try:
        yield
    finally:
        for module, function in before:
            module.disable_v2_behavior = function


def _nothing() -> None:
    """Do what is done instead of switching the behaviour of TensorFlow 2 off."""
