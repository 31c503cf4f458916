from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorlayer import prepro
from tensorlayer.errors import InvalidArgument

boxes = st.lists(st.floats(0.01, 100), min_size=4, max_size=4)


@settings(max_examples=25)
@given(box=boxes)
def test_formats_invert_each_other(box):
    corner = prepro.obj_box_coord_centroid_to_upleft(box)
    corners = prepro.obj_box_coord_centroid_to_upleft_butright(box)
    relative = prepro.obj_box_coord_rescale(box, (40, 70))

    np.testing.assert_allclose(prepro.obj_box_coord_upleft_to_centroid(corner), box, atol=1e-9)
    np.testing.assert_allclose(
        prepro.obj_box_coord_upleft_butright_to_centroid(corners), box, atol=1e-9
    )
    np.testing.assert_allclose(np.multiply(relative, (70, 40, 70, 40)), box)


@settings(max_examples=25)
@given(box=st.lists(st.integers(0, 500), min_size=4, max_size=4))
def test_whole_pixels_survive_being_relative(box):
    relative = prepro.obj_box_coord_rescale(box, (375, 499))

    assert prepro.obj_box_coord_scale_to_pixelunit(relative, (375, 499, 3)) == box


def test_the_width_is_the_second_of_a_shape():
    assert prepro.obj_box_coord_rescale([100, 50, 10, 20], [100, 200]) == [0.5, 0.5, 0.05, 0.2]
    assert prepro.obj_box_coords_rescale([[100, 50, 10, 20]], [100, 200]) == [[0.5, 0.5, 0.05, 0.2]]
    assert prepro.obj_box_coords_rescale(None, [100, 200]) == []
    assert prepro.obj_box_coord_scale_to_pixelunit([0.5, 0.5, 0.05, 0.2], (100, 200)) == [
        100, 50, 10, 20,
    ]  # fmt: skip


def test_corners_may_be_integers():
    assert prepro.obj_box_coord_centroid_to_upleft_butright([30, 40, 21, 21], to_int=True) == [
        19, 29, 40, 50,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "function",
    [
        prepro.obj_box_coord_centroid_to_upleft,
        prepro.obj_box_coord_centroid_to_upleft_butright,
        prepro.obj_box_coord_rescale,
        prepro.obj_box_coord_scale_to_pixelunit,
        prepro.obj_box_coord_upleft_butright_to_centroid,
        prepro.obj_box_coord_upleft_to_centroid,
    ],
)
def test_a_box_of_three_numbers_is_refused(function):
    with pytest.raises(InvalidArgument, match=r"a box has four numbers.* got \[1, 2, 3\]"):
        function([1, 2, 3])


def test_a_missing_shape_is_refused():
    with pytest.raises(InvalidArgument, match=r"shape of the image of a box is .* got None"):
        prepro.obj_box_coord_rescale([1, 2, 3, 4])


def test_darknet():
    text = "11 0.344192 0.611 0.416 0.262\n\n2 0.509 0.51 0.974 0.972\n"

    objects = prepro.parse_darknet_ann_str_to_list(text)
    classes, coords = prepro.parse_darknet_ann_list_to_cls_box(objects)

    assert objects == [[11, 0.344192, 0.611, 0.416, 0.262], [2, 0.509, 0.51, 0.974, 0.972]]
    assert classes == [11, 2]
    assert coords == [[0.344192, 0.611, 0.416, 0.262], [0.509, 0.51, 0.974, 0.972]]


@pytest.mark.parametrize("line", ["1 0.5 0.5 0.5", "1 0.5 0.5 0.5 0.5 0.5", "cat 0 0 1 1"])
def test_a_line_that_is_no_box_is_named(line):
    with pytest.raises(InvalidArgument, match=r"line 2 of a Darknet annotation"):
        prepro.parse_darknet_ann_str_to_list(f"0 0 0 1 1\n{line}")


def test_an_image_has_at_least_one_pixel():
    assert prepro.obj_box_coord_rescale([0, 0, 4, 1], (1, 8)) == [0.0, 0.0, 0.5, 1.0]
    for shape in ((0, 8), (8, 0, 3), (8,)):
        with pytest.raises(InvalidArgument, match=r"shape of the image of a box is .* got"):
            prepro.obj_box_coord_rescale([1, 2, 3, 4], shape)
