"""Archives are unpacked whole or not at all, and only into their folder."""

import gzip
import io
import os
import tarfile
import zipfile

import pytest

from tensorlayer.errors import Conflict, Corrupt
from tensorlayer.files.archives import extract, gunzip

FILES = {"images/1.txt": b"one" * 1000, "images/deep/2.txt": b"two", "top.txt": b"top"}


def make_zip(path, files=FILES):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def make_tar(path, files=FILES, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def contents(folder):
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


@pytest.mark.parametrize("mode", ["zip", "w", "w:gz", "w:bz2", "w:xz"])
def test_every_kind_is_unpacked_by_its_content(mode, tmp_path):
    archive = tmp_path / "archive"
    make_zip(archive) if mode == "zip" else make_tar(archive, mode=mode)
    extract(archive, tmp_path / "data")
    assert contents(tmp_path / "data") == FILES


def test_it_is_merged_with_what_is_there(tmp_path):
    make_zip(tmp_path / "a.zip")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "mine.txt").write_bytes(b"mine")
    (tmp_path / "images" / "1.txt").write_bytes(b"old")
    extract(tmp_path / "a.zip", tmp_path)
    (tmp_path / "a.zip").unlink()
    assert contents(tmp_path) == {**FILES, "images/mine.txt": b"mine"}


@pytest.mark.parametrize("make", [make_zip, make_tar])
@pytest.mark.parametrize("cut", [10, -10, -200])
def test_a_short_archive_leaves_nothing(make, cut, tmp_path):
    archive, folder = tmp_path / "archive", tmp_path / "data"
    make(archive, {f"{i}.bin": os.urandom(3000) for i in range(5)})
    archive.write_bytes(archive.read_bytes()[:cut])
    with pytest.raises(Corrupt, match=r"archive' cannot be unpacked: .*Nothing of it was kept"):
        extract(archive, folder)
    assert os.listdir(folder) == []


def test_a_wrong_check_sum_inside_leaves_nothing(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.txt", b"stored as it is")
    damaged = (tmp_path / "a.zip").read_bytes().replace(b"as it is", b"as it Is", 1)
    (tmp_path / "a.zip").write_bytes(damaged)
    with pytest.raises(Corrupt, match="Bad CRC"):
        extract(tmp_path / "a.zip", tmp_path / "data")
    assert os.listdir(tmp_path / "data") == []


@pytest.mark.parametrize("name", ["../evil.txt", "/tmp/evil-of-a-test.txt", "a/../../evil.txt"])
def test_nothing_is_written_outside_the_folder(name, tmp_path):
    make_tar(tmp_path / "a.tar", {name: b"evil", "good.txt": b"good"})
    make_zip(tmp_path / "a.zip", {name: b"evil", "good.txt": b"good"})
    folder = tmp_path / "inner" / "data"
    extract(tmp_path / "a.zip", folder)  # a zip's names lose what leads outside
    if name.startswith("/"):
        extract(tmp_path / "a.tar", folder)  # and so do absolute names of a tar
    else:
        with pytest.raises(Corrupt, match="outside the destination"):
            extract(tmp_path / "a.tar", folder)
    assert (folder / "good.txt").is_file()
    assert not os.path.exists("/tmp/evil-of-a-test.txt")
    assert sorted(os.listdir(tmp_path)) == ["a.tar", "a.zip", "inner"]
    assert os.listdir(tmp_path / "inner") == ["data"]


def test_a_link_to_the_outside_is_refused(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc"
        archive.addfile(link)
    with pytest.raises(Corrupt, match="link"):
        extract(tmp_path / "a.tar", tmp_path / "data")


def test_a_gz_file_is_unpacked_whole_or_not_at_all(tmp_path):
    packed, path = tmp_path / "a.gz", tmp_path / "a"
    packed.write_bytes(gzip.compress(os.urandom(5000)))
    gunzip(packed, path)
    assert path.read_bytes() == gzip.decompress(packed.read_bytes())
    path.unlink()
    for damaged in (packed.read_bytes()[:-100], b"no gz", packed.read_bytes()[:-8] + bytes(8)):
        packed.write_bytes(damaged)
        with pytest.raises(Corrupt, match=r"a.gz' cannot be unpacked: "):
            gunzip(packed, path)
        assert os.listdir(tmp_path) == ["a.gz"]


def test_a_missing_archive_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no archive '.*missing\.zip'"):
        extract(tmp_path / "missing.zip", tmp_path / "data")
    assert not (tmp_path / "data").exists()
    with pytest.raises(FileNotFoundError):
        gunzip(tmp_path / "missing.gz", tmp_path / "data")


@pytest.mark.parametrize("make", [make_zip, make_tar])
@pytest.mark.parametrize("is_file", [True, False])
def test_where_something_else_is_nothing_is_unpacked(make, is_file, tmp_path):
    """A file in the place of a folder, and a folder in that of a file."""
    make(tmp_path / "a")
    folder = tmp_path / "data"
    place = folder / ("images" if is_file else "top.txt")
    folder.mkdir()
    place.write_bytes(b"mine") if is_file else place.mkdir()
    expected = (
        "has a folder where there is the file"
        if is_file
        else "has a file where there is the folder"
    )
    with pytest.raises(Conflict, match=f"{expected}.*Nothing was unpacked"):
        extract(tmp_path / "a", folder)
    assert list(folder.iterdir()) == [place]
    assert not is_file or place.read_bytes() == b"mine"
