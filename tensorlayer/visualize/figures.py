"""Figures: weights, filters, images, embeddings.

A figure is made without pyplot, so nothing piles up in the process and any thread may draw, unless
it is to be shown on a screen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.prepro.libraries import library
from tensorlayer.visualize.pictures import to_uint8

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CNN2d", "W", "draw_weights", "frame", "images2d", "tsne_embedding"]

#: Inches of a grid cell: 25 of them fill a page.
_CELL = 1.0
#: The perplexity that t-SNE's authors recommend; it must stay below the number of points.
_PERPLEXITY = 30.0


def draw_weights(
    W: np.ndarray | None = None,
    second: float = 10,
    saveable: bool = True,
    shape: Sequence[int] | None = None,
    name: str = "mnist",
    fig_idx: int = 2396512,
) -> str | Figure:
    """Draw each column of a weight matrix as an image.

    Parameters
    ----------
    W
        ``(n_features, n_units)``.
    second
        How long the figure is shown on a screen, in seconds.
    saveable
        Write ``<name>.pdf`` instead of showing.
    shape
        Height and width of the images; their product is ``n_features``. 28x28 by default.
    name
        Of the file, without its ending.
    fig_idx
        The number of the window on a screen; the same number is drawn again.

    Returns
    -------
    str or matplotlib.figure.Figure
        The path of the file, or the figure.

    Raises
    ------
    WrongShape
        The columns do not have this shape.

    Examples
    --------
    >>> draw_weights(np.eye(4), shape=(2, 2), name="weights")
    'weights.pdf'
    """
    weights = np.asarray(W, np.float64) if W is not None else np.empty(0)
    height, width = shape if shape is not None else (28, 28)
    if weights.ndim != 2 or weights.shape[0] != height * width:
        raise WrongShape(
            f"draw_weights: W has {height} * {width} rows, one for each pixel of shape, got shape "
            f"{weights.shape}."
        )
    # units are told apart by their pattern, so each is stretched to its own range
    images = [column.reshape(height, width) for column in weights.T]
    return _grid(images, second, saveable, name, fig_idx)


W = draw_weights


def CNN2d(  # noqa: N802 - the name that scripts know
    CNN: np.ndarray | None = None,
    second: float = 10,
    saveable: bool = True,
    name: str = "cnn",
    fig_idx: int = 3119362,
) -> str | Figure:
    """Draw the filters of a convolution.

    Parameters
    ----------
    CNN
        ``(height, width, channels, filters)`` with 1 or 3 channels.
    second, saveable, name, fig_idx
        As for [`draw_weights`][].

    Returns
    -------
    str or matplotlib.figure.Figure
        The path of the file, or the figure.

    Raises
    ------
    WrongShape
        It has another rank, or other channels.

    Examples
    --------
    >>> CNN2d(np.random.default_rng(0).normal(size=(5, 5, 3, 16)), name="filters")
    'filters.pdf'
    """
    filters = np.asarray(CNN, np.float64) if CNN is not None else np.empty(0)
    if filters.ndim != 4 or filters.shape[2] not in (1, 3):
        raise WrongShape(
            "CNN2d: filters are (height, width, channels, filters) with 1 or 3 channels, got shape "
            f"{filters.shape}."
        )
    # all filters by one range, so that their strengths compare
    low, high = filters.min(), filters.max()
    filters = (filters - low) / ((high - low) or 1)
    return _grid(list(np.moveaxis(filters, 3, 0)), second, saveable, name, fig_idx)


def images2d(
    images: np.ndarray | None = None,
    second: float = 10,
    saveable: bool = True,
    name: str = "images",
    dtype: type | None = None,
    fig_idx: int = 3119362,
) -> str | Figure:
    """Draw a batch of images.

    Parameters
    ----------
    images
        ``(batch, height, width, channels)`` with 1 or 3 channels.
    dtype
        A type to convert them to first. Type and range: see
        [`tensorlayer.visualize.to_uint8`][].
    second, saveable, name, fig_idx
        As for [`draw_weights`][].

    Returns
    -------
    str or matplotlib.figure.Figure
        The path of the file, or the figure.

    Raises
    ------
    WrongShape
        It is no batch of images.

    Examples
    --------
    >>> figure = images2d(np.zeros((6, 8, 8, 3), np.uint8), second=0, saveable=False)
    >>> len(figure.axes)
    6
    """
    batch = np.asarray(images) if images is not None else np.empty(0)
    if batch.ndim != 4 or batch.shape[3] not in (1, 3) or not len(batch):
        raise WrongShape(
            "images2d: images are (batch, height, width, channels) with 1 or 3 channels, got shape "
            f"{batch.shape}."
        )
    batch = to_uint8(batch if dtype is None else batch.astype(dtype))
    return _grid(list(batch), second, saveable, name, fig_idx)


def frame(
    I: np.ndarray | None = None,  # noqa: E741 - the name that scripts know
    second: float = 5,
    saveable: bool = True,
    name: str = "frame",
    cmap: str | None = None,
    fig_idx: int = 12836,
) -> str | Figure:
    """Draw one image, for example a frame of a game.

    Parameters
    ----------
    I
        ``(height, width)``, or ``(height, width, channels)`` with 1, 3 or 4 channels.
    cmap
        The colours of a grey image, as matplotlib calls them; grey by default.
    second, saveable, name, fig_idx
        As for [`draw_weights`][].

    Returns
    -------
    str or matplotlib.figure.Figure
        The path of the file, or the figure.

    Raises
    ------
    WrongShape
        It is no image.

    Examples
    --------
    >>> frame(np.zeros((8, 8, 3)), name="frame")
    'frame.pdf'
    """
    image = np.asarray(I) if I is not None else np.empty(0)
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (1, 3, 4)):
        raise WrongShape(
            "frame: an image is (height, width[, channels]) with 1, 3 or 4 channels, got shape "
            f"{image.shape}."
        )
    figure = _figure(fig_idx, saveable)
    _show(figure.add_subplot(), image if image.ndim == 2 else to_uint8(image), cmap or "gray")
    return _finish(figure, second, saveable, name)


def tsne_embedding(
    embeddings: np.ndarray,
    reverse_dictionary: Mapping[int, str],
    plot_only: int = 500,
    second: float = 5,
    saveable: bool = False,
    name: str = "tsne",
    fig_idx: int = 9862,
) -> str | Figure:
    """Draw the first words of an embedding on a plane, by t-SNE.

    Parameters
    ----------
    embeddings
        ``(vocabulary, size)``.
    reverse_dictionary
        The word of each number.
    plot_only
        How many words; 500 are about what a page can hold.
    second, saveable, name, fig_idx
        As for [`draw_weights`][], but it is shown by default.

    Returns
    -------
    str or matplotlib.figure.Figure
        The path of the file, or the figure.

    Raises
    ------
    InvalidArgument
        There are fewer than two words, or one has no name.

    References
    ----------
    van der Maaten and Hinton, "Visualizing data using t-SNE", JMLR 2008.

    Examples
    --------
    >>> vectors = np.random.default_rng(0).normal(size=(8, 4))
    >>> tsne_embedding(vectors, dict(enumerate("abcdefgh")), saveable=True)
    'tsne.pdf'
    """
    vectors = np.asarray(embeddings)[:plot_only]
    if vectors.ndim != 2 or len(vectors) < 2:
        raise InvalidArgument(
            f"tsne_embedding: embeddings are (vocabulary, size) of two words or more, got shape "
            f"{np.shape(embeddings)}."
        )
    missing = [number for number in range(len(vectors)) if number not in reverse_dictionary]
    if missing:
        raise InvalidArgument(
            f"tsne_embedding: reverse_dictionary has no word for {missing[:5]}. It maps the number "
            "of a row to its word."
        )
    tsne = library("sklearn.manifold", "scikit-learn").TSNE(
        n_components=2,
        perplexity=min(_PERPLEXITY, (len(vectors) - 1) / 3),
        init="pca",
        random_state=0,
    )
    figure = _figure(fig_idx, saveable, size=(18.0, 18.0))
    axes = figure.add_subplot()
    points = tsne.fit_transform(vectors)
    axes.scatter(points[:, 0], points[:, 1])
    for number, position in enumerate(points):
        axes.annotate(
            str(reverse_dictionary[number]),
            xy=position,
            xytext=(5, 2),
            textcoords="offset points",
            ha="right",
            va="bottom",
        )
    return _finish(figure, second, saveable, name)


def _grid(
    images: Sequence[np.ndarray], second: float, saveable: bool, name: str, fig_idx: int
) -> str | Figure:
    """Draw images into a grid that is about square."""
    cols = int(np.ceil(np.sqrt(len(images))))
    rows = int(np.ceil(len(images) / cols))
    figure = _figure(fig_idx, saveable, size=(max(2, cols * _CELL), max(2, rows * _CELL)))
    for index, image in enumerate(images, 1):
        _show(figure.add_subplot(rows, cols, index), image, "gray")
    return _finish(figure, second, saveable, name)


def _figure(fig_idx: int, saveable: bool, size: tuple[float, float] | None = None) -> Figure:
    """Return an empty figure: of its own if it is to be saved, else pyplot's, which has windows."""
    if saveable:
        return library("matplotlib.figure").Figure(figsize=size)
    return library("matplotlib.pyplot").figure(fig_idx, figsize=size, clear=True)


def _show(axes: object, image: np.ndarray, cmap: str) -> None:
    image = image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image
    axes.imshow(image, cmap=cmap, interpolation="nearest")
    axes.set_axis_off()


def _finish(figure: Figure, second: float, saveable: bool, name: str) -> str | Figure:
    """Write the file and return its path, or show the figure where there is a screen."""
    if saveable:
        figure.savefig(f"{name}.pdf", format="pdf")
        return f"{name}.pdf"
    pyplot = library("matplotlib.pyplot")
    if figure.canvas.required_interactive_framework is None:  # no screen
        pyplot.close(figure)
        return figure
    figure.canvas.draw_idle()
    pyplot.show(block=False)
    pyplot.pause(max(second, 1e-3))
    return figure
