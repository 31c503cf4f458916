"""Training or inference: a mode that evaluation enters, not a state that layers carry.

The same network can therefore be traced for training and for inference without touching it, and two
threads can use it in different modes.

What is *frozen* computes as in inference inside a training evaluation too: a layer, block or model
with ``trainable = False``, a layer declared with ``is_train=False``, a model told ``eval()``.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar

from tensorlayer.layers.arguments import switch
from tensorlayer.layers.setting import setting

__all__ = ["current_mode", "default_mode", "mode"]

_MODE: ContextVar[bool | None] = ContextVar("tensorlayer_is_train", default=None)


def current_mode() -> bool | None:
    """Return True in training, False in inference, None where nobody has entered a mode."""
    return _MODE.get()


def mode(is_train: bool | None) -> AbstractContextManager[object]:
    """Evaluate layers in training mode (True), in inference mode (False), or as before (None).

    Examples
    --------
    >>> with mode(True):
    ...     current_mode()
    True
    >>> current_mode() is None
    True
    """
    return nullcontext() if is_train is None else setting(_MODE, switch(is_train, "is_train"))


def default_mode(is_train: bool | None) -> AbstractContextManager[object]:
    """Evaluate in the mode that was declared: False freezes, True holds where nobody said one.

    Examples
    --------
    >>> with mode(True), default_mode(False):
    ...     current_mode()
    False
    >>> with mode(False), default_mode(True):
    ...     current_mode()
    False
    """
    is_open = is_train is False or current_mode() is None
    return mode(is_train if is_open else None)
