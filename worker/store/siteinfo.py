"""Each wiki's siteinfo: fetched once and kept."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete
from sqlmodel import Session, col, select

from models.project import Project
from models.siteinfo import CANONICAL, Siteinfo, parse_siteinfo
from models.tables import SiteinfoRow
from worker.store.upsert import upsert


def load_siteinfo(session: Session, project: Project) -> Siteinfo:
    """The wiki's own siteinfo, or MediaWiki's canonical names where it could not be had so far."""
    row = session.get(SiteinfoRow, project.name)
    if row is None or row.document is None or row.run is None:
        return CANONICAL
    return parse_siteinfo(row.document, row.run.isoformat())


def namespaces_origin(session: Session, project: Project) -> str:
    """Where ``load_siteinfo`` has it from, without reading the document: a run's date, or ``canonical``."""
    run = session.exec(
        select(col(SiteinfoRow.run)).where(SiteinfoRow.project == project.name, col(SiteinfoRow.document).is_not(None))
    ).first()
    return run.isoformat() if run else CANONICAL.origin


def has_siteinfo(session: Session, project: Project) -> bool:
    """Whether the wiki's own siteinfo was fetched."""
    row = session.get(SiteinfoRow, project.name)
    return row is not None and row.document is not None


def siteinfo_trouble(session: Session, project: Project, *, since: dt.datetime) -> str | None:
    """Why the wiki's own siteinfo could not be had, if that was tried at or after the given time."""
    row = session.exec(
        select(SiteinfoRow).where(SiteinfoRow.project == project.name, col(SiteinfoRow.fetched_at) >= since)
    ).first()
    return row.reason if row else None


def forget_siteinfo_troubles(session: Session) -> None:
    """Let siteinfo that could not be had be asked for again."""
    session.execute(delete(SiteinfoRow).where(col(SiteinfoRow.document).is_(None)))


def save_siteinfo(session: Session, project: Project, run: dt.date, document: bytes, *, now: dt.datetime) -> None:
    """Keep a siteinfo document (JSON) of the dump run of that date."""
    values = {"run": run, "document": document.decode("utf-8-sig"), "reason": None, "fetched_at": now}
    upsert(session, SiteinfoRow, {"project": project.name}, values)


def save_siteinfo_trouble(session: Session, project: Project, reason: str, *, now: dt.datetime) -> None:
    """Note why the wiki's own siteinfo could not be had, unless there is one."""
    if not has_siteinfo(session, project):
        values = {"run": None, "document": None, "reason": reason, "fetched_at": now}
        upsert(session, SiteinfoRow, {"project": project.name}, values)
