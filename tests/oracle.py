"""What hour files, tallies and rankings mean, in plain slow Python.

Loops and dicts only, no regular expression, no frame and no code of the product: the product is compared with this.
A tally here is a dict from the title's bytes to (desktop, mobile). Sources: the pageviews format of Wikimedia
(https://wikitech.wikimedia.org/wiki/Data_Platform/Data_Lake/Traffic/Pageviews), the definitions of the answers, and
MediaWiki's treatment of first letters on Wikimedia's wikis (operations/mediawiki-config, UcfirstOverrides.php).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

Tally = Mapping[bytes, tuple[int, int]]

MOST_DIGITS = 15
QUOTE, BACKSLASH = b'"'[0], b"\\"[0]


def lines_of(text: bytes) -> list[bytes]:
    """The lines, cut at byte 0x0A only; a missing last line break is forgiven."""
    lines = text.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return lines


def unquote(field: bytes) -> bytes:
    """Read left to right: wrapped in quotation marks, and every one inside escaped? Then without them."""
    if len(field) < 2 or field[0] != QUOTE:
        return field
    plain = bytearray()
    place = 1
    while place < len(field):
        byte = field[place]
        following = field[place + 1] if place + 1 < len(field) else None
        if byte == QUOTE:
            return bytes(plain) if following is None else field
        if byte == BACKSLASH and following in (QUOTE, BACKSLASH):
            plain.append(following)
            place += 2
        else:
            plain.append(byte)
            place += 1
    return field


def spark(value: bytes) -> bytes:
    """A value as the writer of 2023 and later writes it."""
    if not value:
        return b'""'
    if QUOTE not in value:
        return value
    inside = b"".join(b"\\" + bytes([byte]) if byte in (QUOTE, BACKSLASH) else bytes([byte]) for byte in value)
    return b'"' + inside + b'"'


def parse_line(line: bytes) -> tuple[bytes, bytes, int] | None:
    """Domain code as written, title, views; None for a malformed line."""
    fields = line.split(b" ")
    if len(fields) != 4:
        return None
    number = fields[2]
    if not 1 <= len(number) <= MOST_DIGITS or any(byte not in b"0123456789" for byte in number):
        return None
    return fields[0], unquote(fields[1]), int(number)


def malformed(text: bytes) -> int:
    return sum(parse_line(line) is None for line in lines_of(text))


def count(text: bytes, desktop_codes: Collection[str], mobile_codes: Collection[str]) -> dict[bytes, tuple[int, int]]:
    """The tally of the lines with these codes; titles without a view are left out."""
    tally: dict[bytes, tuple[int, int]] = {}
    for row in filter(None, map(parse_line, lines_of(text))):
        written, title, views = row
        desktop, mobile = tally.get(title, (0, 0))
        if _is_one_of(written, desktop_codes):
            tally[title] = (desktop + views, mobile)
        elif _is_one_of(written, mobile_codes):
            tally[title] = (desktop, mobile + views)
    return {title: views for title, views in tally.items() if sum(views)}


def _is_one_of(written: bytes, codes: Collection[str]) -> bool:
    """An empty domain code is always written with its quotation marks, so that an empty field is nobody's."""
    return bool(written) and unquote(written) in [code.encode() for code in codes]


def merge(tallies: Iterable[Tally]) -> dict[bytes, tuple[int, int]]:
    total: dict[bytes, tuple[int, int]] = {}
    for tally in tallies:
        for title, (desktop, mobile) in tally.items():
            before = total.get(title, (0, 0))
            total[title] = (before[0] + desktop, before[1] + mobile)
    return total


def shown(title: bytes) -> str:
    """The title as text: NUL, and each byte that begins no UTF-8 character, is percent-encoded."""
    text, place = "", 0
    while place < len(title):
        character = _character_at(title, place)
        if character in ("", "\0"):
            text += f"%{title[place]:02X}"
            place += 1
        else:
            text += character
            place += len(character.encode())
    return text


def _character_at(title: bytes, place: int) -> str:
    for width in (1, 2, 3, 4):
        try:
            return title[place : place + width].decode()
        except UnicodeDecodeError:
            continue
    return ""


