from __future__ import annotations

import functools
import sys
import types

import pytest

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, TaskNotFound
from tensorlayer.workflow import registry


def test_a_marked_function_stays_the_function(tasks):
    assert tasks.add(1, 2) == 3
    assert registry.name_of(tasks.add) == "sample_tasks:add"
    assert registry.find("sample_tasks:add", ["sample_tasks"]) is tasks.add


def test_options_are_kept(tasks):
    assert registry.options_of(tasks.add) == registry.TaskOptions()
    assert registry.options_of(tasks.crashes).max_crashes == 2
    assert registry.options_of(tasks.fails_for_good).retry_on == (ConnectionError,)


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
        registry.name_of(tasks.unmarked)


def test_a_wrong_name_in_a_loaded_module_is_refused_with_what_comes_close(tasks):
    with pytest.raises(TaskNotFound, match=r"no function 'ad' .*Did you mean 'add'"):
        registry.name_of("sample_tasks:ad")


@pytest.mark.parametrize("name", ["f", "m:", ":f", "m:f.g", "m f:g", "../m:f", "m:f()", "m::f"])
def test_malformed_names_are_refused(name):
    with pytest.raises(InvalidArgument, match="named 'module:function'"):
        registry.name_of(name)


def test_modules_that_were_not_imported_for_tasks_are_closed(tasks):
    with pytest.raises(TaskNotFound, match="'os' is not one that this agent was told to import"):
        registry.find("os:system", ["sample_tasks"])


def test_a_package_opens_the_modules_inside_it_and_no_namesake(monkeypatch, tasks):
    monkeypatch.setitem(sys.modules, "pack.tasks", tasks)
    monkeypatch.setitem(sys.modules, "package", tasks)

    assert registry.find("pack.tasks:add", ["pack"]) is tasks.add
    with pytest.raises(TaskNotFound, match="'package' is not one"):
        registry.find("package:add", ["pack"])


def test_a_file_is_imported_under_its_stem(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    path = tmp_path / "my_script_of_tasks.py"
    path.write_text("import tensorlayer as tl\n@tl.workflow.task\ndef f(): return 5\n")

    module = registry.load(path)

    assert module.__name__ == registry.module_name(path) == "my_script_of_tasks"
    assert registry.find("my_script_of_tasks:f", [module.__name__])() == 5
    del sys.modules["my_script_of_tasks"]


def test_a_file_named_like_a_loaded_module_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    path = tmp_path / "queue.py"
    path.touch()
    import queue  # noqa: F401

    with pytest.raises(InvalidArgument, match=r"cannot be imported as 'queue'.*Rename the file"):
        registry.load(path)


@pytest.mark.parametrize("target", ["missing.py", "a-b", "a b", "", "a/b"])
def test_impossible_targets_are_refused(target):
    with pytest.raises(InvalidArgument, match="import: "):
        registry.module_name(target)


def test_modules_with_tasks_are_found_inside_packages(monkeypatch, tasks):
    for name, fields in {"pack": {}, "pack.tasks": {"add": tasks.add}, "pack.rest": {}}.items():
        module = types.ModuleType(name)
        vars(module).update(fields)
        monkeypatch.setitem(sys.modules, name, module)

    assert registry.modules(["pack"]) == ["pack", "pack.tasks"]
