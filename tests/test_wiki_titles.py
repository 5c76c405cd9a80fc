"""Logged titles judged by the rules of one wiki."""

from __future__ import annotations

import sys
import unicodedata
from dataclasses import replace

import oracle
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import LAW, titles

from models.answer import Rule
from models.siteinfo import CANONICAL, Siteinfo, normal_prefix
from worker.wiki.titles import canonical_titles, excluding_rules

GERMAN = Siteinfo(
    prefixes=CANONICAL.prefixes
    | set(map(normal_prefix, ["Benutzer", "Benutzer Diskussion", "BD", "Wikipedia", "Ägypten"])),
    main_page="Wikipedia:Hauptseite",
    first_letter=True,
    origin="2016-08-01",
)
GREEK = replace(CANONICAL, prefixes=CANONICAL.prefixes | {normal_prefix("Χρήστης"), normal_prefix("Συζήτηση χρήστη")})
ENGLISH_DICTIONARY = replace(CANONICAL, main_page="Wiktionary:Main_Page", first_letter=False)
PIECES = (
    "Talk",
    "TALK",
    "uSER",
    "user_talk",
    "Help",
    "Media",
    "_",
    "__",
    ":",
    "::",
    "-",
    "Main",
    "Page",
    "main",
    "x",
    "ß",
    "É",
    "\xa0",
    "\0",
)


def canonical(title, *, first_letter=True):
    return canonical_titles(pl.Series([title]), first_letter=first_letter)[0]


def rule_of(title, siteinfo=CANONICAL):
    (rule,) = excluding_rules(pl.Series([title], dtype=pl.Binary), siteinfo)
    return rule


@pytest.mark.parametrize(
    ("logged", "stored"),
    [
        ("Simon_Pegg", "Simon_Pegg"),
        ("simon_Pegg", "Simon_Pegg"),
        ("__simon___Pegg__", "Simon_Pegg"),
        ("_a", "A"),
        ("_", ""),
        ("___", ""),
        ("", ""),
        ("-", "-"),
        ("élan", "Élan"),
        ("ñandu", "Ñandu"),
        ("жук", "Жук"),
        ("ÿ", "Ÿ"),
        ("\u0131stanbul", "Istanbul"),
        ("ǆ", "Ǆ"),
        ("\U00010428x", "\U00010400x"),
        ("ßuper", "ßuper"),
        ("ŉ", "ŉ"),
        ("ﬁsh", "ﬁsh"),
        ("ქართული", "ქართული"),
        ("小説", "小説"),
        ("1a", "1a"),
        ("'tis", "'tis"),
        ("iPod_iPad", "IPod_iPad"),
        ("a:b_c", "A:b_c"),
        ("\xa0a", "\xa0a"),
    ],
)
def test_canonical_titles(logged, stored):
    """Runs of ``_`` become one, ends are trimmed, the first letter is raised where it has one capital letter."""
    assert canonical(logged) == stored


@pytest.mark.parametrize("letter", ["ⅱ", "ⅿ", "ⓐ", "ⓩ", "ǅ", "ǈ", "ǋ", "ǲ", "\ua7b9", "\U00016e60", "\u0345"])
def test_letters_that_wikimedia_leaves_small(letter):
    """Some letters have a capital that titles on Wikimedia's wikis don't take (UcfirstOverrides.php)."""
    assert canonical(f"{letter}x") == f"{letter}x"


@pytest.mark.parametrize(
    ("letter", "capital"), [("ᾀ", "ᾈ"), ("ᾗ", "ᾟ"), ("ᾧ", "ᾯ"), ("ᾳ", "ᾼ"), ("ῃ", "ῌ"), ("ῳ", "ῼ")]
)
def test_greek_with_iota_subscript(letter, capital):
    """Greek letters with iota subscript take their title case, which is one letter (UcfirstOverrides.php)."""
    assert canonical(f"{letter}δω") == f"{capital}δω"


