"""GPU memory. There is no GPU here: TensorFlow's answers are set, nvidia-smi is a script."""

import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, TensorLayerError
from tensorlayer.utils import devices
from tensorlayer.utils.devices import clear_all_placeholder_variables, set_gpu_fraction


@pytest.fixture
def gpus(monkeypatch):
    """Pretend there are two GPUs, and return what is set for them."""
    limits = {}
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [f"{kind}:0", f"{kind}:1"])
    monkeypatch.setattr(
        tf.config,
        "set_logical_device_configuration",
        lambda gpu, configurations: limits.update({gpu: configurations[0].memory_limit}),
    )
    return limits


@pytest.fixture
def nvidia_smi(tmp_path, monkeypatch):
    """Put a program on the path that says what it is told to."""

    def say(text):
        (tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\ntest $# = 2 && printf '{text}'\n")
        (tmp_path / "nvidia-smi").chmod(0o755)

    monkeypatch.setenv("PATH", str(tmp_path))
    return say


def test_each_gpu_gets_its_share(gpus, nvidia_smi):
    nvidia_smi("16384\\n8000\\n")
    assert set_gpu_fraction(0.25) == [4096, 2000]
    assert gpus == {"GPU:0": 4096, "GPU:1": 2000}


def test_without_a_gpu_nothing_is_asked(monkeypatch):
    monkeypatch.setattr(devices.shutil, "which", None)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    assert set_gpu_fraction() == []


def test_sizes_that_cannot_be_found_are_an_error(gpus, nvidia_smi):
    with pytest.raises(TensorLayerError, match=r"nvidia-smi is not there.*set_logical_device"):
        set_gpu_fraction()
    nvidia_smi("No devices were found\\n")
    with pytest.raises(TensorLayerError, match="the size of 0 of 2 GPUs: No devices were found"):
        set_gpu_fraction()
    assert gpus == {}


def test_too_late_is_an_error(gpus, nvidia_smi, monkeypatch):
    def refuse(gpu, configurations):
        raise RuntimeError("Virtual devices cannot be modified after being initialized")

    nvidia_smi("16384\\n8000\\n")
    monkeypatch.setattr(tf.config, "set_logical_device_configuration", refuse)
    with pytest.raises(InvalidArgument, match=r"uses the GPUs already \(Virtual.*Call it first"):
        set_gpu_fraction()


@pytest.mark.parametrize("fraction", [0, -1, 1.5, float("nan")])
def test_what_is_no_share_is_an_error(fraction):
    with pytest.raises(InvalidArgument, match=r"gpu_fraction is a share in \(0, 1\]"):
        set_gpu_fraction(fraction)


def test_old_scripts_may_clear_placeholders():
    assert clear_all_placeholder_variables(printable=False) is None
