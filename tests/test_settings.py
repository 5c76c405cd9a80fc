"""What the environment says, and values that cannot be used."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from settings_samples import PASSWORD, check_refusal, settings_or_complaint
from sqlalchemy import make_url
from store_samples import opened
from strategies import LAW

from models.errors import UsageError
from worker.client import open_http
from worker.context import open_context
from worker.settings import DEFAULT_SOURCE, LogFormat, Settings, read_settings, remap_sigterm

NAMES = (
    "WIKIQ_CONTACT",
    "WIKIQ_SOURCE",
    "WIKIQ_SOURCES",
    "WIKIQ_DUMPS_SOURCE",
    "WIKIQ_DATA_DIR",
    "WIKIQ_DATABASE_URL",
    "WIKIQ_BROKER_URL",
)
EVERYTHING = {
    "WIKIQ_CONTACT": "someone@example.org",
    "WIKIQ_SOURCE": "https://mirror.example.org/wikimedia",
    "WIKIQ_DUMPS_SOURCE": "https://dumps.example.org",
    "WIKIQ_DATA_DIR": "/srv/wikiq",
    "WIKIQ_DATABASE_URL": "postgresql+psycopg://me@db.example.org/wikiq",
    "WIKIQ_BROKER_URL": "redis://broker.example.org/3",
}

UNUSABLE = [
    ("WIKIQ_LOG_FORMAT", "xml"),
    ("WIKIQ_SOURCE", "dumps.wikimedia.org"),
    ("WIKIQ_SOURCE", "ftp://dumps.wikimedia.org"),
    ("WIKIQ_SOURCE", "http://dumps.wikimedia.org"),
    ("WIKIQ_SOURCE", "https://mirror.example.org/?a=b"),
    ("WIKIQ_SOURCE", "https://mirror.example.org:port"),
    ("WIKIQ_SOURCES", " , "),
    ("WIKIQ_SOURCES", "https://dumps.wikimedia.org, mirror.example.org"),
    ("WIKIQ_SOURCES", f"https://me:{PASSWORD}@mirror.example.org https://me:{PASSWORD}@mirror.example.org:port"),
    ("WIKIQ_DUMPS_SOURCE", "dumps.example.org"),
    ("WIKIQ_DATA_DIR", "~nobody-of-this-name/wikiq"),
    ("WIKIQ_CONTACT", "J\u00fcrgen"),
    ("WIKIQ_CONTACT", "me@example.org\r\nX-Evil: yes"),
]


def test_everything_can_be_set():
    """Each variable sets what it names, and nothing else is read."""
    assert read_settings({**EVERYTHING, "HOME": "/nowhere", "DATABASE_URL": "x"}) == Settings(
        data_dir=Path("/srv/wikiq"),
        database_url="postgresql+psycopg://me@db.example.org/wikiq",
        broker_url="redis://broker.example.org/3",
        sources=("https://mirror.example.org/wikimedia",),
        contact="someone@example.org",
        dumps_source="https://dumps.example.org",
    )


def test_nothing_need_be_set():
    """Without a variable: Wikimedia's site, no broker, no contact, a SQLite file in the user's data directory."""
    directory = platformdirs.user_data_path("wikiq")
    assert read_settings({}) == Settings(
        data_dir=directory,
        database_url=f"sqlite:///{directory / 'wikiq.sqlite'}",
        broker_url=None,
        sources=(DEFAULT_SOURCE,),
        contact=None,
    )


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_variable_is_unset(name):
    """A variable that is set to nothing is as if it were not set."""
    others = {other: value for other, value in EVERYTHING.items() if other != name}
    assert read_settings({**others, name: ""}) == read_settings(others)


def test_the_process_environment_is_read(monkeypatch):
    """Without an argument the process's own environment counts, at the time of the call."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    assert read_settings() == read_settings({})
    for name, value in EVERYTHING.items():
        monkeypatch.setenv(name, value)
    assert read_settings() == read_settings(EVERYTHING)


