"""Fixtures of the whole test run: one private MongoDB, and a database of its own for each test."""

from __future__ import annotations

import gc
import os
import uuid

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # TensorFlow reads both when it is imported
if "PYTEST_XDIST_WORKER" in os.environ:
    # There is a worker for each processor: more threads would take turns, and wait in loops.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

import hypothesis
import pytest

import tensorlayer as tl

# How long an example takes says how busy the machine is, and nothing about the library.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")


def pytest_collection_finish():
    """Let collections of garbage pass by what stays for the whole run: libraries, and tests."""
    gc.freeze()


@pytest.fixture(autouse=True)
def _no_outer_configuration(monkeypatch):
    """Keep the user's own server out of the tests."""
    for name in ("TENSORLAYER_URI", "TENSORLAYER_HOME", "TENSORLAYER_PROJECT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def server_home(tmp_path_factory):
    """Return the home of the server of this test run; it runs until the end."""
    from tensorlayer.storage.server import PrivateServer

    home = tmp_path_factory.mktemp("server")
    server = PrivateServer(home)
    server.acquire()
    yield home
    server.release()
    server.stop()


@pytest.fixture
def hub(server_home):
    """Return a hub on an empty database."""
    with tl.connect(home=server_home, project=f"test-{uuid.uuid4().hex}") as connected:
        yield connected
        connected.store.client.drop_database(connected.store.project)


@pytest.fixture
def store(hub):
    """Return a store on an empty database."""
    return hub.store


@pytest.fixture
def home(tmp_path):
    """Return an empty home for a test that needs a server of its own."""
    from tensorlayer.storage.server import PrivateServer

    yield tmp_path / "home"
    PrivateServer(tmp_path / "home").stop()


@pytest.fixture(autouse=True)
def _doctests(request, doctest_namespace, tmp_path, monkeypatch):
    """Run doctests in a folder of their own; those that speak of ``hub`` get one."""
    examples = getattr(getattr(request.node, "dtest", None), "examples", None)
    if examples is None:
        return
    monkeypatch.chdir(tmp_path)
    if any("hub" in each.source for each in examples):
        doctest_namespace["hub"] = request.getfixturevalue("hub")
