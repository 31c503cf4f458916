"""MIRFLICKR-1M from three pictures."""

import pytest

from tensorlayer import files
from tensorlayer.errors import InvalidArgument
from tests.files.loaders import samples


def colours(images):
    return [int(image[0, 0, 0]) for image in images]


def test_flickr1m_by_tag_and_number_of_parts(put, tmp_path):
    put(samples.FLICKR1M)
    assert colours(files.load_flickr1M_dataset("sky", 1, tmp_path)) == [2]
    assert colours(files.load_flickr1M_dataset("sky", 2, tmp_path)) == [2, 100]
    assert colours(files.load_flickr1M_dataset(None, 2, tmp_path)) == [2, 10, 100]
    with pytest.raises(InvalidArgument, match="size is from 1 to 10, got 11"):
        files.load_flickr1M_dataset("sky", 11, tmp_path)
