"""What a wiki says of itself: namespace prefixes, the main page's name, how first letters are treated.

Read from the dump run's ``{db}-{date}-siteinfo-namespaces.json.gz``, which holds the answer of MediaWiki's
``action=query&meta=siteinfo&siprop=general|namespaces|namespacealiases`` (https://www.mediawiki.org/wiki/API:Siteinfo).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from models.errors import CorruptFile

_T = TypeVar("_T")

CANONICAL_ORIGIN = "canonical"
CATEGORY_NAMESPACE = 14

_CANONICAL_NAMES = (
    "Media",
    "Special",
    "Talk",
    "User",
    "User talk",
    "Project",
    "Project talk",
    "File",
    "File talk",
    "Image",
    "Image talk",
    "MediaWiki",
    "MediaWiki talk",
    "Template",
    "Template talk",
    "Help",
    "Help talk",
    "Category",
    "Category talk",
)
"""MediaWiki's own namespaces, https://www.mediawiki.org/wiki/Help:Namespaces; they work on every wiki."""


@dataclass(frozen=True, slots=True)
class Siteinfo:
    """Namespace prefixes (lower case, ``_`` for blanks), the main page's title, and where both came from.

    ``category_prefixes`` are those that mean a category. ``origin`` is the dump run's date (YYYY-MM-DD), or
    ``canonical`` where the wiki's own could not be had.
    """

    prefixes: frozenset[str]
    main_page: str
    first_letter: bool
    origin: str
    category_prefixes: frozenset[str] = frozenset({"category"})


def normal_prefix(name: str) -> str:
    """The form in which prefixes are compared: ``User talk`` is ``user_talk``."""
    return name.replace(" ", "_").lower()


CANONICAL = Siteinfo(
    prefixes=frozenset(normal_prefix(name) for name in _CANONICAL_NAMES),
    main_page="Main_Page",
    first_letter=True,
    origin=CANONICAL_ORIGIN,
)


def parse_siteinfo(document: bytes | str, origin: str) -> Siteinfo:
    """Read a siteinfo document.

    Raises:
        CorruptFile: the document is not JSON or has not the shape of siteinfo.
    """
    try:
        # Decoded here, because json.loads would take UTF-16 too, and text is what is kept.
        text = document.decode("utf-8-sig") if isinstance(document, bytes) else document
        query = json.loads(text)["query"]
        return Siteinfo(
            prefixes=frozenset(normal_prefix(name) for name in _prefixes(query) if name) | CANONICAL.prefixes,
            main_page=_typed(query["general"]["mainpage"], str).replace(" ", "_"),
            first_letter=_typed(query["general"]["case"], str) == "first-letter",
            origin=origin,
            category_prefixes=frozenset(normal_prefix(name) for name in _prefixes(query, of=CATEGORY_NAMESPACE))
            | {"category"},
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CorruptFile(f"The siteinfo document cannot be read: {error!r}") from error


def _prefixes(query: Mapping[str, Any], of: int | None = None) -> Iterator[str]:
    """The names of one namespace, or of all but the articles'."""

    def wanted(number: object) -> bool:
        return _typed(number, int) == of if of is not None else _typed(number, int) != 0

    for namespace in query["namespaces"].values():
        if wanted(namespace["id"]):
            yield _typed(namespace["*"], str)
            yield _typed(namespace.get("canonical", ""), str)
    for alias in query["namespacealiases"]:
        if wanted(alias["id"]):
            yield _typed(alias["*"], str)


def _typed(value: object, kind: type[_T]) -> _T:
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    if isinstance(value, str):
        value.encode()  # JSON can hold half of a surrogate pair, which is no text
    return value
