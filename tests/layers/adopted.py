"""What every net of another library has to do in a network: see [`assert_adopted`][]."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

ROOT = Path(__file__).parents[2]


def train(model: Any, x: np.ndarray, n_steps: int = 3, rate: float = 0.01) -> list[float]:
    """Train on the squares of the outputs, in a step that is traced; return the losses."""
    optimizer = tf.optimizers.SGD(rate)
    weights = model.trainable_weights

    @tf.function
    def step(values: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(values, is_train=True) - 1.0) ** 2)
        gradients = tape.gradient(loss, weights)
        assert all(gradient is not None for gradient in gradients)
        optimizer.apply_gradients(zip(gradients, weights, strict=True))
        return loss

    return [step(tf.constant(x)).numpy().item() for _ in range(n_steps)]


def values(variables: Any) -> list[np.ndarray]:
    return [variable.numpy() for variable in variables]


def n_changed(variables: Any, before: list[np.ndarray]) -> int:
    pairs = zip(values(variables), before, strict=True)
    return sum(not np.array_equal(now, then) for now, then in pairs)


def assert_adopted(
    module: str,
    x: np.ndarray,
    folder: Path,
    n_statistics: int | None = 0,
    how: str = "model",
    given: Sequence[str] = (),
) -> Any:
    """Require that the net of a module trains, moves its statistics in training only, and is kept.

    Parameters
    ----------
    module
        Of ``tests.layers``, with ``build(*given)``, which returns a model.
    x
        What it computes on.
    folder
        Where files go.
    n_statistics
        How many variables training moves that gradients do not; None for all that there are.
    how
        ``"model"`` if a process that imports the module reads the file of a whole model;
        ``"weights"`` if it builds the model and reads its weights.
    given
        For ``build``.
    """
    model = importlib.import_module(f"tests.layers.{module}").build(*given)
    trained, others = model.trainable_weights, model.nontrainable_weights
    before = values(trained), values(others)

    losses = train(model, x)
    assert np.isfinite(losses).all()
    assert n_changed(trained, before[0]) > 0.9 * len(trained)  # of some, gradients are just 0
    assert n_changed(others, before[1]) == (len(others) if n_statistics is None else n_statistics)
    then = values(model.all_weights)
    expected = model(x, is_train=False).numpy()
    traced = tf.function(lambda inputs: model(inputs, is_train=False))
    np.testing.assert_allclose(traced(tf.constant(x)), expected, rtol=1e-3, atol=1e-4)
    assert n_changed(model.all_weights, then) == 0

    _keep(model, folder, how)
    np.save(folder / "x.npy", x)
    done = subprocess.run(
        [sys.executable, "-m", "tests.layers.adopted_elsewhere", module, how, str(folder), *given],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for name in ("loaded", "served"):
        found = np.load(folder / f"{name}.npy")
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4, err_msg=name)
    return model


def _keep(model: Any, folder: Path, how: str) -> None:
    if how == "model":
        model.save(folder / "model.safetensors")
    else:
        model.save_weights(folder / "model.npz", format="npz_dict")
    model.export(folder / "exported")
