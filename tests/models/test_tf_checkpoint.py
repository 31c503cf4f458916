"""``tf.train.Checkpoint`` of a model and its optimizer: training goes on to the bit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.models.kinds import KINDS, every_kind

ROOT = Path(__file__).parents[2]

#: Trains each model for three steps, from where a checkpoint ended if there is one.
PROGRAM = """
import sys
import numpy as np, tensorflow as tf
from tests.models.kinds import KINDS

tf.random.set_seed(0)
tf.config.experimental.enable_op_determinism()
begins, folder = sys.argv[1] == "begin", sys.argv[2]
for name, kind in KINDS.items():
    model = kind.model() if begins else kind.make()
    optimizer = tf.keras.optimizers.Adam(0.01)
    optimizer.build(model.trainable_weights)
    checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer)
    place = f"{folder}/{name}/ckpt"

    def train(first):
        for step in range(first, first + 3):
            tf.random.set_seed(step)
            values = [array + step for array in kind.values().values()]
            with tf.GradientTape() as tape:
                outputs = model(values if len(values) > 1 else values[0], is_train=True)
                loss = sum(tf.reduce_mean(tf.square(each)) for each in tf.nest.flatten(outputs))
            gradients = tape.gradient(loss, model.trainable_weights)
            optimizer.apply_gradients(zip(gradients, model.trainable_weights))

    if begins:
        train(0)
        checkpoint.write(place)
    else:
        checkpoint.read(place).assert_consumed()
    train(3)
    np.savez(f"{folder}/{name}/{sys.argv[1]}.npz", **model.to_arrays())
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return a folder with the weights of runs that were whole, and of those that went on."""
    folder = tmp_path_factory.mktemp("runs")
    for name in KINDS:
        (folder / name).mkdir()
    for part in ("begin", "go on"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, part, str(folder)],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", KINDS)
def test_another_process_goes_on_to_the_bit(name, runs):
    with np.load(runs / name / "begin.npz") as whole, np.load(runs / name / "go on.npz") as parts:
        assert whole.files == parts.files
        for each in whole.files:
            assert whole[each].tobytes() == parts[each].tobytes(), each


@every_kind
def test_training_was_more_than_nothing(kind, runs):
    name = next(name for name, each in KINDS.items() if each is kind)
    before, model = kind.model().to_arrays(), kind.model()
    trained = {id(each) for each in model.trainable_weights}
    with np.load(runs / name / "begin.npz") as whole:
        moved = [n for n, v in model.parameters.items() if not np.array_equal(whole[n], before[n])]
        assert {id(model.parameters[n]) for n in moved} >= trained


@every_kind
def test_a_checkpoint_of_the_model_alone_comes_back(kind, tmp_path):
    model, other = kind.model(), kind.make()
    tf.train.Checkpoint(model=model).write(str(tmp_path / "ckpt"))

    tf.train.Checkpoint(model=other).read(str(tmp_path / "ckpt")).assert_consumed()

    values = kind.values()
    for name, array in kind.expected(model, values).items():
        np.testing.assert_array_equal(kind.expected(other, values)[name], array)
