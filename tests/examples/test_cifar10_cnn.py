"""The convolutional network: pictures, augmentation and cost, and the program as it is run."""

from __future__ import annotations

import json
import re
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.examples import small_files
from tests.examples.running import EXAMPLES, help_of, kill_when, run, run_here, run_within

sys.path.insert(0, str(EXAMPLES))

import cifar10_cnn
import pictures

RNG = np.random.default_rng(0)


def test_pieces_are_held_out_with_the_part_of_the_photograph_they_are_from():
    data = cifar10_cnn.read(None, n_pieces=20)

    assert data.X_train.shape == (200, 32, 32, 3)
    assert data.X_test.shape == (1000, 32, 32, 3)
    np.testing.assert_array_equal(np.bincount(data.y_train), [20] * 10)
    astronaut = pictures.skimage().astronaut()
    windows = np.lib.stride_tricks.sliding_window_view(astronaut, (32, 32, 3))[:, :, 0]
    corners = windows[:, :, 0, 0]  # (row, column, channel)
    for X, y, is_left in ((data.X_train, data.y_train, True), (data.X_test, data.y_test, False)):
        for piece in X[y == 0][:10]:
            places = np.argwhere(np.all(corners == piece[0, 0], axis=-1))
            found = [(r, c) for r, c in places if np.array_equal(windows[r, c], piece)]
            # A black piece is in more places than one.
            assert any(c + 32 <= 384 if is_left else c >= 384 for _, c in found)


def test_what_is_seen_is_a_part_perhaps_mirrored_and_brighter():
    tf.random.set_seed(0)
    picture = RNG.integers(0, 256, (32, 32, 3)).astype(np.uint8)
    grey = picture.astype(np.float64).mean(-1)
    seen = {}
    for _ in range(150):
        found = cifar10_cnn.augmented(tf.constant(picture)).numpy()
        assert found.mean() == pytest.approx(0, abs=1e-4)
        assert found.std() == pytest.approx(1, abs=1e-3)
        seen[place_of(found.mean(-1), grey)] = True

    rows, columns, mirrored = map(set, zip(*seen, strict=True))
    assert len(rows) == len(columns) == 9  # 32 - 24 + 1
    assert mirrored == {False, True}


def place_of(part, whole):
    """Return where a part was cut, and whether it is mirrored: where both agree best."""
    each = {
        (row, column, is_mirrored): np.corrcoef(
            part.ravel(), view[row : row + 24, column : column + 24].ravel()
        )[0, 1]
        for is_mirrored, view in ((False, whole), (True, whole[:, ::-1]))
        for row in range(9)
        for column in range(9)
    }
    best = max(each, key=each.get)
    assert each[best] > 0.999  # brightness and contrast change the mean of the colours linearly
    return best


def test_the_middle_is_not_augmented():
    picture = RNG.integers(0, 256, (32, 32, 3)).astype(np.uint8)
    middle = picture[4:28, 4:28].astype(float)

    found = cifar10_cnn.plain(tf.constant(picture))

    np.testing.assert_allclose(found, (middle - middle.mean()) / middle.std(), atol=1e-4)


def test_only_weights_of_dense_layers_decay():
    training = cifar10_cnn.Training(10, 100)
    logits, classes = RNG.normal(size=(4, 10)).astype("float32"), np.array([1, 2, 3, 4])
    weights = [training.model.parameters[f"dense{i}/weights"].numpy() for i in (1, 2)]

    found = training.cost(tf.constant(logits), tf.constant(classes))

    likelihoods = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    entropy = -likelihoods[np.arange(4), classes].mean()
    squares = sum(float((each.astype(np.float64) ** 2).sum()) for each in weights) / 2
    assert float(found) == pytest.approx(entropy + 0.004 * squares, rel=1e-4)


def test_a_step_changes_all_that_is_learnt_and_the_statistics():
    tf.random.set_seed(0)
    training = cifar10_cnn.Training(3, 100)
    before = {name: each.numpy() for name, each in training.model.parameters.items()}
    batch = RNG.normal(size=(8, 24, 24, 3)).astype("float32")

    training.step(tf.constant(batch), tf.constant(RNG.integers(0, 3, 8)))

    after = training.model.parameters
    assert all(not np.array_equal(before[name], after[name].numpy()) for name in before)


def held_out(folder):
    """Return what was measured on pictures held out, by epoch."""
    path = folder / "cifar10" / "events.jsonl"
    events = [json.loads(line) for line in path.read_text().splitlines()]
    return {each["step"]: each["val_accuracy"] for each in events}


@pytest.mark.examples
@pytest.mark.slow
@pytest.mark.timeout(330)
def test_pieces_of_photographs_are_told_apart_after_a_kill(tmp_path):
    arguments = ["--no-hub", "--quick"]
    second = tmp_path / "cifar10" / "cifar10-2.npz"  # by then the first epoch can be gone on with
    kill_when(second, "cifar10_cnn.py", tmp_path, *arguments)
    before = max(held_out(tmp_path))

    shown = run("cifar10_cnn.py", tmp_path, *arguments, "--resume")

    assert before < 10
    assert "nothing to go on with" not in shown
    assert sorted(held_out(tmp_path)) == list(range(1, 11))
    reached = re.search(r"([\d.]+)% of 1,000 pictures held out", shown)
    assert float(reached[1]) / 100 == pytest.approx(held_out(tmp_path)[10], abs=1e-3)
    assert float(reached[1]) >= 70
    assert (tmp_path / "cifar10" / "augmented.png").exists()
    assert (tmp_path / "cifar10" / "cifar10-10.npz").exists()


@pytest.mark.examples
@pytest.mark.slow
@pytest.mark.timeout(200)
def test_files_of_cifar10_are_read(tmp_path):
    small_files.write_cifar10(tmp_path)

    shown = run_within("cifar10_cnn.py", tmp_path, "--no-hub", "--data", ".", "--epochs", "1")

    assert "of 200 pictures held out" in shown
    assert list(held_out(tmp_path)) == [1]


def test_what_is_no_folder_is_refused_in_a_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SystemExit) as ended:
        run_here("cifar10_cnn.py", "--data", "nowhere")

    assert (
        str(ended.value)
        == "nowhere is no folder: make it, and load_cifar10_dataset downloads to it"
    )


def test_help_teaches():
    shown = help_of("cifar10_cnn.py")

    assert "augmented" in shown
    assert "--quick" in shown
