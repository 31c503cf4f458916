"""Formulas become MathML while the site is built, so that nothing is loaded to read them."""

from __future__ import annotations

import html
import re
from typing import Any

from latex2mathml.converter import convert

_FORMULA = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">\\(?P<open>[(\[])(?P<latex>.*?)\\[)\]]</(?P=tag)>', re.S
)


def on_post_page(output: str, **_: Any) -> str:
    """Replace what arithmatex found on a page."""
    return _FORMULA.sub(_rendered, output)


def _rendered(found: re.Match[str]) -> str:
    display = "block" if found["open"] == "[" else "inline"
    formula = convert(html.unescape(found["latex"]).strip(), display=display)
    return f'<{found["tag"]} class="arithmatex">{formula}</{found["tag"]}>'
