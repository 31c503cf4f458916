"""Super-resolution: patches, what is measured, who trains what, and the script, killed."""

from __future__ import annotations

import argparse
import functools
import json
import re
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from skimage.data import astronaut, chelsea, coffee

import tensorlayer as tl
from tests.examples.running import EXAMPLES, begin, help_of, run, run_here

sys.path.insert(0, str(EXAMPLES))

import srgan
import trunk

OPTIONS = argparse.Namespace(
    scale=4, blocks=1, width=4, side=32, batch=4, seed=0, vgg=None, pretrain=6
)


@pytest.fixture
def gan():
    tf.random.set_seed(0)
    return srgan.Srgan(trunk.network(3, 2), OPTIONS)


# -- networks


@pytest.mark.parametrize("scale", [2, 4])
def test_where_nothing_is_missing_it_is_bicubic_interpolation(scale):
    options = argparse.Namespace(**{**vars(OPTIONS), "scale": scale})
    own = srgan.Srgan(trunk.network(3, 2), options)
    for name in ("missing/filters", "missing/biases"):
        parameter = own.generator.parameters[f"generator/{name}"]
        parameter.assign(tf.zeros_like(parameter))
    photo = chelsea()[100:130, 100:140]

    found = own.enlarge(photo).astype(int)

    wanted = np.asarray(Image.fromarray(photo).resize((40 * scale, 30 * scale), 3)).astype(int)
    inner = (slice(2 * scale, -2 * scale),) * 2  # beyond the border they differ
    assert found.shape == wanted.shape
    assert np.abs(found - wanted)[inner].max() <= 1


def test_the_sizes_of_the_paper():
    low = tl.layers.Input([None, 24, 24, 3], name="low")
    high = tl.layers.Input([None, 96, 96, 3], name="high")
    with tl.layers.isolated():
        made = srgan.generator(low, scale=4, n_blocks=16, width=64)
        judged = srgan.discriminator(high, width=64)

    assert made.outputs.shape == (None, 96, 96, 3)
    shapes = [tuple(each.outputs.shape[1:]) for each in judged.all_layers]
    for size in ((96, 96, 64), (48, 48, 64), (24, 24, 128), (12, 12, 256), (6, 6, 512), (1024,)):
        assert size in shapes


def batch():
    rng = np.random.default_rng(0)
    low, high = rng.uniform(-1, 1, [4, 8, 8, 3]), rng.uniform(-1, 1, [4, 32, 32, 3])
    return tf.constant(low, tf.float32), tf.constant(high, tf.float32)


