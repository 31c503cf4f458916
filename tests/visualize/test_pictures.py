from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tensorlayer import visualize
from tensorlayer.errors import InvalidArgument, WrongShape

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (12, 20, 3), np.uint8)


class TestReading:
    @pytest.mark.parametrize("channels", [None, 3, 4])
    def test_what_was_saved_is_read(self, channels):
        image = RNG.integers(0, 256, (12, 20) if channels is None else (12, 20, channels), np.uint8)
        Image.fromarray(image).save("image.png")

        np.testing.assert_array_equal(visualize.read_image("image.png"), image)

    def test_a_folder(self, tmp_path):
        folder = tmp_path / "folder"
        folder.mkdir()
        Image.fromarray(PIXELS).save(folder / "image.png")

        np.testing.assert_array_equal(visualize.read_image("image.png", folder), PIXELS)

    def test_a_palette_becomes_colours(self):
        colours = PIXELS // 128 * 255
        Image.fromarray(colours).convert("P", palette=Image.Palette.ADAPTIVE).save("image.png")

        np.testing.assert_array_equal(visualize.read_image("image.png"), colours)

    @pytest.mark.parametrize("mode", ["CMYK", "YCbCr"])
    def test_other_spaces_of_colours_become_red_green_and_blue(self, mode):
        Image.new("RGB", (20, 12), (200, 90, 40)).convert(mode).save("image.tiff")

        image = visualize.read_image("image.tiff")

        np.testing.assert_allclose(image, np.full((12, 20, 3), (200, 90, 40)), atol=2)

    def test_black_and_white_becomes_grey(self):
        bits = PIXELS[..., 0] > 127
        Image.fromarray(bits).save("image.png")

        np.testing.assert_array_equal(visualize.read_image("image.png"), bits * np.uint8(255))

    def test_sixteen_bits_stay(self):
        deep = RNG.integers(0, 65536, (12, 20)).astype(np.uint16)
        Image.fromarray(deep).save("image.png")

        np.testing.assert_array_equal(visualize.read_image("image.png"), deep)

    @pytest.mark.parametrize("channels", [3, 4])
    @pytest.mark.parametrize("kind", ["png", "tiff"])
    def test_sixteen_bits_of_colours_stay(self, channels, kind):
        deep = RNG.integers(0, 65536, (12, 20, channels)).astype(np.uint16)
        cv2.imwrite(f"image.{kind}", deep[..., [2, 1, 0, 3][:channels]])

        np.testing.assert_array_equal(visualize.read_image(f"image.{kind}"), deep)

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_a_photograph_is_turned_as_the_camera_was_held(self, orientation):
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(PIXELS).save("image.png", exif=exif)
        turned = {
            1: PIXELS,
            2: PIXELS[:, ::-1],
            3: PIXELS[::-1, ::-1],
            4: PIXELS[::-1],
            5: PIXELS.transpose(1, 0, 2),
            6: np.rot90(PIXELS, -1),
            7: PIXELS[::-1, ::-1].transpose(1, 0, 2),
            8: np.rot90(PIXELS),
        }

        np.testing.assert_array_equal(visualize.read_image("image.png"), turned[orientation])

    @pytest.mark.parametrize("cut", [3, 10, 25, 100, 160, 300])
    def test_a_jpeg_cut_in_its_header_is_named(self, tmp_path, cut):
        Image.fromarray(PIXELS).save("good.jpg")
        (tmp_path / "cut.jpg").write_bytes((tmp_path / "good.jpg").read_bytes()[:cut])

        with pytest.raises(OSError, match=r"cut\.jpg.*The file is broken"):
            visualize.read_image("cut.jpg")

    def test_many_keep_their_order(self):
        images = [np.full((4, 4), k, np.uint8) for k in range(25)]
        names = [visualize.save_image(image, f"{k}.png") for k, image in enumerate(images)]

        read = visualize.read_images(names, n_threads=7)

        np.testing.assert_array_equal(read, images)
        with pytest.raises(InvalidArgument, match="n_threads must be 1 or more, got 0"):
            visualize.read_images(names, n_threads=0)

    def test_a_file_that_is_missing_or_broken_is_named(self, tmp_path):
        visualize.save_image(RNG.integers(0, 256, (200, 200, 3), np.uint8), "good.png")
        (tmp_path / "broken.png").write_bytes((tmp_path / "good.png").read_bytes()[:5000])
        (tmp_path / "text.png").write_text("no image")

        for name in ("missing.png", "broken.png", "text.png"):
            with pytest.raises(OSError, match=name):
                visualize.read_image(name)
            with pytest.raises(OSError, match=name):
                visualize.read_images(["good.png", name])


def unit(low, high):
    """Return values that reach from one number to another."""
    return np.linspace(low, high, 12 * 20 * 3).reshape(12, 20, 3)


