"""MATLAB files."""

import numpy as np
import pytest
from scipy.io import savemat

from tensorlayer.files.loaders.matlab import read_mat


def test_variables_come_back(tmp_path):
    savemat(tmp_path / "a.mat", {"X": np.eye(2), "y": 3})
    assert "X" not in read_mat(tmp_path / "a.mat", variable_names=["y"])
    np.testing.assert_array_equal(read_mat(tmp_path / "a.mat")["X"], np.eye(2))


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 200])
def test_what_is_no_matlab_file_is_a_value_error(content, tmp_path):
    (tmp_path / "a.mat").write_bytes(content)
    with pytest.raises(ValueError, match=r"."):
        read_mat(tmp_path / "a.mat")
