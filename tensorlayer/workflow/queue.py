"""The queue of tasks as a user sees it: submit, look, cancel, requeue."""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from pymongo import DESCENDING
from pymongo.errors import DuplicateKeyError

from tensorlayer.errors import InvalidArgument, TaskError, TaskNotFound
from tensorlayer.storage.codec import pack
from tensorlayer.storage.digests import digest
from tensorlayer.storage.names import check_key
from tensorlayer.workflow import agents, functions, schema
from tensorlayer.workflow.agents import AgentInfo
from tensorlayer.workflow.functions import TaskOptions, bind
from tensorlayer.workflow.handle import Handle
from tensorlayer.workflow.schema import Notification
from tensorlayer.workflow.tasks import TRANSITIONS, Status, Task

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession

    from tensorlayer.storage.connection import Store

__all__ = ["Workflow", "identity"]

# 32 hexadecimal digits, 128 bits: no two identities meet, and `tl tasks` can show them.
_ID_LENGTH = 32

# As much of an id as a user has to type. Four digits would be ambiguous among some hundred tasks.
_PREFIX = re.compile(rf"[0-9a-f]{{4,{_ID_LENGTH}}}")


class Workflow:
    """The tasks of a project. Thread safe; all state is in the database.

    Parameters
    ----------
    store : Store
        Where the tasks are.
    environment : callable
        Returns the environment in which another process reaches this project.
    """

    def __init__(self, store: Store, environment: Callable[[], Mapping[str, str]] = dict) -> None:
        self.store = store
        self._environment = environment
        self._tasks = schema.tasks(store)
        schema.notifications(store)  # its index exists before a transaction writes to it

    def submit(
        self,
        function: Callable[..., Any] | str,
        *args: Any,
        input: str | None = None,
        model: str | None = None,
        output: str | None = None,
        queue: str = "default",
        rerun: bool = False,
        max_attempts: int | None = None,
        max_crashes: int | None = None,
        run_timeout_seconds: float | None = None,
        **kwargs: Any,
    ) -> Handle:
        """Have an agent call a function, and return a handle to wait for the result.

        When this returns, the task survives the death of any process and of the server. It is
        executed at least once; what it writes through its hub becomes visible exactly once.

        Function, arguments and keys are the identity of a task: submitting them again returns the
        handle of the newest such task, whatever its state. Submitting takes effect at once, inside
        a task too.

        Parameters
        ----------
        function : callable or str
            A function marked with `task`, or its name ``module:function`` if it cannot be imported
            here.
        *args, **kwargs
            Its arguments: arrays, str, bytes, bool, int, float, None, datetime, and lists and
            dictionaries of those. They may be large. What the function calls like an option below,
            give by position.
        input, model, output : str, optional
            Keys of the dataset to read, the model, and the dataset to write. Parameters of these
            names receive them; `current` has them in any case.
        queue : str
            Only agents of this queue take the task.
        rerun : bool
            Make a new task even if there is one of the same identity.
        max_attempts, max_crashes, run_timeout_seconds : optional
            Instead of what the function was marked with.

        Raises
        ------
        InvalidArgument
            The function is not marked, the arguments do not fit it, or cannot be stored.
        InvalidName
            A key or the queue is not a safe name.
        """
        keys = {"input": input, "model": model, "output": output}
        for what, key in {**keys, "queue": queue}.items():
            if key is not None:
                check_key(key, what)
        limits = {"max_attempts": max_attempts, "max_crashes": max_crashes}
        limits["run_timeout_seconds"] = run_timeout_seconds
        options = _options(function, {name: n for name, n in limits.items() if n is not None})
        name = functions.name_of(function)
        if callable(function):
            bind(function, args, kwargs, keys)
        named = identity(name, args, kwargs, **keys)
        if not rerun and (found := self._newest(named)) is not None:
            return Handle(self, found)
        id_ = uuid.uuid4().hex if rerun else named[:_ID_LENGTH]
        arguments = {"args": list(args), "kwargs": kwargs}
        self._insert(
            arguments, id=id_, identity=named, function=name, queue=queue, **keys, **options
        )
        return Handle(self, id_)

    def _newest(self, named: str) -> str | None:
        found = self.store.call(
            lambda: self._tasks.find_one(
                {"identity": named}, {"_id": 1}, sort=[("created", DESCENDING)]
            )
        )
        return None if found is None else found["_id"]

    def _insert(self, arguments: Mapping[str, Any], **fields: Any) -> None:
        packed, blobs = pack(arguments, self.store.blobs, "tasks")
        now = self.store.now()
        task = Task(
            arguments=packed, blobs=tuple(blobs), created=now, not_before=now, **fields
        ).to_document()

        def operation() -> None:
            # Already there: from an attempt before this one, or from somebody else.
            with contextlib.suppress(DuplicateKeyError):
                self._tasks.insert_one(task)

        self.store.call(operation)

    def handle(self, id_: str) -> Handle:
        """Return the handle of a task by its id, or by the beginning of its id.

        Raises
        ------
        TaskNotFound
            There is none, or more than one.
        """
        found: list[str] = []
        if _PREFIX.fullmatch(id_):
            query = {"_id": {"$gte": id_, "$lte": id_ + "g"}}  # "g" follows all digits
            find = self._tasks.find(query, {"_id": 1}).limit(3)
            found = [document["_id"] for document in self.store.call(lambda: list(find.clone()))]
        if len(found) != 1:
            some = f"it could be {', '.join(found)}" if found else "no id begins like this"
            raise TaskNotFound(
                f"There is no one task {id_!r}: {some}. `tl tasks` shows what there is."
            )
        return Handle(self, found[0])

    def tasks(
        self, *, state: Status | str | None = None, queue: str | None = None, limit: int = 100
    ) -> list[Task]:
        """Return the newest tasks, newest first, without arguments and results.

        Parameters
        ----------
        state, queue : optional
            Only those.
        limit : int
            At most so many. 100: what a person looks at.

        Returns
        -------
        list of Task
            What is no task is listed too; its ``broken`` says why.

        Raises
        ------
        InvalidArgument
            There is no such state.
        """
        wanted = {"state": None if state is None else _state(state).value, "queue": queue}
        query = {name: value for name, value in wanted.items() if value is not None}
        fields = {"arguments": 0, "result": 0}
        documents = self.store.call(
            lambda: list(self._tasks.find(query, fields).sort("created", DESCENDING).limit(limit))
        )
        return [Task.listed(document) for document in documents]

    def notifications(self, id_: str) -> list[Notification]:
        """Return the completion messages of one task, oldest first."""
        return schema.messages_of(self.store, id_)

    def cancel(self, id_: str) -> Status:
        """Ask for the end of a task and return its state then.

        A waiting task is cancelled at once. A running one stays ``RUNNING`` until it has stopped:
        it is asked, after a grace it gets TERM, then KILL. Whatever it does until then, it ends as
        cancelled and nothing of it becomes visible. A task that has ended stays as it is.

        Raises
        ------
        TaskNotFound
            There is no such task.
        """

        def operation(session: ClientSession) -> Status:
            task = self._read(id_, session)
            if task.state is Status.WAITING:
                ended = {"state": Status.CANCELLED.value, "finished": "$$NOW"}
                event = {"event": "cancelled", "by": "user"}
                self._change(id_, {**ended, "history": schema.logged(event)}, session)
                schema.post(self.store, session, (task, Status.CANCELLED))
                return Status.CANCELLED
            if task.state is Status.RUNNING:
                self._change(id_, {"cancel": True}, session)
            return task.state

        return self.store.transact(operation)

    def requeue(self, id_: str) -> Status:
        """Give a dead or cancelled task new tries, and return its state then.

        A task that waits or runs already stays as it is.

        Raises
        ------
        TaskNotFound
            There is no such task.
        TaskError
            The task is done.
        """

        def operation(session: ClientSession) -> Status:
            task = self._read(id_, session)
            if not task.state.is_final:
                return task.state
            if Status.WAITING not in TRANSITIONS[task.state]:
                raise TaskError(
                    f"requeue: {task} is {task.state}, only a dead or cancelled task can wait "
                    "again. Submit it with rerun=True."
                )
            counts = dict.fromkeys(("errors", "crashes", "interruptions"), 0)
            anew = {**counts, "cancel": False, "finished": None, "progress": None}
            moved = {
                "state": Status.WAITING.value,
                "not_before": "$$NOW",
                "attempt": {"$add": ["$attempt", 1]},
            }
            event = schema.logged({"event": "requeued", "by": "user"})
            self._change(id_, {**anew, **moved, "history": event}, session)
            return Status.WAITING

        return self.store.transact(operation)

    def delete(self, id_: str) -> None:
        """Delete a task that has ended, with its arguments, its result and its messages.

        What it has stored, versions and samples, stays. The same call may be submitted again, and
        is executed again.

        Raises
        ------
        TaskNotFound
            There is no such task.
        TaskError
            It has not ended.
        """
        query, fields = {"_id": id_}, {"state": 1, "blobs": 1}

        def operation(session: ClientSession) -> Sequence[Any]:
            found = self._tasks.find_one(query, fields, session=session)
            if found is None:
                raise _not_found(id_)
            if found.get("state") in (Status.WAITING, Status.RUNNING):  # others may be damaged
                raise TaskError(
                    f"delete: task {id_[:8]} is {found['state']}. End it first: "
                    f"`tl tasks cancel {id_[:8]}`."
                )
            blobs = found["blobs"] if isinstance(found.get("blobs"), list) else []
            self._tasks.delete_one(query, session=session)
            schema.forget(self.store, id_, session)
            self.store.blobs.release(blobs, session)
            return blobs

        self.store.blobs.discard(self.store.transact(operation))

    def agents(self) -> list[AgentInfo]:
        """Return the agents that have spoken within the last hour, by host and process."""
        return agents.listed(self.store)

    def agent(
        self,
        imports: Sequence[str],
        *,
        queues: Sequence[str] = ("default",),
        slots: int = 1,
    ) -> AbstractContextManager[int]:
        """Run an agent process as long as the ``with`` statement lasts; it gives the process id.

        For scripts on one machine. The statement is entered when the agent has imported everything;
        at its end the agent is drained. It ends too when the script is killed.

        Parameters
        ----------
        imports : sequence of str
            Modules or ``.py`` files with task functions; a script may name itself: ``[__file__]``.
        queues : sequence of str
            The queues to serve.
        slots : int
            Tasks at the same time.

        Raises
        ------
        TaskError
            The agent could not start.
        """
        return agents.agent(self.store, self._environment(), imports, queues=queues, slots=slots)

    def _read(self, id_: str, session: ClientSession) -> Task:
        document = self._tasks.find_one(
            {"_id": id_}, {"arguments": 0, "result": 0}, session=session
        )
        if document is None:
            raise _not_found(id_)
        return Task.from_document(document)

    def _change(self, id_: str, changes: Mapping[str, Any], session: ClientSession) -> None:
        # The task was read in this transaction: if it changes meanwhile, all of it is repeated.
        self._tasks.update_one({"_id": id_}, [{"$set": dict(changes)}], session=session)

    def __repr__(self) -> str:
        return f"<Workflow of {self.store!r}>"


