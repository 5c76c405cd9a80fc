"""What a wiki says of itself, and documents that are broken."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import LAW

from models.errors import CorruptFile
from models.siteinfo import CANONICAL, Siteinfo, normal_prefix, parse_siteinfo

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)
NODES = (
    ("query",),
    ("query", "general"),
    ("query", "general", "mainpage"),
    ("query", "general", "case"),
    ("query", "namespaces"),
    ("query", "namespaces", "2"),
    ("query", "namespaces", "2", "id"),
    ("query", "namespaces", "2", "*"),
    ("query", "namespaces", "2", "canonical"),
    ("query", "namespacealiases"),
    ("query", "namespacealiases", 0),
    ("query", "namespacealiases", 0, "id"),
    ("query", "namespacealiases", 0, "*"),
)
NEEDED = tuple(node for node in NODES if node[-1] != "canonical")


def document() -> dict[str, object]:
    """A German wiki's siteinfo, cut down to a few namespaces."""
    return {
        "batchcomplete": "",
        "query": {
            "general": {"mainpage": "Wikipedia:Haupt seite", "case": "first-letter", "lang": "de"},
            "namespaces": {
                "-1": {"id": -1, "case": "first-letter", "canonical": "Special", "*": "Spezial"},
                "0": {"id": 0, "case": "first-letter", "*": ""},
                "2": {"id": 2, "case": "first-letter", "canonical": "User", "*": "Benutzer"},
                "3": {"id": 3, "case": "first-letter", "canonical": "User talk", "*": "Benutzer Diskussion"},
                "4": {"id": 4, "case": "first-letter", "canonical": "Project", "*": "Wikipedia"},
                "100": {"id": 100, "case": "first-letter", "canonical": "Portal", "*": "Themen"},
                "2300": {"id": 2300, "case": "case-sensitive", "*": "Modul\u00c4"},
            },
            "namespacealiases": [{"id": 4, "*": "WP"}, {"id": 3, "*": "BD"}, {"id": 0, "*": "Artikel"}],
        },
    }


def with_node(path: tuple[str | int, ...], value: object) -> str:
    whole = document()
    place = whole
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return json.dumps(whole)


def test_names_canonical_names_and_aliases_are_prefixes():
    """Local names, English names and aliases are all prefixes, in small letters and with ``_`` for blanks."""
    site = parse_siteinfo(json.dumps(document()), "2016-08-01")
    wanted = {
        "spezial",
        "special",
        "benutzer",
        "user",
        "benutzer_diskussion",
        "user_talk",
        "wikipedia",
        "portal",
        "themen",
    }
    assert wanted | {"wp", "bd", "modul\u00e4"} | CANONICAL.prefixes == site.prefixes
    assert (site.main_page, site.first_letter, site.origin) == ("Wikipedia:Haupt_seite", True, "2016-08-01")


def test_articles_have_no_prefix():
    """The empty name of namespace 0, and an alias of it, exclude nothing."""
    prefixes = parse_siteinfo(json.dumps(document()), "x").prefixes
    assert prefixes.isdisjoint({"", "artikel"})


@pytest.mark.parametrize(("case", "first_letter"), [("first-letter", True), ("case-sensitive", False)])
def test_case_of_first_letters(case, first_letter):
    """The wiki's own word decides whether first letters are raised."""
    assert parse_siteinfo(with_node(("query", "general", "case"), case), "x").first_letter is first_letter


def test_bytes_and_text_are_the_same_document():
    """The document reads the same as bytes, with a byte order mark, and as text."""
    text = json.dumps(document(), ensure_ascii=False)
    assert (
        parse_siteinfo(text, "x") == parse_siteinfo(text.encode(), "x") == parse_siteinfo(text.encode("utf-8-sig"), "x")
    )


def test_canonical_names_are_in_normal_form():
    """The fallback's prefixes are what normal_prefix makes of MediaWiki's English names."""
    assert {"talk", "user_talk", "mediawiki_talk", "category", "special", "image"} <= CANONICAL.prefixes
    assert all(prefix == normal_prefix(prefix) for prefix in CANONICAL.prefixes)


