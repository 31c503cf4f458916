"""Weights in npz archives, ours and those of earlier releases."""

import os

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer import files
from tensorlayer.errors import Corrupt, InvalidArgument, NotSerializable, StructureMismatch
from tensorlayer.files import weights
from tests.files.places import tmp_path  # noqa: F401 - a fixture


def build(scope="a", n=3):
    net = tl.layers.Input([None, 4], name=f"{scope}_x")
    net = tl.layers.Dense(net, n, name=f"{scope}_1")
    net = tl.layers.BatchNorm(net, name=f"{scope}_bn")
    return tl.layers.Dense(net, 2, name=f"{scope}_2")


def fill(net, seed):
    rng = np.random.default_rng(seed)
    for variable in net.all_params:
        variable.assign(rng.normal(size=variable.shape))
    return net


def values(net):
    return [variable.numpy() for variable in net.all_params]


def same(a, b):
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.fixture
def net():
    return fill(build(), seed=1)


# -- by position


def test_the_order_of_creation_comes_first_then_trainable_first():
    def variables(first, second):
        return {
            "mean": tf.Variable(tf.zeros(first), trainable=False),
            "weights": tf.Variable(tf.zeros(second)),
        }

    def order(parameters, *shapes):
        return weights._order_that_fits(parameters, [np.zeros(shape) for shape in shapes])

    assert order(variables([2], [2]), [2], [2]) == ["mean", "weights"]
    assert order(variables([2], [3]), [2], [3]) == ["mean", "weights"]
    assert order(variables([2], [3]), [3], [2]) == ["weights", "mean"]
    assert order(variables([2], [3]), [4], [2]) == ["mean", "weights"], "whose shapes errors name"


@pytest.mark.parametrize("which", ["all_params", "all_weights"])
def test_weights_come_back_by_position_moving_averages_too(which, net, tmp_path):
    path = tmp_path / "model.npz"
    files.save_npz(getattr(net, which), path)
    other = fill(build("b"), seed=2)
    assert files.load_and_assign_npz(name=path, network=other) is other
    assert same(values(other), values(net))


def test_the_model_reads_it_too(net, tmp_path):
    files.save_npz(net.all_params, tmp_path / "model.npz")
    model = tl.models.Model(net.input_nodes[0], net)
    expected = values(net)
    fill(net, seed=3)
    model.load_weights(tmp_path / "model.npz")
    assert same(values(net), expected)


def test_what_the_model_writes_is_read(net, tmp_path):
    model = tl.models.Model(net.input_nodes[0], net)
    model.save_weights(tmp_path / "model.npz")
    other = build("b")
    files.load_and_assign_npz(tmp_path / "model.npz", other)
    assert same(values(other), values(net))


def test_a_missing_file_is_false(net, tmp_path):
    assert files.load_and_assign_npz(name=tmp_path / "missing.npz", network=net) is False
    assert files.load_and_assign_npz(sess=None, name="missing.npz", network=net) is False
    assert files.load_and_assign_npz_dict("missing.npz", network=net) is False


def test_arrays_of_any_rank_and_of_equal_first_dimension_come_back(tmp_path):
    arrays = [np.ones((3, 4)), np.ones((3, 5)), np.zeros(3), np.float32(2)]  # broken upstream
    files.save_npz(arrays, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as plain:
        assert len(plain.files) == 4
    assert same(files.load_npz(tmp_path, "a.npz"), arrays)


def old_archive(path, arrays):
    """Write ``params`` as NumPy's savez of a list did before it refused ragged lists."""
    params = np.empty(len(arrays), object)
    for i, array in enumerate(arrays):
        params[i] = array
    np.savez(path, params=params)


def test_archives_of_earlier_releases_are_read(net, tmp_path):
    old_archive(tmp_path / "old.npz", values(net))
    other = build("b")
    files.load_and_assign_npz(name=tmp_path / "old.npz", network=other)
    assert same(values(other), values(net))


def test_old_params_of_one_shape_were_one_array(tmp_path):
    np.savez(tmp_path / "old.npz", params=[np.zeros((2, 3)), np.ones((2, 3))])
    assert same(files.load_npz(tmp_path, "old.npz"), [np.zeros((2, 3)), np.ones((2, 3))])


def test_old_params_that_became_rows_are_put_together(tmp_path):
    params = np.empty((2, 3), object)
    for i, width in enumerate((4, 5)):
        for j in range(3):
            params[i, j] = np.full(width, j)
    np.savez(tmp_path / "old.npz", params=params)
    first, second = files.load_npz(tmp_path, "old.npz")
    assert first.shape == (3, 4)
    assert second.tolist() == [[0] * 5, [1] * 5, [2] * 5]


def test_hostile_archives_are_refused_and_nothing_is_assigned(net, tmp_path):
    class Hostile:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "hostile"),)

    before = values(net)
    old_archive(tmp_path / "old.npz", [*before[:-1], Hostile()])
    with pytest.raises(Corrupt, match="nothing was executed"):
        files.load_and_assign_npz(name=tmp_path / "old.npz", network=net)
    assert os.listdir(tmp_path) == ["old.npz"]
    assert same(values(net), before)


