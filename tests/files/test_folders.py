"""Folders and file lists."""

import logging
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorlayer as tl
from tensorlayer import files
from tensorlayer.errors import InvalidArgument
from tests.files.places import tmp_path  # noqa: F401 - a fixture


def test_exists_or_mkdir_says_whether_it_was_there(tmp_path):
    assert files.exists_or_mkdir(tmp_path / "a" / "b") is False
    assert files.exists_or_mkdir(tmp_path / "a" / "b", verbose=False) is True


def test_what_was_done_and_found_is_said_where_it_is_wanted(tmp_path, caplog):
    folder = tmp_path / "a"
    with caplog.at_level(logging.INFO, "tensorlayer"):
        for verbose in (False, True):
            files.exists_or_mkdir(folder / str(verbose), verbose=verbose)
            files.exists_or_mkdir(folder / str(verbose), verbose=verbose)
            files.load_file_list(folder, printable=verbose)
    assert caplog.messages == [
        f"folder {folder / 'True'} was made",
        f"folder {folder / 'True'} exists",
        f"0 files of {folder} match '\\\\.jpg'",
    ]


def test_a_file_in_the_place_of_a_folder_is_an_error(tmp_path):
    (tmp_path / "a").touch()
    with pytest.raises(FileExistsError):
        files.exists_or_mkdir(tmp_path / "a")


def test_threads_may_make_one_folder_at_once(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(files.exists_or_mkdir, [tmp_path / "x" / "y"] * 64))
    assert made.count(False) == 1


def test_files_and_folders(tmp_path):
    file, folder = tmp_path / "f.txt", tmp_path / "d"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "x").touch()
    file.write_text("é", encoding="utf-8")
    assert files.file_exists(file)
    assert not files.file_exists(folder)
    assert files.folder_exists(folder)
    assert not files.folder_exists(file)
    assert files.read_file(file) == "é"
    files.del_file(file)
    files.del_folder(folder)
    assert os.listdir(tmp_path) == []
    with pytest.raises(FileNotFoundError):
        files.del_file(file)
    with pytest.raises(FileNotFoundError):
        files.del_folder(folder)


def test_a_list_of_files_is_in_natural_order_and_leaves_the_current_folder(tmp_path):
    for name in ["im10.jpg", "im9.jpg", "im9.jpg.txt", "note.txt"]:
        (tmp_path / name).touch()
    (tmp_path / "folder.jpg").mkdir()
    before = os.getcwd()
    assert files.load_file_list(tmp_path) == ["im9.jpg", "im9.jpg.txt", "im10.jpg"]
    assert files.load_file_list(str(tmp_path), r"\.jpg$", False, True) == [
        str(tmp_path / "im9.jpg"),
        str(tmp_path / "im10.jpg"),
    ]
    assert os.getcwd() == before


def test_a_list_of_folders_has_their_paths(tmp_path):
    for name in ["b10", "b9"]:
        (tmp_path / name).mkdir()
    (tmp_path / "file").touch()
    assert files.load_folder_list(tmp_path) == [str(tmp_path / "b9"), str(tmp_path / "b10")]


def test_a_wrong_expression_is_named():
    with pytest.raises(InvalidArgument, match=r"regx '\*\.jpg' is not a regular expression"):
        files.load_file_list(regx="*.jpg")


def test_a_list_of_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        files.load_file_list(tmp_path / "missing")


@given(st.lists(st.from_regex(r"[a-z0-9]{0,3}[0-9]{0,3}[a-z]{0,2}", fullmatch=True), max_size=6))
def test_natural_order_is_defined_for_all_names(names):
    assert sorted(sorted(names, key=files.natural_keys)) == sorted(names)


@given(st.lists(st.integers(0, 10**6)))
def test_numbers_in_names_count_as_numbers(numbers):
    names = [f"im{n}.jpg" for n in numbers]
    assert sorted(names, key=files.natural_keys) == [f"im{n}.jpg" for n in sorted(numbers)]


def test_digits_of_other_scripts_are_text():
    assert files.natural_keys("x²") == ["x²"]
    assert files.natural_keys("²") == ["²"]
    assert files.natural_keys("7a08") == ["", 7, "a", 8, ""]


def test_every_public_name_is_there():
    for name in tl.files.__all__:
        assert callable(getattr(tl.files, name)), name
