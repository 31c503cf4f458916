"""Images of people with key points and a mask: crop, rotate, flip, resize; the points follow.

``annos`` has for each person a list of positions (x, y) in pixels, where a pixel's position is its
centre. A point that is not there is ``(-1000, -1000)``; any point outside of the image becomes one.
``mask`` is a picture of the same height and width, or None. A grey image of rank 2 comes back with
three equal channels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.prepro.affine import affine_transform_keypoints
from tensorlayer.prepro.draws import coin, draw, up_to
from tensorlayer.prepro.libraries import library
from tensorlayer.prepro.matrices import affine_rotation_matrix
from tensorlayer.prepro.warp import border, by_channels, check_image, warp
from tensorlayer.prepro.windows import inner_rectangle
from tensorlayer.seeds import Seed, generator

__all__ = [
    "MISSING",
    "keypoint_random_crop",
    "keypoint_resize_random_crop",
    "keypoint_random_rotate",
    "keypoint_random_flip",
    "keypoint_random_resize",
    "keypoint_random_resize_shortestedge",
]

Point = Sequence[float]
People = Sequence[Sequence[Point]]
Mask = np.ndarray | None
#: An image, its people, and its mask.
Pose = tuple[np.ndarray, list[list[tuple[float, float]]], Mask]

#: Stands for a key point that is not in the image.
MISSING = (-1000, -1000)


def keypoint_random_crop(
    image: np.ndarray,
    annos: People,
    mask: Mask = None,
    size: tuple[int, int] = (368, 368),
    *,
    seed: Seed = None,
) -> Pose:
    """Crop a random window that has the first point of somebody, drawn at random, in it.

    Parameters
    ----------
    image, annos, mask
        See above.
    size
        Height and width of the window, in pixels; a smaller image keeps its side. 368 is what
        OpenPose networks take.
    seed
        Of the draws.

    Returns
    -------
    tuple
        Image and mask (views), and the people.

    Examples
    --------
    >>> image, annos, _ = keypoint_random_crop(np.zeros((50, 60, 3)), [[(30, 25)]], size=(40, 40))
    >>> image.shape, len(annos)
    ((40, 40, 3), 1)
    """
    image, mask = _checked(image, mask, "keypoint_random_crop")
    rng = generator(seed)
    sides = [min(side, whole) for side, whole in zip(size, image.shape, strict=False)]
    firsts = np.array([tuple(person[0])[:2] for person in annos if len(person)]).reshape(-1, 2)
    firsts = firsts[_is_inside(firsts, image.shape)]
    x, y = rng.choice(firsts) if len(firsts) else (None, None)
    rows = _window_around(image.shape[0], sides[0], y, rng)
    cols = _window_around(image.shape[1], sides[1], x, rng)
    return _cropped(image, annos, mask, rows, cols)


def keypoint_resize_random_crop(
    image: np.ndarray,
    annos: People,
    mask: Mask = None,
    size: tuple[int, int] = (368, 368),
    *,
    seed: Seed = None,
) -> Pose:
    """Resize to the smallest size that covers a window, and crop the window at random.

    Parameters
    ----------
    image, annos, mask
        See above.
    size
        Height and width of the result, in pixels, exactly.
    seed
        Of the draw.

    Returns
    -------
    tuple
        Image, people and mask.

    Examples
    --------
    >>> keypoint_resize_random_crop(np.zeros((50, 60, 3)), [], size=(25, 25))[0].shape
    (25, 25, 3)
    """
    image, mask = _checked(image, mask, "keypoint_resize_random_crop")
    scale = max(size[0] / image.shape[0], size[1] / image.shape[1])
    whole = [max(side, round(old * scale)) for side, old in zip(size, image.shape, strict=False)]
    image, annos, mask = _resized(image, annos, mask, (whole[0], whole[1]))
    rng = generator(seed)
    rows = _window_around(whole[0], size[0], None, rng)
    cols = _window_around(whole[1], size[1], None, rng)
    return _cropped(image, annos, mask, rows, cols)


def keypoint_random_rotate(
    image: np.ndarray,
    annos: People,
    mask: Mask = None,
    rg: float = 15.0,
    *,
    seed: Seed = None,
) -> Pose:
    """Rotate about the middle, and crop the largest upright rectangle without empty corners.

    Parameters
    ----------
    image, annos, mask
        See above.
    rg
        The largest angle to each side, in degrees. People rarely lean by more than 15.
    seed
        Of the draw.

    Returns
    -------
    tuple
        Image, people and mask.

    Examples
    --------
    >>> image, _, _ = keypoint_random_rotate(np.ones((50, 60, 3)), [], rg=30)
    >>> bool((image == 1).all())
    True
    """
    image, mask = _checked(image, mask, "keypoint_random_rotate")
    height, width = image.shape[:2]
    angle = up_to(rg, True, seed, "keypoint_random_rotate: rg")
    kept_width, kept_height = inner_rectangle(width - 1, height - 1, math.radians(angle))
    size = (int(kept_height) + 1, int(kept_width) + 1)
    matrix = affine_rotation_matrix(angle)
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    matrix[:2, 2] = [(size[1] - 1) / 2, (size[0] - 1) / 2] - matrix[:2, :2] @ middle

    def move(picture: np.ndarray) -> np.ndarray:
        return warp(picture, matrix, size, beyond=border("replicate", "border_mode"))

    return _posed(image, annos, mask, matrix, move)


def keypoint_random_flip(
    image: np.ndarray,
    annos: People,
    mask: Mask = None,
    prob: float = 0.5,
    flip_list: Sequence[int] = (0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16, 18),
    *,
    seed: Seed = None,
) -> Pose:
    """Swap left and right, of the image and of the body parts.

    Parameters
    ----------
    image, annos, mask
        See above.
    prob
        The probability of the flip.
    flip_list
        For each place which point of the unflipped person comes there. The default is that of the
        19 points of COCO as OpenPose orders them.
    seed
        Of the draw.

    Returns
    -------
    tuple
        Image and mask (views), and the people.

    Raises
    ------
    InvalidArgument
        A person has fewer points than ``flip_list`` needs.

    Examples
    --------
    >>> image = np.zeros((4, 10, 3))
    >>> keypoint_random_flip(image, [[(1, 2), (8, 3)]], prob=1, flip_list=(1, 0))[1]
    [[(1.0, 3.0), (8.0, 2.0)]]
    """
    image, mask = _checked(image, mask, "keypoint_random_flip")
    needed = max(flip_list, default=-1) + 1
    for person in annos:
        if len(person) < needed:
            raise InvalidArgument(
                f"keypoint_random_flip: flip_list needs {needed} points, but a person has "
                f"{len(person)}. Give the flip_list of these annotations."
            )
    if not coin(prob, generator(seed), "keypoint_random_flip: prob"):
        return image, [[tuple(point) for point in person] for person in annos], mask
    matrix = np.array([[-1.0, 0.0, image.shape[1] - 1], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    swapped = [[person[index] for index in flip_list] for person in annos]
    return _posed(image, swapped, mask, matrix, lambda picture: picture[:, ::-1])


def keypoint_random_resize(
    image: np.ndarray,
    annos: People,
    mask: Mask = None,
    zoom_range: tuple[float, float] = (0.8, 1.2),
    *,
    seed: Seed = None,
) -> Pose:
    """Resize width and height, each by its own random factor.

    Parameters
    ----------
    image, annos, mask
        See above.
    zoom_range
        The range of the factors.
    seed
        Of the draws.

    Returns
    -------
    tuple
        Image, people and mask.

    Examples
    --------
    >>> image = np.zeros((10, 10, 3))
    >>> image, annos, _ = keypoint_random_resize(image, [[(4.5, 4.5)]], zoom_range=(2, 2))
    >>> image.shape, annos
    ((20, 20, 3), [[(9.5, 9.5)]])
    """
    image, mask = _checked(image, mask, "keypoint_random_resize")
    rng = generator(seed)
    width = image.shape[1] * draw(zoom_range, rng, "keypoint_random_resize: zoom_range")
    height = image.shape[0] * draw(zoom_range, rng, "keypoint_random_resize: zoom_range")
    return _resized(image, annos, mask, (max(1, int(height)), max(1, int(width))))


def keypoint_random_resize_shortestedge(
    image: np.ndarray,
    annos: People,
    mask: Mask = None,
    min_size: tuple[int, int] = (368, 368),
    zoom_range: tuple[float, float] = (0.8, 1.2),
    pad_val: float | Sequence[float | Callable[[], float]] | None = None,
    *,
    seed: Seed = None,
) -> Pose:
    """Resize by one random factor, about so that the image just fits, and pad what is too small.

    Parameters
    ----------
    image, annos, mask
        See above.
    min_size
        Height and width that the result has at least, in pixels.
    zoom_range
        The range of the factor, relative to the scale at which the whole image fits into
        ``min_size``.
    pad_val
        What the image is padded with: a number, or one for each channel, each a number or a
        function without arguments. By default 0, 0 and a number drawn from [0, 1). The mask is
        padded with 1.
    seed
        Of the draws.

    Returns
    -------
    tuple
        Image, people and mask.

    Examples
    --------
    >>> image, _, _ = keypoint_random_resize_shortestedge(np.zeros((50, 60, 3)), [], None, (40, 40))
    >>> min(image.shape[:2])
    40
    """
    who = "keypoint_random_resize_shortestedge"
    image, mask = _checked(image, mask, who)
    rng = generator(seed)
    height, width = image.shape[:2]
    scale = min(min_size[0] / height, min_size[1] / width)
    scale *= draw(zoom_range, rng, f"{who}: zoom_range")
    size = max(1, round(height * scale)), max(1, round(width * scale))
    image, annos, mask = _resized(image, annos, mask, size)
    values = (0.0, 0.0, rng.random()) if pad_val is None else pad_val
    return _padded(image, annos, mask, min_size, values)


def _checked(image: np.ndarray, mask: Mask, who: str) -> tuple[np.ndarray, Mask]:
    image = check_image(image, who)
    if mask is not None and np.shape(mask)[:2] != image.shape[:2]:
        raise WrongShape(
            f"{who}: the mask has the height and width of the image, {image.shape[:2]}, got "
            f"shape {np.shape(mask)}."
        )
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, axis=2)
    return image, None if mask is None else np.asarray(mask)


def _posed(
    image: np.ndarray,
    annos: People,
    mask: Mask,
    matrix: np.ndarray,
    move: Callable[[np.ndarray], np.ndarray],
) -> Pose:
    """Return what ``move`` makes of image and mask, and the points moved by its matrix."""
    moved = move(image)
    people = [_points(person, matrix, image.shape, moved.shape) for person in annos]
    return moved, people, None if mask is None else move(mask)


def _points(
    person: Sequence[Point], matrix: np.ndarray, old: Sequence[int], new: Sequence[int]
) -> list[tuple[float, float]]:
    if not len(person):
        return []
    before = np.array([tuple(point)[:2] for point in person], np.float64)
    after = affine_transform_keypoints([before], matrix)[0]
    is_there = _is_inside(before, old) & _is_inside(after, new)
    after = np.clip(after, 0, [new[1] - 1, new[0] - 1])
    return [
        tuple(p) if there else MISSING for p, there in zip(after.tolist(), is_there, strict=True)
    ]


def _is_inside(points: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Say which points lie on a pixel: within half of one of a centre."""
    return ((points >= -0.5) & (points <= [shape[1] - 0.5, shape[0] - 0.5])).all(axis=1)


