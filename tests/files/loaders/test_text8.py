"""text8 from five words."""

from tensorlayer import files
from tests.files.loaders import samples


def test_text8_as_words(put):
    words = files.load_matt_mahoney_text8_dataset(put(samples.TEXT8))
    assert words == ["anarchism", "originated", "as", "a", "term"]
