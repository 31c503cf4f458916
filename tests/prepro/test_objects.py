from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorlayer import prepro
from tensorlayer.errors import InvalidArgument
from tests.prepro.markers import extent, rectangle

HEIGHT, WIDTH = 60, 80
FORMATS = list(itertools.product([False, True], repeat=2))
every_format = pytest.mark.parametrize(("is_rescale", "is_center"), FORMATS)
#: What moves boxes, as (name, call with image, classes, coords and more).
MOVES = {
    "crop": lambda *o, **k: prepro.obj_box_crop(*o, wrg=50, hrg=40, is_random=True, **k),
    "shift": lambda *o, **k: prepro.obj_box_shift(
        *o, wrg=0.2, hrg=0.2, is_random=True, fill_mode="constant", **k
    ),
    "zoom": lambda *o, **k: prepro.obj_box_zoom(
        *o, zoom_range=(0.6, 1.6), is_random=True, fill_mode="constant", **k
    ),
    "flip": lambda im, classes, coords, **k: _with_classes(
        prepro.obj_box_horizontal_flip(im, coords, is_random=True, **k), classes
    ),
    "resize": lambda im, classes, coords, is_rescale, is_center, seed: _with_classes(
        prepro.obj_box_imresize(im, coords, (90, 56), "bilinear", is_rescale=is_rescale), classes
    ),
}


def _with_classes(result, classes):
    return result[0], classes, result[1]


def write(box, shape, is_rescale, is_center):
    """Return [x1, y1, x2, y2] in pixels as a box of a format; the oracle of formats."""
    x1, y1, x2, y2 = box
    x, y, w, h = x1, y1, x2 - x1, y2 - y1
    if is_center:
        x, y = x + w / 2, y + h / 2
    if is_rescale:
        x, y, w, h = x / shape[1], y / shape[0], w / shape[1], h / shape[0]
    return [x, y, w, h]


@st.composite
def drawn_boxes(draw):
    x1, y1 = draw(st.integers(0, WIDTH - 16)), draw(st.integers(0, HEIGHT - 16))
    w, h = draw(st.integers(12, 30)), draw(st.integers(12, 30))
    return [x1, y1, min(x1 + w, WIDTH), min(y1 + h, HEIGHT)]


@every_format
@pytest.mark.parametrize("move", MOVES)
@settings(max_examples=6)
@given(box=drawn_boxes(), seed=st.integers(0, 10_000))
def test_boxes_follow_the_pixels(move, is_rescale, is_center, box, seed):
    image = rectangle(HEIGHT, WIDTH, box)
    coords = [write(box, image.shape, is_rescale, is_center)]

    moved, classes, boxes = MOVES[move](
        image, ["cat"], coords, is_rescale=is_rescale, is_center=is_center, seed=seed
    )

    if not boxes:  # dropped: then little of it is left to be seen
        assert classes == []
        assert (moved >= 0.5).any(0).sum() < 4 or (moved >= 0.5).any(1).sum() < 4
        return
    assert classes == ["cat"]
    found = write(extent(moved), moved.shape, is_rescale, is_center)
    pixels = write([0, 0, 1.6, 1.6], moved.shape, is_rescale, False)[2:] * 2
    assert (np.abs(np.subtract(boxes[0], found)) <= pixels).all()


@settings(max_examples=20)
@given(
    box=drawn_boxes(),
    angle=st.floats(-180, 180),
    zoom=st.floats(0.7, 1.4),
    slant=st.floats(-0.3, 0.3),
)
def test_boxes_surround_what_any_matrix_turned(box, angle, zoom, slant):
    image = rectangle(HEIGHT, WIDTH, box)
    matrix = prepro.affine_compose(
        prepro.affine_rotation_matrix(angle),
        prepro.affine_zoom_matrix(zoom),
        prepro.affine_shear_matrix(slant, 0),
        height=HEIGHT, width=WIDTH, output_shape=(150, 150),
    )  # fmt: skip

    moved, _, boxes = prepro.obj_box_affine_transform(
        image, ["cat"], [write(box, image.shape, False, False)], matrix,
        fill_mode="constant", output_shape=(150, 150),
    )  # fmt: skip

    x, y, w, h = boxes[0]
    # a corner of a turned box is thin, so its last pixels are less than half covered
    np.testing.assert_allclose([x, y, x + w, y + h], extent(moved, 0.1), atol=2.6)


def test_flip_in_each_format():
    image = np.zeros((80, 100))
    flip = prepro.obj_box_horizontal_flip

    assert flip(image, [[0.2, 0.4, 0.3, 0.3]], True, True)[1] == [[0.8, 0.4, 0.3, 0.3]]
    assert flip(image, [[0.2, 0.4, 0.3, 0.3]], True, False)[1] == [[0.5, 0.4, 0.3, 0.3]]
    assert flip(image, [[20, 40, 30, 30]], False, True)[1] == [[80, 40, 30, 30]]
    assert flip(image, [[20, 40, 30, 30]], False, False)[1] == [[50, 40, 30, 30]]
    assert prepro.obj_box_left_right_flip is flip


