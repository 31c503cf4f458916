"""TensorFlow's start without its start-up messages: programs print their own lines only.

Most of those messages come before TensorFlow reads ``TF_CPP_MIN_LOG_LEVEL``, straight from C++ to
the file descriptor of standard error. So standard error is set aside while TensorFlow is imported,
and all that is not such a message is written to it afterwards. Only a process that dies in the
import, such as on a processor that TensorFlow was not built for, takes it along.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.abc
import importlib.machinery
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import IO

__all__ = ["quiet_tensorflow"]

LEVEL = "TF_CPP_MIN_LOG_LEVEL"
QUIET = "3"  # fatal messages only
STDERR = 2

# Such as: I0000 00:00:1795311808.395315   23842 port.cc:153] oneDNN custom operations are on.
_MESSAGE = re.compile(rb"([IWE])\d{4} \d\d:\d\d:[\d.]+ +\d+ [\w./]+:\d+\] ")
_ABOUT_MESSAGES = (
    b"WARNING: All log messages before absl::InitializeLog() is called",
    b"To enable the following instructions:",  # the second line of a message
)


def quiet_tensorflow() -> None:
    """Keep TensorFlow from writing start-up messages when it is imported later on.

    Call it before the first ``import tensorflow`` of the process. ``TF_CPP_MIN_LOG_LEVEL`` means
    what TensorFlow's documentation says, for the early messages too: 1 leaves out information, 2
    warnings, 3 errors; 0 shows everything and switches this off. Where it is not set it is set
    to 3. Python's own warnings and whatever else is written meanwhile appear after the import.

    Where TensorFlow was imported already, only the level is set.

    Examples
    --------
    >>> quiet_tensorflow()
    >>> import tensorflow as tf
    """
    level = os.environ.setdefault(LEVEL, QUIET)
    known = any(isinstance(finder, _QuietFinder) for finder in sys.meta_path)
    if "tensorflow" in sys.modules or known or level not in ("1", "2", "3") or not _has_stderr():
        return
    sys.meta_path.insert(0, _QuietFinder(b"IWE"[: int(level)]))


class _QuietFinder(importlib.abc.MetaPathFinder):
    """Finds TensorFlow where Python would, and has it executed with standard error set aside."""

    def __init__(self, severities: bytes) -> None:
        self._severities = severities

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return TensorFlow's spec; None for every other module."""
        if name != "tensorflow":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            @functools.wraps(execute)
            def exec_module(module: ModuleType) -> None:
                with _set_aside(self._severities):
                    execute(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


@contextlib.contextmanager
def _set_aside(severities: bytes) -> Iterator[None]:
    """Write to standard error at the end what is no message of these severities.

    After an exception everything is written: it may be the messages that explain it. Where there is
    no folder to set it aside in, or nobody reads standard error any more, the import goes on.
    """
    with contextlib.ExitStack() as stack:
        try:
            aside = stack.enter_context(tempfile.TemporaryFile())
        except OSError:
            yield
            return
        try:
            with _stderr_to(aside):
                yield
        except BaseException:
            severities = b""
            raise
        finally:
            aside.seek(0)
            with contextlib.suppress(OSError):
                for line in aside:
                    if not _unwanted(line, severities):
                        os.write(STDERR, line)


def _unwanted(line: bytes, severities: bytes) -> bool:
    message = _MESSAGE.match(line)
    if message is None:
        return bool(severities) and line.startswith(_ABOUT_MESSAGES)
    return message[1] in severities


@contextlib.contextmanager
def _stderr_to(file: IO[bytes]) -> Iterator[None]:
    """Let the descriptor of standard error be a file."""
    kept = os.dup(STDERR)
    try:
        os.dup2(file.fileno(), STDERR)
        yield
    finally:
        os.dup2(kept, STDERR)
        os.close(kept)


def _has_stderr() -> bool:
    try:
        os.fstat(STDERR)
    except OSError:  # a daemon has closed it
        return False
    return True
