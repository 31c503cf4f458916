"""Light and colour: brightness, illumination, hue, channels.

Images are RGB, of the type uint8 from 0 to 255 or floating; nothing is changed in place.
"""

from __future__ import annotations

import numpy as np

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.prepro.draws import draw, finite, multi, up_to
from tensorlayer.prepro.libraries import library
from tensorlayer.prepro.strips import by_strips
from tensorlayer.prepro.tables import lookup
from tensorlayer.prepro.warp import as_type, check_image
from tensorlayer.seeds import Seed, generator

__all__ = [
    "brightness",
    "brightness_multi",
    "illumination",
    "rgb_to_hsv",
    "hsv_to_rgb",
    "adjust_hue",
    "channel_shift",
    "channel_shift_multi",
    "pixel_value_scale",
]

#: How much red, green and blue add to brightness: ITU-R BT.601.
_LUMA = np.array([0.299, 0.587, 0.114])
#: Below this the image is of one grey.
_NO_CONTRAST = 1e-6
#: The 256 levels of uint8, from 0 to 1.
_LEVELS = np.arange(256) / 255


def brightness(
    x: np.ndarray,
    gamma: float = 1,
    gain: float = 1,
    is_random: bool = False,
    *,
    seed: Seed = None,
) -> np.ndarray:
    r"""Gamma correction: $\mathrm{gain} \cdot x^\gamma$, of values from 0 to 1.

    Parameters
    ----------
    x
        Floating from 0 on, or integers, which are brought to [0, 1] and back.
    gamma
        Below 1 brighter, above 1 darker; with ``is_random`` the largest distance from 1.
    gain
        The factor.
    is_random
        Draw gamma from 1 - gamma (at least 0) to 1 + gamma.
    seed
        Of the draw.

    Returns
    -------
    numpy.ndarray
        The shape and type of ``x``; integers saturate.

    Raises
    ------
    InvalidArgument
        ``gamma`` or a value of ``x`` is negative, or ``gamma`` or ``gain`` is not finite.

    Examples
    --------
    >>> brightness(np.array([[0, 64, 255]], np.uint8), gamma=0.5).tolist()
    [[0, 128, 255]]
    """
    x = np.asarray(x)
    finite(gain, "brightness: gain")
    if finite(gamma, "brightness: gamma") < 0:
        raise InvalidArgument(f"brightness: gamma is 0 or above, got {gamma!r}.")
    if is_random:
        gamma = generator(seed).uniform(max(0.0, 1 - gamma), 1 + gamma)
    if x.dtype.kind in "if" and x.size and x.min() < 0:
        raise InvalidArgument(
            f"brightness: values must not be negative, got {x.min()}. Bring them to [0, 1]."
        )
    if x.dtype == np.uint8:
        curve = _LEVELS**gamma * (gain * 255)
        return lookup(as_type(curve, x.dtype), x)
    if x.dtype.kind == "f":
        return (x**gamma * gain).astype(x.dtype, copy=False)
    whole = 1 if x.dtype.kind == "b" else np.iinfo(x.dtype).max
    return as_type((x / whole) ** gamma * gain * whole, x.dtype)


def illumination(
    x: np.ndarray,
    gamma: float | tuple[float, float] = 1.0,
    contrast: float | tuple[float, float] = 1.0,
    saturation: float | tuple[float, float] = 1.0,
    is_random: bool = False,
    *,
    seed: Seed = None,
) -> np.ndarray:
    """Change brightness, then contrast, then saturation.

    Parameters
    ----------
    x
        RGB, ``(height, width, 3)``: uint8, or floating from 0 to 1.
    gamma
        See [`brightness`][]; with ``is_random`` a pair (below 1, above 1): in a third of the
        calls the image is made brighter, in a third darker, in a third it keeps its brightness.
    contrast
        0 is grey, 1 keeps the contrast, above 1 more; with ``is_random`` a pair.
    saturation
        0 is black and white, 1 keeps the colours, above 1 more; with ``is_random`` a pair.
    is_random
        Draw the three.
    seed
        Of the draws.

    Returns
    -------
    numpy.ndarray
        The shape and type of ``x``. A pixel with NaN stays one and changes no other; uint8 is
        rounded after each of the three.

    Raises
    ------
    InvalidArgument
        With ``is_random`` an argument is no pair (low, high), or without it one is; or it is not
        finite.

    Examples
    --------
    >>> image = np.full((4, 4, 3), (200, 100, 50), np.uint8)
    >>> illumination(image, saturation=0)[0, 0].tolist()
    [124, 124, 124]
    >>> illumination(image, (0.5, 5.0), (0.5, 1.5), (0.5, 1.5), is_random=True).shape
    (4, 4, 3)
    """
    image = _check_rgb(x, "illumination")
    limits = {"gamma": gamma, "contrast": contrast, "saturation": saturation}
    for name, value in limits.items():
        if np.shape(value) != ((2,) if is_random else ()):
            expected = "a pair (low, high)" if is_random else "a number"
            raise InvalidArgument(
                f"illumination: with is_random={is_random} {name} is {expected}, got {value!r}."
            )
        finite(value, f"illumination: {name}")
    if is_random:
        rng = generator(seed)
        choices = ((min(gamma[0], 1.0), 1.0), (1.0, max(gamma[1], 1.0)), (1.0, 1.0))
        gamma = draw(choices[rng.integers(3)], rng, "illumination: gamma")
        contrast = draw(contrast, rng, "illumination: contrast")
        saturation = draw(saturation, rng, "illumination: saturation")
    lit = brightness(image, gamma)
    cv2 = library("cv2")
    means = cv2.mean(lit.astype(np.float32) if lit.dtype == np.float16 else lit)[:3]
    if lit.dtype.kind == "f" and not np.isfinite(means).all():
        known = np.isfinite(lit).all(axis=2)
        means = cv2.mean(lit.astype(np.float32), known.astype(np.uint8))[:3]
    offset = float(_LUMA @ means) * (1 - contrast)
    shares = saturation * np.identity(3) + (1 - saturation) * _LUMA  # of the colours and of grey
    whole = 255.0 if lit.dtype == np.uint8 else 1.0
    # What contrast would take out of the range is clipped before it.
    has_contrast = abs(contrast) > _NO_CONTRAST
    low, high = sorted((edge - offset) / contrast if has_contrast else edge for edge in (0, whole))
    if lit.dtype == np.uint8:  # rounded after each of the three, as Pillow does
        levels = contrast * np.arange(256.0).clip(low, high) + offset
        return cv2.transform(lookup(as_type(levels, np.uint8), lit), shares, dst=lit)
    matrix = np.column_stack([contrast * shares, np.full(3, offset)])

    def change(values: np.ndarray, spare: np.ndarray) -> np.ndarray:
        np.clip(values, low, high, out=values)
        return np.clip(cv2.transform(values, matrix, dst=spare), 0, 1, out=spare)  # NaN stays

    return by_strips(change, lit, out=lit)


