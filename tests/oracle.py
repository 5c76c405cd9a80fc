"""What hour files, tallies and rankings mean, in plain slow Python.

Loops and dicts only, no regular expression, no frame and no code of the product: the product is compared with this.
A tally here is a dict from the title's bytes to (desktop, mobile). Sources: the pageviews format of Wikimedia
(https://wikitech.wikimedia.org/wiki/Data_Platform/Data_Lake/Traffic/Pageviews), the definitions of the answers, and
MediaWiki's treatment of first letters on Wikimedia's wikis (operations/mediawiki-config, UcfirstOverrides.php).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

Tally = Mapping[bytes, tuple[int, int]]

MOST_DIGITS = 9
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


Value = bytes | int | float | None
ESCAPED = {b"0"[0]: 0, b"n"[0]: 0x0A, b"r"[0]: 0x0D, b"Z"[0]: 0x1A}
APOSTROPHE = b"'"[0]


def sql_columns(text: bytes) -> list[str]:
    """The names of the columns in a dump's CREATE TABLE, in their order."""
    definitions = text.partition(b"CREATE TABLE")[2].partition(b"\n)")[0].split(b"\n")[1:]
    return [line.split(b"`")[1].decode() for line in definitions if line.startswith(b"  `")]


def sql_rows(text: bytes) -> list[tuple[Value, ...]]:
    """The rows of one table's dump, read a byte at a time from each INSERT to its semicolon."""
    rows, place = [], 0
    while (place := text.find(b"\nINSERT INTO `", place)) >= 0:
        place = text.index(b"` VALUES", place) + len(b"` VALUES")
        while text[place : place + 1] != b";":
            if text[place : place + 1] == b"(":
                row, place = _sql_row(text, place + 1)
                rows.append(row)
            else:
                assert text[place : place + 1] in (b",", b" ", b"\n"), text[place - 20 : place + 20]
                place += 1
    return rows


def _sql_row(text: bytes, place: int) -> tuple[tuple[Value, ...], int]:
    values: list[Value] = []
    while True:
        value, place = _sql_string(text, place + 1) if text[place] == APOSTROPHE else _sql_word(text, place)
        values.append(value)
        if text[place : place + 1] == b")":
            return tuple(values), place + 1
        assert text[place : place + 1] == b",", text[place - 20 : place + 20]
        place += 1


def _sql_string(text: bytes, place: int) -> tuple[bytes, int]:
    plain = bytearray()
    while (byte := text[place]) != APOSTROPHE:
        if byte == BACKSLASH:
            place += 1
            byte = ESCAPED.get(text[place], text[place])
        plain.append(byte)
        place += 1
    return bytes(plain), place + 1


def _sql_word(text: bytes, place: int) -> tuple[Value, int]:
    end = min(found for mark in (b",", b")") if (found := text.find(mark, place)) >= 0)
    word = text[place:end].decode()
    if word == "NULL":
        return None, end
    return (int(word) if word.lstrip("-").isdigit() else float(word)), end


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


RULES = ("unknown-title", "other-namespace", "main-page", "no-such-article")


def _excluded(total: Tally, rule_of: Mapping[bytes, str | None]) -> list[tuple[str, int, int]]:
    of_rule = {rule: [sum(total[title]) for title in total if rule_of[title] == rule] for rule in RULES}
    return [(rule, sum(views), len(views)) for rule, views in of_rule.items() if views]


def _least(ranked: Tally, depth: int) -> tuple[int, int, list[tuple[object, ...]]] | None:
    if not ranked:
        return None
    smallest = min(map(sum, ranked.values()))
    tied = sorted(title for title, views in ranked.items() if sum(views) == smallest)
    return smallest, len(tied), [(shown(title), smallest, *ranked[title]) for title in tied[:depth]]


class Pages(NamedTuple):
    """A wiki's articles, the targets of its redirects, and which categories its articles are in; all as title bytes.

    ``redirects`` are those of namespace 0 that lead to a title of namespace 0 in the same wiki, article or not.
    """

    articles: Collection[bytes]
    redirects: Mapping[bytes, bytes]
    categories: Mapping[bytes, Collection[bytes]]
    hidden: Collection[bytes]


