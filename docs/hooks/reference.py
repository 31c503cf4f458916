"""What the pages of the reference say beyond the docstrings, taken from the program itself."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import griffe

_KINDS = (griffe.DocstringSectionKind.parameters, griffe.DocstringSectionKind.other_parameters)


class Reference(griffe.Extension):
    """Gives each of the parameters ``a, b`` its own default, and a text to names without one."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Walk the whole package once it is known."""
        for module in _modules(pkg):
            _complete(module)
            _explain(module)
            if module.is_init_module:
                module.exports = None  # what it exports is shown where it is defined
            for described in _described(module):
                _correct(described)


def _modules(module: griffe.Module) -> Iterator[griffe.Module]:
    yield module
    for member in module.modules.values():
        if not member.is_alias:
            yield from _modules(member)


def _described(owner: griffe.Module | griffe.Class) -> Iterator[griffe.Function | griffe.Class]:
    """Yield the functions and classes that are defined in ``owner``, those within classes too."""
    for member in owner.members.values():
        if member.is_alias or not (member.is_function or member.is_class):
            continue
        yield member
        if member.is_class:
            yield from _described(member)


def _correct(described: griffe.Function | griffe.Class) -> None:
    """Take annotations and defaults from the signature, one by one.

    Where a docstring names several parameters at once, the parser gives all of them what the first
    one has.
    """
    if (
        described.is_class
        and "__init__" not in described.members
        and "__new__" in described.members
    ):
        described.members["__init__"] = described.members["__new__"]  # where the parser looks
    for section in described.docstring.parsed if described.docstring else ():
        if section.kind not in _KINDS:
            continue
        for parameter in section.value:
            if parameter.name in described.parameters:
                declared = described.parameters[parameter.name]
                parameter.value = declared.default
                parameter.annotation = declared.annotation or parameter.annotation


def _explain(module: griffe.Module) -> None:
    """Describe attributes by their ``#:`` comments, and public names by what they stand for."""
    lines = _lines(module)
    for owner in (module, *(each for each in module.classes.values() if not each.is_alias)):
        for attribute in owner.attributes.values():
            if not attribute.is_alias and attribute.docstring is None:
                _set(attribute, _comment(lines, attribute))
    for name in _exports(module):
        member = module.members[name]
        if not member.is_alias:
            _set(member, _meaning(module, member))


def _complete(module: griffe.Module) -> None:
    """Add what a package imports only when it is asked for it."""
    for name in set(_exports(module)) - set(module.members):
        thing = getattr(importlib.import_module(module.path), name)
        path = f"{thing.__module__}.{thing.__qualname__}" if callable(thing) else thing.__name__
        module.imports[name] = path
        module.set_member(name, griffe.Alias(name, path))


def _exports(module: griffe.Module) -> tuple[str, ...]:
    return tuple(getattr(importlib.import_module(module.path), "__all__", ()))


def _set(member: griffe.Object, text: str | None) -> None:
    if text and member.docstring is None:
        member.docstring = griffe.Docstring(text, parent=member, parser="numpy")


def _lines(module: griffe.Module) -> list[str]:
    return Path(module.filepath).read_text(encoding="utf-8").splitlines()


def _comment(lines: list[str], attribute: griffe.Attribute) -> str | None:
    """Return the comment ``#: text`` behind an attribute, or above it."""
    first, last = attribute.lineno or 1, attribute.endlineno or 1
    behind = lines[last - 1].partition("  #: ")[2]
    above: list[str] = []
    while first > 1 and lines[first - 2].lstrip().startswith("#:"):
        first -= 1
        above.insert(0, lines[first - 1].lstrip().removeprefix("#:").strip())
    return behind or " ".join(above) or None


def _meaning(module: griffe.Module, member: griffe.Object) -> str | None:
    """Return what is documented under another name, or is made by a call and documents itself."""
    thing = getattr(importlib.import_module(module.path), member.name)
    if not callable(thing) or not getattr(thing, "__name__", None):
        return None  # a value
    if thing.__name__ == member.name or inspect.ismethod(thing):
        return inspect.getdoc(thing)
    if not str(thing.__module__).startswith("tensorlayer."):
        return None  # the type of something
    return f"The same as [`{thing.__name__}`][{thing.__module__}.{thing.__qualname__}]."
