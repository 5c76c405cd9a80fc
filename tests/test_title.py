"""Page titles as bytes and as text."""

from __future__ import annotations

import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import LAW, titles

from models.title import title_text


@pytest.mark.parametrize(
    ("title", "text"),
    [
        (b"", ""),
        (b"Simon_Pegg", "Simon_Pegg"),
        ("\u5c0f\u8aac".encode(), "\u5c0f\u8aac"),
        (b"Caf\xe9", "Caf%E9"),
        (b"\x80\xff", "%80%FF"),
        (b"cut_\xe2\x80", "cut_%E2%80"),
        (b"surrogate_\xed\xa0\x80", "surrogate_%ED%A0%80"),
        (b"overlong_\xc0\x80", "overlong_%C0%80"),
        (b"beyond_\xf4\x90\x80\x80", "beyond_%F4%90%80%80"),
        (b"nul\0", "nul%00"),
        (b"nul\0and\xff", "nul%00and%FF"),
        (b"100%", "100%"),
        (b"tab\t_next\xc2\x85", "tab\t_next\x85"),
    ],
)
def test_title_as_text(title, text):
    """What is UTF-8 is shown as it is; other bytes and NUL are percent-encoded."""
    assert title_text(title) == text


@LAW
@given(st.one_of(titles(), st.binary(max_size=40)))
def test_any_bytes_are_shown(title):
    """Any title is shown as the slow reader shows it, in text that UTF-8 and PostgreSQL can hold."""
    text = title_text(title)
    assert text == oracle.shown(title)
    assert "\0" not in text
    assert text.encode().decode() == text


@LAW
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_utf8_is_shown_unchanged(text):
    """A title that is UTF-8 without NUL is its own text."""
    assert title_text(text.encode()) == text


@LAW
@given(st.binary(max_size=20), st.binary(max_size=20))
def test_legal_titles_are_told_apart(one, other):
    """Two different titles are shown differently, as long as neither holds a percent sign, as legal titles do not."""
    one, other = one.replace(b"%", b""), other.replace(b"%", b"")
    assert (title_text(one) == title_text(other)) == (one == other)
