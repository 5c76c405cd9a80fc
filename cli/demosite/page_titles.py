"""Which of the titles that readers ask for a wiki could have as a page, and in which namespace.

The rules are MediaWiki's, https://www.mediawiki.org/wiki/Manual:Page_title and https://en.wikipedia.org/wiki/WP:NC-TECH.
"""

from __future__ import annotations

import re
import unicodedata

from cli.demosite.siteinfo import FIRST_LETTER, SiteInfo

MOST_BYTES = 255

# Blanks of any kind become ``_``, ``%41`` would be read as ``A``, and U+FFFD is what broken bytes become.
_IMPOSSIBLE = re.compile(
    "[\x00-\x20\x7f#<>\\[\\]{}|\xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufffd]"
    "|%[0-9A-Fa-f]{2}|~~~|^:|^\\.{1,2}$|^$"
)


def existing_page(title: bytes, info: SiteInfo) -> tuple[int, bytes] | None:
    """The namespace and the title, as MediaWiki stores it, of the page this leads to; None where none can exist."""
    try:
        text = title.decode()
    except UnicodeDecodeError:
        return None
    namespace, name = _split(_tidy(text), info)
    stored = _raised(name, _case_of(namespace, info))
    if namespace < 0 or not _is_possible(stored):
        return None
    return namespace, stored.encode()


def _split(text: str, info: SiteInfo) -> tuple[int, str]:
    prefix, colon, name = text.partition(":")
    namespace = _prefixes(info).get(prefix.rstrip("_").lower()) if colon else None
    return (0, text) if namespace is None else (namespace, _tidy(name))


def _prefixes(info: SiteInfo) -> dict[str, int]:
    names = [(name, space.id) for space in info.namespaces if space.id for name in (space.name, space.canonical)]
    names += [(alias, number) for number, alias in info.aliases]
    return {name.replace(" ", "_").lower(): number for name, number in names}


def _case_of(namespace: int, info: SiteInfo) -> str:
    return next(space.case for space in info.namespaces if space.id == namespace)


def _tidy(text: str) -> str:
    return re.sub("_+", "_", text).strip("_")


def _raised(name: str, case: str) -> str:
    capital = name[:1].upper()
    return capital + name[1:] if case == FIRST_LETTER and len(capital) == 1 else name


def _is_possible(stored: str) -> bool:
    """Unlike upstream's logs, a wiki has no page whose title is not in Unicode's composed form."""
    fits = len(stored.encode()) <= MOST_BYTES
    return fits and not _IMPOSSIBLE.search(stored) and unicodedata.is_normalized("NFC", stored)