def _window_around(
    whole: int, size: int, position: float | None, rng: np.random.Generator
) -> slice:
    """Draw a window, with a position in it if there is one."""
    low, high = 0, whole - size
    if position is not None:
        pixel = min(max(round(float(position)), 0), whole - 1)
        low, high = max(low, pixel - size + 1), min(high, pixel)
    first = int(rng.integers(low, high + 1))
    return slice(first, first + size)


def _cropped(image: np.ndarray, annos: People, mask: Mask, rows: slice, cols: slice) -> Pose:
    matrix = np.array([[1.0, 0.0, -cols.start], [0.0, 1.0, -rows.start], [0.0, 0.0, 1.0]])
    return _posed(image, annos, mask, matrix, lambda picture: picture[rows, cols])


def _resized(image: np.ndarray, annos: People, mask: Mask, size: tuple[int, int]) -> Pose:
    cv2 = library("cv2")
    scale_y, scale_x = size[0] / image.shape[0], size[1] / image.shape[1]
    method = cv2.INTER_AREA if max(scale_y, scale_x) <= 1 else cv2.INTER_LINEAR
    matrix = np.diag([scale_x, scale_y, 1.0])
    matrix[:2, 2] = (scale_x - 1) / 2, (scale_y - 1) / 2  # from the corner, not from a centre

    def move(picture: np.ndarray) -> np.ndarray:
        work = picture.dtype if picture.dtype in (np.uint8, np.float32) else np.dtype(np.float64)
        return by_channels(
            picture, lambda part: cv2.resize(part, size[::-1], interpolation=method), work_type=work
        )

    return _posed(image, annos, mask, matrix, move)


