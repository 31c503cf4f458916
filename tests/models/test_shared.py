"""What is shared is written once; the attacks are in test_attacks.py."""

from __future__ import annotations

import pytest

from tensorlayer.errors import BrokenConfig
from tensorlayer.layers import Dense, Input
from tensorlayer.models import Model
from tests.models import hostile
from tests.models.test_config import NODES, changed


def test_a_config_that_shares_nothing_has_no_ids():
    assert "'id'" not in str(hostile.nested(2).config)
    assert "'same'" not in str(hostile.small().config)


def test_the_first_is_described_and_the_others_refer_to_it():
    layers = hostile.layers(hostile.shared().config)

    assert layers["p"]["arguments"]["model"]["id"] == 1
    assert layers["q"]["arguments"]["model"] == {"is": "same", "id": 1}
    assert layers["d"]["is"] == "same"


def test_what_is_shared_stays_shared_over_and_over():
    model = hostile.shared()
    again = Model.from_config(model.config)

    assert hostile.structure(again.config) == hostile.structure(model.config)
    assert again.structure_digest == model.structure_digest
    assert again.get_layer("p").model is again.get_layer("q").model
    assert again.get_layer("p").model.get_layer("d") is again.get_layer("d")


def test_a_model_that_shares_is_another_structure_than_one_that_does_not():
    act = Dense(3, in_channels=3, name="act")
    digests = set()
    for other in (act, Dense(3, in_channels=3, name="act")):
        x = Input([None, 3], name="x")
        net = Dense(Dense(x, 3, act=act, name="p"), 3, act=other, name="q")
        digests.add(Model(x, net, name="m").structure_digest)

    assert len(digests) == 2


@pytest.mark.parametrize(
    ("path", "to", "message"),
    [
        ((NODES, 2, "arguments", "model", "id"), 7, r"\['id'\]: nothing before has the id 7"),
        ((NODES, 2, "arguments", "model", "id"), "1", r"\['id'\]: it has to be an integer"),
        ((NODES, 2, "arguments", "model"), {"is": "same"}, r"\['model'\]: 'id' is missing"),
        ((NODES, 4, "id"), 1, r"\[4\]: the id 1 is that of a model"),
        ((NODES, 0, "id"), 1, r"\['id'\]: there are two descriptions with the id 1"),
    ],
)  # fmt: skip
def test_a_broken_reference_is_told_with_its_place(path, to, message):
    with pytest.raises(BrokenConfig, match=message):
        Model.from_config(changed(hostile.shared(), *path, to=to))
