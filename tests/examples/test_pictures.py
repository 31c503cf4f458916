"""Pictures that packages ship, and those of a folder."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import Image
from skimage.data import lfw_subset
from sklearn.datasets import load_digits

from tests.examples.running import EXAMPLES

sys.path.insert(0, str(EXAMPLES))

import pictures


def test_digits_are_made_larger_by_bicubic_interpolation():
    images, labels = pictures.digits(16)

    source = load_digits()
    wanted = Image.fromarray((source.images[7] / 8 - 1).astype("float32")).resize((16, 16), 3)
    assert images.shape == (1797, 16, 16, 1)
    assert (images.min(), images.max()) == (-1, 1)
    np.testing.assert_allclose(images[7, ..., 0], np.asarray(wanted).clip(-1, 1), atol=1e-5)
    np.testing.assert_array_equal(labels, source.target)


def test_faces_come_with_other_pictures():
    images, labels = pictures.faces(25)

    assert images.shape == (200, 25, 25, 1)
    np.testing.assert_allclose(images[..., 0], lfw_subset() * 2 - 1, atol=1e-5)
    np.testing.assert_array_equal(labels, [1] * 100 + [0] * 100)


def test_photographs_are_colours_and_the_held_out_ones_are_others():
    photos, held_out = pictures.photographs()

    every = [*photos, *held_out.values()]
    assert all(each.dtype == np.uint8 and each.shape[2:] == (3,) for each in every)
    assert len(held_out) == 3
    assert not any(np.array_equal(a, b) for a in photos for b in held_out.values())


@pytest.fixture
def folder(tmp_path):
    """Return a folder of portraits as large as those of CelebA."""
    x, y = np.meshgrid(np.linspace(0, 255, 178), np.linspace(0, 255, 218))
    for i in range(5):
        pixels = np.stack([x, y, np.full_like(x, 50 * i)], axis=-1).astype("uint8")
        Image.fromarray(pixels).save(tmp_path / f"{i}.jpg", quality=95)
    return tmp_path


def test_a_portrait_is_the_middle_of_a_photograph(folder):
    found = pictures.portrait(str(folder / "3.jpg"))

    photo = Image.open(folder / "3.jpg").crop((35, 55, 143, 163))  # the 108 pixels of DCGAN
    wanted = np.asarray(photo.resize((64, 64), Image.Resampling.BILINEAR)) / 127.5 - 1
    np.testing.assert_allclose(found, wanted, atol=0.03)


def test_portraits_are_in_one_order_and_enough(folder):
    paths = [path.decode() for path in pictures.portraits(folder, 5).as_numpy_iterator()]

    assert sorted(paths) == sorted(str(path) for path in folder.iterdir())
    assert paths != sorted(paths)
    assert paths == [path.decode() for path in pictures.portraits(folder, 5).as_numpy_iterator()]
    with pytest.raises(SystemExit, match=r"has 5 files \*.jpg, and 6 are needed"):
        pictures.portraits(folder, 6)


def test_a_package_that_is_missing_is_named_with_its_command():
    with pytest.raises(SystemExit, match="no_such_module is needed: pip install 'no-such'"):
        pictures.module("no_such_module", "no-such")
