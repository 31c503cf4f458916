"""Lines of code of the examples, beside those that the paper counts for the same programs.

Run with ``python -m benchmarks.lines``, which writes the table of ``examples/README.md``;
``--check`` exits with 1 if a program is longer than it may be. Counted are lines with code: no
blanks, no comments, no docstrings. What a program imports from files beside it is counted too, in a
column of its own.
"""

from __future__ import annotations

import argparse
import ast
import io
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.blocks import write_block

EXAMPLES = Path(__file__).parents[1] / "examples"
PAGE, BLOCK = EXAMPLES / "README.md", "lines"


class Counted(NamedTuple):
    """What the paper says of a program (Dong et al., "TensorLayer", 2017), and a bound for ours."""

    at_most: int
    tensorlayer: int
    tensorflow: int | None


PAPER = {"dcgan.py": Counted(120, 187, 746), "srgan.py": Counted(250, 526, None)}

_NO_CODE = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
    tokenize.ENCODING, tokenize.ENDMARKER,
}  # fmt: skip


def count(source: str) -> int:
    r"""Return how many lines have code.

    Examples
    --------
    >>> count("'What it does.'\n\nx = 1  # one\n# two\ny = [\n    2,\n]\n")
    4
    """
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines.difference(_docstrings(ast.parse(source))))


def _docstrings(tree: ast.Module) -> Iterator[int]:
    """Yield the numbers of the lines of docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            yield from range(node.body[0].lineno, node.body[0].end_lineno + 1)


def beside(path: Path) -> set[Path]:
    """Return the files of the same folder that a program imports, and those that they import."""
    found: set[Path] = set()
    ahead = [path]
    while ahead:
        for name in _imported(ahead.pop().read_text(encoding="utf-8")):
            other = path.with_name(f"{name}.py")
            if other.exists() and other != path and other not in found:
                found.add(other)
                ahead.append(other)
    return found


def _imported(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def programs(folder: Path) -> list[Path]:
    """Return the files that can be run."""
    paths = sorted(folder.glob("*.py"))
    return [path for path in paths if 'if __name__ == "__main__":' in path.read_text("utf-8")]


def table(folder: Path) -> str:
    """Return a table of all programs: lines, those beside them, those that the paper counts."""
    rows = [
        "| program | lines of code | of files beside it | the paper's | TensorFlow's, in it |",
        "|---|---|---|---|---|",
    ]
    for path in programs(folder):
        own = count(path.read_text(encoding="utf-8"))
        shared = sum(count(each.read_text(encoding="utf-8")) for each in beside(path))
        paper = PAPER.get(path.name)
        theirs = (paper.tensorlayer, paper.tensorflow) if paper else (None, None)
        cells = [f"`{path.name}`", str(own), *(str(each or "") for each in (shared, *theirs))]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def too_long(folder: Path) -> list[str]:
    """Return a sentence for each program that is longer than it may be."""
    counts = {name: count((folder / name).read_text(encoding="utf-8")) for name in PAPER}
    return [
        f"{name} has {n} lines of code, and may have {PAPER[name].at_most}"
        for name, n in counts.items()
        if n > PAPER[name].at_most
    ]


def main(arguments: list[str] | None = None) -> int:
    """Write the table; return 1 if ``--check`` finds a program too long."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="exit with 1 if one is too long")
    options = parser.parse_args(arguments)
    write_block(PAGE, BLOCK, table(EXAMPLES))
    print(table(EXAMPLES))
    found = too_long(EXAMPLES)
    print(*found, sep="\n")
    return 1 if found and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
