"""The examples of pages are run from top to bottom, and print what the page says."""

from __future__ import annotations

import contextlib
import gc
import io
import re
import sys
import types
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"

_BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)


def run(page, namespace):
    """Yield for each block its line, what it printed or raised, and what the page says."""
    text = page.read_text(encoding="utf-8")
    for block in _BLOCK.finditer(text):
        n_lines = text[: block.start(1)].count("\n")
        printed = io.StringIO()
        # With the lines of the page, so that tracebacks and AutoGraph find the source.
        code = compile("\n" * n_lines + block[1], str(page), "exec")
        with contextlib.redirect_stdout(printed):
            try:
                exec(code, namespace)
            except Exception as error:  # noqa: BLE001 - what it is, the page says
                printed.write(f"{type(error).__name__}: {error}")
        yield n_lines, printed.getvalue().split(), (block[2] or "").split()


@pytest.mark.parametrize("name", ["names", "activation", "initializers", "guides/seeds"])
def test_the_examples_of_a_page_print_what_it_says(name, monkeypatch):
    module = types.ModuleType(f"page_{name.replace('/', '_')}")
    monkeypatch.setitem(sys.modules, module.__name__, module)  # where AutoGraph looks for it
    blocks = list(run(DOCS / f"{name}.md", vars(module)))
    vars(module).clear()
    gc.collect()  # what the page made ends here, and not somewhere in another test

    assert blocks
    for line, printed, expected in blocks:
        assert printed == expected, f"docs/{name}.md, line {line}"
