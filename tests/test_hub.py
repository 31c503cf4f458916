from __future__ import annotations

import subprocess
import sys
import threading

import pytest

import tensorlayer as tl
from tensorlayer.errors import InvalidName
from tensorlayer.storage.server import PrivateServer

SECRET_PARTS = ("@", "authSource")

CHILD = """
import tensorlayer as tl
with tl.connect() as hub:
    print(hub.database["notes"].find_one()["text"])
"""


def run_child(environment):
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        env={"PATH": "/usr/bin:/bin"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_parts_are_made_once(hub):
    for name in ("models", "datasets", "workflow"):
        assert getattr(hub, name) is getattr(hub, name)
    assert hub.database is hub.store.database


def test_a_repr_holds_no_credentials(hub):
    assert repr(hub) == f"<Hub on {hub.store!r}>"
    assert not any(part in repr(hub) for part in SECRET_PARTS)


def test_another_process_reaches_the_same_private_server_by_the_environment(hub, server_home):
    hub.database["notes"].insert_one({"text": "hello"})
    environment = hub.environment()
    assert environment["TENSORLAYER_HOME"] == str(server_home)
    assert run_child({"TENSORLAYER_URI": "mongodb://nowhere"} | environment) == "hello"
    password = PrivateServer(server_home).home.read().password
    assert password not in "".join(environment.values())


def test_another_process_reaches_the_same_server_by_the_environment(hub, server_home):
    hub.database["notes"].insert_one({"text": "hello"})
    uri = PrivateServer(server_home).home.read().uri
    with tl.connect(uri, project=hub.store.project) as by_uri:
        assert run_child(by_uri.environment()) == "hello"


def test_no_attribute_shows_a_password(hub, server_home):
    record = PrivateServer(server_home).home.read()
    with tl.connect(record.uri, project=hub.store.project) as by_uri:
        parts = [by_uri, by_uri.store, by_uri.models, by_uri.datasets, by_uri.workflow]
        shown = "".join(repr(vars(each)) for each in parts)
        assert record.password not in shown
        assert record.password in by_uri.environment()["TENSORLAYER_URI"]


def test_the_project_comes_from_argument_then_uri_then_environment(server_home, monkeypatch):
    uri = PrivateServer(server_home).home.read().uri
    monkeypatch.setenv("TENSORLAYER_PROJECT", "from-environment")
    for arguments, expected in [
        ({"uri": uri.replace("/?", "/from-uri?"), "project": "named"}, "named"),
        ({"uri": uri.replace("/?", "/from-uri?")}, "from-uri"),
        ({"uri": uri}, "from-environment"),
        ({"home": server_home}, "from-environment"),
    ]:
        with tl.connect(**arguments) as hub:
            assert hub.store.project == hub.database.name == expected


def test_the_uri_of_the_environment_is_used_unless_a_home_is_named(server_home, monkeypatch):
    monkeypatch.setenv("TENSORLAYER_URI", PrivateServer(server_home).home.read().uri)
    with tl.connect() as hub:
        assert "TENSORLAYER_HOME" not in hub.environment()
    with tl.connect(home=server_home) as hub:
        assert hub.environment()["TENSORLAYER_URI"] == ""


def test_a_bad_project_is_refused_and_leaves_no_client(home):
    with pytest.raises(InvalidName, match="project 'a b'"):
        tl.connect(home=home, project="a b")
    assert not PrivateServer(home).status().has_clients


def test_closing_twice_is_harmless(server_home):
    hub = tl.connect(home=server_home)
    hub.close()
    hub.close()


def test_connecting_does_not_import_tensorflow(server_home):
    program = f"""
import sys, tensorlayer as tl
tl.connect(home={str(server_home)!r}).close()
assert not {{"tensorflow", "keras"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_closing_writes_what_was_logged(server_home, hub):
    project = hub.store.project
    with tl.connect(home=server_home, project=project) as other:
        other.models.log("mlp", {"loss": 0.5}, step=1)

    assert [event.value for event in hub.models.events("mlp", "loss")] == [0.5]


def test_threads_that_come_together_get_the_same_parts(hub):
    gate, found = threading.Barrier(8), []

    def look():
        gate.wait()
        found.append((hub.models, hub.datasets, hub.workflow))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({tuple(map(id, parts)) for parts in found}) == 1
