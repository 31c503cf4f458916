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
    with pytest.raises(SystemExit, match=r"has 5 photographs, and 6 are needed"):
        pictures.portraits(folder, 6)


def test_a_package_that_is_missing_is_named_with_its_command():
    with pytest.raises(SystemExit, match="no_such_module is needed: pip install 'no-such'"):
        pictures.module("no_such_module", "no-such")


def test_a_folder_as_people_have_it(folder, capsys):
    (folder / "3.jpg").rename(folder / "3.JPG")
    (folder / "4.jpg").rename(folder / "4.JpEg")
    (folder / "notes.txt").write_text("no picture")
    (folder / "._0.jpg").write_bytes(b"of another system")
    (folder / "inner.jpg").mkdir()
    for name in ("empty", "web", "z1", "z2"):
        (folder / f"{name}.jpg").write_bytes(b"" if name == "empty" else b"<html>")

    paths = pictures.portraits(folder, 5).as_numpy_iterator()

    assert sorted(path.decode().rsplit("/")[-1] for path in paths) == [
        "0.jpg", "1.jpg", "2.jpg", "3.JPG", "4.JpEg",
    ]  # fmt: skip
    wanted = "left out, since they are broken or no JPEGs: empty.jpg, web.jpg, z1.jpg and 1 more\n"
    assert capsys.readouterr().out == wanted


def test_a_portrait_that_was_cut_off_has_its_upper_part(folder):
    whole = pictures.portrait(str(folder / "3.jpg")).numpy()
    content = (folder / "3.jpg").read_bytes()
    (folder / "3.jpg").write_bytes(content[: 3 * len(content) // 5])

    found = pictures.portrait(str(folder / "3.jpg")).numpy()

    np.testing.assert_array_equal(found[:10], whole[:10])
    assert not np.allclose(found, whole, atol=0.1)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_a_portrait_without_red_green_and_blue_is_read(folder, mode):
    Image.open(folder / "3.jpg").convert(mode).save(folder / "other.jpg", quality=95)

    found = pictures.portrait(str(folder / "other.jpg")).numpy()

    wanted = pictures.portrait(str(folder / "3.jpg")).numpy()
    wanted = wanted if mode == "CMYK" else wanted @ [[0.299], [0.587], [0.114]]  # ITU-R BT.601
    np.testing.assert_allclose(found, np.broadcast_to(wanted, found.shape), atol=0.06)


def test_photographs_that_are_broken_or_too_small_are_left_out(folder, capsys):
    Image.new("RGB", (218, 99)).save(folder / "low.png")
    (folder / "5.png").write_bytes(b"<html>")
    for name in ("cut.png", "cut.jpg"):
        Image.open(folder / "3.jpg").save(folder / name)
        (folder / name).write_bytes((folder / name).read_bytes()[:-500])
    Image.open(folder / "4.jpg").save(folder / "5.jpg")
    with open(folder / "5.jpg", "ab") as file:
        file.write(b"what a camera adds")
    Image.open(folder / "4.jpg").save(folder / "6.png")

    found = pictures.photographs_of(folder, 100, n_least=5)

    assert [path.name for path in found] == [*(f"{i}.jpg" for i in range(6)), "6.png"]
    wanted = "broken or less than 100 pixels high or wide: 5.png, cut.jpg, cut.png and 1 more\n"
    assert capsys.readouterr().out.endswith(wanted)
    with pytest.raises(SystemExit, match="has 7 photographs, and 8 are needed"):
        pictures.photographs_of(folder, 100, n_least=8)


def test_all_kinds_of_photographs_become_colours_of_8_bits():
    grey = np.arange(6, dtype=np.uint8).reshape(2, 3)
    alpha = np.full((2, 3), 9, np.uint8)
    colours = np.stack([grey, grey + 1, grey + 2], -1)

    assert pictures.in_colours(np.dstack([colours, alpha])).tolist() == colours.tolist()
    three = np.stack([grey] * 3, -1).tolist()
    for photo in (grey, grey[..., None], np.stack([grey, alpha], -1)):
        assert pictures.in_colours(photo).tolist() == three
    deep = pictures.in_colours(colours.astype(np.uint16) * 257)
    assert (deep.dtype, deep.tolist()) == (np.uint8, colours.tolist())
