"""CycleGAN from six pictures."""

import pytest

from tensorlayer import files
from tensorlayer.errors import InvalidArgument
from tests.files.loaders import samples


def colours(images):
    return [int(image[0, 0, 0]) for image in images]


def test_cyclegan_in_natural_order_with_three_channels(put):
    parts = files.load_cyclegan_dataset("horse2zebra", put(samples.CYCLEGAN))
    assert [colours(part) for part in parts] == [[1, 2, 10], [77], [3], [4]]
    assert {image.shape for part in parts for image in part} == {(8, 6, 3)}


@pytest.mark.parametrize("name", ["../x", "", "a/b"])
def test_cyclegan_takes_plain_names_only(name, tmp_path):
    with pytest.raises(InvalidArgument, match="filename is the name of a dataset"):
        files.load_cyclegan_dataset(name, tmp_path)
