"""What every loader does when something is missing, short, wrong or broken off."""

import sys

import pytest

from tensorlayer import files
from tensorlayer.errors import Corrupt, DownloadFailed
from tests.files.loaders.samples import SAMPLES, VOC

every = pytest.mark.parametrize("name", SAMPLES)


@pytest.fixture
def sample(name, monkeypatch, server):
    monkeypatch.setattr(sys.modules["tensorlayer.files.download"], "PAUSE_SECONDS", 0.001)
    SAMPLES[name].connect(monkeypatch, server)
    return SAMPLES[name]


def local(sample, folder):
    """Put the files where a user would who has them already."""
    for name, content in sample.files.items():
        (folder / name.rpartition("/")[2]).write_bytes(content)
    return folder


def test_every_loader_is_here():
    loaders = {name for name in files.__all__ if name.startswith("load_") and "dataset" in name}
    called = {sample.load.__name__ for sample in SAMPLES.values()}
    assert len(called | loaders | {"load_cropped_svhn"}) >= 15
    assert len(SAMPLES) == len(loaders) + 1  # load_cropped_svhn


@every
def test_it_is_downloaded_once_and_then_found(sample, server, tmp_path):
    first = sample.load(path=tmp_path)
    asked = len(server.requests)
    assert asked
    second = sample.load(path=tmp_path)
    assert len(server.requests) == asked
    assert str(first) == str(second)


@every
def test_local_files_need_no_server(sample, server, tmp_path):
    sample.load(path=str(local(sample, tmp_path)))
    assert server.requests == []


@every
def test_a_file_that_is_nowhere_is_an_error_and_leaves_nothing(sample, server, tmp_path, entries):
    server.files.clear()
    with pytest.raises(DownloadFailed, match=r"answered 404.*put the file at .* yourself"):
        sample.load(path=tmp_path)
    assert [each for each in entries(tmp_path) if "." in each] == []


@every
def test_a_broken_connection_leaves_no_half_file_and_the_next_call_goes_on(
    sample, server, tmp_path, entries
):
    server.breaks = [20, 20, 20, 20]
    with pytest.raises(DownloadFailed, match="could not be downloaded"):
        sample.load(path=tmp_path)
    assert all(".part" in each for each in entries(tmp_path) if "." in each)
    sample.load(path=tmp_path)
    assert not any(".part" in each or "unpacking" in each for each in entries(tmp_path))


@pytest.mark.parametrize("name", ["mnist", "fashion", "cifar10", "svhn", "ptb", "imdb", "voc"])
def test_a_wrong_checksum_is_an_error_and_leaves_nothing(sample, server, tmp_path, entries):
    server.files = {name: content[:-1] + b"!" for name, content in server.files.items()}
    with pytest.raises(Corrupt, match=r"checksum is not (md5|sha256):.*it was deleted"):
        sample.load(path=tmp_path)
    assert [each for each in entries(tmp_path) if "." in each] == []


@pytest.mark.parametrize("name", [name for name in SAMPLES if name != "nietzsche"])
@pytest.mark.parametrize("damage", ["short", "empty", "other"])
def test_a_damaged_local_file_is_named_and_nothing_is_unpacked(
    sample, damage, server, tmp_path, entries
):
    local(sample, tmp_path)
    for path in tmp_path.iterdir():
        content = path.read_bytes()
        wrong = {"short": content[: len(content) // 2], "empty": b"", "other": b"<html>no</html>"}
        path.write_bytes(wrong[damage])
    before = entries(tmp_path)
    with pytest.raises(Corrupt, match=r"(?s)'.*(is not|cannot be).*get it again"):
        sample.load(path=tmp_path)
    assert server.requests == []
    assert [each for each in entries(tmp_path) if "." in each] == [e for e in before if "." in e]


@pytest.mark.parametrize("name", ["cifar10", "ptb", "flickr25k", "cyclegan", "celeba", "voc"])
def test_an_archive_of_something_else_is_named(sample, tmp_path, entries):
    from tests.files.loaders.samples import make_tar

    local(sample, tmp_path)
    for path in tmp_path.iterdir():
        path.write_bytes(make_tar({"other.txt": b"other"}))
    with pytest.raises(Corrupt, match=r"was unpacked, but there is no .* in it. Delete it"):
        sample.load(path=tmp_path)
    assert not any("unpacking" in each for each in entries(tmp_path))


def test_voc_of_every_year(monkeypatch, server, tmp_path):
    SAMPLES["voc"].connect(monkeypatch, server)
    for year in ("2012", "2007", "2007test"):
        images = files.load_voc_dataset(tmp_path, year)[0]
        assert images[0] == str(tmp_path / f"VOC/VOC{year}/JPEGImages/2007_000027.jpg")
    assert len(server.requests) == len(VOC)
