"""Profiles are read by the schema that TensorFlow ships, and times are what they say."""

from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow as tf
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from tensorlayer.train import xplane
from tensorlayer.train.xplane import operations

NAMES = {
    "Space": "XSpace",
    "Plane": "XPlane",
    "EventPair": "XPlane.EventMetadataEntry",
    "EventMetadata": "XEventMetadata",
    "StatPair": "XPlane.StatMetadataEntry",
    "StatMetadata": "XStatMetadata",
    "Stat": "XStat",
    "Line": "XLine",
    "Event": "XEvent",
}


@pytest.fixture(scope="module")
def space_class():
    """Return the message of the schema that TensorFlow's headers come with."""
    (path,) = Path(tf.sysconfig.get_include()).glob(
        "tensorflow/tsl/**/xplane_proto-descriptor-set.proto.bin"
    )
    files = descriptor_pb2.FileDescriptorSet.FromString(path.read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    (package,) = {file.package for file in files.file if file.name.endswith("xplane.proto")}
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.XSpace"))


def test_fields_are_those_of_the_schema(space_class):
    pool, package = space_class.DESCRIPTOR.file.pool, space_class.DESCRIPTOR.file.package
    for message, fields in xplane._SCHEMA.items():
        theirs = pool.FindMessageTypeByName(f"{package}.{NAMES[message]}").fields_by_name
        for name, (number, kind) in fields.items():
            assert theirs[name].number == number
            if isinstance(kind, str):
                assert theirs[name].message_type.full_name == f"{package}.{NAMES[kind]}"
            else:
                expected = {int: "TYPE_INT64", str: "TYPE_STRING"}[kind]
                assert theirs[name].type == getattr(descriptor_pb2.FieldDescriptorProto, expected)


def written(space_class, tmp_path, *lines):
    """Write a profile of lines of events (name, start, duration), in microseconds."""
    space = space_class()
    plane = space.planes.add(name="/host:CPU")
    for line in lines:
        made = plane.lines.add(name="thread")
        for name, start, duration in line:
            metadata_id = len(plane.event_metadata) + 1
            plane.event_metadata[metadata_id].name = name
            made.events.add(
                metadata_id=metadata_id, offset_ps=start * 10**6, duration_ps=duration * 10**6
            )
    path = tmp_path / "host.xplane.pb"
    path.write_bytes(space.SerializeToString())
    return path


def test_what_xla_compiled_has_its_own_names(space_class, tmp_path):
    path = written(space_class, tmp_path, [("wrapped_sine", 0, 4), ("end: wrapped_sine", 4, 1)])
    space = space_class.FromString(path.read_bytes())
    space.planes[0].stat_metadata[7].name = "hlo_op"
    space.planes[0].lines[0].events[0].stats.add(metadata_id=7, str_value="wrapped_sine")
    path.write_bytes(space.SerializeToString())

    assert shown(path) == [("wrapped_sine", "XLA", 1, pytest.approx(4e-6))]


def shown(path):
    return [(each.name, each.type, each.n_calls, each.seconds) for each in operations(path)]


def test_calls_are_added_up_over_threads(space_class, tmp_path):
    path = written(
        space_class,
        tmp_path,
        [("a/MatMul:MatMul", 0, 10), ("add:AddV2", 10, 3)],
        [("a/MatMul:MatMul", 5, 20), ("ThreadpoolListener::Record", 30, 99)],
    )

    assert shown(path) == [
        ("a/MatMul", "MatMul", 2, pytest.approx(30e-6)),
        ("add", "AddV2", 1, pytest.approx(3e-6)),
    ]


def test_what_is_called_is_not_counted_twice(space_class, tmp_path):
    path = written(
        space_class,
        tmp_path,
        [
            ("loop:While", 0, 100),
            ("inner:MatMul", 10, 60),
            ("deep:Mul", 10, 5),  # begins with what contains it
            ("last:Add", 90, 10),  # ends with it
            ("after:Sub", 100, 1),
        ],
    )

    assert {name: seconds for name, _, _, seconds in shown(path)} == {
        "inner": pytest.approx(55e-6),
        "loop": pytest.approx(30e-6),
        "last": pytest.approx(10e-6),
        "deep": pytest.approx(5e-6),
        "after": pytest.approx(1e-6),
    }
