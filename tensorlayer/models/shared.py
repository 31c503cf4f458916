"""What occurs several times in a config: written once, and referred to afterwards.

The first description of a layer or model gets an ``"id"`` as soon as it is needed again; every
later one is ``{"is": "same", "id": 1}``. So what shared its weights shares them after reading. A
config that shares nothing has no ids.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any

from tensorlayer.errors import BrokenConfig
from tensorlayer.layers.setting import setting
from tensorlayer.models.places import item

__all__ = ["Read", "Written", "current_read", "current_written", "reading_into", "writing"]

Description = dict[str, Any]


class Written:
    """The layers and models that one config describes so far.

    Examples
    --------
    >>> written, layer = Written(), object()
    >>> first = written.once(layer, lambda: {"class": "Dense"})
    >>> written.once(layer, lambda: {"class": "Dense"}), first
    ({'is': 'same', 'id': 1}, {'class': 'Dense', 'id': 1})
    """

    def __init__(self) -> None:
        # With the things themselves: the id of what is gone may be given to something else.
        self._known: dict[int, tuple[Any, Description]] = {}
        self._n_ids = 0

    def once(self, thing: Any, describe: Callable[[], Description]) -> Description:
        """Return the description of ``thing``, or a reference to the one that it has."""
        if not self.has(thing):
            entry = describe()
            self._known[id(thing)] = (thing, entry)
            return entry
        entry = self._known[id(thing)][1]
        if "id" not in entry:
            self._n_ids += 1
            entry["id"] = self._n_ids
        return {"is": "same", "id": entry["id"]}

    def has(self, thing: Any) -> bool:
        """Whether the config describes ``thing`` already."""
        return id(thing) in self._known


class Read:
    """What was made of one config so far, and what is left to do when all of it is made."""

    def __init__(self) -> None:
        self._made: dict[int, Any] = {}
        self._later: list[Callable[[], None]] = []

    def keep(self, entry: Mapping[str, Any], thing: Any, place: str) -> None:
        """Keep what was made of a description that others may refer to."""
        if "id" not in entry:
            return
        number = item(entry, "id", int, place)
        if number in self._made:
            raise BrokenConfig(f"{place}['id']: there are two descriptions with the id {number}.")
        self._made[number] = thing

    def same(self, reference: Mapping[str, Any], place: str) -> Any:
        """Return what was made of the description that is referred to."""
        number = item(reference, "id", int, place)
        if number not in self._made:
            raise BrokenConfig(f"{place}['id']: nothing before has the id {number}.")
        return self._made[number]

    def later(self, act: Callable[[], None]) -> None:
        """Do something when everything is made."""
        self._later.append(act)

    def finish(self) -> None:
        """Do it."""
        for act in self._later:
            act()


_WRITTEN: ContextVar[Written | None] = ContextVar("tensorlayer_written", default=None)
_READ: ContextVar[Read | None] = ContextVar("tensorlayer_read", default=None)


def current_written() -> Written:
    """Return what the config that is being written describes; nothing outside of any."""
    return _WRITTEN.get() or Written()


def current_read() -> Read:
    """Return what was made of the config that is being read; nothing outside of any."""
    return _READ.get() or Read()


def writing() -> AbstractContextManager[object]:
    """Write a config of its own."""
    return setting(_WRITTEN, Written())


def reading_into(read: Read) -> AbstractContextManager[object]:
    """Read a config, or go on reading one in another context."""
    return setting(_READ, read)
