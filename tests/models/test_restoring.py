"""Restoring: what was saved comes back as what it was."""

import dataclasses

import numpy as np
import pytest

from tensorlayer.errors import StructureMismatch
from tensorlayer.layers import Dense, Input
from tensorlayer.models import Model
from tensorlayer.models.restoring import restore
from tests.models.test_version import VERSION


def mlp(name="d"):
    net = Input([None, 3], name="x")
    return Model(net, Dense(net, n_units=2, name=name), name="mlp")


def test_a_model_comes_back():
    model = mlp()
    version = dataclasses.replace(VERSION, digest=model.structure_digest)
    arrays = {name: np.full_like(array, 0.5) for name, array in model.to_arrays().items()}
    restored = restore(version, model.config, lambda: arrays)
    assert isinstance(restored, Model)
    for name, array in restored.to_arrays().items():
        np.testing.assert_array_equal(array, arrays[name])


def test_another_structure_is_refused_before_anything_is_read():
    version = dataclasses.replace(VERSION, number=7, digest=mlp("other").structure_digest)

    def read():
        raise AssertionError("it was read")

    with pytest.raises(StructureMismatch, match="version 7: the configuration now builds"):
        restore(version, mlp().config, read)


def test_arrays_come_back_as_a_dictionary(hub):
    saved = hub.models.save("arrays", {"w": [1.0, 2.0]})
    restored = restore(saved, hub.models.config("arrays"), lambda: hub.models.arrays("arrays"))
    assert {name: array.tolist() for name, array in restored.items()} == {"w": [1.0, 2.0]}
