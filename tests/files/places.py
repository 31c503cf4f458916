"""Folders for tests, as users write them."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(params=["absolute", "relative"])
def tmp_path(request, tmp_path, monkeypatch):
    """An empty folder, as an absolute path and as one relative to where the program runs."""
    if request.param == "absolute":
        return tmp_path
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    return Path("here")
