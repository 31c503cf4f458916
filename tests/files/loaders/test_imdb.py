"""IMDB from five reviews."""

import os
import pickle  # noqa: TID251 - to make what is to be refused

import numpy as np
import pytest

from tensorlayer import files
from tensorlayer.errors import Corrupt, InvalidArgument
from tests.files.loaders import samples

ORDER = np.random.RandomState(113).permutation(5)


@pytest.fixture(params=[samples.IMDB, samples.IMDB_OLD], ids=["npz", "pkl"])
def folder(request, tmp_path):
    for name, content in request.param.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def load(folder, **options):
    X_train, y_train, X_test, y_test = files.load_imdb_dataset(folder, **options)
    return [*X_train, *X_test], [*y_train, *y_test]


def test_reviews_are_shuffled_shifted_and_split(folder):
    before = np.random.get_state()[1].copy()
    X_train, y_train, X_test, y_test = files.load_imdb_dataset(folder)
    expected = [[1, *(word + 3 for word in samples.IMDB_X[i])] for i in ORDER]
    assert X_train.tolist() == expected[:4]
    assert X_test.tolist() == expected[4:]
    assert [*y_train, *y_test] == [samples.IMDB_Y[i] for i in ORDER]
    assert X_train.dtype == object
    assert isinstance(X_train[0], list)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_all_words_are_kept_without_a_limit(folder):
    reviews, _ = load(folder)
    assert max(map(max, reviews)) == 33  # upstream took the rarest word for one out of vocabulary


def test_words_out_of_vocabulary(folder):
    def limit(review):
        return [1, *(w + 3 if 8 <= w + 3 < 12 else 2 for w in review)]

    reviews, _ = load(folder, nb_words=12, skip_top=8)
    expected = [limit(samples.IMDB_X[i]) for i in ORDER]
    assert reviews == [[2, *review[1:]] for review in expected]  # the start is below skip_top too
    reviews, _ = load(folder, nb_words=12, skip_top=8, oov_char=None, start_char=None, index_from=0)
    assert reviews == [[w for w in samples.IMDB_X[i] if 8 <= w < 12] for i in ORDER]


def test_long_reviews_are_left_out_with_their_labels(folder):
    reviews, labels = load(folder, maxlen=4, start_char=None, index_from=0)
    kept = [i for i in ORDER if len(samples.IMDB_X[i]) < 4]
    assert reviews == [samples.IMDB_X[i] for i in kept]
    assert labels == [samples.IMDB_Y[i] for i in kept]


def test_reviews_of_equal_length_stay_lists(folder):
    X_train = files.load_imdb_dataset(folder, maxlen=3, start_char=None, test_split=0)[0]
    assert X_train.ndim == 1
    X_train = files.load_imdb_dataset(folder, maxlen=2, start_char=None, test_split=0)[0]
    assert X_train.tolist() == [[33]]


def test_wrong_arguments(folder):
    with pytest.raises(InvalidArgument, match="no review is shorter than maxlen=1"):
        files.load_imdb_dataset(folder, maxlen=1)
    with pytest.raises(InvalidArgument, match="test_split is a share"):
        files.load_imdb_dataset(folder, test_split=20)


@pytest.mark.parametrize("content", [b"", pickle.dumps(([[1]], [])), pickle.dumps(3)])
def test_other_pickles_are_refused(content, tmp_path):
    (tmp_path / "imdb.pkl").write_bytes(content)
    with pytest.raises(Corrupt):
        files.load_imdb_dataset(tmp_path)


def test_hostile_files_are_refused(tmp_path):
    class Hostile:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "hostile"),)

    (tmp_path / "imdb.pkl").write_bytes(pickle.dumps(([[1], Hostile()], [0, 1])))
    with pytest.raises(Corrupt, match="nothing was executed"):
        files.load_imdb_dataset(tmp_path)
    (tmp_path / "imdb.pkl").unlink()
    np.savez(tmp_path / "imdb.npz", x_train=np.array([Hostile()], object))
    with pytest.raises(Corrupt, match="nothing was executed"):
        files.load_imdb_dataset(tmp_path)
    assert os.listdir(tmp_path) == ["imdb.npz"]
