"""The process that executes tasks: it imports the user's modules once, and runs task after task.

It is started by an agent, which claims and beats while tasks run here. The two talk over a socket
pair: the agent sends ``run`` and ``cancel``, the child sends ``ready`` or ``broken``, ``progress``,
and ``ended`` for each ``run``, and ``session`` with what the agent has to abort if the child dies.
How a task ended is written to the database by the child itself, in one transaction with the outputs
of the task; the message only says that the child is free again.

The child dies with its agent: by a signal of the kernel on Linux, elsewhere at the end of the line.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tensorlayer.errors import LeaseLost, StoreUnavailable, TaskNotFound
from tensorlayer.storage.codec import pack, unpack
from tensorlayer.workflow import registry
from tensorlayer.workflow.calls import bind
from tensorlayer.workflow.channel import Channel
from tensorlayer.workflow.claims import Claims
from tensorlayer.workflow.context import Context, entered
from tensorlayer.workflow.launch import IMPORTING
from tensorlayer.workflow.orphans import die_with
from tensorlayer.workflow.tasks import Task

if TYPE_CHECKING:
    from tensorlayer.hub import Hub

__all__ = ["Executor", "main"]

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
        self._hub = hub
        self._modules = modules
        self._channel = channel
        self._session: str | None = None
        self._claims = Claims(
            hub.workflow.store, owner=owner, host=host, on_session=self._tell_session
        )
        self._context: Context | None = None
        self._cancelled: str | None = None

    def run(self, task_id: str, attempt: int) -> str:
        """Execute one attempt and return how it ended.

        That is the new state of the task; ``lost`` if the attempt belongs to another agent now, or
        ``unavailable`` if the database was away for longer than the budget. In both cases nothing
        that the task did is visible.
        """
        try:
            task = self._claims.read(task_id, attempt)
            return self._execute(task).value
        except LeaseLost as error:
            logger.warning("LeaseLost: %s", error)
            return "lost"
        except StoreUnavailable as error:
            logger.error("the end of task %s could not be recorded: %s", task_id[:12], error)
            return "unavailable"
        finally:
            self._context = None

    def cancel(self, task_id: str) -> None:
        """Tell the running task, if it is this one, that its end was asked for. Any thread."""
        self._cancelled = task_id  # before we look: the context may come into being right now
        context = self._context
        if context is not None and context.id == task_id:
            context.cancel()

    def _execute(self, task: Task) -> Any:
        try:
            function = registry.find(task.function, self._modules)
        except TaskNotFound as error:
            return self._claims.fail(task, str(error), is_final=True)
        store = self._hub.workflow.store
        self._context = context = Context(self._hub, task, self._reporter(task.id))
        if task.cancel or self._cancelled == task.id:
            context.cancel()
        with store.staged(run=task.id) as stage, entered(context):
            try:
                value = self._call(function, task)
                self._hub.flush()
                result, blobs = pack(value, store.blobs, "tasks")
                # Inside the try: what was staged may be refused, which is an error of the task.
                return self._claims.finish(task, stage, result, blobs)
            except LeaseLost:
                raise
            except (Exception, SystemExit) as error:
                logger.exception("%s, attempt %d raised", task, task.attempt)
                return self._failed(task, function, error)

    def _call(self, function: Any, task: Task) -> Any:
        arguments = unpack(task.arguments, self._hub.workflow.store.blobs)
        keys = {"input": task.input, "model": task.model, "output": task.output}
        bound = bind(function, arguments["args"], arguments["kwargs"], keys)
        return function(*bound.args, **bound.kwargs)

    def _failed(self, task: Task, function: Any, error: BaseException) -> Any:
        is_worth_it = isinstance(error, registry.options_of(function).retry_on)
        reason = f"{type(error).__name__}: {error}"[:_REASON_LENGTH]
        text = "".join(traceback.format_exception(error))[-_TRACEBACK_LENGTH:]
        return self._claims.fail(
            task, reason, is_final=not is_worth_it, error=type(error).__name__, traceback=text
        )

    def session(self) -> str:
        """Return the session that the driver will most likely use for the next transaction."""
        with self._hub.store.client.start_session() as session:
            return session.session_id["id"].hex()

    def _tell_session(self, session: str) -> None:
        if session != self._session:  # the driver uses one session again and again
            self._session = session
            self._channel.send("session", id=session)

    def _reporter(self, task_id: str) -> Any:
        def report(fraction: float, message: str) -> None:
            self._channel.send("progress", id=task_id, fraction=fraction, message=message)

        return report


def _listen(channel: Channel, executor: Executor, orders: queue.SimpleQueue) -> None:
    """Take orders while the main thread executes; without an agent, end the whole process group."""
    while not channel.is_closed:
        for message in channel.receive():
            if message["kind"] == "run":
                orders.put(message)
            elif message["kind"] == "cancel":
                executor.cancel(message["id"])
    os.killpg(0, signal.SIGKILL)


def _prepare(order: dict[str, Any], channel: Channel) -> Executor:
    from tensorlayer.hub import connect  # it stands above the workflow, and imports it

    try:
        modules = [registry.load(target).__name__ for target in order["imports"]]
        os.environ.pop(IMPORTING, None)
        hub = connect()
    except BaseException as error:
        channel.send("broken", reason=f"{type(error).__name__}: {error}"[:_REASON_LENGTH])
        raise
    return Executor(hub, modules, channel, owner=order["owner"], host=order["host"])


def main(order: dict[str, Any]) -> None:
    """Serve an agent until it hangs up."""
    die_with(order["parent"], signal.SIGKILL)
    os.set_inheritable(order["descriptor"], False)  # what a task starts must not hold the line
    channel = Channel(socket.socket(fileno=order["descriptor"]))
    executor = _prepare(order, channel)
    orders: queue.SimpleQueue = queue.SimpleQueue()
    listener = threading.Thread(target=_listen, args=(channel, executor, orders), daemon=True)
    listener.start()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")  # unless a module has
    channel.send("ready", session=executor.session())
    while True:
        message = orders.get()
        ended = executor.run(message["id"], message["attempt"])
        channel.send("ended", id=message["id"], attempt=message["attempt"], state=ended)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
