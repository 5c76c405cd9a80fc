"""Which titles the demo's readers ask for: invented articles, and every oddity that real hour files hold."""

# ruff: noqa: SIM905 - a list of words reads best as words

from __future__ import annotations

import random
from itertools import product

BURST_TITLE = "Great_Teapot_Parade"
"""One hour of the site's first day holds nearly all of this article's views on that day."""

AUTOMATED_TITLE = "Unattended_Signal_Box"
"""An article that hardly any mobile reader asks for."""

ONLY_ELSEWHERE = "Flying_Kettle_Society"
"""Readers ask for this as if it were an article, but only a talk page and a user's page are called so."""

_ADJECTIVES = (
    "Amber Brass Clockwork Copper Drowsy Feathered Floating Glass Hidden Humming Indigo Ivory Lantern-Lit "
    "Marble Midnight Moonlit Northern Paper Patchwork Polite Quiet Rattling Saffron Scarlet Silver Singing "
    "Tangled Upside-Down Velvet Wandering Whistling Woollen"
).split()
_NOUNS = (
    "Almanac Aqueduct Balloon Bicycle Bookshop Carousel Compass Concerto Cupboard Dovecote Ferry Fountain Gazebo "
    "Harbour Hedgehog Kettle Lighthouse Marmalade Meadow Observatory Orchard Parade Pavilion Quilt Sandwich Spoon "
    "Tadpole Teapot Tramway Umbrella Weathervane Windmill"
).split()
_PLACES = "Brindlewick Dunmarrow Farrowmere Ostermoor Pellowby Quandle Tillingby Upper_Snodbury Wexmere".split()
_GERMAN_ADJECTIVES = "Fröhliche Gläserne Grüne Hölzerne Kupferne Nördliche Samtene Schläfrige Stille Süße".split()
_GERMAN_NOUNS = (
    "Bäckerei Brücke Gießkanne Glocke Höhle Laterne Mühle Postkutsche Schnecke Seilbahn Straße Teekanne Turmuhr Wolke"
).split()
_FIRST_SYLLABLES = "brin dor flum grob hux jel lar mip nor pim quo snar tib wum".split()
_LAST_SYLLABLES = "bert dle fle gock kin lop met nock pet rish sker tum wick zel".split()

# Per title: views in an average hour, both access methods together.
_LONG = "Minutes_of_the_" + "Very_" * 93 + "Long_Teapot_Meeting"
_OTHER_NAMESPACES = {
    "Special:Search": 700.0,
    "Special:RecentChanges": 40.0,
    "Talk:Whistling_Teapot": 1.0,
    "talk:Velvet_Lighthouse": 0.4,
    "User:Invented_Ingrid": 2.0,
    "User_talk:Invented_Ingrid": 1.0,
    "File:Whistling_Teapot_1.jpg": 6.0,
    "Image:Whistling_Teapot_2.jpg": 0.5,
    "Wikipedia:About": 9.0,
    "WP:Teapots": 3.0,
    "wp:Lanterns": 0.5,
    "Project:Kettles": 0.5,
    "Category:Invented_teapots": 4.0,
    "category:lower-case_prefix": 1.0,
    "Portal:_Teapots": 0.8,
    "Template__talk:Kettle": 0.5,
}
_ARTICLE_ODDITIES = {
    "Mission:_Unlikely": 30.0,
    "Talkative:_A_Kettle's_Story": 3.0,
    "Help!": 12.0,
    "Media_studies_of_Quandle": 4.0,
    'The_"Strange_Al"_Fictional_Songbook': 3.0,
    '"Strange_Al"_Fictional': 20.0,
    '"Teapots"': 8.0,
    '"Unbalanced_Quilt': 1.5,
    "Back\\slash_Harbour": 2.0,
    "Trailing_Backslash\\": 0.8,
    'Both_\\"Ways\\"_Ferry': 1.5,
    '\\"': 0.6,
    '"': 0.6,
    "C++": 9.0,
    "100%_wool": 4.0,
    "Percent%20Encoded_Teapot": 0.8,
    "Teapot_&_Sons": 3.0,
    "No-Break\u00a0Spoon": 1.2,
    "Ideographic\u3000Spoon": 1.2,
    "Next-Line\u0085Spoon": 0.8,
    "Separated\u2028Spoon": 0.8,
    "\U0001fad6_(emoji)": 2.5,
    "Caf\u00e9_Imaginaire": 3.0,
    "Cafe\u0301_Imaginaire": 0.8,
    "銅のランタン協会": 1.5,
    "إبريق_الشاي_النحاسي": 1.5,
    "élan_Imaginaire": 0.8,
    "whistling_Teapot": 1.2,
    "Whistling__Teapot": 0.8,
    "Whistling_Teapot_": 0.8,
    "_Whistling_Teapot": 0.5,
    _LONG: 1.0,
    "=SUM(A1:A9)": 1.2,
    "+1_Teapot": 1.0,
    "@Teapot": 1.0,
    "-1_Teapot": 0.8,
    "Red_\x1b[31mKettle\x1b[0m_Alert": 0.8,
    "[bold]Kettle[/bold]": 0.8,
    "[/bold]_Unopened_Markup": 0.6,
    "Ode_to_:teapot:": 0.8,
    "Either|Or_Teapot": 0.8,
}
_INVALID_UTF8 = {
    b"Caf\xe9_Latin": 0.8,
    b"Caf\xe8_Latin": 0.6,
    b"Half_a_Character_\xe2\x82": 0.6,
    b"Broken_\xff\xfe_Bytes": 0.6,
}

