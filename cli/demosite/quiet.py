"""Articles that the demo's wikis have and nobody asks for, or hardly anybody."""

# ruff: noqa: SIM905 - a list of words reads best as words

from __future__ import annotations

from itertools import product

QUIET_BUT_LINKED = "Kettle_of_Seven_Spouts"
"""Nobody asks for this article by its title, but a redirect leads there."""

SAME_AS_CATEGORY = "Invented_teapots"
"""An article and a category have this name, and only the article's page calls itself hidden."""

_EVENTS = ("Great_Marmalade_Shortage", "Lesser_Umbrella_War", "Treaty", "Night_of_the_Long_Spoons", "Tramway_Schism")
_EVENT_PLACES = "Brindlewick Dunmarrow Farrowmere Ostermoor Pellowby Quandle Tillingby Wexmere Snodbury".split()
_ODD = (
    "Knots),(7,0,'tied_badly",
    "Cupboard's_End",
    "'",
    '"Nobody"_Asked',
    "Path\\to\\Nowhere",
    "Ends_in_backslash_\\",
    "Question?_(no_answer)",
    "無人駅の傘",
    "Ærø_of_the_Mind",
    "𐌔ilent_𐌓unes",
    "-_-",
)

ENGLISH = (
    QUIET_BUT_LINKED,
    SAME_AS_CATEGORY,
    *_ODD,
    *(f"{event}_of_{place}" for event, place in product(_EVENTS, _EVENT_PLACES)),
)
RARE_ENGLISH = (
    "'Tis_a_Kettle",
    '"Rarely"_(album)',
    "Zwieback_Inquiry",
    "Éclair_of_Nowhere",
    "Æthelkettle",
    "傘のない駅",
    "𐌀lmost_𐌀bsent",
    "Back\\water_(village)",
    *(f"{event}_of_{place}" for event, place in product(("Quiet_Election", "Lost_Ferry", "Tin_Bell"), _EVENT_PLACES)),
)
"""Each is asked for about once a day, so that many tie for the least requested."""

GERMAN = (
    "Vergessene_Gießkanne",
    "Straße_ohne_Häuser",
    '"Niemand"_(Oper)',
    "Übersehene_Teekanne",
    "Ölkrise_von_Brindelwick",
    "Wolke_Nr._9",
    "Wohin's_geht",
    "Leise_Lawine",
)
RARE_GERMAN = ("Äußerste_Teekanne", "Zwölfte_Wolke", '"Kaum"_(Oper)', "Letzte_Postkutsche", "Ödes_Ufer")
COMMONS = ("Unphotographed_teapots", "Blurred_kettles", "Empty_gallery_(2)")
RARE_COMMONS = ("Rarely_seen_teapots", "Écuelles_oubliées")
WIKTIONARY = ("abflumpet", "Unflumpet", "'flump", "flumpetoid", "Ärflump", "flumpetless")
RARE_WIKTIONARY = ("zumpet", "Zumpet", "ärpet", "'pet", "unwumpet")
