"""Where the files of a dataset are looked for, and what is done with archives."""

import gzip
import os
import struct

import pytest

from tensorlayer.errors import Corrupt
from tensorlayer.files.loaders.place import fetch, find, read_whole, unpack, unpack_as
from tests.files.loaders.samples import make_tar, make_zip


def test_the_folder_of_the_dataset_comes_before_the_path_itself(tmp_path):
    assert find(tmp_path, "mnist", "a") is None
    (tmp_path / "a").touch()
    assert find(str(tmp_path), "mnist", "a") == tmp_path / "a"
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "a").touch()
    assert find(tmp_path, "mnist", "a") == tmp_path / "mnist" / "a"


def test_what_is_not_there_is_fetched_into_the_folder(server, tmp_path):
    server.files["a"] = b"content"
    assert fetch(tmp_path, "mnist", "a", server.url) == tmp_path / "mnist" / "a"
    assert (tmp_path / "mnist" / "a").read_bytes() == b"content"


def test_an_archive_is_unpacked_once(server, tmp_path):
    server.files["a.zip"] = make_zip({"inner/x": b"x"})
    assert unpack(tmp_path, "d", "inner", "a.zip", server.url) == tmp_path / "d" / "inner"
    (tmp_path / "d" / "a.zip").unlink()
    assert unpack(tmp_path, "d", "inner", "a.zip", server.url) == tmp_path / "d" / "inner"
    assert len(server.requests) == 1


def test_one_folder_of_an_archive_under_another_name(tmp_path):
    (tmp_path / "a.tar").write_bytes(make_tar({"deep/inner/x": b"x", "other/y": b"y"}))
    target = tmp_path / "new" / "name"
    assert unpack_as(target, tmp_path / "a.tar", "deep/inner") == target
    assert (target / "x").read_bytes() == b"x"
    assert os.listdir(tmp_path / "new") == ["name"]
    with pytest.raises(Corrupt, match=r"a\.tar' was unpacked, but there is no 'none' in it"):
        unpack_as(tmp_path / "b", tmp_path / "a.tar", "none")
    assert sorted(os.listdir(tmp_path)) == ["a.tar", "new"]


@pytest.mark.parametrize(
    ("parse", "message"),
    [
        (lambda: int("x"), "invalid literal"),
        (lambda: {}["X"], "there is no 'X' in it"),
        (lambda: struct.unpack("<i", b""), "buffer of 4 bytes"),
        (lambda: gzip.decompress(gzip.compress(b"abc")[:-9]), "Compressed file ended"),
        (lambda: 1 / 0, "division by zero"),
    ],
)
def test_what_a_parser_raises_names_the_file(parse, message):
    expected = rf"'a\.mat' is not a matrix, or it is damaged: .*{message}.*\. Delete"
    with pytest.raises(Corrupt, match=expected), read_whole("a.mat", "a matrix"):
        parse()


def test_a_missing_file_stays_what_it_is():
    with pytest.raises(FileNotFoundError, match="x"), read_whole("a", "a matrix"):
        open("x")  # noqa: SIM115
