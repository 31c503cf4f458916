"""Penn Treebank from three texts of a few words."""

import pytest

from tensorlayer import files
from tests.files.loaders import samples


def test_ptb_as_ids_by_falling_frequency(put):
    train, valid, test, size = files.load_ptb_dataset(put(samples.PTB))
    # the 3; <eos> 2, sat 2; then by the alphabet <unk>, cat, dog, on
    assert train == [0, 4, 2, 6, 0, 3, 1, 0, 5, 2, 1]
    assert valid == [0, 5, 1]
    assert test == [6, 0, 4, 1]
    assert size == 7


def test_ptb_lacks_a_text(tmp_path):
    (tmp_path / "simple-examples" / "data").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=r"ptb\.train\.txt"):
        files.load_ptb_dataset(tmp_path)