def test_another_number_of_arrays_assigns_nothing(net, tmp_path):
    before = values(net)
    files.save_npz([np.zeros_like(v) for v in before[:-1]], tmp_path / "a.npz")
    with pytest.raises(StructureMismatch, match=r"holds 7 arrays and the network has 8.*assign_w"):
        files.load_and_assign_npz(tmp_path / "a.npz", net)
    assert same(values(net), before)


def test_another_shape_assigns_nothing(net, tmp_path):
    before = values(net)
    files.save_npz([*[np.zeros_like(v) for v in before[:-1]], np.zeros(9)], tmp_path / "a.npz")
    with pytest.raises(StructureMismatch, match=r"a_2/biases is \(2,\) in the model, \(9,\) in"):
        files.load_and_assign_npz(tmp_path / "a.npz", net)
    assert same(values(net), before)


def test_the_first_layers_of_another_network_are_taken_over(net):
    taken = values(net)[:2]
    other = fill(build("b"), seed=2)
    rest = values(other)[2:]
    assert files.assign_weights(taken, other) is other
    assert same(values(other), [*taken, *rest])
    assert same(values(files.assign_params(None, taken, other)), [*taken, *rest])


def test_more_arrays_than_parameters_are_refused(net):
    before = values(net)
    with pytest.raises(StructureMismatch, match="9 arrays and only 8 parameters"):
        files.assign_weights([*[0 * v for v in before], np.zeros(1)], net)
    assert same(values(net), before)


# -- by name


def test_names_are_those_of_the_variables(net, tmp_path):
    files.save_npz_dict(net.all_weights, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as arrays:
        assert set(arrays) == {variable.name for variable in net.all_weights}
        assert "a_1/weights:0" in arrays


def test_weights_come_back_by_name_in_any_order(net, tmp_path):
    expected = values(net)
    files.save_npz_dict(net.all_params[::-1], name=tmp_path / "a.npz", sess=None)
    fill(net, seed=5)
    assert files.load_and_assign_npz_dict(tmp_path / "a.npz", network=net) is net
    assert same(values(net), expected)


def test_unknown_names_are_an_error_unless_they_are_to_be_skipped(net, tmp_path):
    expected = values(net)
    files.save_npz_dict(net.all_params[:2] + fill(build("c"), 6).all_params, tmp_path / "a.npz")
    fill(net, seed=5)
    before = values(net)
    with pytest.raises(StructureMismatch, match=r"missing: a_bn.*not in the model: c_1"):
        files.load_and_assign_npz_dict(tmp_path / "a.npz", net)
    assert same(values(net), before)
    files.load_and_assign_npz_dict(tmp_path / "a.npz", net, skip=True)
    assert same(values(net), [*expected[:2], *before[2:]])


def test_two_variables_of_one_name_are_refused(tmp_path):
    with pytest.raises(InvalidArgument, match="several variables are named a_1/biases:0"):
        files.save_npz_dict(build().all_params[:2] + build().all_params[1:2], tmp_path / "a.npz")
    assert os.listdir(tmp_path) == []


# -- wrong arguments


@pytest.mark.parametrize("save", [files.save_npz, files.save_npz_dict])
@pytest.mark.parametrize("nothing", [None, []])
def test_nothing_to_save_is_an_error(save, nothing, tmp_path):
    with pytest.raises(InvalidArgument, match=r"nothing to save. Give net.all_params"):
        save(nothing, tmp_path / "a.npz")


@pytest.mark.parametrize("save", [files.save_npz, files.save_npz_dict])
@pytest.mark.parametrize("wrong", [{"w": np.zeros(2)}, "weights"])
def test_what_is_no_list_is_refused(save, wrong, tmp_path):
    with pytest.raises(InvalidArgument, match=r"is a list of variables.*save_any_to_npy"):
        save(wrong, tmp_path / "a.npz")
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("wrong", [object(), np.array([{}]), None, {"w": 1}])
def test_what_would_be_pickled_is_refused(wrong, tmp_path):
    with pytest.raises(NotSerializable, match=r"is no array of numbers.*save_any_to_npy"):
        files.save_npz([np.zeros(2), wrong], tmp_path / "a.npz")
    assert not os.listdir(tmp_path)


def test_the_argument_order_of_earlier_releases_is_explained(net):
    with pytest.raises(InvalidArgument, match=r"name is the path.*by keyword: sess=sess"):
        files.load_and_assign_npz(object(), net)
    with pytest.raises(InvalidArgument, match=r"network is a tl\.layers network"):
        files.load_and_assign_npz(None, "model.npz")
    with pytest.raises(InvalidArgument, match=r"network is a tl\.layers network"):
        files.load_and_assign_npz("model.npz", None)


def test_variables_and_arrays():
    variable = tf.Variable([1.0, 2.0])
    files.assign_tf_variable(variable, [3, 4])
    assert files.tf_variables_to_numpy(variable)[0].tolist() == [3.0, 4.0]
    assert files.tf_variables_to_numpy(v for v in [variable])[0].tolist() == [3.0, 4.0]
