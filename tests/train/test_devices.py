"""Programs on two devices come to what they come to on one, or say why they cannot."""

from __future__ import annotations

import numpy as np
import pytest

from tests.once import once
from tests.train import devices, killed

pytestmark = pytest.mark.timeout(300)  # one process for all


@pytest.fixture(scope="module")
def found():
    """Return what each program has come to, by name."""
    return devices.results()


def flat(value):
    """Return all numbers in a structure of lists."""
    return [n for each in value for n in flat(each)] if isinstance(value, list) else [value]


@pytest.mark.parametrize(
    "name",
    [
        "inputs_in_a_dictionary",
        "several_inputs_and_metrics",
        "two_networks_by_turns",
        "a_run_that_goes_on",
        "one_training_after_another",
        "another_strategy_with_reduction_to_one_device",
        "data_that_nobody_has_spread",
        "a_trainer",
    ],
)
def test_both_come_to_the_same(found, name):
    assert isinstance(found[name], list), "see what the process has written"
    one, other = found[name]
    assert len(flat(one)) > 3, one
    np.testing.assert_allclose(flat(other), flat(one), rtol=1e-4, atol=1e-5)


def test_a_step_made_outside_is_refused_before_it_adds_up_whole_updates(found):
    said, is_as_before = found["a_step_from_outside_on_replicas"]

    assert "each of 2 replicas would add a whole update. Make it within" in said
    assert is_as_before


def test_network_and_step_are_made_in_one_scope(found):
    for said in found["a_step_from_outside"]:
        assert "made outside of the scope of the strategy of its network" in said


def test_two_strategies_are_told_apart_by_nobody(found):
    said = found["two_strategies"]

    assert "Make one strategy for all trainings" in said
    assert "cross_device_ops=tf.distribute.ReductionToOneDevice()" in said


def test_what_optimizers_cannot_do_on_replicas_is_named(found):
    for said in found["changes_within_a_condition"]:
        assert "SGD changes weights within a condition" in said
        assert "accumulate= of the step" in said


def test_xla_compiles_for_one_device(found):
    assert "jit_compile=True compiles a step for one device" in found["compiled"]


def test_a_batch_without_a_sample_is_refused_and_one_without_for_a_replica_is_not(found):
    said, weights = found["no_sample"]

    assert "a batch has no sample, so its cost is no number. Leave it out" in said
    assert np.isfinite(weights).all()


# -- steps that are measured against one device, each in a process of its own

#: The last batch of four has one sample, which is on one of the devices, or two.
ON_TWO_DEVICES = [*((options, 21) for options in killed.STEPS), ("plain", 22)]


@pytest.fixture(scope="module")
def on_two_devices(tmp_path_factory):
    """Return weights and losses of each of these, on one device and on two."""

    def compute():
        return killed.run("step_on_two_devices", *ON_TWO_DEVICES, patience=280)

    return once(tmp_path_factory, "step_on_two_devices", compute)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("options", ON_TWO_DEVICES, ids=str)
def test_two_devices_come_to_the_same_as_one(options, on_two_devices):
    found = on_two_devices[ON_TWO_DEVICES.index(options)]

    np.testing.assert_allclose(*found["weights"], atol=2e-6)
    np.testing.assert_allclose(*found["losses"], rtol=1e-5)


@pytest.mark.slow
def test_statistics_of_parts_are_synchronised_between_devices():
    (found,) = killed.run("normalised_on_two_devices", [])

    np.testing.assert_allclose(*found, atol=2e-6)


@pytest.mark.slow
def test_an_overflow_on_one_of_two_devices_is_one_of_both():
    (found,) = killed.run("overflow_on_one_device", [])

    assert found["before"] == found["after"]
    assert found["scales"] == [32.0, 32.0]
    assert found["finally"] != found["before"]
    assert np.all(np.isfinite(found["finally"]))
