"""What the wikis say of their namespaces: fetched once and kept."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from models.errors import FileNotThere, SourceError
from models.project import Project
from models.siteinfo import parse_siteinfo
from worker.any_source import SOURCE_TROUBLE_LASTS, patience_with
from worker.budget import hold_file
from worker.context import Context
from worker.dumps_site import fetch_siteinfo
from worker.store.database import reading, writing
from worker.store.siteinfo import has_siteinfo, save_siteinfo, save_siteinfo_trouble, siteinfo_trouble

_log = logging.getLogger(__name__)


def ensure_siteinfo(context: Context, projects: Sequence[Project], source: str) -> None:
    """Fetch the siteinfo of those wikis of which none is kept; note the reason where it cannot be had."""
    for project in projects:
        try:
            # Every day's chord asks for it, all at once; one of them fetches.
            with hold_file(context.settings.downloads_dir / f"{project.database}.siteinfo"):
                if not _known(context, project):
                    _fetch(context, project, source)
        except SourceError as error:
            _note_trouble(context, project, str(error))
        except OSError as error:
            _note_trouble(context, project, f"The data directory cannot be written: {error.strerror or error}.")


def _known(context: Context, project: Project) -> bool:
    """Whether there is nothing to fetch: it was, or it could not be a moment ago."""
    with reading(context.engine) as session:
        since = context.now() - SOURCE_TROUBLE_LASTS
        return has_siteinfo(session, project) or siteinfo_trouble(session, project, since=since) is not None


def _fetch(context: Context, project: Project, source: str) -> None:
    budget, retries = context.budget(source), patience_with(context, source)
    found = fetch_siteinfo(context.open_http(), source, project.database, budget=budget, retries=retries)
    if found is None:
        raise FileNotThere(f"The source has no finished siteinfo dump of {project.database}.")
    document, run = found
    parse_siteinfo(document, run.isoformat())  # a document that cannot be read must not be kept
    with writing(context.engine) as session:
        save_siteinfo(session, project, run, document, now=context.now())


def _note_trouble(context: Context, project: Project, reason: str) -> None:
    _log.warning("%s: MediaWiki's canonical namespace names will serve. %s", project, reason)
    with writing(context.engine) as session:
        save_siteinfo_trouble(session, project, reason, now=context.now())