class TestSaving:
    @pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
    @pytest.mark.parametrize(("low", "high"), [(0, 1), (-1, 1), (0, 255)])
    def test_every_range_of_floats_is_written(self, dtype, low, high):
        image = unit(low, high).astype(dtype)

        visualize.save_image(image, "image.png")

        expected = (image.astype(float) - low) / (high - low) * 255
        written = np.asarray(Image.open("image.png"))
        assert np.abs(written - expected).max() <= 0.51

    @settings(max_examples=30)
    @given(st.lists(st.integers(0, 255), min_size=1, max_size=20))
    def test_pixels_and_fractions_of_them_are_the_same(self, pixels):
        pixels = np.array(pixels, np.uint8)
        full = np.append(pixels, 255).astype(np.uint8)

        np.testing.assert_array_equal(visualize.to_uint8(pixels), pixels)
        np.testing.assert_array_equal(visualize.to_uint8((pixels / 255).astype(np.float32)), pixels)
        np.testing.assert_array_equal(visualize.to_uint8(full.astype(np.float32)), full)

    def test_other_types(self):
        assert visualize.to_uint8(np.array([False, True])).tolist() == [0, 255]
        assert visualize.to_uint8(np.array([0, 1])).tolist() == [0, 255]
        assert visualize.to_uint8(np.array([0, 200])).tolist() == [0, 200]
        assert visualize.to_uint8(np.array([0, 256, 65535], np.uint16)).tolist() == [0, 1, 255]
        with pytest.raises(InvalidArgument, match="an image holds real numbers, got dtype <U1"):
            visualize.to_uint8(np.array(["a"]))

    def test_what_overshoots_does_not_become_black(self):
        assert visualize.to_uint8(np.array([-0.02, 0.5, 1.02])).tolist() == [0, 128, 255]
        assert visualize.to_uint8(np.array([-1.01, 0.0, 1.02])).tolist() == [0, 128, 255]
        assert visualize.to_uint8(np.array([0.0, 0.5, 1.02])).tolist() == [0, 128, 255]
        assert visualize.to_uint8(np.array([0.0, 100, 256])).tolist() == [0, 100, 255]

    def test_any_other_range_is_stretched(self):
        assert visualize.to_uint8(np.array([-3.0, 1.0, 5.0])).tolist() == [0, 128, 255]
        assert visualize.to_uint8(np.array([-7.0, -7.0])).tolist() == [0, 0]

    def test_what_is_not_a_number_is_written_too(self):
        values = np.array([0.0, 1.0, np.nan, np.inf, -np.inf], np.float32)

        assert visualize.to_uint8(values).tolist() == [0, 255, 0, 255, 0]
        assert visualize.to_uint8(np.full(2, np.nan)).tolist() == [0, 0]

    @pytest.mark.parametrize(
        ("channels", "mode"), [(1, "L"), (2, "L"), (3, "RGB"), (4, "RGBA"), (7, "L")]
    )
    def test_channels(self, channels, mode, caplog):
        image = RNG.integers(0, 256, (12, 20, channels), np.uint8)

        visualize.save_image(image, "image.png")

        lost = f"save_image: of {channels} channels the first is saved"
        assert caplog.messages == ([lost] if channels in (2, 7) else [])

        with Image.open("image.png") as picture:
            assert picture.mode == mode
            kept = image if channels in (3, 4) else image[..., 0]
            np.testing.assert_array_equal(np.asarray(picture), kept)

    @pytest.mark.parametrize("name", ["image.JPG", "image.jpeg"])
    def test_jpeg_has_no_transparency(self, name):
        visualize.save_image(np.full((8, 8, 4), 200, np.uint8), name)

        assert visualize.read_image(name).shape == (8, 8, 3)

    def test_it_returns_the_path(self, tmp_path):
        assert visualize.save_image(PIXELS) == "_temp.png"
        assert (
            visualize.save_images(PIXELS[None], [1, 1], tmp_path / "grid.png")
            == tmp_path / "grid.png"
        )

    def test_what_is_no_image_is_refused(self):
        with pytest.raises(WrongShape, match="For a batch there is save_images"):
            visualize.save_image(PIXELS[None])
        with pytest.raises(WrongShape, match=r"a batch is \(batch, height, width"):
            visualize.save_images(PIXELS[0], [1, 1])


class TestGrids:
    @pytest.mark.parametrize("channels", [None, 1, 3, 4])
    def test_cells_are_filled_row_by_row(self, channels):
        tail = () if channels is None else (channels,)
        images = RNG.integers(0, 256, (5, 3, 4, *tail), np.uint8)

        visualize.save_images(images, [2, 3], "grid.png")

        grid = visualize.read_image("grid.png")
        cells = images[..., 0] if channels == 1 else images
        for index, image in enumerate(cells):
            row, col = divmod(index, 3)
            cell = grid[row * 3 : row * 3 + 3, col * 4 : col * 4 + 4]
            np.testing.assert_array_equal(cell, image)
        assert not grid[3:, 8:].any()

    def test_the_range_is_that_of_the_batch(self):
        images = np.stack([np.full((2, 2, 3), value, np.float32) for value in (-1.0, 0.0, 1.0)])

        visualize.save_images(images, [1, 3], "grid.png")

        assert visualize.read_image("grid.png")[0, ::2, 0].tolist() == [0, 128, 255]

    def test_a_list_of_images(self):
        assert visualize.save_images([PIXELS, PIXELS], [2, 1], "grid.png") == "grid.png"
        assert visualize.read_image("grid.png").shape == (24, 20, 3)

    def test_too_many_images_are_refused(self):
        with pytest.raises(InvalidArgument, match="7 images do not fit into 2 rows of 3"):
            visualize.save_images(np.zeros((7, 2, 2, 3)), [2, 3])
