from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys

import pytest
from typer.testing import CliRunner

import tensorlayer
from tensorlayer.cli.server import app
from tensorlayer.errors import ServerFailed
from tensorlayer.storage.server import PrivateServer


@pytest.fixture
def tl_server(home):
    """Return a function that runs ``tl server`` on a home of its own and returns its output."""

    def run(*arguments):
        result = CliRunner().invoke(app, [*arguments, "--home", str(home)], catch_exceptions=False)
        assert result.exit_code == 0
        return result.stdout

    return run


def test_a_started_server_stays_until_it_is_stopped(tl_server, home):
    started = json.loads(tl_server("start", "--json"))
    assert started["running"]
    assert started["kept"]
    with tensorlayer.connect(home=home) as hub:
        assert hub.store.client.address[1] == int(started["address"].rpartition(":")[2])
    assert json.loads(tl_server("status", "--json"))["pid"] == started["pid"]
    assert json.loads(tl_server("stop", "--json")) == {"home": str(home), "stopped": True}
    assert not json.loads(tl_server("status", "--json"))["running"]
    assert not json.loads(tl_server("stop", "--json"))["stopped"]


def test_only_shell_uri_prints_credentials(tl_server, home):
    tl_server("start")
    uri = tl_server("shell-uri").strip()
    assert json.loads(tl_server("shell-uri", "--json")) == {"uri": uri}
    with tensorlayer.connect(uri) as hub:
        hub.database.list_collection_names()
    password = uri.partition("@")[0].rpartition(":")[2]
    for command in ("start", "status", "path", "stop"):
        assert password not in tl_server(command)


def test_a_table_is_for_people(tl_server, home):
    shown = tl_server("status")
    assert "running" in shown
    assert "no" in shown
    assert not home.exists()


def test_path_names_home_and_program(tl_server, home):
    shown = json.loads(tl_server("path", "--json"))
    assert shown["home"] == str(home)
    assert shown["mongod"].endswith("mongod")


def test_shell_uri_before_the_first_start_says_what_to_do(home):
    with pytest.raises(ServerFailed, match=r"there is no server yet. Run `tl server start`"):
        CliRunner().invoke(app, ["shell-uri", "--home", str(home)], catch_exceptions=False)


def tl(home, *arguments, **options):
    """Run the command as a user does, and return its exit code and all it says."""
    done = subprocess.run(
        [sys.executable, "-m", "tensorlayer.cli.main", *arguments, "--home", str(home)],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )
    return done.returncode, done.stdout + done.stderr


def as_nobody(home, command):
    """Run a command in a process of another user; return what it raised and what it printed."""
    runner = CliRunner()
    runner.invoke(app, ["status", "--home", str(home)])  # imports what nobody may not read
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setuid(65534)
            result = runner.invoke(app, [command, "--json", "--home", str(home)])
            said = [type(result.exception).__name__, result.stdout or str(result.exception)]
            os.write(sender, json.dumps(said).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(sender)
    with open(receiver, encoding="utf-8") as file:
        return json.load(file)


def test_status_of_a_home_that_does_not_exist_is_an_answer(home):
    code, said = tl(home, "server", "status", "--json")
    assert code == 0
    assert json.loads(said)["state"] == "stopped"
    assert not home.exists()


def test_status_of_a_frozen_server_is_an_answer(home):
    with tensorlayer.connect(home=home):
        pid = PrivateServer(home).status().pid
        os.kill(pid, signal.SIGSTOP)
        try:
            code, said = tl(home, "server", "status")
        finally:
            os.kill(pid, signal.SIGCONT)
        assert code == 1
        assert f"the server (process {pid}) takes connections and does not answer" in said
        assert "silent" in said
        assert "Traceback" not in said
        assert tl(home, "server", "status")[0] == 0


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("is_secret", [True, False])
def test_status_of_a_home_that_cannot_be_written_is_an_answer(home, is_secret):
    """Of another user: the files cannot be read; of a read-only file system: they can."""
    with tensorlayer.connect(home=home):
        for each in home.parents:
            with contextlib.suppress(PermissionError):
                each.chmod(each.stat().st_mode | 0o055)
        if not is_secret:
            for each in [home, home / "data", *home.glob("*.*"), home / "data" / "mongod.lock"]:
                each.chmod(each.stat().st_mode | 0o055)
        error, said = as_nobody(home, "status")
        if is_secret:
            assert error == "ServerFailed"
            assert "server.json cannot be read: Permission denied. Use the account" in said
        else:
            assert error == "NoneType"
            assert json.loads(said)["state"] == "running"
            error, said = as_nobody(home, "start")
            assert error == "ServerFailed"
            assert "cannot be written: Operation not permitted. Choose another" in said
