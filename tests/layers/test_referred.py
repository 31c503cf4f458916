from __future__ import annotations

import functools

from tensorlayer.layers.referred import imports, referred

GLOBAL, OTHER = object(), object()


class Holder:
    def __init__(self, held):
        self.held = held

    def method(self, x):
        return self.held, x


def test_globals_are_found_by_their_names_and_not_by_those_of_attributes():
    class Thing:
        OTHER = 3

    def function(x):
        return GLOBAL, x.OTHER

    assert referred(function) == [GLOBAL]
    assert Thing.OTHER not in referred(function)


def test_what_is_within_a_comprehension_or_a_lambda_is_found_too():
    def function(x):
        return [GLOBAL for _ in x], lambda: OTHER

    assert referred(function) == [GLOBAL, OTHER]


def test_closures_partials_methods_and_wrappers():
    near = object()

    def closure(x):
        return near, x

    @functools.wraps(closure)
    def wrapper(x):
        return closure(x)

    holder = Holder([near, OTHER])
    assert referred(closure) == referred(wrapper) == [near]
    assert referred(functools.partial(closure, OTHER)) == [OTHER, near]
    assert referred(functools.partial(holder.method, x=GLOBAL)) == [GLOBAL, near, OTHER]
    assert referred(print) == []


def test_a_name_without_a_value_is_passed_by():
    def made(is_given):
        if is_given:
            value = GLOBAL
        return lambda: value

    assert referred(made(True)) == [GLOBAL]
    assert referred(made(False)) == []


def test_imports_are_those_of_its_own_code():
    def late():
        return __import__("json")  # by no statement that names it

    def whole():
        def within():
            import json.decoder

            return json

        return within

    def part():
        from json import decoder

        return decoder

    assert [imports(each, "json") for each in (late, whole, part)] == [False, True, True]
    assert not imports(part, "decoder")
    assert not imports(print, "json")
