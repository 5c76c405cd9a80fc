"""What a wiki says of itself: namespace prefixes, the main page's name, how first letters are treated.

Read from the dump run's ``{db}-{date}-siteinfo-namespaces.json.gz``, which holds the answer of MediaWiki's
``action=query&meta=siteinfo&siprop=general|namespaces|namespacealiases`` (https://www.mediawiki.org/wiki/API:Siteinfo).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from models.errors import CorruptFile

CANONICAL_ORIGIN = "canonical"

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

    ``origin`` is the dump run's date (YYYY-MM-DD), or ``canonical`` where the wiki's own could not be had.
    """

    prefixes: frozenset[str]
    main_page: str
    first_letter: bool
    origin: str


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
        query = json.loads(document)["query"]
        return Siteinfo(
            prefixes=frozenset(normal_prefix(name) for name in _prefixes(query) if name) | CANONICAL.prefixes,
            main_page=str(query["general"]["mainpage"]).replace(" ", "_"),
            first_letter=query["general"]["case"] == "first-letter",
            origin=origin,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorruptFile(f"The siteinfo document cannot be read: {error!r}") from error


def _prefixes(query: Mapping[str, Any]) -> Iterator[str]:
    for namespace in query["namespaces"].values():
        if namespace["id"] != 0:
            yield str(namespace["*"])
            yield str(namespace.get("canonical", ""))
    for alias in query["namespacealiases"]:
        if alias["id"] != 0:
            yield str(alias["*"])
