"""How a child process dies, and what travels between it and its agent."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import socket

import pytest

from tensorlayer.errors import Corrupt
from tensorlayer.workflow.process import FROM_CHILD, Channel, describe_death, from_text, to_text
from tensorlayer.workflow.tasks import Task


@pytest.mark.parametrize(
    ("code", "words"),
    [(0, "exit code 0"), (-9, "killed by SIGKILL"), (-200, "killed by signal 200")],
)
def test_deaths_are_described(code, words):
    assert describe_death(code) == words


def test_messages_arrive_whole_and_in_order():
    ours, theirs = (Channel(each) for each in socket.socketpair())
    for n in range(100):
        ours.send("progress", n=n)

    received = theirs.receive_all()

    assert [message["n"] for message in received] == list(range(100))
    ours.close()
    theirs.close()


def test_a_message_in_pieces_waits_for_its_end():
    raw, theirs = socket.socketpair()
    channel = Channel(theirs)
    raw.sendall(b'{"kind": "re')
    assert channel.receive() == []
    raw.sendall(b'ady"}\n{"kind"')

    assert channel.receive() == [{"kind": "ready"}]
    raw.close()
    channel.close()


def test_sending_to_nobody_says_so():
    ours, theirs = (Channel(each) for each in socket.socketpair())
    theirs.close()

    assert not ours.send("ready")
    assert ours.is_closed
    ours.close()


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense\n",
        b"\xff\n",
        b"[]\n",
        b'{"no": "kind"}\n',
        b'{"kind": 3}\n',
        b'{"kind": "dance"}\n',
        b'{"kind": "ended", "id": "a", "attempt": 1, "state": "done"}\n',
        b'{"kind": "progress", "id": "a", "attempt": 1, "fraction": NaN, "message": ""}\n',
        b"9" * 10_000 + b"\n",
        b"[" * 60_000 + b"\n",
    ],
    ids=lambda line: repr(line)[:40],
)
def test_what_is_no_message_is_refused(line):
    raw, ours = socket.socketpair()
    channel = Channel(ours, FROM_CHILD)
    raw.sendall(line)

    with pytest.raises(Corrupt, match="message"):
        channel.receive_all()
    raw.close()
    channel.close()


def test_a_message_without_end_is_refused_before_memory_is_full():
    raw, ours = socket.socketpair()
    channel = Channel(ours, FROM_CHILD)
    raw.setblocking(False)

    def fill():
        while True:
            with contextlib.suppress(BlockingIOError):
                while True:
                    raw.send(b"x" * 65536)
            channel.receive_all()

    with pytest.raises(Corrupt, match="longer than 1048576 bytes"):
        fill()
    raw.close()
    channel.close()


def test_texts_can_be_stored():
    ours, theirs = socket.socketpair()
    child, agent = Channel(ours), Channel(theirs, FROM_CHILD)
    child.send("broken", reason="caf\udce9")

    assert agent.receive_all() == [{"kind": "broken", "reason": "caf\\udce9"}]
    child.close()
    agent.close()


def test_a_task_travels_as_text_unless_it_is_large():
    now = datetime.datetime(2024, 5, 1, tzinfo=datetime.timezone.utc)
    task = Task(id="a", function="m:f", arguments={"args": [b"1"]}, created=now, not_before=now)
    large = dataclasses.replace(task, arguments={"args": [b"1" * 100_000]})

    assert from_text(to_text(task)) == task
    assert to_text(large) is None
    assert from_text(None) is None
