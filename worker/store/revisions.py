"""Which revisions of the database's tables this wikiq knows."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import models

VERSION_QUERY = "SELECT version_num FROM alembic_version"


def migrations() -> Path:
    """The directory of the migrations."""
    return Path(models.__path__[0]) / "migrations"


def latest_revision() -> str:
    """What ``open_database`` brings the tables to."""
    return revisions()[-1]


@cache
def revisions() -> tuple[str, ...]:
    """The revisions this wikiq knows, oldest first; a migration's file is named by its revision."""
    return tuple(sorted(path.stem for path in (migrations() / "versions").glob("[0-9]*.py")))
