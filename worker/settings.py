"""What the environment says: the one place that reads it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, urlsplit

import platformdirs

from models.errors import UsageError
from worker.source import parse_source, parse_sources

_Read = TypeVar("_Read")

_PLACE = re.compile(r"(\[[^\]]*\]|[^:/?#\[]*)(:\d*)?([/?#]|$)", re.ASCII)

_NUMBER = re.compile(r"/?|/\d{1,9}", re.ASCII)
_TLS_OPTIONS = ("ssl_cert_reqs", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname")
_CERTIFICATES = re.compile(r"none|optional|required|CERT_(NONE|OPTIONAL|REQUIRED)")

DEFAULT_SOURCE = "https://dumps.wikimedia.org"


class LogFormat(StrEnum):
    """How a worker's log is written."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Settings:
    """How this process was set up. URLs may hold passwords, so they are kept out of its representation.

    ``sources`` are where hour files are, the origin first; each has connections of its own.
    """

    data_dir: Path
    database_url: str = field(repr=False)
    broker_url: str | None = field(repr=False)
    sources: tuple[str, ...] = field(repr=False)
    contact: str | None
    dumps_source: str | None = field(default=None, repr=False)
    log_format: LogFormat = LogFormat.TEXT

    @property
    def source(self) -> str:
        """The origin."""
        return self.sources[0]

    def sources_of_hours(self, asked: str | None) -> tuple[str, ...]:
        """Where to fetch hour files, given the source that was asked for, if one was."""
        return (asked,) if asked else self.sources

    def source_of_dumps(self, asked: str | None) -> str:
        """Where to fetch a wiki's SQL dumps, given the source that was asked for, if one was."""
        return self.dumps_source or asked or self.source

    @property
    def downloads_dir(self) -> Path:
        return self.data_dir / "downloads"


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read ``WIKIQ_*``; an empty variable counts as unset.

    ==================== ===============================================================================
    WIKIQ_CONTACT        e-mail or page of whoever runs this; Wikimedia's hosts ask for it
    WIKIQ_SOURCE         base URL of the dumps site or a mirror; https://dumps.wikimedia.org
    WIKIQ_SOURCES        instead: several, with commas or spaces between; the origin first, then mirrors
    WIKIQ_DUMPS_SOURCE   where the wikis' SQL dumps are, if not at the (first) source
    WIKIQ_DATA_DIR       downloads, locks and the SQLite file; the user's data directory
    WIKIQ_DATABASE_URL   sqlite:///FILE or postgresql://…; a SQLite file in the data directory
    WIKIQ_BROKER_URL     redis://…; without it tasks run inside ``wikiq enqueue``
    WIKIQ_LOG_FORMAT     what workers log: text, or json; text
    ==================== ===============================================================================

    Raises:
        UsageError: a value cannot be used; the message names the variable.
    """
    values = os.environ if environment is None else environment
    data_dir = _checked(values, "WIKIQ_DATA_DIR", _data_dir, "")
    default_database = f"sqlite:///{quote(str(data_dir / 'wikiq.sqlite'))}"
    return Settings(
        data_dir=data_dir,
        database_url=_checked(values, "WIKIQ_DATABASE_URL", _database_url, default_database),
        broker_url=_checked(values, "WIKIQ_BROKER_URL", _broker_url, None),
        sources=_sources(values),
        contact=_checked(values, "WIKIQ_CONTACT", _contact, None),
        dumps_source=_checked(values, "WIKIQ_DUMPS_SOURCE", parse_source, None),
        log_format=_checked(values, "WIKIQ_LOG_FORMAT", _log_format, LogFormat.TEXT),
    )


def _checked(values: Mapping[str, str], name: str, read: Callable[[str], _Read], default: str | None) -> Any:  # noqa: ANN401 None where there is neither value nor default
    text = values.get(name) or default
    if text is None:
        return None
    try:
        return read(text)
    except UsageError as error:
        raise UsageError(f"{name}: {error}") from None
    except (ValueError, RuntimeError):
        raise UsageError(f"{name} cannot be read.") from None


def _sources(values: Mapping[str, str]) -> tuple[str, ...]:
    if not values.get("WIKIQ_SOURCES"):
        return (_checked(values, "WIKIQ_SOURCE", parse_source, DEFAULT_SOURCE),)
    if values.get("WIKIQ_SOURCE"):
        raise UsageError("WIKIQ_SOURCE and WIKIQ_SOURCES are both set; unset WIKIQ_SOURCE to fetch from several.")
    found: tuple[str, ...] = _checked(values, "WIKIQ_SOURCES", parse_sources, None)
    return found


def _data_dir(text: str) -> Path:
    # Asked for only where it is needed: a user without a home directory has none.
    return Path(text or platformdirs.user_data_path("wikiq")).expanduser().absolute()


def _database_url(url: str) -> str:
    scheme, _, rest = url.partition("://")
    if scheme in ("postgres", "postgresql", "postgresql+psycopg") and rest:
        _check_credentials(url)
        _check_port(url)
        return f"postgresql+psycopg://{rest}"
    name, _, query = rest.partition("?")
    is_file = name.startswith("/") and name.strip("/") not in ("", ":memory:") and "mode=memory" not in query
    if scheme == "sqlite" and is_file:
        return url
    raise UsageError("a database URL begins with sqlite:/// and a file's name, or with postgresql://.")


def _broker_url(url: str) -> str:
    if not url.startswith(("redis://", "rediss://", "memory://")):
        raise UsageError("a broker URL begins with redis:// or rediss://.")
    _check_port(url)
    if not url.startswith("memory://"):
        _check_redis(url)
    if url.startswith("rediss://") and "ssl_cert_reqs=" not in url:
        # Celery asks for a word about certificates; the careful one is the default.
        return f"{url}{'&' if '?' in url else '?'}ssl_cert_reqs=required"
    return url


def _check_redis(url: str) -> None:
    # Celery and redis-py read the rest of the URL each in their own way, and what one does not know ends it.
    parts = urlsplit(url)
    if parts.fragment or not _NUMBER.fullmatch(parts.path):
        raise UsageError("its database is no number, or its password holds a / ? or #: percent-encode those.")
    options = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    if any(name not in _TLS_OPTIONS or parts.scheme != "rediss" for name, _ in options):
        raise UsageError(f"it may have no options but, with rediss://, {', '.join(_TLS_OPTIONS)}.")
    if any(name == "ssl_cert_reqs" and not _CERTIFICATES.fullmatch(value) for name, value in options):
        raise UsageError("ssl_cert_reqs is none, optional or required.")


def _log_format(text: str) -> LogFormat:
    try:
        return LogFormat(text.lower())
    except ValueError:
        raise UsageError("logs are written as text or as json.") from None


def _check_port(url: str) -> None:
    # Passwords may hold almost anything, so the place is what follows the last @.
    place = url.partition("://")[2].rpartition("@")[2]
    if not _PLACE.match(place):
        raise UsageError("the port is no number.")


def _check_credentials(url: str) -> None:
    # SQLAlchemy ends the password at the first @ and takes what follows for the host, which is looked up and shown.
    before = url.partition("://")[2].rpartition("@")[0]
    if "@" in before or "?" in before or "/" in before.partition(":")[0]:
        raise UsageError("in user, password and options, percent-encode @ as %40, / as %2F and ? as %3F.")


def _contact(text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        raise UsageError("a contact is one line of plain ASCII text, an e-mail address or a page about you.")
    return text.strip() or text


def remap_sigterm() -> None:
    """Have Celery's worker treat SIGTERM as a soft shutdown, which hands unfinished tasks back."""
    os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
