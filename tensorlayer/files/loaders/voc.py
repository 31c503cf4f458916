"""PASCAL VOC: pictures with the boxes, classes and outlines of what is in them."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from tensorlayer.errors import InvalidArgument, did_you_mean
from tensorlayer.files.folders import load_file_list
from tensorlayer.files.loaders.place import fetch, find, read_whole, unpack_as

__all__ = ["load_voc_dataset"]

HOST = "http://host.robots.ox.ac.uk/pascal/VOC/"
#: year: folder of the server, archive, checksum
SOURCES = {
    "2012": ("voc2012/", "VOCtrainval_11-May-2012.tar", "md5:6cd6e144f989b92b3379bac3b3de84fd"),
    "2007": ("voc2007/", "VOCtrainval_06-Nov-2007.tar", "md5:c52e279531787c972589f7e41ab4ae64"),
    "2007test": ("voc2007/", "VOCtest_06-Nov-2007.tar", "md5:b6e924de25625d8de591ea690078ad9f"),
    "2012test": (None, "VOC2012test.tar", None),
}
CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train",
    "tvmonitor",
)  # fmt: skip
PARTS = ("head", "hand", "foot")

Place = str | os.PathLike[str]


def load_voc_dataset(
    path: Place = "data", dataset: str = "2012", contain_classes_in_person: bool = False
) -> tuple[
    list[str],
    list[str],
    list[str],
    list[str],
    list[str],
    list[str],
    dict[str, int],
    list[int],
    list[str],
    dict[str, dict[str, Any]],
]:
    """Get the pictures and annotations of PASCAL VOC.

    Parameters
    ----------
    path
        Where the folder ``VOC2012`` (``VOC2007``, ``VOC2007test``, ``VOC2012test``) or the archive
        is, or is to be downloaded to (``path/VOC``).
    dataset
        ``"2012"``, ``"2007"``, ``"2007test"``, or ``"2012test"``, which one has to download after
        registering.
    contain_classes_in_person
        Count head, hand and foot of a person as objects too.

    Returns
    -------
    imgs_file_list : list of str
        The paths of the pictures.
    imgs_semseg_file_list, imgs_insseg_file_list : list of str
        The paths of the pictures of classes and of objects, which only some pictures have.
    imgs_ann_file_list : list of str
        The paths of the annotations, each of the picture in the same place.
    classes : list of str
        20 classes, or 23 with the parts of a person.
    classes_in_person : list of str
        The parts of a person, or nothing.
    classes_dict : dict
        The number of each class.
    n_objs_list : list of int
        The number of objects in each picture, without those marked difficult.
    objs_info_list : list of str
        For each picture, a line for each object: class number, then centre x, centre y, width and
        height, relative to the picture ([`tensorlayer.prepro.parse_darknet_ann_str_to_list`][]).
    objs_info_dicts : dict
        The whole annotation of each picture, by its path.

    Raises
    ------
    InvalidArgument
        There is no such dataset.
    DownloadFailed
        It is not there and cannot be downloaded.
    Corrupt
        The archive or an annotation is damaged, or a picture or annotation is missing.

    References
    ----------
    M. Everingham and others: The PASCAL visual object classes challenge. IJCV 2010.
    """
    folder = _folder(path, dataset)
    images = load_file_list(folder / "JPEGImages", r"\.jpg$", False, keep_prefix=True)
    stems = {Path(image).stem for image in images}
    annotations = [
        each
        for each in load_file_list(folder / "Annotations", r"\.xml$", False, keep_prefix=True)
        if Path(each).stem in stems
    ]
    annotated = {Path(each).stem for each in annotations}
    images = [image for image in images if Path(image).stem in annotated]
    in_person = list(PARTS) if contain_classes_in_person else []
    classes = [*CLASSES, *in_person]
    numbers = {name: number for number, name in enumerate(classes)}
    trees = [_parse(each) for each in annotations]
    lines = [_describe(tree, numbers, each) for tree, each in zip(trees, annotations, strict=True)]
    return (
        images,
        _optional(folder / "SegmentationClass"),
        _optional(folder / "SegmentationObject"),
        annotations,
        classes,
        in_person,
        numbers,
        [len(each) for each in lines],
        ["".join(f"{line}\n" for line in each) for each in lines],
        {image: _as_dict(tree) for image, tree in zip(images, trees, strict=True)},
    )


def _folder(path: Place, dataset: str) -> Path:
    if dataset not in SOURCES:
        raise InvalidArgument(
            f"load_voc_dataset: there is no dataset {dataset!r}. {did_you_mean(dataset, SOURCES)}"
        )
    name = f"VOC{dataset}"
    found = find(path, "VOC", name)
    return found if found is not None else _unpack(path, dataset, Path(path) / "VOC" / name)


def _unpack(path: Place, dataset: str, target: Path) -> Path:
    """Unpack the archive; all of a year have the same folder in it, so each is renamed."""
    directory, archive, checksum = SOURCES[dataset]
    packed = find(path, "VOC", archive)
    if packed is None and directory is None:
        raise FileNotFoundError(
            f"VOC{dataset} cannot be downloaded without registering. Unpack it to {str(target)!r}."
        )
    packed = packed or fetch(path, "VOC", archive, f"{HOST}{directory}", checksum)
    return unpack_as(target, packed, f"VOCdevkit/VOC{dataset[:4]}")


def _optional(folder: Path) -> list[str]:
    return load_file_list(folder, r"\.png$", False, keep_prefix=True) if folder.is_dir() else []


def _parse(path: str) -> ET.Element:
    with read_whole(path, "an annotation of PASCAL VOC"):
        try:
            return ET.parse(path).getroot()
        except ET.ParseError as error:
            raise ValueError(str(error)) from error


def _describe(root: ET.Element, numbers: dict[str, int], path: str) -> list[str]:
    """Return a line for each object, and after a person its parts."""
    with read_whole(path, "an annotation of PASCAL VOC"):
        size = (float(_text(root, "size/width")), float(_text(root, "size/height")))
        lines = []
        for thing in root.iter("object"):
            name = _text(thing, "name")
            if name not in numbers or thing.findtext("difficult", "0").strip() == "1":
                continue
            lines.append(_line(thing, numbers[name], size))
            parts = [part for part in thing.iter("part") if _text(part, "name") in numbers]
            lines += [_line(part, numbers[_text(part, "name")], size) for part in parts]
        return lines


def _line(thing: ET.Element, number: int, size: tuple[float, float]) -> str:
    corners = ("xmin", "xmax", "ymin", "ymax")
    left, right, top, bottom = (float(_text(thing, f"bndbox/{each}")) for each in corners)
    width, height = size
    x, y = (left + right) / 2 / width, (top + bottom) / 2 / height
    return f"{number} {x!r} {y!r} {(right - left) / width!r} {(bottom - top) / height!r}"


def _text(element: ET.Element, path: str) -> str:
    text = element.findtext(path)
    if text is None:
        raise ValueError(f"there is no {path} in <{element.tag}>")
    return text.strip()


def _as_dict(element: ET.Element) -> dict[str, Any]:
    """Return an annotation as nested dictionaries; objects and parts are lists."""
    if not len(element):
        return {}
    content: dict[str, Any] = {}
    for child in element:
        value: Any = _as_dict(child) if len(child) else child.text
        if child.tag in {"object", "part"}:
            content.setdefault(child.tag, []).append(value)
        else:
            content[child.tag] = value
    return content