def test_the_first_part_trains_the_generator_alone(gan):
    before = [each.numpy() for each in gan.discriminator.all_weights]
    low, high = batch()
    wanted = np.mean((gan.generator(low, is_train=True) - high) ** 2)

    costs = [float(gan.by_pixels(low, high)["pixels"]) for _ in range(5)]

    assert costs[0] == pytest.approx(wanted, rel=1e-5)
    assert costs[-1] < costs[0]
    for one, other in zip(before, gan.discriminator.all_weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_second_part_moves_each_network_down_its_own_cost(gan):
    gan.for_generator, gan.for_discriminator = tf.optimizers.SGD(0.1), tf.optimizers.SGD(0.1)
    low, high = batch()
    with tf.GradientTape(persistent=True) as tape:
        made = gan.generator(low, is_train=True)
        real, fake = (gan.discriminator(each, is_train=True) for each in (high, made))
        # log(1 + exp(-x)) is the cost of a logit that should be high
        judged = tf.reduce_mean(tf.math.softplus(-real)) + tf.reduce_mean(tf.math.softplus(fake))
        fooled = tf.reduce_mean(tf.math.softplus(-fake))
        seen = [gan.features(each, is_train=False)[0] for each in (made, high)]
        content = tf.reduce_mean((seen[0] - seen[1]) ** 2) / tf.reduce_mean(seen[1] ** 2)
        pixels = tf.reduce_mean((made - high) ** 2)
        whole = pixels + srgan.CONTENT * content + srgan.ADVERSARIAL * fooled
    costs = {"pixels": pixels, "content": content, "fooled": fooled, "discriminator": judged}
    weights = [*gan.generator.trainable_weights, *gan.discriminator.trainable_weights]
    n = len(gan.generator.trainable_weights)
    slopes = tape.gradient(whole, weights[:n]) + tape.gradient(judged, weights[n:])
    wanted = [weight - 0.1 * slope for weight, slope in zip(weights, slopes, strict=True)]
    kept = [each.numpy() for each in gan.features.all_weights]

    found = gan.adversarial(low, high)

    for name, cost in costs.items():
        np.testing.assert_allclose(found[name], cost, rtol=1e-4, err_msg=name)
    for weight, value in zip(weights, wanted, strict=True):
        np.testing.assert_allclose(weight, value, rtol=1e-3, atol=1e-5, err_msg=weight.name)
    for one, other in zip(kept, gan.features.all_weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_vgg19_sees_by_weights_of_a_file(tmp_path):
    source = tl.models.vgg19(end_with="conv5_4")
    arrays = {
        f"{name.split('/')[0]}_{'W' if name.endswith('filters') else 'b'}": each.numpy()
        for name, each in source.parameters.items()
    }
    np.savez(tmp_path / "vgg19.npz", **arrays)
    options = argparse.Namespace(**{**vars(OPTIONS), "vgg": tmp_path / "vgg19.npz"})

    own = srgan.Srgan(srgan.network_that_sees([], options, None), options)

    images = batch()[1]
    np.testing.assert_allclose(
        own.seen(images), source((images + 1) / 2, is_train=False), rtol=1e-4, atol=1e-5
    )
    options.vgg = Path("nowhere.npz")
    with pytest.raises(SystemExit, match="--vgg is a file of weights"):
        srgan.network_that_sees([], options, None)


# -- photographs


def test_a_small_patch_is_the_large_one_made_small():
    patches = srgan.Patches([coffee()], OPTIONS)

    low, high = patches.of_one_photo(epoch=1, number=3)

    assert (low.shape, high.shape) == ((16, 8, 8, 3), (16, 32, 32, 3))
    for small, large in zip(low, high, strict=True):
        wanted = Image.fromarray(large).resize((8, 8), Image.Resampling.BICUBIC)
        np.testing.assert_array_equal(small, wanted)
    windows = np.lib.stride_tricks.sliding_window_view(coffee()[..., 0], (32, 32))
    first = high[0, ..., 0]
    assert any((windows == each).all((2, 3)).any() for each in (first, first[:, ::-1]))


def test_an_epoch_is_decided_by_its_number():
    patches = srgan.Patches([coffee(), astronaut()], OPTIONS)

    def first(epoch):
        return next(patches(epoch).as_numpy_iterator())

    assert len(patches(1)) == srgan.STEPS
    for one, other, wanted in zip(first(1), first(1), ((4, 8, 8, 3), (4, 32, 32, 3)), strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.shape == wanted
        assert -1 <= one.min() < one.max() <= 1
    assert not np.array_equal(first(1)[1], first(2)[1])


def test_the_last_photographs_of_a_folder_are_held_out(tmp_path):
    for i in range(5):
        Image.fromarray(astronaut()[: 50 + i, :71]).save(tmp_path / f"{i}.png")
    options = argparse.Namespace(**{**vars(OPTIONS), "data": tmp_path})

    photos, held_out = srgan.read_photos(options)

    assert [path.name for path in photos] == ["0.png", "1.png"]
    assert [each.shape for each in held_out.photos.values()] == [(52, 68, 3)] * 3
    assert [each.shape for each in held_out.small.values()] == [(13, 17, 3)] * 3
    assert srgan.Patches(photos, OPTIONS).of_one_photo(1, 0)[1].shape == (16, 32, 32, 3)


# -- how good they are


def test_quality_is_that_of_the_formulas():
    photo = astronaut()[:128, :128]
    rng = np.random.default_rng(0)
    noisy = np.clip(photo + rng.normal(0, 8, photo.shape), 0, 255).astype("uint8")

    found = srgan.quality(noisy, photo, border=4)

    weights = np.array([65.481, 128.553, 24.966]) / 255  # ITU-R BT.601
    difference = ((noisy / 1.0 - photo) @ weights)[4:-4, 4:-4]
    assert found["psnr"] == pytest.approx(20 * np.log10(255 / difference.std()), abs=0.05)
    assert 0 < found["ssim"] < 1
    assert found["spectrum"] > 1
    with np.errstate(divide="ignore"):  # of a PSNR without an end
        same = srgan.quality(photo, photo, border=4)
    assert (same["ssim"], same["spectrum"]) == (pytest.approx(1), 0)


def test_the_spectrum_knows_how_strong_frequencies_are_and_not_where():
    x, y = np.meshgrid(np.arange(96), np.arange(64))

    found = srgan.spectrum(np.cos(2 * np.pi * (5 * x + 3 * y) / 32))
    moved = srgan.spectrum(np.cos(2 * np.pi * (5 * x + 3 * y) / 32 + 2))

    assert np.unravel_index(found.argmax(), found.shape) == (3, 5)
    np.testing.assert_allclose(found, moved, atol=1e-2 * found.max())
    noise = np.random.default_rng(0).normal(0, 3, [320, 320])
    window = np.outer(np.hanning(32), np.hanning(32))
    assert srgan.spectrum(noise).mean() == pytest.approx(9 * (window**2).sum(), rel=0.05)


# -- the script


def steps_in(folder):
    """Return after which steps metrics were kept."""
    path = folder / "srgan" / "events.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line)["step"] for line in lines]


@pytest.mark.examples
@pytest.mark.timeout(500)
def test_killed_in_the_second_part_it_goes_on_and_is_better_than_bicubic(tmp_path):
    small = ["--width", "16", "--blocks", "2", "--batch", "4", "--pretrain", "2", "--epochs", "3"]
    with begin("srgan.py", tmp_path, "--no-hub", *small) as process:
        while len(steps_in(tmp_path)) < 3:
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    before = steps_in(tmp_path)

    shown = run("srgan.py", tmp_path, "--no-hub", *small, "--resume", seconds=450)

    assert before == [100, 200, 300]
    # killed before the first epoch of the second part was saved, or after it
    assert steps_in(tmp_path)[3:] in ([300, 400, 500], [400, 500])
    ahead, nearer = map(float, re.search(r"([\d.-]+) dB ahead .* by ([\d.-]+) dB", shown).groups())
    assert ahead > srgan.AHEAD
    assert nearer > srgan.NEARER
    picture = Image.open(tmp_path / "srgan" / "comparison.png")
    assert picture.size == (4 * 192, 3 * 192)


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_the_result_is_printed_though_the_picture_fails(tmp_path):
    (tmp_path / "photos").mkdir()
    for i in range(5):
        Image.fromarray(astronaut()[100 : 180 + i, 100:170]).save(tmp_path / "photos" / f"{i}.png")
    (tmp_path / "srgan" / "comparison.png").mkdir(parents=True)
    tiny = ["--width", "2", "--blocks", "1", "--batch", "1", "--side", "8", "--data", "photos"]

    shown = run("srgan.py", tmp_path, "--no-hub", *tiny, "--pretrain", "1", "--epochs", "1", code=1)

    assert "dB ahead of bicubic" in shown
    assert shown.index("dB ahead of bicubic") < shown.index("Is a directory")


def test_small_photographs_are_compared_as_a_whole(tmp_path):
    photos = {"one": astronaut()[:100, :120], "other": chelsea()[:150, :91]}
    held_out = srgan.HeldOut(photos, scale=2)
    bicubic = functools.partial(srgan.larger, scale=2)

    held_out.compare(str(tmp_path / "comparison.png"), [bicubic])

    picture = np.asarray(Image.open(tmp_path / "comparison.png"))
    assert picture.shape == (2 * 90, 2 * 90, 3)
    np.testing.assert_array_equal(picture[:90, 90:], photos["one"][5:95, 15:105])


def test_a_side_that_cannot_be_made_small_is_refused_in_a_line(capsys):
    with pytest.raises(SystemExit):
        run_here("srgan.py", "--side", "30", "--no-hub")

    assert capsys.readouterr().err.endswith("error: --side 30 is no multiple of --scale 4\n")


def test_a_folder_without_photographs_is_refused_in_a_line():
    with pytest.raises(SystemExit, match="nowhere is no folder: give --data a folder"):
        srgan.read_photos(argparse.Namespace(**{**vars(OPTIONS), "data": Path("nowhere")}))


def test_help_teaches():
    shown = help_of("srgan.py")

    assert "Ledig" in shown
    assert "--vgg" in shown
    assert "--quick" in shown


def test_a_side_that_no_photograph_has_is_refused_in_a_line():
    options = argparse.Namespace(**{**vars(OPTIONS), "data": None, "side": 4000})

    with pytest.raises(SystemExit, match=r"^--side 4000: the smallest photograph has \d+ pixels$"):
        srgan.read_photos(options)


def test_weights_that_are_none_of_vgg_are_refused_in_a_line(tmp_path):
    np.savez(tmp_path / "own.npz", one=np.zeros(3))
    (tmp_path / "text.npz").write_text("no weights")

    for name in ("own.npz", "text.npz"):
        with pytest.raises(SystemExit, match=rf"^--vgg .*{name}: "):
            trunk.vgg(tmp_path / name)
