from __future__ import annotations

import subprocess
import sys

import pytest

from tensorlayer.errors import LibraryMissing
from tensorlayer.prepro.libraries import library


def test_a_missing_library_says_how_to_get_it():
    with pytest.raises(
        LibraryMissing, match=r"'no_such_module'.*pip install 'tensorlayer\[vision\]'"
    ):
        library("no_such_module")
    with pytest.raises(LibraryMissing, match="Run: pip install 'scikit-learn'"):
        library("no_such_module", "scikit-learn")
    assert issubclass(LibraryMissing, ImportError)


def test_importing_loads_no_heavy_library():
    heavy = ("tensorflow", "cv2", "skimage", "scipy", "PIL", "matplotlib", "sklearn")
    code = (
        "import sys, tensorlayer.prepro, tensorlayer.visualize\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )

    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert result.stdout.strip() == "[]"
