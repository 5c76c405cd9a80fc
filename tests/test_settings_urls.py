"""URLs of databases and brokers: which are taken, and which are refused before anybody misreads them."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from settings_samples import PASSWORD, check_refusal, settings_or_complaint
from sqlalchemy import make_url
from strategies import LAW

from worker.settings import Settings, read_settings

UNUSABLE = [
    ("WIKIQ_DATABASE_URL", "wikiq.sqlite"),
    ("WIKIQ_DATABASE_URL", "sqlite:"),
    ("WIKIQ_DATABASE_URL", "sqlite://"),
    ("WIKIQ_DATABASE_URL", "sqlite:///"),
    ("WIKIQ_DATABASE_URL", "sqlite:///:memory:"),
    ("WIKIQ_DATABASE_URL", "sqlite:///?cache=shared"),
    ("WIKIQ_DATABASE_URL", "sqlite:///file:name?mode=memory&uri=true"),
    ("WIKIQ_DATABASE_URL", "sqlite://wikiq.sqlite"),
    ("WIKIQ_DATABASE_URL", f"mysql://me:{PASSWORD}@db.example.org/wikiq"),
    ("WIKIQ_DATABASE_URL", "postgresql://"),
    ("WIKIQ_DATABASE_URL", f"postgresql://me:{PASSWORD}@db.example.org:port/wikiq"),
    ("WIKIQ_DATABASE_URL", f"postgresql+asyncpg://me:{PASSWORD}@db.example.org/wikiq"),
    ("WIKIQ_DATABASE_URL", f"postgresql://me:half@{PASSWORD}@db.example.org/wikiq"),
    ("WIKIQ_DATABASE_URL", f"postgresql://me:half@{PASSWORD}/more@db.example.org/wikiq"),
    ("WIKIQ_DATABASE_URL", f"postgresql://me:half@{PASSWORD}?more@db.example.org/wikiq"),
    ("WIKIQ_DATABASE_URL", f"postgresql://m/e:{PASSWORD}@db.example.org/wikiq"),
    ("WIKIQ_DATABASE_URL", f"postgresql://db.example.org:5432/wikiq?user=me@home&password={PASSWORD}"),
    ("WIKIQ_BROKER_URL", f"amqp://me:{PASSWORD}@broker.example.org"),
    ("WIKIQ_BROKER_URL", "localhost:6379"),
    ("WIKIQ_BROKER_URL", f"redis://me:{PASSWORD}@broker.example.org:port/0"),
    ("WIKIQ_BROKER_URL", f"redis://broker.example.org/{PASSWORD}"),
    ("WIKIQ_BROKER_URL", "redis://broker.example.org/0/1"),
    ("WIKIQ_BROKER_URL", f"redis://broker.example.org/0?password={PASSWORD}"),
    ("WIKIQ_BROKER_URL", "redis://broker.example.org?x=1"),
    ("WIKIQ_BROKER_URL", "redis://broker.example.org?db=1"),
    ("WIKIQ_BROKER_URL", "redis://broker.example.org?ssl_cert_reqs=none"),
    ("WIKIQ_BROKER_URL", "rediss://broker.example.org?ssl_x=1"),
    ("WIKIQ_BROKER_URL", "rediss://broker.example.org?ssl_cert_reqs=perhaps"),
    ("WIKIQ_BROKER_URL", f"redis://me:half?{PASSWORD}@broker.example.org/0"),
    ("WIKIQ_BROKER_URL", f"redis://me:half/{PASSWORD}@broker.example.org/0"),
    ("WIKIQ_BROKER_URL", f"redis://me:half#{PASSWORD}@broker.example.org/0"),
]


@pytest.mark.parametrize(("name", "value"), UNUSABLE)
def test_a_url_that_cannot_be_used(name, value):
    """The error names the variable, in one line, and shows no password."""
    check_refusal(name, value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_may_be_written_in_several_ways(scheme):
    """Whatever the scheme is called, the one installed driver serves; the rest of the URL is kept to the letter."""
    url = read_settings({"WIKIQ_DATABASE_URL": f"{scheme}://me:p%40ss://@db:5432/wikiq?sslmode=require"}).database_url
    assert url == "postgresql+psycopg://me:p%40ss://@db:5432/wikiq?sslmode=require"


@LAW
@given(st.text("@/:?#[]%&=k", max_size=12))
def test_no_part_of_a_database_password_is_taken_for_the_place(password):
    """Whatever a password holds, the URL is refused, or read with the whole of it where a password belongs."""
    found = settings_or_complaint({"WIKIQ_DATABASE_URL": f"postgresql://me:{password}@db.example.org:5432/wikiq"})
    if isinstance(found, Settings):
        url = make_url(found.database_url)
        assert (url.username, url.password) == ("me", unquote(password))
        assert (url.host, url.port, url.database, url.query) == ("db.example.org", 5432, "wikiq", {})
    else:
        assert "percent-encode" in found


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "redis://:a:b@c@localhost/",
        "rediss://me:secret@broker:6380/1?ssl_cert_reqs=none",
        "rediss://broker?ssl_cert_reqs=CERT_OPTIONAL&ssl_ca_certs=%2Fa%20b.pem&ssl_check_hostname=false",
        "memory://",
    ],
)
def test_brokers(url):
    """Redis, plain or over TLS, and the memory of the process."""
    assert read_settings({"WIKIQ_BROKER_URL": url}).broker_url == url


@pytest.mark.parametrize(("url", "more"), [("rediss://b/1", "?"), ("rediss://b/1?ssl_ca_certs=/ca.pem", "&")])
def test_certificates_are_looked_at(url, more):
    """Over TLS the server's certificate is required, unless something else is asked for."""
    assert read_settings({"WIKIQ_BROKER_URL": url}).broker_url == f"{url}{more}ssl_cert_reqs=required"
