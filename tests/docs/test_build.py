"""The documentation as it is published: formulas, references, tables and pictures are rendered."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
import yaml
from lxml import html

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # the build takes a minute

UNRENDERED = {
    "a role": re.compile(r":(?:math|func|class|meth|mod|attr|data|obj|ref):"),
    "a directive": re.compile(r"^\s*\.\. \w+", re.MULTILINE),
    "a reference": re.compile(r"\]\[[\w.]*\]"),
    "a formula": re.compile(r"\$[^$\n]+\$|\\[a-zA-Z]{2,}"),
    "a literal": re.compile(r"`|::\s*$", re.MULTILINE),
}


@pytest.fixture(scope="session")
def pages(site):
    """Return the parsed pages by their places."""
    found = {path.parent.relative_to(site).as_posix(): path for path in site.rglob("index.html")}
    return {place: html.parse(str(path)).getroot() for place, path in found.items()}


def navigation():
    """Return the hook that adds the modules of each package."""
    path = ROOT / "docs" / "hooks" / "navigation.py"
    found = importlib.util.spec_from_file_location("docs_navigation", path)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def leaves(entry):
    """Yield the pages of a part of the navigation."""
    if isinstance(entry, str):
        yield entry
        return
    for inner in entry.values() if isinstance(entry, dict) else entry:
        yield from leaves(inner)


def prose(page):
    """Return the text of a page, with a mark where code was."""
    (article,) = page.xpath("//article")
    for element in article.xpath(".//pre | .//code | .//script | .//style"):
        element.text, element[:] = "\N{WHITE SQUARE}", []
    return article.text_content()


def test_every_page_of_the_sources_is_built_and_in_the_navigation_once(pages):
    docs = ROOT / "docs"
    sources = {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")}
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    settings["docs_dir"] = docs
    listed = list(leaves(navigation().on_config(settings)["nav"]))

    assert sorted(listed) == sorted(sources)
    places = {source.removesuffix(".md").removesuffix("index") or "." for source in sources}
    assert set(pages) == places


def test_nothing_is_left_unrendered(pages):
    left = [
        f"{place}: {what} {found[0]!r}"
        for place, page in pages.items()
        for what, pattern in UNRENDERED.items()
        for found in pattern.finditer(prose(page))
    ]

    assert not left, "\n".join(left)


def test_unrendered_text_is_found():
    page = html.fromstring(
        "<article><p>See :func:<code>f</code>, [<code>g</code>][a.b] and $x^2$:\n"
        "</p><p>\n.. math::\n</p><pre>:func: [a][b] $x$ `</pre></article>"
    ).getroottree()

    text = prose(page)

    names = {name for name, pattern in UNRENDERED.items() if pattern.search(text)}
    assert names == {"a role", "a directive", "a reference", "a formula", "a literal"}


def test_formulas_are_mathml(pages):
    formulas = [each for page in pages.values() for each in page.xpath("//*[@class='arithmatex']")]

    assert len(formulas) > 90
    for formula in formulas:
        (rendered,) = formula
        text = formula.text_content()
        assert rendered.tag == "math", text
        assert "\\" not in text, f"a command of LaTeX that nobody knows: {text}"


def test_a_font_for_formulas_is_sent(site):
    style = (site / "styles" / "site.css").read_text(encoding="utf-8")
    (font,) = re.findall(r'url\("(.*?)"\)', style)
    assert (site / "styles" / font).read_bytes()[:4] in (b"\0\1\0\0", b"OTTO")


def test_to_read_a_page_loads_nothing_from_elsewhere(pages):
    for place, page in pages.items():
        loaded = page.xpath("//script/@src | //link[not(@rel='canonical')]/@href | //img/@src")
        assert not [each for each in loaded if re.match(r"(https?:)?//", each)], place


def test_no_page_begins_with_the_same_text_twice(pages):
    twice = []
    for place, page in pages.items():
        texts = [each.text_content().strip() for each in page.xpath("//article//p")[:2]]
        twice += [f"{place}: {texts[0]}"] if len(set(texts)) < len(texts) else []

    assert not twice, "\n".join(twice)


def test_pictures_are_made(site, pages):
    for name, place in (
        ("prepro", "prepro"),
        ("activation", "activation"),
        ("names", "guides/names"),
        ("overhead", "guides/performance"),
    ):
        assert pages[place].xpath(f"//img[contains(@src, '/pictures/{name}.png')]")
        assert (site / "pictures" / f"{name}.png").stat().st_size > 10_000
