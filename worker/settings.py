"""What the environment says: the one place that reads it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from models.errors import UsageError
from worker.source import parse_source

DEFAULT_SOURCE = "https://dumps.wikimedia.org"


@dataclass(frozen=True, slots=True)
class Settings:
    """How this process was set up. URLs may hold passwords, so they are kept out of its representation."""

    data_dir: Path
    database_url: str = field(repr=False)
    broker_url: str | None = field(repr=False)
    source: str
    contact: str | None

    @property
    def downloads_dir(self) -> Path:
        return self.data_dir / "downloads"


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read ``WIKIQ_*``; an empty variable counts as unset.

    ==================== ===============================================================================
    WIKIQ_CONTACT        e-mail or page of whoever runs this; Wikimedia's hosts ask for it
    WIKIQ_SOURCE         base URL of the dumps site or a mirror; https://dumps.wikimedia.org
    WIKIQ_DATA_DIR       downloads, locks and the SQLite file; the user's data directory
    WIKIQ_DATABASE_URL   sqlite:///FILE or postgresql://…; a SQLite file in the data directory
    WIKIQ_BROKER_URL     redis://…; without it tasks run inside ``wikiq enqueue``
    ==================== ===============================================================================

    Raises:
        UsageError: a value cannot be used; the message names the variable.
    """
    environment = os.environ if environment is None else environment
    data_dir = Path(environment.get("WIKIQ_DATA_DIR") or platformdirs.user_data_path("wikiq")).expanduser().absolute()
    return Settings(
        data_dir=data_dir,
        database_url=_database_url(environment.get("WIKIQ_DATABASE_URL") or f"sqlite:///{data_dir / 'wikiq.sqlite'}"),
        broker_url=_broker_url(environment.get("WIKIQ_BROKER_URL") or None),
        source=parse_source(environment.get("WIKIQ_SOURCE") or DEFAULT_SOURCE),
        contact=environment.get("WIKIQ_CONTACT") or None,
    )


def _database_url(url: str) -> str:
    scheme, _, rest = url.partition("://")
    if scheme in ("postgres", "postgresql", "postgresql+psycopg") and rest:
        return f"postgresql+psycopg://{rest}"
    if scheme == "sqlite" and rest:
        return url
    raise UsageError("WIKIQ_DATABASE_URL begins with sqlite:/// or postgresql://; what is set does not.")


def _broker_url(url: str | None) -> str | None:
    if url is None or url.startswith(("redis://", "rediss://", "memory://")):
        return url
    raise UsageError("WIKIQ_BROKER_URL begins with redis:// or rediss://; what is set does not.")


def remap_sigterm() -> None:
    """Have Celery's worker treat SIGTERM as a soft shutdown, which hands unfinished tasks back."""
    os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
