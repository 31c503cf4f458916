"""Every error of the library, in one tree.

    TensorLayerError
    ├── InvalidArgument (ValueError)     a value breaks a rule
    │   ├── UnknownArgument (TypeError)  a keyword that nobody knows
    │   ├── ModeError (AttributeError)   training or inference was not said, or said twice
    │   ├── NotANetwork (TypeError)      a layer or model is applied to something else
    │   ├── NotBuilt (AttributeError)    weights are asked for before there are any
    │   ├── WrongShape                   a tensor of another rank or shape
    │   └── InvalidName                  a name that must not reach a query or a path
    ├── NamingError (ValueError)
    │   ├── NameTaken                    two layers, one name, one network
    │   ├── NameMissing (LookupError)    reuse of a layer that is not there
    │   └── NameMismatch                 reuse of a layer with other arguments
    ├── UnlistedVariable (ValueError)    a variable that would be neither trained nor saved
    ├── LibraryMissing (ImportError)     an extra is not installed
    ├── NotSerializable (ValueError, RuntimeError)  a model holds what JSON cannot say
    │   └── BrokenConfig                 JSON that describes no model
    ├── StructureMismatch (ValueError)   weights or versions of another structure
    │   └── WeightsMissing (RuntimeError)  a file holds a structure alone
    ├── StoreError
    │   ├── ServerNotFound               no mongod on this machine
    │   ├── ServerFailed                 mongod did not start
    │   ├── StandaloneServer             a server without transactions
    │   ├── AccessDenied                 wrong credentials
    │   ├── StoreUnavailable (ConnectionError)  away for longer than the budget
    │   ├── Conflict                     one id, two contents
    │   └── Corrupt                      stored bytes are not what was stored
    ├── DownloadFailed (ConnectionError) a file of the network did not arrive
    ├── NotFound (LookupError)
    │   ├── ModelNotFound, VersionNotFound, DatasetNotFound, TaskNotFound
    └── TaskError
        ├── LeaseLost                    another agent owns the task now
        ├── TaskFailed                   the awaited task ended without success
        └── TaskTimeout (TimeoutError)   the awaited task did not end in time

An error is made for what a caller may want to catch. Its message states the rule, the value that
was received, the place and the remedy; without a message, the first line of its docstring is shown.
The classes inherit the builtin that older scripts catch.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable


class TensorLayerError(Exception):
    """Something in TensorLayer failed."""

    #: AutoGraph raises this error as it is, instead of one of its own with the same text.
    ag_pass_through = True

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (inspect.getdoc(self) or "").partition("\n")[0])


class InvalidArgument(TensorLayerError, ValueError):
    """An argument breaks a rule."""


class UnknownArgument(InvalidArgument, TypeError):
    """A keyword argument is not known here."""


class ModeError(InvalidArgument, AttributeError):
    """A model has to know whether it trains."""


class NotANetwork(InvalidArgument, TypeError):
    """A layer or a model is applied to what is no network."""


class NotBuilt(InvalidArgument, AttributeError):
    """Weights are asked for that are made in the first call."""


class WrongShape(InvalidArgument):
    """A tensor has another rank or shape than the layer needs."""


class InvalidName(InvalidArgument):
    """A name holds characters that must not reach a query or a path."""


class NamingError(TensorLayerError, ValueError):
    """Layer names and parameter sharing do not fit together."""


class NameTaken(NamingError):
    """Two different layers of one network have the same name."""


class NameMissing(NamingError, LookupError):
    """A layer is to be reused that does not exist."""


class NameMismatch(NamingError):
    """A layer is to be reused with other arguments than it was made with."""


class UnlistedVariable(TensorLayerError, ValueError):
    """Something computes with a variable that is not among its parameters."""


class LibraryMissing(TensorLayerError, ImportError):
    """A library of one of the extras is not installed."""


class NotSerializable(TensorLayerError, ValueError, RuntimeError):
    """A model holds something that JSON cannot describe."""


class BrokenConfig(NotSerializable):
    """A config describes no model, or one that this program does not allow."""


class StructureMismatch(TensorLayerError, ValueError):
    """Weights or versions belong to another structure."""


class WeightsMissing(StructureMismatch, RuntimeError):
    """A file holds the structure of a model and no weights."""


class StoreError(TensorLayerError):
    """The database could not do what was asked."""


class ServerNotFound(StoreError):
    """There is no mongod on this machine."""


class ServerFailed(StoreError):
    """The private MongoDB server did not start."""


class StandaloneServer(StoreError):
    """The server is not a replica set, so it has no transactions."""


class AccessDenied(StoreError):
    """The server does not accept these credentials."""


class StoreUnavailable(StoreError, ConnectionError):
    """The server was away for longer than the outage budget."""


class Conflict(StoreError):
    """One id was used for two different contents."""


class Corrupt(StoreError):
    """Stored bytes are not the bytes that were stored."""


class DownloadFailed(TensorLayerError, ConnectionError):
    """A file could not be downloaded."""


class NotFound(TensorLayerError, LookupError):
    """Nothing is stored under this key."""


class ModelNotFound(NotFound):
    """No model is stored under this key."""


class VersionNotFound(NotFound):
    """The model has no such version."""


class DatasetNotFound(NotFound):
    """No dataset is stored under this key."""


class TaskNotFound(NotFound):
    """There is no such task."""


class TaskError(TensorLayerError):
    """A task did not run as asked."""


class LeaseLost(TaskError):
    """Another agent owns the task now; what this one did has no effect."""


class TaskFailed(TaskError):
    """The awaited task ended without success."""


class TaskTimeout(TaskError, TimeoutError):
    """The awaited task did not end in time."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a sentence that names what comes closest to ``name``, or all there is.

    Examples
    --------
    >>> did_you_mean("rellu", ["relu", "tanh"])
    "Did you mean 'relu'?"
    >>> did_you_mean("zzz", ["tanh", "relu"])
    "There are: 'relu', 'tanh'."
    >>> did_you_mean("zzz", [])
    'There are none.'
    """
    known = sorted(known)
    if not known:
        return "There are none."
    close = difflib.get_close_matches(name, known, n=3)
    names = ", ".join(repr(each) for each in close or known[:20])
    if close:
        return f"Did you mean {names}?"
    return f"There are: {names}{' and more' if len(known) > 20 else ''}."
