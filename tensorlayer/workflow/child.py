"""The process that executes tasks: it imports the user's modules once, and runs task after task.

It is started by an agent, which claims and beats while tasks run here. The two talk over a socket
pair: the agent sends ``run`` and ``cancel``, the child sends ``ready`` or ``broken``, ``progress``,
``ending`` and ``ended`` for each ``run``, and ``session`` with what the agent has to abort if the
child dies. How a task ended is written to the database by the child itself, in one transaction with
the outputs of the task; the message only says that it is over.

``ending`` says that the function has returned and that its end is short: the agent may send the
next task, which runs while other threads write that end, see `ends`.

Only after a success does another task run in the same process: a task that failed or was cancelled
may have left anything behind. If it is the commit that fails, the next task may run already; it is
the last one then.

The child dies with its agent: by a signal of the kernel on Linux, elsewhere at the end of the line.
"""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
import inspect
import json
import logging
import os
import queue
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from tensorlayer.errors import (
    Corrupt,
    InvalidArgument,
    LeaseLost,
    StoreUnavailable,
    TaskNotFound,
)
from tensorlayer.hub import Hub, connect
from tensorlayer.startup import quiet_tensorflow
from tensorlayer.storage.codec import pack, unpack
from tensorlayer.workflow import functions
from tensorlayer.workflow.agents import IMPORTING
from tensorlayer.workflow.claims import Claims
from tensorlayer.workflow.context import Context, entered
from tensorlayer.workflow.documents import printable
from tensorlayer.workflow.ends import Commits, Ready
from tensorlayer.workflow.functions import bind
from tensorlayer.workflow.orphans import die_with
from tensorlayer.workflow.process import Channel, from_text
from tensorlayer.workflow.tasks import Status, Task

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession

    from tensorlayer.storage.transaction import Stage

__all__ = ["Executor", "Within", "main"]

logger = logging.getLogger(__name__)

# The end of a traceback is where the reason is. 8,000 characters hold some 80 frames, and a full
# history of them stays far below the limit of a document.
_TRACEBACK_LENGTH = 8000
_REASON_LENGTH = 1000


