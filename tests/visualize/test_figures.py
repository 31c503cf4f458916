from __future__ import annotations

import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest

from tensorlayer import visualize
from tensorlayer.errors import InvalidArgument, WrongShape

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (12, 20, 3), np.uint8)


FIGURES = {
    "draw_weights": (visualize.draw_weights, (RNG.normal(size=(12, 5)),), {"shape": (3, 4)}, 5),
    "CNN2d": (visualize.CNN2d, (RNG.normal(size=(5, 5, 3, 7)),), {}, 7),
    "CNN2d grey": (visualize.CNN2d, (RNG.normal(size=(5, 5, 1, 7)),), {}, 7),
    "images2d": (visualize.images2d, (RNG.random((6, 8, 8, 3)),), {}, 6),
    "images2d grey": (visualize.images2d, (RNG.random((6, 8, 8, 1)),), {"dtype": np.float32}, 6),
    "frame": (visualize.frame, (PIXELS,), {}, 1),
    "frame grey": (visualize.frame, (PIXELS[..., 0] / 255,), {"cmap": "viridis"}, 1),
    "tsne": (
        visualize.tsne_embedding,
        (RNG.normal(size=(9, 4)), dict(enumerate("abcdefghi"))),
        {},
        1,
    ),
}


@pytest.mark.parametrize("name", FIGURES)
class TestFigures:
    def test_saved_it_returns_the_path_of_a_pdf(self, name, tmp_path):
        function, arguments, keywords, _ = FIGURES[name]

        path = function(*arguments, saveable=True, name="figure", **keywords)

        assert path == "figure.pdf"
        assert (tmp_path / path).read_bytes().startswith(b"%PDF")

    def test_without_a_screen_it_returns_the_figure_and_does_not_wait(self, name):
        function, arguments, keywords, n_axes = FIGURES[name]

        figure = function(*arguments, second=3600, saveable=False, **keywords)

        assert len(figure.axes) == n_axes
        figure.savefig("figure.png")
        assert visualize.read_image("figure.png").std() > 0

    def test_nothing_piles_up(self, name):
        function, arguments, keywords, _ = FIGURES[name]

        for saveable in (True, False):
            function(*arguments, saveable=saveable, **keywords)

        assert plt.get_fignums() == []


def shown(figure, index=0):
    """Return the pixels of an image of a figure, as they were given to it."""
    return np.asarray(figure.axes[index].images[0].get_array())


def test_a_unit_is_a_column_of_its_weights():
    weights = RNG.normal(size=(12, 5))

    figure = visualize.W(weights, shape=(3, 4), saveable=False)

    np.testing.assert_array_equal(shown(figure, 3), weights[:, 3].reshape(3, 4))


def test_filters_share_one_range():
    filters = RNG.normal(size=(5, 5, 3, 7))

    figure = visualize.CNN2d(filters, saveable=False)

    expected = (filters - filters.min()) / np.ptp(filters)
    np.testing.assert_allclose(shown(figure, 6), expected[..., 6])


def test_words_stand_where_tsne_puts_them():
    vectors = np.concatenate([RNG.normal(size=(8, 4)), RNG.normal(size=(8, 4)) + 100])

    figure = visualize.tsne_embedding(vectors, dict(enumerate("aaaaaaaabbbbbbbb")))

    positions = {"a": [], "b": []}
    for text in figure.axes[0].texts:
        positions[text.get_text()].append(text.xy)
    a, b = np.array(positions["a"]), np.array(positions["b"])
    assert np.linalg.norm(a.mean(0) - b.mean(0)) > max(a.std(0).max(), b.std(0).max())


def test_two_words_are_enough():
    figure = visualize.tsne_embedding(RNG.normal(size=(2, 4)), {0: "a", 1: "b"})

    assert [text.get_text() for text in figure.axes[0].texts] == ["a", "b"]


def test_only_the_first_words_are_drawn():
    figure = visualize.tsne_embedding(
        RNG.normal(size=(20, 4)), dict(enumerate("abcdef")), plot_only=6
    )

    assert [text.get_text() for text in figure.axes[0].texts] == list("abcdef")


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(WrongShape, match=r"W has 28 \* 28 rows"):
        visualize.draw_weights(np.zeros((10, 3)))
    with pytest.raises(WrongShape, match="1 or 3 channels, got shape"):
        visualize.CNN2d(np.zeros((5, 5, 2, 4)))
    with pytest.raises(WrongShape, match=r"images2d: images are .* got shape \(0,\)"):
        visualize.images2d()
    with pytest.raises(WrongShape, match="frame: an image is"):
        visualize.frame(np.zeros((2, 2, 2)))
    with pytest.raises(InvalidArgument, match=r"no word for \[2\]"):
        visualize.tsne_embedding(np.zeros((3, 2)), {0: "a", 1: "b"})
    with pytest.raises(InvalidArgument, match="of two words or more"):
        visualize.tsne_embedding(np.zeros((1, 2)), {0: "a"})


def test_a_process_without_a_screen_needs_no_setting():
    code = (
        "import numpy as np, tensorlayer as tl\n"
        "print(type(tl.visualize.frame(np.zeros((4, 4)), saveable=False)).__name__)"
    )

    result = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": "/usr/bin", "HOME": "."},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert result.stdout.strip() == "Figure"