def test_flip_flips_half_of_the_time():
    image = np.arange(12.0).reshape(3, 4)
    flips = [
        prepro.obj_box_horizontal_flip(image, [[0, 0, 1, 1]], is_random=True, seed=s)
        for s in range(200)
    ]

    flipped = [bool((moved == image[:, ::-1]).all()) for moved, _ in flips]
    assert 70 < sum(flipped) < 130
    assert flipped == [boxes == [[3, 0, 1, 1]] for _, boxes in flips]


def test_relative_boxes_do_not_change_when_an_image_is_resized():
    image = np.zeros((80, 100, 3), np.uint8)
    coords = [[0.2, 0.4, 0.3, 0.3]]

    assert prepro.obj_box_imresize(image, coords, [160, 200], is_rescale=True)[1] == coords


def test_a_box_is_cut_at_the_border():
    image = np.zeros((100, 100))

    _, _, boxes = prepro.obj_box_crop(image, ["a"], [[20, 20, 40, 40]], wrg=40, hrg=50)

    assert boxes == [[0.0, 0.0, 30.0, 35.0]]


@pytest.mark.parametrize(
    ("box", "is_kept"),
    [
        ([0, 0, 20, 20], False),  # outside of the window
        ([40, 40, 1, 20], False),  # thinner than 2 percent of 60
        ([40, 40, 2, 20], True),
        ([40, 25, 2, 25], False),  # more than 12 times as long as wide
        ([22, 40, 50, 5], True),
    ],
)
def test_boxes_that_are_no_longer_good_are_dropped_with_their_class(box, is_kept):
    image = np.zeros((100, 100))

    _, classes, boxes = prepro.obj_box_crop(
        image, ["x", "good"], [box, [40, 40, 20, 20]], wrg=60, hrg=60
    )

    assert classes == (["x", "good"] if is_kept else ["good"])
    assert len(boxes) == len(classes)
    assert boxes[-1] == [20.0, 20.0, 20.0, 20.0]


def test_shift_and_zoom_as_they_are_told():
    image = np.random.default_rng(0).random((HEIGHT, WIDTH, 3)).astype(np.float32)

    shifted = prepro.obj_box_shift(image, [], [], wrg=0.1, hrg=0.2)[0]
    zoomed = prepro.obj_box_zoom(image, [], [], zoom_range=(0.5, 0.8))[0]

    np.testing.assert_array_equal(shifted, prepro.shift(image, 0.1, 0.2))
    expected = prepro.respective_zoom(image, 1 / 0.5, 1 / 0.8, border_mode="replicate")
    np.testing.assert_allclose(zoomed, expected, atol=1e-5)


def test_axes_may_be_anywhere():
    image = np.random.default_rng(0).random((HEIGHT, WIDTH, 3)).astype(np.float32)
    axes = {"row_index": 1, "col_index": 2, "channel_index": 0}
    objects = ["cat"], [[30, 20, 20, 20]]

    for function in (prepro.obj_box_shift, prepro.obj_box_zoom):
        last, *labels = function(image, *objects, seed=0, is_random=True)
        first, *same = function(image.transpose(2, 0, 1), *objects, seed=0, is_random=True, **axes)

        np.testing.assert_array_equal(first.transpose(1, 2, 0), last)
        assert labels == same


def test_no_boxes_at_all():
    image = np.zeros((100, 100))

    assert prepro.obj_box_crop(image, wrg=50, hrg=50)[1:] == ([], [])
    assert prepro.obj_box_horizontal_flip(image)[1] == []
    assert prepro.obj_box_imresize(image)[1] == []


def test_what_does_not_fit_together_is_refused():
    image = np.zeros((100, 100))

    with pytest.raises(InvalidArgument, match="got 1 classes for 2 boxes"):
        prepro.obj_box_shift(image, ["a"], [[0, 0, 9, 9], [1, 1, 9, 9]])
    with pytest.raises(InvalidArgument, match="a window of 101 pixels does not fit"):
        prepro.obj_box_crop(image, [], [], wrg=101, hrg=10)
    with pytest.raises(InvalidArgument, match=r"a pair of factors above 0, got 0\.5"):
        prepro.obj_box_zoom(image, [], [], zoom_range=0.5)
    with pytest.raises(InvalidArgument, match="a box has four numbers"):
        prepro.obj_box_zoom(image, ["a"], [[1, 2, 3]])


@pytest.mark.parametrize("factors", [(0, 1), (1, 0), (-1, 1)])
def test_a_window_of_no_size_is_refused(factors):
    with pytest.raises(InvalidArgument, match="zoom_range is a pair of factors above 0, got"):
        prepro.obj_box_zoom(np.zeros((4, 4)), zoom_range=factors)
