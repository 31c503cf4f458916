"""Parts of a page that a program writes."""

from __future__ import annotations

import pytest

from benchmarks.blocks import write_block


def test_a_block_is_replaced_and_nothing_else(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- t -->\nold\nold\n<!-- end of t -->\nb <!-- end of it -->\n")

    write_block(page, "t", "new")
    write_block(page, "t", "newer")

    assert page.read_text() == "a\n<!-- t -->\nnewer\n<!-- end of t -->\nb <!-- end of it -->\n"


BEGIN, END = "<!-- t -->\n", "<!-- end of t -->\n"


@pytest.mark.parametrize("text", ["nothing", BEGIN, END + BEGIN, 2 * BEGIN + END])
def test_a_page_without_the_block_stays_as_it_is(tmp_path, text):
    page = tmp_path / "page.md"
    page.write_text(text)

    with pytest.raises(ValueError, match="a block has one line '<!-- t -->' and one"):
        write_block(page, "t", "new")

    assert page.read_text() == text
