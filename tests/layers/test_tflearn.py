"""TFLearn: its import, its mode, its variables."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import LibraryMissing
from tensorlayer.layers import Input, Lambda, variable_scope
from tensorlayer.layers.tflearn import load_tflearn
from tests.layers.adopted import assert_adopted

pytestmark = pytest.mark.filterwarnings("ignore")

IMAGES = np.random.default_rng(0).normal(size=(4, 8, 8, 1)).astype("float32")


def in_fresh_process(code):
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False
    )


def test_a_net_trains_moves_its_statistics_and_is_kept(tmp_path):
    model = assert_adopted("nets_tflearn", IMAGES, tmp_path, n_statistics=2)

    assert list(model.parameters)[:2] == ["tower/conv/W", "tower/conv/b"]


def test_the_import_leaves_tensorflow_2_as_it_is():
    done = in_fresh_process(
        "import tensorflow as tf\n"
        "from tensorlayer.layers.tflearn import load_tflearn\n"
        "tflearn = load_tflearn()\n"
        "import tflearn as again\n"
        "assert again is tflearn\n"
        "assert tf.executing_eagerly()\n"
        "assert tf.constant(2).numpy() == 2\n"
        "assert (tf.constant([1, 2]) == tf.constant([1, 3])).numpy().tolist() == [True, False]\n"
        "assert tf.function(lambda x: x + 1)(tf.constant(1)).numpy() == 2\n"
        "tf.compat.v1.disable_v2_behavior()\n"
        "assert not tf.executing_eagerly()\n"  # who asks for it still gets it
    )

    assert done.returncode == 0, done.stderr


def test_a_plain_import_does_what_the_bridge_is_for():
    """If this fails, TFLearn can be imported as it is and the bridge is not needed any more."""
    done = in_fresh_process("import tflearn")

    assert done.returncode != 0
    assert "is_sequence" in done.stderr


def test_without_the_library_it_says_how_to_install_it():
    done = in_fresh_process(
        "import sys\n"
        "sys.modules['tflearn.config'] = None\n"
        "from tensorlayer.layers.tflearn import load_tflearn\n"
        "load_tflearn()"
    )

    assert "TFLearn cannot be imported: " in done.stderr
    assert "pip install 'tensorlayer[tflearn]'" in done.stderr
    assert LibraryMissing.__name__ in done.stderr


def test_dropout_and_statistics_follow_the_mode():
    tflearn = load_tflearn()

    def normed(x):
        return tflearn.dropout(tflearn.batch_normalization(x, decay=0.5, name="norm"), 0.5)

    x = np.random.default_rng(1).normal(2, 1, size=(200, 3)).astype("float32")
    net = Lambda(Input([None, 3]), normed, name="n")
    mean = net.parameters["n/norm/moving_mean"]

    for evaluate in (net, tf.function(lambda x, is_train: net(x, is_train=is_train))):
        before = mean.numpy()
        still = evaluate(x, is_train=False)
        assert np.count_nonzero(still) == x.size
        np.testing.assert_array_equal(mean, before)
        found = evaluate(x, is_train=True)
        assert 200 < np.count_nonzero(found) < 400
        np.testing.assert_allclose(mean, 0.5 * before + 0.5 * x.mean(0), rtol=1e-3, atol=1e-3)


def test_a_second_use_by_name_shares():
    tflearn = load_tflearn()

    def dense(x):
        return tflearn.fully_connected(x, 2, name="fc")

    def net(name, reuse=None):
        with variable_scope("s", reuse=reuse):
            return Lambda(Input([None, 3], name=name), dense, name="d")

    first, second = net("x"), net("y", reuse=True)

    assert second.layer is first.layer
    assert list(second.parameters) == ["s/d/fc/W", "s/d/fc/b"]


def test_a_function_that_imports_it_only_while_it_runs_is_told_the_mode():
    done = in_fresh_process(
        "import numpy as np, tensorlayer as tl\n"
        "from tensorlayer.layers.tflearn import load_tflearn\n"
        "def dropped(x): return load_tflearn().dropout(x, 0.5)\n"
        "net = tl.layers.Lambda(tl.layers.Input([None, 99]), dropped, name='f')\n"
        "x = np.ones([4, 99], 'float32')\n"
        "assert net.parameters == {}, net.parameters\n"
        "assert (net(x, is_train=False).numpy() == x).all()\n"
        "assert (net(x, is_train=True).numpy() != x).any()\n"
    )

    assert done.returncode == 0, done.stderr