def _padded(
    image: np.ndarray,
    annos: People,
    mask: Mask,
    min_size: Sequence[int],
    pad_val: float | Sequence[float | Callable[[], float]],
) -> Pose:
    short = [max(0, side - has) for side, has in zip(min_size, image.shape, strict=False)]
    top, left = short[0] // 2, short[1] // 2
    room = [(top, short[0] - top), (left, short[1] - left)]
    channels = image.shape[2]
    values = [pad_val] * channels if np.ndim(pad_val) == 0 else list(pad_val)
    if len(values) < channels:
        raise InvalidArgument(
            f"keypoint_random_resize_shortestedge: pad_val has a value for each of {channels} "
            f"channels, got {pad_val!r}."
        )
    numbers = [value() if callable(value) else value for value in values[:channels]]
    height, width = image.shape[0] + short[0], image.shape[1] + short[1]
    padded = np.empty((height, width, channels), image.dtype)
    padded[...] = numbers
    padded[top : top + image.shape[0], left : left + image.shape[1]] = image
    matrix = np.array([[1.0, 0.0, left], [0.0, 1.0, top], [0.0, 0.0, 1.0]])
    people = [_points(person, matrix, image.shape, padded.shape) for person in annos]
    if mask is not None:
        mask = np.pad(mask, room + [(0, 0)] * (mask.ndim - 2), constant_values=1)
    return padded, people, mask
