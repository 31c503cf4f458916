"""Normalisation of one image, by the statistics of many, and ZCA whitening."""

from __future__ import annotations

import numpy as np

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.prepro.libraries import library

__all__ = [
    "samplewise_norm",
    "featurewise_norm",
    "get_zca_whitening_principal_components_img",
    "zca_whitening",
]

#: Added to variances of ZCA whitening, so that a direction without any is not blown up.
_ZCA_EPSILON = 1e-6


def samplewise_norm(
    x: np.ndarray,
    rescale: float | None = None,
    samplewise_center: bool = False,
    samplewise_std_normalization: bool = False,
    channel_index: int = 2,
    epsilon: float = 1e-7,
) -> np.ndarray:
    """Rescale, centre and normalise one image by its own statistics.

    Parameters
    ----------
    x
        An image of rank 3. With one channel, the mean and the deviation are those of the image;
        with more, each pixel has its own, over its channels.
    rescale
        A factor that is applied first, such as 1/255; None or 0 for none.
    samplewise_center
        Subtract the mean.
    samplewise_std_normalization
        Divide by the standard deviation.
    channel_index
        The axis of the channels.
    epsilon
        Added to the deviation, so that a flat image stays finite.

    Returns
    -------
    numpy.ndarray
        A new floating array (float64 if ``x`` holds integers); ``x`` stays as it is.

    Examples
    --------
    >>> image = np.array([[[1.0], [3.0]]])
    >>> samplewise_norm(image, samplewise_center=True, samplewise_std_normalization=True).round(3)
    array([[[-1.],
            [ 1.]]])
    """
    x = np.asarray(x)
    if not -x.ndim <= channel_index < x.ndim:
        raise InvalidArgument(f"samplewise_norm: shape {x.shape} has no axis {channel_index!r}.")
    result = x * rescale if rescale else x * 1.0
    axis = None if x.shape[channel_index] == 1 else channel_index
    if samplewise_center:
        result = result - result.mean(axis=axis, keepdims=True)
    if samplewise_std_normalization:
        result = result / (result.std(axis=axis, keepdims=True) + epsilon)
    return result


def featurewise_norm(
    x: np.ndarray,
    mean: float | np.ndarray | None = None,
    std: float | np.ndarray | None = None,
    epsilon: float = 1e-7,
) -> np.ndarray:
    """Normalise by the statistics of a data set: ``(x - mean) / (std + epsilon)``.

    Parameters
    ----------
    x
        Of any shape.
    mean, std
        Numbers or arrays that broadcast to ``x``; None leaves the step out.
    epsilon
        Added to the deviation, so that a constant feature stays finite.

    Returns
    -------
    numpy.ndarray
        A new array of the type of ``x`` if that is floating, else of float64.

    Examples
    --------
    >>> featurewise_norm(np.array([3.0, 5.0]), mean=np.array([1.0, 1.0]), std=2, epsilon=0).tolist()
    [1.0, 2.0]
    """
    x = np.asarray(x)
    result = x.astype(x.dtype if x.dtype.kind == "f" else np.float64)
    if mean is not None:
        result = result - np.asarray(mean, result.dtype)
    if std is not None:
        result = result / (np.asarray(std, np.float64) + epsilon).astype(result.dtype)
    return result


def get_zca_whitening_principal_components_img(X: np.ndarray) -> np.ndarray:
    r"""Return the ZCA matrix $U (S + \epsilon)^{-1/2} U^T$ of a batch of images.

    Parameters
    ----------
    X
        ``(batch, height, width, channels)``, centred: of mean 0 in each feature.

    Returns
    -------
    numpy.ndarray
        (d, d) with d = height * width * channels, so the memory grows with the square of the
        image: 75 MB for 32x32x3.

    Raises
    ------
    WrongShape
        ``X`` has another rank.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(50, 2, 2, 1))
    >>> get_zca_whitening_principal_components_img(X - X.mean(axis=0)).shape
    (4, 4)
    """
    X = np.asarray(X)
    if X.ndim != 4:
        raise WrongShape(
            "get_zca_whitening_principal_components_img: X is (batch, height, width, channels), "
            f"got shape {X.shape}."
        )
    flat = X.reshape(len(X), -1) * 1.0
    # eigh, as the matrix is symmetric: faster than a singular value decomposition, and equal.
    variances, axes = library("scipy.linalg").eigh(flat.T @ flat / len(X))
    return (axes / np.sqrt(np.maximum(variances, 0) + _ZCA_EPSILON)) @ axes.T


def zca_whitening(x: np.ndarray, principal_components: np.ndarray) -> np.ndarray:
    """Whiten one image by the matrix of its data set.

    Parameters
    ----------
    x
        ``(height, width, channels)``, centred as the data set was.
    principal_components
        From [`get_zca_whitening_principal_components_img`][].

    Returns
    -------
    numpy.ndarray
        The shape of ``x``, floating.

    Raises
    ------
    WrongShape
        The image has another number of values than the matrix has rows.

    Examples
    --------
    >>> zca_whitening(np.ones((2, 1, 1)), 3 * np.eye(2)).ravel().tolist()
    [3.0, 3.0]
    """
    x = np.asarray(x)
    if (x.size, x.size) != principal_components.shape:
        raise WrongShape(
            f"zca_whitening: an image of shape {x.shape} has {x.size} values, but the matrix is "
            f"{principal_components.shape}. It belongs to images of another size."
        )
    return (x.reshape(-1) @ principal_components).reshape(x.shape)
