"""Ask an exported model, with TensorFlow alone: what a machine runs that does not train.

python examples/asking.py serving_export/digits/1 pixels.npz answers.npz

The arrays of the one file go in by their names, those of the other one come out.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf


def main() -> None:
    """Load, compute, and write the answers."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("export", type=Path, help="the folder of a SavedModel")
    parser.add_argument("values", type=Path, help="a file .npz of what goes in")
    parser.add_argument("answers", type=Path, help="the file .npz that is written")
    parser.add_argument("--signature", default="serving_default", help="what is asked")
    options = parser.parse_args()
    compute = tf.saved_model.load(str(options.export)).signatures[options.signature]
    with np.load(options.values) as file:
        answers = compute(**{name: tf.constant(file[name]) for name in file.files})
    np.savez(options.answers, **{name: value.numpy() for name, value in answers.items()})
    if "tensorlayer" in sys.modules:
        raise SystemExit("an exported model should need TensorFlow alone")


if __name__ == "__main__":
    main()
