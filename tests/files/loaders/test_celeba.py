"""CelebA from two pictures."""

from tensorlayer import files
from tests.files.loaders import samples


def test_celeba_as_paths(put, tmp_path):
    put(samples.CELEBA)
    folder = tmp_path / "celebA" / "img_align_celeba"
    assert files.load_celebA_dataset(tmp_path) == [str(folder / f"00000{i}.jpg") for i in (1, 2)]
