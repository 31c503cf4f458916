from __future__ import annotations

import io
import zipfile

import h5py
import numpy as np
import pytest

from tensorlayer.errors import Corrupt, StructureMismatch, TensorLayerError
from tensorlayer.models import weights
from tensorlayer.models.stored import NAMES, by_name, opened

FORMATS = ["safetensors", "npz", "npz_dict", "hdf5", "ckpt"]
ARRAYS = {
    "b/weights": np.arange(600, dtype="float32").reshape(20, 30),
    "a/biases": np.linspace(0, 1, 30),
    "scalar": np.array(3, "int64"),
}


@pytest.mark.parametrize("format_", FORMATS)
def test_shapes_and_types_are_known_and_arrays_read_later(tmp_path, format_):
    weights.save(tmp_path / "w", ARRAYS, format_)
    by_place = {f"arr_{i}": array for i, array in enumerate(ARRAYS.values())}
    expected = by_place if format_ == "npz" else ARRAYS

    with opened(tmp_path / "w", format_) as pairs:
        found = by_name(pairs)
        assert {name: (s.shape, s.dtype) for name, s in found.items()} == {
            name: (array.shape, array.dtype) for name, array in expected.items()
        }
        for name, stored in found.items():
            np.testing.assert_array_equal(stored.read(), expected[name])
            assert stored.read().shape == expected[name].shape


def read_all(path, format_):
    with opened(path, format_) as pairs:
        return {name: stored.read() for name, stored in pairs}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_cut_off_or_flipped_archive_is_corrupt_or_whole(tmp_path, save):
    save(tmp_path / "w.npz", **ARRAYS)
    whole = (tmp_path / "w.npz").read_bytes()
    step = max(1, len(whole) // 97)
    damaged = [whole[:end] for end in range(0, len(whole), step)]
    for place in range(0, len(whole), step // 3 or 1):
        for bit in (0, 3, 7):
            flipped = bytearray(whole)
            flipped[place] ^= 1 << bit
            damaged.append(bytes(flipped))
    refused = 0

    for content in damaged:
        (tmp_path / "d.npz").write_bytes(content)
        try:
            found = read_all(tmp_path / "d.npz", "npz")
        except Corrupt:
            refused += 1
        else:  # a flipped bit in a date, or in a name
            for name in set(found) & set(ARRAYS):
                np.testing.assert_array_equal(found[name], ARRAYS[name])

    assert refused > len(damaged) // 2


@pytest.mark.parametrize("format_", ["safetensors", "hdf5", "ckpt"])
def test_other_formats_that_are_cut_off_are_corrupt(tmp_path, format_):
    weights.save(tmp_path / "w", ARRAYS, format_)
    path = tmp_path / ("w.data-00000-of-00001" if format_ == "ckpt" else "w")
    whole = path.read_bytes()

    for end in (0, 1, 7, 40, len(whole) // 3, len(whole) // 2, len(whole) - 9):
        path.write_bytes(whole[:end])
        with pytest.raises(Corrupt, match=f"cannot be read as {format_}: "):
            read_all(tmp_path / "w", format_)


def test_a_checkpoint_without_its_second_file_is_corrupt(tmp_path):
    weights.save(tmp_path / "w", ARRAYS, "ckpt")
    (tmp_path / "w.data-00000-of-00001").unlink()

    with pytest.raises(Corrupt, match=r"cannot be read as ckpt"):
        read_all(tmp_path / "w", "ckpt")


def npy(shape, data=b"", version=1):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    size = len(header).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + size + header + data


def archive(path, content):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("w.npy", content)


def test_what_claims_to_be_huge_is_only_claimed(tmp_path):
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.create_dataset(NAMES, data='["w"]')
        file.create_dataset("w", (40_000, 40_000), "f4", chunks=(1000, 1000))
    archive(tmp_path / "w.npz", npy((40_000, 40_000)))

    for name, format_ in (("w.h5", "hdf5"), ("w.npz", "npz")):
        assert (tmp_path / name).stat().st_size < 10_000
        with opened(tmp_path / name, format_) as pairs:
            assert pairs[0][1].shape == (40_000, 40_000)
            if format_ == "npz":
                with pytest.raises(Corrupt, match="says 6400000000 bytes, and there are 0"):
                    pairs[0][1].read()


@pytest.mark.parametrize("version", [1, 2])
def test_an_archive_that_unpacks_to_more_than_it_says_is_corrupt(tmp_path, version):
    archive(tmp_path / "w.npz", npy((2,), bytes(2**20), version))

    with pytest.raises(Corrupt, match="its header says 8 bytes, and there are 1048576"):
        read_all(tmp_path / "w.npz", "npz")


def test_a_header_is_not_unpacked_beyond_reason(tmp_path):
    head = b"\x93NUMPY\x02\x00" + (2**31).to_bytes(4, "little")
    archive(tmp_path / "w.npz", head + b" " * 2**24)

    with pytest.raises(Corrupt, match=r"cannot be read as npz: EOF"):
        read_all(tmp_path / "w.npz", "npz")


def test_a_list_of_names_is_short(tmp_path):
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.create_dataset(NAMES, (10**9,), "S8", chunks=(1000,))

    with pytest.raises(Corrupt, match=r"'__names__' is no text"):
        read_all(tmp_path / "w.h5", "hdf5")


def test_other_files_are_not_reached_through_one(tmp_path):
    (tmp_path / "secret").write_bytes(bytes(64))
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["w"] = np.ones(4)
    for kind in ("raw", "link", "virtual"):
        with h5py.File(tmp_path / f"{kind}.h5", "w") as file:
            file.create_dataset(NAMES, data='["w"]')
            if kind == "raw":
                file.create_dataset("w", (4,), "f4", external=[(tmp_path / "secret", 0, 16)])
            elif kind == "link":
                file["w"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "w")
            else:
                layout = h5py.VirtualLayout((4,), "f8")
                layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "w", (4,))
                file.create_virtual_dataset("w", layout)

        with pytest.raises(Corrupt, match=r"'w' lies in another file"):
            read_all(tmp_path / f"{kind}.h5", "hdf5")


def test_groups_within_themselves_are_corrupt(tmp_path):
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.attrs["layer_names"] = ["a"]
        file["a"] = file["/"]

    with pytest.raises(Corrupt, match=r"cannot be read as hdf5"):
        read_all(tmp_path / "w.h5", "hdf5")


def test_two_arrays_of_one_name_are_not_one(tmp_path):
    with zipfile.ZipFile(tmp_path / "w.npz", "w") as file:
        for name in ("w.npy", "w:0.npy"):
            content = io.BytesIO()
            np.save(content, np.ones(2))
            file.writestr(name, content.getvalue())

    with (
        opened(tmp_path / "w.npz", "npz") as pairs,
        pytest.raises(StructureMismatch, match=r"several arrays named w\."),
    ):
        by_name(pairs)


@pytest.mark.parametrize("format_", FORMATS)
def test_a_missing_file_or_a_folder_is_a_missing_file(tmp_path, format_):
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(FileNotFoundError, match=r"there is no (weights file|checkpoint) '"):
            read_all(path, format_)


def test_our_own_errors_and_those_of_the_reader_pass(tmp_path):
    weights.save(tmp_path / "w", ARRAYS, "hdf5")

    for error in (TensorLayerError("mine"), KeyError("mine")):
        with pytest.raises(type(error), match="mine"), opened(tmp_path / "w", "hdf5"):
            raise error