def rgb_to_hsv(rgb: np.ndarray) -> np.ndarray:
    """Return hue, saturation and value of an RGB image.

    Parameters
    ----------
    rgb
        ``(..., 3)``, or with further channels, which are kept; of any real type.

    Returns
    -------
    numpy.ndarray
        float32; hue in [0, 1) (0 red, 1/3 green, 2/3 blue), saturation in [0, 1], and the value in
        the unit of ``rgb``: from 0 to 255 for uint8.

    Examples
    --------
    >>> rgb_to_hsv(np.array([[[0, 0, 255]]], np.uint8)).round(3).tolist()
    [[[0.66..., 1.0, 255.0]]]
    """
    rgb = np.asarray(rgb)
    _check_colours(rgb, "rgb_to_hsv")
    result = rgb.astype(np.float32)
    flat = np.ascontiguousarray(result[..., :3]).reshape(1, -1, 3)
    cv2 = library("cv2")
    hsv = cv2.cvtColor(flat, cv2.COLOR_RGB2HSV) if flat.size else flat
    hsv[..., 0] = hsv[..., 0] / 360 % 1
    result[..., :3] = hsv.reshape(result[..., :3].shape)
    return result


def hsv_to_rgb(hsv: np.ndarray) -> np.ndarray:
    """Return the RGB image of hue, saturation and value: the inverse of [`rgb_to_hsv`][].

    Parameters
    ----------
    hsv
        ``(..., 3)``, or with further channels, which are kept: hue (of any size, it goes around),
        saturation in [0, 1], value from 0 to 255.

    Returns
    -------
    numpy.ndarray
        uint8, rounded.

    Examples
    --------
    >>> hsv_to_rgb(np.array([[[1 / 3, 1.0, 200.0]]])).tolist()
    [[[0, 200, 0]]]
    """
    return as_type(_rgb(hsv, "hsv_to_rgb"), np.uint8)


def adjust_hue(
    im: np.ndarray,
    hout: float = 0.66,
    is_offset: bool = True,
    is_clip: bool = True,
    is_random: bool = False,
    *,
    seed: Seed = None,
) -> np.ndarray:
    """Turn the hue of an RGB image, or set it.

    Parameters
    ----------
    im
        ``(height, width, 3)``: uint8 from 0 to 255, or floating.
    hout
        The offset in turns of the colour circle; with ``is_random`` the largest to each side;
        without ``is_offset`` the hue itself (0 red, 0.33 green, 0.66 blue).
    is_offset
        Add ``hout`` instead of setting it.
    is_clip
        A hue that falls below 0 becomes 0 (red) instead of going around.
    is_random
        Draw ``hout``.
    seed
        Of the draw.

    Returns
    -------
    numpy.ndarray
        The shape and type of ``im``.

    Examples
    --------
    >>> red = np.array([[[255, 0, 0]]], np.uint8)
    >>> adjust_hue(red, hout=1 / 3).tolist()
    [[[0, 255, 0]]]
    """
    image = _check_rgb(im, "adjust_hue")
    hout = up_to(hout, is_random, seed, "adjust_hue: hout")
    is_clip = is_clip and hout < 0
    degrees = np.float32(360 * (hout if is_clip else hout % 1))
    cv2 = library("cv2")

    def turn(values: np.ndarray, spare: np.ndarray) -> np.ndarray:
        hsv = cv2.cvtColor(values, cv2.COLOR_RGB2HSV, dst=spare)
        if is_offset:
            hsv[..., 0] += degrees
        else:
            hsv[..., 0] = degrees
        if is_clip:  # nothing else is below 0
            cv2.threshold(hsv, 0, 0, cv2.THRESH_TOZERO, dst=hsv)
        return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB, dst=values)

    return by_strips(turn, image)


