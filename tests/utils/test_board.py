"""TensorBoard, really started: about three seconds each."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from tensorlayer.errors import InvalidArgument, LibraryMissing, TensorLayerError
from tensorlayer.utils import board as boards
from tensorlayer.utils.board import exit_tensorflow, open_tensorboard


def free_port():
    with socket.socket() as test:
        test.bind(("127.0.0.1", 0))
        return test.getsockname()[1]


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_answers_and_only_it_is_ended(tmp_path):
    port = free_port()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as other:
        board = open_tensorboard(tmp_path / "logs", port)
        with urllib.request.urlopen(board.url, timeout=20) as answer:
            assert b"TensorBoard" in answer.read()
        assert repr(board) == f"<TensorBoard at http://localhost:{port}/>"
        with pytest.raises(InvalidArgument, match=rf"something listens at port {port}"):
            open_tensorboard(tmp_path, port)
        exit_tensorflow(port + 1)  # none of ours there
        assert board.is_running
        exit_tensorflow(port)
        exit_tensorflow(port)
        assert not board.is_running
        assert not is_alive(board.pid)
        assert other.poll() is None
        other.kill()
    board.close()
    assert (tmp_path / "logs").is_dir()


def test_what_others_run_at_the_port_is_left_alone():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        exit_tensorflow(other.getsockname()[1])
        with socket.create_connection(other.getsockname(), timeout=5):
            pass


def test_it_ends_with_the_process_that_started_it(tmp_path):
    code = f"""if True:
        from tensorlayer.utils.board import open_tensorboard
        print(open_tensorboard({str(tmp_path)!r}, {free_port()}).pid)"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not is_alive(int(done.stdout))


def test_what_it_said_is_told_if_it_does_not_start(tmp_path, monkeypatch):
    fail = "import sys; sys.exit('no such flag')"
    monkeypatch.setattr(boards.sys, "executable", str(tmp_path / "python"))
    (tmp_path / "python").write_text(f'#!/bin/sh\nexec {sys.orig_argv[0]} -c "{fail}"\n')
    (tmp_path / "python").chmod(0o755)
    port = free_port()
    with pytest.raises(TensorLayerError, match=rf"at port {port}; it said: no such flag"):
        open_tensorboard(tmp_path, port)
    assert port not in boards._started


def test_one_that_does_not_end_is_killed(monkeypatch):
    monkeypatch.setattr(boards, "STOP_SECONDS", 0.2)
    code = "import signal as s, time; s.signal(15, s.SIG_IGN); print(1, flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    with process.stdout as said:
        said.readline()
    board = boards.TensorBoard(process, 1)
    started = time.monotonic()
    board.close()
    assert process.returncode == -signal.SIGKILL
    assert time.monotonic() - started < 20
    assert repr(board).endswith(", ended>")


@pytest.mark.parametrize("port", [0, 65536, "6006"])
def test_what_is_no_port_is_named(port):
    with pytest.raises(InvalidArgument, match="port is from 1 to 65535"):
        open_tensorboard(port=port)


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setattr(boards.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(LibraryMissing, match="pip install tensorboard"):
        open_tensorboard()


def test_a_session_is_closed():
    import tensorflow as tf

    with tf.Graph().as_default():
        sess = tf.compat.v1.Session()
        exit_tensorflow(sess=sess)
        first = tf.compat.v1.Session()
        exit_tensorflow(first, 6006)  # as in 1.x
        for closed in (sess, first):
            with pytest.raises(RuntimeError, match="closed Session"):
                closed.run(tf.constant(1))
