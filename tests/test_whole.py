"""Files and folders that appear whole or not at all."""

import os
import stat

import pytest

from tensorlayer.whole import whole_file, whole_folder


def test_the_file_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "new" / "newer" / "a.txt"
    with whole_file(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
        assert temporary.suffix == ".txt"
    assert path.read_text() == "whole"
    assert os.listdir(path.parent) == ["a.txt"]


def test_a_block_that_raises_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError), whole_file(path) as temporary:
        temporary.write_text("half of it \udc80", encoding="utf-8")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize(("umask", "mode"), [(0o027, 0o640), (0, 0o666)])
def test_others_may_read_it_as_far_as_the_umask_says(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        with whole_file(tmp_path / "a") as temporary:
            temporary.write_text("")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode


def test_a_folder_takes_the_place_of_another_as_a_whole(tmp_path):
    path = tmp_path / "new" / "a"
    for name in ("one", "two"):
        with whole_folder(path) as temporary:
            (temporary / name).write_text(name)
        assert os.listdir(path) == [name]
    assert os.listdir(path.parent) == ["a"]


def test_a_block_that_raises_leaves_the_old_folder_and_nothing_else(tmp_path):
    path = tmp_path / "a"
    with whole_folder(path) as temporary:
        (temporary / "old").write_text("old")
    with pytest.raises(UnicodeEncodeError), whole_folder(path) as temporary:
        (temporary / "half").write_text("half of it \udc80", encoding="utf-8")
    assert os.listdir(path) == ["old"]
    assert os.listdir(tmp_path) == ["a"]


def test_a_folder_that_cannot_take_its_place_leaves_the_old_one(tmp_path):
    path = tmp_path / "a"
    with whole_folder(path) as temporary:
        (temporary / "old").write_text("old")
    with pytest.raises(FileNotFoundError), whole_folder(path) as temporary:
        temporary.rmdir()
    assert os.listdir(path) == ["old"]
    assert os.listdir(tmp_path) == ["a"]


def test_a_link_to_a_folder_stays_one(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with whole_folder(tmp_path / "link") as temporary:
        (temporary / "new").write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert os.listdir(tmp_path / "real") == ["new"]


@pytest.mark.parametrize(("umask", "mode"), [(0o027, 0o750), (0, 0o777)])
def test_others_may_read_a_folder_as_far_as_the_umask_says(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        with whole_folder(tmp_path / "a"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode
