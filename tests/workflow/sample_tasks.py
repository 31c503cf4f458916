"""Tasks for the tests: agents import this file, and so do the tests."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import tensorlayer as tl
from tensorlayer.whole import whole_file


def until(condition, seconds=180.0):
    """Poll; a task that waits in vain ends on its own."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the test never opened the gate")
        time.sleep(0.01)


def leave(folder, name, text):
    """Leave a file that a test waits for: it appears whole."""
    with whole_file(Path(folder, name)) as temporary:
        temporary.write_text(text)


def _write_output():
    """Stage one document that tells which attempt wrote it."""
    context = tl.workflow.current()
    outputs = context.hub.database["outputs"]
    document = {"task": context.id, "attempt": context.attempt}
    context.hub.store.commit(
        lambda session: outputs.insert_one(dict(document), session=session) and None
    )


@tl.workflow.task
def add(a, b=1):
    return a + b


@tl.workflow.task
def describe(input, model=None):
    context = tl.workflow.current()
    return {"input": input, "model": model, "output": context.output, "pid": os.getpid()}


@tl.workflow.task(max_crashes=5)
def gated(folder):
    """Say that it started, stage an output, and end when the gate of this attempt is open."""
    attempt = tl.workflow.current().attempt
    _write_output()
    leave(folder, f"started-{attempt}", str(os.getpid()))
    until(lambda: Path(folder, "go").exists() or Path(folder, f"go-{attempt}").exists())
    return attempt


@tl.workflow.task
def fails(folder, until_attempt):
    _write_output()
    if tl.workflow.current().attempt < until_attempt:
        raise ValueError(f"no luck in attempt {tl.workflow.current().attempt}")
    return "luck"


@tl.workflow.task(retry_on=(ConnectionError,))
def fails_for_good():
    raise KeyError("not worth another try")


@tl.workflow.task(max_crashes=2)
def crashes(folder):
    _write_output()
    if not Path(folder, "mended").exists():
        os.kill(os.getpid(), signal.SIGSEGV)
    return "mended"


@tl.workflow.task
def dies_in_its_commit():
    """Be killed in the middle of the transaction that makes the outputs visible."""
    context = tl.workflow.current()
    _write_output()
    if context.attempt == 1:
        context.hub.store.commit(lambda session: os.kill(os.getpid(), signal.SIGKILL))
    return context.attempt


@tl.workflow.task
def dies_with_its_agent_in_its_commit():
    context = tl.workflow.current()
    _write_output()

    def die(session):
        os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)

    if context.attempt == 1:
        context.hub.store.commit(die)
    return context.attempt


@tl.workflow.task
def stages_what_is_refused():
    context = tl.workflow.current()
    _write_output()
    twice = context.hub.database["twice"]
    context.hub.store.commit(lambda session: twice.insert_one({"_id": 1}, session=session))
    context.hub.store.commit(lambda session: twice.insert_one({"_id": 1}, session=session))


@tl.workflow.task(max_crashes=100)
def quick(n):
    _write_output()
    deadline = time.monotonic() + 0.3
    until(lambda: time.monotonic() > deadline)
    return n


@tl.workflow.task
def polite(folder):
    _write_output()
    leave(folder, "started", str(os.getpid()))
    until(lambda: tl.workflow.current().cancelled)
    return "half"


@tl.workflow.task(max_attempts=1)
def stubborn(folder):
    """Neither look at `cancelled` nor obey TERM, and have a process of its own."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
    leave(folder, "grandchild", str(sleeper.pid))
    leave(folder, "started", str(os.getpid()))
    sleeper.wait()


@tl.workflow.task
def reports(folder):
    tl.workflow.current().progress(1.0, "all but done")
    until(Path(folder, "go").exists)


@tl.workflow.task
def exits():
    sys.exit("enough")


@tl.workflow.task
def is_cancelled_inside():
    raise asyncio.CancelledError


@tl.workflow.task
def returns_a_set():
    return {1, 2}


@tl.workflow.task
def logs():
    tl.workflow.current().hub.models.log("mlp", {"loss": 0.5}, step=1)


def unmarked():
    return 1


NO_UTF8 = b"caf\xe9.png".decode(errors="surrogateescape")


@tl.workflow.task
def reports_a_file():
    tl.workflow.current().progress(1.0, NO_UTF8)
    time.sleep(1.0)
    return "reported"


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no words")


@tl.workflow.task(max_attempts=1)
def raises(what):
    raise {"surrogate": ValueError(NO_UTF8), "unprintable": Unprintable()}[what]


@tl.workflow.task(max_crashes=1)
def talks(line, times=1):
    """Write to the line between agent and child, and wait for what comes of it."""
    for name in os.listdir("/proc/self/fd"):
        try:
            is_line = os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
            end = socket.socket(fileno=os.dup(int(name))) if is_line else None
        except OSError:
            continue
        if end is not None and end.family == socket.AF_UNIX:
            for _ in range(times):
                end.sendall(line)
    time.sleep(60)


@tl.workflow.task
def was_cancelled():
    return tl.workflow.current().cancelled


@tl.workflow.task
def closes_its_hub():
    with tl.workflow.current().hub as hub:
        hub.models.log("mlp", {"loss": 0.5}, step=1)
    tl.workflow.current().hub.close()
    return os.getpid()


@tl.workflow.task
def closes_its_output():
    os.close(1)
    return os.getpid()


@tl.workflow.task(max_attempts=1)
def fails_after_a_log(folder):
    tl.workflow.current().hub.models.log("mlp", {"loss": 0.5}, step=1)
    leave(folder, "started", str(os.getpid()))
    raise ValueError("after all")


@tl.workflow.task
def leaves_processes(folder):
    """Start one process, and one in a session of its own."""
    sleep = [sys.executable, "-c", "import time; time.sleep(1000)"]
    both = [subprocess.Popen(sleep, start_new_session=each) for each in (False, True)]
    leave(folder, "pids", " ".join(str(each.pid) for each in both))
    until(Path(folder, "go").exists)


@tl.workflow.task
def holds_the_interpreter(seconds):
    """Let no other thread of this process run."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    try:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            pass
    finally:
        sys.setswitchinterval(before)
    return tl.workflow.current().attempt


@tl.workflow.task
def closes_the_line():
    os.closerange(3, 256)
    return os.getpid()


@tl.workflow.task
def publishes(folder):
    """Publish a checkpoint, stage a version and samples, and end when the gate is open."""
    context = tl.workflow.current()
    models = context.hub.models
    found = models.latest_checkpoint("mlp")
    step = 1 if found is None else found.step + 1
    models.checkpoint("mlp", {"w": np.full(3, step)}, step=step)
    models.save("final", {"w": np.full(3, step)}, step=step)
    context.hub.datasets.create("out").append(np.arange(20_000), progress=False)
    leave(folder, f"started-{context.attempt}", str(os.getpid()))
    until(lambda: context.cancelled or Path(folder, "go").exists())
    return [each.step for each in models.list("mlp")], len(models.list("final"))


@tl.workflow.task
def publishes_late(folder):
    """Publish only after the gate was opened."""
    context = tl.workflow.current()
    leave(folder, f"started-{context.attempt}", str(os.getpid()))
    until(lambda: Path(folder, f"go-{context.attempt}").exists())
    context.hub.models.checkpoint("late", {"w": np.zeros(3)}, step=context.attempt)


@tl.workflow.task
def connects(project):
    """Connect again, once as everybody does and once to a project of one's own choice."""
    with tl.connect() as hub:
        is_same = hub is tl.workflow.current().hub
        hub.models.save("joined", {"w": np.zeros(1)})
    with tl.connect(project=project) as own:
        own.models.save("apart", {"w": np.zeros(1)})
    raise ValueError(f"the same: {is_same}")


@tl.workflow.task(max_crashes=100, max_attempts=100)
def both_doors(n):
    """Publish three checkpoints, stage samples and a version, and tell what was acknowledged."""
    hub = tl.workflow.current().hub
    published = []
    for step in range(1, 4):
        version = hub.models.checkpoint(f"checkpoints-{n}", {"w": np.full(3, step)}, step=step)
        published.append((version.number, version.attempt, step))
        time.sleep(0.05)
    keys = [f"{n}-{i}" for i in range(200)]
    hub.datasets.create("out").append(np.arange(200), tags={"n": n}, keys=keys, progress=False)
    hub.models.save("final", {"w": np.full(3, n)}, step=n)
    return published


@tl.workflow.task(max_crashes=1)
def tells(folder, n):
    """Stage an output, and leave a line that says which process ran it, in order."""
    _write_output()
    with Path(folder, "order").open("a") as stream:
        stream.write(f"{n} {os.getpid()}\n")
    return n


@tl.workflow.task(max_crashes=1)
def commits_slowly(folder, n):
    """Have an end that is written only when the gate is open."""
    context = tl.workflow.current()
    _write_output()
    leave(folder, f"ending-{n}-{context.attempt}", str(os.getpid()))
    context.hub.store.commit(lambda session: until(Path(folder, "go").exists))
    return n


@tl.workflow.task
def stages_what_is_there(key):
    """Stage a document that somebody else has stored."""
    context = tl.workflow.current()
    _write_output()
    twice = context.hub.database["twice"]
    context.hub.store.commit(lambda session: twice.insert_one({"_id": key}, session=session))
    return os.getpid()