def test_every_letter_is_raised_as_mediawiki_does():
    """Over all letters of Python's Unicode, the stored form is the oracle's; newer capitals are not judged."""
    letters = [
        chr(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in ("Ll", "Lt", "Nl", "So", "Mn")
    ]
    stored = canonical_titles(pl.Series(letters), first_letter=True)
    wrong = {
        letter: found
        for letter, found in zip(letters, stored, strict=True)
        if found != oracle.raised(letter) and unicodedata.category(found) != "Cn"
    }
    assert wrong == {}


@pytest.mark.parametrize("title", ["iPod", "ß", "élan", "a:b"])
def test_case_sensitive_wikis_keep_their_first_letters(title):
    """Where titles are case-sensitive, only underscores are put in order."""
    assert canonical(f"_{title}__x_", first_letter=False) == f"{title}_x"


@LAW
@given(st.lists(st.text("_aAßéЖა:- \0\U00010428", max_size=8)), st.booleans())
def test_canonical_titles_equal_the_oracle(logged, first_letter):
    """Any titles take the oracle's form, one for one and in order, and doing it twice changes nothing."""
    stored = canonical_titles(pl.Series(logged, dtype=pl.String), first_letter=first_letter)
    assert stored.to_list() == [oracle.canonical(title, first_letter=first_letter) for title in logged]
    assert canonical_titles(stored, first_letter=first_letter).equals(stored)


@pytest.mark.parametrize(
    "title",
    [
        "Help!",
        "Help",
        "Helper:x",
        "Media_studies",
        "Mediation:_a_play",
        "Mission:_Impossible",
        "Talk",
        "Talk_",
        "Talk_show:_a_novel",
        "Table_talk:x",
        "User's:x",
        "X:Talk:y",
        "Star_Trek:_User:x",
        "2:Talk",
        ":",
        "::",
        "_:_",
        ":x",
        "--",
        "Main_page",
        "Main_Page_2",
        "MainPage",
        "Wikipedia:x",
        "WP:x",
        "C++",
        "\ufffd",
    ],
)
def test_articles_that_look_like_something_else(title):
    """A prefix counts only whole, in front of a colon and if the wiki lists it; other titles stay."""
    assert rule_of(title.encode()) is None


@pytest.mark.parametrize(
    "title",
    [
        "Talk:x",
        "talk:x",
        "TALK:x",
        "tALK:X:Y",
        "Talk:",
        "Talk::",
        "Talk:_",
        "_Talk:x",
        "_Talk_:x",
        "__talk__:__x",
        "User_talk:x",
        "user__talk:x",
        "USER_TALK_:x",
        "category:x",
        "Special:Search",
        "Media:x.ogg",
        "Image_talk:x",
        "Project:x",
        "MediaWiki_talk:x",
        ":Talk:x",
        ":_talk_:x",
        "Talk:Main_Page",
        "Tal\u212a:x",
    ],
)
def test_pages_of_other_namespaces(title):
    """Canonical prefixes work on every wiki, in any case, with ``_`` around and doubled, and behind a first colon."""
    assert rule_of(title.encode()) == Rule.OTHER_NAMESPACE


@pytest.mark.parametrize(
    "title", ["Benutzer:x", "BENUTZER_diskussion:x", "bd:x", "ägypten:x", "User:x", "Benutzer__Diskussion_:x"]
)
def test_local_names_and_aliases(title):
    """A wiki's local names and aliases exclude like the canonical ones."""
    assert rule_of(title.encode(), GERMAN) == Rule.OTHER_NAMESPACE


@pytest.mark.parametrize("title", ["Χρήστης:x", "χρήστης:x", "ΧΡΉΣΤΗΣ:x", "συζήτηση_ΧΡΉΣΤΗ:x"])
def test_case_is_ignored_beyond_ascii(title):
    """Prefixes match in any case in any script, final sigma too."""
    assert rule_of(title.encode(), GREEK) == Rule.OTHER_NAMESPACE


@pytest.mark.parametrize("title", [b"Talk:\xff", b"\x74alk:caf\xe9", b"user__talk:\xe2\x80", b"File:\xed\xa0\x80.jpg"])
def test_a_prefix_before_bytes_that_are_no_utf8(title):
    """A broken title with a namespace's prefix is that namespace's."""
    assert rule_of(title) == Rule.OTHER_NAMESPACE


@pytest.mark.parametrize("title", [b"\xff", b"Caf\xe9", b"Talk\xff:x", b"\xffTalk:x", b"Main_Page\xff"])
def test_a_broken_title_is_no_reason(title):
    """A title that is no UTF-8 is not excluded for that."""
    assert rule_of(title) is None


@pytest.mark.parametrize("title", ["", "-", "_", "__", "_-_", "-_"])
def test_unknown_titles(title):
    """Nothing, and the dash that stands for an unknown title, name no page."""
    assert rule_of(title.encode()) == Rule.UNKNOWN_TITLE


@pytest.mark.parametrize("title", ["Main_Page", "main_Page", "Main__Page_", "_main___Page"])
def test_main_page(title):
    """The main page in every form that leads to it by the wiki's rules."""
    assert rule_of(title.encode()) == Rule.MAIN_PAGE


def test_a_main_page_in_another_namespace_falls_under_the_earlier_rule():
    """German Wikipedia's main page is excluded as another namespace's, and ``Main_Page`` is not its main page."""
    assert rule_of(b"Wikipedia:Hauptseite", GERMAN) == Rule.OTHER_NAMESPACE
    assert rule_of(b"Main_Page", GERMAN) is None


def test_a_main_page_in_an_unlisted_namespace_is_still_the_main_page():
    """The main page's own rule holds even where its colon is no namespace's."""
    assert rule_of(b"Wiktionary:Main_Page", ENGLISH_DICTIONARY) == Rule.MAIN_PAGE
    assert rule_of(b"wiktionary:Main_Page", ENGLISH_DICTIONARY) is None
    assert rule_of(b"talk:x", ENGLISH_DICTIONARY) == Rule.OTHER_NAMESPACE


def test_every_canonical_prefix_excludes():
    """Each of MediaWiki's own namespaces is recognised, shouted and whispered."""
    named = [f"{prefix}:x" for prefix in CANONICAL.prefixes] + [f"{prefix.upper()}:x" for prefix in CANONICAL.prefixes]
    rules = excluding_rules(pl.Series([title.encode() for title in named]), CANONICAL)
    assert set(rules) == {Rule.OTHER_NAMESPACE}


@LAW
@given(st.lists(titles()), st.sampled_from([CANONICAL, GERMAN, GREEK, ENGLISH_DICTIONARY]))
def test_rules_equal_the_oracle_for_hostile_titles(logged, site):
    """Any bytes get the oracle's rule, one for one and in order."""
    assert excluding_rules(pl.Series(logged, dtype=pl.Binary), site).to_list() == _expected(logged, site)


@LAW
@given(
    st.lists(st.lists(st.sampled_from(PIECES), max_size=5).map("".join).map(str.encode)),
    st.sampled_from([CANONICAL, GERMAN, ENGLISH_DICTIONARY]),
)
def test_rules_equal_the_oracle_for_titles_made_of_prefixes(logged, site):
    """Titles put together from prefixes, colons, underscores and dashes get the oracle's rule."""
    assert excluding_rules(pl.Series(logged, dtype=pl.Binary), site).to_list() == _expected(logged, site)


def _expected(logged, site):
    return [
        oracle.excluded_by(title, site.prefixes, site.main_page, first_letter=site.first_letter) for title in logged
    ]
