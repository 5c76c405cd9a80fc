"""What the environment says: the one place that reads it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import platformdirs

from models.errors import UsageError
from worker.source import parse_source

_Read = TypeVar("_Read")

_PLACE = re.compile(r"(\[[^\]]*\]|[^:/?#\[]*)(:\d*)?([/?#]|$)", re.ASCII)

DEFAULT_SOURCE = "https://dumps.wikimedia.org"


@dataclass(frozen=True, slots=True)
class Settings:
    """How this process was set up. URLs may hold passwords, so they are kept out of its representation."""

    data_dir: Path
    database_url: str = field(repr=False)
    broker_url: str | None = field(repr=False)
    source: str = field(repr=False)
    contact: str | None
    dumps_source: str | None = field(default=None, repr=False)

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
    WIKIQ_DUMPS_SOURCE   where the wikis' SQL dumps are, if not at the source
    WIKIQ_DATA_DIR       downloads, locks and the SQLite file; the user's data directory
    WIKIQ_DATABASE_URL   sqlite:///FILE or postgresql://…; a SQLite file in the data directory
    WIKIQ_BROKER_URL     redis://…; without it tasks run inside ``wikiq enqueue``
    ==================== ===============================================================================

    Raises:
        UsageError: a value cannot be used; the message names the variable.
    """
    values = os.environ if environment is None else environment
    data_dir = _checked(values, "WIKIQ_DATA_DIR", _data_dir, str(platformdirs.user_data_path("wikiq")))
    default_database = f"sqlite:///{quote(str(data_dir / 'wikiq.sqlite'))}"
    return Settings(
        data_dir=data_dir,
        database_url=_checked(values, "WIKIQ_DATABASE_URL", _database_url, default_database),
        broker_url=_checked(values, "WIKIQ_BROKER_URL", _broker_url, None),
        source=_checked(values, "WIKIQ_SOURCE", parse_source, DEFAULT_SOURCE),
        contact=_checked(values, "WIKIQ_CONTACT", _contact, None),
        dumps_source=_checked(values, "WIKIQ_DUMPS_SOURCE", parse_source, None),
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


def _data_dir(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _database_url(url: str) -> str:
    scheme, _, rest = url.partition("://")
    if scheme in ("postgres", "postgresql", "postgresql+psycopg") and rest:
        _check_port(url)
        return f"postgresql+psycopg://{rest}"
    if scheme == "sqlite" and rest.startswith("/") and rest.strip("/") not in ("", ":memory:"):
        return url
    raise UsageError("a database URL begins with sqlite:/// and a file's name, or with postgresql://.")


def _broker_url(url: str) -> str:
    if not url.startswith(("redis://", "rediss://", "memory://")):
        raise UsageError("a broker URL begins with redis:// or rediss://.")
    _check_port(url)
    return url


def _check_port(url: str) -> None:
    # Passwords may hold almost anything, so the place is what follows the last @.
    place = url.partition("://")[2].rpartition("@")[2]
    if not _PLACE.match(place):
        raise UsageError("the port is no number.")


def _contact(text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        raise UsageError("a contact is one line of plain ASCII text, an e-mail address or a page about you.")
    return text.strip() or text


def remap_sigterm() -> None:
    """Have Celery's worker treat SIGTERM as a soft shutdown, which hands unfinished tasks back."""
    os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
