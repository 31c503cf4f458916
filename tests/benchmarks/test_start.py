"""What it takes to begin: what is measured, and that it is kept."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import start


def test_processes_print_a_number_each():
    assert start.in_processes("print(6 * 7)", 2) == [42.0, 42.0]


def test_the_import_is_measured_without_tensorflow():
    (seconds,) = start.in_processes(start._IMPORTING, 1)

    assert 0 < seconds < 60


def test_memory_is_that_of_the_parameters_and_something():
    (part,) = start.in_processes(start._DECLARING.replace("vgg16()", "ResNet50()"), 1)

    assert 1 <= part < 100


def test_layers_are_declared_and_compared():
    case = start.declaring(1)

    (few,), (many,) = case.samples["250 layers"], case.samples["1,000 layers"]
    assert case.figures[start.STACKED].median == pytest.approx(many / (4 * few))
    assert 1e3 * case.figures[start.RESNET].median == pytest.approx(case.samples["ResNet-50"][0])
    a_dense = np.median(case.samples["a Dense"])
    assert case.figures[start.LAYER].median == pytest.approx(1e3 * a_dense)


def test_each_bar_has_a_figure():
    assert set(start.BARS) == {start.IMPORT, start.PEAK, start.LAYER, start.STACKED, start.RESNET}
