from __future__ import annotations

import pytest

from tensorlayer.cli.connection import connected
from tensorlayer.errors import InvalidName


def test_the_options_lead_to_the_project(server_home):
    with connected(None, "from-options", str(server_home)) as hub:
        assert hub.store.project == "from-options"
        assert hub.store.call(lambda: hub.database.list_collection_names()) == []


def test_the_environment_is_the_default(server_home, monkeypatch):
    monkeypatch.setenv("TENSORLAYER_HOME", str(server_home))
    monkeypatch.setenv("TENSORLAYER_PROJECT", "from-environment")

    with connected(None, None, None) as hub:
        assert hub.store.project == "from-environment"


def test_a_project_that_is_no_name_of_a_database_is_refused(server_home):
    with pytest.raises(InvalidName, match="a/b"):
        connected(None, "a/b", str(server_home))
