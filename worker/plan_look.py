"""Looking, for a plan, at what is there: at the sources by small documents, politely; on this disk by its files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from models.errors import BrokerUnreachable, CorruptFile, FileNotThere, SourceError, SourceRefused, SourceUnreachable
from models.hour import Hour
from worker.any_source import PROBES
from worker.budget import source_key
from worker.context import Context
from worker.dumps_site import MAX_DOCUMENT_BYTES, hour_url
from worker.fetch import fetch_small
from worker.hour_listing import ListedFile, folder_of, listed_files
from worker.partial_file import PartialFile
from worker.patience import PATIENT
from worker.plan import Look, SourceLook
from worker.source import without_credentials

BRISK = replace(PATIENT.hasty(), attempts=PROBES, wait_initial=0.5, wait_jitter=0.5)
"""Somebody waits at a prompt."""

AWAY_SECONDS = 5.0
"""So long a plan waits for a broker that does not answer."""

_SILENT = {Look.REFUSED: SourceRefused, Look.UNREACHABLE: SourceUnreachable}

TROUBLES = (SourceError, BrokerUnreachable, OSError)
"""What may go wrong with looking; a plan tells of it and goes on."""


class Documents:
    """Reads small documents for one plan. A broker that is away is waited for once, and then for none of the others."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._away: BrokerUnreachable | None = None

    def read(self, url: str) -> bytes:
        """A small document.

        Raises:
            SourceError: as ``worker.fetch.fetch_small``.
            BrokerUnreachable: the broker, which shares out the connections, does not answer, or did not a moment ago.
            OSError: the data directory, whose locks do so elsewhere, cannot be written.
        """
        if self._away is not None:
            raise self._away
        http, budget, retries = self._context.open_http(), self._context.budget(url), self._context.retries
        try:
            return fetch_small(http, url, limit_bytes=MAX_DOCUMENT_BYTES, budget=budget, retries=retries)
        except BrokerUnreachable as error:
            self._away = error
            raise

    def reader(self, source: str, looks: Iterable[SourceLook]) -> Callable[[str], bytes]:
        """Reads what lies below a source; one that did not answer, as ``looks`` tell, is not asked again."""
        silent = next((look for look in looks if look.key == source_key(source) and look.look in _SILENT), None)

        def read(path: str) -> bytes:
            if silent is not None:
                raise _SILENT[silent.look](silent.reason)
            return self.read(f"{source.rstrip('/')}/{path}")

        return read


def look_for_hours(
    documents: Documents, sources: Sequence[str], hours: Iterable[Hour]
) -> tuple[tuple[SourceLook, ...], Mapping[Hour, ListedFile] | None]:
    """Ask each source for the listings of these hours' folders.

    Returns:
        What became of each source, troubles included; and the files that any of them has, None if none of them told.
    """
    folders = sorted({folder_of(hour) for hour in hours})
    looks: list[SourceLook] = []
    found: list[Mapping[Hour, ListedFile]] = []
    for source in sources:
        look, reason = Look.ANSWERED, None
        try:
            found.append(_listed(documents, source, folders))
        except TROUBLES as error:
            look, reason = look_after(error), reason_of(error)
        looks.append(SourceLook(without_credentials(source), source_key(source), look, reason))
    return tuple(looks), _merged(found) if found else None


def not_asked(sources: Iterable[str]) -> tuple[SourceLook, ...]:
    """Sources that nothing is needed from."""
    return tuple(SourceLook(without_credentials(source), source_key(source), Look.NOT_ASKED) for source in sources)


def begun_bytes(context: Context, hours: Iterable[Hour], sources: Iterable[str]) -> Mapping[Hour, int]:
    """Bytes of half-loaded hour files on this disk that one of the sources can go on with."""
    begun: dict[Hour, int] = {}
    for hour in hours:
        part = PartialFile(context.settings.downloads_dir / hour.file_name)
        with suppress(OSError):
            version = part.version()
            if version and version.url in {without_credentials(hour_url(source, hour)) for source in sources}:
                begun[hour] = part.size()
    return begun


def look_after(error: Exception) -> Look:
    """How a trouble stands in a plan."""
    match error:
        case SourceRefused():
            return Look.REFUSED
        case SourceUnreachable():
            return Look.UNREACHABLE
        case _:
            return Look.FAILED


def reason_of(error: Exception) -> str:
    """A trouble in a sentence."""
    if isinstance(error, OSError):
        return f"The data directory cannot be written: {error.strerror or error}."
    return str(error)


def _listed(documents: Documents, source: str, folders: Sequence[str]) -> Mapping[Hour, ListedFile]:
    found: dict[Hour, ListedFile] = {}
    for folder in folders:
        url = f"{source.rstrip('/')}/{folder}"
        try:
            files = listed_files(documents.read(url))
        except FileNotThere:
            continue
        if not files:
            raise CorruptFile(f"{without_credentials(url)} is no listing of hour files.")
        # A listing speaks of its own folder only.
        found |= {hour: file for hour, file in files.items() if folder_of(hour) == folder}
    return found


def _merged(found: Sequence[Mapping[Hour, ListedFile]]) -> Mapping[Hour, ListedFile]:
    """Of one file at several sources the first one's word counts: the origin is named first."""
    return {hour: file for files in reversed(found) for hour, file in files.items()}