class Executor:
    """Runs claimed tasks in this process, one after the other.

    Parameters
    ----------
    hub : Hub
        The connection of this process.
    modules : sequence of str
        The imported modules in which functions may be found.
    channel : Channel
        The line to the agent.
    owner, host : str
        Identity of the agent, under whose lease the tasks run.
    """

    def __init__(
        self, hub: Hub, modules: Sequence[str], channel: Channel, *, owner: str, host: str
    ) -> None:
        self._hub = _TaskHub(hub.store, hub.environment)
        self._modules = modules
        self._channel = channel
        self._sessions: set[str] = set()
        self._claims = Claims(hub.store, owner=owner, host=host, on_session=self._tell_session)
        self._commits = Commits(self._claims)
        self._context: Context | None = None
        self._cancelled: tuple[str, int] | None = None
        self._outlets = _outlets()
        self._is_followed = False

    def run(self, task_id: str, attempt: int, task: Task | None = None) -> str:
        """Execute one attempt and return how it ended; see `start`."""
        over: Future[str] = Future()
        self.start(task_id, attempt, task, lambda state, is_clean: over.set_result(state))
        return over.result()

    def start(
        self,
        task_id: str,
        attempt: int,
        task: Task | None,
        tell: Callable[[str, bool], Any],
        *,
        is_followed: bool = False,
    ) -> None:
        """Execute the function of one attempt; its end is written by other threads.

        Parameters
        ----------
        task_id, attempt : str, int
            What to run.
        task : Task or None
            The task as it was claimed; it is read if this is None.
        tell : callable
            Told how it ended, from any thread, and whether another task may run here. That is the
            new state of the task; ``lost`` if the attempt belongs to another agent now,
            ``unavailable`` if the database was away for longer than the budget, or ``refused`` if
            the database does not take it. Then nothing that the task did is visible.
        is_followed : bool
            Whether the next order is about to come, so that the end may wait for its end.
        """
        self._is_followed = is_followed
        try:
            ended = self._execute(task or self._claims.read(task_id, attempt), tell)
        except LeaseLost as error:
            logger.warning("LeaseLost: %s", error)
            tell("lost", False)
        except StoreUnavailable as error:
            logger.error("the end of task %s could not be recorded: %s", task_id[:12], error)
            tell("unavailable", False)
        else:
            if isinstance(ended, Status):
                tell(ended.value, False)
            else:
                self._commits.add(ended)
        finally:
            self._context = None

    def cancel(self, task_id: str, attempt: int) -> None:
        """Tell the running attempt, if it is this one, that its end was asked for. Any thread."""
        self._cancelled = task_id, attempt  # before we look: the context may just come into being
        context = self._context
        if context is not None and (context.id, context.attempt) == self._cancelled:
            context.cancel()

    def _execute(self, task: Task, tell: Callable[[str, bool], Any]) -> Status | Ready:
        """Return what is to be written; or the state, if that was written, since it went wrong."""
        try:
            function, bound = self._bound(task)
        except (TaskNotFound, InvalidArgument, Corrupt) as error:  # another attempt ends like this
            reason = f"{type(error).__name__}: {error}"
            return self._claims.fail(task, printable(reason[:_REASON_LENGTH]), is_final=True)
        self._context = context = Context(self._hub, task, self._reporter(task))
        if task.cancel or self._cancelled == (task.id, task.attempt):
            context.cancel()
        try:
            fence = self._claims.fence(task)
            staged = self._hub.store.staged(run=task.id, attempt=task.attempt, fence=fence)
            with staged as stage, entered(context):
                value = function(*bound.args, **bound.kwargs)
                self._hub.flush()
                if context.cancelled:
                    # While the lease is held: after its end, this process has little time.
                    stage.abandon()
                    return self._claims.fail(task, "it ended, since it was told to")
                return self._ready(task, function, stage, value, tell)
        except LeaseLost:
            raise
        except BaseException as error:  # noqa: BLE001  # recorded, also what wants to leave
            with contextlib.suppress(StoreUnavailable):
                self._hub.flush()  # this process ends, and what was logged is not the task's output
            return self._failed(task, function, error)

    def _ready(
        self,
        task: Task,
        function: Callable[..., Any],
        stage: Stage,
        value: Any,
        tell: Callable[[str, bool], Any],
    ) -> Ready:
        result, blobs = pack(value, self._hub.store.blobs, "tasks")
        outputs = Within(stage, contextvars.copy_context())
        is_clean = _outlets() == self._outlets
        ready = Ready(
            end=self._claims.success(task, outputs, result, blobs),
            stage=stage,
            is_followed=self._is_followed and is_clean,
            failed=lambda error: self._failed(task, function, error),
            tell=lambda state: tell(state, is_clean and state == Status.DONE),
        )
        if is_clean and ready.is_short:
            self._channel.send("ending", id=task.id, attempt=task.attempt)
        return ready

    def _bound(self, task: Task) -> tuple[Callable[..., Any], inspect.BoundArguments]:
        function = functions.find(task.function, self._modules)
        arguments = unpack(task.arguments, self._hub.store.blobs)
        match arguments:
            case {"args": list(args), "kwargs": dict(kwargs)}:
                keys = {"input": task.input, "model": task.model, "output": task.output}
                return function, bind(function, args, kwargs, keys)
        raise Corrupt(f"{task}: 'arguments' must hold a list 'args' and a document 'kwargs'.")

    def _failed(self, task: Task, function: Any, error: BaseException) -> Status:
        is_worth_it = isinstance(error, functions.options_of(function).retry_on)
        kind, reason, text = _described(error)
        logger.warning("%s, attempt %d raised\n%s", task, task.attempt, text)
        return self._claims.fail(task, reason, is_final=not is_worth_it, error=kind, traceback=text)

    def session(self) -> str:
        """Return the session that the driver will most likely use for the next transaction."""
        with self._hub.store.client.start_session() as session:
            return session.session_id["id"].hex()

    def _tell_session(self, session: str) -> None:
        if session not in self._sessions:  # the driver uses its sessions again and again
            self._sessions.add(session)
            self._channel.send("session", id=session)

    def _reporter(self, task: Task) -> Callable[[float, str], None]:
        def report(fraction: float, message: str) -> None:
            said = {"fraction": fraction, "message": message}
            self._channel.send("progress", id=task.id, attempt=task.attempt, **said)

        return report