ENGLISH_ODDITIES = {
    b"-": 1500.0,
    b"Main_Page": 2600.0,
    **{title.encode(): views for title, views in (_OTHER_NAMESPACES | _ARTICLE_ODDITIES).items()},
    **_INVALID_UTF8,
}
GERMAN_ODDITIES = {
    title.encode(): views
    for title, views in {
        "-": 150.0,
        "Wikipedia:Hauptseite": 300.0,
        "Spezial:Suche": 90.0,
        "Special:Search": 3.0,
        "Diskussion:Gläserne_Brücke": 0.8,
        "Talk:Gläserne_Brücke": 0.5,
        "Benutzer:Erfundene_Erika": 1.5,
        "Benutzerin:Erfundene_Erika": 0.8,
        "Datei:Teekanne_1.jpg": 1.5,
        "Kategorie:Teekanne": 1.5,
        "WP:Teekannen": 0.5,
        "gläserne_Brücke": 0.5,
        'Die_"Stille"_Wolke': 1.0,
        "Mission:_Unwahrscheinlich": 2.0,
    }.items()
}
COMMONS_ODDITIES = {
    b"-": 20.0,
    b"Main_Page": 60.0,
    b"Special:Search": 40.0,
    b"Special:MediaSearch": 30.0,
    b"Commons:Welcome": 3.0,
    b"COM:Teapots": 0.8,
    b"User:Invented_Ingrid": 0.8,
}
WIKTIONARY_ODDITIES = {
    b"-": 20.0,
    b"Wiktionary:Main_Page": 50.0,
    b"Special:Search": 40.0,
    b"Appendix:Invented_words": 1.5,
    b"appendix:Invented_words": 0.5,
    b"WT:About_Teapots": 0.5,
    b"Flumpet": 2.0,
    b"flumpet": 9.0,
}
WIKIFUNCTIONS_ODDITIES = {b"Wikifunctions:Main_Page": 12.0, b"Special:Search": 1.5}


def english_articles(rng: random.Random) -> list[str]:
    """700 article titles, the most popular first."""
    plain = [f"{adjective}_{noun}" for adjective, noun in product(_ADJECTIVES, _NOUNS)]
    local = [f"{noun}_of_{place}" for noun, place in product(_NOUNS, _PLACES)]
    return rng.sample(plain + local, 700)


def german_articles(rng: random.Random) -> list[str]:
    """140 article titles, the most popular first."""
    names = [f"{adjective}_{noun}" for adjective, noun in product(_GERMAN_ADJECTIVES, _GERMAN_NOUNS)]
    return rng.sample(names, len(names))


def commons_pages(rng: random.Random) -> list[str]:
    """90 titles of files, categories and a few galleries, the most popular first."""
    names = [f"{adjective}_{noun}" for adjective, noun in product(_ADJECTIVES, _NOUNS)]
    files, categories, galleries = (rng.sample(names, n) for n in (60, 20, 10))
    pages = [f"File:{name}.jpg" for name in files] + [f"Category:{name}" for name in categories] + galleries
    return rng.sample(pages, len(pages))


def wiktionary_entries(rng: random.Random) -> list[str]:
    """120 invented words, the most popular first; every sixth has a capitalised namesake."""
    words = [a + b for a, b in product(_FIRST_SYLLABLES, _LAST_SYLLABLES) if a + b != "flumpet"]
    chosen = rng.sample(words, 103)
    return rng.sample(chosen + [word.capitalize() for word in chosen[:17]], 120)


def wikifunctions_objects(rng: random.Random) -> list[str]:
    """12 object ids, the most popular first."""
    return [f"Z{number}" for number in rng.sample(range(801, 26_000), 12)]
