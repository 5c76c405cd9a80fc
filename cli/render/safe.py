"""Text from strangers, made fit for a terminal, a spreadsheet or a JSON document.

Page titles are whatever a client asked for: they can hold control sequences, characters that reorder or hide
their neighbours, markup, and spreadsheet formulas.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable

from rich.cells import cell_len

ELLIPSIS = "…"
_ZWNJ, _ZWJ = "\u200c", "\u200d"
_VIRAMA = 9
"""The canonical combining class of the Indic vowel killers."""

_NOT_PLAIN = re.compile("[^ -~]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# What str.isprintable() lets through although it shows nothing: Default_Ignorable_Code_Point in Unicode's
# DerivedCoreProperties.txt, and the blank Braille cell.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_FORMULA = re.compile("[\\s\\x00-\\x20\u200b-\u200f\u2060\ufeff]*[=+\\-@\uff1d\uff0b\uff0d\uff20\\t\\r\\n\\x00]")


def visible(text: str) -> str:
    r"""The same text with every character that shows nothing, or moves others, spelled as an escape: ``\x1b``.

    That is what ``repr`` escapes (controls, bidi overrides, zero-width and unassigned characters, odd blanks, lone
    surrogates) and the invisible rest. The zero-width joiners stay where Persian and Indic spelling needs them. A
    backslash stays as it is: this is for eyes, JSON and CSV are for programs.
    """
    return _spell_hidden(text, _escape)


def visible_lines(text: str) -> str:
    """The same with newlines and tabs kept, for a whole CSV, TSV or Markdown document on a terminal."""
    return _spell_hidden(text, _escape, keep="\n\t")


def visible_json(document: str) -> str:
    r"""A JSON text with its hidden characters escaped (``\u202e``): safe on a terminal, the same to a parser."""
    return _spell_hidden(document, lambda character: json.dumps(character)[1:-1], keep="\n")


def whole(text: str) -> str:
    """The same text with lone surrogates, which no UTF-8 can carry, as U+FFFD."""
    return _SURROGATE.sub("\ufffd", text)


def spreadsheet_cell(text: str) -> str:
    """The text, after an apostrophe if a spreadsheet could take it for a formula.

    That is a start with ``= + - @`` (also full-width), TAB, CR, LF or NUL, also after blanks or invisible characters:
    OWASP's advice against "CSV injection" (https://owasp.org/www-community/attacks/CSV_Injection).
    """
    return f"'{text}" if _FORMULA.match(text) else text


def cell_width(text: str) -> int:
    """How many terminal columns visible text takes: East Asian wide characters two, combining ones none."""
    # rich reads a joiner as an emoji sequence and skips what follows; the joiners left in visible text join letters.
    return cell_len(text.replace(_ZWJ, ""), unicode_version="latest")


def cut(text: str, width: int) -> str:
    """Visible text in at most ``width`` terminal columns, with ``…`` for what did not fit."""
    if cell_width(text) <= width:
        return text
    kept, used = "", 0
    for character in text:
        used += cell_width(character)
        if used >= width:
            break
        kept += character
    return kept + ELLIPSIS if width > 0 else ""


def _spell_hidden(text: str, spell: Callable[[str], str], keep: str = "") -> str:
    def spelled(match: re.Match[str]) -> str:
        shown = match[0] in keep or not _is_hidden(text, match.start())
        return match[0] if shown else spell(match[0])

    return _NOT_PLAIN.sub(spelled, text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _is_hidden(text: str, at: int) -> bool:
    character = text[at]
    if character in (_ZWNJ, _ZWJ):
        return not _joins_letters(text, at)
    return not character.isprintable() or bool(_INVISIBLE.match(character))


def _joins_letters(text: str, at: int) -> bool:
    """Whether a joiner is spelling, not disguise: RFC 5892, appendix A.1 and A.2, without the joining types."""
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    if not before or not after:
        return False
    if unicodedata.combining(before) == _VIRAMA:
        return True
    return text[at] == _ZWNJ and _is_arabic(before) and _is_arabic(after)


def _is_arabic(character: str) -> bool:
    return character.isalpha() and unicodedata.bidirectional(character) == "AL"
