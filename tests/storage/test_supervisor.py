"""What the supervisor does to a server is tested in test_server; here, what it is."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys

from tensorlayer.storage import supervisor


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
