"""MPII Human Pose: pictures of people with the positions of sixteen joints."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from tensorlayer.files.loaders.matlab import read_mat
from tensorlayer.files.loaders.place import find, read_whole, unpack

__all__ = ["load_mpii_pose_dataset"]

URL = "http://datasets.d2.mpi-inf.mpg.de/andriluka14cvpr/"
ANNOTATION_ARCHIVE = "mpii_human_pose_v1_u12_2.zip"
ANNOTATIONS = "mpii_human_pose_v1_u12_2/mpii_human_pose_v1_u12_1.mat"
IMAGE_ARCHIVE = "mpii_human_pose_v1.tar.gz"
N_JOINTS = 16

Pose = dict[str, Any]
Place = str | os.PathLike[str]


def load_mpii_pose_dataset(
    path: Place = "data", is_16_pos_only: bool = False
) -> tuple[list[str], list[list[Pose]], list[str], list[list[Pose]]]:
    """Get the pictures and poses of MPII.

    Parameters
    ----------
    path
        Where the folders ``mpii_human_pose_v1_u12_2`` and ``images`` or their archives are, or are
        to be downloaded to (``path/mpii_human_pose``, 12 GB).
    is_16_pos_only
        Leave out people of whom some of the sixteen joints are not known.

    Returns
    -------
    img_train_list : list of str
        The paths of the pictures.
    ann_train_list : list of list of dict
        For each picture its people, each with ``filename``, ``train``, ``head_rect`` (x1, y1, x2,
        y2), ``joint_pos`` ({joint: [x, y]}) and ``is_visible`` ({joint: 0 or 1}, or None), as
        [`tensorlayer.visualize.draw_mpii_pose_to_image`][] takes them.
    img_test_list : list of str
        The paths of the pictures.
    ann_test_list : list of list of dict
        Mostly empty: the poses of the test pictures are not published.

    Raises
    ------
    DownloadFailed
        An archive is not there and cannot be downloaded.
    Corrupt
        A file is damaged.

    Notes
    -----
    Pictures that the annotations name but the folder does not have are left out, with their
    annotations.

    References
    ----------
    M. Andriluka, L. Pishchulin, P. Gehler, B. Schiele: 2D human pose estimation. CVPR 2014.
    """
    folder = "mpii_human_pose"
    annotations = unpack(path, folder, ANNOTATIONS, ANNOTATION_ARCHIVE, URL)
    images = find(path, folder, "images") or unpack(path, folder, "images", IMAGE_ARCHIVE, URL)
    there = {entry.name for entry in images.iterdir()}
    train: tuple[list[str], list[list[Pose]]] = ([], [])
    test: tuple[list[str], list[list[Pose]]] = ([], [])
    for name, is_train, poses in _read(annotations):
        if name not in there:
            continue
        names, people = train if is_train else test
        names.append(str(images / name))
        people.append([each for each in poses if not is_16_pos_only or _is_whole(each)])
    return *train, *test


def _is_whole(pose: Pose) -> bool:
    return len(pose["joint_pos"]) == N_JOINTS


def _read(path: Path) -> list[tuple[str, bool, list[Pose]]]:
    """Return name, whether it is for training, and people of each picture."""
    with read_whole(path, "the annotations of MPII"):
        content = read_mat(path, struct_as_record=False, squeeze_me=True)["RELEASE"]
        flags = np.atleast_1d(content.img_train)
        pictures = np.atleast_1d(content.annolist)
        return [_picture(each, bool(flag)) for each, flag in zip(pictures, flags, strict=True)]


def _picture(entry: Any, is_train: bool) -> tuple[str, bool, list[Pose]]:
    name = str(entry.image.name)
    people = np.atleast_1d(entry.annorect)
    poses = [_pose(each, name, is_train) for each in people if hasattr(each, "annopoints")]
    return name, is_train, [each for each in poses if each is not None]


def _pose(person: Any, name: str, is_train: bool) -> Pose | None:
    points = getattr(person.annopoints, "point", None)  # an empty array where nothing is known
    if points is None:
        return None
    points = np.atleast_1d(points)
    visible = {
        int(point.id): int(point.is_visible) if np.size(point.is_visible) else 0
        for point in points
        if hasattr(point, "is_visible")
    }
    corners = [getattr(person, each, ()) for each in ("x1", "y1", "x2", "y2")]
    return {
        "filename": name,
        "train": int(is_train),
        "head_rect": [float(value) for value in corners if np.size(value) == 1],
        "joint_pos": {int(point.id): [float(point.x), float(point.y)] for point in points},
        "is_visible": visible or None,
    }
