from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorlayer import prepro
from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.prepro import keypoints
from tensorlayer.prepro.keypoints import MISSING
from tests.prepro.markers import blobs, centres

HEIGHT, WIDTH = 90, 120
MOVES = {
    "crop": lambda *pose, **k: prepro.keypoint_random_crop(*pose, size=(60, 70), **k),
    "resize crop": lambda *pose, **k: prepro.keypoint_resize_random_crop(*pose, size=(60, 70), **k),
    "grow crop": lambda *pose, **k: prepro.keypoint_resize_random_crop(*pose, size=(120, 140), **k),
    "rotate": lambda *pose, **k: prepro.keypoint_random_rotate(*pose, rg=40, **k),
    "flip": lambda *pose, **k: prepro.keypoint_random_flip(*pose, prob=1, flip_list=(0, 1, 2), **k),
    "resize": lambda *pose, **k: prepro.keypoint_random_resize(*pose, zoom_range=(0.6, 1.5), **k),
    "shortest edge": lambda *pose, **k: prepro.keypoint_random_resize_shortestedge(
        *pose, min_size=(100, 100), zoom_range=(0.7, 1.3), pad_val=0, **k
    ),
}
every_move = pytest.mark.parametrize("move", MOVES)
points = st.tuples(st.floats(12, WIDTH - 13), st.floats(12, HEIGHT - 13))


@every_move
@settings(max_examples=10)
@given(person=st.lists(points, min_size=3, max_size=3), seed=st.integers(0, 10_000))
def test_key_points_and_mask_follow_the_pixels(move, person, seed):
    image = blobs(HEIGHT, WIDTH, person)
    mask = image[..., 0]

    moved, people, moved_mask = MOVES[move](image, [person], mask, seed=seed)

    padding = moved_mask.copy()
    if move == "shortest edge":  # its mask is 1 where there was no image
        moved_mask = np.where(moved_mask == 1, 0, moved_mask)
    found = centres(moved + 1e-9)
    for k, (x, y) in enumerate(people[0]):
        is_deep = 10 < x < moved.shape[1] - 11 and 10 < y < moved.shape[0] - 11
        if is_deep and _is_whole(padding, x, y):
            np.testing.assert_allclose((x, y), found[k], atol=0.1)
        elif (x, y) == MISSING:
            assert moved[3:-3, 3:-3, k].max() < 0.9, "the point is there, but not its key point"
    np.testing.assert_allclose(moved_mask, moved[..., 0], atol=1e-3)


def _is_whole(padding, x, y):
    """Say whether a blob lies wholly on the image, not on what was padded."""
    around = padding[int(y) - 9 : int(y) + 10, int(x) - 9 : int(x) + 10]
    return not ((around == 1).sum(0) == len(around)).any() and not (around == 1).all(1).any()


@every_move
def test_points_that_are_not_there_stay_so(move):
    person = [MISSING, (-5, 3), (WIDTH + 2, 4)]

    _, people, _ = MOVES[move](np.zeros((HEIGHT, WIDTH, 3), np.float32), [person], None, seed=0)

    assert people == [[MISSING] * 3]


@every_move
def test_points_stay_on_pixels_of_the_result(move):
    rng = np.random.default_rng(0)
    person = np.column_stack([rng.uniform(0, WIDTH - 1, 300), rng.uniform(0, HEIGHT - 1, 300)])
    crowd = [person[k : k + 3].tolist() for k in range(0, 300, 3)]

    image, people, _ = MOVES[move](np.zeros((HEIGHT, WIDTH, 3)), crowd, None, seed=1)

    there = np.array([point for each in people for point in each if point != MISSING])
    assert len(there) > 50
    assert (there >= 0).all()
    assert (there <= [image.shape[1] - 1, image.shape[0] - 1]).all()


@every_move
def test_types_and_grey_images(move):
    grey = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH), np.uint8)

    image, people, mask = MOVES[move](grey, [[(50, 40)] * 3, [(60, 50)] * 3], None, seed=0)

    assert image.dtype == np.uint8
    assert image.shape[2] == 3
    assert (image[..., 0] == image[..., 1]).all()
    assert len(people) == 2
    assert mask is None


@every_move
def test_a_mask_of_another_size_is_refused(move):
    with pytest.raises(WrongShape, match=r"the mask has the height and width of the image"):
        MOVES[move](np.zeros((HEIGHT, WIDTH, 3)), [], np.zeros((3, 3)))


def test_crop_keeps_somebody_in_view():
    image = np.zeros((300, 300, 3), np.uint8)

    for seed in range(30):
        _, people, _ = prepro.keypoint_random_crop(
            image, [[(290, 10)]], None, (100, 100), seed=seed
        )

        assert people != [[MISSING]]


