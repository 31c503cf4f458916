"""MPII from four pictures."""

import io

import pytest
from scipy.io import savemat

from tensorlayer import files
from tensorlayer.errors import Corrupt
from tests.files.loaders import samples

ANNOTATIONS = "mpii_human_pose_v1_u12_2/mpii_human_pose_v1_u12_1.mat"


@pytest.fixture
def folder(tmp_path):
    for name, content in samples.MPII.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_people_and_joints_of_each_picture(folder):
    img_train, ann_train, img_test, ann_test = files.load_mpii_pose_dataset(folder)
    images = folder / "mpii_human_pose" / "images"
    assert img_train == [str(images / "a.jpg"), str(images / "c.jpg")]  # gone.jpg is not there
    assert img_test == [str(images / "b.jpg")]
    assert ann_test == [[]]
    whole, partial = ann_train[0]
    assert whole["joint_pos"] == {i: [i + 0.5, 2.0 * i] for i in range(16)}
    assert whole["is_visible"] == {i: i % 2 for i in range(16)}
    assert whole["head_rect"] == [1.0, 2.0, 30.0, 40.0]
    assert (whole["filename"], whole["train"]) == ("a.jpg", 1)
    assert partial["joint_pos"] == {6: [6.5, 12.0], 7: [7.5, 14.0]}
    assert partial["is_visible"] == {6: 0, 7: 1}
    assert len(ann_train[1]) == 1


def test_only_whole_people(folder):
    _, ann_train, _, _ = files.load_mpii_pose_dataset(folder, is_16_pos_only=True)
    assert [len(people) for people in ann_train] == [1, 0]


@pytest.mark.parametrize("content", [b"MATLAB 5.0 no", {"other": 1}, {"RELEASE": {"annolist": 1}}])
def test_other_files_are_named(content, folder):
    if isinstance(content, dict):
        buffer = io.BytesIO()
        savemat(buffer, content)
        content = buffer.getvalue()
    path = folder / ANNOTATIONS
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(Corrupt, match=r"u12_1\.mat' is not the annotations of MPII"):
        files.load_mpii_pose_dataset(folder)
