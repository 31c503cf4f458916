"""The reference says what the program says: every public name, and every default."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import pkgutil
import re
from pathlib import Path

import pytest
from lxml import html

import tensorlayer as tl

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # the build takes a minute

TABLE = json.loads((Path(__file__).parents[1] / "api_table.json").read_text(encoding="utf-8"))
HANDED_ON = {"__version__", "act", "vis"}  # no entries of their own


@pytest.fixture(scope="session")
def entries(site):
    """Return the titles that the search finds, by the full names of what they describe."""
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    found = {}
    for entry in index["docs"]:
        anchor = entry["location"].partition("#")[2]
        if anchor.startswith("tensorlayer."):
            found[anchor] = re.sub(r"<[^>]+>|\s", "", entry["title"])
    return found


def public_names():
    for part in dir(tl):
        thing = getattr(tl, part)
        for name in getattr(thing, "__all__", ()) if inspect.ismodule(thing) else ():
            yield f"{part}.{name}"
    yield from (f"{name}" for name in tl.__all__ if not inspect.ismodule(getattr(tl, name)))
    yield from (f"errors.{name}" for name, thing in vars(tl.errors).items() if is_error(thing))


def is_error(thing):
    return (
        inspect.isclass(thing)
        and issubclass(thing, Exception)
        and "tensorlayer" in thing.__module__
    )


def test_every_public_name_is_found_by_the_search(entries):
    found = {(anchor.split(".")[1], title) for anchor, title in entries.items()}
    names = {title for _, title in found}
    missing = []
    for public in set(public_names()) - HANDED_ON:
        part, _, name = public.rpartition(".")
        homes = {part, "activation", "visualize", "whole", "hub", "array_ops", "layers"}
        if name not in names or not any((home, name) in found for home in homes):
            missing.append(public)

    assert not missing


def test_every_name_of_tensorlayer_2_that_is_here_is_found_by_the_search(entries):
    there = {name for part in TABLE for name in TABLE[part] if hasattr(getattr(tl, part), name)}

    assert len(there) > 200
    assert there <= set(entries.values())


def tables(page):
    """Yield what a page describes, and the rows of its table of parameters."""
    for thing in page.xpath("//div[contains(@class, 'doc-object')]"):
        headings = thing.xpath("./*[contains(@class, 'doc-heading')]/@id")
        rows = thing.xpath(
            "./div[contains(@class, 'doc-contents')]"
            "/p[span[starts-with(., 'Parameters')]]/following-sibling::table[1]"
            "//tr[contains(@class, 'doc-section-item')]"
        )
        if headings and rows:
            yield headings[0], [[cell.text_content().strip() for cell in row] for row in rows]


def signature(thing):
    """Return the parameters; those of a class are of its constructor, which a metaclass hides."""
    if inspect.isclass(thing):
        is_made = thing.__init__ is object.__init__ or "__new__" in vars(thing)
        thing = thing.__new__ if is_made else thing.__init__
    return inspect.signature(thing).parameters


def is_said(text, parameter, module):
    """Whether a rendered default means that of a parameter."""
    variable = {parameter.VAR_POSITIONAL: "()", parameter.VAR_KEYWORD: "{}"}
    if parameter.kind in variable:
        return text == variable[parameter.kind]
    default = parameter.default
    if default is parameter.empty:
        return text == "required"
    if callable(default) and text.startswith("lambda"):
        return default.__name__ == "<lambda>"
    name = getattr(default, "__name__", None) or getattr(default, "name", None)
    if isinstance(name, str) and text in (name, name.removesuffix("_v2")):  # as TensorFlow's are
        return True
    known = {**vars(module), type(default).__name__: type(default)}
    return meaning(ast.parse(text, mode="eval").body, known) == default


def meaning(node, known):
    """Return the value of a literal, a name that is known, or a call with such arguments."""
    if isinstance(node, ast.Attribute):
        return getattr(meaning(node.value, known), node.attr)
    if isinstance(node, ast.Name):
        return known.get(node.id, node)
    if isinstance(node, ast.Call):
        arguments = [meaning(each, known) for each in node.args]
        named = {each.arg: meaning(each.value, known) for each in node.keywords}
        function = meaning(node.func, known)
        return function(*arguments, **named) if callable(function) else node
    return ast.literal_eval(node)


def test_rendered_defaults_are_those_of_the_signature(site):
    wrong, n_compared = [], 0
    for path in site.rglob("index.html"):
        for name, rows in tables(html.parse(str(path)).getroot()):
            thing = pkgutil.resolve_name(name)
            module = importlib.import_module(inspect.unwrap(thing).__module__)
            declared = signature(thing)
            for shown, *_, text in rows:
                parameter = declared[shown.lstrip("*")]
                if "factory" in repr(parameter.default):
                    continue  # of a dataclass: there is no value to be shown
                n_compared += 1
                if not is_said(text, parameter, module):
                    wrong.append(f"{name}: {text} and not {parameter}")

    assert n_compared > 700
    assert not wrong, "\n".join(wrong)
