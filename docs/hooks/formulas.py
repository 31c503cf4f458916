"""Formulas become MathML while the site is built, so that nothing is loaded to read them."""

from __future__ import annotations

import html
import importlib.resources
import re
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert

_FORMULA = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">\\(?P<open>[(\[])(?P<latex>.*?)\\[)\]]</(?P=tag)>', re.S
)


#: A font for mathematics, for readers whose system has none; a package of Python brings it.
FONT = "STIXTwoMath-Regular.ttf"


def on_post_build(config: Any) -> None:
    """Put the font beside the style sheet that names it."""
    found = importlib.resources.files("ziamath") / "fonts" / FONT
    (Path(config["site_dir"]) / "styles" / FONT).write_bytes(found.read_bytes())


def on_post_page(output: str, **_: Any) -> str:
    """Replace what arithmatex found on a page."""
    return _FORMULA.sub(_rendered, output)


def _rendered(found: re.Match[str]) -> str:
    display = "block" if found["open"] == "[" else "inline"
    formula = convert(html.unescape(found["latex"]).strip(), display=display)
    return f'<{found["tag"]} class="arithmatex">{formula}</{found["tag"]}>'
