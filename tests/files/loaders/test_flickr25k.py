"""MIRFLICKR-25k from three pictures."""

from tensorlayer import files
from tests.files.loaders import samples


def colours(images):
    return [int(image[0, 0, 0]) for image in images]


def test_flickr25k_by_whole_tag_in_the_order_of_numbers(put, tmp_path):
    put(samples.FLICKR25K)
    images = files.load_flickr25k_dataset(tag="sky", path=tmp_path)
    assert colours(images) == [1, 10]
    assert images[0].shape == (8, 6, 3)
    assert colours(files.load_flickr25k_dataset(tag=None, path=tmp_path, n_threads=2)) == [1, 2, 10]
    assert files.load_flickr25k_dataset(tag="none", path=tmp_path) == []
