"""Lines of code of the examples."""

from __future__ import annotations

import pytest

from benchmarks import lines

SOURCE = '''"""A docstring
of two lines."""

import beside  # the file beside this one


class C:
    """One line."""

    x = """no docstring,
    of two lines"""

    def f(self):
        """A docstring.

        Longer.
        """
        return [
            # a comment
            1,
        ]


async def g():
    "Another."
    return 'a' "b"; "no docstring either"
'''


def test_code_is_counted_and_nothing_else():
    assert lines.count(SOURCE) == 10
    assert lines.count("") == 0


def test_files_beside_a_program_are_followed(tmp_path):
    for name, text in {
        "program": "import one, sys\n", "one": "from two import x\nimport one\n",
        "two": "import program\nx = 1\n", "other": "x = 2\n",
    }.items():  # fmt: skip
        (tmp_path / f"{name}.py").write_text(text)

    found = lines.beside(tmp_path / "program.py")

    assert found == {tmp_path / "one.py", tmp_path / "two.py"}


def test_the_page_has_what_is_counted_now():
    page = lines.PAGE.read_text(encoding="utf-8")

    assert f"<!-- lines -->\n{lines.table(lines.EXAMPLES)}\n<!-- end of lines -->" in page, (
        "run python -m benchmarks.lines"
    )


def test_no_program_is_longer_than_it_may_be():
    assert lines.too_long(lines.EXAMPLES) == []


@pytest.mark.parametrize(("n", "expected"), [(120, []), (121, ["dcgan.py has 121 lines of code"])])
def test_a_program_that_is_too_long_is_named(tmp_path, n, expected):
    (tmp_path / "dcgan.py").write_text("x = 1\n" * n)
    (tmp_path / "srgan.py").write_text("x = 1\n")

    assert [each.split(",")[0] for each in lines.too_long(tmp_path)] == expected
