"""What ``import tensorlayer`` gives, and what it costs."""

from __future__ import annotations

import importlib
import json
import pkgutil
import subprocess
import sys

import pytest

import tensorlayer as tl


def run(program: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout


def test_every_exported_name_is_there():
    for name in tl.__all__:
        assert getattr(tl, name) is not None
    assert dir(tl) == sorted(tl.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'tensorlayer' has no attribute 'layer'"):
        tl.layer  # noqa: B018


def test_modules_export_what_they_say():
    for found in pkgutil.walk_packages(tl.__path__, "tensorlayer."):
        if found.name.rpartition(".")[2].startswith("__"):
            continue
        module = importlib.import_module(found.name)
        for name in getattr(module, "__all__", ()):
            assert hasattr(module, name), f"{found.name}.{name}"


def test_importing_the_library_loads_nothing_heavy():
    program = """
import json, sys
import tensorlayer
heavy = ["tensorflow", "keras", "pymongo", "numpy", "scipy", "h5py", "matplotlib"]
print(json.dumps([name for name in heavy if name in sys.modules]))
"""
    assert json.loads(run(program)) == []


@pytest.mark.parametrize(
    "names", ["cli.main", "hub", "workflow", "datasets", "models.versions", "storage.connection"]
)
def test_the_storage_half_does_not_load_tensorflow(names):
    program = f"import tensorlayer.{names}, sys\nprint('tensorflow' in sys.modules)"

    assert run(program).strip() == "False"


def test_the_command_line_does_not_load_the_driver():
    assert (
        run("import tensorlayer.cli.main, sys\nprint('pymongo' in sys.modules)").strip() == "False"
    )
