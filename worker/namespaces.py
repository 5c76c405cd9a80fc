"""What the wikis say of their namespaces: fetched once and kept."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from models.errors import SourceError
from models.project import Project
from worker.budget import hold_file
from worker.context import Context
from worker.counting import SOURCE_TROUBLE_LASTS
from worker.dumps_site import fetch_siteinfo
from worker.store.database import reading, writing
from worker.store.siteinfo import has_siteinfo, save_siteinfo, save_siteinfo_trouble, siteinfo_trouble

_log = logging.getLogger(__name__)


def ensure_siteinfo(context: Context, projects: Sequence[Project], source: str) -> None:
    """Fetch the siteinfo of those wikis of which none is kept; note the reason where it cannot be had."""
    for project in projects:
        # Every day's chord asks for it, all at once; one of them fetches.
        with hold_file(context.settings.downloads_dir / f"{project.database}.siteinfo"):
            if not _known(context, project):
                _fetch(context, project, source)


def _known(context: Context, project: Project) -> bool:
    """Whether there is nothing to fetch: it was, or it could not be a moment ago."""
    with reading(context.engine) as session:
        since = context.now() - SOURCE_TROUBLE_LASTS
        return has_siteinfo(session, project) or siteinfo_trouble(session, project, since=since) is not None


def _fetch(context: Context, project: Project, source: str) -> None:
    budget = context.budget(source)
    try:
        found = fetch_siteinfo(context.open_http(), source, project.database, budget=budget, retries=context.retries)
    except SourceError as error:
        _note_trouble(context, project, str(error))
        return
    if found is None:
        _note_trouble(context, project, f"The source has no finished siteinfo dump of {project.database}.")
        return
    document, run = found
    with writing(context.engine) as session:
        save_siteinfo(session, project, run, document, now=context.now())


def _note_trouble(context: Context, project: Project, reason: str) -> None:
    _log.warning("%s: MediaWiki's canonical namespace names will serve. %s", project, reason)
    with writing(context.engine) as session:
        save_siteinfo_trouble(session, project, reason, now=context.now())
