from __future__ import annotations

import socket

from tensorlayer.workflow.channel import Channel


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
