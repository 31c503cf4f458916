"""The rules of the code base that a machine can check."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "tensorlayer"
SOURCES = sorted(PACKAGE.rglob("*.py"))

# Which part may import which others. A part is a folder or a module of the top level; what is not
# listed may import only errors and logging.
_STORAGE = {"storage"}
ARROWS: dict[str, set[str]] = {
    "activation": set(),
    "layers": {"activation", "initializers"},
    "models": {"activation", "initializers", "layers", "storage"},
    "datasets": _STORAGE,
    "workflow": {"storage", "hub"},
    "hub": {"storage", "models", "datasets", "workflow"},
    "cli": {"hub", "storage", "models", "datasets", "workflow"},
    "distributed": {"models", "train"},
    "train": {"layers", "optimizers"},  # what is frozen; rows of a table that are named twice
    "utils": {"optimizers", "train"},
    "rein": {"cost"},
    "visualize": {"prepro"},
    "files": {"models", "nlp", "visualize"},
    # Nobody may import it, so that models never need files: it is loaded by its name.
    "zoo": {"files", "layers", "models"},
}
#: Parts that live in the folder of another one.
WITHIN = {("models", "zoo"): "zoo"}
EVERYBODY = {"damage", "errors", "locks", "logging", "seeds", "sessions", "startup", "whole"}

# Parts that a small process loads: never TensorFlow when they are imported.
WITHOUT_TENSORFLOW = {"storage", "datasets", "workflow", "cli", "hub", "errors", "logging"}
ALSO_WITHOUT = {"models/__init__.py", "models/versions.py", "models/events.py", "models/version.py"}

# Longer than the 400 lines that a file should have, and why.
LONG_FILES: dict[str, str] = {}


every_file = pytest.mark.parametrize(
    "path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE))
)


def part_of(path: Path) -> str:
    return part_named(path.relative_to(PACKAGE).with_suffix("").parts)


def part_named(names: tuple[str, ...]) -> str:
    """Return the part of the library that a module is in."""
    return WITHIN.get(tuple(names[:2]), names[0])


def imports(statements: list[ast.stmt]) -> set[str]:
    """Return the modules that are imported anywhere below, but for annotations."""
    found = set()
    for statement in statements:
        if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.dump(statement.test):
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@every_file
def test_imports_follow_the_arrows(path):
    part = part_of(path)
    if part == "__init__":
        return
    allowed = ARROWS.get(part, set()) | EVERYBODY | {part}
    names = imports(parsed(path).body)
    used = {part_named(tuple(n.split(".")[1:])) for n in names if n.startswith("tensorlayer.")}
    modules = {p.stem for p in PACKAGE.iterdir() if p.suffix == ".py" or p.is_dir()}
    modules |= set(WITHIN.values())

    assert used & modules <= allowed, f"{part} must not import {sorted(used & modules - allowed)}"


@every_file
def test_small_processes_do_not_load_tensorflow(path):
    relative = str(path.relative_to(PACKAGE))
    if part_of(path) not in WITHOUT_TENSORFLOW and relative not in ALSO_WITHOUT:
        return
    at_once = [s for s in parsed(path).body if isinstance(s, (ast.Import, ast.ImportFrom))]

    assert not {n for n in imports(at_once) if n.split(".")[0] in {"tensorflow", "keras"}}


@every_file
def test_nothing_is_executed_hidden_or_printed(path):
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"eval", "exec", "print", "__import__"}, node.lineno
        assert not isinstance(node, ast.Global), f"line {node.lineno}: global"
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"line {node.lineno}: bare except"


@every_file
def test_nobody_looks_at_the_stack_or_private_tensorflow(path):
    text = path.read_text(encoding="utf-8")

    assert not re.search(r"inspect\.(stack|currentframe)|sys\._getframe", text)
    assert not re.search(r"tensorflow\.python|tf\.__internal__|keras\.src", text)


@every_file
def test_files_are_small(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    relative = str(path.relative_to(PACKAGE))

    assert lines <= 420 or relative in LONG_FILES, f"{relative} has {lines} lines: split it"


def test_every_module_has_a_page_and_a_test():
    missing = []
    for path in SOURCES:
        relative = path.relative_to(PACKAGE).with_suffix("")
        if path.stem.startswith("__"):
            continue
        if not (ROOT / "docs" / relative).with_suffix(".md").exists():
            missing.append(f"docs/{relative}.md")
        if not (ROOT / "tests" / relative.parent / f"test_{path.stem}.py").exists():
            missing.append(f"tests/{relative.parent}/test_{path.stem}.py")

    assert not missing, "\n".join(missing)


def test_the_readme_and_ci_run_the_same_command():
    readme, ci = (ROOT / "README.md").read_text(), (ROOT / ".ci" / "run").read_text()

    assert "<!-- tests -->\n```sh\npython3 -m venv .venv && .venv/bin/pip install" in readme
    assert "test_command=$(block tests)" in ci


def test_the_project_speaks_only_of_itself():
    words = re.compile(r"/work/|/tmp/venv|\bissue #?\d+\b", re.IGNORECASE)
    for folder in ("tensorlayer", "tests", "docs", "examples", "benchmarks"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in {".py", ".md"} and path != Path(__file__):
                found = words.search(path.read_text(encoding="utf-8"))
                assert not found, f"{path.relative_to(ROOT)}: {found[0]!r}"
