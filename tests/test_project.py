"""Wikimedia projects under their three names."""

from __future__ import annotations

import itertools
import re
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import FAMILIES, LANGUAGES, LAW

from models.errors import UnknownProject
from models.project import DEFAULT_PROJECT, Project, parse_project

WIKIMEDIA = (
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
SUFFIX = dict(zip(FAMILIES, ["", ".b", ".d", ".n", ".q", ".s", ".v", ".voy"], strict=True))
EVERY_NAME = (
    *(f"{language}.{family}" for language in LANGUAGES for family in FAMILIES),
    *(f"{name}.wikimedia" for name in WIKIMEDIA),
    *("www.wikidata", "www.mediawiki", "www.wikimediafoundation", "www.wikisource", "www.wikifunctions"),
)


@pytest.mark.parametrize(
    ("name", "desktop", "mobile", "database"),
    [
        ("en.wikipedia", "en", "en.m en.zero", "enwiki"),
        ("simple.wikipedia", "simple", "simple.m simple.zero", "simplewiki"),
        ("be-tarask.wikipedia", "be-tarask", "be-tarask.m be-tarask.zero", "be_x_oldwiki"),
        ("zh-min-nan.wikipedia", "zh-min-nan", "zh-min-nan.m zh-min-nan.zero", "zh_min_nanwiki"),
        ("en.wikibooks", "en.b", "en.m.b en.zero.b", "enwikibooks"),
        ("de.wiktionary", "de.d", "de.m.d de.zero.d", "dewiktionary"),
        ("zh-min-nan.wiktionary", "zh-min-nan.d", "zh-min-nan.m.d zh-min-nan.zero.d", "zh_min_nanwiktionary"),
        ("fr.wikinews", "fr.n", "fr.m.n fr.zero.n", "frwikinews"),
        ("it.wikiquote", "it.q", "it.m.q it.zero.q", "itwikiquote"),
        ("ru.wikisource", "ru.s", "ru.m.s ru.zero.s", "ruwikisource"),
        ("pt.wikiversity", "pt.v", "pt.m.v pt.zero.v", "ptwikiversity"),
        ("de.wikivoyage", "de.voy", "de.m.voy de.zero.voy", "dewikivoyage"),
        ("commons.wikimedia", "commons.m", "commons.m.m", "commonswiki"),
        ("meta.wikimedia", "meta.m", "meta.m.m", "metawiki"),
        ("species.wikimedia", "species.m", "species.m.m", "specieswiki"),
        ("incubator.wikimedia", "incubator.m", "incubator.m.m", "incubatorwiki"),
        ("wikitech.wikimedia", "wikitech.m", "wikitech.m.m", "labswiki"),
        ("www.wikidata", "www.wd", "m.wd", "wikidatawiki"),
        ("www.mediawiki", "www.w", "m.w", "mediawikiwiki"),
        ("www.wikimediafoundation", "www.f", "m.f", "foundationwiki"),
        ("www.wikisource", "www.s", "m.s", "sourceswiki"),
    ],
)
def test_three_names(name, desktop, mobile, database):
    """A project's domain codes and database name are those of Wikimedia's tables."""
    project = parse_project(name)
    assert project == Project(name, tuple(desktop.split()), tuple(mobile.split()), database)


def test_wikifunctions_has_the_empty_domain_code():
    """Both access methods of Wikifunctions are logged under the empty code."""
    project = parse_project("wikifunctions")
    assert (project.desktop_codes, project.mobile_codes, project.database) == (("",), (), "wikifunctionswiki")


@pytest.mark.parametrize(("language", "family"), [*itertools.product(LANGUAGES, FAMILIES)])
def test_codes_follow_the_shape(language, family):
    """A code is the language, ``.m`` (once ``.zero``) if mobile, and the family's suffix."""
    project, suffix = parse_project(f"{language}.{family}"), SUFFIX[family]
    assert project.desktop_codes == (language + suffix,)
    assert set(project.mobile_codes) == {f"{language}.m{suffix}", f"{language}.zero{suffix}"}


def test_every_name_reads_back():
    """A project's own name, shouted, with blanks around it or with .org, is the same project."""
    for name in EVERY_NAME:
        project = parse_project(name)
        assert str(project) == name
        assert {parse_project(text) for text in (name.upper(), f" {name}\n", f"{name}.org", f"{name}.ORG")} == {project}


@pytest.mark.parametrize("name", ["wikidata", "mediawiki", "wikifunctions", "wikisource"])
def test_www_is_forgiven(name):
    """A project without languages needs no ``www.``."""
    assert parse_project(name) == parse_project(f"www.{name}.org")


def test_the_default_is_english_wikipedia():
    """The default project exists and is English Wikipedia."""
    assert parse_project(DEFAULT_PROJECT).database == "enwiki"


def test_no_two_projects_share_a_code_or_a_database():
    """What is counted for one project is never counted for another."""
    projects = [parse_project(name) for name in EVERY_NAME if name != "www.wikimediafoundation"]
    codes = [code for project in projects for code in (*project.desktop_codes, *project.mobile_codes)]
    assert len(set(codes)) == len(codes)
    assert len({project.database for project in projects}) == len(projects)


def test_no_accepted_name_shares_a_code_with_another():
    """Also of names that only look like projects, those that are accepted have no code in common."""
    first_parts = ("en", "m", "mm", "zero", "voy", "wd", "en-m", "en-zero", "en-voy", "www", *WIKIMEDIA)
    names = [".".join(parts) for parts in itertools.product(first_parts, (*FAMILIES, "wikimedia"))]
    projects = [project for project in map(_project_or_none, names) if project]
    owners = Counter(code for project in projects for code in (*project.desktop_codes, *project.mobile_codes))
    assert [code for code, owning in owners.items() if owning > 1] == []


@pytest.mark.parametrize(
    "name", [f"{name}.wikipedia" for name in ("www", *WIKIMEDIA)] + ["www.wikibooks", "www.wikivoyage"]
)
def test_what_is_no_language_has_no_language_edition(name):
    """``commons.wikipedia`` would count Commons' desktop views as mobile, ``www.wikipedia`` nothing."""
    with pytest.raises(UnknownProject):
        parse_project(name)


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("en.wikipeda", "en.wikipedia"),
        ("de.wikitionary", "de.wiktionary"),
        ("fr.wikibook", "fr.wikibooks"),
        ("zh-min-nan.wikipaedia", "zh-min-nan.wikipedia"),
        ("commons.wikimeda", "commons.wikimedia"),
        ("en.m.wikipedia.org", "en.wikipedia"),
        ("commons.wikipedia", "commons.wikimedia"),
    ],
)
def test_a_misspelling_is_answered_with_the_right_name(text, suggestion):
    """The message names the project that was probably meant."""
    with pytest.raises(UnknownProject, match=rf"did you mean {re.escape(suggestion)}\?"):
        parse_project(text)


