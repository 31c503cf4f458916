"""Connection strings: what may be shown of them, and what they choose."""

from __future__ import annotations

from tensorlayer.errors import InvalidArgument

__all__ = ["database_of", "hosts_of"]


def database_of(uri: str) -> str | None:
    """Return the database that is written in a connection string: ``mongodb://host/database``.

    Examples
    --------
    >>> database_of("mongodb://localhost/cifar?replicaSet=rs0")
    'cifar'
    """
    return _split(uri)[1] or None


def hosts_of(uri: str) -> str:
    """Return the hosts of a connection string, without anything secret."""
    return _split(uri)[0]


def _split(uri: str) -> tuple[str, str]:
    """Return hosts and database of a connection string; its parts are never quoted in a message."""
    scheme, _, rest = uri.partition("://")
    if scheme not in ("mongodb", "mongodb+srv"):
        raise InvalidArgument(
            "Store: a URI starts with 'mongodb://' or 'mongodb+srv://', this one does not. Write "
            "for example 'mongodb://localhost:27017/?replicaSet=rs0'."
        )
    server, _, path = rest.partition("/")
    database = path.partition("?")[0]
    if "@" in database or server.count("@") > 1:
        raise InvalidArgument(
            "Store: in the URI, user or password hold '/' or '@'. Percent-encode special "
            "characters, for example with urllib.parse.quote_plus."
        )
    return server.rpartition("@")[2], database
