from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import GlobalMaxPool2d, GlobalMeanPool1d, Input
from tests.operations import operations

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize(("kind", "reduce"), [("Max", np.max), ("Mean", np.mean)])
def test_one_value_for_each_channel(kind, reduce, rank):
    layer = getattr(tl.layers, f"Global{kind}Pool{rank}d")
    x = RNG.normal(size=(2, *(5, 6, 7)[:rank], 3)).astype("float32")
    first = np.moveaxis(x, -1, 1)
    expected = reduce(x.reshape(2, -1, 3), axis=1)

    np.testing.assert_allclose(layer()(x), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(layer("channels_first")(first), expected, rtol=1e-5, atol=1e-6)
    assert operations(tf.function(lambda x: layer()(x)), tf.TensorSpec(x.shape)) == operations(
        tf.function(
            lambda x: getattr(tf, f"reduce_{reduce.__name__}")(x, list(range(1, rank + 1)))
        ),
        tf.TensorSpec(x.shape),
    )


def test_errors():
    with pytest.raises(InvalidArgument, match=r"GlobalMaxPool2d: data_format is .* got 'last'"):
        GlobalMaxPool2d("last")
    with pytest.raises(WrongShape, match=r"GlobalMeanPool1d.*rank 3"):
        GlobalMeanPool1d(Input([None, 9]))
