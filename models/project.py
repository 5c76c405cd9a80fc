"""Wikimedia projects under their three names.

===============  ======================  ==================
project          domain codes            database name
===============  ======================  ==================
en.wikipedia     en, en.m, en.zero       enwiki
de.wikivoyage    de.voy, de.m.voy        dewikivoyage
commons.wikimedia  commons.m, commons.m.m  commonswiki
www.wikidata     www.wd, m.wd            wikidatawiki
===============  ======================  ==================

Domain codes after https://wikitech.wikimedia.org/wiki/Data_Platform/Data_Lake/Traffic/Pageviews
("domain_code"); database names after Wikimedia's own list of wikis.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from models.errors import UnknownProject

DEFAULT_PROJECT = "en.wikipedia"

_SUFFIXES = {
    "wikipedia": "",
    "wikibooks": ".b",
    "wiktionary": ".d",
    "wikinews": ".n",
    "wikiquote": ".q",
    "wikisource": ".s",
    "wikiversity": ".v",
    "wikivoyage": ".voy",
}
_WIKIMEDIA = frozenset(
    (
        "advisory",
        "commons",
        "foundation",
        "incubator",
        "meta",
        "outreach",
        "species",
        "strategy",
        "usability",
        "wikimania",
        "wikitech",
    )
)
_SINGLE = {
    "www.mediawiki": ".w",
    "www.wikidata": ".wd",
    "www.wikimediafoundation": ".f",
    "www.wikisource": ".s",
}
_WIKIFUNCTIONS = "www.wikifunctions"
_DATABASES = {
    "be-tarask.wikipedia": "be_x_oldwiki",
    "www.mediawiki": "mediawikiwiki",
    "www.wikidata": "wikidatawiki",
    "www.wikifunctions": "wikifunctionswiki",
    "www.wikimediafoundation": "foundationwiki",
    "www.wikisource": "sourceswiki",
    "wikitech.wikimedia": "labswiki",
}
_LANGUAGE = re.compile(r"[a-z]{2,12}(-[a-z0-9]{2,12}){0,3}", re.ASCII)


@dataclass(frozen=True, order=True, slots=True)
class Project:
    """One wiki: its name, the domain codes of its two access methods, its database name."""

    name: str
    desktop_codes: tuple[str, ...]
    mobile_codes: tuple[str, ...]
    database: str

    def __str__(self) -> str:
        return self.name


def parse_project(text: str) -> Project:
    """Read ``en.wikipedia``, ``commons.wikimedia``, ``www.wikidata``; a final ``.org`` is forgiven.

    Raises:
        UnknownProject: no Wikimedia project is called that; the message suggests one that is.
    """
    name = text.strip().lower().removesuffix(".org")
    if name in ("wikidata", "mediawiki", "wikifunctions", "wikisource"):
        name = f"www.{name}"
    if name == _WIKIFUNCTIONS:
        # Wikifunctions is logged under the empty domain code, for both access methods.
        return Project(name, ("",), (), _DATABASES[name])
    if name in _SINGLE:
        suffix = _SINGLE[name]
        return Project(name, (f"www{suffix}",), (f"m{suffix}",), _DATABASES[name])
    language, _, family = name.partition(".")
    if family == "wikimedia" and language in _WIKIMEDIA:
        database = _DATABASES.get(name, f"{language}wiki")
        return Project(name, (f"{language}.m",), (f"{language}.m.m",), database)
    if family in _SUFFIXES and _is_language(language):
        return _language_edition(name, language, family)
    raise UnknownProject(f"No Wikimedia project is called {text!r}; {_suggestion(name)}")


def _is_language(text: str) -> bool:
    """Commons' desktop code would be the mobile code of a language called ``commons``."""
    return _LANGUAGE.fullmatch(text) is not None and text != "www" and text not in _WIKIMEDIA


def _language_edition(name: str, language: str, family: str) -> Project:
    suffix = _SUFFIXES[family]
    stem = "wiki" if family == "wikipedia" else family
    database = _DATABASES.get(name, language.replace("-", "_") + stem)
    # .zero was the free-of-charge mobile site; its code occurs until 2018.
    mobile = (f"{language}.m{suffix}", f"{language}.zero{suffix}")
    return Project(name, (f"{language}{suffix}",), mobile, database)


def _suggestion(name: str) -> str:
    language, _, family = name.partition(".")
    families = [*_SUFFIXES] if _is_language(language) else ["wikimedia"] if language in _WIKIMEDIA else []
    near = difflib.get_close_matches(family, families, n=1)
    if near:
        return f"did you mean {language}.{near[0]}?"
    return "a project is written like en.wikipedia, de.wiktionary or commons.wikimedia."