@dataclasses.dataclass(frozen=True)
class Within:
    """A stage whose changes are prepared and applied in the context of the task that made them."""

    stage: Stage
    context: contextvars.Context

    def prepare(self) -> None:
        """Do what may take long."""
        self.context.run(self.stage.prepare)

    def apply(self, session: ClientSession) -> None:
        """Make all of it visible."""
        self.context.run(self.stage.apply, session)

    def abandon(self) -> None:
        """Remove what was written."""
        self.context.run(self.stage.abandon)


class _TaskHub(Hub):
    """The connection of this process in the hands of a task, which must not close it."""

    def close(self) -> None:
        """Write what is buffered."""
        self.flush()


def _described(error: BaseException) -> tuple[str, str, str]:
    """Return class, reason and traceback of an error, whatever its class does when it is asked."""
    kind = printable(type(error).__name__)
    try:
        said = str(error)
    except Exception as another:  # noqa: BLE001  # a user's code makes the text
        said = f"(its text could not be made: {type(another).__name__})"
    try:
        text = "".join(traceback.format_exception(error))
    except Exception:  # noqa: BLE001
        text = "".join(traceback.format_tb(error.__traceback__)) + kind
    reason = f"{kind}: {said}"[:_REASON_LENGTH]
    return kind, printable(reason), printable(text[-_TRACEBACK_LENGTH:])


def _outlets() -> list[tuple[int, int] | None]:
    """Return what standard output and error lead to; None where they are closed."""
    found: list[tuple[int, int] | None] = []
    for stream in (sys.stdout, sys.stderr):
        try:
            about = os.fstat(stream.fileno())
            found.append((about.st_dev, about.st_ino))
        except (OSError, ValueError, AttributeError):
            found.append(None)
    return found


def _listen(channel: Channel, executor: Executor, orders: queue.SimpleQueue) -> None:
    """Take orders while the main thread executes; without an agent, end the whole process group."""
    while not channel.is_closed:
        for message in channel.receive():
            if message["kind"] == "run":
                orders.put(message)
            elif message["kind"] == "cancel":
                executor.cancel(message["id"], message["attempt"])
    os.killpg(0, signal.SIGKILL)


def _prepare(order: dict[str, Any], channel: Channel) -> tuple[list[str], Hub]:
    try:
        modules = [functions.load(target).__name__ for target in order["imports"]]
        os.environ.pop(IMPORTING, None)
        return modules, connect()
    except BaseException as error:
        channel.send("broken", reason=_described(error)[1])
        raise


def main(order: dict[str, Any]) -> None:
    """Serve an agent until it hangs up."""
    die_with(order["parent"], signal.SIGKILL)
    quiet_tensorflow()  # which tasks import; an agent's terminal is for their own words
    os.set_inheritable(order["descriptor"], False)  # what a task starts must not hold the line
    channel = Channel(socket.socket(fileno=order["descriptor"]))
    modules, hub = _prepare(order, channel)
    executor = Executor(hub, modules, channel, owner=order["owner"], host=order["host"])
    orders: queue.SimpleQueue = queue.SimpleQueue()
    listener = threading.Thread(target=_listen, args=(channel, executor, orders), daemon=True)
    listener.start()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")  # unless a module has
    channel.send("ready", session=executor.session(), modules=functions.modules(modules))
    while True:
        message = orders.get()
        who = {"id": message["id"], "attempt": message["attempt"]}
        task, tell = from_text(message["document"]), _teller(channel, who)
        executor.start(*who.values(), task, tell, is_followed=message["is_followed"])


def _teller(channel: Channel, who: dict[str, Any]) -> Callable[[str, bool], None]:
    def tell(state: str, is_clean: bool) -> None:
        if not channel.send("ended", **who, state=state, is_clean=is_clean):
            os.killpg(0, signal.SIGKILL)  # nobody will ever send another task

    return tell


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
