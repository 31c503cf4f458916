"""Logging: the standard library's, under one name, silent until it is asked to speak.

Everything the library says goes to children of the logger ``tensorlayer``. The functions here are
the spelling that TensorLayer scripts know; they write to that logger.

Examples
--------
>>> import tensorlayer as tl
>>> tl.logging.set_verbosity(tl.logging.WARN)
>>> tl.logging.get_verbosity() == tl.logging.WARN
True
>>> tl.logging.set_verbosity(tl.logging.INFO)
"""

from __future__ import annotations

import logging as _logging

__all__ = [
    "DEBUG",
    "INFO",
    "WARN",
    "ERROR",
    "FATAL",
    "debug",
    "info",
    "warn",
    "warning",
    "error",
    "fatal",
    "set_verbosity",
    "get_verbosity",
]

DEBUG = _logging.DEBUG
INFO = _logging.INFO
WARN = _logging.WARNING
ERROR = _logging.ERROR
FATAL = _logging.CRITICAL

_logger = _logging.getLogger("tensorlayer")
_logger.addHandler(_logging.NullHandler())

debug = _logger.debug
info = _logger.info
warn = warning = _logger.warning
error = _logger.error
fatal = _logger.critical


def set_verbosity(level: int | str) -> None:
    """Let through what is at least as severe as ``level``, a number or a name like ``"INFO"``."""
    _logger.setLevel(level)


def get_verbosity() -> int:
    """Return the level that is in force for the library."""
    return _logger.getEffectiveLevel()
