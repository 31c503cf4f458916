from __future__ import annotations

import numpy as np
import pytest

from tensorlayer.prepro.strips import by_strips

RNG = np.random.default_rng(0)


def half(values, spare):
    return np.multiply(values, np.float32(0.5), out=spare)


@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(1, 1, 3), (300, 260, 3), (131, 129, 6), (2, 40_000, 3)])
def test_strips_make_a_whole(shape, dtype):
    image = (RNG.random(shape) * 200).astype(dtype)
    before = image.copy()

    result = by_strips(half, image)

    assert result.dtype == dtype
    expected = np.rint(image / 2) if dtype == "uint8" else image / 2
    np.testing.assert_allclose(result, expected, rtol=1e-3 if dtype == "float16" else 1e-6)
    np.testing.assert_array_equal(image, before)


def test_rows_of_other_arrays_go_along():
    image = RNG.random((700, 200, 3)).astype(np.float32)
    rows = np.arange(700)

    def add(values, spare, numbers):
        spare[:] = values + numbers[:, None, None]
        return spare

    np.testing.assert_allclose(by_strips(add, image, rows), image + rows[:, None, None], rtol=1e-6)


def test_the_result_may_replace_the_image_and_the_image_need_not_be_contiguous():
    image = RNG.integers(0, 256, (400, 300, 3), np.uint8)
    expected = np.rint(image / 2)

    np.testing.assert_array_equal(by_strips(half, image[::-2, ::3]), expected[::-2, ::3])
    assert by_strips(half, image, out=image) is image
    np.testing.assert_array_equal(image, expected)


def test_integers_saturate_above():
    image = np.full((2, 2, 3), 200, np.uint8)

    assert (by_strips(lambda values, spare: values * 2, image) == 255).all()


def test_strips_stay_small():
    sizes = []

    def note(values, spare):
        sizes.append(values.nbytes)
        return values

    by_strips(note, np.zeros((2000, 700, 3), np.uint8))

    assert max(sizes) <= 800_000
    assert len(sizes) < 100
