from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

import tensorlayer as tl
from tensorlayer.cli.server import app
from tensorlayer.errors import ServerFailed


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
    with tl.connect(home=home) as hub:
        assert hub.store.client.address[1] == int(started["address"].rpartition(":")[2])
    assert json.loads(tl_server("status", "--json"))["pid"] == started["pid"]
    assert json.loads(tl_server("stop", "--json")) == {"home": str(home), "stopped": True}
    assert not json.loads(tl_server("status", "--json"))["running"]
    assert not json.loads(tl_server("stop", "--json"))["stopped"]


def test_only_shell_uri_prints_credentials(tl_server, home):
    tl_server("start")
    uri = tl_server("shell-uri").strip()
    assert json.loads(tl_server("shell-uri", "--json")) == {"uri": uri}
    with tl.connect(uri) as hub:
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
