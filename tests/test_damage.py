"""Only damage is damage, and what claims too much is refused before memory or disk are taken."""

import errno
import gzip
import io
import tarfile
import zipfile

import numpy as np
import pytest

from tensorlayer import damage, files
from tensorlayer.damage import check_array_size, check_unpacked_size, damage_as_corrupt, is_damage
from tensorlayer.errors import Corrupt, InvalidArgument
from tensorlayer.files.archives import extract, gunzip
from tensorlayer.files.npz import read_npy, read_npz
from tensorlayer.models.stored import opened


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("x"), True),
        (zipfile.BadZipFile("x"), True),
        (gzip.BadGzipFile("x"), True),
        (OSError(errno.EINVAL, "x"), True),
        (RecursionError(), True),
        (OSError(errno.ENOSPC, "x"), False),
        (OSError(errno.EIO, "x"), False),
        (FileNotFoundError(errno.ENOENT, "x"), False),
        (PermissionError(errno.EACCES, "x"), False),
        (MemoryError(), False),
        (InvalidArgument("x"), False),
        (KeyboardInterrupt(), False),
    ],
)
def test_only_damage_is_damage(error, expected):
    assert is_damage(error) is expected
    raises = pytest.raises(Corrupt if expected else type(error))
    with raises as raised, damage_as_corrupt("a.npz", "cannot be read", "Get it again."):
        raise error
    if expected:
        assert str(raised.value).startswith("'a.npz' cannot be read: ")
        assert str(raised.value).endswith(" Get it again.")
        assert raised.value.__cause__ is error


def make_zip(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.bin", bytes(3_000_000))


def make_tar(path):
    with tarfile.open(path, "w:gz") as archive:
        for name in ("a.bin", "b.bin"):  # the limit is for both together
            info = tarfile.TarInfo(name)
            info.size = 1_500_000
            archive.addfile(info, io.BytesIO(bytes(1_500_000)))


def make_npz(path):
    np.savez_compressed(path.open("wb"), a=np.zeros(3_000_000, "u1"))


def make_gz(path):
    path.write_bytes(gzip.compress(bytes(3_000_000)))


def unpacked(path, folder):
    """Read a file by every function that unpacks one of its kind."""
    name = path.name
    if name == "b.npz":
        yield lambda: read_npz(path)
        yield lambda: opened(path, "npz").__enter__()
        yield lambda: files.load_npz(path.parent, name)
    elif name == "b.gz":
        yield lambda: gunzip(path, folder / "out")
    else:
        yield lambda: extract(path, folder)


@pytest.mark.parametrize("name", ["b.zip", "b.tar.gz", "b.npz", "b.gz"])
def test_what_unpacks_to_a_hundred_times_its_length_is_a_trap(name, tmp_path, monkeypatch):
    path, folder = tmp_path / name, tmp_path / "out"
    folder.mkdir()
    make = {"b.zip": make_zip, "b.tar.gz": make_tar, "b.npz": make_npz, "b.gz": make_gz}[name]
    make(path)
    assert path.stat().st_size < 10_000
    for read in unpacked(path, folder):  # below a GiB anything goes
        read()
    for each in folder.iterdir():
        each.unlink()
    monkeypatch.setattr(damage, "ALWAYS_ALLOWED_BYTES", 2_000_000)
    for read in unpacked(path, folder):
        with pytest.raises(Corrupt, match=r"would unpack to .* a trap, or one value"):
            read()
    assert list(folder.iterdir()) == []


def test_a_large_archive_may_unpack_to_much(monkeypatch):
    check_unpacked_size("a.zip", 2**24, 100 * 2**24)
    with pytest.raises(Corrupt, match="16777216 bytes and would unpack to 1677721601"):
        check_unpacked_size("a.zip", 2**24, 100 * 2**24 + 1)
    check_unpacked_size("a.zip", 0, 2**30)
    with pytest.raises(Corrupt):
        check_unpacked_size("a.zip", 0, 2**30 + 1)


def test_an_array_is_as_large_as_its_header_says():
    check_array_size((), np.dtype("f8"), 8)
    check_array_size((0, 10**9), np.dtype("f8"), 0)
    for n_bytes in (23, 25, 0):
        with pytest.raises(ValueError, match=f"says 24 bytes, and there are {n_bytes}"):
            check_array_size((3, 2), np.dtype("f4"), n_bytes)


def test_a_header_that_lies_costs_no_memory(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (10**13,)}
    )
    (tmp_path / "a.npy").write_bytes(header.getvalue() + bytes(80))
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.write(tmp_path / "a.npy", "a.npy")
    for read, name in ((read_npy, "a.npy"), (read_npz, "a.npz")):
        with pytest.raises(Corrupt, match="says 80000000000000 bytes, and there are 80"):
            read(tmp_path / name)


def test_a_full_disk_is_a_full_disk(tmp_path, monkeypatch):
    """The archive is not to be deleted for it."""
    make_zip(tmp_path / "a.zip")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", full)
    with pytest.raises(OSError, match="No space left") as raised:
        extract(tmp_path / "a.zip", tmp_path / "data")
    assert not isinstance(raised.value, Corrupt)
    assert list((tmp_path / "data").iterdir()) == []
