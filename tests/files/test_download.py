"""Downloads against a server on this machine that breaks off, lies and disappears."""

import hashlib
import io
import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tensorlayer.errors import Corrupt, DownloadFailed, InvalidArgument
from tensorlayer.files import download, download_file_from_google_drive, maybe_download_and_extract
from tests.files.test_archives import FILES, contents, make_zip
from tests.servers import wait_until
from tests.threads import at_once

CONTENT = random.Random(0).randbytes(300_000)
MD5 = "md5:" + hashlib.md5(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    monkeypatch.setattr(sys.modules["tensorlayer.files.download"], "PAUSE_SECONDS", 0.01)


@pytest.fixture
def data(server):
    server.files["data.bin"] = CONTENT
    return server


def test_a_file_arrives_whole_and_alone(data, tmp_path):
    path = tmp_path / "new" / "data.bin"
    assert download(data.url + "data.bin", path, MD5, expected_bytes=len(CONTENT)) == path
    assert path.read_bytes() == CONTENT
    assert os.listdir(path.parent) == ["data.bin"]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("place", [Terminal, io.StringIO])
def test_a_terminal_is_shown_how_far_it_is(data, tmp_path, monkeypatch, place):
    monkeypatch.setattr(sys, "stderr", place())
    download(data.url + "data.bin", tmp_path / "data.bin", MD5)
    if place is Terminal:
        assert "data.bin: 100%" in sys.stderr.getvalue()
        assert "300k/300k" in sys.stderr.getvalue()
    else:
        assert sys.stderr.getvalue() == ""


def test_a_file_that_is_there_is_taken_as_it_is(server, tmp_path):
    (tmp_path / "data.bin").write_bytes(b"mine")
    download(server.url + "data.bin", tmp_path / "data.bin", MD5)
    assert (tmp_path / "data.bin").read_bytes() == b"mine"
    assert server.requests == []


def test_a_connection_that_breaks_is_taken_up_where_it_broke(data, tmp_path):
    data.breaks = [100_000, 50_000]
    download(data.url + "data.bin", tmp_path / "data.bin", MD5)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert [wanted for _, wanted in data.requests] == [None, "bytes=98304-", "bytes=147456-"]
    assert os.listdir(tmp_path) == ["data.bin"]


def test_when_it_breaks_every_time_the_part_is_kept_for_the_next_call(data, tmp_path):
    data.breaks = [20_000, 20_000]
    with pytest.raises(DownloadFailed, match=r"could not be downloaded.*32768 bytes are kept") as e:
        download(data.url + "data.bin", tmp_path / "data.bin", MD5, attempts=2)
    assert isinstance(e.value, ConnectionError)
    assert sorted(os.listdir(tmp_path)) == ["data.bin.part", "data.bin.part.tag"]
    download(data.url + "data.bin", tmp_path / "data.bin", MD5)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert data.requests[-1][1] == "bytes=32768-"
    assert os.listdir(tmp_path) == ["data.bin"]


def test_a_killed_process_leaves_a_part_that_the_next_one_completes(data, tmp_path):
    data.breaks, data.stall = [120_000], threading.Event()
    code = f"""if True:
        from tensorlayer.files import download
        download({data.url + "data.bin"!r}, {str(tmp_path / "data.bin")!r}, {MD5!r})"""
    process = subprocess.Popen([sys.executable, "-c", code])
    part = tmp_path / "data.bin.part"
    deadline = time.monotonic() + 60
    while not part.is_file() or not part.stat().st_size:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    data.stall.set()
    assert not (tmp_path / "data.bin").exists()
    arrived = part.stat().st_size
    assert 0 < arrived <= 120_000
    download(data.url + "data.bin", tmp_path / "data.bin", MD5)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert data.requests[-1][1] == f"bytes={arrived}-"


def test_a_file_that_changed_on_the_server_is_fetched_from_the_start(data, tmp_path):
    data.breaks = [20_000]
    with pytest.raises(DownloadFailed):
        download(data.url + "data.bin", tmp_path / "data.bin", attempts=1)
    data.files["data.bin"] = b"another file"
    download(data.url + "data.bin", tmp_path / "data.bin")
    assert (tmp_path / "data.bin").read_bytes() == b"another file"
    assert len(data.requests) == 2, "the server was told which file the part is of (If-Range)"


def half(data, tmp_path):
    """Have a part of the file arrive."""
    data.breaks = [20_000]
    with pytest.raises(DownloadFailed):
        download(data.url + "data.bin", tmp_path / "data.bin", attempts=1)
    assert (tmp_path / "data.bin.part").stat().st_size > 10_000


@pytest.mark.parametrize("length", [100, 400_000])
def test_a_changed_file_is_not_spliced_whatever_the_server_heeds(data, tmp_path, length):
    """Shorter or longer: a server that does not know If-Range sends a part of another file."""
    half(data, tmp_path)
    data.heeds_if_range = False
    data.files["data.bin"] = another = random.Random(1).randbytes(length)
    download(data.url + "data.bin", tmp_path / "data.bin")
    assert (tmp_path / "data.bin").read_bytes() == another
    assert len(data.requests) == 3, "the part was asked for, and thrown away"


@pytest.mark.parametrize("begin", [0, 7])
def test_an_answer_that_begins_elsewhere_is_put_where_it_belongs_or_refused(data, tmp_path, begin):
    half(data, tmp_path)
    data.begins_at = begin
    download(data.url + "data.bin", tmp_path / "data.bin", MD5)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_an_answer_that_does_not_say_where_it_begins_is_not_used(data, tmp_path):
    half(data, tmp_path)
    data.says_where = False
    with pytest.raises(DownloadFailed, match="does not say which"):
        download(data.url + "data.bin", tmp_path / "data.bin", attempts=2)
    assert (tmp_path / "data.bin.part").read_bytes() == CONTENT[:16384]


@pytest.mark.parametrize(
    "wrong", ["md5:123", "sha256:" + "0" * 32, "crc:" + "0" * 8, "0" * 32, "md5:" + "g" * 32, ""]
)
def test_a_malformed_checksum_is_refused_before_anything_is_fetched(data, tmp_path, wrong):
    with pytest.raises(InvalidArgument, match=r"checksum is .*Nothing was downloaded"):
        download(data.url + "data.bin", tmp_path / "data.bin", wrong)
    assert data.requests == []
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["md5", "sha1", "SHA256", "sha512", None])
def test_checksums_of_every_kind(data, tmp_path, name):
    digest = hashlib.new((name or "sha256").lower(), CONTENT).hexdigest()
    right = f"{name}:{digest.upper()}" if name else digest
    download(data.url + "data.bin", tmp_path / "data.bin", right)
    assert os.listdir(tmp_path) == ["data.bin"]
    with pytest.raises(Corrupt, match="checksum is not"):
        download(data.url + "data.bin", tmp_path / "b", right[:-1] + "01"[right[-1] == "0"])
    assert os.listdir(tmp_path) == ["data.bin"]


