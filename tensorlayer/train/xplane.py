"""Read how long operations took from a profile that TensorFlow wrote.

``tf.profiler.experimental`` writes a file ``*.xplane.pb``, which TensorBoard shows: a *space* of
*planes* (the host, each accelerator), each with *lines* (threads, streams) of *events*. It is a
message of protobuf; the few of its fields that are needed are declared here, the others skipped.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

__all__ = ["Operation", "operations"]

_PACKAGE = "tensorlayer.xplane"
_FIELD = descriptor_pb2.FieldDescriptorProto
#: By message: the fields, each with its number and its type. Messages are repeated fields; the map
#: of metadata is one of pairs.
_SCHEMA: dict[str, dict[str, tuple[int, Any]]] = {
    "Space": {"planes": (1, "Plane")},
    "Plane": {
        "name": (2, str),
        "lines": (3, "Line"),
        "event_metadata": (4, "EventPair"),
        "stat_metadata": (5, "StatPair"),
    },
    "EventPair": {"key": (1, int), "value": (2, "EventMetadata")},
    "EventMetadata": {"name": (2, str)},
    "StatPair": {"key": (1, int), "value": (2, "StatMetadata")},
    "StatMetadata": {"name": (2, str)},
    "Line": {"events": (4, "Event")},
    "Event": {
        "metadata_id": (1, int),
        "offset_ps": (2, int),
        "duration_ps": (3, int),
        "stats": (4, "Stat"),
    },
    "Stat": {"metadata_id": (1, int)},
}
_TYPES = {str: _FIELD.TYPE_STRING, int: _FIELD.TYPE_INT64}

#: An event of an operation is called ``name:Type``, as ``gradient_tape/dense/MatMul:MatMul``.
_NAME = re.compile(r"(?P<name>[A-Za-z0-9_.\\\-/>]+):(?P<type>[A-Z_]\w*)(?:#.*#)?")
_HOST = "/host:"
#: A statistic that events of operations have that XLA compiled.
_BY_XLA = "hlo_op"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Operation:
    """What the executions of one operation came to."""

    name: str  #: in its graph
    type: str  #: such as ``MatMul``; ``XLA`` for what it compiled, which has its own names
    n_calls: int  #: how often it was executed
    seconds: float  #: in all, without the operations that it called


def operations(path: str | os.PathLike[str]) -> list[Operation]:
    """Return the operations of a profile, the most expensive ones first.

    Times are those of the threads of the host, added up, so they may exceed the time that passed.
    Of what an accelerator computes it is the time to start it: TensorBoard shows the rest.

    Parameters
    ----------
    path
        A file ``*.xplane.pb``.
    """
    space = _space_class()()
    space.ParseFromString(Path(path).read_bytes())
    calls: dict[tuple[str, str], list[int]] = {}
    for plane in space.planes:
        if not plane.name.startswith(_HOST):
            continue
        names, stats = _names(plane.event_metadata), _names(plane.stat_metadata)
        for line in plane.lines:
            for event, picoseconds in _own_times(line.events):
                is_by_xla = any(stats.get(each.metadata_id) == _BY_XLA for each in event.stats)
                if operation := _named(names.get(event.metadata_id, ""), is_by_xla):
                    calls.setdefault(operation, []).append(picoseconds)
    found = [
        Operation(name=name, type=kind, n_calls=len(each), seconds=sum(each) / 1e12)
        for (name, kind), each in calls.items()
    ]
    return sorted(found, key=lambda each: each.seconds, reverse=True)


def _names(pairs: Iterable[Any]) -> dict[int, str]:
    return {pair.key: value.name for pair in pairs for value in pair.value}


def _named(event: str, is_by_xla: bool) -> tuple[str, str] | None:
    """Return name and type of the operation of an event; None if it is something else."""
    if is_by_xla:
        return event, "XLA"
    found = _NAME.fullmatch(event)
    return (found["name"], found["type"]) if found else None


def _own_times(events: Iterable[Any]) -> Iterator[tuple[Any, int]]:
    """Yield each event of a line and how long it took without those that it contains."""
    # The longer of two that begin together contains the other.
    ordered = sorted(events, key=lambda event: (event.offset_ps, -event.duration_ps))
    around: list[list[Any]] = []  # of the event that is looked at: event, end, own time
    for event in ordered:
        while around and around[-1][1] <= event.offset_ps:
            before, _, own = around.pop()
            yield before, own
        if around:
            around[-1][2] -= event.duration_ps
        around.append([event, event.offset_ps + event.duration_ps, event.duration_ps])
    yield from ((event, own) for event, _, own in around)


@functools.cache
def _space_class() -> Any:
    """Return the class of the whole message."""
    file = descriptor_pb2.FileDescriptorProto(
        name="tensorlayer/xplane.proto", package=_PACKAGE, syntax="proto3"
    )
    for message, fields in _SCHEMA.items():
        declared = file.message_type.add(name=message)
        for name, (number, kind) in fields.items():
            if kind in _TYPES:
                options = {"label": _FIELD.LABEL_OPTIONAL, "type": _TYPES[kind]}
            else:
                options = {"label": _FIELD.LABEL_REPEATED, "type": _FIELD.TYPE_MESSAGE}
                options["type_name"] = f".{_PACKAGE}.{kind}"
            declared.field.add(name=name, number=number, **options)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Space"))