def test_the_users_data_directory_follows_the_platform(monkeypatch, tmp_path):
    """Where the platform lets users move their data, wikiq's moves along."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert read_settings({}).data_dir == platformdirs.user_data_path("wikiq")


def test_the_database_lies_in_the_data_directory_unless_set():
    """A data directory alone moves the SQLite file; a database's own URL comes first."""
    assert read_settings({"WIKIQ_DATA_DIR": "/srv/x"}).database_url == "sqlite:////srv/x/wikiq.sqlite"
    both = {"WIKIQ_DATA_DIR": "/srv/x", "WIKIQ_DATABASE_URL": "sqlite:////srv/y.sqlite"}
    assert read_settings(both).database_url == "sqlite:////srv/y.sqlite"
    assert read_settings(both).downloads_dir == Path("/srv/x/downloads")


def test_a_directory_is_made_absolute(monkeypatch, tmp_path):
    """A relative directory is of the place where wikiq was started, and ~ is the user's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert read_settings({"WIKIQ_DATA_DIR": "data"}).data_dir == tmp_path / "data"
    assert read_settings({"WIKIQ_DATA_DIR": "~/data"}).data_dir == tmp_path / "home" / "data"


@pytest.mark.parametrize(("value", "form"), [("", LogFormat.TEXT), ("json", LogFormat.JSON), ("JSON", LogFormat.JSON)])
def test_log_formats(value, form):
    """Logs are text unless JSON is asked for."""
    assert read_settings({"WIKIQ_LOG_FORMAT": value}).log_format is form


def test_a_user_without_a_home(monkeypatch):
    """Who has no home directory only needs to say where the data belongs."""

    def homeless(_name):
        raise RuntimeError("no home directory")

    monkeypatch.setattr(platformdirs, "user_data_path", homeless)
    assert read_settings({"WIKIQ_DATA_DIR": "/data"}).data_dir == Path("/data")
    with pytest.raises(UsageError, match="WIKIQ_DATA_DIR"):
        read_settings({})


@pytest.mark.parametrize(("name", "value"), UNUSABLE)
def test_a_value_that_cannot_be_used(name, value):
    """The error is about what the user set: it names the variable, in one line, and shows no password."""
    check_refusal(name, value)


@LAW
@given(st.sampled_from(NAMES), st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20))
def test_any_value_is_settings_or_our_error(name, value):
    """Whatever stands in a variable, the answer is settings or an error that names it."""
    found = settings_or_complaint({name: value})
    if isinstance(found, Settings):
        assert found.data_dir.is_absolute()
        open_http(found.contact, "test")
    else:
        assert name in found


def test_where_the_dumps_are():
    """SQL dumps come from their own source if one is set, else from the one asked for, else from the source."""
    plain = read_settings({"WIKIQ_SOURCE": "https://mirror.example.org"})
    assert plain.source_of_dumps(None) == "https://mirror.example.org"
    assert plain.source_of_dumps("https://other.example.org") == "https://other.example.org"
    apart = read_settings(EVERYTHING)
    assert apart.source_of_dumps(None) == apart.source_of_dumps("https://other.example.org") == apart.dumps_source


@pytest.mark.parametrize(
    "text",
    [
        "https://dumps.wikimedia.org,https://mirror.example.org/wikimedia",
        "\n  https://dumps.wikimedia.org\n  https://mirror.example.org/wikimedia\n",
        " https://dumps.wikimedia.org/ ,, HTTPS://mirror.example.org:443/wikimedia/ https://dumps.wikimedia.org",
    ],
)
def test_several_sources(text):
    """Commas and white space stand between sources; the first is the origin, one that is named twice counts once."""
    settings = read_settings({"WIKIQ_SOURCES": text})
    assert settings.sources == ("https://dumps.wikimedia.org", "https://mirror.example.org/wikimedia")
    assert settings.source == settings.source_of_dumps(None) == "https://dumps.wikimedia.org"
    assert settings.sources_of_hours(None) == settings.sources
    assert settings.sources_of_hours("https://other.example.org") == ("https://other.example.org",)


def test_what_answers_elsewhere_is_another_source():
    """Scheme, host, port and path tell sources apart; credentials do not, and the first ones named are used."""
    apart = ["https://a.example.org", "http://a.example.org", "https://a.example.org:8443", "https://a.example.org/x"]
    again = [f"https://me:{PASSWORD}@a.example.org", "https://a.example.org/x/"]
    assert read_settings({"WIKIQ_SOURCES": " ".join([*apart, *again])}).sources == tuple(apart)
    assert PASSWORD in read_settings({"WIKIQ_SOURCES": " ".join([*again, *apart])}).sources[0]


def test_one_source_or_several():
    """Who sets both variables is told which one to unset; one of them empty is as if it were not set."""
    both = {"WIKIQ_SOURCE": "https://a.example.org", "WIKIQ_SOURCES": "https://a.example.org https://b.example.org"}
    with pytest.raises(UsageError, match=r"WIKIQ_SOURCE and WIKIQ_SOURCES are both set; unset WIKIQ_SOURCE"):
        read_settings(both)
    assert read_settings({**both, "WIKIQ_SOURCES": ""}).sources == ("https://a.example.org",)
    assert len(read_settings({**both, "WIKIQ_SOURCE": ""}).sources) == 2


def test_passwords_are_not_shown():
    """The settings' own representation may stand in a log or a traceback."""
    with_passwords = {
        "WIKIQ_SOURCE": f"https://me:{PASSWORD}@mirror.example.org",
        "WIKIQ_DATABASE_URL": f"postgresql://me:{PASSWORD}@db/wikiq",
        "WIKIQ_BROKER_URL": f"redis://:{PASSWORD}@broker",
    }
    settings = read_settings(with_passwords)
    assert PASSWORD in settings.source
    several = f"https://a.example.org https://me:{PASSWORD}@mirror.example.org"
    assert PASSWORD not in repr(read_settings({"WIKIQ_SOURCES": several}))
    assert PASSWORD not in repr(settings)
    assert PASSWORD not in str(settings)


