"""Names and parameters that TensorLayer scripts rely on are there, or excluded with a reason.

``api_table.json`` has the signatures of TensorLayer 2.2.4, and those of 1.11.1 and 1.6.7 where they
have other parameters. ``docs/excluded.md`` has what is left out: names (``tl.files.f``), parameters
(``tl.files.f(sess)``), defaults (``tl.files.f(path=)``) and methods (``tl.nlp.C.m``).
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tensorlayer as tl
from tensorlayer import initializers
from tensorlayer.layers.compat import FACTS, OTHERS, RENAMED, WITHOUT_EFFECT, name_today

HERE = Path(__file__).parent
TABLE = json.loads((HERE / "api_table.json").read_text(encoding="utf-8"))
VERSIONS = ("2.2.4", "1.11.1", "1.6.7")  # the newest first
LEAST_REASON = 20  # characters
# What the table writes for the initializers of a default.
INITIALIZERS = {
    "TN": lambda *numbers: initializers.TruncatedNormal(*(0.0, *numbers)[-2:]),
    "RN": initializers.RandomNormal,
    "U": initializers.RandomUniform,
    "C": initializers.Constant,
    "Z": initializers.Zeros,
    "O": initializers.Ones,
}


@functools.cache
def excluded() -> dict[str, str]:
    """Return what is excluded, and the reasons."""
    text = (HERE.parent / "docs" / "excluded.md").read_text(encoding="utf-8")
    found = {}
    for names, reason in re.findall(r"^\| (`tl\..*?) \| (.*?) \|$", text, re.MULTILINE):
        for name, parameters in re.findall(r"`(tl\.[\w.]+)(?:\((.*?)\))?`", names):
            listed = [f"{name}({each})" for each in parameters.split(", ") if each]
            found.update(dict.fromkeys(listed or [name], reason))
    return found


def parameters(signature: str) -> dict[str, Any]:
    """Return names and defaults of a signature in text; None where a default is no literal."""
    arguments = ast.parse(f"def f{signature}: pass").body[0].args
    named = [each.arg for each in [*arguments.posonlyargs, *arguments.args]]
    texts = [None] * (len(named) - len(arguments.defaults)) + arguments.defaults
    rest = [each.arg for each in (arguments.vararg, arguments.kwarg) if each is not None]
    return {**dict(zip(named, map(literal, texts), strict=True)), **dict.fromkeys(rest)}


def literal(node: ast.expr | None) -> Any:
    """Return a default; initializers are written as ``TN(0.02)``, other calls not compared."""
    if isinstance(node, ast.Call) and getattr(node.func, "id", None) in INITIALIZERS:
        return INITIALIZERS[node.func.id](*map(ast.literal_eval, node.args))
    try:
        return None if node is None else ast.literal_eval(node)
    except ValueError:
        return None


def is_layer(thing: Any) -> bool:
    return isinstance(thing, type) and issubclass(thing, tl.layers.Layer)


def is_model(thing: Any) -> bool:
    return isinstance(thing, type) and issubclass(thing, tl.models.Model)


def signature(thing: Any) -> dict[str, inspect.Parameter]:
    """Return the parameters of a function or of a class's constructor."""
    if not is_layer(thing) and not is_model(thing):
        return dict(inspect.signature(thing).parameters)
    _self, *rest = inspect.signature(thing.__init__).parameters.items()
    return dict(rest)


def deviations(module: str) -> Iterator[tuple[str, str]]:
    """Yield what differs from the table, and how."""
    loaded = importlib.import_module(f"tensorlayer.{module}")
    for name, entry in TABLE[module].items():
        place = f"tl.{module}.{name}"
        thing = getattr(loaded, name, None)
        if thing is None:
            yield place, "is missing"
        elif "alias" in entry:
            if thing is not getattr(loaded, entry["alias"], None):
                yield place, f"is not {entry['alias']}"
        elif callable(thing):
            yield from _signature_deviations(place, thing, entry)
            for method in entry.get("methods", ()):
                if not hasattr(thing, method):
                    yield f"{place}.{method}", "is missing"


def _signature_deviations(place: str, thing: Any, entry: Any) -> Iterator[tuple[str, str]]:
    ours = signature(thing)
    takes_any = any(each.kind is each.VAR_KEYWORD for each in ours.values())
    taken = set()
    if is_layer(thing):
        taken = {*FACTS, *OTHERS, *WITHOUT_EFFECT, "is_fix"}
        taken |= {old for old in RENAMED if name_today(thing, old) in ours}
    newest, *older = [parameters(entry[version]) for version in VERSIONS if version in entry]
    for name in dict.fromkeys(name for each in (newest, *older) for name in each):
        if name not in {*ours, *taken} and not (takes_any and name not in newest):
            yield f"{place}({name})", "is missing"
    rest = {name for name, each in ours.items() if each.kind is each.VAR_KEYWORD}  # always last
    expected = [name for name in newest if name in ours.keys() - rest]
    for wanted, found in zip(expected, ours, strict=False):
        if wanted != found:
            yield f"{place}({wanted})", f"is in another position: {list(ours)}"
    for name in expected:
        if is_layer(thing) and name == "name":
            continue  # 1.x had the same for all layers of a kind; today they are numbered
        if newest[name] is not None and plain(ours[name].default) != plain(newest[name]):
            yield f"{place}({name}=)", f"is {ours[name].default!r} and not {newest[name]!r}"


def plain(value: Any) -> Any:
    return [plain(each) for each in value] if isinstance(value, (tuple, list)) else value


def test_every_kind_of_deviation_is_found():
    def ours(a, c, b=2, d=(1, 2)):
        return a, b, c, d

    entry = {"2.2.4": "(a, b=1, c=None, d=[1, 2], e=f())", "1.11.1": "(a, old)"}

    found = {what for what, _ in _signature_deviations("f", ours, entry)}

    assert found == {"f(b)", "f(c)", "f(b=)", "f(e)", "f(old)"}


@pytest.mark.parametrize("module", TABLE)
def test_nothing_is_missing_but_what_is_excluded(module):
    differing = {f"{what} {how}" for what, how in deviations(module) if what not in excluded()}

    assert not differing


@pytest.mark.parametrize("module", TABLE)
def test_what_is_excluded_is_really_different(module):
    differing = {what for what, _ in deviations(module)}

    assert {each for each in excluded() if each.startswith(f"tl.{module}.")} <= differing


def test_every_exclusion_has_a_reason_and_a_module_of_the_table():
    for what, reason in excluded().items():
        assert len(reason) >= LEAST_REASON, what
        assert what.split(".")[1] in TABLE, what


@pytest.mark.parametrize("module", TABLE)
def test_modules_are_attributes_of_the_package(module):
    assert module in tl.__all__
    assert getattr(tl, module) is importlib.import_module(f"tensorlayer.{module}")


def test_short_names_of_the_package():
    assert tl.act is tl.activation
    assert tl.vis is tl.visualize
    assert tl.alphas is tl.array_ops.alphas
    assert tl.alphas_like is tl.array_ops.alphas_like
