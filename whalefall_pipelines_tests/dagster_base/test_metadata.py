"""Names in Markdown show exactly their characters, whatever they are."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from whalefall_pipelines.dagster_base.metadata import escaped


def shown(markdown: str) -> str:
    """What a reader of the rendered text sees."""
    return html.unescape(MarkdownIt("commonmark").renderInline(markdown))


@pytest.mark.parametrize("name", ["&lt;b&gt;", "a&amp;b", "<b>", "a|b", "*a*", "[a](b)", "a_b_c", "`a`", "back\\slash", "x &copy; y"])
def test_marks_and_entities_are_shown_as_they_are(name: str) -> None:
    assert shown(escaped(name)) == name


@given(st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1))
def test_any_name_is_shown_as_it_is(name: str) -> None:
    assert shown(escaped(name)) == name
