"""Real input of the workloads: of photographs and of Python's reference, and of official files."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
import skimage.data

from benchmarks.workloads import cifar10, ptb, real, skipgram
from examples import prose


def test_crops_are_of_the_photographs_and_what_is_held_out_is_not_trained_on():
    train, test = real.images(None, 4, seed=0)

    assert len(train) == 4
    assert len(test) == real.HELD_OUT
    for part, batches in (("left", train), ("right", test)):
        for crops, classes in batches[:2]:
            assert crops.shape == (cifar10.BATCH, 24, 24, 3)
            assert set(classes) <= set(range(10))
            for crop, label in list(zip(crops, classes, strict=True))[:3]:
                assert places(crop, real.PHOTOGRAPHS[label], part)
    assert np.abs(train[0][0].mean(axis=(1, 2, 3))).max() < 1e-4
    assert not np.array_equal(train[0][0], real.images(None, 1, seed=1)[0][0][0])


def places(crop, name, part):
    """Return whether a crop is somewhere in its part of a photograph."""
    whole = getattr(skimage.data, name)()
    whole = whole if whole.ndim == 3 else np.repeat(whole[..., None], 3, axis=2)
    cut = 3 * whole.shape[1] // 4
    whole = whole[:, :cut] if part == "left" else whole[:, cut:]
    windows = np.lib.stride_tricks.sliding_window_view(whole[..., 0], (24, 24))
    # What is normalised keeps its order: the brightest pixel of the crop is that of the window.
    flat = windows.reshape(-1, 576)[:, ::23].astype(np.float32)
    wanted = crop[..., 0].ravel()[::23]
    scale = (flat.max(1) - flat.min(1)) / max(np.ptp(wanted), 1e-6)
    apart = np.abs(flat - flat.min(1)[:, None] - (wanted - wanted.min()) * scale[:, None])
    return (apart.max(1) < 0.05).any()


def test_cifar10_is_read_from_its_files(tmp_path):
    folder = tmp_path / "cifar10" / "cifar-10-batches-bin"
    folder.mkdir(parents=True)
    rows = np.random.default_rng(0).integers(0, 256, (10, 3073)).astype(np.uint8)
    rows[:, 0] = range(10)  # a byte of the class, and the pixels
    for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
        (folder / f"{name}.bin").write_bytes(rows.tobytes())

    train, test = real.images(tmp_path, 2, seed=0)

    assert train[0][0].shape == (cifar10.BATCH, 24, 24, 3)
    assert set(test[0][1]) == set(range(10))


def test_words_that_follow_are_the_next_words():
    train, test = real.text(None, 200, seed=0)

    x, y = train[0]
    assert x.shape == y.shape == (ptb.BATCH, ptb.STEPS)
    np.testing.assert_array_equal(x[:, 1:], y[:, :-1])
    np.testing.assert_array_equal(train[1][0][:, 0], y[:, -1])
    words = prose.splits()[0]
    n_known = sum(count > 1 for count in Counter(words).values())
    assert max(int(x.max()) for x, _ in train) == n_known  # and 0 is for the others
    assert len(test) > 5
    begun = real.text(None, 1, seed=7)[0][0][0]
    np.testing.assert_array_equal(begun, train[7][0])


def test_neighbours_stand_beside_each_other():
    train, test = real.neighbours(None, 3, seed=0)

    assert len(test) == real.HELD_OUT
    words = prose.splits()[0]
    counts = [word for word, count in Counter(words).most_common(skipgram.WORDS) if count > 1]
    number = {word: index + 1 for index, word in enumerate(counts)}
    ids = [number.get(word, 0) for word in words]
    pairs = {*itertools.pairwise(ids), *zip(ids[1:], ids, strict=False)}
    for x, y in train:
        assert x.shape == (skipgram.BATCH,)
        assert y.shape == (skipgram.BATCH, 1)
        assert set(zip(x.tolist(), y[:, 0].tolist(), strict=True)) <= pairs


@pytest.mark.parametrize("read", [real.images, real.text, real.neighbours])
def test_the_same_seed_gives_the_same_batches(read):
    for a, b in zip(read(None, 2, 3)[0], read(None, 2, 3)[0], strict=True):
        np.testing.assert_array_equal(a[0], b[0])
        np.testing.assert_array_equal(a[1], b[1])
