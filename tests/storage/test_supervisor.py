"""What the supervisor does to a server is tested in test_server; here, what it is."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time

import pytest

from tensorlayer.storage import mongod, supervisor
from tests.servers import wait_until


def test_it_runs_on_the_standard_library_alone():
    program = (
        "import runpy, sys; before = set(sys.modules);"
        "runpy.run_path(sys.argv[1], run_name='supervisor');"
        "loaded = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "sys.exit(', '.join(loaded - sys.stdlib_module_names) or 0)"
    )
    subprocess.run([sys.executable, "-I", "-S", "-c", program, supervisor.__file__], check=True)


def test_a_second_supervisor_gives_way_and_starts_nothing(tmp_path):
    lock = supervisor.open_lock(tmp_path / supervisor.SUPERVISOR_LOCK)
    assert supervisor.try_lock(lock, fcntl.LOCK_EX)
    marker = tmp_path / "started"
    command = [sys.executable, "-I", "-S", supervisor.__file__, str(tmp_path), "touch", str(marker)]
    assert subprocess.run(command, check=False).returncode == 1
    os.close(lock)
    assert not marker.exists()


def test_a_lock_is_not_inherited_by_programs(tmp_path):
    lock = supervisor.open_lock(tmp_path / "lock")
    assert not os.get_inheritable(lock)
    os.close(lock)


SERVER = """
import os, socket, sys, time
with socket.socket() as server:
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if "serves" in sys.argv:
        server.bind(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])))
        server.listen()
    with open(sys.argv[1], "a") as file:
        file.write(f"{os.getpid()}\\n")
    time.sleep(60)
"""


@pytest.mark.parametrize(
    ("kind", "has_client", "is_again"),
    [("serves", True, True), ("serves", False, False), ("is silent", True, False)],
)
def test_a_server_that_served_and_is_needed_is_started_again(tmp_path, kind, has_client, is_again):
    marker, port = tmp_path / "started", mongod.free_port()
    client = supervisor.open_lock(tmp_path / supervisor.CLIENTS_LOCK)
    supervisor.try_lock(client, fcntl.LOCK_SH)
    words = [sys.executable, "-c", SERVER, str(marker), kind, "--port", str(port)]
    watcher = [sys.executable, "-I", "-S", supervisor.__file__, str(tmp_path), *words]
    subprocess.run(watcher, check=True)
    wait_until(lambda: marker.exists() and marker.read_text().endswith("\n"))
    if not has_client:
        os.close(client)
    noticed = time.monotonic() + 1.2  # it looks twice a second, and waits 2 s for a client
    wait_until(lambda: time.monotonic() > noticed)
    os.kill(int(marker.read_text()), signal.SIGKILL)
    if is_again:
        wait_until(lambda: marker.read_text().count("\n") == 2)
        os.close(client)
    lock = supervisor.open_lock(tmp_path / supervisor.SUPERVISOR_LOCK)
    wait_until(lambda: supervisor.try_lock(lock, fcntl.LOCK_EX))
    assert marker.read_text().count("\n") == 1 + is_again
    os.close(lock)
