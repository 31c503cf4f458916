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


def test_units_of_any_number_of_inputs_are_drawn(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for n in (2, 4, 15):
        files.save_npz([np.random.default_rng(n).normal(size=(n, 3))], f"w1pre_{n}.npz")
    assert files.npz_to_W_pdf(tmp_path) == ["w1pre_2", "w1pre_4", "w1pre_15"]
    assert len(list(tmp_path.glob("*.pdf"))) == 3
