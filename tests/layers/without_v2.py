"""Every layer in a session, after ``disable_v2_behavior()``: ``python -m tests.layers.without_v2``.

Takes a folder with a file for each layer: weights, inputs and outputs as they are elsewhere. Prints
one JSON list for each layer: its name, and what went wrong or an empty text.
"""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

import tensorlayer as tl
from tests.layers.specs import SPECS

v1 = tf.compat.v1


def write(folder: Path) -> None:
    """Write what every layer computes eagerly."""
    for number, spec in enumerate(SPECS):
        net, values = spec.untouched, spec.arrays(3)
        many = values if isinstance(values, list) else [values]
        np.savez(
            folder / f"{number}.npz",
            result=net(values, is_train=False),
            **{f"w{i}": each.numpy() for i, each in enumerate(net.all_params)},
            **{f"x{i}": each for i, each in enumerate(many)},
        )


def check(spec: Any, stored: Any) -> None:
    """Compute the layer with these weights and inputs, and differentiate it."""
    with tf.Graph().as_default(), v1.Session() as session, tl.layers.isolated():
        feeds = spec.for_each_input(lambda _, shape: v1.placeholder(spec.dtype, [None, *shape]))
        many = feeds if isinstance(feeds, list) else [feeds]
        nets = [tl.layers.InputLayer(feed, name=f"x{i}") for i, feed in enumerate(many)]
        on = nets if isinstance(feeds, list) else nets[0]
        net = spec.make(on, **spec.fresh().arguments, name="layer", is_train=False)
        tl.layers.initialize_global_variables(session)
        for i, variable in enumerate(net.all_params):
            variable.load(stored[f"w{i}"], session)
        feed = {each: stored[f"x{i}"] for i, each in enumerate(many)}
        result = session.run(net.outputs, feed)
        np.testing.assert_allclose(result, stored["result"], rtol=1e-4, atol=1e-5)
        if net.trainable_weights:
            cost = tf.reduce_sum(net.outputs**2)
            found = [each for each in tf.gradients(cost, net.trainable_weights) if each is not None]
            assert all(np.all(np.isfinite(each)) for each in _dense(session.run(found, feed)))
        net.print_params()
        net.print_layers()
        if spec.depends_on_mode:
            trained = spec.make(on, **spec.fresh().arguments, name="trained", is_train=True)
            tl.layers.initialize_global_variables(session)
            session.run(trained.outputs, {**feed, **trained.all_drop})


def _dense(gradients: list[Any]) -> list[Any]:
    return [getattr(each, "values", each) for each in gradients]


def main(folder: Path) -> None:
    """Check all layers."""
    v1.disable_v2_behavior()
    for number, spec in enumerate(SPECS):
        problem = ""
        try:
            check(spec, np.load(folder / f"{number}.npz"))
        except Exception:  # noqa: BLE001 - the test shows it
            problem = traceback.format_exc()
        sys.stdout.write(json.dumps([spec.name, problem]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