def channel_shift(
    x: np.ndarray,
    intensity: float,
    is_random: bool = False,
    channel_index: int = 2,
    *,
    seed: Seed = None,
) -> np.ndarray:
    """Add a number to all channels of an image, and keep its range.

    Parameters
    ----------
    x
        An image of any rank.
    intensity
        In the unit of ``x``; with ``is_random`` the largest to each side.
    is_random
        Draw the number, one for all channels.
    channel_index
        The axis of the channels.
    seed
        Of the draw.

    Returns
    -------
    numpy.ndarray
        The shape and type of ``x``, in the range from its smallest to its largest value. NaN stays
        NaN.

    Raises
    ------
    InvalidArgument
        There is no such axis, or ``intensity`` is not finite.

    Examples
    --------
    >>> channel_shift(np.array([[[0, 100, 250]]], np.uint8), intensity=10).tolist()
    [[[10, 110, 250]]]
    """
    x = np.asarray(x)
    if not -x.ndim <= channel_index < x.ndim:
        raise InvalidArgument(f"channel_shift: shape {x.shape} has no axis {channel_index!r}.")
    intensity = up_to(intensity, is_random, seed, "channel_shift: intensity")
    low, high = (np.fmin.reduce(x, None), np.fmax.reduce(x, None)) if x.size else (0, 0)
    if x.dtype == np.uint8:
        return lookup(as_type(np.clip(np.arange(256) + intensity, low, high), x.dtype), x)
    return as_type(np.clip(x + np.float64(intensity), low, high), x.dtype)


def pixel_value_scale(
    im: np.ndarray,
    val: float = 0.9,
    clip: tuple[float, float] | None = None,
    is_random: bool = False,
    *,
    seed: Seed = None,
) -> np.ndarray:
    """Multiply an image by a number.

    Parameters
    ----------
    im
        An array of any shape.
    val
        The factor; with ``is_random`` the largest distance of the factor from 1.
    clip
        The range in which the result is kept.
    is_random
        Draw the factor from 1 - val to 1 + val.
    seed
        Of the draw.

    Returns
    -------
    numpy.ndarray
        Floating; integers become float64.

    Raises
    ------
    InvalidArgument
        ``clip`` is no pair (low, high), or ``val`` is not finite.

    Examples
    --------
    >>> pixel_value_scale(np.array([100, 200]), val=1.5, clip=(0, 255)).tolist()
    [150.0, 255.0]
    """
    if is_random:
        val = 1 + up_to(val, True, seed, "pixel_value_scale: val")
    im = np.asarray(im)
    # Integers are cast before: in their own type a whole factor would wrap around.
    scaled = (im if im.dtype.kind == "f" else im.astype(np.float64)) * finite(
        val, "pixel_value_scale: val"
    )
    if clip is None:
        return scaled
    if np.shape(clip) != (2,) or not clip[0] <= clip[1]:
        raise InvalidArgument(f"pixel_value_scale: clip is a pair (low, high), got {clip!r}.")
    return np.clip(scaled, *clip)


brightness_multi = multi(brightness, "brightness_multi")
channel_shift_multi = multi(channel_shift, "channel_shift_multi")


def _check_colours(x: np.ndarray, who: str) -> None:
    if x.ndim < 1 or x.shape[-1] < 3 or x.dtype.kind not in "biuf":
        raise WrongShape(
            f"{who}: the last axis holds three colours, got shape {x.shape} of {x.dtype}."
        )


def _check_rgb(x: np.ndarray, who: str) -> np.ndarray:
    image = check_image(x, who)
    if image.ndim != 3 or image.shape[2] != 3:
        raise WrongShape(f"{who}: an RGB image is (height, width, 3), got shape {image.shape}.")
    if image.dtype != np.uint8 and image.dtype.kind != "f":
        raise InvalidArgument(f"{who}: an RGB image is uint8 or floating, got {image.dtype}.")
    return image


def _rgb(hsv: np.ndarray, who: str) -> np.ndarray:
    hsv = np.asarray(hsv)
    _check_colours(hsv, who)
    result = hsv.astype(np.float32)
    flat = np.ascontiguousarray(result[..., :3]).reshape(1, -1, 3)
    flat[..., 0] = flat[..., 0] % 1 * 360
    cv2 = library("cv2")
    rgb = cv2.cvtColor(flat, cv2.COLOR_HSV2RGB) if flat.size else flat
    result[..., :3] = rgb.reshape(result[..., :3].shape)
    return result