def test_two_files_of_one_folder_do_not_wait_for_each_other(data, tmp_path):
    data.files["other.bin"] = b"other"
    data.breaks, data.stall = [120_000], threading.Event()
    slow = threading.Thread(
        target=download, args=(data.url + "data.bin", tmp_path / "data.bin", MD5)
    )
    slow.start()
    wait_until(lambda: len(data.requests) == 1)
    stall, data.stall = data.stall, None
    download(data.url + "other.bin", tmp_path / "other.bin")
    assert (tmp_path / "other.bin").read_bytes() == b"other"
    assert not (tmp_path / "data.bin").exists()
    stall.set()
    slow.join()
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert sorted(os.listdir(tmp_path)) == ["data.bin", "other.bin"]


class WrongAtFirst(dict):
    """Files of which each is wrong when it is served first."""

    def get(self, name):
        content, self[name] = self[name], CONTENT
        return content


def test_who_waits_for_a_file_that_is_thrown_away_fetches_it(data, tmp_path):
    """Two that want the same file: the first finds it wrong while the second waits."""
    data.files = WrongAtFirst({"data.bin": b"wrong"})
    data.statuses = [503]
    results = []

    def fetch():
        try:
            results.append(download(data.url + "data.bin", tmp_path / "data.bin", MD5))
        except Corrupt:
            results.append(None)

    at_once(fetch, fetch, fetch)
    assert results.count(None) == 1
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert os.listdir(tmp_path) == ["data.bin"]


def test_a_part_longer_than_the_file_is_thrown_away(data, tmp_path):
    tag = hashlib.md5(CONTENT).hexdigest()
    (tmp_path / "data.bin.part").write_bytes(CONTENT + b"more")
    (tmp_path / "data.bin.part.tag").write_text(f'"{tag}"')
    download(data.url + "data.bin", tmp_path / "data.bin", MD5)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_a_part_without_a_tag_is_not_trusted(data, tmp_path):
    (tmp_path / "data.bin.part").write_bytes(b"from elsewhere")
    download(data.url + "data.bin", tmp_path / "data.bin")
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("breaks", [[], [20_000]])
def test_a_wrong_checksum_leaves_nothing(breaks, data, tmp_path):
    data.breaks = breaks
    with pytest.raises(Corrupt, match=r"checksum is not md5:0000.*it was deleted.*yourself"):
        download(data.url + "data.bin", tmp_path / "data.bin", "md5:" + "0" * 32)
    assert os.listdir(tmp_path) == []