def pages_of_dumps(texts: Mapping[str, bytes], main_page: bytes) -> Pages:
    """What the SQL dumps of one run say, by table; ``categorylinks`` may be in any of its schemas.

    Source: https://www.mediawiki.org/wiki/Manual:Database_layout. An article is a page of namespace 0 that is neither
    a redirect nor the main page.
    """
    tables = {
        table: [dict(zip(sql_columns(text), row, strict=True)) for row in sql_rows(text)]
        for table, text in texts.items()
    }
    main = {page["page_id"]: page for page in tables["page"] if page["page_namespace"] == 0}
    redirects = {number: page["page_title"] for number, page in main.items() if page["page_is_redirect"]}
    articles = {number: page["page_title"] for number, page in main.items() if number not in redirects}
    articles = {number: title for number, title in articles.items() if title != main_page}
    names = {target["lt_id"]: target["lt_title"] for target in tables["linktarget"] if target["lt_namespace"] == 14}
    categories: dict[bytes, set[bytes]] = {}
    for link in tables["categorylinks"]:
        name = link["cl_to"] if "cl_to" in link else names.get(link["cl_target_id"])
        if name is not None and link["cl_from"] in articles and link["cl_type"] == b"page":
            categories.setdefault(articles[link["cl_from"]], set()).add(name)
    hiding = {about["pp_page"] for about in tables["page_props"] if about["pp_propname"] == b"hiddencat"}
    leads_to = {
        redirects[row["rd_from"]]: row["rd_title"]
        for row in tables["redirect"]
        if row["rd_from"] in redirects and row["rd_namespace"] == 0 and not row["rd_interwiki"]
    }
    hidden = {
        page["page_title"] for page in tables["page"] if page["page_namespace"] == 14 and page["page_id"] in hiding
    }
    return Pages(frozenset(articles.values()), leads_to, categories, hidden)


def article_of(title: bytes, pages: Pages, *, first_letter: bool) -> tuple[bytes, bool] | None:
    """The article that a logged title leads to, and whether it does so through a redirect; one step, not two."""
    name = canonical(title.decode("utf-8", "replace"), first_letter=first_letter).encode()
    if name in pages.articles:
        return name, False
    if name in pages.redirects and pages.redirects[name] in pages.articles:
        return pages.redirects[name], True
    return None


def rank_articles(
    hours: list[Tally | None], rule_of: Mapping[bytes, str | None], pages: Pages, depth: int, *, first_letter: bool
) -> dict[str, object]:
    """As ``rank``, by the articles that exist: what ``rule_of`` lets pass is looked up, and may be no such article.

    A row of ``most`` is (title, views, desktop, mobile, through redirects, hourly, flag), one of ``least`` its first
    five. ``least`` is (views, tied, unrequested, rows); ``categories`` are (category, views, articles requested).
    """
    total = merge(hour for hour in hours if hour is not None)
    rules, article, redirected = dict(rule_of), {}, set()
    for title in total:
        if rules[title] is not None:
            continue
        found = article_of(title, pages, first_letter=first_letter)
        if found is None:
            rules[title] = "no-such-article"
            continue
        article[title], through_redirect = found
        if through_redirect:
            redirected.add(title)
    ranked = _by_article(total, article)
    through = _by_article({title: views for title, views in total.items() if title in redirected}, article)
    hourly = [_by_article(hour or {}, article) for hour in hours]

    def row(name: bytes) -> tuple[object, ...]:
        return shown(name), sum(ranked[name]), *ranked[name], sum(through.get(name, (0, 0)))

    def full_row(name: bytes) -> tuple[object, ...]:
        each = tuple(sum(hour.get(name, (0, 0))) for hour in hourly)
        return *row(name), each, flag(sum(ranked[name]), ranked[name][1], each)

    most = sorted(ranked, key=lambda name: (-sum(ranked[name]), name))[:depth]
    smallest = min(map(sum, ranked.values()), default=0)
    tied = sorted(name for name, views in ranked.items() if sum(views) == smallest)
    unrequested = len(set(pages.articles) - set(ranked))
    return {
        "project_views": sum(map(sum, total.values())),
        "article_views": sum(map(sum, ranked.values())),
        "excluded": _excluded(total, rules),
        "articles_requested": len(ranked),
        "most": [full_row(name) for name in most],
        "least": (smallest, len(tied), unrequested, [row(name) for name in tied[:depth]]) if ranked else None,
        "categories": top_categories({name: sum(views) for name, views in ranked.items()}, pages)[:depth],
        "missing": [place for place, hour in enumerate(hours) if hour is None],
    }


def _by_article(tally: Tally, article: Mapping[bytes, bytes]) -> dict[bytes, tuple[int, int]]:
    return merge({article[title]: views} for title, views in tally.items() if title in article)


def top_categories(views_of: Mapping[bytes, int], pages: Pages) -> list[tuple[str, int, int]]:
    """Category, views, articles requested: an article counts fully in each of its categories that is not hidden."""
    views: dict[bytes, int] = {}
    articles: dict[bytes, int] = {}
    for name in views_of:
        for category in set(pages.categories.get(name, ())) - set(pages.hidden):
            views[category] = views.get(category, 0) + views_of[name]
            articles[category] = articles.get(category, 0) + 1
    order = sorted(views, key=lambda category: (-views[category], category))
    return [(shown(category), views[category], articles[category]) for category in order]
