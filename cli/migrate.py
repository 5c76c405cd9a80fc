"""``wikiq migrate``."""

from __future__ import annotations

import typer


def migrate() -> None:
    """Bring the database's tables to this version's.

    Every command does so by itself when it opens the database; this one does nothing else, so that an upgrade can begin
    with it. It may run twice, and at the same time as others.

    \b
      wikiq migrate
    """
    from worker.settings import read_settings
    from worker.store.database import open_database
    from worker.store.revisions import latest_revision

    open_database(read_settings().database_url).dispose()
    typer.echo(f"The database's tables are at revision {latest_revision()}.", err=True)
