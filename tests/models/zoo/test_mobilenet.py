from __future__ import annotations

import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument
from tests.models.zoo.keras_files import assert_points_agree, randomised, write_h5

POINTS = {
    "conv": "conv1_relu",
    **{f"depth{index}": f"conv_pw_{index}_relu" for index in range(1, 14)},
    "globalmeanpool": "global_average_pooling2d",
    "reshape": "global_average_pooling2d",
    "out": "reshape_2",
}


def keras_mobilenet(size):
    make = tf.keras.applications.MobileNet
    return randomised(make(weights=None, input_shape=(size, size, 3), classifier_activation=None))


@pytest.mark.slow
def test_every_point_is_that_of_keras(images, tmp_path):
    tf.keras.backend.clear_session()  # so that Keras does not number the name of the pool
    model, x = keras_mobilenet(64), images(64)
    path = write_h5(model, tmp_path / "mobilenet_1_0_224_tf.h5")

    assert_points_agree(tl.models.MobileNetV1, POINTS, model, path, x, x)


def test_it_has_as_many_parameters_as_that_of_keras():
    net = tl.models.MobileNetV1()

    assert net.outputs.shape == (None, 1000)
    assert net.count_params() == keras_mobilenet(224).count_params()


def test_reshaped_means_stand_in_a_square_of_one():
    assert tl.models.MobileNetV1(end_with="reshape").outputs.shape == (None, 1, 1, 1024)


def test_what_there_is_not_is_named():
    with pytest.raises(InvalidArgument, match="MobileNetV1: it cannot end with 'depth14'"):
        tl.models.MobileNetV1(end_with="depth14")
