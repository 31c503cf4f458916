"""Nietzsche from one sentence."""

import pytest

from tensorlayer import files
from tensorlayer.errors import Corrupt
from tests.files.loaders import samples


def test_nietzsche_as_text(put, tmp_path):
    text = files.load_nietzsche_dataset(put(samples.NIETZSCHE))
    assert text == "PREFACE\n\n\nSUPPOSING that Truth is a woman—what then?"
    (tmp_path / "nietzsche.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Corrupt, match=r"nietzsche\.txt' is not a text in UTF-8"):
        files.load_nietzsche_dataset(tmp_path)