def test_crop_of_a_small_image_keeps_its_side():
    image, _, _ = prepro.keypoint_random_crop(np.zeros((50, 300, 3)), [], None, (100, 100))

    assert image.shape == (50, 100, 3)


@pytest.mark.parametrize("shape", [(50, 120), (120, 50), (50, 50), (37, 53), (200, 210)])
def test_resize_and_crop_gives_exactly_the_size(shape):
    image, _, mask = prepro.keypoint_resize_random_crop(
        np.zeros((*shape, 3)), [], np.zeros(shape), size=(60, 80)
    )

    assert image.shape == (60, 80, 3)
    assert mask.shape == (60, 80)


def test_rotation_leaves_no_empty_corner_and_is_as_large_as_can_be():
    for seed in range(40):
        image, _, _ = prepro.keypoint_random_rotate(np.ones((90, 120, 3)), [], None, 45, seed=seed)

        np.testing.assert_allclose(image, 1, atol=1e-6)
        assert image.shape[0] * image.shape[1] > 0.3 * 90 * 120
    assert prepro.keypoint_random_rotate(np.ones((9, 12, 3)), [], rg=0)[0].shape == (9, 12, 3)


def test_flip_swaps_the_parts_of_the_body_with_the_probability():
    image = np.zeros((10, 20, 3))
    person = [(2, 1), (5, 2), MISSING]
    flip = [
        prepro.keypoint_random_flip(image, [person], None, 0.8, (1, 0, 2), seed=s)[1][0]
        for s in range(300)
    ]

    assert all(each in ([(14, 2), (17, 1), MISSING], person) for each in flip)
    assert 215 < sum(each != person for each in flip) < 265


def test_flip_without_a_mask_and_with_one_too_few_points():
    image = np.arange(24.0).reshape(2, 4, 3)

    flipped, _, mask = prepro.keypoint_random_flip(image, [], None, prob=1)

    np.testing.assert_array_equal(flipped, image[:, ::-1])
    assert mask is None
    with pytest.raises(InvalidArgument, match="flip_list needs 19 points, but a person has 3"):
        prepro.keypoint_random_flip(image, [[(0, 0)] * 3], None)


def test_the_parts_of_19_points_are_swapped_in_pairs():
    person = [(number, 5) for number in range(19)]  # at x, each the number of its part

    _, (flipped,), _ = prepro.keypoint_random_flip(np.zeros((10, 19, 3)), [person], prob=1)

    part_of = [18 - x for x, _ in flipped]
    # head, neck; then shoulder, elbow, wrist, hip, knee, ankle of either side; eyes, ears, trunk
    assert part_of == [0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16, 18]


@every_move
def test_a_mask_may_have_a_channel(move):
    image, mask = np.zeros((HEIGHT, WIDTH, 3)), np.ones((HEIGHT, WIDTH, 1))

    moved, _, moved_mask = MOVES[move](image, [], mask)

    assert moved_mask.shape[:2] == moved.shape[:2]


def test_shortest_edge_fits_and_pads():
    image = np.full((90, 120, 3), 5.0)

    padded, _, mask = prepro.keypoint_random_resize_shortestedge(
        image, [], np.zeros((90, 120)), (100, 101), (0.5, 0.5), pad_val=(1, lambda: 2, 3)
    )

    assert padded.shape == (100, 101, 3)
    assert padded[0, 0].tolist() == [1, 2, 3]
    np.testing.assert_allclose(padded[50, 50], 5)
    assert (mask == 1).sum() == 100 * 101 - (padded[..., 0] > 4).sum()


def test_padding_draws_its_last_channel_at_each_call():
    drawn = [
        prepro.keypoint_random_resize_shortestedge(
            np.full((9, 9, 3), 5.0), [], None, (20, 20), (0.5, 0.5)
        )
        for _ in range(2)
    ]

    first, second = (image[0, 0] for image, _, _ in drawn)
    assert first[:2].tolist() == [0, 0]
    assert 0 <= first[2] < 1
    assert first[2] != second[2]


def test_padding_needs_a_value_for_each_channel():
    with pytest.raises(InvalidArgument, match="pad_val has a value for each of 3 channels"):
        prepro.keypoint_random_resize_shortestedge(
            np.zeros((9, 9, 3)), [], None, (20, 20), pad_val=(1, 2)
        )


def test_a_point_within_half_a_pixel_of_a_centre_is_inside():
    points = np.array([[-0.5, -0.5], [-0.6, 0], [0, -0.6], [6.5, 4.5], [6.6, 4], [6, 4.6]])

    inside = keypoints._is_inside(points, (5, 7, 3))

    assert inside.tolist() == [True, False, False, True, False, False]
