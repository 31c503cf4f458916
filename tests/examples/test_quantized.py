"""What networks with rounded weights share: bits, files, reports."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tests.examples.running import EXAMPLES

sys.path.insert(0, str(EXAMPLES))

import quantized


@pytest.mark.parametrize(("n_values", "n_bits"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (256, 8)])
def test_weights_in_bits_and_back(n_values, n_bits):
    rng = np.random.default_rng(n_values)
    values = np.sort(rng.normal(size=n_values)).astype("float32")
    weights = values[rng.permutation(np.arange(5 * 7 * 13) % n_values)].reshape(5, 7, 13)

    found, packed = quantized.pack(weights)

    np.testing.assert_array_equal(found, values)
    assert packed.nbytes == -(-5 * 7 * 13 * n_bits // 8)
    np.testing.assert_array_equal(quantized.unpack(found, packed, (5, 7, 13)), weights)


def network():
    x = tl.layers.Input([None, 4, 4, 1], name="x")
    net = tl.layers.BinaryConv2d(x, 6, (3, 3), name="binary")
    net = tl.layers.BatchNorm(net, name="norm")
    net = tl.layers.Flatten(net, name="flat")
    net = tl.layers.TernaryDense(net, 9, name="ternary")
    net = tl.layers.DorefaDense(net, bitW=1, n_units=8, name="one")
    net = tl.layers.DorefaDense(net, bitW=3, bitA=32, n_units=8, name="three")
    return tl.models.Model(x, tl.layers.Dense(net, 10, name="logits"))


@pytest.fixture
def model():
    tf.random.set_seed(0)
    found = network()
    rng = np.random.default_rng(0)
    for variable in found.parameters.values():
        variable.assign(np.abs(rng.normal(size=variable.shape)) * np.sign(variable))
    return found


def test_a_file_of_bits_computes_the_same(model, tmp_path):
    images = np.random.default_rng(1).uniform(size=[5, 4, 4, 1]).astype("float32")
    other = network()

    size = quantized.save(model, tmp_path / "packed.npz")
    quantized.load(other, tmp_path / "packed.npz")

    np.testing.assert_allclose(
        other(images, is_train=False), model(images, is_train=False), rtol=1e-4, atol=1e-5
    )
    n_bits = {"binary": 54, "ternary": 2 * 96 * 9, "one": 9 * 8, "three": 3 * 8 * 8}
    n_values = 2 + 3 + 2 + 8
    n_exact = sum(
        model.parameters[name].numpy().size
        for name in model.parameters
        if name.partition("/")[0] not in n_bits or name.endswith("biases")
    )
    assert size == sum(-(-n // 8) for n in n_bits.values()) + 4 * (n_values + n_exact)


def test_the_file_has_the_values_of_the_methods(model, tmp_path):
    quantized.save(model, tmp_path / "packed.npz")

    W = {name: variable.numpy() for name, variable in model.parameters.items()}
    sizes = np.abs(W["ternary/weights"])
    alpha = sizes[sizes > 0.7 * sizes.mean()].mean()
    with np.load(tmp_path / "packed.npz") as arrays:
        assert arrays["binary/filters:values"].tolist() == [-1, 1]
        assert arrays["ternary/weights:values"] == pytest.approx([-alpha, 0, alpha])
        mean = np.abs(W["one/weights"]).mean()
        assert arrays["one/weights:values"] == pytest.approx([-mean, mean])
        assert arrays["three/weights:values"] == pytest.approx(np.linspace(-1, 1, 8))
        signs = np.unpackbits(arrays["binary/filters:bits"])[:54]
        np.testing.assert_array_equal(signs, W["binary/filters"].ravel() > 0)
        assert "binary/filters" not in arrays
        np.testing.assert_array_equal(arrays["logits/weights"], W["logits/weights"])


def test_the_report_tells_values_and_bytes(model, capsys):
    quantized.report(model)

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split(":") == [
        "  binary",
        "      54 weights, 2 values (-1, 1),      7 bytes instead of 216",
    ]
    assert [line.split(":")[0].strip() for line in lines] == ["binary", "ternary", "one", "three"]
    assert "8 values (-1, -0.714, ..., 1)" in lines[3]
