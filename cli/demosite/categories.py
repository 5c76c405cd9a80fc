"""The names of the categories of the demo's wikis."""

from __future__ import annotations

from dataclasses import dataclass

from cli.demosite.quiet import SAME_AS_CATEGORY


@dataclass(frozen=True, slots=True)
class CategoryNames:
    """What articles, and other pages, are put into.

    ``visible`` go from the fullest to the emptiest. The ``twins`` always have the same articles as each other, so that
    only their names tell them apart. ``pageless`` categories have members but no page; ``hidden`` ones say so on
    theirs. What is ``of_quiet_articles`` holds only articles that nobody asks for.
    """

    visible: tuple[str, ...]
    hidden: tuple[str, ...]
    twins: tuple[str, str]
    pageless: tuple[str, ...]
    of_quiet_articles: str
    of_redirects: tuple[str, ...]
    of_talk_pages: tuple[str, ...]
    of_files: tuple[str, ...]
    of_categories: tuple[str, ...]

    @property
    def with_page(self) -> tuple[str, ...]:
        others = self.of_redirects + self.of_talk_pages + self.of_files + self.of_categories
        return (*self.visible, *self.hidden, *self.twins, self.of_quiet_articles, *others)


ENGLISH = CategoryNames(
    visible=(
        SAME_AS_CATEGORY,
        "Kettles_of_the_invented_world",
        "Things_that_whistle",
        "O'Kettle_family",
        "Bridges,_ferries_and_other_ways_across",
        'Songs_"sung"_by_nobody',
        "Lighthouses_(unlit)",
        "Cafés_imaginaires",
        "Buildings_with_more_cupboards_than_rooms",
        "Back\\slash_cuisine",
        "銅のランタン",
        "Mountains_that_are_really_hills",
        "Hats_named_after_villages",
        "Villages_named_after_hats",
        "1823_in_marmalade",
        "Extinct_sandwiches",
        "Things),(1,'pretended",
        "Unfinished_symphonies_for_spoon",
        "Weather_of_Brindlewick",
        "Dunmarrow_Tramway_stations",
        "Polite_animals",
        "Rivers_flowing_uphill",
        "Umbrellas_lost_on_Tuesdays",
        "Clockwork_royalty",
        "Museums_of_quiet_things",
        "Hedgehog_literature",
        "Balloon_disasters_without_injuries",
        "Recipes_requiring_a_ladder",
        "100%_wool",
        "Sports_played_indoors_by_mistake",
        "Orchards_at_night",
        "Чайники",
        "Élan_vital_(machines)",
        "\U0001fad6",
        "Ends_in_backslash\\",
        "=_(sign)",
    ),
    hidden=(
        "Articles_with_short_description",
        "All_articles_with_unsourced_teapots",
        'Pages_using_the_"kettle"_template',
        "Use_dmy_dates_from_January_2024",
        "CS1_maint:_lost_spoons",
        "O'Kettle's_cleanup_list_(2023),_part_2",
    ),
    twins=("Things_made_of_brass", "Ærial_things_made_of_brass"),
    pageless=("Red-linked_kettles", "Kettles,_red-linked", "'_(apostrophes)"),
    of_quiet_articles="Things_nobody_asked_for",
    of_redirects=("Redirects_from_moves", "Redirects_from_misspellings"),
    of_talk_pages=("Talk_pages_without_manners",),
    of_files=("Photographs_of_invented_teapots",),
    of_categories=("Main_topic_classifications",),
)
GERMAN = CategoryNames(
    visible=(
        "Teekanne",
        "Straßen_ohne_Häuser",
        "Brücke_(erfunden)",
        'Ölgemälde,_die_"niemand"_malte',
        "Süßspeise",
        "Turmuhr",
        "Übersehenes_Bauwerk",
        "Postwesen_(O'Hausen)",
    ),
    hidden=("Wikipedia:Unbelegt", "Artikel_mit_Teekannenvorlage"),
    twins=("Zinn", "Äther"),
    pageless=("Rotlink_(Kanne)",),
    of_quiet_articles="Vergessenes",
    of_redirects=("Falschschreibung",),
    of_talk_pages=("Wikipedia:Diskussion",),
    of_files=("Datei:Teekannen",),
    of_categories=("!Hauptkategorie",),
)
COMMONS = CategoryNames(
    visible=("Galleries_of_teapots", 'Galleries_of_"kettles"', "Featured_galleries,_invented"),
    hidden=("Pages_with_maps_of_nowhere",),
    twins=("Teapots", "Théières"),
    pageless=("Galleries_to_be_sorted",),
    of_quiet_articles="Galleries_nobody_opens",
    of_redirects=("Gallery_redirects",),
    of_talk_pages=("Talk_about_galleries",),
    of_files=("CC-BY-Teapot-4.0", "Brass_in_Brindlewick"),
    of_categories=("Topics",),
)
WIKTIONARY = CategoryNames(
    visible=(
        "English_lemmas",
        "English_nouns",
        'English_words_ending_in_"-pet"',
        "English_terms_with_apostrophes_(')",
        "en:Kettles",
    ),
    hidden=("Pages_with_1_entry", "English_entries_with_incorrect_language_header"),
    twins=("Rhymes:English/ʌmpit", "Words_without_meaning"),
    pageless=("en:Spoons",),
    of_quiet_articles="Words_nobody_looks_up",
    of_redirects=("Redirects_of_plurals",),
    of_talk_pages=("Talk_of_words",),
    of_files=("Audio_of_words",),
    of_categories=("Fundamental",),
)
