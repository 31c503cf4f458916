from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from tensorlayer import visualize
from tensorlayer.errors import InvalidArgument
from tensorlayer.visualize import draw

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (12, 20, 3), np.uint8)


class TestBoxes:
    def draw(self, coords, classes=(0,), scores=(), names=("cat", "dog"), **more):
        image = np.zeros((200, 300, 3), np.uint8)
        return visualize.draw_boxes_and_labels_to_image(
            image, list(classes), coords, list(scores), names, **more
        )

    @pytest.mark.parametrize(
        ("coord", "is_center", "is_rescale"),
        [
            ([0.5, 0.5, 0.2, 0.4], True, True),
            ([0.4, 0.3, 0.2, 0.4], False, True),
            ([150, 100, 60, 80], True, False),
            ([120, 60, 60, 80], False, False),
        ],
    )
    def test_every_format_draws_the_same_lines(self, coord, is_center, is_rescale):
        drawn = self.draw([coord], is_center=is_center, is_rescale=is_rescale)

        green = (drawn == (0, 255, 0)).all(-1)
        rows, cols = np.nonzero(green)
        assert (rows.max(), cols.min(), cols.max()) == (140, 120, 180)
        assert green[60, 120:181].all()
        assert green[60:141, 180].all()
        assert not green[65:135, 125:175].any()

    @pytest.mark.parametrize("y", [0.02, 0.1, 0.5, 0.9])
    def test_labels_and_scores_are_written_at_the_upper_edge(self, y):
        named = self.draw([[0.5, y, 0.4, 0.4]])
        scored = self.draw([[0.5, y, 0.4, 0.4]], scores=[0.5])
        other = self.draw([[0.5, y, 0.4, 0.4]], classes=[1])

        green = [(image[..., 1] > 0).sum() for image in (named, scored)]
        assert green[0] < green[1]
        rows, cols = np.nonzero((named != other).any(-1))
        edge = max(0, int((y - 0.2) * 200))
        assert abs(rows - edge).max() < 25
        assert cols.min() >= 90

    @pytest.mark.parametrize(("y", "bottom"), [(0.5, 60), (0.02, None), (0.9, 140)])
    @pytest.mark.parametrize(("x", "left"), [(0.5, 90), (0.1, 0), (1.19, None)])
    def test_labels_are_whole_and_above_the_box_where_there_is_room(self, x, left, y, bottom):
        drawn = self.draw([[x, y, 0.4, 0.4]], names=["   "])  # the background alone
        font, size = cv2.FONT_HERSHEY_SIMPLEX, max(draw._LEAST_TEXT, draw._TEXT * 200)
        (width, height), below = cv2.getTextSize("   ", font, size, draw._line(drawn))
        bottom = height + below if bottom is None else bottom
        left = 300 - width if left is None else left
        top, is_green = bottom - height - below, (drawn == (0, 255, 0)).all(-1)

        assert is_green[top : bottom + 1, left : left + width + 1].all()
        assert not is_green[: max(0, top), left + 3 : left + width - 3].any()
        assert not is_green[top + 3 : bottom - 3, left + width + 3 : left + width + 9].any()

    @pytest.mark.parametrize("missing", [0, 1])
    def test_a_label_goes_below_where_one_pixel_is_missing_above(self, missing):
        font, size = cv2.FONT_HERSHEY_SIMPLEX, max(draw._LEAST_TEXT, draw._TEXT * 200)
        (width, height), below = cv2.getTextSize("ggg", font, size, 1)
        y = height + below - missing
        assert below > 0

        drawn = self.draw([[90, y, 150, 100]], names=["ggg"], is_center=False, is_rescale=False)

        is_green = (drawn == (0, 255, 0)).all(-1)
        assert is_green[: y - 3, 94 : 86 + width].any() == (not missing)
        assert is_green[y + 3 : y + height, 94 : 86 + width].any() == bool(missing)

    def test_a_copy_is_drawn_and_saved(self):
        drawn = self.draw([[0.5, 0.5, 0.2, 0.2]], save_name="boxes.png")

        np.testing.assert_array_equal(visualize.read_image("boxes.png"), drawn)

    @pytest.mark.parametrize(
        "image",
        [
            np.zeros((200, 300)),
            np.zeros((200, 300, 1), np.float32),
            np.ones((200, 300, 3)),
            PIXELS[:, ::-1],
        ],
    )
    def test_any_image(self, image):
        before = image.copy()

        drawn = visualize.draw_boxes_and_labels_to_image(image, [0], [[0.5] * 4], [], ["cat"])

        assert drawn.shape == (*image.shape[:2], 3)
        assert (drawn == (0, 255, 0)).all(-1).any()
        np.testing.assert_array_equal(image, before)

    def test_unequal_lists_are_refused(self):
        with pytest.raises(InvalidArgument, match="got 2 boxes, 1 classes and 0 scores"):
            self.draw([[0.5] * 4] * 2)
        with pytest.raises(InvalidArgument, match="got 1 boxes, 1 classes and 2 scores"):
            self.draw([[0.5] * 4], scores=[1, 2])
        with pytest.raises(InvalidArgument, match="class 2 is none of the 2 in classes_list"):
            self.draw([[0.5] * 4], classes=[2])
        with pytest.raises(InvalidArgument, match="a box has four numbers"):
            self.draw([[0.5] * 3])


