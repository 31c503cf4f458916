"""Connection strings."""

import pytest

from tensorlayer.errors import InvalidArgument
from tensorlayer.storage.uris import database_of, hosts_of


@pytest.mark.parametrize(
    ("uri", "database"),
    [
        ("mongodb://h", None),
        ("mongodb://h/", None),
        ("mongodb://u:p@h:1,i:2/mnist?x=y", "mnist"),
        ("mongodb+srv://h/mnist", "mnist"),
        ("mongodb://h/?replicaSet=a", None),
    ],
)
def test_the_database_in_a_uri(uri, database):
    assert database_of(uri) == database


@pytest.mark.parametrize(
    ("uri", "hosts"),
    [
        ("mongodb://h", "h"),
        ("mongodb://user:secret@h:1,i:2/mnist?x=y", "h:1,i:2"),
        ("mongodb+srv://user:secret@h/mnist", "h"),
    ],
)
def test_hosts_without_anything_secret(uri, hosts):
    assert hosts_of(uri) == hosts


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("http://user:secret@h", "starts with 'mongodb://' or 'mongodb\\+srv://'"),
        ("secret", "starts with 'mongodb://'"),
        ("mongodb://user:sec@ret@h/", "user or password hold '/' or '@'"),
        ("mongodb://user:sec/ret@h/", "user or password hold '/' or '@'"),
    ],
)
def test_what_is_wrong_is_told_without_quoting_it(uri, message):
    with pytest.raises(InvalidArgument, match=message) as caught:
        hosts_of(uri)
    assert "sec" not in str(caught.value)
