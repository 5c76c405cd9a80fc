"""What the demo's wikis say about themselves: namespaces, their aliases, the main page, the case of first letters.

The names are those of the real wikis (``action=query&meta=siteinfo``), shortened to what a title may need.
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST_LETTER = "first-letter"
CASE_SENSITIVE = "case-sensitive"

_CANONICAL = {
    -2: "Media",
    -1: "Special",
    0: "",
    1: "Talk",
    2: "User",
    3: "User talk",
    4: "Project",
    5: "Project talk",
    6: "File",
    7: "File talk",
    8: "MediaWiki",
    9: "MediaWiki talk",
    10: "Template",
    11: "Template talk",
    12: "Help",
    13: "Help talk",
    14: "Category",
    15: "Category talk",
}
_GERMAN = {
    -2: "Medium",
    -1: "Spezial",
    1: "Diskussion",
    2: "Benutzer",
    3: "Benutzer Diskussion",
    6: "Datei",
    7: "Datei Diskussion",
    9: "MediaWiki Diskussion",
    10: "Vorlage",
    11: "Vorlage Diskussion",
    12: "Hilfe",
    13: "Hilfe Diskussion",
    14: "Kategorie",
    15: "Kategorie Diskussion",
}
# MediaWiki raises the first letter in these whatever the wiki's own rule is (NamespaceInfo::isCapitalized).
_ALWAYS_RAISED = frozenset({-1, 2, 3, 8, 9})


@dataclass(frozen=True, slots=True)
class Namespace:
    """One namespace: its local name and its canonical one, both with blanks."""

    id: int
    name: str
    canonical: str
    case: str


@dataclass(frozen=True, slots=True)
class SiteInfo:
    """One wiki's own description. ``aliases`` are pairs of a namespace's id and another name for it."""

    site_name: str
    language: str
    main_page: str
    case: str
    namespaces: tuple[Namespace, ...]
    aliases: tuple[tuple[int, str], ...]


def _namespaces(local: dict[int, str], more: dict[int, str], *, case: str = FIRST_LETTER) -> tuple[Namespace, ...]:
    canonical = _CANONICAL | more
    return tuple(
        Namespace(n, local.get(n, name), name, FIRST_LETTER if n in _ALWAYS_RAISED else case)
        for n, name in sorted(canonical.items())
    )


def _project(name: str, talk: str = "talk") -> dict[int, str]:
    return {4: name, 5: f"{name} {talk}"}


ENGLISH_WIKIPEDIA = SiteInfo(
    "Wikipedia",
    "en",
    "Main Page",
    FIRST_LETTER,
    _namespaces(
        _project("Wikipedia"),
        {100: "Portal", 101: "Portal talk", 118: "Draft", 119: "Draft talk", 828: "Module", 829: "Module talk"},
    ),
    ((4, "WP"), (4, "Project"), (5, "WT"), (5, "Project talk"), (6, "Image"), (7, "Image talk"), (10, "TM")),
)
GERMAN_WIKIPEDIA = SiteInfo(
    "Wikipedia",
    "de",
    "Wikipedia:Hauptseite",
    FIRST_LETTER,
    _namespaces(
        _GERMAN
        | _project("Wikipedia", "Diskussion")
        | {101: "Portal Diskussion", 828: "Modul", 829: "Modul Diskussion"},
        {100: "Portal", 101: "Portal talk", 828: "Module", 829: "Module talk"},
    ),
    ((2, "Benutzerin"), (3, "Benutzerin Diskussion"), (3, "BD"), (4, "WP"), (5, "WD"), (6, "Bild"), (12, "H")),
)
COMMONS = SiteInfo(
    "Wikimedia Commons",
    "en",
    "Main Page",
    FIRST_LETTER,
    _namespaces(_project("Commons"), {100: "Creator", 101: "Creator talk", 486: "Data", 487: "Data talk"}),
    ((4, "COM"), (6, "Image"), (7, "Image talk"), (14, "CAT")),
)
ENGLISH_WIKTIONARY = SiteInfo(
    "Wiktionary",
    "en",
    "Wiktionary:Main Page",
    CASE_SENSITIVE,
    _namespaces(
        _project("Wiktionary"),
        {100: "Appendix", 101: "Appendix talk", 106: "Rhymes", 107: "Rhymes talk", 110: "Thesaurus"},
        case=CASE_SENSITIVE,
    ),
    ((4, "WT"), (6, "Image"), (7, "Image talk"), (10, "T"), (100, "AP")),
)
WIKIFUNCTIONS = SiteInfo(
    "Wikifunctions",
    "en",
    "Wikifunctions:Main Page",
    FIRST_LETTER,
    _namespaces(_project("Wikifunctions"), {}),
    ((4, "WF"), (6, "Image"), (7, "Image talk")),
)