def test_a_contexts_representation_shows_no_password(tmp_path):
    """Neither does that of the context that is made of them."""
    environment = {"WIKIQ_DATA_DIR": str(tmp_path), "WIKIQ_SOURCE": f"https://me:{PASSWORD}@mirror.example.org"}
    context = open_context(read_settings(environment))
    try:
        assert PASSWORD not in repr(context)
    finally:
        context.engine.dispose()


@pytest.mark.parametrize("name", ["plain", "a b", "ä", "a?b", "a#b", "a%20b", "a%", "a@b:c", "a;b", "'", "a\\b", "?"])
def test_the_database_is_in_the_directory_whatever_it_is_called(tmp_path, name):
    """The SQLite file is made exactly where the data directory is, and nothing beside it."""
    settings = read_settings({"WIKIQ_DATA_DIR": str(tmp_path / name)})
    with opened(settings.database_url):
        assert list(tmp_path.iterdir()) == [tmp_path / name]
        assert (tmp_path / name / "wikiq.sqlite").is_file()


def test_the_database_url_is_one(tmp_path):
    """The default URL is read back as the file that is meant."""
    settings = read_settings({"WIKIQ_DATA_DIR": str(tmp_path)})
    assert make_url(settings.database_url).database == str(tmp_path / "wikiq.sqlite")


def test_sigterm_is_remapped_unless_set(monkeypatch):
    """Celery's worker hands its tasks back on SIGTERM; who set something else keeps it."""
    monkeypatch.delenv("REMAP_SIGTERM", raising=False)
    remap_sigterm()
    assert os.environ["REMAP_SIGTERM"] == "SIGQUIT"
    monkeypatch.setenv("REMAP_SIGTERM", "SIGINT")
    remap_sigterm()
    assert os.environ["REMAP_SIGTERM"] == "SIGINT"
