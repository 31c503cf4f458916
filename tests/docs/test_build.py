"""The documentation is built as it is published: every link, every module, every picture."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_documentation_builds_without_a_warning(tmp_path):
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )

    assert built.returncode == 0, built.stderr
    page = (tmp_path / "layers" / "dense" / "index.html").read_text(encoding="utf-8")
    assert "Fully connected layer" in page
    page = (tmp_path / "names" / "index.html").read_text(encoding="utf-8")
    assert "../pictures/names.png" in page
    for name in ("prepro", "activation", "names"):
        assert (tmp_path / "pictures" / f"{name}.png").stat().st_size > 10_000