def identity(
    function: str,
    args: tuple[Any, ...] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    input: str | None = None,
    model: str | None = None,
    output: str | None = None,
) -> str:
    """Return the SHA-256, in hexadecimal, of what a task is: function, arguments and keys.

    Every argument counts with its type, so ``1``, ``1.0``, ``True`` and ``"1"`` are four different
    ones, and a list is not a tuple; neither the order of a dictionary nor the memory layout of an
    array matters.

    Raises
    ------
    InvalidArgument
        An argument is of a type that cannot be stored; the message names its place.

    Examples
    --------
    >>> identity("my:train", (1,)) == identity("my:train", (1,))
    True
    >>> identity("my:train", (1,)) == identity("my:train", (True,))
    False
    """
    keys = {"input": input, "model": model, "output": output}
    parts = {
        "function": function,
        f"{function} args": tuple(args),
        f"{function} kwargs": kwargs or {},
        f"{function} keys": keys,
    }
    return digest(parts.items())


def _not_found(id_: str) -> TaskNotFound:
    return TaskNotFound(f"There is no task {id_!r}. `tl tasks` shows what there is.")


def _state(state: Status | str) -> Status:
    try:
        return Status(state)
    except ValueError:
        raise InvalidArgument(
            f"tasks: a state is one of {', '.join(Status)}, got {state!r}."
        ) from None


def _options(function: Callable[..., Any] | str, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the limits of a task: as chosen, else as marked, else as by default."""
    marked = functions.options_of(function) if callable(function) else TaskOptions()
    limits = {
        name: chosen.get(name, getattr(marked, name))
        for name in ("max_attempts", "max_crashes", "run_timeout_seconds")
    }
    TaskOptions(**limits)  # checks them
    return limits
