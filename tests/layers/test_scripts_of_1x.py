"""Scripts of TensorLayer 1.11 run in a graph, with the behaviour of TensorFlow 2 and without."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest
import tensorflow as tf

import tensorlayer as tl
from tests.layers.scripts_of_1x.run import names, run

#: For all scripts together, with the start of Python; each takes seconds.
PATIENCE_SECONDS = 60 + 30 * len(names())

every_script = pytest.mark.parametrize("name", names())


@every_script
def test_a_script_runs_within_a_graph(name, tmp_path):
    with tf.Graph().as_default(), tl.layers.isolated():
        tf.compat.v1.set_random_seed(1)
        run(name, tmp_path)

    assert tf.executing_eagerly()


@pytest.fixture(scope="module")
def without_v2_behavior():
    """Return the errors of all scripts, by name, from a process without the behaviour of 2."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.layers.scripts_of_1x.run"],
        cwd=pathlib.Path(__file__).parents[2],
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    return {each["name"]: each["error"] for each in map(json.loads, lines)}, done.stderr


@every_script
def test_a_script_runs_without_the_behaviour_of_tensorflow_2(name, without_v2_behavior):
    errors, said = without_v2_behavior

    assert name in errors, said[-3000:]
    assert not errors[name], errors[name]
