"""The examples of pages are run from top to bottom, and print what the page says."""

from __future__ import annotations

import contextlib
import doctest
import gc
import io
import json
import os
import re
import subprocess
import sys
import types
import uuid
from pathlib import Path

import pytest
import yaml

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [
    *("activation", "initializers"),
    *(f"{part}/{path.stem}" for part in ("start", "guides") for path in (DOCS / part).glob("*.md")),
]
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS

_BLOCK = re.compile(
    r'^```python(?: title="(?P<file>.*?)")?\n(?P<code>.*?)^```\n'
    r"(?:\n```text\n(?P<says>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)


def run(page, namespace):
    """Yield for each block its line, what it printed or raised, and what the page says.

    A block with a title is a file, and is written.
    """
    text = page.read_text(encoding="utf-8")
    for block in _BLOCK.finditer(text):
        if block["file"]:
            Path(block["file"]).write_text(block["code"], encoding="utf-8")
            continue
        n_lines = text[: block.start("code")].count("\n")
        printed = io.StringIO()
        # With the lines of the page, so that tracebacks and AutoGraph find the source.
        code = compile("\n" * n_lines + block["code"], str(page), "exec")
        with contextlib.redirect_stdout(printed):
            try:
                exec(code, namespace)
            except Exception as error:  # noqa: BLE001 - what it is, the page says
                printed.write(f"{type(error).__name__}: {error}")
        yield n_lines, printed.getvalue(), block["says"] or ""


@pytest.mark.parametrize("name", PAGES)
def test_the_examples_of_a_page_print_what_it_says(name, monkeypatch, tmp_path, request):
    page = DOCS / f"{name}.md"
    if "tl.connect()" in page.read_text(encoding="utf-8"):
        monkeypatch.setenv("TENSORLAYER_HOME", str(request.getfixturevalue("server_home")))
        monkeypatch.setenv("TENSORLAYER_PROJECT", f"page-{uuid.uuid4().hex}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)  # where the files of the page are
    module = types.ModuleType(f"page_{page.stem}")
    monkeypatch.setitem(sys.modules, module.__name__, module)  # where AutoGraph looks for it
    blocks = list(run(page, vars(module)))
    vars(module).clear()
    gc.collect()  # what the page made ends here, and not somewhere in another test

    for line, printed, says in blocks:
        is_right = doctest.OutputChecker().check_output(says, printed, FLAGS)
        assert is_right, f"docs/{name}.md, line {line}: printed\n{printed}"


def test_files_of_a_cluster_are_such_files():
    page = (DOCS / "guides" / "machines.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w+)[^\n]*\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)

    scripts = [text for kind, text in blocks if kind == "bash"]
    service, job = yaml.safe_load_all(next(text for kind, text in blocks if kind == "yaml"))
    container = job["spec"]["template"]["spec"]["containers"][0]
    started = container["args"][0].replace("exec python train.py", "echo $TF_CONFIG")
    environment = {**os.environ, "JOB_COMPLETION_INDEX": "2"}
    for each in (*scripts, started):
        subprocess.run(["bash", "-n", "-c", each], check=True)
    shown = subprocess.run(
        ["bash", "-c", started], env=environment, capture_output=True, text=True, check=True
    )
    found = json.loads(shown.stdout)

    assert found["task"] == {"type": "worker", "index": 2}
    workers = found["cluster"]["worker"]
    assert len(workers) == job["spec"]["completions"] == job["spec"]["parallelism"]
    assert workers[0] == f"{job['metadata']['name']}-0.{service['metadata']['name']}:5000"


@pytest.mark.parametrize("name", ["guides/names", "guides/migration", "start/tutorial"])
def test_a_page_of_examples_has_some(name):
    assert len(_BLOCK.findall((DOCS / f"{name}.md").read_text(encoding="utf-8"))) > 5
