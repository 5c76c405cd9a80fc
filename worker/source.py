"""A source: the base URL of the dumps site or of a mirror, and who answers there.

URLs come from outside: settings, options, redirects. One that two parsers could understand in two ways is refused.
"""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit, urlunsplit

from models.errors import SourceRefused, UsageError

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?|[0-9a-f:.]*:[0-9a-f:.]*", re.ASCII)
_NOT_IN_URLS = re.compile(r"[\x00-\x20\x7f\\]")
_WIKIMEDIA = re.compile(
    r"(.+\.)?((mediawiki|toolforge|wiki(books|data|functions|media|mediafoundation|news|pedia|quote|source|versity|voyage)"
    r"|wiktionary|wmcloud|wmflabs)\.org|w\.wiki)"
)


def parse_source(text: str) -> str:
    """Read a source's base URL: ``https://dumps.wikimedia.org``, a mirror with a path, a server on loopback.

    The answer has no trailing slash, and scheme and host in lower case. Plain http is for mirrors and loopback.

    Raises:
        UsageError: it is no http or https URL, has a query or fragment, or is a Wikimedia host without https.
    """
    url = text.strip()
    scheme, host, port = origin(url)
    parts = urlsplit(url)
    if parts.query or parts.fragment:
        raise UsageError(f"The source {without_credentials(url)} must not have a query or fragment.")
    if is_wikimedia(url) and scheme != "https":
        raise UsageError(f"Wikimedia's hosts are asked over https only: https://{host}.")
    user, at, _ = parts.netloc.rpartition("@")
    place = f"[{host}]" if ":" in host else host
    shown_port = "" if port == _PORTS[scheme] else f":{port}"
    return f"{scheme}://{user}{at}{place}{shown_port}{parts.path.rstrip('/')}"


def parse_sources(text: str) -> tuple[str, ...]:
    """Read several sources, with commas or white space between them; one that is named twice counts once.

    Raises:
        UsageError: there is none, or one of them cannot be read.
    """
    sources = [parse_source(part) for part in re.split(r"[,\s]+", text) if part]
    if not sources:
        raise UsageError("no source is named; sources are written like https://dumps.wikimedia.org.")
    places: dict[object, str] = {}
    for source in sources:
        places.setdefault((origin(source), urlsplit(source).path), source)
    return tuple(places.values())


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of an http or https URL: who answers it.

    Raises:
        UsageError: the text is no such URL, or one that two parsers could understand in two ways.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        plain = parts.scheme in _PORTS and _HOST.fullmatch(host) and not _NOT_IN_URLS.search(url)
    except (ValueError, KeyError):
        plain = None
    if not plain:
        raise UsageError("A source is written like https://dumps.wikimedia.org; what is set is not.")
    return parts.scheme, host.removesuffix("."), port


def shown_origin(url: str) -> str:
    """Scheme, host and port, as messages may show them.

    Raises:
        UsageError: it is no http or https URL.
    """
    return "{}://{}:{}".format(*origin(url))


def is_wikimedia(url: str) -> bool:
    """Whether Wikimedia answers this URL, so that its policies hold."""
    return _WIKIMEDIA.fullmatch(origin(url)[1]) is not None


def without_credentials(url: str) -> str:
    """The URL without user, password, query and fragment, as messages and records may show it.

    Raises:
        UsageError: it is no http or https URL.
    """
    origin(url)
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def redirected(url: str, location: str) -> str:
    """Where a redirect leads: to the same host and port, or to https on the same host.

    Raises:
        SourceRefused: it leads anywhere else.
    """
    here, shown = origin(url), without_credentials(url)
    try:
        place = urljoin(url, location)
        there = origin(place)
    except (ValueError, UsageError):
        raise SourceRefused(f"{shown} redirects to what is no http address.") from None
    if there != here and (here[0], *there[:2]) != ("http", "https", here[1]):
        raise SourceRefused(f"{shown} redirects to another place, {shown_origin(place)}.")
    return place