PERSON = {"joint_pos": {6: (50, 60), 7: (50, 40), 8: (50.4, 20)}, "head_rect": [40, 5, 60, 18]}


class TestPeople:
    def test_bones_joints_and_head(self):
        image = np.zeros((100, 120, 3), np.uint8)

        drawn = visualize.draw_mpii_pose_to_image(image, [PERSON], None)

        assert drawn[50, 50].tolist() == [255, 255, 100]
        assert drawn[30, 50].tolist() == [255, 255, 50]
        assert drawn[60, 50].tolist() == drawn[20, 50].tolist() == [200, 200, 200]
        assert drawn[5, 45].tolist() == [180, 180, 180]
        assert not image.any()

    def test_joints_that_are_not_there_draw_no_bone(self):
        person = {"joint_pos": {0: (10, 10), 2: (60, 60)}, "head_rect": []}

        drawn = visualize.draw_mpii_pose_to_image(np.zeros((100, 120)), [person], None)

        assert not drawn[35, 35].any()
        assert drawn[10, 10].tolist() == [200, 200, 200]

    @pytest.mark.parametrize(
        ("limb", "joints", "channels"),
        [
            ("right leg", [0, 1, 2, 6], [1]),
            ("left leg", [6, 3, 4, 5], [2]),
            ("spine", [6, 7, 8, 9], [0, 1]),
            ("right arm", [10, 11, 12, 7], [0]),
            ("left arm", [7, 13, 14, 15], [2]),
        ],
    )
    def test_each_limb_has_its_bones_and_its_colour(self, limb, joints, channels):
        """The joints are those of MPII: 6 is the pelvis, 7 the thorax."""
        angles = 2 * np.pi * np.arange(16) / 16
        places = {
            joint: (100 + 80 * np.cos(angle), 100 + 80 * np.sin(angle))
            for joint, angle in zip(np.random.default_rng(0).permutation(16), angles, strict=True)
        }
        person = {"joint_pos": {joint: places[joint] for joint in joints}}

        drawn = visualize.draw_mpii_pose_to_image(np.zeros((200, 200, 3)), [person], None)

        for start, end in itertools.combinations(joints, 2):
            x, y = (np.array(places[start]) * 0.4 + np.array(places[end]) * 0.6).round().astype(int)
            is_bone = abs(joints.index(start) - joints.index(end)) == 1
            around = drawn[y - 1 : y + 2, x - 1 : x + 2].reshape(-1, 3).max(axis=0)
            assert around.any() == is_bone
            assert not is_bone or set(np.flatnonzero(around == around.max())) == set(channels)

    def test_it_is_saved_where_asked(self):
        drawn = visualize.draw_mpii_people_to_image(np.zeros((100, 120, 3)), [PERSON])

        np.testing.assert_array_equal(visualize.read_image("image.png"), drawn)
        assert visualize.draw_mpii_people_to_image is visualize.draw_mpii_pose_to_image
