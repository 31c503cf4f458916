"""Logging: the standard library's, under one name.

Everything the library says goes to children of the logger ``tensorlayer``. The functions here are
the spelling that TensorLayer scripts know; they write to that logger. A program that configures
logging decides where it goes. One that does not finds it on standard error, after ``[TL]``:
warnings, what `set_verbosity` asks for, and what a function was asked to print by
``printable=True``.

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
import sys as _sys

from tensorlayer.errors import InvalidArgument as _InvalidArgument

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

DEBUG = _logging.DEBUG  #: What helps to find an error, 10.
INFO = _logging.INFO  #: What happens, 20.
WARN = _logging.WARNING  #: What is probably not meant, 30: seen without any set-up.
ERROR = _logging.ERROR  #: What failed, 40.
FATAL = _logging.CRITICAL  #: What ends the program, 50.

_logger = _logging.getLogger("tensorlayer")


class _Unless(_logging.StreamHandler):
    """Writes to standard error as long as nobody else has a handler."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(_logging.Formatter("[TL] %(message)s"))

    def emit(self, record: _logging.LogRecord) -> None:
        """Write a record that nobody else gets."""
        others = {*_logging.getLogger().handlers, *_logger.handlers} - {self}
        if not others:
            self.stream = _sys.stderr  # which may have been replaced, as by a notebook
            super().emit(record)


_logger.addHandler(_Unless())

#: What somebody has asked for is said at any verbosity.
printed = _logging.getLogger("tensorlayer.printed")
printed.setLevel(INFO)

debug = _logger.debug
info = _logger.info
warn = warning = _logger.warning
error = _logger.error
fatal = _logger.critical


def set_verbosity(level: int | str) -> None:
    """Let through what is at least as severe as ``level``, a number or a name like ``"INFO"``.

    Raises
    ------
    InvalidArgument
        There is no level of this name.
    """
    try:
        _logger.setLevel(level)
    except (TypeError, ValueError) as error:
        raise _InvalidArgument(
            "set_verbosity: a level is a number or one of 'DEBUG', 'INFO', 'WARN', 'ERROR' and "
            f"'FATAL', got {level!r}."
        ) from error


def get_verbosity() -> int:
    """Return the level that is in force for the library."""
    return _logger.getEffectiveLevel()
