"""TensorBoard: start it, and stop the one that was started here."""

from __future__ import annotations

import atexit
import importlib.util
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tensorlayer.errors import InvalidArgument, LibraryMissing, TensorLayerError
from tensorlayer.sessions import may_come_first

__all__ = ["TensorBoard", "exit_tensorflow", "open_tensorboard"]

#: TensorBoard imports for several seconds; a slow disk or a busy machine takes ten times as long.
START_SECONDS = 60.0
#: How long it may take to end before it is killed.
STOP_SECONDS = 5.0
POLL_SECONDS = 0.1

#: The folder where TensorLayer has always looked.
LOG_DIR = os.path.join(tempfile.gettempdir(), "tensorflow")


class TensorBoard:
    """A TensorBoard that this process has started.

    It ends with [`close`][], at the end of a ``with`` block, or with this process.

    Attributes
    ----------
    port : int
        Where it listens, on this machine only.
    pid : int
        The id of its process.
    """

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._process = process
        self.port = port
        self.pid = process.pid

    @property
    def url(self) -> str:
        """The address for a browser."""
        return f"http://localhost:{self.port}/"

    @property
    def is_running(self) -> bool:
        """Whether it is there."""
        return self._process.poll() is None

    def close(self) -> None:
        """End it; once more does nothing."""
        _started.pop(self.port, None)
        atexit.unregister(self.close)
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> TensorBoard:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<TensorBoard at {self.url}{'' if self.is_running else ', ended'}>"


#: Those that run, by port: what ``exit_tensorflow`` may end, and nothing else.
_started: dict[int, TensorBoard] = {}


def open_tensorboard(log_dir: str | os.PathLike[str] = LOG_DIR, port: int = 6006) -> TensorBoard:
    """Start TensorBoard and wait until it answers.

    Parameters
    ----------
    log_dir
        The folder with the events, made if it is not there.
    port
        Of this machine; 6006 is TensorBoard's own default. It cannot be reached from others.

    Returns
    -------
    TensorBoard
        With its ``url``, and ``close()``. It ends with this process at the latest.

    Raises
    ------
    InvalidArgument
        The port is no port, or in use.
    LibraryMissing
        TensorBoard is not installed.
    TensorLayerError
        It ended at once or does not answer; the message has what it said.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise LibraryMissing(
            "open_tensorboard needs tensorboard. Install it: pip install tensorboard"
        )
    _require_free(port)
    Path(log_dir).mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(log_dir)]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [*command, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=said
        )
        board = TensorBoard(process, port)
        try:
            _wait_until_it_answers(board, said)
        except BaseException:
            board.close()
            raise
    _started[port] = board
    atexit.register(board.close)
    return board


def _require_free(port: int) -> None:
    if not isinstance(port, int) or not 0 < port < 2**16:
        raise InvalidArgument(f"open_tensorboard: port is from 1 to 65535, got {port!r}.")
    with socket.socket() as test:
        if test.connect_ex(("localhost", port)) == 0:
            raise InvalidArgument(
                f"open_tensorboard: something listens at port {port} already. Choose another port."
            )


def _wait_until_it_answers(board: TensorBoard, said: Any) -> None:
    deadline = time.monotonic() + START_SECONDS
    while board.is_running and time.monotonic() < deadline:
        with socket.socket() as test:
            if test.connect_ex(("localhost", board.port)) == 0:
                return
        time.sleep(POLL_SECONDS)
    said.seek(0)
    text = said.read().decode(errors="replace").strip()[-500:]
    raise TensorLayerError(
        f"TensorBoard did not start at port {board.port}; it said: {text or 'nothing'}"
    )


@may_come_first
def exit_tensorflow(port: int = 6006, *, sess: Any = None) -> None:
    """End the TensorBoard that [`open_tensorboard`][] started at this port, if there is one.

    Other processes are left alone, and so is this one. (TensorLayer 1.x and 2.x ended whatever
    used the port, all Python programs on the GPUs, and the caller.)

    Parameters
    ----------
    port
        As it was started.
    sess
        A session of TensorFlow 1, which is closed. It may come first, as in TensorLayer 1.x.
    """
    if sess is not None:
        sess.close()
    if port in _started:
        _started[port].close()
