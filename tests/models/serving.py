"""What exports compute when they are loaded: here, and where there is only TensorFlow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

from tensorlayer.layers import Dense, Input
from tensorlayer.models import Model

X = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")

#: A process that has TensorFlow, and in which nobody can import this library.
ALONE = """
import sys
sys.modules["tensorlayer"] = None
import numpy as np, tensorflow as tf
try:
    import tensorlayer
except ImportError:
    pass
else:
    raise SystemExit("the library is there")
for folder in sys.argv[1:]:
    serve = tf.saved_model.load(f"{folder}/1").signatures["serving_default"]
    with np.load(f"{folder}/in.npz") as file:
        results = serve(**{name: tf.constant(file[name]) for name in file.files})
    np.savez(f"{folder}/out.npz", **{name: value.numpy() for name, value in results.items()})
"""


def served_alone(**values):
    """Return what a process without this library computes, with the exports in some folders."""
    folders = list(map(Path, values))
    for folder in folders:
        np.savez(folder / "in.npz", **values[str(folder)])
    done = subprocess.run(
        [sys.executable, "-c", ALONE, *map(str, folders)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return [dict(np.load(folder / "out.npz")) for folder in folders]


def served(model, path):
    model.export(path)
    return tf.saved_model.load(str(path)).signatures["serving_default"]


def close(found, expected):
    assert set(found) == set(expected)
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-5, atol=1e-5)


def mlp():
    x = Input([None, 4], name="x")
    hidden = Dense(x, 8, act="relu", name="hidden")
    return Model(x, Dense(hidden, 3, name="logits"), name="mlp"), hidden
