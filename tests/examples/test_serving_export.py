"""An export as a user makes it: asked by a process with TensorFlow alone, in two ways."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import tensorflow as tf

from tests.examples.running import help_of, run


@pytest.mark.slow
@pytest.mark.examples
@pytest.mark.timeout(200)
def test_it_answers_elsewhere_what_it_answers_here(tmp_path):
    shown = run("serving_export.py", tmp_path, "--quick")

    assert float(re.search(r"accuracy ([\d.]+)% on digits held out", shown)[1]) >= 95
    for signature in ("serving_default", "png"):
        apart = re.search(rf"{signature}: 599 answers as of the model, (\S+) apart", shown)[1]
        assert float(apart) <= 1e-5
    source = re.search(r"type=bind,source=(\S+),target=/models/digits tensorflow/serving", shown)[1]
    assert Path(source) == (tmp_path / "serving_export" / "digits").resolve()
    png = (tmp_path / re.search(r"base64 -w0 (\S+)\)", shown)[1]).read_bytes()
    served = tf.saved_model.load(f"{source}/1").signatures
    found = served["png"](png=tf.constant([png]))
    assert (found["digit"].numpy().tolist(), found["probability"].shape) == ([7], [1])


def test_help_teaches():
    shown = help_of("serving_export.py")

    assert "TensorFlow Serving" in shown
    assert "--quick" in shown
