from __future__ import annotations

import functools
import sys
import types

import pytest

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, TaskNotFound
from tensorlayer.workflow import functions
from tensorlayer.workflow.functions import bind


def test_a_marked_function_stays_the_function(tasks):
    assert tasks.add(1, 2) == 3
    assert functions.name_of(tasks.add) == "sample_tasks:add"
    assert functions.find("sample_tasks:add", ["sample_tasks"]) is tasks.add


def test_options_are_kept(tasks):
    assert functions.options_of(tasks.add) == functions.TaskOptions()
    assert functions.options_of(tasks.crashes).max_crashes == 2
    assert functions.options_of(tasks.fails_for_good).retry_on == (ConnectionError,)


def test_nested_functions_and_methods_are_refused():
    with pytest.raises(InvalidArgument, match=r"top level of a module.*<locals>\.inner"):

        @tl.workflow.task
        def inner(): ...


def test_partial_functions_are_refused(tasks):
    with pytest.raises(InvalidArgument, match="top level of a module"):
        tl.workflow.task(functools.partial(tasks.add, 1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_attempts": 0}, "max_attempts must be at least 1, got 0"),
        ({"max_crashes": -1}, "max_crashes must be at least 1, got -1"),
        ({"run_timeout_seconds": 0}, "must be positive, got 0"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(InvalidArgument, match=message):
        tl.workflow.task(**options)


def test_unmarked_functions_are_refused(tasks):
    with pytest.raises(InvalidArgument, match=r"'unmarked' is not a task.*@tl\.workflow\.task"):
        functions.name_of(tasks.unmarked)


def test_a_wrong_name_in_a_loaded_module_is_refused_with_what_comes_close(tasks):
    with pytest.raises(TaskNotFound, match=r"no function 'ad' .*Did you mean 'add'"):
        functions.name_of("sample_tasks:ad")


@pytest.mark.parametrize("name", ["f", "m:", ":f", "m:f.g", "m f:g", "../m:f", "m:f()", "m::f"])
def test_malformed_names_are_refused(name):
    with pytest.raises(InvalidArgument, match="named 'module:function'"):
        functions.name_of(name)


def test_modules_that_were_not_imported_for_tasks_are_closed(tasks):
    with pytest.raises(TaskNotFound, match="'os' is not one that this agent was told to import"):
        functions.find("os:system", ["sample_tasks"])


def test_a_package_opens_the_modules_inside_it_and_no_namesake(monkeypatch, tasks):
    monkeypatch.setitem(sys.modules, "pack.tasks", tasks)
    monkeypatch.setitem(sys.modules, "package", tasks)

    assert functions.find("pack.tasks:add", ["pack"]) is tasks.add
    with pytest.raises(TaskNotFound, match="'package' is not one"):
        functions.find("package:add", ["pack"])


def test_a_file_is_imported_under_its_stem(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    path = tmp_path / "my_script_of_tasks.py"
    path.write_text("import tensorlayer as tl\n@tl.workflow.task\ndef f(): return 5\n")

    module = functions.load(path)

    assert module.__name__ == functions.module_name(path) == "my_script_of_tasks"
    assert functions.find("my_script_of_tasks:f", [module.__name__])() == 5
    del sys.modules["my_script_of_tasks"]


def test_a_file_named_like_a_loaded_module_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    path = tmp_path / "queue.py"
    path.touch()
    import queue  # noqa: F401

    with pytest.raises(InvalidArgument, match=r"cannot be imported as 'queue'.*Rename the file"):
        functions.load(path)


@pytest.mark.parametrize("target", ["missing.py", "a-b", "a b", "", "a/b"])
def test_impossible_targets_are_refused(target):
    with pytest.raises(InvalidArgument, match="import: "):
        functions.module_name(target)


def test_modules_with_tasks_are_found_inside_packages(monkeypatch, tasks):
    for name, fields in {"pack": {}, "pack.tasks": {"add": tasks.add}, "pack.rest": {}}.items():
        module = types.ModuleType(name)
        vars(module).update(fields)
        monkeypatch.setitem(sys.modules, name, module)

    assert functions.modules(["pack"]) == ["pack", "pack.tasks"]


def train(rate, *, model=None): ...


def anything(*args, **kwargs): ...


def test_keys_reach_parameters_of_their_name_only():
    keys = {"model": "mlp", "input": "mnist", "output": None}

    assert bind(train, [0.1], {}, keys).arguments == {"rate": 0.1, "model": "mlp"}
    assert bind(anything, [], {}, keys).arguments == {}


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ([], {}, "missing a required argument: 'rate'"),
        ([1, 2], {}, "too many positional arguments"),
        ([1], {"momentum": 2}, "unexpected keyword argument 'momentum'"),
    ],
)
def test_what_does_not_fit_is_refused(args, kwargs, message):
    with pytest.raises(InvalidArgument, match=message):
        bind(train, args, kwargs, {})
