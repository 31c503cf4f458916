"""Pictures of saved weights."""

import numpy as np

from tensorlayer import files


def test_each_matching_archive_becomes_a_picture(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for i in (1, 2):
        files.save_npz([np.random.default_rng(i).normal(size=(16, 4))], f"w1pre_{i}.npz")
    files.save_npz([np.zeros((16, 4))], "other.npz")
    assert files.npz_to_W_pdf() == ["w1pre_1", "w1pre_2"]
    for i in (1, 2):
        assert (tmp_path / f"w1pre_{i}.pdf").read_bytes().startswith(b"%PDF")
    assert not (tmp_path / "other.pdf").exists()
