"""Downloads that nobody will go on with, because another machine has done meanwhile what they were for."""

from __future__ import annotations

import logging

from worker.context import Context
from worker.fetch import discard
from worker.store.database import reading
from worker.store.ledger import unfinished_hours
from worker.store.snapshots import unread_files

_ENDINGS = (".part.json", ".part")

_log = logging.getLogger(__name__)


def drop_leftovers(context: Context) -> tuple[str, ...]:
    """Remove files and parts of files that no hour and no dump is waiting for; gives their names.

    A worker that is killed leaves its part to whoever goes on with it. On a disk of its own that is nobody, once
    another machine has counted the hour; so each worker looks for such parts when it starts.

    Raises:
        OSError: the directory cannot be read or written.
    """
    directory = context.settings.downloads_dir
    names = {_without_ending(path.name) for path in directory.glob("*") if path.is_file()}
    if not names:
        return ()
    with reading(context.engine) as session:
        wanted = {hour.file_name for hour in unfinished_hours(session)} | unread_files(session)
    leftover = tuple(sorted(names - wanted))
    for name in leftover:
        _log.info("%s: removed what was left of it; it is not needed any more.", name)
        discard(directory / name)
    return leftover


def _without_ending(name: str) -> str:
    return next((name.removesuffix(ending) for ending in _ENDINGS if name.endswith(ending)), name)