@LAW
@given(JSON)
def test_any_json_is_siteinfo_or_corrupt(value):
    """A document of any JSON value gives siteinfo or CorruptFile, nothing else."""
    _read_or_refuse(json.dumps(value))


@LAW
@given(st.sampled_from(NODES), JSON)
@example(("query", "namespaces", "2", "id"), float("inf"))
@example(("query", "namespaces", "2", "id"), "2")
def test_siteinfo_with_any_node_replaced_is_siteinfo_or_corrupt(path, value):
    """Whatever stands in one place of a good document, it is read or refused with CorruptFile."""
    _read_or_refuse(with_node(path, value))


@LAW
@given(st.binary(max_size=60))
def test_any_bytes_are_siteinfo_or_corrupt(document):
    """Bytes that are no JSON, or no text at all, are refused with CorruptFile."""
    _read_or_refuse(document)


@pytest.mark.parametrize("path", NEEDED, ids=lambda path: "/".join(map(str, path)))
def test_null_is_no_part_of_siteinfo(path):
    """A null where a name, a list or a number belongs is a broken document, not a page called None."""
    with pytest.raises(CorruptFile):
        parse_siteinfo(with_node(path, None), "x")


@pytest.mark.parametrize("value", [0, True, ["Main Page"]])
@pytest.mark.parametrize(
    "path", [path for path in NEEDED if path[-1] in ("mainpage", "*", "case")], ids=lambda path: path[-1]
)
def test_a_name_is_text(path, value):
    """A name that is a number, a list or an object is refused: written out, it would be a prefix nobody meant."""
    with pytest.raises(CorruptFile):
        parse_siteinfo(with_node(path, value), "x")


@pytest.mark.parametrize("path", NEEDED, ids=lambda path: "/".join(map(str, path)))
def test_a_missing_part_is_corrupt(path):
    """Each part that is read must be there, or no wiki could be told from another."""
    whole = document()
    place = whole
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    if path[-1] in ("2", 0):
        assert isinstance(parse_siteinfo(json.dumps(whole), "x"), Siteinfo)
        return
    with pytest.raises(CorruptFile):
        parse_siteinfo(json.dumps(whole), "x")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"query": null}',
        "<html>Too many requests</html>",
        json.dumps(document())[:-3],
        b"\x1f\x8b",
        b"\xff",
    ],
)
def test_broken_documents_are_corrupt(text):
    """An empty, cut or altogether different document is refused with CorruptFile."""
    with pytest.raises(CorruptFile):
        parse_siteinfo(text, "x")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"query":' * 100_000, "9" * 10_000])
def test_extreme_json_is_corrupt(text):
    """JSON nested deeper than Python follows, and a number of more digits than it reads, are refused like any other."""
    with pytest.raises(CorruptFile):
        parse_siteinfo(text, "x")


def _read_or_refuse(text: str | bytes) -> None:
    with suppress(CorruptFile):
        site = parse_siteinfo(text, "x")
        assert CANONICAL.prefixes <= site.prefixes
        assert all(prefix and prefix == normal_prefix(prefix) for prefix in site.prefixes)


def test_what_means_a_category():
    """The local name of namespace 14, its canonical name and its aliases; English works on every wiki."""
    query = {
        "general": {"mainpage": "Hauptseite", "case": "first-letter"},
        "namespaces": {
            "0": {"id": 0, "*": ""},
            "14": {"id": 14, "*": "Kategorie", "canonical": "Category"},
            "15": {"id": 15, "*": "Kategorie Diskussion", "canonical": "Category talk"},
        },
        "namespacealiases": [{"id": 14, "*": "Kat"}, {"id": 15, "*": "KD"}],
    }
    found = parse_siteinfo(json.dumps({"query": query}), "2024-01-01")
    assert found.category_prefixes == {"kategorie", "category", "kat"}
    assert CANONICAL.category_prefixes == {"category"}