SMALL_ROMAN = {chr(code) for code in range(0x2170, 0x2180)}
CIRCLED = {chr(code) for code in range(0x24D0, 0x24EA)}
MEDEFAIDRIN = {chr(code) for code in range(0x16E60, 0x16E80)}
TITLE_CASE_DIGRAPHS = {"\u01c5", "\u01c8", "\u01cb", "\u01f2"}
UNRAISED = SMALL_ROMAN | CIRCLED | MEDEFAIDRIN | TITLE_CASE_DIGRAPHS | {"\ua7b9", "\u0345"}
"""Letters with a capital that Wikimedia's wikis nevertheless leave small at a title's beginning."""


def raised(letter: str) -> str:
    """A title's first letter as MediaWiki stores it where the case is ``first-letter``."""
    if letter in UNRAISED:
        return letter
    capital = letter.upper()
    if len(capital) > 1:
        # Greek with iota subscript has one letter for title case, "\u1f88"; \u00df and the ligatures have none.
        capital = letter.title() if "\u1f80" <= letter <= "\u1fff" else letter
    georgian = "\u1c90" <= capital <= "\u1cbf"
    return letter if georgian or len(capital) > 1 else capital


def canonical(title: str, *, first_letter: bool) -> str:
    words = [word for word in title.split("_") if word]
    joined = "_".join(words)
    return raised(joined[0]) + joined[1:] if joined and first_letter else joined


def excluded_by(title: bytes, prefixes: Collection[str], main_page: str, *, first_letter: bool) -> str | None:
    """The name of the first rule that keeps a logged title out, or None."""
    text = canonical(title.decode("utf-8", "replace"), first_letter=first_letter)
    if text in ("", "-"):
        return "unknown-title"
    # One leading colon only says "not relative to where this link stands".
    name = text.removeprefix(":")
    prefix, colon, _ = name.partition(":")
    if colon and prefix.strip("_").lower() in prefixes:
        return "other-namespace"
    return "main-page" if text == main_page else None


def flag(views: int, mobile: int, hourly: Iterable[int]) -> str | None:
    """Under 5 % or over 95 % mobile from 1,000 views on; more than half in one hour from 10,000 on."""
    if views >= 1_000 and (mobile * 20 < views or mobile * 20 > views * 19):
        return "mobile-share"
    if views >= 10_000 and any(hour * 2 > views for hour in hourly):
        return "burst"
    return None


def rank(hours: list[Tally | None], rule_of: Mapping[bytes, str | None], depth: int) -> dict[str, object]:
    """The answers for some hours, None for one that is missing; ``rule_of`` says what excludes each title."""
    total = merge(hour for hour in hours if hour is not None)
    ranked = {title: views for title, views in total.items() if rule_of[title] is None}
    most = sorted(ranked, key=lambda title: (-sum(ranked[title]), title))[:depth]
    return {
        "project_views": sum(map(sum, total.values())),
        "article_views": sum(map(sum, ranked.values())),
        "excluded": _excluded(total, rule_of),
        "articles_requested": len(ranked),
        "most": [_row(title, ranked[title], hours) for title in most],
        "least": _least(ranked, depth),
        "missing": [place for place, hour in enumerate(hours) if hour is None],
    }


def _row(title: bytes, views: tuple[int, int], hours: list[Tally | None]) -> tuple[object, ...]:
    hourly = [sum((hour or {}).get(title, (0, 0))) for hour in hours]
    return shown(title), sum(views), *views, tuple(hourly), flag(sum(views), views[1], hourly)


def _excluded(total: Tally, rule_of: Mapping[bytes, str | None]) -> list[tuple[str, int, int]]:
    order = ["unknown-title", "other-namespace", "main-page"]
    of_rule = {rule: [sum(total[title]) for title in total if rule_of[title] == rule] for rule in order}
    return [(rule, sum(views), len(views)) for rule, views in of_rule.items() if views]


def _least(ranked: Tally, depth: int) -> tuple[int, int, list[tuple[object, ...]]] | None:
    if not ranked:
        return None
    smallest = min(map(sum, ranked.values()))
    tied = sorted(title for title, views in ranked.items() if sum(views) == smallest)
    return smallest, len(tied), [(shown(title), smallest, *ranked[title]) for title in tied[:depth]]
