"""The table of everything that a package exports, at the end of its page."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import tensorlayer as tl


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Add the table to the page of a package."""
    name = Path(page.file.src_uri).stem
    if page.file.src_uri != f"{name}.md" or name not in tl.__all__:
        return markdown
    package = importlib.import_module(f"tensorlayer.{name}")
    exported = getattr(package, "__all__", ()) if hasattr(package, "__path__") else ()
    if not exported:
        return markdown
    rows = [f"| {_link(package, each)} | {_summary(package, each)} |" for each in exported]
    return "\n".join([markdown, "", "## Names", "", "| | |", "|---|---|", *rows, ""])


def _link(package: Any, name: str) -> str:
    thing = getattr(package, name)
    home = getattr(thing, "__module__", None) or ""
    is_here = home.startswith("tensorlayer.") and getattr(thing, "__name__", None) == name
    return f"[`{name}`][{home if is_here else package.__name__}.{name}]"


def _summary(package: Any, name: str) -> str:
    thing = getattr(package, name)
    called = getattr(thing, "__name__", name)
    if called != name:
        return f"The same as `{called}`."
    text = (inspect.getdoc(thing) or "") if callable(thing) else ""
    line = re.sub(r"\[(`[^`]+`)\]\[\]", r"\1", text.partition("\n\n")[0].replace("\n", " "))
    return re.sub(r"\$[^$]*\$", lambda formula: formula[0].replace("|", r"\vert{}"), line)
