"""The hub: one door to the models, the datasets and the workflow of a project."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from pymongo.database import Database

from tensorlayer.storage.connection import Store
from tensorlayer.storage.server import PrivateServer
from tensorlayer.storage.uris import database_of
from tensorlayer.workflow.context import running

if TYPE_CHECKING:
    from tensorlayer.datasets.dataset import Datasets
    from tensorlayer.models.versions import Models
    from tensorlayer.workflow.queue import Workflow

T = TypeVar("T")

_logger = logging.getLogger(__name__)

#: The project of everybody who names none.
DEFAULT_PROJECT = "tensorlayer"


class Hub:
    """What one project keeps in MongoDB. Use `connect` to get one.

    A Hub may be shared by threads, not by a fork. It is a context manager that closes itself.

    Parameters
    ----------
    store
        The connection to the project's database; the hub closes it.
    environment
        Returns how `connect` came to this store; `environment` adds the project. A function, so
        that no attribute shows a password.

    Examples
    --------
    >>> hub.models.keys()
    []
    >>> hub.database.list_collection_names(filter={"name": "notes"})
    []
    """

    def __init__(self, store: Store, environment: Callable[[], Mapping[str, str]] = dict) -> None:
        #: The connection: retries, transactions, stages and blobs.
        self.store = store
        self._environment = environment
        self._parts: dict[str, Any] = {}
        self._parts_lock = threading.Lock()
        store.presence.on_gone(self._clean)

    @property
    def models(self) -> Models:
        """Versions of models, and the events of their training."""
        from tensorlayer.models.versions import Models

        return self._part("models", lambda: Models(self.store))

    @property
    def datasets(self) -> Datasets:
        """Datasets and the views on them."""
        from tensorlayer.datasets.dataset import Datasets

        return self._part("datasets", lambda: Datasets(self.store))

    @property
    def workflow(self) -> Workflow:
        """Tasks, and the agents that run them."""
        from tensorlayer.workflow.queue import Workflow

        return self._part("workflow", lambda: Workflow(self.store, self.environment))

    def _part(self, name: str, make: Callable[[], T]) -> T:
        """Return the one part of this name: two would each buffer events of their own."""
        with self._parts_lock:
            if name not in self._parts:
                self._parts[name] = make()
            return self._parts[name]

    @property
    def database(self) -> Database:
        """The database of pymongo, for whatever is not covered here."""
        return self.store.database

    def environment(self) -> dict[str, str]:
        """Return the environment in which another process reaches this project by ``connect()``.

        For a server of yours it holds the URI with its credentials: pass it to a process that you
        start, never to a log or a command line.

        Examples
        --------
        >>> hub.environment()["TENSORLAYER_PROJECT"] == hub.store.project
        True
        """
        return {**self._environment(), "TENSORLAYER_PROJECT": self.store.project}

    def flush(self) -> None:
        """Write what is buffered: when this returns, no event that was logged can be lost."""
        if "models" in self._parts:  # nobody has logged anything before
            self.models.flush()

    def _clean(self, writer: str) -> None:
        """Remove what a process has written and not committed before it ended."""
        from tensorlayer.datasets import append, deleting

        append.abandon_of(self.store, writer)
        deleting.finish_of(self.store, writer)

    def close(self) -> None:
        """Flush and close the connection; a private server stops when it was the last one."""
        try:
            self.flush()
        finally:
            self.store.close()

    def __enter__(self) -> Hub:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Hub on {self.store!r}>"


def connect(
    uri: str | None = None,
    *,
    project: str | None = None,
    home: str | os.PathLike | None = None,
    outage_budget_seconds: float = 60.0,
) -> Hub:
    """Connect to a project, on a private server that starts if need be, or on a server of yours.

    Inside a task, without arguments, this is the connection of the task: what is written through it
    becomes visible with the end of the task. With arguments it is one of its own, whose writes are
    visible at once and stay when the task fails; a warning says so.

    Parameters
    ----------
    uri
        A connection string; the server must be a replica set of MongoDB 6.0 or newer. By default
        ``$TENSORLAYER_URI``; without that, or with ``home``, the private server of ``home``.
    project
        The name of the project, and of its database. By default the database in the URI, else
        ``$TENSORLAYER_PROJECT``, else ``"tensorlayer"``.
    home
        The folder of the private server; by default ``$TENSORLAYER_HOME``, else the platform's
        folder for a user's data.
    outage_budget_seconds
        How long every call waits for a server that is away; a minute covers a restart.

    Returns
    -------
    Hub
        Close it, or use it in a ``with`` statement.

    Raises
    ------
    ServerNotFound, ServerFailed
        When the private server cannot be started.
    StoreUnavailable, AccessDenied, StandaloneServer
        When the server cannot be used.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> with tl.connect(home="my-home", project="mnist") as hub:
    ...     hub.store.project
    'mnist'
    """
    if (task := running()) is not None:
        if uri is None and project is None and home is None:
            return task.hub
        _logger.warning(
            "connect: %r opens a connection of its own: what it writes is visible at once, and "
            "stays if the task fails. connect() without arguments is the task's connection.",
            task,
        )
    uri = uri or (os.environ.get("TENSORLAYER_URI") if home is None else None)
    project = project or (database_of(uri) if uri else None)
    project = project or os.environ.get("TENSORLAYER_PROJECT") or DEFAULT_PROJECT
    if uri:
        store = Store(uri, project=project, outage_budget_seconds=outage_budget_seconds)
        return Hub(store, lambda: {"TENSORLAYER_URI": uri})
    server = PrivateServer(home)
    address = server.acquire()
    try:
        store = Store(
            address, project=project, outage_budget_seconds=outage_budget_seconds, server=server
        )
    except BaseException:
        server.release()
        raise
    # An empty URI hides one that the other process would inherit.
    place = str(server.home.path)
    return Hub(store, lambda: {"TENSORLAYER_URI": "", "TENSORLAYER_HOME": place})


__all__ = ["Hub", "connect", "DEFAULT_PROJECT"]