@pytest.mark.parametrize(
    "text", ["", " ", ".", "en", "enwiki", "wikipedia", ".wikipedia", "en.", "en..wikipedia", "e_n.wikipedia"]
)
def test_what_is_no_name_is_answered_with_examples(text):
    """The message quotes what was written and shows how a project is written."""
    with pytest.raises(UnknownProject, match=r"en\.wikipedia") as caught:
        parse_project(text)
    assert repr(text) in str(caught.value)


NEAR = st.from_regex(r"(en|nl|de|commons|meta|www|zh-min-nan|m)\.(m\.)?wiki[a-z]{0,9}(\.org)?", fullmatch=True)


@LAW
@given(st.one_of(st.text(max_size=30), NEAR))
@example("nl.wikimedia")
@example("en.wikimedai")
@example("de.wikimediafoundation")
@example("www.wikidta")
@example("\u212a\u0130.wikipedia")
@example("\ud800.wikipedia")
def test_any_text_is_a_project_or_our_error_whose_suggestion_exists(text):
    """Any text gives a project that reads back or UnknownProject, and whoever follows a suggestion gets a project."""
    try:
        project = parse_project(text)
    except UnknownProject as error:
        suggested = re.search(r"did you mean (\S+)\?", str(error))
        assert suggested is None or parse_project(suggested[1])
    else:
        assert parse_project(project.name) == project
        assert project.database.isascii()


def _project_or_none(text: str) -> Project | None:
    try:
        return parse_project(text)
    except UnknownProject:
        return None
