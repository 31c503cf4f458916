"""Another process: it reads what was saved and what was exported, and writes what they compute.

python -m tests.layers.adopted_elsewhere module how folder [given ...]
"""

import importlib
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf


def main(module: str, how: str, folder: Path, *given: str) -> None:
    x = np.load(folder / "x.npy")
    exported = tf.saved_model.load(str(folder / "exported"))  # before anything of ours is imported
    (served,) = exported.signatures["serving_default"](x=tf.constant(x)).values()
    np.save(folder / "served.npy", served)

    from tensorlayer.models import Model

    nets = importlib.import_module(f"tests.layers.{module}")
    if how == "model":
        model = Model.load(folder / "model.safetensors")
    else:
        model = nets.build(*given)
        model.load_weights(folder / "model.npz", format="npz_dict")
    np.save(folder / "loaded.npy", model(x, is_train=False))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), *sys.argv[4:])
