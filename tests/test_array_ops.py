from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.array_ops import alphas, alphas_like

VALUES = [0.5, 3, True, "text", np.float64(0.5), tf.constant(0.5, tf.float16)]


@pytest.mark.parametrize("shape", [[2, 3], (2, 3), tf.TensorShape([2, 3]), tf.constant([2, 3])])
@pytest.mark.parametrize("value", VALUES, ids=str)
def test_every_element_is_the_value_in_its_own_type(shape, value):
    filled = alphas(shape, value)

    assert filled.shape == (2, 3)
    assert filled.dtype == tf.convert_to_tensor(value).dtype
    assert np.all(filled.numpy() == tf.convert_to_tensor(value).numpy())


@pytest.mark.parametrize(
    ("shape", "expected"), [([], ()), (4, (4,)), ([0, 2], (0, 2)), (np.array([2, 1]), (2, 1))]
)
def test_shapes_at_the_edge(shape, expected):
    assert alphas(shape, 1.5).shape == expected


@pytest.mark.parametrize("jit_compile", [False, True], ids=["traced", "xla"])
def test_shape_that_is_only_known_when_the_graph_runs(jit_compile):
    @tf.function(input_signature=[tf.TensorSpec([None, 3])], jit_compile=jit_compile)
    def like(x):
        assert x.shape.rank == 2
        return alphas(tf.shape(x), 0.5), alphas_like(x, 0.5), alphas_like(x, 0.5, optimize=False)

    for filled in like(tf.zeros([2, 3])):
        np.testing.assert_array_equal(filled, np.full([2, 3], 0.5, "float32"))


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        ("float16", 0.5, "float16"),
        ("bfloat16", 0.5, "bfloat16"),
        ("float64", 2, "float64"),
        ("int64", 2, "int64"),
        ("int32", 0.5, "float32"),
        ("int32", True, "bool"),
        ("bool", 1, "int32"),
        ("float32", np.float64(0.5), "float64"),
        ("float32", tf.constant(2, tf.int64), "int64"),
    ],
)
@pytest.mark.parametrize("optimize", [True, False])
def test_type_is_that_of_the_tensor_where_it_can_hold_the_number(dtype, value, expected, optimize):
    filled = alphas_like(tf.ones([2, 2], dtype), value, optimize=optimize)

    assert filled.dtype == expected
    assert np.all(filled.numpy() == np.asarray(value))


def test_like_nested_lists():
    np.testing.assert_array_equal(alphas_like([[1, 2, 3], [4, 5, 6]], 0.5), np.full((2, 3), 0.5))


def test_operation_has_the_name():
    graph = tf.function(lambda: alphas([2], 0.5, name="filled")).get_concrete_function().graph

    assert "filled" in [operation.name for operation in graph.get_operations()]