def test_a_wrong_size_leaves_nothing(data, tmp_path):
    with pytest.raises(Corrupt, match=r"sent 300000 bytes instead of 7; they were deleted"):
        download(data.url + "data.bin", tmp_path / "data.bin", expected_bytes=7)
    assert os.listdir(tmp_path) == []


def test_a_server_in_trouble_is_asked_again(data, tmp_path):
    data.statuses = [503, 500]
    download(data.url + "data.bin", tmp_path / "data.bin", MD5)
    assert len(data.requests) == 3


def test_a_server_in_trouble_is_asked_four_times_after_longer_and_longer_pauses(
    data, tmp_path, monkeypatch
):
    module, pauses = sys.modules["tensorlayer.files.download"], []
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.5)
    monkeypatch.setattr(module.time, "sleep", pauses.append)
    data.statuses = [503] * 4

    with pytest.raises(DownloadFailed, match="503"):
        download(data.url + "data.bin", tmp_path / "data.bin", MD5)

    assert len(data.requests) == 4
    assert [each for each in pauses if each >= 0.5] == [0.5, 1.0, 2.0]


def test_a_missing_file_is_not_asked_for_again(server, tmp_path):
    with pytest.raises(DownloadFailed, match=r"answered 404.*put the file at .*none.bin' yourself"):
        download(server.url + "none.bin", tmp_path / "none.bin")
    assert len(server.requests) == 1
    assert os.listdir(tmp_path) == []


def test_a_page_instead_of_a_file_is_refused(data, tmp_path):
    data.headers = {"Content-Type": "text/html; charset=utf-8"}
    with pytest.raises(DownloadFailed, match="sent a page instead of data"):
        download(data.url + "data.bin", tmp_path / "data.bin")
    assert os.listdir(tmp_path) == []
    download(data.url + "data.bin", tmp_path / "page.html")
    assert (tmp_path / "page.html").read_bytes() == CONTENT


def test_no_server_is_an_error_that_names_the_place(server, tmp_path):
    url = server.url
    server.shutdown()
    server.server_close()
    with pytest.raises(DownloadFailed, match=r"could not be downloaded.*put the file at"):
        download(url + "data.bin", tmp_path / "data.bin", attempts=2)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/a", "data.bin"])
def test_other_addresses_are_refused(url, tmp_path):
    with pytest.raises(InvalidArgument, match="starts with http"):
        download(url, tmp_path / "a")


def test_threads_that_want_one_file_fetch_it_once(data, tmp_path):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: download(data.url + "data.bin", tmp_path / "data.bin"), range(8)))
    assert len(data.requests) == 1
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_an_old_file_is_replaced_by_no_one(data, tmp_path, entries):
    data.breaks = [10]
    with pytest.raises(DownloadFailed):
        download(data.url + "data.bin", tmp_path / "other" / "data.bin", attempts=1)
    assert "other/data.bin" not in entries(tmp_path)


# -- the functions that scripts call


def test_maybe_download_and_extract(server, tmp_path):
    make_zip(tmp_path / "a.zip")
    packed = server.files["a.zip"] = (tmp_path / "a.zip").read_bytes()
    folder = tmp_path / "data"
    path = maybe_download_and_extract("a.zip", folder, server.url, extract=True)
    assert path == str(folder / "a.zip")
    (folder / "a.zip").unlink()
    assert contents(folder) == FILES
    assert maybe_download_and_extract("a.zip", folder, server.url, False, len(packed)) == path
    assert maybe_download_and_extract("a.zip", folder, server.url) == path
    assert len(server.requests) == 2


def test_a_local_file_of_another_size_is_an_error_and_stays(server, tmp_path):
    (tmp_path / "a.zip").write_bytes(b"mine")
    with pytest.raises(Corrupt, match="has 4 bytes instead of 9"):
        maybe_download_and_extract("a.zip", tmp_path, server.url, expected_bytes=9)
    assert (tmp_path / "a.zip").read_bytes() == b"mine"


def test_google_drive(data, tmp_path, monkeypatch):
    module = sys.modules["tensorlayer.files.download"]
    monkeypatch.setattr(module, "GOOGLE_DRIVE", data.url + "data.bin")
    download_file_from_google_drive("0B7EVK8r0v71pZjFTYXZWM3FlRnM", tmp_path / "f.zip")
    assert (tmp_path / "f.zip").read_bytes() == CONTENT
    assert "id=0B7EVK8r0v71pZjFTYXZWM3FlRnM" in data.requests[0][0]
    data.headers = {"Content-Type": "text/html"}
    with pytest.raises(DownloadFailed, match="a page instead of g"):
        download_file_from_google_drive("abc", tmp_path / "g.zip")
    with pytest.raises(InvalidArgument, match="an ID has letters"):
        download_file_from_google_drive("abc&export=x", tmp_path / "g.zip")
    assert os.listdir(tmp_path) == ["f.zip"]
