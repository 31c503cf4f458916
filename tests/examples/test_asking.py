"""What asks an exported model: any signature of any export, with TensorFlow alone."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tests.examples.running import help_of, run


class Sum(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], name="a"), tf.TensorSpec([None], name="b")])
    def both(self, a, b):
        return {"sum": a + b}


def test_it_asks_the_signature_that_is_named(tmp_path):
    module = Sum()
    tf.saved_model.save(module, str(tmp_path / "sum"), signatures={"both": module.both})
    np.savez(tmp_path / "in.npz", a=np.float32([1, 2]), b=np.float32([10, 20]))

    run("asking.py", tmp_path, "sum", "in.npz", "out.npz", "--signature", "both")

    with np.load(tmp_path / "out.npz") as file:
        assert {name: file[name].tolist() for name in file.files} == {"sum": [11, 22]}


def test_help_teaches():
    assert "TensorFlow alone" in help_of("asking.py")
